package control

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a backend that a test scripts.
type fake struct {
	handle func(ctx context.Context, who ClientInfo, req any) (any, error)
	call   func(ctx context.Context, req CallReq, reply func(Reply)) (CallDone, error)

	mu       sync.Mutex
	seq      uint64
	subs     map[int]func(*Event)
	nextSub  int
	clients  []ClientInfo
	nextID   uint64
	detached []ClientInfo
}

func newFake() *fake { return &fake{subs: make(map[int]func(*Event))} }

func (b *fake) Subscribe(sink func(*Event)) (*Snapshot, func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := b.nextSub
	b.nextSub++
	b.subs[id] = sink
	snap := &Snapshot{
		Seq:     b.seq,
		Session: Session{Name: "fake", Program: "fakeprog", PID: 42, Engine: "v0.1", State: "running"},
		Clients: append([]ClientInfo(nil), b.clients...),
	}
	return snap, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subs, id)
	}
}

func (b *fake) emit(ev *Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.emitLocked(ev)
}

func (b *fake) emitLocked(ev *Event) {
	b.seq++
	ev.Seq = b.seq
	for _, sink := range b.subs {
		sink(ev)
	}
}

func (b *fake) watchers() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.subs)
}

func (b *fake) gone() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.detached)
}

func (b *fake) Handle(ctx context.Context, who ClientInfo, req any) (any, error) {
	if b.handle != nil {
		return b.handle(ctx, who, req)
	}
	return nil, nil
}

func (b *fake) StartCall(ctx context.Context, _ ClientInfo, req CallReq, reply func(Reply)) func() (CallDone, error) {
	return func() (CallDone, error) { return b.runCall(ctx, req, reply) }
}

func (b *fake) runCall(ctx context.Context, req CallReq, reply func(Reply)) (CallDone, error) {
	if b.call != nil {
		return b.call(ctx, req, reply)
	}
	for r := range 3 {
		reply(Reply{Call: 7, Rank: r, Outcome: OutcomeReply, Body: req.Body})
	}
	return CallDone{Call: 7, Ranks: 3}, nil
}

func (b *fake) Attach(c ClientInfo) ClientInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nextID++
	c.ID = b.nextID
	b.clients = append(b.clients, c)
	b.emitLocked(&Event{Client: &Presence{Client: c}})
	return c
}

func (b *fake) Detach(c ClientInfo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.detached = append(b.detached, c)
	b.emitLocked(&Event{Client: &Presence{Client: c, Gone: true}})
}

var _ Backend = (*fake)(nil)

// serveUnix serves b on a unix socket and returns its path.
func serveUnix(t *testing.T, b Backend, limits Limits) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(ServerConfig{Backend: b, Limits: limits})
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return path
}

func dial(t *testing.T, path string, who ClientInfo) *Client {
	t.Helper()
	c, err := Dial(t.Context(), path, who)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// eachTransport runs a story in-process, over a unix socket and over a socketpair: the semantics are the same.
func eachTransport(t *testing.T, b func() *fake, story func(t *testing.T, b *fake, connect func(ClientInfo) *Client)) {
	t.Run("in-process", func(t *testing.T) {
		be := b()
		story(t, be, func(who ClientInfo) *Client {
			c := InProcess(be, who)
			t.Cleanup(func() { c.Close() })
			return c
		})
	})
	t.Run("unix socket", func(t *testing.T) {
		be := b()
		path := serveUnix(t, be, Limits{})
		story(t, be, func(who ClientInfo) *Client { return dial(t, path, who) })
	})
	t.Run("socketpair", func(t *testing.T) {
		be := b()
		s := NewServer(ServerConfig{Backend: be})
		t.Cleanup(func() { s.Close() })
		story(t, be, func(who ClientInfo) *Client {
			ours, theirs := socketpair(t)
			ended := make(chan struct{})
			go func() { defer close(ended); _ = s.ServeConn(theirs) }()
			c, err := NewClient(t.Context(), ours, who)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close(); <-ended })
			return c
		})
	})
}

func logEvent(i int) *Event { return &Event{Log: &Log{Text: fmt.Sprint("line ", i), Rank: i}} }

func meshEvent(i int) *Event {
	return &Event{Mesh: &Mesh{Ref: MeshRef{ID: uint64(i), Name: fmt.Sprint("m", i)}, State: "running"}}
}

// until waits for a condition that another goroutine brings about.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("timed out waiting until %s", what)
		}
	}
}
