package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// init registers the actor in workers too.
func init() { registerTarget() }

// TestTheCauseOfAnEndIsNotTheLastSignal has quicnet give a worker up, for silence: the engine kills it then, and that is not
// why it ended. It is told once, and a rank that is held meanwhile is no exception: its calls get their outcome too.
func TestTheCauseOfAnEndIsNotTheLastSignal(t *testing.T) {
	registerTarget()
	for _, held := range []bool{false, true} {
		e, err := Start(t.Context(), NoSession())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Close)
		ctx, cancel := context.WithTimeout(e.Context(), 20*time.Second)
		t.Cleanup(cancel)
		told := make(chan Failure, 1)
		if _, err := Supervise(ctx, func(_ context.Context, f Failure) Decision { told <- f; return Handled }); err != nil {
			t.Fatal(err)
		}
		p, err := SpawnProcs(ctx, Name("p"), Dim("gpus", 1))
		if err != nil {
			t.Fatal(err)
		}
		m, err := Spawn(ctx, p, "m", Target{})
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var ends []control.Proc
		_, stop := e.hub.Subscribe(func(ev *control.Event) {
			if ev.Proc != nil && ev.Proc.Over() {
				mu.Lock()
				defer mu.Unlock()
				ends = append(ends, *ev.Proc)
			}
		})
		defer stop()
		h := e.hub
		h.mu.Lock()
		rank := h.procs[p.r.First]
		rank.life.Held = held
		h.mu.Unlock()
		for _, state := range []quicnet.LinkState{quicnet.LinkSuspect, quicnet.LinkUnreachable, quicnet.LinkLost} {
			h.linkEvent(quicnet.LinkEvent{Peer: quicnet.ID{Proc: p.r.First}, State: state, Reason: "no contact for 10.2s"})
		}
		<-rank.ended
		const want = "no contact for 10.2s; ended by the engine"
		if _, err := Method(m, (*Target).Add).Call(ctx, 1); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SIGKILL") {
			t.Errorf("held %v: a call says %v", held, err)
		}
		if f := <-told; !strings.Contains(f.What, want) || strings.Contains(f.What, "SIGKILL") {
			t.Errorf("held %v: supervision was told %q", held, f.What)
		}
		mu.Lock()
		if n := len(ends); n != 1 || !strings.Contains(ends[0].Reason, want) || !slices.Contains([]string{"lost", "killed"}, ends[0].State) {
			t.Errorf("held %v: the end is told %d times: %+v", held, n, ends)
		}
		mu.Unlock()
	}
}
