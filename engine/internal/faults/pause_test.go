//go:build linux

package faults

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// session is a session of workers as a front end sees it.
type session struct {
	ctx   context.Context
	procs engine.ProcMesh
	mesh  engine.Mesh[Victim]

	backend control.Backend

	mu     sync.Mutex
	seen   []control.Proc // every state that was told of a process
	change chan struct{}
}

// watched starts n victims in an engine whose every event of a process is kept.
func watched(t *testing.T, n int, opts ...engine.Option) *session {
	t.Helper()
	e, err := engine.Start(context.Background(), append([]engine.Option{engine.NoSession()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	s := &session{ctx: e.Context(), backend: e.Backend(), change: make(chan struct{}, 1)}
	_, stop := e.Backend().Subscribe(func(ev *control.Event) {
		if ev.Proc != nil {
			s.mu.Lock()
			s.seen = append(s.seen, *ev.Proc)
			s.mu.Unlock()
			select {
			case s.change <- struct{}{}:
			default:
			}
		}
	})
	t.Cleanup(stop)
	if _, err := engine.Supervise(s.ctx, func(context.Context, engine.Failure) engine.Decision { return engine.Handled }); err != nil {
		t.Fatal(err)
	}
	s.procs, s.mesh = spawn(t, s.ctx, "v", n)
	return s
}

// told lists what was told of a rank.
func (s *session) told(rank int) (list []control.Proc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.seen {
		if p.Rank == rank {
			list = append(list, p)
		}
	}
	return list
}

// ends are the terminal states that were told of a rank.
func (s *session) ends(rank int) (list []control.Proc) {
	for _, p := range s.told(rank) {
		if p.Over() {
			list = append(list, p)
		}
	}
	return list
}

// until waits for a state of a rank.
func (s *session) until(t *testing.T, rank int, what string, limit time.Duration, is func(control.Proc) bool) control.Proc {
	t.Helper()
	late := time.After(limit)
	for {
		if list := s.told(rank); len(list) > 0 && is(list[len(list)-1]) {
			return list[len(list)-1]
		}
		select {
		case <-s.change:
		case <-late:
			t.Fatalf("rank %d was not %s within %v: %+v", rank, what, limit, s.told(rank))
		}
	}
}

func paused(p control.Proc) bool   { return p.Paused }
func goesOn(p control.Proc) bool   { return !p.Paused && p.State == "ready" }
func hasEnded(p control.Proc) bool { return p.Over() }

// A worker that is stopped by a signal is shown so at once, and nobody takes its silence for its end, not its controller and not
// another worker: calls wait, or end by their deadlines. When it goes on, so does everything (E5, row 20).
func TestAWorkerThatIsPausedLosesNothing(t *testing.T) {
	s := watched(t, 3)
	pids := []int{pid(t, s.ctx, s.mesh, 0), pid(t, s.ctx, s.mesh, 1), pid(t, s.ctx, s.mesh, 2)}
	if err := engine.Action(s.mesh, (*Victim).Befriend).Call(s.ctx, at(s.mesh, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Query(at(s.mesh, 0), (*Victim).CountOfPeer).CallOne(s.ctx); err != nil { // the two have a link
		t.Fatal(err)
	}
	began := time.Now()
	if err := syscall.Kill(pids[1], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	s.until(t, 1, "paused", 250*time.Millisecond, paused)
	direct := engine.Query(at(s.mesh, 1), (*Victim).Count).Start(s.ctx)
	known := engine.Query(at(s.mesh, 0), (*Victim).CountOfPeer).Start(s.ctx)    // over a link that is there
	stranger := engine.Query(at(s.mesh, 2), (*Victim).CountOfPeer).Start(s.ctx) // over one that is not
	short, cancel := context.WithTimeout(s.ctx, 300*time.Millisecond)
	defer cancel()
	if _, err := engine.Query(at(s.mesh, 1), (*Victim).Beside).CallOne(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call with a deadline ended with %v", err)
	}
	time.Sleep(time.Until(began.Add(silence))) // this is the fault: silence that lasts longer than any limit
	if err := syscall.Kill(pids[1], syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	s.until(t, 1, "ready again", 250*time.Millisecond, goesOn)
	var counts []int
	for name, f := range map[string]*engine.Future[int]{"the controller's call": direct, "the call over a link": known, "the call of a stranger": stranger} {
		n, err := f.One(s.ctx)
		if err != nil {
			t.Errorf("%s ended with %v", name, err)
		}
		counts = append(counts, n)
	}
	if slices.Sort(counts); !slices.Equal(counts, []int{2, 3, 4}) {
		t.Errorf("the paused rank counted %v, want each call once", counts)
	}
	for rank := range 3 {
		for _, p := range s.told(rank) {
			if slices.Contains([]string{"suspect", "unreachable", "lost"}, p.State) {
				t.Errorf("rank %d was told to be %s: %s", rank, p.State, p.Reason)
			}
		}
	}
}

// silence is longer than what makes a process lost.
const silence = 12 * time.Second

// The end of a paused worker is told once, with its real cause (A7).
func TestAPausedWorkerHasOneEnd(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*session, int) error
		want string
	}{
		"killed":  {func(_ *session, pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }, "was killed by SIGKILL"},
		"ordered": {func(s *session, _ int) error { return s.procs.Kill(s.ctx) }, "was killed by SIGKILL"},
	} {
		t.Run(name, func(t *testing.T) {
			s := watched(t, 1)
			n := pid(t, s.ctx, s.mesh, 0)
			if err := syscall.Kill(n, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			s.until(t, 0, "paused", time.Second, paused)
			call := engine.Query(s.mesh, (*Victim).Count).Start(s.ctx)
			if err := c.end(s, n); err != nil {
				t.Fatal(err)
			}
			s.until(t, 0, "ended", time.Second, hasEnded)
			if _, err := call.All(s.ctx); !errors.Is(err, engine.ErrLost) && !errors.Is(err, engine.ErrNotSent) {
				t.Errorf("the call that waited ended with %v", err)
			}
			ends := s.ends(0)
			if len(ends) != 1 || ends[0].State != "killed" || !strings.Contains(ends[0].Reason, c.want) || ends[0].Paused {
				t.Errorf("its end was told as %+v", ends)
			}
		})
	}
}

// The same in a worker's first moments, when it has no address yet at which another one could reach it.
func TestAWorkerThatIsPausedBeforeItHasAnAddressLosesNothing(t *testing.T) {
	s := watched(t, 2)
	pid := pid(t, s.ctx, s.mesh, 1)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.until(t, 1, "paused", 250*time.Millisecond, paused)
	if err := engine.Action(at(s.mesh, 0), (*Victim).Befriend).Call(s.ctx, at(s.mesh, 1)); err != nil {
		t.Fatal(err)
	}
	stranger := engine.Query(at(s.mesh, 0), (*Victim).CountOfPeer).Start(s.ctx)
	time.Sleep(time.Until(began.Add(silence))) // this is the fault
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	s.until(t, 1, "ready again", 250*time.Millisecond, goesOn)
	if n, err := stranger.One(s.ctx); err != nil || n != 1 {
		t.Errorf("the call of a stranger ended with %d, %v", n, err)
	}
	s.until(t, 1, "connected by QUIC", 5*time.Second, func(p control.Proc) bool { return p.Carrier != control.InheritedSockets })
}
