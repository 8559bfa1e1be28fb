package debugger_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Keeper spawns workers, judges their failures, and says what it has seen of hooks and contexts.
type Keeper struct {
	Slow bool // OnStart calls the guide before it is done

	Guide engine.Mesh[Worker]
	mine  engine.Mesh[Worker]
	heard []string
}

// OnStart waits for the guide, if it is to.
func (k *Keeper) OnStart(ctx context.Context) error {
	if !k.Slow {
		return nil
	}
	_, err := engine.Query(k.Guide, (*Worker).Count).CallOne(ctx)
	return err
}

// OnFailure notes what failed.
func (k *Keeper) OnFailure(_ context.Context, f engine.Failure) engine.Decision {
	k.heard = append(k.heard, f.What)
	return engine.Handled
}

// Spawn makes a worker that the keeper owns.
func (k *Keeper) Spawn(ctx context.Context) error {
	p, err := engine.SpawnProcs(ctx, engine.Name("kept"), engine.Dim("gpus", 1))
	if err != nil {
		return err
	}
	k.mine, err = engine.Spawn(ctx, p, "mine", Worker{})
	return err
}

// Heard is what failed so far.
func (k *Keeper) Heard(context.Context) (string, error) { return strings.Join(k.heard, "; "), nil }

// look is how long a person looks in these tests: longer than any limit of the engine.
const look = 10 * time.Minute

// bubble is a session in virtual time with a front end that watches.
func bubble(t *testing.T, test func(ctx context.Context, c *control.Client, stopped func() control.Stop)) {
	synctest.Test(t, func(t *testing.T) {
		e, err := engine.Start(context.Background(), engine.AllInProcess(), engine.NoSession())
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		c := control.InProcess(e.Backend(), control.ClientInfo{Name: "ada"})
		defer c.Close()
		test(e.Context(), c, func() control.Stop {
			synctest.Wait()
			snap, err := c.Snapshot(e.Context())
			if err != nil || len(snap.Stops) != 1 || !snap.Debug.Held {
				t.Fatalf("stops %+v, %+v, %v", snap.Stops, snap.Debug, err)
			}
			return snap.Stops[0]
		})
	})
}

func setBreak(t *testing.T, ctx context.Context, c *control.Client, b control.Breakpoint) {
	t.Helper()
	if _, err := c.Breaks(ctx, control.BreaksReq{Set: &b}); err != nil {
		t.Fatal(err)
	}
}

func goOn(t *testing.T, ctx context.Context, c *control.Client, st control.Stop) {
	t.Helper()
	if out, err := c.Resume(ctx, control.ResumeReq{Stops: []control.StopRef{{ID: st.ID, Gen: st.Gen}}}); err != nil || out[0].Error != "" {
		t.Fatal(out, err)
	}
}

func local[T any](t *testing.T, ctx context.Context, name string, proto T) engine.Mesh[T] {
	t.Helper()
	p, err := engine.SpawnProcs(ctx, engine.Name("p_"+name), engine.Dim("gpus", 1))
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.Spawn(ctx, p, name, proto)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestTheEnginesClocksStandStillWhileSomebodyIsStopped goes through them in virtual time: whoever looks looks for ten minutes,
// and everything completes after that as if no time had passed. Standard contexts of the user run on.
func TestTheEnginesClocksStandStillWhileSomebodyIsStopped(t *testing.T) {
	t.Run("the deadline of a call by engine.WithTimeout, and of a front end", func(t *testing.T) {
		bubble(t, func(ctx context.Context, c *control.Client, stopped func() control.Stop) {
			m := local(t, ctx, "w", Worker{})
			setBreak(t, ctx, c, control.Breakpoint{Mesh: "w", Endpoint: "Count"})
			limited, cancel := engine.WithTimeout(ctx, time.Second)
			defer cancel()
			done := begin(func() (int, error) { return engine.Query(m, (*Worker).Count).CallOne(limited) })
			st := stopped()
			h, err := c.Call(ctx, control.CallReq{ID: 1, Mesh: "w", Endpoint: "Count", Budget: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(look)
			goOn(t, ctx, c, st)
			if r := <-done; r.err != nil {
				t.Errorf("the program's call: %v", r.err)
			}
			goOn(t, ctx, c, stopped())
			if _, err := h.Wait(); err != nil {
				t.Errorf("the front end's call: %v", err)
			}
		})
	})
	t.Run("a standard context runs on", func(t *testing.T) {
		bubble(t, func(ctx context.Context, c *control.Client, stopped func() control.Stop) {
			m := local(t, ctx, "w", Worker{})
			setBreak(t, ctx, c, control.Breakpoint{Mesh: "w", Endpoint: "Count"})
			limited, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			done := begin(func() (int, error) { return engine.Query(m, (*Worker).Count).CallOne(limited) })
			st := stopped()
			time.Sleep(look)
			if r := <-done; !errors.Is(r.err, context.DeadlineExceeded) {
				t.Errorf("its call: %v", r.err)
			}
			goOn(t, ctx, c, st) // the frame stands, whoever has given up
		})
	})
	t.Run("a hook, and the spawn that waits for it", func(t *testing.T) {
		bubble(t, func(ctx context.Context, c *control.Client, stopped func() control.Stop) {
			guide := local(t, ctx, "guide", Worker{})
			p, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("gpus", 1))
			if err != nil {
				t.Fatal(err)
			}
			setBreak(t, ctx, c, control.Breakpoint{Mesh: "guide"})
			limited, cancel := engine.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			done := begin(func() (int, error) {
				_, err := engine.Spawn(limited, p, "keeper", Keeper{Slow: true, Guide: guide})
				return 0, err
			})
			st := stopped()
			time.Sleep(look)
			goOn(t, ctx, c, st)
			if r := <-done; r.err != nil {
				t.Error(r.err)
			}
		})
	})
	t.Run("judging a failure", func(t *testing.T) {
		bubble(t, func(ctx context.Context, c *control.Client, stopped func() control.Stop) {
			k := local(t, ctx, "keeper", Keeper{})
			if err := engine.Signal(k, (*Keeper).Spawn).CallOne(ctx); err != nil {
				t.Fatal(err)
			}
			setBreak(t, ctx, c, control.Breakpoint{Mesh: "keeper", Endpoint: "Heard", Once: true})
			first := begin(func() (string, error) { return engine.Query(k, (*Keeper).Heard).CallOne(ctx) })
			st := stopped()
			if h, err := c.Call(ctx, control.CallReq{ID: 1, Mesh: "mine", Endpoint: "Panics", Adverb: control.AdverbBroadcast}); err == nil {
				_, _ = h.Wait()
			}
			time.Sleep(look) // its owner stands: the failure waits for it, and does not go on to the owner's owner
			goOn(t, ctx, c, st)
			<-first
			synctest.Wait()
			if heard, err := engine.Query(k, (*Keeper).Heard).CallOne(ctx); err != nil || !strings.Contains(heard, "panicked in Panics") {
				t.Errorf("the owner heard %q, %v", heard, err)
			}
		})
	})
	t.Run("draining", func(t *testing.T) {
		bubble(t, func(ctx context.Context, c *control.Client, stopped func() control.Stop) {
			m := local(t, ctx, "w", Worker{})
			setBreak(t, ctx, c, control.Breakpoint{Mesh: "w", Endpoint: "Do", Site: control.SiteReply})
			var wg sync.WaitGroup
			defer wg.Wait()
			slow := engine.Signal(m, (*Worker).Nap).Start(ctx) // handled first
			work := engine.Method(m, (*Worker).Do).Start(ctx, Order{})
			synctest.Wait()
			wg.Go(func() { // the stop in order begins while nobody stands
				if err := m.Stop(ctx); err != nil {
					t.Errorf("the stop: %v", err)
				}
			})
			if err := engine.Wait(ctx, slow); err != nil {
				t.Error(err)
			}
			st := stopped()
			time.Sleep(look)
			goOn(t, ctx, c, st)
			if n, err := work.One(ctx); err != nil || n != 1 {
				t.Errorf("the call that was being handled: %v, %v", n, err)
			}
		})
	})
}
