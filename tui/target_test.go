package tui

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// ranksField is the ranks that the composer on top is for.
func ranksField(t *testing.T, m *Model) string {
	t.Helper()
	f, ok := m.top().(*dialog.Form)
	if !ok {
		t.Fatalf("no form is open: %q", m.toast.text)
	}
	return f.Fields[atRanks].Value()
}

func TestEveryVerbIsForTheSelectionElseForTheCursor(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", "l", "x")
	if got := ranksField(t, m); got != "1" {
		t.Errorf("with the cursor on rank 1 the call is for %q", got)
	}
	press(t, m, "esc", "V", "x")
	if got := ranksField(t, m); got != "dp=0" {
		t.Errorf("with a row selected the call is for %q", got)
	}
	press(t, m, "esc", "4", "x")
	if got := ranksField(t, m); got != "dp=0" {
		t.Errorf("in another pane the call is for %q", got)
	}
	press(t, m, "esc", "2", "esc", "1")
	m.panes.showMesh(m.world, "ponger")
	press(t, m, "x")
	if got := ranksField(t, m); got != "" {
		t.Errorf("with the tree's cursor on the mesh the call is for %q", got)
	}
}

func TestFocusTakesTheInspectorAlong(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", "l")
	for _, mesh := range []string{"pinger", "ponger"} {
		m.command("focus @" + mesh)
		if got := screen(t, m); !strings.Contains(got, "┃│ "+mesh+"[") {
			t.Errorf("after focus @%s the inspector shows something else:\n%s", mesh, got)
		}
		if got := screen(t, m); strings.Contains(got, "✓ focus @"+mesh+"  focus") {
			t.Error("the result says the command again")
		}
	}
}

func TestAComposerSaysWhichOfItsRanksHaveEnded(t *testing.T) {
	b := worldtest.Pingpong(t)
	m := still(t, b, 120, 40)
	press(t, m, "2", "e")
	typeText(m, "dp=0")
	press(t, m, "enter", "x")
	typeText(m, "4")
	end := func(rank int) {
		b.Proc("trainers", rank, "killed", "worker was killed by SIGKILL")
		for _, mesh := range []string{"pinger", "ponger"} {
			b.EditRank(mesh, rank, func(r *control.RankState) { r.State, r.Reason = "gone", "its process was killed" })
		}
		m.worldChanged()
		m.touch()
	}
	end(0)
	if got := screen(t, m); !strings.Contains(got, "8 of 64 · 1 ended") {
		t.Errorf("one of the ranks has ended:\n%s", got)
	}
	for rank := 1; rank < 8; rank++ {
		end(rank)
	}
	if got := screen(t, m); !strings.Contains(got, "none of 8 ranks lives (SIGKILL") {
		t.Errorf("all of the ranks have ended:\n%s", got)
	}
	press(t, m, "enter")
	if len(m.commands) != 0 || !strings.Contains(m.toast.text, "the draft is kept") {
		t.Errorf("a call to nobody is sent: %q", m.toast.text)
	}
}

func TestEarlierCallsComeBackIntoTheFields(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", "x", "up")
	if !strings.Contains(m.toast.text, "has not been called yet") {
		t.Errorf("without a history ↑ says %q", m.toast.text)
	}
	m.history = []string{"call @ponger.Pong {n: 1}", `call @ponger[3].Pong {n: 2, tag: "two"}`, "call @pinger.Ping 9"}
	typeText(m, "7")
	for _, c := range []struct{ key, want string }{
		{"up", "n=2 tag=two"}, {"up", "n=1 tag= "}, {"up", "n=1 tag= "}, {"down", "n=2 tag=two"}, {"down", "n=7 tag= "}, {"down", "n=7 tag= "}, {"ctrl+y", "n=2 tag=two"},
	} {
		if got := values(press(t, m, c.key)); !strings.Contains(got, c.want) {
			t.Errorf("%s gives %s, want %s", c.key, got, c.want)
		}
	}
}

func TestAnAnswerLeadsToTheRanksThatGaveIt(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "4")
	m.openEntry(answered(m))
	press(t, m, "enter", "enter")
	if got := m.panes.grid.Text(); m.top() != nil || m.focus != Ranks || got != "1-2,9-10,17,25-26" {
		t.Errorf("pane %v, selected %q, on top %T", m.focus, got, m.top())
	}
	press(t, m, "u")
	if got := m.panes.grid.Text(); got != "" {
		t.Errorf("undo leaves %q", got)
	}
}

func TestAnAddressCanBeTypedIntoTheListOfSessions(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "A")
	p := m.top().(*dialog.Picker)
	sessionsMsg{list: []control.SessionInfo{{Name: "demo", Program: "monarch-tui", PID: 4711}}, p: p}.apply(m)
	typeText(m, "/run/x/my socket")
	if got := screen(t, m); !strings.Contains(got, "enter: attach to /run/x/my socket") {
		t.Errorf("it does not offer to attach:\n%s", got)
	}
	press(t, m, "enter")
	if m.top() != nil || m.dialing == nil || m.dialing.name != "/run/x/my socket" {
		t.Fatalf("dialling %+v", m.dialing)
	}
	gen := m.dialing.gen
	press(t, m, "esc")
	if m.dialing != nil || !strings.Contains(m.toast.text, "gave up") {
		t.Errorf("esc leaves %+v, says %q", m.dialing, m.toast.text)
	}
	m.connectedNow(connected{gen, dialled(t, m, worldtest.New(t)), nil})
	if len(m.world.Meshes) == 0 {
		t.Error("a session that was given up on is shown")
	}
}

func TestAHalfTypedFilterHidesNothing(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "4", "/")
	typeText(m, "foo:bar")
	if got := m.panes.msgs.Filter(); m.input.err == "" || got != "" {
		t.Errorf("with the mistake %q the filter is %q", m.input.err, got)
	}
	press(t, m, "esc", "/")
	typeText(m, "kind:reply")
	press(t, m, "enter", "/")
	typeText(m, " took:>x")
	if got := m.panes.msgs.Filter(); got != "kind:reply" {
		t.Errorf("with a mistake the filter is %q", got)
	}
}

func TestTheFormsJudgeAsTheEngineDoes(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "M")
	f := m.top().(*dialog.Form)
	for _, c := range []struct {
		field      int
		text, want string
	}{
		{0, "", "want a name for the proc mesh"},
		{0, "9p", "want a letter or _"},
		{0, "a b", "one word"},
		{0, "trainers", "there is a proc mesh trainers"},
		{1, "", "want at least one dimension"},
		{1, "gpus", "want name=size"},
		{1, "gpus=-1", "want 1 or more"},
		{1, "gpus=99999999999", "65536"},
		{1, "a=300 b=300", "90000 ranks: the limit is 65536"},
		{1, "gpus=2 gpus=2", "appears twice"},
		{1, "gpus=2 cpus=3", "a field of its own"},
		{4, "999999", "1 to 1024"},
		{4, "x", "a whole number"},
	} {
		f.Fields[c.field].Set(c.text)
		f.Check()
		if got := f.Fields[c.field].Err(); !strings.Contains(got, c.want) {
			t.Errorf("field %s with %q says %q, want %q", f.Fields[c.field].Label, c.text, got, c.want)
		}
		f.Fields[c.field].Set(map[int]string{0: "ok", 1: "gpus=4"}[c.field])
	}
	f.Check()
	if f.Fields[1].Note() != "4 ranks" || f.Fields[0].Err() != "" {
		t.Errorf("%q, %q", f.Fields[1].Note(), f.Fields[0].Err())
	}
	press(t, m, "esc", "a")
	f = m.top().(*dialog.Form)
	for text, want := range map[string]string{"": "want a name for the actor mesh", "9bad": "want a letter or _", "@ponger": "there is a mesh @ponger"} {
		f.Fields[3].Set(text)
		f.Check()
		if got := f.Fields[3].Err(); !strings.Contains(got, want) {
			t.Errorf("name %q says %q, want %q", text, got, want)
		}
	}
}

func TestARefusalIsOfWhatWasSent(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "M", "enter")
	e := m.commands[0]
	if got := screen(t, m); strings.Contains(got, "there is a proc mesh") {
		t.Error("its own mesh is in its way")
	}
	m.failed(e, "too many ranks for this machine")
	if got := screen(t, m); !strings.Contains(got, "✕ too many ranks") {
		t.Errorf("the refusal is not told:\n%s", got)
	}
	f := m.top().(*dialog.Form)
	f.Fields[1].Set("gpus=2")
	if out := f.Result(80); len(out) != 0 {
		t.Errorf("the refusal stays beside other dims: %v", out)
	}
}

func TestASlashFiltersInEveryPane(t *testing.T) {
	for p := Mesh; p <= Logs; p++ {
		m := still(t, printing(t), 120, 40)
		m.setFocus(p)
		press(t, m, "/")
		if m.input == nil {
			t.Fatalf("in pane %v / opens nothing: %q", p, m.toast.text)
		}
		typeText(m, map[PaneID]string{Ranks: "dp=1"}[p]+map[bool]string{true: "x"}[p != Ranks])
		press(t, m, "enter")
		f := m.panes.grid.Text()
		if p != Ranks {
			f = m.panes.tab(p).body.(filterer).Filter()
		}
		if f == "" {
			t.Errorf("in pane %v there is no filter", p)
		}
		press(t, m, "esc")
		if p != Ranks {
			f = m.panes.tab(p).body.(filterer).Filter()
		} else {
			f = m.panes.grid.Text()
		}
		if f != "" {
			t.Errorf("in pane %v esc leaves %q", p, f)
		}
	}
}

func TestAPictureIsOfTheScreenAndNotOfItsCommand(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	screen(t, m)
	name := filepath.Join(t.TempDir(), "screen.svg")
	m.command("write " + name)
	b, err := os.ReadFile(name)
	if err != nil || !strings.Contains(string(b), "ponger") || strings.Contains(string(b), ">write") || strings.Contains(string(b), "screen.svg") {
		t.Errorf("%v: the picture has %d bytes, with the command in it: %v", err, len(b), strings.Contains(string(b), "screen.svg"))
	}
	if got := screen(t, m); !strings.Contains(got, "wrote "+name) && !strings.Contains(got, "write") {
		t.Errorf("the screen does not say what was written:\n%s", got)
	}
}

func TestAWayToBeginThatIsTakenAwayLeavesTheOthers(t *testing.T) {
	m := still(t, worldtest.New(t), 120, 40)
	if got := screen(t, m); !strings.Contains(got, ":demo pingpong") {
		t.Errorf("our own session offers no demo:\n%s", got)
	}
	for _, own := range []bool{false, true, false} { // as sessions are left and come back
		m.dialer.own = own
		m.touch()
		got := screen(t, m)
		if strings.Contains(got, ":demo pingpong") != own || !strings.Contains(got, "attach to a") {
			t.Errorf("own %v:\n%s", own, got)
		}
	}
	press(t, m, "1", "G", "enter")
	if p, ok := m.top().(*dialog.Picker); !ok || !strings.HasPrefix(p.Title, "Attach") {
		t.Errorf("the last way to begin opens %T", m.top())
	}
}

func TestADemoIsSeenAlsoWhereNotAllPanesAre(t *testing.T) {
	for w, want := range map[int]PaneID{80: Messages, 120: Mesh} {
		m := still(t, worldtest.New(t), w, 30)
		m.startStory(Demo{Name: "toy", Run: func(ctx context.Context, _ Tell) error { return ctx.Err() }}, false)
		if m.focus != want || !m.story.focused {
			t.Errorf("%d cells wide: the focus is on pane %v, on the story %v", w, m.focus, m.story.focused)
		}
		m.story.drop()
	}
}

func TestAnEndMeansTheMeshThatWasAskedAbout(t *testing.T) {
	b := worldtest.Pingpong(t)
	m := still(t, b, 120, 40)
	press(t, m, "2", "delete")
	name := m.target().mesh
	old, ok := b.Replica.Mesh(name)
	if !ok {
		t.Fatalf("the cursor is on %q", name)
	}
	procs, typ := old.Procs, old.Ref.Type
	b.EditMesh(name, func(x *control.Mesh) { x.Gone, x.State = true, "stopped" })
	b.Mesh(name, procs, typ) // by somebody else
	m.worldChanged()
	press(t, m, "y")
	if len(m.commands) != 0 || !strings.Contains(m.toast.text, "another one of that name") {
		t.Errorf("the successor is ended: %d commands, %q", len(m.commands), m.toast.text)
	}
	press(t, m, "delete", "y")
	if len(m.commands) != 1 {
		t.Errorf("asked about the new one, it runs %d commands: %q", len(m.commands), m.toast.text)
	}
}
