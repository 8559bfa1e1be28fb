package quicnet

import (
	"context"
	"sync"
	"testing"
	"time"
)

// recorder is a handler that keeps what it gets.
type recorder struct {
	mu     sync.Mutex
	frames []recorded
	events []LinkEvent
	wake   chan struct{} // replaced at each change
	onGet  func(from ID, lane Lane, env *Envelope)
	onLink func(ev LinkEvent) // guarded by mu
}

type recorded struct {
	from ID
	lane Lane
	env  *Envelope
}

func newRecorder() *recorder { return &recorder{wake: make(chan struct{})} }

func (r *recorder) Frame(from ID, lane Lane, env *Envelope) {
	if r.onGet != nil {
		r.onGet(from, lane, env)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frames = append(r.frames, recorded{from, lane, env})
	close(r.wake)
	r.wake = make(chan struct{})
}

func (r *recorder) Link(ev LinkEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.onLink != nil {
		r.onLink(ev)
	}
	r.events = append(r.events, ev)
	close(r.wake)
	r.wake = make(chan struct{})
}

// until waits until ok holds; it fails the test after limit.
func (r *recorder) until(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	late := time.NewTimer(limit)
	defer late.Stop()
	for {
		r.mu.Lock()
		wake, done := r.wake, ok()
		r.mu.Unlock()
		if done {
			return
		}
		select {
		case <-wake:
		case <-late.C:
			r.mu.Lock()
			defer r.mu.Unlock()
			t.Fatalf("waited %s for %s; %d frames, events %v", limit, what, len(r.frames), r.events)
		}
	}
}

// saw reports an event of the state about the peer. r.mu is held by until.
func (r *recorder) saw(proc uint64, s LinkState) bool { return r.find(proc, s) != nil }

func (r *recorder) find(proc uint64, s LinkState) *LinkEvent {
	for i := range r.events {
		if r.events[i].Peer.Proc == proc && r.events[i].State == s {
			return &r.events[i]
		}
	}
	return nil
}

// had, got, told and count are for use outside until.
func (r *recorder) had(proc uint64, s LinkState) bool { return r.got(proc, s) != nil }

func (r *recorder) got(proc uint64, s LinkState) *LinkEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ev := r.find(proc, s); ev != nil {
		ev := *ev
		return &ev
	}
	return nil
}

func (r *recorder) told() []LinkEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]LinkEvent(nil), r.events...)
}

func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.frames)
}

func call(from, to uint64, id uint64, body []byte) *Envelope {
	e := &Envelope{Kind: KindCall, ID: id, From: Addr{from, 1}, To: Addr{to, 1}, Endpoint: "Echo", Body: body}
	if id%3 != 0 { // one in three travels whole, the others by a route
		e.Call = SessionID(from, id)
	}
	return e
}

// newSession makes a controller on a loopback socket.
func newSession(t testing.TB, cfg Config) *Node {
	t.Helper()
	n, err := NewController("test", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close("test ended") })
	return n
}

// join adds a worker.
func join(t testing.TB, ctl *Node, id ID, cfg Config) *Node {
	t.Helper()
	ticket, err := ctl.Ticket(id, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	n, _, err := Join(ctx, ticket, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close("test ended") })
	return n
}
