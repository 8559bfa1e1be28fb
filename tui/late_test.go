package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/messages"
	"github.com/monarch-tui/monarch-tui/tui/world"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// dialled is a connection to a world, as a task would have made it.
func dialled(t *testing.T, m *Model, b *worldtest.Builder) *conn {
	t.Helper()
	c, err := m.open(t.Context(), dialer{dial: func(context.Context) (*control.Client, error) {
		return control.InProcess(inert{b}, control.ClientInfo{Name: "explorer"}), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACommandInTheQueueEndsWithTheConnection(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	m.command("let a = 1")
	m.command("let b = 2")
	if !strings.Contains(screen(t, m), "waits for let a = 1") {
		t.Error("the second command does not say what it waits for")
	}
	m.disconnected(errors.New("gone"))
	screen(t, m)
	if e := m.commands[1]; len(m.running()) > 0 || !strings.Contains(e.err, "so it has not run") {
		t.Errorf("%d commands still run; the second says %q", len(m.running()), e.err)
	}
}

func TestACommandInTheQueueCanBeCancelled(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	m.command("let a = 1")
	m.command("let b = 2")
	press(t, m, "ctrl+x")
	if r := m.running(); len(r) != 1 || r[0].line != "let a = 1" || len(m.waiting) != 0 {
		t.Errorf("running %v, waiting %v", r, m.waiting)
	}
}

// TestAnotherSessionInheritsNothingINV_LATE attaches with questions open, while the first session is lost and not.
// It holds INV-LATE.
func TestAnotherSessionInheritsNothingINV_LATE(t *testing.T) {
	for _, lost := range []bool{false, true} {
		m := still(t, worldtest.Pingpong(t), 120, 40)
		m.dialer = dialer{name: "first"}
		press(t, m, "2", "x")
		typeText(m, "4")
		press(t, m, "esc", "K")
		if lost {
			m.disconnected(errors.New("gone"))
		}
		m.connect(dialer{name: "second"})
		old := m.world
		m.connectedNow(connected{m.dialing.gen, dialled(t, m, worldtest.New(t)), nil})
		if m.world == old || m.top() != nil || m.lost || m.dialer.name != "second" {
			t.Errorf("lost %v: the old world %v, an overlay %T, lost %v, of %q", lost, m.world == old, m.top(), m.lost, m.dialer.name)
		}
		if d := m.drafts["ponger.Pong"]; len(d.args) == 0 || d.args[0] != "4" {
			t.Errorf("the draft is lost: %+v", d)
		}
		screen(t, m)
	}
}

func TestALostSessionIsWaitedForAgainWhenAnotherCannotBeHad(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	m.dialer = dialer{name: "first"}
	m.disconnected(errors.New("gone"))
	m.connect(dialer{name: "nobody"})
	m.connectedNow(connected{m.dialing.gen, nil, errors.New("no such session")})
	if d := m.dialing; d == nil || d.name != "first" || !d.again {
		t.Fatalf("dialling %+v", d)
	}
	old := m.world
	m.dialAgain(redial{m.dialing.gen})
	m.connectedNow(connected{m.dialing.gen, dialled(t, m, worldtest.New(t)), nil})
	if m.world != old || m.conn == nil {
		t.Error("what was known is forgotten, and it is the same session")
	}
}

func TestAProgramThatWasStartedAnewIsAnotherSession(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", "K")
	snap := worldtest.New(t).Snapshot
	snap.Session.PID++
	m.updated(updateMsg{control.Update{Snapshot: &snap}})
	if m.top() != nil || len(m.world.Meshes) != 0 || m.world.Messages.Total() != 0 {
		t.Error("something of the old program is still there")
	}
}

func TestAConnectionThatNobodyWaitsForIsClosed(t *testing.T) {
	b := worldtest.Pingpong(t)
	m := still(t, b, 80, 24)
	taken := dialled(t, m, b)
	m.Close()
	late := control.InProcess(inert{b}, control.ClientInfo{Name: "explorer"})
	_, err := m.open(t.Context(), dialer{dial: func(context.Context) (*control.Client, error) { return late, nil }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	for _, c := range []*control.Client{taken.client, late} {
		select {
		case <-c.Done():
		case <-time.After(20 * time.Second):
			t.Fatal("a connection stands after the explorer has ended")
		}
	}
}

func TestAFaultWhileDrawingEndsTheProgram(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 80, 24)
	m.panes.tree = nil
	m.touch()
	m.View()
	if m.crash == nil {
		t.Fatal("no fault")
	}
	if _, cmd := m.Update(clockMsg{}); cmd == nil || cmd() != (tea.QuitMsg{}) {
		t.Error("it goes on with a screen that cannot be drawn")
	}
}

func TestQuittingAsksAboutWhatRunsInTheSessionThatIsNotSeen(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 80, 24, func(c *Config) { c.Own = true })
	m.dialer = dialer{own: true}
	m.own = m.world.Session
	m.connect(dialer{name: "other"})
	m.connectedNow(connected{m.dialing.gen, dialled(t, m, worldtest.New(t)), nil})
	if got := screen(t, press(t, m, "q")); !strings.Contains(got, "The session you see goes on") {
		t.Error(got)
	}
	press(t, m, "esc")
	m.attach(nil, "4711")
	if !m.dialing.own {
		t.Error("back in its own session it takes it for another's")
	}
}

func TestADemoThatIsSlowToEndHoldsUpTheNextOneAndNotTheScreen(t *testing.T) {
	m, err := New(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	m.startStory(Demo{Name: "slow", Run: func(context.Context, Tell) error {
		<-release
		return nil
	}}, false)
	next := m.startStory(Demo{Name: "next", Run: func(ctx context.Context, tell Tell) error {
		select {
		case <-release:
		default:
			t.Error("the next one began before the first had ended")
		}
		_, err := tell(ctx, Step{Title: "now"})
		return err
	}}, false)
	close(release)
	m.Update(next())
	if m.story.now.Title != "now" {
		t.Errorf("%+v", m.story)
	}
	m.Close()
}

func TestALimitOfACallIsItsOwn(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", "x", "shift+tab", "shift+tab", "shift+tab", "shift+tab") // to the timeout
	typeText(m, "2s")
	press(t, m, "tab", "tab", "tab", "tab")
	typeText(m, "4")
	if got := screen(t, m); !strings.Contains(got, "given up after 2") {
		t.Error(got)
	}
	press(t, m, "enter", "esc")
	if got := m.lastCall().line; got != "call @ponger[0].Pong {n: 4} timeout 2s" {
		t.Errorf("what is logged, and saved, is %q", got)
	}
	press(t, m, ".")
	if got := m.lastCall().line; !strings.HasSuffix(got, " timeout 2s") {
		t.Errorf("repeated as %q", got)
	}
	m.command("call @ponger.Status")
	press(t, m, "2", "x", "ctrl+y")
	if c := m.top().(*dialog.Form); c.Fields[len(c.Fields)-1].Value() != "2s" {
		t.Errorf("an earlier call comes back without its limit:\n%s", screen(t, m))
	}
}

func TestTheColumnOfAMistakeIsTold(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	e := m.logCommand("call @ponger.Pong {n: x}")
	m.commandEnded(commandDone{e: e, step: &script.Step{Code: script.ExitCommand, Err: "want int\nmore", ErrPos: script.Pos{Line: 1, Column: 23}}})
	if e.err != "want int (column 23)\nmore" {
		t.Errorf("%q", e.err)
	}
}

// TestWhatRunsBesideTheSessionDoesNotRaceWithIt is for the race detector: an option is set on the session while a call begins.
func TestWhatRunsBesideTheSessionDoesNotRaceWithIt(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 80, 24)
	m.moving = true // no clock in the batch
	for i := range 20 {
		serial := m.command(fmt.Sprintf("option timeout %ds", i+1))
		done := make(chan tea.Msg)
		go func() { done <- serial() }()
		m.command("call @ponger.Status")
		m.Update(<-done)
		if r := m.running(); len(r) != i+1 {
			t.Fatalf("%d commands run", len(r))
		}
	}
	if e := m.commands[0]; !e.ok {
		t.Error(e.err)
	}
}

// A mesh is told to be gone a moment after its last rank: nobody is asked for what has ended already.
func TestQuittingAsksOnlyWhileRanksLive(t *testing.T) {
	b := worldtest.Pingpong(t)
	m := still(t, b, 120, 40, func(c *Config) { c.Own = true })
	if press(t, m, "q"); m.top() == nil {
		t.Fatal("nobody was asked while ranks live")
	}
	press(t, m, "esc")
	for i := range b.ProcMeshes {
		for r := range b.ProcMeshes[i].Extent.Len() {
			b.Proc(b.ProcMeshes[i].Name, r, "exited", "")
		}
	}
	if press(t, m, "q"); m.top() != nil || !m.quitting {
		t.Errorf("asked for what has ended:\n%s", screen(t, m))
	}
}

func TestWhatWasPrintedBeforeIsShownOnce(t *testing.T) {
	at := time.Unix(100, 5)
	line := func(text string) control.Log { return control.Log{Time: at, Rank: -1, Stream: "out", Text: text} }
	c := &conn{past: &past{lines: []control.Log{line("old"), line("both")}}}
	both := line("both")
	u := control.Update{Events: []*control.Event{{Log: &both}}}
	c.recall(world.New(), &u)
	var got []string
	for _, ev := range u.Events {
		got = append(got, ev.Log.Text)
	}
	if strings.Join(got, " ") != "old both" || c.past != nil {
		t.Errorf("got %v", got)
	}
}

// TestWhatWasCalledBeforeIsShownOnce reads what is kept while the watch has begun: what is newer than its snapshot comes by it.
func TestWhatWasCalledBeforeIsShownOnce(t *testing.T) {
	ev := func(seq uint64) control.Event {
		return control.Event{Seq: seq, Message: &control.Message{Call: seq, ID: seq, Kind: control.MessageCall, From: "main", To: "@m[0]", Endpoint: "Go"}}
	}
	newer := ev(9)
	c := &conn{past: &past{messages: control.MessageLog{Events: []control.Event{ev(3), ev(7), ev(9)}, Older: 40}}}
	u := control.Update{Snapshot: &control.Snapshot{Seq: 8}, Events: []*control.Event{&newer}}
	w := world.New()
	w.Now = time.Unix(100, 0)
	c.recall(w, &u)
	w.Apply(u)
	w.Now = w.Now.Add(time.Second)
	if w.Messages.Total() != 3 || w.Older != 40 {
		t.Errorf("%d messages, %d older", w.Messages.Total(), w.Older)
	}
	for i, want := range []uint64{3, 7, 9} {
		if got := w.Messages.At(i).Call; got != want {
			t.Errorf("message %d is of call %d, want %d", i, got, want)
		}
	}
	if rate := w.Rate(3); rate[len(rate)-1] != 1 {
		t.Errorf("%d messages a second: those of before did not come now", rate[0])
	}
}

func TestWhatFailedBeforeIsShownOnceAndInItsPlace(t *testing.T) {
	message := func(seq uint64) control.Event {
		return control.Event{Seq: seq, Message: &control.Message{Time: time.Unix(int64(seq), 0), Call: seq, ID: seq, Kind: control.MessageCall, From: "main", To: "@m[0]", Endpoint: "Go"}}
	}
	failure := func(seq uint64) control.Event {
		return control.Event{Seq: seq, Failure: &control.Failure{Time: time.Unix(int64(seq), 0), Proc: 3, What: "worker 2 of procs p was killed by SIGKILL"}}
	}
	newer := failure(9)
	c := &conn{past: &past{messages: control.MessageLog{Events: []control.Event{message(3), failure(4), message(7), failure(9)}}}}
	u := control.Update{Snapshot: &control.Snapshot{Seq: 8}, Events: []*control.Event{&newer}}
	w := world.New()
	w.Now = time.Unix(10, 0)
	c.recall(w, &u)
	w.Apply(u)
	if len(w.Failures) != 2 || w.Messages.Total() != 2 {
		t.Fatalf("%d failures and %d messages", len(w.Failures), w.Messages.Total())
	}
	p := messages.New(worldtest.Keys)
	b := worldtest.New(t)
	b.World = w
	screen := b.Screen(p, 4, true, 100, 12)
	first, lost, last := strings.Index(screen, "00:03"), strings.Index(screen, "SIGKILL"), strings.Index(screen, "00:07")
	if first < 0 || lost < first || last < lost {
		t.Errorf("the failure does not stand between the messages:\n%s", screen)
	}
}

func TestNothingSinceOneAttachedIsNotNothingAtAll(t *testing.T) {
	for _, c := range []struct {
		world *worldtest.Builder
		late  bool
	}{{worldtest.Pingpong(t), true}, {worldtest.New(t), false}} {
		m := still(t, worldtest.New(t), 120, 40)
		m.forget()
		snap := c.world.Snapshot
		snap.Session.Started = m.now()
		snap.Calls = nil
		m.world.Apply(control.Update{Snapshot: &snap})
		got := screen(t, m)
		if strings.Contains(got, "Nothing was called yet") == c.late || strings.Contains(got, "called since you attached") != c.late || strings.Contains(got, "printed since you") != c.late {
			t.Errorf("late %v:\n%s", c.late, got)
		}
	}
}

func TestQuittingNamesWhoElseIsAttachedAndWhatTheyRun(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Own = true })
	m.dialer.own = true
	me := m.conn.client.Info().Client
	m.world.Clients = []control.ClientInfo{me, {ID: me.ID + 1, Name: "ada"}, {ID: me.ID + 2, Name: "script smoke.mtui"}}
	m.world.Calls = []control.Call{{Client: "ada", Mesh: "ponger", Endpoint: "Pong"}, {Client: "ada", Mesh: "ponger", Endpoint: "Pong"}}
	got := strings.Join(strings.Fields(strings.NewReplacer("┃", "", "│", "").Replace(screen(t, press(t, m, "q")))), " ")
	for _, want := range []string{"ada (runs @ponger.Pong)", "script smoke.mtui;", "session ends too"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestASessionThatDoesNotAnswerIsNotLive(t *testing.T) {
	now := time.Unix(1000, 0)
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Now = func() time.Time { return now } })
	m.feel()
	if got := screen(t, m); !strings.Contains(got, "● live") {
		t.Error(got)
	}
	now = now.Add(4 * time.Second)
	m.feel()
	m.touch()
	if got := screen(t, m); !strings.Contains(got, "▲ no answer for 4") || strings.Contains(got, "● live") {
		t.Error(got)
	}
	m.updated(updateMsg{control.Update{Sync: m.conn.pulse.token}})
	if got := screen(t, m); !strings.Contains(got, "● live") {
		t.Error(got)
	}
}

func TestInASCIIWhatIsIdleIsNoSeparator(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Settings.ASCII = true })
	screen(t, m)
	if got := ansi.Strip(m.screen.Encode(m.theme)); !strings.Contains(got, "procs - ") || !strings.Contains(got, ". idle") {
		t.Error(got)
	}
}

func TestASpawnOnADeadRankIsToldInTheForm(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	if got := screen(t, press(t, m, "1", "a")); !strings.Contains(got, "rank 40-47 of trainers has ended: there will be no actor") {
		t.Error(got)
	}
}

// TestAKeyGoesToTheTopmostThingThatTakesIt holds INV-ORDER: one key, G, at each level.
func TestAKeyGoesToTheTopmostThingThatTakesIt(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	rank := func() int { return m.panes.grid.Cursor() }
	press(t, m, "2", ":", "ctrl+r", "G")
	if p, ok := m.top().(*dialog.Picker); !ok || p.Filter() != "G" || m.input.field.Value() != "" || rank() != 0 {
		t.Errorf("under a dialog: the line has %q, the cursor is on rank %d", m.input.field.Value(), rank())
	}
	press(t, m, "esc", "esc", "G")
	if m.top() != nil || m.input == nil || m.input.field.Value() != "G" || rank() != 0 {
		t.Errorf("with an open line: it has %+v, the cursor is on rank %d", m.input, rank())
	}
	press(t, m, "esc", "4", "G")
	if rank() != 0 {
		t.Errorf("in another pane the cursor of the grid went to rank %d", rank())
	}
	press(t, m, "2", "G")
	if rank() != 63 {
		t.Errorf("in the pane the cursor is on rank %d", rank())
	}
	press(t, m, "E")
	if m.top() == nil {
		t.Error("a key of the program does nothing in a pane that has none of that name")
	}
	// Those that work anywhere: TestSuspendWorksUnderAnOpenForm.
}

// TestWhatIsNotSeenIsTold holds INV-COUNT: of messages that never came, are folded into a row, are hidden by a filter, or
// are of before the connection was lost.
func TestWhatIsNotSeenIsTold(t *testing.T) {
	b := worldtest.Pingpong(t)
	m := still(t, b, 120, 40)
	press(t, m, "4")
	see := func(what, want string) {
		t.Helper()
		if got := screen(t, m); !strings.Contains(got, want) {
			t.Errorf("%s is not told, as %q:\n%s", what, want, got)
		}
	}
	see("that none was dropped", "0 dropped")
	see("how many are folded", "×64")
	b.Dropped(1234)
	m.touch()
	see("how many were dropped", "1,234 events dropped")
	press(t, m, "/")
	typeText(m, "kind:error")
	press(t, m, "enter")
	see("how many are hidden", "2 of 76 shown")
	m.world.AsOf = m.now()
	m.touch()
	see("how old it is", "as of "+m.now().Format("15:04:05"))
}

// TestEveryWayToAnActionLeadsToTheSameCommand holds INV-SAME for a form that makes something.
func TestEveryWayToAnActionLeadsToTheSameCommand(t *testing.T) {
	ways := map[string]func(m *Model){
		"key":     func(m *Model) { press(t, m, "M") },
		"palette": func(m *Model) { press(t, m, "ctrl+p"); typeText(m, "new proc mesh"); press(t, m, "enter") },
		"help":    func(m *Model) { press(t, m, "?"); typeText(m, "new proc mesh"); press(t, m, "enter") },
		"mouse": func(m *Model) {
			rows := strings.Split(screen(t, m), "\n")
			before, _, _ := strings.Cut(rows[m.h-1], "new mesh")
			m.Update(tea.MouseClickMsg{X: len([]rune(before)), Y: m.h - 1, Button: tea.MouseLeft})
		},
	}
	const want = "procs procs0 gpus=4"
	for name, way := range ways {
		m := still(t, worldtest.Pingpong(t), 120, 40)
		way(m)
		press(t, m, "enter")
		if n := len(m.commands); n != 1 || m.commands[0].line != want {
			t.Errorf("by %s: %d commands, the last toast is %q", name, n, m.toast.text)
		}
	}
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, ":")
	typeText(m, want)
	press(t, m, "enter")
	if len(m.commands) != 1 || m.commands[0].line != want {
		t.Errorf("by the line: %d commands", len(m.commands))
	}
}
