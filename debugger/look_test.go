package debugger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

func ref(st control.Stop) control.StopRef { return control.StopRef{ID: st.ID, Gen: st.Gen} }

func (s *scene) frame(st control.Stop) control.FrameView {
	s.t.Helper()
	v, err := s.c.Frame(s.ctx, ref(st), control.FrameQuery{})
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// field finds a node of a tree by its path.
func field(n control.StateNode, path string) control.StateNode {
	if n.Path == path {
		return n
	}
	for _, c := range n.Nodes {
		if f := field(c, path); f.Path == path {
			return f
		}
	}
	return control.StateNode{}
}

// TestAStoppedFrameShowsWhatItHas looks at arguments, state, result, stack, environment and who waits.
func TestAStoppedFrameShowsWhatItHas(t *testing.T) {
	onBoth(t, 0, func(s *scene) {
		peer := s.spawn("w", 1)
		p, err := engine.SpawnProcs(s.ctx, engine.Name("asking"), engine.Dim("gpus", 1))
		if err != nil {
			s.t.Fatal(err)
		}
		asker, err := engine.Spawn(s.ctx, p, "asker", Worker{Peer: peer})
		if err != nil {
			s.t.Fatal(err)
		}
		s.brk(control.Breakpoint{Endpoint: "Do", Site: control.SiteReply})
		done := begin(func() (int, error) { return engine.Method(asker, (*Worker).Ask).CallOne(s.ctx, 42) })
		st := s.stops(1)[0]
		v := s.frame(st)
		if len(v.Args) != 1 || v.Args[0].Name != "o" || field(v.Args[0], "args.o.N").Text != "42" {
			s.t.Errorf("arguments %+v", v.Args)
		}
		if n := field(v.State, "state.count"); n.Text != "1" || field(v.State, "state.last.N").Text != "42" || field(v.State, `state.seen["42"]`).Text != "1" {
			s.t.Errorf("state %+v", v.State)
		}
		if v.Result == nil || v.Result.Text != "1" || v.Stop.Value != "1" {
			s.t.Errorf("result %+v, %+v", v.Result, v.Stop)
		}
		if !strings.Contains(v.Stack, "(*actor).invoke") {
			s.t.Errorf("stack %s", v.Stack)
		}
		if len(v.Chain) != 1 || v.Chain[0].Actor != "@asker[0]" || v.Chain[0].Msg == 0 || v.Stop.Sender != "@asker[0]" {
			s.t.Errorf("chain %+v of %+v", v.Chain, v.Stop)
		}
		if env, err := s.c.Env(s.ctx, ref(st)); err != nil || len(env) == 0 {
			s.t.Errorf("environment %v, %v", env, err)
		}
		for expr, want := range map[string]string{
			"{d: state.rest, t: [state.rest]}": "1.5s",
			"state.count * 2":                  "2", "o.N": "42", "arg.N": "42", "result": "1", "state.last": "N: 42", "rank": "0", "coords.gpus": "0", "sender": `"@asker[0]"`,
		} {
			got, err := s.c.EvalAt(s.ctx, ref(st), expr)
			if err != nil || !strings.Contains(got.Text, want) {
				s.t.Errorf("%s = %+v, %v; want %s", expr, got, err, want)
			}
		}
		if got, err := s.c.EvalAt(s.ctx, ref(st), "{d: state.rest, t: [state.rest]}"); err != nil || fmt.Sprint(debugger.Value(got)) != "map[d:1.5s t:[1.5s]]" {
			s.t.Errorf("durations arrive as %v, %v", debugger.Value(got), err)
		}
		if _, err := s.c.EvalAt(s.ctx, ref(st), "state.cuont"); err == nil || !strings.Contains(err.Error(), "did you mean count") {
			s.t.Errorf("a misspelt field: %v", err)
		}
		edits := []struct{ path, value, old, new, err string }{
			{"state.count", "10", "1", "10", ""},
			{"state.last.Tags", `["x"]`, "[]", `["x"]`, ""},
			{"args.o.N", "43", "42", "43", ""},
			{"result", "7", "1", "7", ""},
			{"state.count", `"x"`, "", "", "int"},
			{"state.nope", "1", "", "", "nope"},
			{"args.x", "1", "", "", "Do has no argument x: it has o"},
			{`state.seen["43"]`, "2", "", "2", ""},
			{"foo", "1", "", "", "want state.FIELD, args.NAME or result"},
		}
		for _, e := range edits {
			got, err := s.c.Edit(s.ctx, control.EditReq{Stop: ref(st), Path: e.path, Value: e.value})
			if e.err != "" {
				if err == nil || !strings.Contains(err.Error(), e.err) {
					s.t.Errorf("set %s %s: %v, want %s", e.path, e.value, err, e.err)
				}
				continue
			}
			if err != nil || got.Old != e.old || got.New != e.new {
				s.t.Errorf("set %s %s: %+v, %v", e.path, e.value, got, err)
			}
		}
		if v := s.frame(st); !v.Stop.Edited {
			s.t.Error("it does not say that it was edited")
		}
		s.resume(control.GoContinue, st)
		want(s.t, done, 7, "")
		if n, err := engine.Query(peer, (*Worker).Count).CallOne(s.ctx); err != nil || n != 10 {
			s.t.Errorf("the count is %d, %v", n, err)
		}
	})
}

// TestAValueThatWasCutTravelsAsText: a part that was not read is no empty part.
func TestAValueThatWasCutTravelsAsText(t *testing.T) {
	s := newScene(t, 1, engine.AllInProcess())
	if _, err := engine.Method(s.m, (*Worker).Do).Call(s.ctx, Order{N: 1, Tags: slices.Repeat([]string{"x"}, 200_000)}); err != nil {
		t.Fatal(err)
	}
	got, err := s.c.EvalOver(s.ctx, "w", nil, "[state.last, state.count]")
	if err != nil || len(got) != 1 || got[0].Error != "" {
		t.Fatalf("%+v, %v", got, err)
	}
	if v := got[0].Answer; len(v.Body) != 0 || !strings.Contains(v.Text, "Tags: [… 200000 elements]") {
		t.Errorf("%s, and %d bytes travel", v.Text, len(v.Body))
	}
}

// TestTheMailboxOfAStoppedActorIsShownAndChanged discards a message and has another one handled next.
func TestTheMailboxOfAStoppedActorIsShownAndChanged(t *testing.T) {
	onBoth(t, 1, func(s *scene) {
		s.brk(control.Breakpoint{Endpoint: "Do", Hit: "1"})
		first := s.do(1)
		st := s.stops(1)[0]
		var rest []<-chan result[int]
		var box control.Mailbox
		for n := 2; n <= 4; n++ {
			rest = append(rest, s.do(n))
			for box.Total != n-1 {
				all, err := s.c.Mailboxes(s.ctx, "w", []int{0}, control.MailboxQuery{})
				if err != nil || all[0].Error != "" {
					s.t.Fatal(err, all)
				}
				box = all[0].Answer
			}
		}
		if m := box.Messages[0]; m.Endpoint != "Do" || m.Arg != "{N: 2, Tags: null}" || m.Sender != "main" || !m.Waiting {
			s.t.Errorf("%+v", m)
		}
		id := func(i int) string { return fmt.Sprint(box.Messages[i].Msg) }
		if _, err := s.c.Edit(s.ctx, control.EditReq{Mesh: "w", Op: "discard", Path: id(0)}); err != nil {
			s.t.Error(err)
		}
		want(s.t, rest[0], 0, "the debugger discarded the message")
		if _, err := s.c.Edit(s.ctx, control.EditReq{Mesh: "w", Op: "redeliver", Path: id(2), Value: "{N: 40}"}); err != nil {
			s.t.Error(err)
		}
		if _, err := s.c.Edit(s.ctx, control.EditReq{Mesh: "w", Op: "discard", Path: id(0)}); err == nil || !strings.Contains(err.Error(), "no message") {
			s.t.Errorf("twice: %v", err)
		}
		s.resume(control.GoContinue, st)
		want(s.t, first, 1, "")
		want(s.t, rest[2], 2, "")
		want(s.t, rest[1], 3, "")
	})
}

// TestConditionsSelectTheFramesThatStop covers conditions, hits over all ranks, once, and conditions that fail.
func TestConditionsSelectTheFramesThatStop(t *testing.T) {
	onBoth(t, 4, func(s *scene) {
		all := func(n int) <-chan result[int] {
			return begin(func() (int, error) {
				vm, err := engine.Method(s.m, (*Worker).Do).Call(s.ctx, Order{N: n})
				return len(vm.Answered()), err
			})
		}
		b := s.brk(control.Breakpoint{Endpoint: "Do", If: "o.N > 5 and rank % 2 == 1 and state.count == 1"})
		want(s.t, all(1), 4, "")
		done := all(6)
		got := s.stops(2)
		if got[0].Rank != 1 || got[1].Rank != 3 {
			s.t.Errorf("%+v", got)
		}
		s.resume(control.GoContinue, got...)
		want(s.t, done, 4, "")
		s.until("the counts", func() bool {
			return len(s.pic.Breaks) == 1 && s.pic.Breaks[0].Hits == 2 && s.pic.Breaks[0].Skipped == 6
		})
		s.clear(b)

		s.brk(control.Breakpoint{Endpoint: "Do", Once: true})
		done = all(7)
		got = s.stops(1)
		s.until("the breakpoint to go", func() bool { return len(s.pic.Breaks) == 0 })
		s.resume(control.GoContinue, got...)
		want(s.t, done, 4, "")

		b = s.brk(control.Breakpoint{Endpoint: "Do", Total: true, Hit: "4"})
		done = all(8)
		got = s.stops(1)
		s.resume(control.GoContinue, got...)
		want(s.t, done, 4, "")
		s.clear(b)

		b = s.brk(control.Breakpoint{Endpoint: "Do", If: `state.seen["nothing"] > 3`})
		for range 3 {
			want(s.t, all(9), 4, "")
		}
		s.until("the breakpoint to be off", func() bool { return len(s.pic.Breaks) == 1 && s.pic.Breaks[0].State == control.BreakOff })
		if e := s.pic.Breaks[0]; e.Errors < 10 || !strings.Contains(e.LastError, "off after") {
			s.t.Errorf("%+v", e)
		}
		s.clear(b)

		for cond, why := range map[string]string{
			"o.N >":           "^",
			"o.M > 1":         "M",
			"coords.tpus > 1": "tpus",
			"o.N":             "true or false",
			"nope > 1":        "nope",
		} {
			_, err := s.c.Breaks(s.ctx, control.BreaksReq{Set: &control.Breakpoint{Mesh: "w", Endpoint: "Do", If: cond}})
			if err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "^") {
				s.t.Errorf("if %s: %v", cond, err)
			}
		}
		for _, c := range []struct {
			b   control.Breakpoint
			why string
		}{
			{control.Breakpoint{Mesh: "w", Endpoint: "Dot"}, "which has no endpoint Dot"},
			{control.Breakpoint{Mesh: "w", Ranks: "gpus=9"}, "@w[gpus=9]"},
			{control.Breakpoint{Mesh: "later", If: "o.N >"}, "^"},
			{control.Breakpoint{Mesh: "w", Endpoint: "Peek", If: "state.count > 1"}, "the state cannot be read at Peek: it runs beside other endpoints"},
			{control.Breakpoint{Mesh: "w", Endpoint: "Peek", Then: "print", Print: "{state.count}"}, "the state cannot be read at Peek"},
		} {
			if _, err := s.c.Breaks(s.ctx, control.BreaksReq{Set: &c.b}); err == nil || !strings.Contains(err.Error(), c.why) {
				s.t.Errorf("%+v: %v, want %s", c.b, err, c.why)
			}
		}
	})
}

func (s *scene) clear(b control.Breakpoint) {
	s.t.Helper()
	if _, err := s.c.Breaks(s.ctx, control.BreaksReq{Remove: []uint64{b.ID}}); err != nil {
		s.t.Fatal(err)
	}
	s.until("it to be gone", func() bool { return len(s.pic.Breaks) == 0 })
}

// TestABreakpointThatPrintsWritesToTheLog stops nobody.
func TestABreakpointThatPrintsWritesToTheLog(t *testing.T) {
	onBoth(t, 2, func(s *scene) {
		w, err := s.c.Watch(s.ctx, control.TopicLogs)
		if err != nil {
			s.t.Fatal(err)
		}
		defer w.Close()
		s.brk(control.Breakpoint{Endpoint: "Do", Then: control.ThenPrint, Print: "n={o.N} count={state.count} from {sender}"})
		if _, err := engine.Method(s.m, (*Worker).Do).Call(s.ctx, Order{N: 5}); err != nil {
			s.t.Fatal(err)
		}
		got := map[int]string{}
		for len(got) < 2 {
			u, err := w.Next(s.ctx)
			if err != nil {
				s.t.Fatal(err)
			}
			for _, ev := range u.Events {
				if ev.Log != nil && ev.Log.Stream == "debug" {
					got[ev.Log.Rank] = ev.Log.Text
				}
			}
		}
		for rank := range 2 {
			if !strings.HasSuffix(got[rank], ": n=5 count=0 from main") {
				s.t.Errorf("rank %d: %q", rank, got[rank])
			}
		}
	})
}

// TestAFrameWhoseHandlerHasReturnedHasNoArguments: a goroutine that was left behind can stop when the message is over, and what
// belonged to that is another's by then.
func TestAFrameWhoseHandlerHasReturnedHasNoArguments(t *testing.T) {
	onBoth(t, 1, func(s *scene) {
		leave := func(n int) {
			if got, err := engine.Method(s.m, (*Worker).Linger).CallOne(s.ctx, n); got != n || err != nil {
				s.t.Fatal(got, err)
			}
			if err := engine.Signal(s.m, (*Worker).Give).CallOne(s.ctx); err != nil {
				s.t.Fatal(err)
			}
		}
		leave(42)
		st := s.stops(1)[0]
		if v := s.frame(st); len(v.Args) != 0 || v.Result != nil || v.Error != "" || v.Stop.Endpoint != "Linger" {
			s.t.Errorf("it shows %+v", v)
		}
		for _, path := range []string{"args", "args.n"} {
			_, err := s.c.Edit(s.ctx, control.EditReq{Stop: ref(st), Path: path, Value: "7"})
			if err == nil || !strings.Contains(err.Error(), "the handler Linger has returned: its arguments are gone") {
				s.t.Errorf("set %s: %v", path, err)
			}
		}
		if _, err := s.c.Edit(s.ctx, control.EditReq{Stop: ref(st), Path: "result", Value: "7"}); err == nil {
			s.t.Error("a result was set that nobody gets")
		}
		s.resume(control.GoContinue, st)
		leave(43)
		s.resume(control.GoContinue, s.stops(1)...)
	})
}
