package tui

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/inspect"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// stopping applies an event to the world of a model as an update of its session.
func stopping(m *Model, events ...*control.Event) {
	m.update(updateMsg{control.Update{Events: events}})
}

func stopEvent(id uint64, rank int) *control.Event {
	return &control.Event{Stop: &control.StopEvent{Stop: control.Stop{ID: id, Gen: 1, Mesh: "ponger", Rank: rank, Site: control.SiteRecv, Endpoint: "Pong"}}}
}

// TestAStopTakesNeitherTheFocusNorKeysFromWhatIsTyped holds INV-CALM.
func TestAStopTakesNeitherTheFocusNorKeysFromWhatIsTyped(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", ":")
	typeText(m, "call @ponger.Status # ")
	focus := m.focus
	stopping(m, stopEvent(1, 0))
	typeText(m, "scCnNPiX")
	if got := m.input.field.Value(); got != "call @ponger.Status # scCnNPiX" || m.focus != focus || len(m.commands) != 0 {
		t.Errorf("the line is %q, the focus %v, and %d commands ran", got, m.focus, len(m.commands))
	}
	if !strings.Contains(screen(t, m), "◆ 1 paused") {
		t.Error("the bar is not there while something is typed")
	}
	press(t, m, "esc", "b")
	typeText(m, "scC")
	if f, ok := m.top().(*dialog.Form); !ok || f.Fields[bpIf].Value() != "scC" || len(m.commands) != 0 {
		t.Errorf("a form has lost its keys: %d commands", len(m.commands))
	}
}

// TestTheKeysOfAStopThatHasJustComeWait holds INV-CALM.
func TestTheKeysOfAStopThatHasJustComeWait(t *testing.T) {
	now := worldtest.Start()
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Now = func() time.Time { return now } })
	press(t, m, "2")
	stopping(m, stopEvent(1, 0))
	if got := screen(t, m); !strings.Contains(got, "s step  c continue  C continue all") {
		t.Errorf("the bar comes without its keys:\n%s", got)
	}
	for _, key := range []string{"s", "c", "C", "P", "S"} {
		now = worldtest.Start().Add(grace - time.Millisecond)
		if press(t, m, key); len(m.commands) != 0 || !strings.Contains(m.toast.text, "has just stopped") {
			t.Errorf("%s right after the stop: %d commands, %q", key, len(m.commands), m.toast.text)
		}
	}
	now = worldtest.Start().Add(grace)
	if press(t, m, "s"); len(m.commands) != 1 || m.commands[0].line != "step @ponger[0]" {
		t.Fatalf("then it is a step: %+v", m.commands)
	}
	// What our own step has led to is meant.
	stopping(m, &control.Event{Stop: &control.StopEvent{Stop: control.Stop{ID: 1}, Gone: true}})
	stopping(m, stopEvent(2, 0))
	if press(t, m, "s"); len(m.commands) != 2 {
		t.Errorf("after our own step the next one waits: %q", m.toast.text)
	}
}

// TestEachKeyIsItsCommand looks at the lines that the keys leave in the log, and at the reasons why not.
func TestEachKeyIsItsCommand(t *testing.T) {
	for _, c := range []struct {
		keys []string
		line string
		why  string
	}{
		{[]string{"2", "s"}, "", "@ponger[0] is not paused; n goes to one that is"},
		{[]string{"2", "n", "s"}, "step @ponger[9]", ""},
		{[]string{"2", "n", "c"}, "continue @ponger[9]", ""},
		{[]string{"2", "n", "n", "c"}, "continue @ponger[17]", ""},
		{[]string{"2", "N", "c"}, "continue @ponger[25]", ""},
		{[]string{"2", "n", "N", "c"}, "continue @ponger[25]", ""},
		{[]string{"1", "n", "c"}, "continue @ponger[9]", ""}, // the cursor of the tree does not lead back
		{[]string{"4", "n", "c"}, "continue @ponger[9]", ""},
		{[]string{"5", "down", "enter", "c"}, "continue @ponger[9]", ""}, // from the breakpoint to who stands there
		{[]string{"2", "C"}, "continue", ""},
		{[]string{"2", "n", "space", "n", "space", "S"}, "step @ponger[9,17]", ""},
		{[]string{"2", "n", "V", "S"}, "step @ponger[9]", ""}, // of a row the one that is paused
		{[]string{"2", "S"}, "", "nobody of what is selected is paused; n goes to one that is"},
		{[]string{"2", "P"}, "pause @ponger[0]", ""},
		{[]string{"2", "n", "P"}, "continue @ponger[9]", ""},
		{[]string{"2", "n", "X"}, "", "the cursor is on no message of a mailbox (in the inspector)"},
		{[]string{"5", "space"}, "disable 1", ""},
		{[]string{"5", "j", "j", "space"}, "enable 3", ""},
		{[]string{"5", "d"}, "delete 1", ""},
		{[]string{"5", "D"}, "disable 1 2 4 5", ""},
		{[]string{"5", "u"}, "", "no breakpoint was deleted"},
		{[]string{"5", "]", "space"}, "", "lines are not selected"},
	} {
		m := still(t, worldtest.Stopped(t), 120, 40)
		press(t, m, c.keys...)
		line := ""
		if n := len(m.commands); n > 0 {
			line = m.commands[n-1].line
		}
		if line != c.line || c.why != "" && !strings.Contains(m.toast.text, c.why) {
			t.Errorf("%v: %q, %q; want %q, %q", c.keys, line, m.toast.text, c.line, c.why)
		}
	}
	m := still(t, worldtest.Pingpong(t), 120, 40)
	for _, key := range []string{"s", "c", "C", "S", "n", "N", "i"} {
		if press(t, m, "2", key); !strings.Contains(m.toast.text, "nobody is paused (b sets a breakpoint)") {
			t.Errorf("%s where nobody is paused: %q", key, m.toast.text)
		}
	}
}

// answering is a session that notes what it is asked for, and answers with what a test says.
type answering struct {
	inert
	reqs   []any
	answer func(req any) (any, error)
}

func (a *answering) Handle(_ context.Context, _ control.ClientInfo, req any) (any, error) {
	a.reqs = append(a.reqs, req)
	return a.answer(req)
}

// on has a model talk to a session, as a client with a role.
func (a *answering) on(t testing.TB, m *Model, role string) {
	t.Helper()
	c := control.InProcess(a, control.ClientInfo{Name: "explorer", Role: role})
	session, err := script.NewSession(t.Context(), c, script.Options{})
	if err != nil {
		t.Fatal(err)
	}
	watch, err := c.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := m.conn
	m.conn = newConn(c, session, watch)
	m.conn.gen = 1
	old.close()
}

// does runs an action, and takes what comes of it.
func does(t testing.TB, m *Model, action string) {
	t.Helper()
	cmd := m.do(m.reg.named(action))
	if cmd == nil {
		return
	}
	msg := cmd()
	if batch, ok := msg.(tea.BatchMsg); ok {
		msg = batch[0]() // the other is the clock of the animation
	}
	m.Update(msg)
}

func TestAResumeNamesTheStopAsItIsKnownAndSaysWhoWasFirst(t *testing.T) {
	b := worldtest.Stopped(t)
	m := still(t, b, 120, 40)
	a := &answering{inert: inert{b}, answer: func(req any) (any, error) {
		if r, ok := req.(control.ResumeReq); ok && !r.All {
			return []control.Resumed{{ID: r.Stops[0].ID, Error: "stop 7 goes on already: continue by other"}}, nil
		}
		return []control.Resumed{{ID: 7}, {ID: 8}, {ID: 9, Error: "it has gone"}}, nil
	}}
	a.on(t, m, "")
	press(t, m, "2", "n")
	does(t, m, "continue")
	if r, ok := a.reqs[0].(control.ResumeReq); !ok || len(r.Stops) != 1 || r.Stops[0] != (control.StopRef{ID: 7, Gen: 1}) || r.How != control.GoContinue {
		t.Errorf("it asked for %+v", a.reqs)
	}
	if e := m.shownEntry; e.ok || !strings.Contains(e.err, "goes on already: continue by other") {
		t.Errorf("it says %+v", e)
	}
	does(t, m, "continue.all")
	if e := m.shownEntry; e.ok || e.err != "1 of 3 stops: it has gone" {
		t.Errorf("it says %q", e.err)
	}
	if r, ok := a.reqs[1].(control.ResumeReq); !ok || !r.All {
		t.Errorf("all is %+v", a.reqs[1])
	}
}

func TestTheWalkComesToEachFrameOfAnActor(t *testing.T) {
	b := worldtest.Stopped(t)
	b.Stop(control.Stop{ID: 20, Gen: 3, Mesh: "ponger", Rank: 9, Site: control.SiteSend, Endpoint: "Status", Shared: true})
	m := still(t, b, 120, 40)
	a := &answering{inert: inert{b}, answer: func(any) (any, error) { return []control.Resumed{{ID: 20}}, nil }}
	a.on(t, m, "")
	press(t, m, "2")
	for _, want := range []uint64{7, 20, 8, 9, 7, 20} {
		press(t, m, "n")
		if st, ok := m.thisStop(); !ok || st.ID != want {
			t.Fatalf("it is at stop %d, want %d", st.ID, want)
		}
	}
	if got := screen(t, m); !strings.Contains(got, "in Status before it sends") || !strings.Contains(got, "2 of this actor") {
		t.Errorf("the frame of Status is not shown:\n%s", got)
	}
	if does(t, m, "continue"); m.shownEntry.line != "continue 20" {
		t.Errorf("it is the command %q", m.shownEntry.line)
	}
	if r := a.reqs[0].(control.ResumeReq); r.Stops[0] != (control.StopRef{ID: 20, Gen: 3}) {
		t.Errorf("it lets %+v go on", r)
	}
}

func TestAViewerLetsNobodyGo(t *testing.T) {
	b := worldtest.Stopped(t)
	m := still(t, b, 120, 40)
	a := &answering{inert: inert{b}, answer: func(any) (any, error) { t.Error("the session was asked"); return nil, nil }}
	a.on(t, m, control.RoleViewer)
	press(t, m, "2", "n")
	for _, key := range []string{"s", "c", "C", "S", "P", "b", "i", "D", "X"} {
		m.toast = toast{}
		if press(t, m, key); !strings.Contains(m.toast.text, "may only look") || m.top() != nil {
			t.Errorf("%s: %q", key, m.toast.text)
		}
	}
}

func TestADeletedBreakpointIsSetAgainAsItWas(t *testing.T) {
	b := worldtest.Stopped(t)
	m := still(t, b, 120, 40)
	a := &answering{inert: inert{b}, answer: func(req any) (any, error) { return []control.Breakpoint{{ID: 77}}, nil }}
	a.on(t, m, "")
	press(t, m, "5", "down")
	does(t, m, "describe")
	does(t, m, "undo")
	r, ok := a.reqs[len(a.reqs)-1].(control.BreaksReq)
	if !ok || r.Set == nil || r.Set.ID != 0 || r.Set.If != "n > 2" || r.Set.Ranks != "dp=1:4,tp=1" || r.Set.Mesh != "ponger" || r.Set.Endpoint != "Pong" {
		t.Errorf("it asked for %+v", a.reqs)
	}
	if b.Break(control.Breakpoint{ID: 77, Mesh: "ponger"}); !strings.Contains(screen(t, m), "6 of 6") {
		t.Errorf("the cursor is not on the one that was set:\n%s", screen(t, m))
	}
	if press(t, m, "u"); !strings.Contains(m.toast.text, "no breakpoint was deleted") {
		t.Errorf("twice: %q", m.toast.text)
	}
}

func TestABreakpointIsSuggestedFromWhatTheCursorIsOn(t *testing.T) {
	for _, c := range []struct {
		keys []string
		want control.Breakpoint
	}{
		{[]string{"2"}, control.Breakpoint{Mesh: "ponger", Endpoint: "Pong", Ranks: "0"}},
		{[]string{"2", "l", "V"}, control.Breakpoint{Mesh: "ponger", Endpoint: "Pong", Ranks: "0-7"}},
		{[]string{"2", "*"}, control.Breakpoint{Mesh: "ponger", Endpoint: "Pong"}},
		{[]string{"1", "g", "j", "j"}, control.Breakpoint{Mesh: "pinger", Endpoint: "Init"}},
		{[]string{"4", "g", "j"}, control.Breakpoint{Mesh: "ponger", Endpoint: "Pong"}},
		{[]string{"4", "g"}, control.Breakpoint{Mesh: "ponger", Endpoint: "Pong", Ranks: "0"}},
		{[]string{"1", "g", "j", "j", "j", "3", "]", "j", "j", "j", "j", "j"}, control.Breakpoint{Mesh: "ponger", Endpoint: "Status"}},
	} {
		m := still(t, worldtest.Pingpong(t), 120, 40)
		if press(t, m, c.keys...); m.breakHere() != c.want {
			t.Errorf("%v: %+v, want %+v", c.keys, m.breakHere(), c.want)
		}
	}
}

func TestTheTabOfTheLogsTurnsToTheFirstBreakpointUnlessAPersonIsThere(t *testing.T) {
	breaks := func(m *Model) bool { return m.panes.slots[Logs].open == tabBreaks }
	set := func(m *Model, id uint64) {
		stopping(m, &control.Event{Break: &control.BreakEvent{Break: control.Breakpoint{ID: id, Mesh: "ponger"}}})
	}
	m := still(t, worldtest.Pingpong(t), 120, 40)
	if set(m, 1); !breaks(m) {
		t.Error("the first breakpoint does not show them")
	}
	press(t, m, "5", "[", "2")
	if set(m, 2); breaks(m) {
		t.Error("the second one turns the tab again")
	}
	m = still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "5")
	if set(m, 1); breaks(m) {
		t.Error("it turns under the cursor of a person")
	}
}

func TestTheTitleOfTheWindowTellsWhoIsPaused(t *testing.T) {
	if m := still(t, worldtest.Stopped(t), 120, 40); !strings.Contains(m.title(), "◆ 3 paused") {
		t.Errorf("the title is %q", m.title())
	}
}

func TestNobodyIsPausedAndTheClockIsHeld(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	stopping(m, &control.Event{Debug: &control.DebugState{Held: true}})
	if got := screen(t, m); !strings.Contains(got, "◌ clock held") || strings.Contains(got, " paused ·") {
		t.Errorf("the header is\n%s", strings.SplitN(got, "\n", 2)[0])
	}
}

// pongFrame is the frame of a stopped ponger.
func pongFrame(st control.Stop) control.FrameView {
	return control.FrameView{
		Stop: st, Bytes: 13, Budget: 4100e6,
		Args: []control.StateNode{{Name: "ball", Path: "args.ball", Type: "pingpong.Ball", Kind: "struct", Text: `{n: 3, tag: "warm"}`, Len: 2, Nodes: []control.StateNode{
			{Name: "n", Path: "args.ball.n", Type: "int", Kind: "int", Text: "3"}, {Name: "tag", Path: "args.ball.tag", Type: "string", Kind: "string", Text: `"warm"`},
		}}},
		Stack: "goroutine 41 [running]:\nexample.com/pingpong.(*Ponger).Pong(0xc000128000, {0x1, 0x2})\n\t/src/pingpong/pingpong.go:41 +0x1d\ngithub.com/monarch-tui/monarch-tui/engine.(*actor).invoke(0xc0001a2000)\n\t/src/engine/actor.go:311 +0x2c4\n",
		Chain: []control.Waiting{{Actor: "@driver[0]", Msg: 12}, {Actor: "@pinger[9]", Msg: 40}},
	}
}

// looked answers what the inspector asks for.
func looked(m *Model) {
	m.panes.inspect.LookAgain()
	for range 40 {
		if ask, ok := m.panes.inspect.Want(m.world); ok {
			m.panes.inspect.SetState(m.world, ask, ballState("1181"), nil)
		}
		ask, ok := m.panes.inspect.WantLook(m.world)
		if !ok {
			break
		}
		var seen inspect.Seen
		switch ask.What {
		case control.ProbeFrame:
			st, _, _ := m.panes.inspect.Stopped()
			seen.Frame = pongFrame(st)
		case control.ProbeMailbox:
			seen.Mailbox = control.Mailbox{Total: 54, Messages: []control.Queued{
				{Msg: 1183, Call: 42, Endpoint: "Pong", Arg: `{n: 4, tag: "warm"}`, Sender: "@pinger[1]", Bytes: 13, Waiting: true},
				{Msg: 1184, Call: 43, Endpoint: "Pong", Arg: `{n: 5, tag: "warm"}`, Sender: "@pinger[1]", Bytes: 13, Edited: true},
				{Msg: 1185, Call: 44, Endpoint: "Status", Sender: "main"},
			}}
		case control.ProbeEnv:
			seen.Env = []string{"CUDA_VISIBLE_DEVICES=1", "PATH=/usr/bin"}
		case control.ProbeEval:
			seen.Value = control.Value{Text: "1182", Kind: "int"}
		}
		m.panes.inspect.SetLook(m.world, ask, seen)
	}
	m.touch()
}

// watching looks at the state of a rank at two stops, with a value that is watched.
func watching(t testing.TB, m *Model) {
	press(t, m, "2", "n", "3")
	looked(m)
	press(t, m, "g")
	for range 12 {
		if strings.HasPrefix(m.panes.inspect.Text(), "count") {
			break
		}
		press(t, m, "j")
	}
	press(t, m, "w")
	looked(m)
	st, _, _ := m.panes.inspect.Stopped()
	st.Gen, st.By, st.Reason = st.Gen+1, "explorer", "step"
	m.world.Apply(control.Update{Events: []*control.Event{{Stop: &control.StopEvent{Stop: st}}}})
	for range 10 {
		if ask, ok := m.panes.inspect.Want(m.world); ok {
			m.panes.inspect.SetState(m.world, ask, ballState("1182"), nil)
		}
		if ask, ok := m.panes.inspect.WantLook(m.world); ok {
			m.panes.inspect.SetLook(m.world, ask, inspect.Seen{Frame: pongFrame(st), Value: control.Value{Text: "1183", Kind: "int"}})
		}
	}
	m.toast = toast{}
	m.touch()
}

// compared keeps the state of one rank, and looks at the next that is paused.
func compared(t testing.TB, m *Model) {
	press(t, m, "2", "n")
	looked(m)
	press(t, m, "&", "n")
	for range 3 {
		if ask, ok := m.panes.inspect.Want(m.world); ok {
			m.panes.inspect.SetState(m.world, ask, ballState("1179"), nil)
		}
	}
	m.toast = toast{}
	m.touch()
}

// refused has the session refuse a condition, with the place.
func refused(t testing.TB, m *Model) {
	press(t, m, "2", "n", "b")
	typeText(m, "state.cuont > 2")
	press(t, m, "enter")
	debugDone{e: m.shownEntry, err: errors.New("break: if: there is no field cuont in state (did you mean count?)\n  state.cuont > 2\n        ^")}.apply(m)
}

func TestWhoLeavesTheLastIsToldWhatBecomesOfThePaused(t *testing.T) {
	b := worldtest.Stopped(t)
	m := still(t, b, 120, 40)
	m.dialer.own = false
	for policy, want := range map[string]string{
		control.PolicyContinue: "After 30s without anybody they go on (policy continue).", control.PolicyStay: "They stay so until somebody comes (policy stay).",
		control.PolicyAbort: "After 30s without anybody their calls fail (policy abort).",
	} {
		m.world.Debug.Policy = policy
		if got := m.leftPaused(); got != "3 actors will be left paused, and nobody else is here. "+want {
			t.Errorf("%s: %q", policy, got)
		}
	}
	if press(t, m, "q"); m.quitting || !strings.Contains(screen(t, m), "3 actors will be left paused") {
		t.Errorf("it does not ask:\n%s", screen(t, m))
	}
	press(t, m, "esc")
	m.world.Clients = []control.ClientInfo{{ID: 99, Name: "watcher", Role: control.RoleViewer}}
	if m.leftPaused() == "" {
		t.Error("a viewer can let nobody go on")
	}
	m.world.Clients = append(m.world.Clients, control.ClientInfo{ID: 100, Name: "other"})
	if got := m.leftPaused(); got != "" {
		t.Errorf("somebody else is here, and it says %q", got)
	}
	if press(t, m, "q"); !m.quitting || !strings.Contains(m.epilogue(), "3 actors left paused") {
		t.Errorf("it is not left, or says nothing: %q", m.epilogue())
	}
}

func TestThePausedAreSeenWithoutColoursAndInASCII(t *testing.T) {
	for name, change := range map[string]func(*Config){"ascii": func(c *Config) { c.Settings.ASCII = true }, "mono": func(c *Config) { c.Settings.Theme = "mono" }} {
		t.Run(name, func(t *testing.T) {
			m := still(t, worldtest.Stopped(t), 120, 40, change)
			press(t, m, "2", "n")
			text := screen(t, m)
			if i := strings.IndexFunc(text, func(r rune) bool { return r > 0x7e }); m.theme.ASCII && i >= 0 {
				t.Errorf("%q is not ASCII in\n%s", text[i:i+4], text)
			}
			golden.RequireEqual(t, m.View().Content+"\n")
		})
	}
}

// TestGoingToWhoIsPausedEndsARectangle has n pressed while v selects: what was selected is kept.
func TestGoingToWhoIsPausedEndsARectangle(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", "g", "v", "l", "l")
	want := m.panes.grid.Selected()
	if len(want) != 3 || !m.panes.grid.InRectangle() {
		t.Fatalf("v l l selects %v", want)
	}
	stopping(m, stopEvent(1, 20))
	press(t, m, "n")
	if g := m.panes.grid; g.InRectangle() || g.Cursor() != 20 || !slices.Equal(g.Selected(), want) {
		t.Errorf("a rectangle: %v, the cursor on %d, selected %v, not %v", g.InRectangle(), g.Cursor(), g.Selected(), want)
	}
}
