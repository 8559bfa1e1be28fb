package control

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// TestAWatchStartsWithASnapshotAndGoesOnWithEventsInOrder holds INV-ORDER.
func TestAWatchStartsWithASnapshotAndGoesOnWithEventsInOrder(t *testing.T) {
	eachTransport(t, newFake, func(t *testing.T, b *fake, connect func(ClientInfo) *Client) {
		c := connect(ClientInfo{})
		w, err := c.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first, err := w.Next(t.Context())
		if err != nil || first.Snapshot == nil || first.Snapshot.Session.Name != "fake" {
			t.Fatalf("first = %+v, %v", first, err)
		}
		for i := range 100 {
			b.emit(meshEvent(i))
			b.emit(logEvent(i))
		}
		var seqs []uint64
		for len(seqs) < 200 {
			u, err := w.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, ev := range u.Events {
				seqs = append(seqs, ev.Seq)
			}
		}
		if !slices.IsSorted(seqs) || seqs[0] != first.Snapshot.Seq+1 {
			t.Errorf("sequence numbers after %d: %v", first.Snapshot.Seq, seqs)
		}
		w.Close()
		if _, err := w.Next(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Next after Close = %v", err)
		}
		until(t, "the subscription has ended", func() bool { return b.watchers() == 0 })
	})
}

func TestTopicsChooseWhatArrives(t *testing.T) {
	eachTransport(t, newFake, func(t *testing.T, b *fake, connect func(ClientInfo) *Client) {
		c := connect(ClientInfo{})
		w, err := c.Watch(t.Context(), TopicLogs)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		_, _ = w.Next(t.Context())
		b.emit(meshEvent(1))
		b.emit(&Event{Message: &Message{Kind: "call"}})
		b.emit(logEvent(1))
		if u, err := w.Next(t.Context()); err != nil || len(u.Events) != 1 || u.Events[0].Log == nil {
			t.Errorf("update = %+v, %v", u, err)
		}
		if _, err := c.Watch(t.Context(), "weather"); err == nil {
			t.Error("an unknown topic was accepted")
		}
	})
}

// TestAStuckClientNeitherWaitsNorLies holds INV-ISOLATION and INV-RESYNC: a stuck client costs the others nothing, and is
// told what it missed.
func TestAStuckClientNeitherWaitsNorLies(t *testing.T) {
	eachTransport(t, newFake, func(t *testing.T, b *fake, connect func(ClientInfo) *Client) {
		slow := connect(ClientInfo{Name: "slow"})
		w, err := slow.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		var pic Replica
		u, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pic.Apply(u)
		const n = 25000 // more than the queues and the socket hold
		start := time.Now()
		for i := range n {
			b.emit(meshEvent(i % 7))
			b.emit(logEvent(i))
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("the engine took %s to emit beside a stuck client", took)
		}
		var states, data, snaps uint64
		for data+pic.Dropped.Data < n || states+pic.Dropped.State < n {
			u, err := w.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if u.Snapshot != nil {
				snaps++
				if len(u.Events) == 0 || u.Events[0].Dropped == nil {
					t.Fatal("a fresh snapshot came without the count of what was missed")
				}
			}
			for _, ev := range u.Events {
				switch {
				case ev.Dropped != nil:
				case ev.IsData():
					data++
				default:
					states++
				}
			}
			pic.Apply(u)
		}
		if snaps == 0 || pic.Dropped.State == 0 || pic.Dropped.Data == 0 {
			t.Errorf("snapshots %d, dropped %+v", snaps, pic.Dropped)
		}
		if data+pic.Dropped.Data != n || states+pic.Dropped.State != n {
			t.Errorf("data %d+%d, state %d+%d, want %d each", data, pic.Dropped.Data, states, pic.Dropped.State, n)
		}
	})
}

// TestAClientThatNeverReadsItsRepliesIsClosedAndTheEngineGoesOn holds INV-ISOLATION.
func TestAClientThatNeverReadsItsRepliesIsClosedAndTheEngineGoesOn(t *testing.T) {
	b := newFake()
	body := make([]byte, 64<<10)
	sent := make(chan struct{})
	b.call = func(ctx context.Context, _ CallReq, reply func(Reply)) (CallDone, error) {
		defer close(sent)
		for r := range 100 {
			reply(Reply{Rank: r, Outcome: OutcomeReply, Body: body})
		}
		return CallDone{}, nil
	}
	path := serveUnix(t, b, Limits{Queue: 1 << 20})
	r := dialRaw(t, path)
	r.hello()
	r.send(kindRequest, 1, verbCall, CallReq{})
	<-sent // the engine did not wait
	until(t, "the client is gone", func() bool { return b.gone() == 1 })
}

func TestFeedKeepsTheNewestDataAndCountsTheRest(t *testing.T) {
	b := newFake()
	f := newFeed(b, nil)
	defer f.stop()
	f.take()
	for i := range maxDataEvents + 10 {
		b.emit(logEvent(i))
	}
	u, ok := f.take()
	if !ok || u.Events[0].Dropped == nil || u.Events[0].Dropped.Data != 10 || u.Snapshot != nil {
		t.Fatalf("first = %+v", u.Events[0])
	}
	if u.Events[1].Log.Rank != 10 {
		t.Errorf("the oldest kept line is %d, want 10", u.Events[1].Log.Rank)
	}
}

func TestAReplicaFollowsEvents(t *testing.T) {
	var p Replica
	p.Apply(Update{Snapshot: &Snapshot{Meshes: []Mesh{{Ref: MeshRef{ID: 1, Name: "m"}, Ranks: make([]RankState, 2)}}}})
	p.Apply(Update{Events: []*Event{
		{Rank: &RankEvent{Mesh: "m", Rank: 1, State: RankState{State: "busy"}}},
		{Rank: &RankEvent{Mesh: "m", Rank: 7}}, {Rank: &RankEvent{Mesh: "m", Rank: -1}}, {Rank: &RankEvent{Mesh: "x"}},
		{Proc: &Proc{ID: 3, State: "ready"}}, {Proc: &Proc{ID: 3, State: "exited"}},
		{ProcMesh: &ProcMesh{ID: 1, Name: "p"}}, {ProcMesh: &ProcMesh{ID: 2, Name: "p", State: "running"}},
		{Call: &CallEvent{Call: Call{ID: 1}}}, {Call: &CallEvent{Call: Call{ID: 2}}}, {Call: &CallEvent{Call: Call{ID: 1}, Done: true}},
		{Call: &CallEvent{Call: Call{ID: 9}, Done: true}},
		{Session: &Session{State: "failed"}}, {Host: &Host{Name: "h"}}, {Type: &Type{Name: "T", Full: "p.T"}},
		{Failure: &Failure{What: "w"}}, {}, {Dropped: &Dropped{Data: 2}},
	}})
	if m, _ := p.Mesh("m"); m.Ranks[1].State != "busy" {
		t.Error("rank event")
	}
	if pr, ok := p.Proc(3); !ok || pr.State != "exited" || len(p.Procs) != 1 {
		t.Error("proc event")
	}
	if pm, ok := p.ProcMesh("p"); !ok || pm.ID != 2 {
		t.Error("the newest mesh of a name wins")
	}
	if len(p.Calls) != 1 || p.Calls[0].ID != 2 {
		t.Errorf("calls %+v", p.Calls)
	}
	if _, ok := p.Type("p.T"); !ok || p.Session.State != "failed" || len(p.Hosts) != 1 || len(p.Failures) != 1 || p.Dropped.Data != 2 {
		t.Errorf("replica %+v", p)
	}
}

func BenchmarkWatch(b *testing.B) {
	be := newFake()
	c := InProcess(be, ClientInfo{})
	defer c.Close()
	w, err := c.Watch(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	_, _ = w.Next(b.Context())
	for b.Loop() {
		be.emit(logEvent(1))
		if _, err := w.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func TestSyncComesAfterEverythingBeforeIt(t *testing.T) {
	eachTransport(t, newFake, func(t *testing.T, b *fake, connect func(ClientInfo) *Client) {
		c := connect(ClientInfo{})
		w, err := c.Watch(t.Context(), TopicLogs)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		for round := range uint64(6) {
			n := int(round) * 900
			for i := range n {
				b.emit(logEvent(i))
			}
			b.emit(meshEvent(1)) // filtered out: no update of its own
			w.Sync(round + 1)
			seen := 0
			for {
				u, err := w.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				seen += len(u.Events)
				if u.Sync == round+1 {
					break
				}
			}
			if seen != n {
				t.Fatalf("round %d: %d events before the mark, want %d", round, seen, n)
			}
		}
	})
}

// ordered notes the order in which calls are sent.
type ordered struct {
	*fake
	sent []string
}

func (o *ordered) StartCall(ctx context.Context, _ ClientInfo, req CallReq, _ func(Reply)) func() (CallDone, error) {
	o.mu.Lock()
	o.sent = append(o.sent, req.Endpoint)
	o.mu.Unlock()
	return func() (CallDone, error) { return CallDone{}, ctx.Err() }
}

func TestCallsOfOneClientAreSentInTheirOrder(t *testing.T) {
	check := func(t *testing.T, o *ordered, c *Client) {
		var want []string
		var last *CallHandle
		for i := range 200 {
			want = append(want, string(rune('a'+i%26)))
			h, err := c.Call(t.Context(), CallReq{Endpoint: want[i]})
			if err != nil {
				t.Fatal(err)
			}
			last = h
		}
		if _, err := last.Wait(); err != nil {
			t.Fatal(err)
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		if !slices.Equal(o.sent, want) {
			t.Errorf("sent %v", o.sent)
		}
	}
	t.Run("in-process", func(t *testing.T) {
		o := &ordered{fake: newFake()}
		c := InProcess(o, ClientInfo{})
		defer c.Close()
		check(t, o, c)
	})
	t.Run("unix socket", func(t *testing.T) {
		o := &ordered{fake: newFake()}
		check(t, o, dial(t, serveUnix(t, o, Limits{}), ClientInfo{}))
	})
}
