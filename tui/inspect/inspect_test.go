package inspect

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// screen is the pane in its frame, the inside w×h.
func screen(p *Pane, b *worldtest.Builder, w, h int) string { return b.Screen(p, 3, false, w, h) }

func leaf(name, kind, text string) control.StateNode {
	return control.StateNode{Name: name, Path: name, Kind: kind, Type: kind, Text: text}
}

// ponger is the state of a ponger that has counted to n. Of the history only its beginning is there.
func ponger(n int) []control.StateNode {
	history := control.StateNode{Name: "history", Path: "history", Kind: "list", Type: "[]int", Len: 256, Text: "[…]"}
	for i := range 64 {
		item := leaf(fmt.Sprintf("[%d]", i), "int", fmt.Sprint(i*i))
		item.Path = "history" + item.Name
		history.Nodes = append(history.Nodes, item)
	}
	opts := control.StateNode{Name: "opts", Path: "opts", Kind: "struct", Type: "pingpong.Options", Len: 2, Text: `{retries: 3, tag: "warm"}`, Nodes: []control.StateNode{
		{Name: "retries", Path: "opts.retries", Kind: "int", Type: "int", Text: "3"}, {Name: "tag", Path: "opts.tag", Kind: "string", Type: "string", Text: `"warm"`},
	}}
	deep := control.StateNode{Name: "deep", Path: "deep", Kind: "map", Type: "map[string]pingpong.Options", Len: 3, Text: "{…}"}
	return []control.StateNode{{
		Kind: "struct", Type: "pingpong.Ponger", Len: 6, Text: fmt.Sprintf("{count: %d, …}", n),
		Nodes: []control.StateNode{
			leaf("count", "int", fmt.Sprint(n)), leaf("peer", "mesh", "@pinger[1]"), history, opts, deep, leaf("loss", "float", fmt.Sprintf("0.%d", 9999-n)),
		},
	}}
}

// shown is a pane on ponger[rank] whose state was read once.
func shown(t testing.TB, rank int) (*Pane, *worldtest.Builder) {
	t.Helper()
	b := worldtest.Pingpong(t)
	m, _ := b.Replica.Mesh("ponger")
	p := New(worldtest.Keys)
	p.ShowActor(m.Ref.ID, rank)
	answer(t, p, b, ponger(1181))
	return p, b
}

// answer answers the question that the pane has.
func answer(t testing.TB, p *Pane, b *worldtest.Builder, nodes []control.StateNode) Ask {
	t.Helper()
	ask, ok := p.Want(b.World)
	if !ok {
		t.Fatal("the pane wants to know nothing")
	}
	p.SetState(b.World, ask, nodes, nil)
	return ask
}

// handle lets the actor handle one more message.
func handle(b *worldtest.Builder, rank int) {
	b.EditRank("ponger", rank, func(r *control.RankState) { r.Handled++ })
	b.Tick(time.Second)
}

func TestTheScreensOfAnActor(t *testing.T) {
	for _, size := range [][2]int{{34, 24}, {32, 22}, {76, 26}, {28, 6}, {100, 26}} {
		t.Run(fmt.Sprintf("state %dx%d", size[0], size[1]), func(t *testing.T) {
			p, b := shown(t, 9)
			handle(b, 9)
			answer(t, p, b, ponger(1182))
			at(t, p, b, "state opts")
			p.Right()
			golden.RequireEqual(t, screen(p, b, size[0], size[1]))
		})
	}
	for tab, name := range map[int]string{tabMailbox: "mailbox", tabCalls: "calls"} {
		for _, size := range [][2]int{{34, 14}, {76, 16}} {
			t.Run(fmt.Sprintf("%s %dx%d", name, size[0], size[1]), func(t *testing.T) {
				p, b := shown(t, 13)
				b.EditRank("ponger", 13, func(r *control.RankState) {
					r.State, r.Queue, r.Next, r.Running, r.Calls, r.Handled = "busy", 214, []uint64{41, 1<<40 + 7}, []string{"Pong", "Status"}, []uint64{41, 42}, 1182
				})
				b.Message(control.Message{Call: 77, ID: 900, Kind: control.MessageCall, From: "@ponger[13]", To: "@pinger[1]", Endpoint: "Init", Adverb: control.AdverbBroadcast, Ranks: 1})
				p.SetTab(tab)
				golden.RequireEqual(t, screen(p, b, size[0], size[1]))
			})
		}
	}
}

// at moves the cursor to a line by its identity.
func at(t testing.TB, p *Pane, b *worldtest.Builder, key string) {
	t.Helper()
	p.Draw(paint.New(60, 60), b.World, true)
	for i := range p.lines {
		if p.lines[i].key == key {
			p.win.To(i)
			p.mark()
			return
		}
	}
	t.Fatalf("no line %q", key)
}

func TestAMethodThatLooksLikeAnEndpointIsShownWithWhatWouldMakeItOne(t *testing.T) {
	b := worldtest.Pingpong(t)
	m, _ := b.Replica.Mesh("ponger")
	for i := range b.Types {
		if b.Types[i].Full == m.Ref.Type {
			b.Types[i].NotCallable = []control.NotCallable{
				{Name: "Label", Why: "it has no context.Context"},
				{Name: "Reset", Why: "it takes 2 arguments", Fix: "func (p *PingPong) Reset(ctx context.Context, a ResetArgs) error"},
			}
		}
	}
	p := New(worldtest.Keys)
	p.ShowMesh(m.Ref.ID)
	p.NextTab(1)
	for size, want := range map[int][]string{
		100: {"Not callable", "Label: it has no context.Context", "Reset: it takes 2 arguments", "write func (p *PingPong) Reset(ctx context.Context, a ResetArgs) error"},
		34:  {"Reset: it takes 2 arguments", "write func (p *PingPong)"},
	} {
		got := screen(p, b, size, 40)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%d wide, it does not say %q:\n%s", size, w, got)
			}
		}
	}
}

func TestTheScreensOfOtherThings(t *testing.T) {
	b := worldtest.Pingpong(t)
	m, _ := b.Replica.Mesh("ponger")
	pm, _ := b.ProcMesh("trainers")
	for _, c := range []struct {
		name string
		show func(p *Pane)
	}{
		{"mesh", func(p *Pane) { p.ShowMesh(m.Ref.ID) }},
		{"endpoints", func(p *Pane) { p.ShowMesh(m.Ref.ID); p.NextTab(1) }},
		{"procs", func(p *Pane) { p.ShowProcs(pm.ID) }},
		{"process", func(p *Pane) { p.ShowProc(pm.FirstProc + 9) }},
		{"lost process", func(p *Pane) { p.ShowProc(pm.FirstProc + 41) }},
		{"nothing", func(*Pane) {}},
	} {
		for _, size := range [][2]int{{34, 22}, {76, 18}} {
			t.Run(fmt.Sprintf("%s %dx%d", c.name, size[0], size[1]), func(t *testing.T) {
				p := New(worldtest.Keys)
				c.show(p)
				golden.RequireEqual(t, screen(p, b, size[0], size[1]))
			})
		}
	}
}

func TestTheStateIsAskedForWhenItMayHaveChanged(t *testing.T) {
	p, b := shown(t, 0)
	if ask, ok := p.Want(b.World); ok {
		t.Fatalf("it asks again for %+v", ask)
	}
	b.EditRank("ponger", 0, func(r *control.RankState) { r.Handled++ })
	b.Tick(100 * time.Millisecond)
	if _, ok := p.Want(b.World); ok {
		t.Fatal("it asks again after 100 ms")
	}
	b.Tick(500 * time.Millisecond)
	if ask, ok := p.Want(b.World); !ok || ask.Path != "" {
		t.Fatalf("after a message and a while it wants %+v", ask)
	}
	answer(t, p, b, ponger(1182))
	p.Refresh()
	if _, ok := p.Want(b.World); !ok {
		t.Fatal("it does not ask when it is told to")
	}
	answer(t, p, b, ponger(1182))
	p.NextTab(1)
	p.Refresh()
	if _, ok := p.Want(b.World); ok {
		t.Fatal("it asks although the mailbox is shown")
	}
	b.Rank("ponger", 0, "gone", 0)
	p.NextTab(-1)
	if _, ok := p.Want(b.World); ok {
		t.Fatal("it asks an actor that is gone")
	}
}

func TestWhatHasChangedIsMarked(t *testing.T) {
	p, b := shown(t, 0)
	handle(b, 0)
	answer(t, p, b, ponger(1182))
	got := screen(p, b, 50, 20)
	for _, want := range []string{"1181 → 1182", "0.8818 → 0.8817", "~ changed"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	handle(b, 0)
	answer(t, p, b, ponger(1182))
	if got = screen(p, b, 50, 20); strings.Contains(got, "→") || strings.Contains(got, "~") {
		t.Errorf("still marked:\n%s", got)
	}
}

func TestPartsAreReadWhenTheyAreOpened(t *testing.T) {
	p, b := shown(t, 0)
	at(t, p, b, "state deep")
	p.Right()
	if got := screen(p, b, 50, 30); !strings.Contains(got, "reading …") {
		t.Fatal(got)
	}
	ask := answer(t, p, b, []control.StateNode{{Path: "deep", Kind: "map", Len: 3, Nodes: []control.StateNode{
		{Name: `["a"]`, Path: `deep["a"]`, Kind: "int", Text: "1"}, {Name: `["b"]`, Path: `deep["b"]`, Kind: "int", Text: "2"}, {Name: `["c"]`, Path: `deep["c"]`, Kind: "int", Text: "3"},
	}}})
	if ask.Path != "deep" || ask.Start != 0 {
		t.Fatalf("%+v", ask)
	}
	if _, ok := p.Want(b.World); ok {
		t.Fatal("it has all and wants more")
	}
	at(t, p, b, `state deep["b"]`)
	if p.Text() != `deep["b"] = 2` {
		t.Fatalf("copied %q", p.Text())
	}
	at(t, p, b, "state history")
	p.Right()
	at(t, p, b, "more history")
	if got := screen(p, b, 50, 100); !strings.Contains(got, "… 192 more · enter") {
		t.Fatal(got)
	}
	p.Enter()
	page := control.StateNode{Path: "history", Kind: "list", Len: 256}
	for i := 64; i < 128; i++ {
		page.Nodes = append(page.Nodes, control.StateNode{Name: fmt.Sprintf("[%d]", i), Path: fmt.Sprintf("history[%d]", i), Kind: "int", Text: "x"})
	}
	if ask = answer(t, p, b, []control.StateNode{page}); ask.Path != "history" || ask.Start != 64 {
		t.Fatalf("%+v", ask)
	}
	if got := screen(p, b, 50, 200); !strings.Contains(got, "[127]") || !strings.Contains(got, "… 128 more · enter") {
		t.Fatal(got)
	}
	// A new reading of all keeps what was opened, and asks for its newest values.
	handle(b, 0)
	answer(t, p, b, ponger(1182))
	if got := screen(p, b, 50, 200); !strings.Contains(got, "[127]") {
		t.Fatal(got)
	}
	var asked []string
	for range 5 {
		ask, ok := p.Want(b.World)
		if !ok {
			break
		}
		asked = append(asked, fmt.Sprint(ask.Path, ask.Start))
		p.SetState(b.World, ask, nil, errors.New("not now"))
	}
	if fmt.Sprint(asked) != "[history64 deep0]" {
		t.Fatalf("asked %v", asked)
	}
}

// TestStateThatCannotBeReadSaysWhyINV_HONEST holds INV-HONEST.
func TestStateThatCannotBeReadSaysWhyINV_HONEST(t *testing.T) {
	b := worldtest.Pingpong(t)
	m, _ := b.Replica.Mesh("ponger")
	p := New(worldtest.Keys)
	p.ShowActor(m.Ref.ID, 0)
	if got := screen(p, b, 50, 20); !strings.Contains(got, "reading …") {
		t.Fatal(got)
	}
	ask, _ := p.Want(b.World)
	p.SetState(b.World, ask, []control.StateNode{{Error: "it is no struct"}}, nil)
	if got := screen(p, b, 70, 20); !strings.Contains(got, "could not be read: it is no struct") {
		t.Fatal(got)
	}
	if _, ok := p.Want(b.World); ok {
		t.Fatal("it asks again at once")
	}
	b.Tick(3 * time.Second)
	answer(t, p, b, ponger(1))
	b.EditRank("ponger", 0, func(r *control.RankState) { r.Handled++ })
	b.Tick(5 * time.Second)
	ask, _ = p.Want(b.World)
	p.SetState(b.World, ask, nil, errors.New("the connection is lost"))
	if got := screen(p, b, 70, 20); !strings.Contains(got, "could not be read again: the connection is lost") || !strings.Contains(got, "as of 5.0s ago") || !strings.Contains(got, "count") {
		t.Fatal(got)
	}
}

// TestAnAnswerThatIsLateDoesNoHarm holds INV-BOUND too: however many actors are looked at, a few states are kept.
func TestAnAnswerThatIsLateDoesNoHarm(t *testing.T) {
	b := worldtest.Pingpong(t)
	m, _ := b.Replica.Mesh("ponger")
	p := New(worldtest.Keys)
	p.ShowActor(m.Ref.ID, 1)
	first, _ := p.Want(b.World)
	p.ShowActor(m.Ref.ID, 2)
	answer(t, p, b, ponger(22))
	p.SetState(b.World, first, ponger(11), nil)
	p.SetState(b.World, Ask{Mesh: 99, Rank: 3}, ponger(33), nil)
	p.SetState(b.World, Ask{Mesh: m.Ref.ID, Rank: 2, Path: "nowhere", Start: 7}, ponger(44), nil)
	if got := screen(p, b, 50, 20); !strings.Contains(got, "22") || strings.Contains(got, "11  ") {
		t.Fatal(got)
	}
	p.ShowActor(m.Ref.ID, 1)
	if got := screen(p, b, 50, 20); !strings.Contains(got, "count") || !strings.Contains(got, "11") {
		t.Fatal(got)
	}
	for rank := range 40 {
		p.ShowActor(m.Ref.ID, rank)
		p.Want(b.World)
	}
	if len(p.snaps) > maxSnapshots {
		t.Fatalf("%d states are kept", len(p.snaps))
	}
}

// TestTheCursorStaysOnItsLineINV_CURSOR holds INV-CURSOR.
func TestTheCursorStaysOnItsLineINV_CURSOR(t *testing.T) {
	p, b := shown(t, 0)
	at(t, p, b, "state loss")
	b.EditRank("ponger", 0, func(r *control.RankState) { r.Reason = "a reason that takes a line" })
	screen(p, b, 50, 20)
	if p.Text() != "loss = 0.8818" {
		t.Fatalf("on %q", p.Text())
	}
	at(t, p, b, "state opts")
	p.Right()
	screen(p, b, 50, 20)
	p.Down(2)
	if p.Text() != `opts.tag = "warm"` {
		t.Fatalf("on %q", p.Text())
	}
	p.Left()
	if p.Text() != `opts = {retries: 3, tag: "warm"}` {
		t.Fatalf("left leads to %q", p.Text())
	}
	p.Left()
	screen(p, b, 50, 20)
	if _, ok := p.Want(b.World); ok || strings.Contains(screen(p, b, 50, 20), "retries  ") {
		t.Fatal("it is still open")
	}
}

func TestNothingBreaksWhateverIsDone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := worldtest.Pingpong(t)
		m, _ := b.Replica.Mesh("ponger")
		pm, _ := b.ProcMesh("trainers")
		id, first := m.Ref.ID, pm.FirstProc
		p := New(worldtest.Keys)
		n := func() int { return rapid.IntRange(-5, 70).Draw(rt, "n") }
		acts := []func(){
			func() { p.Up(n()) }, func() { p.Down(n()) }, p.Home, p.End, func() { p.Page(n()) }, p.Left, p.Right, func() { p.Enter() }, func() { p.Wheel(n()) }, func() { p.Click(n(), n()) },
			func() { p.NextTab(n()) }, p.ToggleTypes, p.Refresh, func() { p.Expand("history") }, func() { p.ShowActor(id, n()) }, func() { p.ShowMesh(id) }, func() { p.ShowProcs(pm.ID) },
			func() { p.ShowProc(first + uint64(max(0, n()))) }, func() { b.Tick(time.Second) },
			func() { b.EditMesh("ponger", func(m *control.Mesh) { m.Ref.Home = shape.Region{} }) }, func() { p.ClearLast() },
			func() {
				_ = p.SetFilter(rapid.SampledFrom([]string{"", "a", "count", "!o", "/1/ r"}).Draw(rt, "filter"))
			},
			func() { b.EditMesh("ponger", func(m *control.Mesh) { m.Ranks = m.Ranks[:len(m.Ranks)/2] }) },
			func() {
				ask, ok := p.Want(b.World)
				if !ok {
					return
				}
				nodes := ponger(n())
				if rapid.Bool().Draw(rt, "odd") {
					nodes = []control.StateNode{{Path: ask.Path, Len: n(), Nodes: ponger(1)[0].Nodes[:rapid.IntRange(0, 6).Draw(rt, "kids")]}}
				}
				p.SetState(b.World, ask, nodes, nil)
			},
		}
		p.ShowActor(id, 0)
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			acts[rapid.IntRange(0, len(acts)-1).Draw(rt, "act")]()
			w, h := rapid.IntRange(0, 100).Draw(rt, "w"), rapid.IntRange(0, 40).Draw(rt, "h")
			p.Frame(b.World)
			p.Draw(paint.New(w, h), b.World, rapid.Bool().Draw(rt, "focus"))
			p.Text()
			if len(p.lines) > 0 && p.win.Cursor >= len(p.lines) {
				rt.Fatalf("the cursor is on line %d of %d", p.win.Cursor, len(p.lines))
			}
		}
	})
}

func TestWhyAThingEndedIsToldOnceAndBeginsWithItsCause(t *testing.T) {
	const why = "worker 41 of procs trainers (pid 5042) was killed by SIGKILL"
	b := worldtest.Pingpong(t)
	b.Proc("trainers", 41, "oom", why)
	b.EditRank("ponger", 41, func(r *control.RankState) { r.State, r.Reason = "gone", why })
	b.Proc("trainers", 42, "killed", strings.ReplaceAll(why, "41", "42"))
	b.EditMesh("ponger", func(m *control.Mesh) { m.State, m.Reason = "failed", why })
	m, _ := b.Replica.Mesh("ponger")
	pm, _ := b.ProcMesh("trainers")
	for name, c := range map[string]struct {
		show  func(p *Pane)
		cause string
	}{
		"actor":   {func(p *Pane) { p.ShowActor(m.Ref.ID, 41) }, "reason    OOM: worker 41 of"},
		"process": {func(p *Pane) { p.ShowProc(pm.FirstProc + 42) }, "reason    SIGKILL: worker 42 of"},
		"mesh":    {func(p *Pane) { p.ShowMesh(m.Ref.ID) }, "reason    SIGKILL: worker 41 of"},
	} {
		p := New(worldtest.Keys)
		c.show(p)
		if got := screen(p, b, 76, 30); !strings.Contains(got, c.cause) || strings.Count(got, "worker 4") != 1 {
			t.Errorf("%s: no single %q in\n%s", name, c.cause, got)
		}
	}
}

func TestACastIsNotACallWithoutAnAnswer(t *testing.T) {
	p, b := shown(t, 13)
	b.Message(control.Message{Call: 77, ID: 900, Kind: control.MessageCall, From: "main", To: "@ponger[13]", Endpoint: "Pong", Adverb: control.AdverbBroadcast, Ranks: 1})
	p.SetTab(tabCalls)
	got := screen(p, b, 76, 16)
	line := got[strings.Index(got, "Pong("):]
	if line = line[:strings.Index(line, "\n")]; strings.Contains(got, "no answer") || !strings.HasSuffix(line, " cast │") {
		t.Error(got)
	}
}

func TestAnActorThatIsBusySaysSoInsteadOfItsState(t *testing.T) {
	b := worldtest.Pingpong(t)
	b.EditRank("ponger", 0, func(r *control.RankState) {
		r.State, r.Running, r.Since = "busy", []string{"Pong"}, b.Now.Add(-3200*time.Millisecond)
	})
	m, _ := b.Replica.Mesh("ponger")
	p := New(worldtest.Keys)
	p.ShowActor(m.Ref.ID, 0)
	got := screen(p, b, 76, 16)
	if strings.Contains(got, "reading …") || !strings.Contains(got, "busy in Pong for 3.2s") {
		t.Error(got)
	}
	ask, _ := p.Want(b.World)
	p.SetState(b.World, ask, []control.StateNode{{Error: "@ponger[0] is busy in [Pong]; its state is read between messages"}}, nil)
	if again := screen(p, b, 76, 16); again != got {
		t.Errorf("what the engine answers then is told as a failure:\n%s", again)
	}
	p.SetState(b.World, ask, nil, errors.New("the connection is lost"))
	if got := screen(p, b, 76, 16); !strings.Contains(got, "could not be read: the connection is lost") {
		t.Error(got)
	}
	p.SetState(b.World, ask, ponger(1), nil)
	if got := screen(p, b, 76, 16); strings.Contains(got, "busy in") || !strings.Contains(got, "count") {
		t.Error(got)
	}
	p.ShowActor(m.Ref.ID, 1)
	if got := screen(p, b, 76, 16); !strings.Contains(got, "reading …") {
		t.Error(got)
	}
}

// cutWord is a word that ends in …
var cutWord = regexp.MustCompile(`\S…`)

func TestTheTabsFitAnyWidth(t *testing.T) {
	b := worldtest.Pingpong(t)
	m, _ := b.Replica.Mesh("ponger")
	p := New(worldtest.Keys)
	for _, show := range []func(){func() { p.ShowActor(m.Ref.ID, 9) }, func() { p.ShowMesh(m.Ref.ID) }} {
		show()
		for range tabNames(p.thing.kind) {
			p.NextTab(1)
			open := "‹" + tabNames(p.thing.kind)[p.tab()] + "›"
			for w := 18; w <= 40; w++ {
				first, _, _ := strings.Cut(screen(p, b, w, 8), "\n")
				if cutWord.MatchString(first) || !strings.Contains(first, open) || w >= 36 && !strings.Contains(first, "Inspect") {
					t.Errorf("%d cells: %s", w, first)
				}
			}
		}
	}
}
