package engine_test

import (
	"slices"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

func TestAQuietHangShowsWhoWaitsForWhom(t *testing.T) {
	for name, opts := range map[string][]engine.Option{"in-process": {engine.AllInProcess()}, "processes": nil} {
		t.Run(name, func(t *testing.T) {
			e, err := engine.Start(t.Context(), append(opts, engine.NoSession())...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(e.Close)
			ctx := e.Context()
			a, b := spawn(t, ctx, "a", 1, Acc{}), spawn(t, ctx, "b", 1, Acc{})
			if err := engine.Action(a, (*Acc).Pair).Call(ctx, b); err != nil {
				t.Fatal(err)
			}
			engine.Signal(a, (*Acc).BlockPeer).Start(ctx) // and nothing else happens from here on
			c := control.InProcess(e.Backend(), control.ClientInfo{Name: "test"})
			t.Cleanup(func() { _ = c.Close() })
			eventually(t, "the edge from a to b", eventLimit, func() bool {
				snap, err := c.Snapshot(ctx)
				return err == nil && slices.ContainsFunc(snap.Waits, func(w control.WaitEdge) bool {
					return w.From == "@a[0]" && w.To == "@b[0]" && w.Endpoint == "Block" && w.State == "running"
				})
			})
		})
	}
}
