package debugger_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// rankOf is what is told of the only actor of a mesh, once that is.
func rankOf(t *testing.T, ctx context.Context, c *control.Client, mesh string) control.RankState {
	t.Helper()
	time.Sleep(time.Second) // virtual: states are told every 50 ms
	synctest.Wait()
	snap, err := c.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range snap.Meshes {
		if m.Ref.Name == mesh {
			return m.Ranks[0]
		}
	}
	t.Fatalf("no mesh %s", mesh)
	return control.RankState{}
}

// TestTheTimeOfAStopIsNoWork has handlers stop before and after they sleep for a second, while a person looks for ten minutes.
func TestTheTimeOfAStopIsNoWork(t *testing.T) {
	for _, site := range []string{control.SiteRecv, control.SiteReply} {
		t.Run(site, func(t *testing.T) {
			bubble(t, func(ctx context.Context, c *control.Client, stopped func() control.Stop) {
				m := local(t, ctx, "w", Worker{})
				setBreak(t, ctx, c, control.Breakpoint{Mesh: "w", Endpoint: "Nap", Site: site})
				done := begin(func() (int, error) { return 0, engine.Signal(m, (*Worker).Nap).CallOne(ctx) })
				time.Sleep(2 * time.Second)
				st := stopped()
				time.Sleep(look)
				worked := map[string]time.Duration{control.SiteReply: time.Second}[site]
				if r := rankOf(t, ctx, c, "w"); r.State != "paused" || r.Worked != worked {
					t.Errorf("while it stands it is %s and has worked for %v, want %v", r.State, r.Worked, worked)
				}
				goOn(t, ctx, c, st)
				if r := <-done; r.err != nil {
					t.Fatal(r.err)
				}
				if r := rankOf(t, ctx, c, "w"); r.State != "idle" || r.Worked != time.Second {
					t.Errorf("in the end it is %s and has worked for %v, want 1s", r.State, r.Worked)
				}
			})
		})
	}
	t.Run("beside a concurrent one", func(t *testing.T) {
		bubble(t, func(ctx context.Context, c *control.Client, stopped func() control.Stop) {
			m := local(t, ctx, "w", Worker{})
			setBreak(t, ctx, c, control.Breakpoint{Mesh: "w", Endpoint: "Peek"})
			done := begin(func() (string, error) { return engine.Query(m, (*Worker).Peek).CallOne(ctx) })
			st := stopped()
			time.Sleep(look)
			if err := engine.Signal(m, (*Worker).Nap).CallOne(ctx); err != nil {
				t.Fatal(err)
			}
			time.Sleep(look)
			goOn(t, ctx, c, st)
			if r := <-done; r.err != nil {
				t.Fatal(r.err)
			}
			if r := rankOf(t, ctx, c, "w"); r.State != "idle" || r.Worked != time.Second {
				t.Errorf("in the end it is %s and has worked for %v, want 1s", r.State, r.Worked)
			}
		})
	})
}
