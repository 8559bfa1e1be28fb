package debugger_test

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// TestAPauseIsSeenBeforeItStopsAnybody: who is to stop at the next site is told, and no longer once that is taken back, or has happened.
func TestAPauseIsSeenBeforeItStopsAnybody(t *testing.T) {
	s := newScene(t, 2)
	wish := func(rank int) string {
		m, ok := s.pic.Mesh("w")
		if !ok {
			return "no mesh"
		}
		return m.Ranks[rank].Pause
	}
	pause := func(undo bool) {
		t.Helper()
		if err := s.c.Pause(s.ctx, control.PauseReq{Mesh: "w", Ranks: []int{1}, Undo: undo}); err != nil {
			t.Fatal(err)
		}
	}
	pause(false)
	s.until("the pause of rank 1", func() bool { return wish(1) == "ada" })
	if by := wish(0); by != "" {
		t.Errorf("rank 0 is to stop for %q", by)
	}
	pause(true)
	s.until("its end", func() bool { return wish(1) == "" })
	pause(false)
	s.until("the pause of rank 1", func() bool { return wish(1) == "ada" })
	done := begin(func() (int, error) {
		return engine.Method(s.m.Slice(engine.At("gpus", 1)), (*Worker).Do).CallOne(s.ctx, Order{N: 1})
	})
	st := s.stops(1)[0]
	if st.Rank != 1 {
		t.Errorf("rank %d stops", st.Rank)
	}
	s.until("the end of the wish", func() bool { return wish(1) == "" })
	s.resume(control.GoContinue, st)
	if r := <-done; r.err != nil {
		t.Error(r.err)
	}
}
