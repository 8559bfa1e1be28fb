package stream_test

import (
	"slices"
	"testing"

	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

func TestAnIndexHoldsWhatTheRingHolds(t *testing.T) {
	ring := world.NewRing[int](5)
	var ix stream.Index
	var held []int
	resets := 0
	follow := func(ring *world.Ring[int]) (fresh int, changed bool) {
		t.Helper()
		fresh, changed = ix.Follow(ring.First(), ring.Total(),
			func() { held = nil; resets++ },
			func(n int) {
				if held[0] != n {
					t.Fatalf("%d is evicted, and the oldest is %d", n, held[0])
				}
				held = held[1:]
			},
			func(n int) { held = append(held, *ring.At(n)) })
		want := []int(nil)
		for n := ring.First(); n < ring.Total(); n++ {
			want = append(want, n)
		}
		if !slices.Equal(held, want) || ix.First != ring.First() || ix.Next != ring.Total() {
			t.Fatalf("it holds %v, as %d to %d; the ring has %v", held, ix.First, ix.Next, want)
		}
		return fresh, changed
	}
	fill(&ring, 3)
	follow(&ring)
	version := ix.Version
	if _, changed := follow(&ring); changed || ix.Version != version {
		t.Error("it changes though nothing has come")
	}
	fill(&ring, 4)
	if fresh, changed := follow(&ring); fresh != 3 || !changed || resets != 0 || ix.Version == version {
		t.Errorf("of four more values the first is %d; %d resets", fresh, resets)
	}
	fill(&ring, 20)
	if fresh, _ := follow(&ring); fresh != 22 || resets != 1 {
		t.Errorf("after more than the ring holds the first is %d; %d resets", fresh, resets)
	}
	other := world.NewRing[int](5)
	fill(&other, 2)
	if follow(&other); resets != 2 {
		t.Errorf("another ring leads to %d resets, want 2", resets)
	}
}
