package engine_test

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// TestAnEndThatWasOrderedIsToldFromOneThatWasNot kills one process, lets one kill itself where there are processes, and
// stops the rest.
func TestAnEndThatWasOrderedIsToldFromOneThatWasNot(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		if err := handleAll(ctx); err != nil {
			t.Fatal(err)
		}
		pm := procs(t, ctx, "p", 3)
		m := spawnOn(t, ctx, pm, "m", Acc{})
		p := listen(t, frontEnd(t, e), control.TopicState)
		ended := func(rank int) *control.Proc {
			for i := range p.pic.Procs {
				if x := &p.pic.Procs[i]; x.Mesh == "p" && x.Rank == rank && (x.State == "killed" || x.State == "exited") {
					return x
				}
			}
			return nil
		}
		if err := pm.Slice(at(0)).Kill(ctx); err != nil {
			t.Fatal(err)
		}
		p.until("the end of the one that was killed", func() bool { return ended(0) != nil })
		if x := ended(0); !x.Ordered {
			t.Errorf("%s (%s) is not said to be ordered", x.State, x.Reason)
		}
		if p.pic.Procs[0].PID != 0 { // in this process it would be the end of the test
			_ = engine.Signal(m.Slice(at(1)), (*Acc).Die).Start(ctx)
			p.until("the end of the one that killed itself", func() bool { return ended(1) != nil })
			if x := ended(1); x.Ordered {
				t.Errorf("%s (%s) is said to be ordered", x.State, x.Reason)
			}
		}
		if err := pm.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		p.until("the end of the others", func() bool { return ended(2) != nil })
		if x := ended(2); !x.Ordered {
			t.Errorf("%s (%s) is not said to be ordered", x.State, x.Reason)
		}
	})
}
