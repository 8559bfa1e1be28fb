package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestVerbsReachTheBackendAndAnswersComeBack(t *testing.T) {
	b := func() *fake {
		f := newFake()
		f.handle = func(_ context.Context, who ClientInfo, req any) (any, error) {
			switch r := req.(type) {
			case ProcsReq:
				return ProcMesh{Name: r.Name, Extent: r.Dims, State: "running"}, nil
			case SpawnReq:
				return Mesh{Ref: MeshRef{Name: r.Name, Type: r.Type}, Owner: who.Name}, nil
			case StateReq:
				return []StateNode{{Rank: 2, Kind: "struct", Nodes: []StateNode{{Name: "N", Kind: "int", Text: "4"}}}}, nil
			case LogsReq:
				return []Log{{Text: "a"}, {Text: "b"}}, nil
			case ProbeReq:
				return nil, Unsupported("probe "+r.Name, "v0.1", "v0.2")
			case KillReq:
				return nil, errors.New("kill p: no such proc mesh")
			default:
				return nil, nil
			}
		}
		return f
	}
	eachTransport(t, b, func(t *testing.T, b *fake, connect func(ClientInfo) *Client) {
		c := connect(ClientInfo{Name: "test"})
		ctx := t.Context()
		if in := c.Info(); in.Engine != "v0.1" || in.Session != "fake" || in.PID != 42 || in.Client.ID == 0 || in.Version != 1 || in.Client.Role != RoleControl {
			t.Errorf("Info = %+v", in)
		}
		if m, err := c.Procs(ctx, ProcsReq{Name: "p"}); err != nil || m.Name != "p" || m.State != "running" {
			t.Errorf("Procs = %+v, %v", m, err)
		}
		if m, err := c.Spawn(ctx, SpawnReq{Name: "toy", Type: "Toy"}); err != nil || m.Ref.Name != "toy" || m.Owner != "test" {
			t.Errorf("Spawn = %+v, %v", m, err)
		}
		if n, err := c.State(ctx, StateReq{Mesh: "toy"}); err != nil || len(n) != 1 || n[0].Nodes[0].Text != "4" {
			t.Errorf("State = %+v, %v", n, err)
		}
		if l, err := c.Logs(ctx, LogsReq{}); err != nil || len(l) != 2 {
			t.Errorf("Logs = %v, %v", l, err)
		}
		if err := errors.Join(c.Stop(ctx, StopReq{Procs: "p"}), c.Flush(ctx, FlushReq{}), c.Hold(ctx, time.Second)); err != nil {
			t.Error(err)
		}
		if err := c.Kill(ctx, KillReq{Procs: "p"}); err == nil || err.Error() != "kill p: no such proc mesh" {
			t.Errorf("Kill = %v", err)
		}
		_, err := c.Probe(ctx, ProbeReq{Name: "stacks"})
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeUnsupported || e.Text != `this program was built with engine v0.1; "probe stacks" needs v0.2` {
			t.Errorf("Probe = %v", err)
		}
		if s, err := c.Snapshot(ctx); err != nil || s.Session.Name != "fake" {
			t.Errorf("Snapshot = %+v, %v", s, err)
		}
	})
}

func TestACallDeliversEveryReplyInOrderAndThenEnds(t *testing.T) {
	eachTransport(t, newFake, func(t *testing.T, b *fake, connect func(ClientInfo) *Client) {
		c := connect(ClientInfo{})
		h, err := c.Call(t.Context(), CallReq{Mesh: "toy", Endpoint: "Hello", Body: []byte{1}})
		if err != nil {
			t.Fatal(err)
		}
		var ranks []int
		for r := range h.Replies() {
			ranks = append(ranks, r.Rank)
		}
		if !slices.Equal(ranks, []int{0, 1, 2}) {
			t.Errorf("ranks = %v", ranks)
		}
		if done, err := h.Wait(); err != nil || done.Call != 7 || done.Ranks != 3 {
			t.Errorf("Wait = %+v, %v", done, err)
		}
		if n := len(slices.Collect(h.Replies())); n != 3 {
			t.Errorf("a second loop saw %d replies, want all 3", n)
		}
	})
}

// hanging makes every call wait for its context after one reply.
func hanging() *fake {
	b := newFake()
	b.call = func(ctx context.Context, _ CallReq, reply func(Reply)) (CallDone, error) {
		reply(Reply{Rank: 0, Outcome: OutcomeReply})
		<-ctx.Done()
		reply(Reply{Rank: 1, Outcome: OutcomeCancelled, Error: "cancelled"})
		return CallDone{Call: 9, Ranks: 2}, nil
	}
	return b
}

func TestCancelEndsACallAndKeepsWhatHasArrived(t *testing.T) {
	for _, how := range []string{"client.Cancel", "handle.Cancel", "context"} {
		t.Run(how, func(t *testing.T) {
			eachTransport(t, hanging, func(t *testing.T, b *fake, connect func(ClientInfo) *Client) {
				c := connect(ClientInfo{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				h, err := c.Call(ctx, CallReq{ID: 5})
				if err != nil {
					t.Fatal(err)
				}
				for r := range h.Replies() {
					if r.Rank == 0 {
						break
					}
				}
				switch how {
				case "client.Cancel":
					c.Cancel(5)
				case "handle.Cancel":
					h.Cancel()
				default:
					cancel()
				}
				if done, err := h.Wait(); err != nil || done.Call != 9 {
					t.Errorf("Wait = %+v, %v", done, err)
				}
				if got := h.Got(); len(got) != 2 || got[1].Outcome != OutcomeCancelled {
					t.Errorf("replies = %+v", got)
				}
			})
		})
	}
}

func TestTheBackendHearsThatTheTimeOfACallIsOver(t *testing.T) {
	for _, how := range []string{"handle.Expire", "context", "cause"} {
		t.Run(how, func(t *testing.T) {
			eachTransport(t, func() *fake {
				b := newFake()
				b.call = func(ctx context.Context, _ CallReq, reply func(Reply)) (CallDone, error) {
					<-ctx.Done()
					reply(Reply{Error: context.Cause(ctx).Error()})
					return CallDone{Ranks: 1}, nil
				}
				return b
			}, func(t *testing.T, _ *fake, connect func(ClientInfo) *Client) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if how == "context" {
					over, end := context.WithTimeout(ctx, time.Millisecond)
					defer end()
					ctx = over
				}
				h, err := connect(ClientInfo{}).Call(ctx, CallReq{})
				if err != nil {
					t.Fatal(err)
				}
				switch how {
				case "handle.Expire":
					h.Expire()
				case "cause":
					cancel(context.DeadlineExceeded)
				}
				if _, err := h.Wait(); err != nil {
					t.Error(err)
				}
				if got := h.Got(); len(got) != 1 || got[0].Error != context.DeadlineExceeded.Error() {
					t.Errorf("the backend heard %+v", got)
				}
			})
		})
	}
}

func TestACallIDInUseIsRefused(t *testing.T) {
	b := hanging()
	c := InProcess(b, ClientInfo{})
	defer c.Close()
	if _, err := c.Call(t.Context(), CallReq{ID: 5}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Call(t.Context(), CallReq{ID: 5}); err == nil || !strings.Contains(err.Error(), "already has a call with id 5") {
		t.Errorf("err = %v", err)
	}
}

// TestAClientThatGoesHasItsCallsCancelled holds INV-GONE.
func TestAClientThatGoesHasItsCallsCancelled(t *testing.T) {
	eachTransport(t, func() *fake {
		b := newFake()
		b.call = func(ctx context.Context, _ CallReq, reply func(Reply)) (CallDone, error) {
			b.emit(&Event{Failure: &Failure{What: "running"}})
			<-ctx.Done()
			b.emit(&Event{Failure: &Failure{What: "cancelled"}})
			return CallDone{}, ctx.Err()
		}
		return b
	}, func(t *testing.T, b *fake, connect func(ClientInfo) *Client) {
		eyes := connect(ClientInfo{Name: "eyes"})
		w, err := eyes.Watch(t.Context(), TopicState)
		if err != nil {
			t.Fatal(err)
		}
		c := connect(ClientInfo{Name: "goes"})
		h, err := c.Call(t.Context(), CallReq{})
		if err != nil {
			t.Fatal(err)
		}
		var pic Replica
		see := func(what string) {
			for !slices.ContainsFunc(pic.Failures, func(f Failure) bool { return f.What == what }) {
				u, err := w.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				pic.Apply(u)
			}
		}
		see("running")
		c.Close()
		see("cancelled")
		if _, err := h.Wait(); err == nil {
			t.Error("the call of a closed client ended without an error")
		}
		until(t, "the client is detached", func() bool { return b.gone() == 1 })
		if _, err := c.Procs(t.Context(), ProcsReq{}); !errors.Is(err, ErrClosed) {
			t.Errorf("a verb after Close = %v, want ErrClosed", err)
		}
		if c.Err() != nil {
			t.Errorf("Err after Close = %v, want nil", c.Err())
		}
	})
}

// TestNothingOfAClientRunsOnceServeConnHasReturned holds INV-GONE: verbs, calls and watches have ended, not only been told
// to.
func TestNothingOfAClientRunsOnceServeConnHasReturned(t *testing.T) {
	var running, began atomic.Int32
	linger := func(ctx context.Context) {
		running.Add(1)
		defer running.Add(-1)
		began.Add(1)
		<-ctx.Done()
		for range 1000 { // who does not wait for this returns first
			runtime.Gosched()
		}
	}
	b := newFake()
	b.handle = func(ctx context.Context, _ ClientInfo, _ any) (any, error) { linger(ctx); return nil, ctx.Err() }
	b.call = func(ctx context.Context, _ CallReq, _ func(Reply)) (CallDone, error) {
		linger(ctx)
		return CallDone{}, ctx.Err()
	}
	s := NewServer(ServerConfig{Backend: b})
	defer s.Close()
	ours, theirs := net.Pipe()
	left := make(chan error, 1)
	go func() { left <- s.ServeConn(theirs) }()
	c, err := NewClient(t.Context(), ours, ClientInfo{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Watch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Call(t.Context(), CallReq{}); err != nil {
		t.Fatal(err)
	}
	var verb sync.WaitGroup
	verb.Go(func() { _ = c.Stop(context.Background(), StopReq{}) })
	until(t, "the call and the verb run", func() bool { return began.Load() == 2 })
	c.Close()
	if err := <-left; err != nil {
		t.Error(err)
	}
	if running.Load() != 0 || b.watchers() != 0 || b.gone() != 1 {
		t.Errorf("%d handlers and %d watches are left, %d clients are detached", running.Load(), b.watchers(), b.gone())
	}
	verb.Wait()
}

// TestAViewerMayLookAndNotAct holds INV-VIEWER on each transport.
func TestAViewerMayLookAndNotAct(t *testing.T) {
	eachTransport(t, newFake, func(t *testing.T, b *fake, connect func(ClientInfo) *Client) {
		b.handle = func(_ context.Context, _ ClientInfo, req any) (any, error) {
			switch req.(type) {
			case StateReq:
				return []StateNode{}, nil
			case LogsReq:
				return []Log{}, nil
			case FlushReq:
				return nil, nil
			case ProbeReq:
				return []ProbeReply{}, nil
			}
			t.Errorf("a viewer's %T reached the backend", req)
			return nil, nil
		}
		c := connect(ClientInfo{Role: RoleViewer})
		ctx := t.Context()
		acts := map[string]error{}
		_, acts["procs"] = c.Procs(ctx, ProcsReq{})
		_, acts["spawn"] = c.Spawn(ctx, SpawnReq{})
		acts["stop"], acts["kill"], acts["hold"] = c.Stop(ctx, StopReq{}), c.Kill(ctx, KillReq{}), c.Hold(ctx, 1)
		_, acts["edit"] = c.Edit(ctx, EditReq{})
		_, acts["breaks"] = c.Breaks(ctx, BreaksReq{})
		_, acts["resume"] = c.Resume(ctx, ResumeReq{})
		_, acts["policy"] = c.Policy(ctx, PolicyReq{})
		acts["pause"] = c.Pause(ctx, PauseReq{})
		h, err := c.Call(ctx, CallReq{})
		if err != nil {
			t.Fatal(err)
		}
		_, acts["call"] = h.Wait()
		for verb, err := range acts {
			e, ok := errors.AsType[*Error](err)
			if want := fmt.Sprintf("attached as a viewer, which may only look: %q changes the session (attach with control to act)", verb); !ok || e.Code != CodeViewer || e.Text != want {
				t.Errorf("%s = %v", verb, err)
			}
		}
		_, err1 := c.State(ctx, StateReq{})
		_, err2 := c.Logs(ctx, LogsReq{})
		_, err3 := c.Snapshot(ctx)
		_, err4 := c.Probe(ctx, ProbeReq{})
		if err := errors.Join(err1, err2, err3, err4, c.Flush(ctx, FlushReq{})); err != nil {
			t.Errorf("looking: %v", err)
		}
	})
}

func TestTheContextOfAVerbReachesTheBackend(t *testing.T) {
	eachTransport(t, func() *fake {
		b := newFake()
		b.handle = func(ctx context.Context, _ ClientInfo, req any) (any, error) {
			if r, ok := req.(StopReq); ok && r.Mesh == "deadline" {
				return nil, fmt.Errorf("stop: %w", context.DeadlineExceeded)
			}
			<-ctx.Done()
			b.emit(&Event{Failure: &Failure{What: "heard"}})
			return nil, ctx.Err()
		}
		return b
	}, func(t *testing.T, b *fake, connect func(ClientInfo) *Client) {
		c := connect(ClientInfo{})
		if err := c.Stop(t.Context(), StopReq{Mesh: "deadline"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a backend's deadline = %v, want it to be one here too", err)
		}
		w, err := c.Watch(t.Context(), TopicState)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := c.Stop(ctx, StopReq{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop = %v", err)
		}
		var pic Replica
		for len(pic.Failures) == 0 {
			u, err := w.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			pic.Apply(u)
		}
	})
}

// TestASessionThatHasEndedIsToldInOneWay: which end of a connection is seen first is chance.
func TestASessionThatHasEndedIsToldInOneWay(t *testing.T) {
	for _, seen := range []error{io.EOF, syscall.ECONNRESET, syscall.EPIPE} {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		l := &link{conn: ours, out: newOutbox(linkQueue), pending: map[uint64]*pending{}}
		l.ctx, l.cancel = context.WithCancelCause(t.Context())
		l.fail(&net.OpError{Op: "read", Net: "unix", Err: os.NewSyscallError("read", seen)})
		if got := context.Cause(l.ctx); !errors.Is(got, ErrClosed) || got.Error() != ErrClosed.Error() {
			t.Errorf("%v is told as %q", seen, got)
		}
	}
}
