package stream_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// number is a row that shows one value of a ring of numbers.
type number int

func (n number) Number() int      { return int(n) }
func (n number) Is(o number) bool { return n == o }

// look brings a view up to date, one row for each value kept.
func look(v *stream.View[int, number], ring *world.Ring[int]) {
	src := v.Source(ring)
	v.Make(func(room []number) []number {
		for n := src.First(); n < src.Total(); n++ {
			if *src.At(n) != n {
				panic("a copy of a ring has other values")
			}
			room = append(room, number(n))
		}
		return room
	})
	v.Look()
}

func fill(ring *world.Ring[int], n int) {
	for range n {
		ring.Add(ring.Total())
	}
}

func shown(v *stream.View[int, number]) []number {
	from, to := v.Visible()
	return append([]number(nil), v.Rows[from:to]...)
}

func TestAViewFollowsUntilItIsMoved(t *testing.T) {
	ring := world.NewRing[int](20_000)
	v := stream.New[int, number]()
	v.Fit(10)
	look(v, &ring)
	if v.Foot() != "" {
		t.Errorf("an empty view says %q", v.Foot())
	}
	fill(&ring, 50)
	look(v, &ring)
	if r, _ := v.Current(); r != 49 || v.Foot() != "following ▼" {
		t.Errorf("the cursor is on %d: %s", r, v.Foot())
	}
	v.Up(1)
	fill(&ring, 5)
	look(v, &ring)
	if r, _ := v.Current(); r != 48 || v.Foot() != "49 of 55 · ▼ 5 new" {
		t.Errorf("the cursor is on %d: %s", r, v.Foot())
	}
	v.Down(20)
	look(v, &ring)
	if v.Foot() != "55 of 55" {
		t.Errorf("at the end it says %q", v.Foot())
	}
	v.Freeze()
	fill(&ring, 2)
	look(v, &ring)
	if v.Foot() != "frozen · ▼ 2 came since" || len(v.Rows) != 55 || !v.Frozen() || v.Following() {
		t.Errorf("frozen it says %q", v.Foot())
	}
	v.End()
	look(v, &ring)
	if v.Foot() != "following ▼" || len(v.Rows) != 57 {
		t.Errorf("gone to the end it says %q", v.Foot())
	}
}

// TestARowThatIsLookedAtStays_INV_STAY holds INV-STAY.
func TestARowThatIsLookedAtStays_INV_STAY(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ring := world.NewRing[int](20_000)
		fill(&ring, rapid.IntRange(0, 30_000).Draw(t, "before"))
		v := stream.New[int, number]()
		v.Fit(rapid.IntRange(1, 40).Draw(t, "size"))
		look(v, &ring)
		for range rapid.IntRange(1, 8).Draw(t, "moves") {
			n := rapid.IntRange(0, 3000).Draw(t, "n")
			switch rapid.IntRange(0, 5).Draw(t, "move") {
			case 0:
				v.Up(n)
			case 1:
				v.Down(n)
			case 2:
				v.Home()
			case 3:
				v.Wheel(n - 1500)
			case 4:
				v.Freeze()
			case 5:
				v.End()
			}
			look(v, &ring)
			before, follows := shown(v), v.Following()
			fill(&ring, rapid.IntRange(0, 4096).Draw(t, "more"))
			look(v, &ring)
			if after := shown(v); !follows && len(before) > 0 && (len(after) < len(before) || after[0] != before[0]) {
				t.Fatalf("what was at %d is at %d", before[0], after[0])
			}
		}
	})
}
