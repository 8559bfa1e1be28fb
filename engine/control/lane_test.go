package control

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// starter is a fake whose calls take their time to be sent, and show in an event when they are.
type starter struct {
	*fake
	start func(ctx context.Context)
}

func (b *starter) StartCall(ctx context.Context, _ ClientInfo, _ CallReq, _ func(Reply)) func() (CallDone, error) {
	b.start(ctx)
	b.emit(&Event{Call: &CallEvent{Call: Call{ID: 7}}})
	return func() (CallDone, error) { return CallDone{Call: 7}, nil }
}

func calls(u Update) (n int) {
	if u.Snapshot != nil && u.Snapshot.Seq > 0 {
		n += len(u.Snapshot.Calls)
	}
	for _, ev := range u.Events {
		if ev.Call != nil {
			n++
		}
	}
	return n
}

// sending is what a call takes to be sent in these stories. Their time is virtual: what does not wait for it is early.
const sending = 20 * time.Millisecond

// slowly has a client of a backend whose calls take their time, over a connection in virtual time.
func slowly(t *testing.T, story func(t *testing.T, c *Client)) {
	synctest.Test(t, func(t *testing.T) {
		b := &starter{fake: newFake(), start: func(context.Context) { time.Sleep(sending) }}
		s := NewServer(ServerConfig{Backend: b})
		ours, theirs := net.Pipe()
		served := make(chan error, 1)
		go func() { served <- s.ServeConn(theirs) }()
		c, err := NewClient(t.Context(), ours, ClientInfo{})
		if err != nil {
			t.Fatal(err)
		}
		story(t, c)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		s.Close()
	})
}

func TestASyncComesBehindTheCallsThatTheClientMadeBefore(t *testing.T) {
	slowly(t, func(t *testing.T, c *Client) {
		w, err := c.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		for round := range uint64(5) {
			h, err := c.Call(t.Context(), CallReq{Mesh: "m"})
			if err != nil {
				t.Fatal(err)
			}
			w.Sync(round + 1)
			seen := 0
			for synced := false; !synced; {
				u, err := w.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				seen += calls(u)
				synced = u.Sync == round+1
			}
			if seen != 1 {
				t.Errorf("round %d: the sync came with %d calls, want the one before it", round, seen)
			}
			if _, err := h.Wait(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestASnapshotComesBehindTheCallsThatTheClientMadeBefore(t *testing.T) {
	slowly(t, func(t *testing.T, c *Client) {
		if _, err := c.Call(t.Context(), CallReq{Mesh: "m"}); err != nil {
			t.Fatal(err)
		}
		before := c.Info().Client.ID // one event: that the client came
		if s, err := c.Snapshot(t.Context()); err != nil || s.Seq != before+1 {
			t.Errorf("the snapshot is as of event %d (%v), want %d: the call is in it", s.Seq, err, before+1)
		}
	})
}

// TestACallThatWaitsForAPlaceHoldsUpNoLook holds INV-ISOLATION.
func TestACallThatWaitsForAPlaceHoldsUpNoLook(t *testing.T) {
	b := &starter{fake: newFake(), start: func(ctx context.Context) { <-ctx.Done() }}
	c := dial(t, serveUnix(t, b, Limits{}), ClientInfo{})
	h, err := c.Call(t.Context(), CallReq{Mesh: "m"})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Cancel()
	if _, err := c.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	w, err := c.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for token := range uint64(1000) {
		w.Sync(token + 1)
	}
	for synced := false; !synced; {
		u, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		synced = u.Sync == 1000
	}
}

// selective is a fake that is told what is wanted.
type selective struct {
	*fake
	mu   sync.Mutex
	want map[string]int
}

func (b *selective) Want(topics []string) func() {
	add := func(n int) {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, t := range topics {
			b.want[t] += n
		}
	}
	add(1)
	return func() { add(-1) }
}

func (b *selective) wants(state, logs, messages int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.want[TopicState] == state && b.want[TopicLogs] == logs && b.want[TopicMessages] == messages
}

func TestTheBackendKnowsWhatIsWanted(t *testing.T) {
	b := &selective{fake: newFake(), want: map[string]int{}}
	path := serveUnix(t, b, Limits{})
	for _, c := range []*Client{InProcess(b, ClientInfo{}), dial(t, path, ClientInfo{})} {
		all, err := c.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !b.wants(1, 1, 1) { // told before Watch returns
			t.Errorf("wanted after a watch of all: %v", b.want)
		}
		some, err := c.Watch(t.Context(), TopicMessages)
		if err != nil {
			t.Fatal(err)
		}
		if !b.wants(1, 1, 2) {
			t.Errorf("wanted after a watch of messages: %v", b.want)
		}
		some.Close()
		until(t, "the messages are wanted once", func() bool { return b.wants(1, 1, 1) })
		all.Close()
		until(t, "nothing is wanted", func() bool { return b.wants(0, 0, 0) })
		if _, err := c.Watch(t.Context(), TopicLogs); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil { // without a word about the watch
			t.Fatal(err)
		}
		until(t, "nothing is wanted of a client that left", func() bool { return b.wants(0, 0, 0) })
	}
}

func TestWhatTheBackendLostIsCountedToThoseWhoWantedIt(t *testing.T) {
	eachTransport(t, newFake, func(t *testing.T, b *fake, connect func(ClientInfo) *Client) {
		c := connect(ClientInfo{})
		heard := func(topics ...string) (lost Dropped) {
			w, err := c.Watch(t.Context(), topics...)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			b.emit(&Event{Dropped: &Dropped{Data: 3}})
			b.emit(&Event{Dropped: &Dropped{Data: 4}})
			var pic Replica
			w.Sync(1)
			for {
				u, err := w.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				pic.Apply(u)
				if u.Sync == 1 {
					return pic.Dropped
				}
			}
		}
		if got := heard(TopicMessages); got != (Dropped{Data: 7}) {
			t.Errorf("a watch of messages heard %+v, want 7 of data", got)
		}
		if got := heard(TopicState, TopicLogs); got != (Dropped{}) {
			t.Errorf("a watch of the rest heard %+v, want nothing", got)
		}
	})
}
