package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
	"github.com/monarch-tui/monarch-tui/engine/probe"
)

// Sited has an endpoint for each way in which a handler ends.
type Sited struct{}

// Fine returns nothing.
func (*Sited) Fine(context.Context) error { return nil }

// Fails returns an error.
func (*Sited) Fails(context.Context) error { return errors.New("no") }

// Panics panics.
func (*Sited) Panics(context.Context) error { panic("no") }

// TestAMessageMeetsItsSitesInOrder fails when any of the engine's sites is gone.
func TestAMessageMeetsItsSitesInOrder(t *testing.T) {
	for _, c := range []struct {
		what string
		send func(ctx context.Context, m engine.Mesh[Sited]) error
		ok   bool
		want []probe.Site
	}{
		{"a call that is answered", callTo((*Sited).Fine), true, []probe.Site{probe.Send, probe.Recv, probe.Reply}},
		{"a call that fails", callTo((*Sited).Fails), false, []probe.Site{probe.Send, probe.Recv, probe.Error}},
		{"a call that panics", callTo((*Sited).Panics), false, []probe.Site{probe.Send, probe.Recv, probe.Error, probe.Panic}},
		{"a broadcast", func(ctx context.Context, m engine.Mesh[Sited]) error {
			return engine.Signal(m, (*Sited).Fine).Broadcast(ctx)
		}, true, []probe.Site{probe.Send, probe.Recv, probe.Reply}},
	} {
		t.Run(c.what, func(t *testing.T) {
			ctx := enginetest.Local(t)
			m := spawn(t, ctx, "sited", 1, Sited{})
			met := make(chan probe.Site, 100)
			defer probe.Arm(func(s probe.Site) {
				select {
				case met <- s:
				default: // more than this test can cause
				}
			})()
			if err := c.send(ctx, m); (err == nil) != c.ok {
				t.Error(err)
			}
			var got []probe.Site
			for next := 0; next < len(c.want); { // a handler that another test has left behind may meet a site meanwhile
				select {
				case s := <-met:
					if got = append(got, s); s == c.want[next] {
						next++
					}
				case <-time.After(10 * time.Second):
					t.Fatalf("it met %v and then nothing, want %v", got, c.want)
				}
			}
		})
	}
}

func callTo(endpoint func(*Sited, context.Context) error) func(context.Context, engine.Mesh[Sited]) error {
	return func(ctx context.Context, m engine.Mesh[Sited]) error { return engine.Signal(m, endpoint).Call(ctx) }
}
