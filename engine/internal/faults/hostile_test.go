//go:build linux

package faults

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
)

// A small argument that is large once it is decoded costs its worker a bounded multiple of its size (D3, row 19).
func TestASmallArgumentDoesNotGrow(t *testing.T) {
	s := watched(t, 1)
	n := pid(t, s.ctx, s.mesh, 0)
	take := engine.Method(s.mesh, (*Victim).Any)
	if _, err := take.CallOne(s.ctx, []any{map[string]any{}}); err != nil {
		t.Fatal(err)
	}
	before := resident(t, n)
	maps := make([]any, 60_000) // 60 KB: one byte each
	for i := range maps {
		maps[i] = map[string]any{}
	}
	for range 20 {
		if got, err := take.CallOne(s.ctx, maps); err != nil || got != len(maps) {
			t.Fatalf("%d elements came, %v", got, err)
		}
	}
	if grown := resident(t, n) - before; grown > most() {
		t.Errorf("its process has grown by %d MiB", grown>>20)
	}
}
