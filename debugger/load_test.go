package debugger_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// TestLookingUnderFullLoadRacesWithNothing reads states, frames and mailboxes, sets breakpoints and lets frames go on while
// handlers, concurrent ones too, write what is read: Go's own check of maps would end the process, and -race would tell.
func TestLookingUnderFullLoadRacesWithNothing(t *testing.T) {
	onBoth(t, 2, func(s *scene) {
		ctx, cancel := context.WithCancel(s.ctx)
		var load, looks sync.WaitGroup
		for n := range 3 {
			load.Go(func() {
				for ctx.Err() == nil {
					_, _ = engine.Method(s.m, (*Worker).Do).Call(s.ctx, Order{N: n})
				}
			})
			load.Go(func() {
				for ctx.Err() == nil {
					_ = engine.Action(s.m, (*Worker).Bump).Call(s.ctx, n)
				}
			})
		}
		over := make(chan struct{})
		seen := map[string]int{}
		var mu sync.Mutex
		progress := make(chan struct{}, 1)
		look := func(what string, fn func() bool) {
			looks.Go(func() {
				for {
					ok := fn()
					mu.Lock()
					if ok {
						seen[what]++
					}
					mu.Unlock()
					select {
					case progress <- struct{}{}:
					default:
					}
					select {
					case <-over:
						return
					default:
					}
				}
			})
		}
		look("states", func() bool {
			all, err := s.c.State(s.ctx, control.StateReq{Mesh: "w", Depth: 4})
			return err == nil && len(all) == 2 && all[0].Error == "" && field(all[0], "bumps").Kind == "map"
		})
		look("values", func() bool {
			all, err := s.c.EvalOver(s.ctx, "w", nil, "state.count + len(state.bumps)")
			return err == nil && len(all) == 2 && all[0].Error == "" && all[0].Answer.Kind == "int"
		})
		look("mailboxes", func() bool {
			all, err := s.c.Mailboxes(s.ctx, "w", nil, control.MailboxQuery{})
			return err == nil && len(all) == 2 && all[0].Error == ""
		})
		look("frames", func() bool {
			set, err := s.c.Breaks(s.ctx, control.BreaksReq{Set: &control.Breakpoint{Mesh: "w", Endpoint: "*", If: "len(state.seen) > 0 and state.count % 3 == 0"}})
			if err != nil {
				return false
			}
			frames := 0
			for range 3 {
				snap, err := s.c.Snapshot(s.ctx)
				if err != nil {
					return false
				}
				for _, st := range snap.Stops {
					if v, err := s.c.Frame(s.ctx, ref(st), control.FrameQuery{}); err == nil && v.State.Error == "" {
						frames++
					}
					_, _ = s.c.Resume(s.ctx, control.ResumeReq{Stops: []control.StopRef{ref(st)}, How: control.GoNext})
				}
			}
			_, _ = s.c.Breaks(s.ctx, control.BreaksReq{Remove: []uint64{set[0].ID}})
			_, _ = s.c.Resume(s.ctx, control.ResumeReq{All: true})
			return frames > 0
		})
		limit := time.After(patience)
		for enough := false; !enough; {
			select {
			case <-limit:
				s.t.Fatalf("too little was seen: %v", seen)
			case <-progress:
			}
			mu.Lock()
			enough = seen["states"] > 20 && seen["values"] > 20 && seen["mailboxes"] > 20 && seen["frames"] > 3
			mu.Unlock()
		}
		close(over)
		looks.Wait()
		cancel()
		done := make(chan struct{})
		go func() { load.Wait(); close(done) }()
		for {
			_, _ = s.c.Resume(s.ctx, control.ResumeReq{All: true}) // a step may stop somebody once more
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond): // no event tells that a step is still to stop somebody
			}
		}
	})
}
