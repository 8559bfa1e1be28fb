package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// bothEngines is both for tests that look at the engine as a front end does.
func bothEngines(t *testing.T, f func(t *testing.T, e *engine.Engine)) {
	for name, opts := range map[string][]engine.Option{"in-process": {engine.AllInProcess()}, "processes": nil} {
		t.Run(name, func(t *testing.T) {
			e, err := engine.Start(context.Background(), append(opts, engine.NoSession())...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(e.Close)
			f(t, e)
		})
	}
}

func frontEnd(t *testing.T, e *engine.Engine) *control.Client {
	t.Helper()
	c := control.InProcess(e.Backend(), control.ClientInfo{Name: "tap"})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// tap listens to what is said in a session.
type tap struct {
	t   *testing.T
	w   *control.Watch
	pic control.Replica
	got []control.Message
}

func listen(t *testing.T, c *control.Client, topics ...string) *tap {
	t.Helper()
	w, err := c.Watch(t.Context(), topics...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return &tap{t: t, w: w}
}

// until takes updates until the condition holds.
func (p *tap) until(what string, cond func() bool) {
	p.t.Helper()
	limit, cancel := context.WithTimeout(p.t.Context(), eventLimit)
	defer cancel()
	for !cond() {
		u, err := p.w.Next(limit)
		if err != nil {
			p.t.Fatalf("waiting for %s: %v; heard %d messages, the last being %+v", what, err, len(p.got), p.got[max(0, len(p.got)-1):])
		}
		p.pic.Apply(u)
		for _, ev := range u.Events {
			if ev.Message != nil {
				p.got = append(p.got, *ev.Message)
			}
		}
	}
}

// take waits for n messages, gives them and forgets them.
func (p *tap) take(n int) []control.Message {
	p.t.Helper()
	p.until(fmt.Sprint(n, " messages"), func() bool { return len(p.got) >= n })
	got := p.got
	p.got = nil
	if len(got) != n {
		p.t.Errorf("%d messages, want %d: %+v", len(got), n, got)
	}
	return got
}

func find(t *testing.T, ms []control.Message, kind, from, to string) control.Message {
	t.Helper()
	for _, m := range ms {
		if m.Kind == kind && m.From == from && m.To == to {
			return m
		}
	}
	t.Fatalf("no %s from %s to %s in %+v", kind, from, to, ms)
	return control.Message{}
}

func TestAMessageIsSeenWhenItIsSentAndWhenItIsAnswered(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		acc := spawn(t, ctx, "acc", 4, Acc{Start: 10})
		p := listen(t, frontEnd(t, e), control.TopicMessages)
		if _, err := engine.Method(acc.Slice(at(2)), (*Acc).Add).CallOne(ctx, 5); err != nil {
			t.Fatal(err)
		}
		ms := p.take(2)
		call, reply := ms[0], ms[1]
		if call.Kind != "call" || call.From != "main" || call.To != "@acc[2]" || call.Endpoint != "Add" || call.Adverb != control.AdverbCallOne ||
			call.Ranks != 1 || string(call.Body) != "\x05" || call.Cut || call.Bytes != 1 || call.ID == 0 || call.Parent != 0 || call.Trace != call.Call || call.Took != 0 {
			t.Errorf("the call was told as %+v", call)
		}
		if reply.Kind != "reply" || reply.From != "@acc[2]" || reply.To != "main" || reply.Call != call.Call || reply.Parent != call.ID || reply.ID == 0 ||
			string(reply.Body) != "\x0f" || reply.Took <= 0 || reply.Outcome != control.OutcomeReply || reply.Endpoint != "Add" {
			t.Errorf("the reply was told as %+v", reply)
		}
		if skew := time.Since(call.Time); skew < 0 || skew > time.Minute {
			t.Errorf("the call was told to be of %v", call.Time)
		}
		// A call fans out into one message to each rank, and the call's id folds them.
		if _, err := engine.Query(acc, (*Acc).Sum).Call(ctx); err != nil {
			t.Fatal(err)
		}
		ms = p.take(8)
		ids := map[uint64]bool{}
		for rank := range 4 {
			call := find(t, ms, "call", "main", fmt.Sprintf("@acc[%d]", rank))
			reply := find(t, ms, "reply", fmt.Sprintf("@acc[%d]", rank), "main")
			if call.Call != ms[0].Call || reply.Call != ms[0].Call || call.Ranks != 4 || reply.Parent != call.ID || len(call.Body) != 0 {
				t.Errorf("rank %d: %+v, %+v", rank, call, reply)
			}
			ids[call.ID], ids[reply.ID] = true, true
		}
		if len(ids) != 8 {
			t.Errorf("8 messages have %d ids", len(ids))
		}
	})
}

func TestACallBetweenWorkersNamesTheMessageThatCausedIt(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		p := listen(t, frontEnd(t, e), control.TopicMessages, control.TopicState) // before there are workers: they learn it as they start
		a, b := spawn(t, ctx, "a", 2, Acc{}), spawn(t, ctx, "b", 2, Acc{Start: 100})
		if err := engine.Action(a, (*Acc).Pair).Call(ctx, b); err != nil {
			t.Fatal(err)
		}
		p.take(4)
		if _, err := engine.Method(a.Slice(at(1)), (*Acc).AddToPeer).CallOne(ctx, 7); err != nil {
			t.Fatal(err)
		}
		ms := p.take(4)
		outer, inner := find(t, ms, "call", "main", "@a[1]"), find(t, ms, "call", "@a[1]", "@b[1]")
		if inner.Parent != outer.ID || inner.Trace != outer.Call || inner.Endpoint != "Add" || string(inner.Body) != "\x07" || inner.Call == outer.Call {
			t.Errorf("outer %+v, inner %+v", outer, inner)
		}
		back := find(t, ms, "reply", "@b[1]", "@a[1]")
		if back.Parent != inner.ID || back.Call != inner.Call || back.Trace != outer.Call || string(back.Body) != "\x18\x6b" {
			t.Errorf("the inner reply was told as %+v", back)
		}
		if last := find(t, ms, "reply", "@a[1]", "main"); last.Took < back.Took {
			t.Errorf("the outer call took %v, the inner one %v", last.Took, back.Took)
		}
	})
}

func TestAnAnswerTellsWhenItsCallCameAndWhenItBegan(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		p := listen(t, frontEnd(t, e), control.TopicMessages, control.TopicState)
		a, b := spawn(t, ctx, "a", 1, Acc{}), spawn(t, ctx, "b", 1, Acc{})
		if err := engine.Action(a, (*Acc).Pair).Call(ctx, b); err != nil {
			t.Fatal(err)
		}
		p.take(2)
		if _, err := engine.Method(a, (*Acc).AddToPeer).CallOne(ctx, 7); err != nil {
			t.Fatal(err)
		}
		ms := p.take(4)
		called, outer, inner := find(t, ms, "call", "main", "@a[0]"), find(t, ms, "reply", "@a[0]", "main"), find(t, ms, "reply", "@b[0]", "@a[0]")
		rising(t, called.Time.Truncate(time.Microsecond), outer.Arrived, outer.Began, inner.Arrived, inner.Began, inner.Time, outer.Time)
		if !called.Arrived.IsZero() || !called.Began.IsZero() {
			t.Errorf("a call tells what only its answer can know: %+v", called)
		}

		// One that waits in the mailbox has come long before it begins.
		gate, open := context.WithCancel(ctx)
		defer open()
		block := engine.Signal(b, (*Acc).Block).Start(gate)
		add := engine.Method(b, (*Acc).Add).Start(ctx, 1)
		p.until("a message in the mailbox, behind the one that blocks", func() bool { r := p.rank("b", 0); return r.Queue == 1 && len(r.Running) == 1 })
		opened := time.Now()
		open()
		<-block.Done()
		if _, err := add.One(ctx); err != nil {
			t.Fatal(err)
		}
		ms = p.take(4)
		reply := find(t, ms, "reply", "@b[0]", "main")
		rising(t, reply.Arrived, opened, reply.Began.Add(time.Microsecond), reply.Time.Add(time.Microsecond))
		if gone := find(t, ms, "error", "@b[0]", "main"); gone.ID != 0 || !gone.Arrived.IsZero() || !gone.Began.IsZero() {
			t.Errorf("no message brought the end of a call that was given up, which tells %+v", gone)
		}

		// One that is refused came and never began.
		if err := engine.Action(a, (*Acc).Pair).Call(ctx, a); err != nil {
			t.Fatal(err)
		}
		p.take(2)
		if _, err := engine.Method(a, (*Acc).AddToPeer).CallOne(ctx, 7); !errors.Is(err, engine.ErrCallCycle) {
			t.Fatalf("a call of its own actor ended with %v", err)
		}
		refused := find(t, p.take(4), "error", "@a[0]", "@a[0]")
		rising(t, outer.Time, refused.Arrived, refused.Time)
		if !refused.Began.IsZero() {
			t.Errorf("what was refused is told to have begun at %v", refused.Began)
		}
	})
}

// rising fails where one of the times is before the one before it, or not known.
func rising(t *testing.T, times ...time.Time) {
	t.Helper()
	for i, at := range times {
		if at.IsZero() || i > 0 && at.Before(times[i-1]) {
			t.Errorf("time %d of %v is out of order", i, times)
		}
	}
}

func TestErrorsAndBroadcastsAreSeen(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		if err := handleAll(ctx); err != nil {
			t.Fatal(err)
		}
		pm := procs(t, ctx, "p", 2)
		acc := spawnOn(t, ctx, pm, "acc", Acc{})
		p := listen(t, frontEnd(t, e), control.TopicMessages)
		_, _ = engine.Method(acc, (*Acc).Add).Call(ctx, 1000)
		ms := p.take(4)
		bad, call := find(t, ms, "error", "@acc[1]", "main"), find(t, ms, "call", "main", "@acc[1]")
		if bad.Error != "add 1000: bad rank" || bad.Outcome != control.OutcomeError || bad.Parent != call.ID || bad.ID == 0 {
			t.Errorf("the error was told as %+v", bad)
		}
		if err := engine.Method(acc, (*Acc).Add).Broadcast(ctx, 3); err != nil {
			t.Fatal(err)
		}
		for _, m := range p.take(2) {
			if m.Kind != "call" || m.Adverb != control.AdverbBroadcast || m.Ranks != 2 || string(m.Body) != "\x03" || m.ID == 0 {
				t.Errorf("a broadcast was told as %+v", m)
			}
		}
		blocked := engine.Signal(acc.Slice(at(0)), (*Acc).Block).Start(ctx)
		p.take(1)
		if err := pm.Kill(ctx); err != nil {
			t.Fatal(err)
		}
		if m := p.take(1)[0]; m.Kind != "error" || m.Outcome != control.OutcomeLost || m.ID != 0 || m.From != "@acc[0]" || m.Took <= 0 {
			t.Errorf("a loss was told as %+v", m)
		}
		<-blocked.Done()
	})
}

func TestALongArgumentIsToldByItsHead(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		sink := spawn(t, ctx, "sink", 1, Sink{})
		p := listen(t, frontEnd(t, e), control.TopicMessages)
		it := Item{Body: make([]byte, 100_000)}
		if err := engine.Action(sink, (*Sink).Put).Call(ctx, it); err != nil {
			t.Fatal(err)
		}
		want, err := cbor.Marshal(it)
		if err != nil {
			t.Fatal(err)
		}
		if m := p.take(2)[0]; !m.Cut || len(m.Body) != control.MaxPreview || m.Bytes != len(want) {
			t.Errorf("%d bytes of %d were told, cut %v; the argument has %d", len(m.Body), m.Bytes, m.Cut, len(want))
		}
	})
}

func TestAClientsCallIsToldInItsName(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		spawn(t, ctx, "acc", 1, Acc{})
		c := frontEnd(t, e)
		p := listen(t, c, control.TopicMessages)
		for _, adverb := range []control.Adverb{control.AdverbCall, control.AdverbBroadcast} {
			h, err := c.Call(ctx, control.CallReq{Mesh: "acc", Endpoint: "Sum", Adverb: adverb})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.Wait(); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range p.take(3) {
			if m.From != "tap" && m.To != "tap" {
				t.Errorf("told as %+v", m)
			}
		}
	})
}

func TestMessagesAreToldAgainToWhoWatchesLater(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		a, b := spawn(t, ctx, "a", 1, Acc{}), spawn(t, ctx, "b", 1, Acc{})
		if err := engine.Action(a, (*Acc).Pair).Call(ctx, b); err != nil {
			t.Fatal(err)
		}
		c := frontEnd(t, e)
		nested := func() {
			t.Helper()
			if _, err := engine.Method(a, (*Acc).AddToPeer).CallOne(ctx, 1); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			p := listen(t, c, control.TopicMessages)
			nested()
			if p.take(4); p.pic.Dropped != (control.Dropped{}) { // what happened while nobody watched is not lost: it was not made
				t.Errorf("dropped %+v", p.pic.Dropped)
			}
			p.w.Close()
			nested()
		}
	})
}

// TestWhoAttachesLaterReadsWhatWasSeenBefore takes each message once: from what is kept up to the snapshot of its watch, and from
// the watch after that.
func TestWhoAttachesLaterReadsWhatWasSeenBefore(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		m := spawn(t, ctx, "m", 2, Acc{})
		add := func(n int) {
			t.Helper()
			if _, err := engine.Method(m, (*Acc).Add).Call(ctx, n); err != nil {
				t.Fatal(err)
			}
		}
		c := frontEnd(t, e)
		if got, err := c.Messages(ctx, control.MessagesReq{}); err != nil || len(got.Events) != 0 || got.Older != 0 {
			t.Fatalf("of a new session: %+v, %v", got, err)
		}
		first := listen(t, c, control.TopicMessages)
		add(1)
		first.take(4)
		later := listen(t, frontEnd(t, e), control.TopicMessages)
		add(2)
		first.take(4)
		later.until("the second call", func() bool { return len(later.got) == 4 })
		kept, err := c.Messages(ctx, control.MessagesReq{})
		if err != nil || len(kept.Events) != 8 || kept.Older != 0 {
			t.Fatalf("%d kept, %d older, %v", len(kept.Events), kept.Older, err)
		}
		before := 0
		for i := range kept.Events {
			if ev := &kept.Events[i]; ev.Message == nil || i > 0 && ev.Seq <= kept.Events[i-1].Seq {
				t.Errorf("event %d is %+v", i, ev)
			} else if ev.Message.Call == kept.Events[0].Message.Call {
				before++
			}
		}
		if before != 4 {
			t.Errorf("%d messages of the first call, want 4", before)
		}
		if some, _ := c.Messages(ctx, control.MessagesReq{Last: 3}); len(some.Events) != 3 || some.Older != 5 || some.Events[2].Seq != kept.Events[7].Seq {
			t.Errorf("the last 3: %+v", some)
		}
		if _, err := engine.Supervise(ctx, func(context.Context, engine.Failure) engine.Decision { return engine.Handled }); err != nil {
			t.Fatal(err)
		}
		failed := listen(t, frontEnd(t, e), control.TopicState)
		if err := engine.Signal(m, (*Acc).Fail).Broadcast(ctx); err != nil {
			t.Fatal(err)
		}
		failed.until("the failures", func() bool { return len(failed.pic.Failures) == 2 })
		kept, err = c.Messages(ctx, control.MessagesReq{})
		if n := len(kept.Events); err != nil || n < 2 || !slices.ContainsFunc(kept.Events, func(ev control.Event) bool { return ev.Failure != nil }) {
			t.Errorf("what failed is not among %d kept, %v", n, err)
		}
	})
}

// Plotter reports figures.
type Plotter struct{}

// Plot reports y at each x.
func (*Plotter) Plot(ctx context.Context, points [][2]float64) error {
	for _, p := range points {
		engine.Metric(ctx, "loss", p[0], p[1])
	}
	return nil
}

// Odd reports what is no figure, and a name that is not fit to be shown.
func (*Plotter) Odd(ctx context.Context) error {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		engine.Metric(ctx, "loss", v, 1)
		engine.Metric(ctx, "loss", 1, v)
	}
	engine.Metric(ctx, "\x1b[31m"+strings.Repeat("n", 500), 1, 1)
	engine.Metric(ctx, "seen", 1, 1)
	return nil
}

func TestWhatActorsReportCanBeReadBack(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		c := frontEnd(t, e)
		m := spawn(t, ctx, "m", 2, Plotter{})
		series := func(req control.MetricsReq, until func([]control.Series) bool) (got []control.Series) {
			t.Helper()
			eventually(t, "the figures", eventLimit, func() bool {
				list, err := c.Metrics(ctx, req)
				if err != nil {
					t.Fatal(err)
				}
				got = list
				return until(list)
			})
			return got
		}
		points := [][2]float64{{1, 10}, {2, 20}, {4, 40}}
		if err := engine.Action(m, (*Plotter).Plot).Call(ctx, points); err != nil {
			t.Fatal(err)
		}
		whole := func(list []control.Series) bool { return len(list) == 2 && len(list[0].X) == 3 && len(list[1].X) == 3 }
		got := series(control.MetricsReq{Mesh: "m"}, whole)
		for rank, s := range got {
			if s.Mesh != "m" || s.Rank != rank || s.Name != "loss" || !slices.Equal(s.X, []float64{1, 2, 4}) || !slices.Equal(s.Y, []float64{10, 20, 40}) {
				t.Errorf("rank %d: %+v", rank, s)
			}
		}
		if last := series(control.MetricsReq{Name: "loss", Last: 1}, whole1); last[0].Older != 2 || last[0].X[0] != 4 {
			t.Errorf("the last point: %+v", last[0])
		}
		// Who begins anew from a checkpoint draws on where it was.
		if err := engine.Action(m.Slice(at(1)), (*Plotter).Plot).Call(ctx, [][2]float64{{2, 21}, {3, 31}}); err != nil {
			t.Fatal(err)
		}
		back := series(control.MetricsReq{Mesh: "m"}, func(list []control.Series) bool { return len(list) == 2 && slices.Contains(list[1].X, 3) })
		if !slices.Equal(back[1].X, []float64{1, 2, 3}) || !slices.Equal(back[1].Y, []float64{10, 21, 31}) || len(back[0].X) != 3 {
			t.Errorf("%+v", back)
		}
		if err := engine.Signal(m.Slice(at(0)), (*Plotter).Odd).CallOne(ctx); err != nil {
			t.Fatal(err)
		}
		odd := series(control.MetricsReq{Mesh: "m"}, func(list []control.Series) bool { return len(list) == 4 })
		for _, s := range odd {
			if strings.ContainsRune(s.Name, '\x1b') || len(s.Name) > 64+len("…") || slices.ContainsFunc(s.Y, math.IsNaN) {
				t.Errorf("%+v", s)
			}
		}
		engine.Metric(ctx, "of the program", 1, 2)
		series(control.MetricsReq{Name: "of the program"}, func(list []control.Series) bool {
			return len(list) == 1 && list[0].Mesh == "" && list[0].Rank == -1
		})
	})
}

func whole1(list []control.Series) bool { return len(list) == 2 && len(list[0].X) == 1 }
