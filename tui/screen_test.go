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
	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// still is an explorer that looks at a world in which nothing moves: its screens are the same at every run.
func still(t testing.TB, b *worldtest.Builder, w, h int, change ...func(*Config)) *Model {
	t.Helper()
	cfg := Config{Now: func() time.Time { return b.Now }, Settings: Settings{Theme: "dark"}, Demos: []Demo{{Name: "pingpong"}}}
	for _, c := range change {
		c(&cfg)
	}
	m, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	m.Update(tea.WindowSizeMsg{Width: w, Height: h})
	if b.Loaded {
		m.world = b.World
		c := control.InProcess(inert{b}, control.ClientInfo{Name: "explorer"})
		session, err := script.NewSession(t.Context(), c, script.Options{})
		if err != nil {
			t.Fatal(err)
		}
		watch, err := c.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m.conn = newConn(c, session, watch)
		m.conn.gen = 1
		m.dialer.own = true
		m.worldChanged()
	}
	return m
}

// press presses keys; what they would do beside the screen does not happen.
func press(t testing.TB, m *Model, names ...string) *Model {
	t.Helper()
	for _, k := range names {
		msg, err := keys.Parse(remapped(t, m, k))
		if err != nil {
			t.Fatal(err)
		}
		m.View() // a person looks before pressing a key; panes know their size from then on
		m.Update(msg)
	}
	return m
}

func typeText(m *Model, text string) *Model {
	for _, r := range text {
		m.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	return m
}

// screen is what a person sees, and checks INV-SIZE on the way.
func screen(t tester, m *Model) string {
	t.Helper()
	v := m.View()
	if m.crash != nil {
		t.Fatalf("panic: %v\n%s", m.crash.Value, m.crash.Stack)
	}
	lines := strings.Split(ansi.Strip(v.Content), "\n")
	if len(lines) != m.h {
		t.Fatalf("%d rows on a screen of %d", len(lines), m.h)
	}
	for i, l := range lines {
		if got := ansi.StringWidthWc(l); got != m.w { // as terminals count
			t.Fatalf("row %d is %d cells wide on a screen of %d: %q", i, got, m.w, l)
		}
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// sizes are those that every pane and overlay is looked at.
var sizes = []struct{ w, h int }{{120, 40}, {80, 24}, {40, 12}, {32, 10}, {20, 6}}

func TestTheScreensAreAsTheyWereLookedAt(t *testing.T) {
	for _, sc := range scenes {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s/%dx%d", sc.name, size.w, size.h), func(t *testing.T) {
				b := sc.world(t)
				m := still(t, b, size.w, size.h)
				sc.do(t, m)
				golden.RequireEqual(t, screen(t, m))
			})
		}
	}
}

// TestTheThemesAreAsTheyWereLookedAt keeps one screen with its colours for each theme, without colours, and in ASCII.
func TestTheThemesAreAsTheyWereLookedAt(t *testing.T) {
	for _, name := range paint.Themes() {
		t.Run(name, func(t *testing.T) {
			m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Settings.Theme = name })
			press(t, m, "2", "v", "j", "l")
			golden.RequireEqual(t, m.View().Content+"\n")
		})
	}
	t.Run("ascii", func(t *testing.T) {
		m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Settings.ASCII = true })
		press(t, m, "2", "v", "j", "l")
		text := screen(t, m)
		if i := strings.IndexFunc(text, func(r rune) bool { return r > 0x7e }); i >= 0 {
			t.Errorf("%q is not ASCII", text[i:i+4])
		}
		golden.RequireEqual(t, text)
	})
}

// tester is what screen needs of a test.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

// ballState is the state of an actor.
func ballState(count string) []control.StateNode {
	return []control.StateNode{{Rank: 9, Name: "Ponger", Type: "pingpong.Ponger", Kind: "struct", Len: 4, Nodes: []control.StateNode{
		{Name: "count", Path: "count", Type: "int", Kind: "int", Text: count},
		{Name: "peer", Path: "peer", Type: "engine.Mesh[Pinger]", Kind: "mesh", Text: "@pinger[9]"},
		{Name: "history", Path: "history", Type: "[]int", Kind: "list", Text: "[256]", Len: 256},
		{Name: "loss", Path: "loss", Type: "float64", Kind: "float", Text: "0.1907"},
	}}}
}

// inert is a session that shows a world, and does nothing of what it is asked for.
type inert struct{ b *worldtest.Builder }

func (d inert) Subscribe(func(*control.Event)) (*control.Snapshot, func()) {
	snap := d.b.Snapshot
	return &snap, func() {}
}

func (inert) Handle(context.Context, control.ClientInfo, any) (any, error) { return nil, errInert }

func (inert) StartCall(context.Context, control.ClientInfo, control.CallReq, func(control.Reply)) func() (control.CallDone, error) {
	return func() (control.CallDone, error) { return control.CallDone{}, errInert }
}

func (inert) Attach(c control.ClientInfo) control.ClientInfo { return c }
func (inert) Detach(control.ClientInfo)                      {}

var errInert = errors.New("this session does nothing")

// printing is a world whose workers print.
func printing(t testing.TB) *worldtest.Builder {
	b := worldtest.Pingpong(t)
	for rank := range 8 {
		b.Log(control.Log{Time: b.Now.Add(-2 * time.Second), Proc: uint64(1 + rank), Mesh: "ponger", Rank: rank, Stream: "out", Text: fmt.Sprintf("Actor %d: Received message 'warm'", rank)})
	}
	for rank := range 64 {
		b.Log(control.Log{Time: b.Now.Add(-time.Second), Proc: uint64(1 + rank), Mesh: "ponger", Rank: rank, Stream: "out", Text: "step 1181 loss 0.1907"})
	}
	b.Log(control.Log{Time: b.Now.Add(-900 * time.Millisecond), Proc: 41, Mesh: "", Rank: 40, Stream: "err", Text: "NCCL WARN Call to ibv_modify_qp failed"})
	return b
}

// TestEverySizeIsLaidOutWithoutOverlapINV_SIZE holds INV-SIZE for the layout.
func TestEverySizeIsLaidOutWithoutOverlapINV_SIZE(t *testing.T) {
	step := 1
	if quicnet.Poison { // built with -race, which is many times slower, and nothing here runs beside anything: each width, at a third of the heights
		step = 3
	}
	for w := range 201 {
		for h := w % step; h < 71; h += step {
			for focus := Mesh; focus < panes; focus++ {
				for zoom := range zooms {
					for n := range 4 {
						story, bar := n&1 > 0, n&2 > 0
						for _, side := range []int{-200, 0, 7, 200} {
							check(t, w, h, Arrange(w, h, focus, zoom, story, bar, side, Needs{}), focus)
						}
						for _, need := range []Needs{
							{Mesh: {300, 3}, Ranks: {10, 3}, Inspect: {20, 3}, Messages: {10, 300}, Logs: {300, 300}},
							{Mesh: {10, 90}, Ranks: {50, 12}, Inspect: {300, 90}, Messages: {300, 3}, Logs: {5, 4}},
						} {
							check(t, w, h, Arrange(w, h, focus, zoom, story, bar, 0, need), focus)
							check(t, w, h, Arrange(w, h, focus, zoom, story, bar, 11, need), focus)
						}
					}
				}
			}
		}
	}
}

func check(t *testing.T, w, h int, l Layout, focus PaneID) {
	t.Helper()
	if l.Small {
		if w >= minWidth && h >= minHeight {
			t.Fatalf("%d×%d is large enough", w, h)
		}
		return
	}
	rects := []paint.Rect{l.Header, l.Tabs, l.Story, l.Bar, l.Status, l.Input, l.Hints}
	rects = append(append(rects, l.Panes[:]...), l.Titles[:]...)
	area := 0
	for i, r := range rects {
		if r.Empty() {
			continue
		}
		if r.X < 0 || r.Y < 0 || r.X+r.W > w || r.Y+r.H > h {
			t.Fatalf("%d×%d focus %d: %+v is outside", w, h, focus, r)
		}
		for _, o := range rects[:i] {
			if !o.Intersect(r).Empty() {
				t.Fatalf("%d×%d focus %d: %+v and %+v overlap", w, h, focus, r, o)
			}
		}
		area += r.W * r.H
	}
	if area != w*h {
		t.Fatalf("%d×%d focus %d: %d of %d cells are laid out", w, h, focus, area, w*h)
	}
	if p := l.Panes[focus]; p.W < 18 || p.H < 3 {
		t.Fatalf("%d×%d: the focused pane %d has only %+v", w, h, focus, p)
	}
}

func TestPanesThatAreFullGetWhatOthersDoNotNeed(t *testing.T) {
	const w, h = 200, 60
	plain := Arrange(w, h, Ranks, Normal, false, false, 0, Needs{})
	need := Needs{Mesh: {40, 16}, Ranks: {60, 14}, Inspect: {80, 24}, Messages: {100, 400}, Logs: {96, 400}}
	l := Arrange(w, h, Ranks, Normal, false, false, 0, need)
	if got := l.Panes[Ranks].W; got >= plain.Panes[Ranks].W || got < 60 {
		t.Errorf("the grid has %d columns, and needs 60", got)
	}
	if got := l.Panes[Inspect].W; got != 80 {
		t.Errorf("the inspector has %d columns, and needs 80", got)
	}
	if got := l.Panes[Logs].W; got != 96 || l.Panes[Messages].W < 100 {
		t.Errorf("the logs have %d columns and the messages %d", got, l.Panes[Messages].W)
	}
	if got := l.Panes[Mesh].H; got != 24 {
		t.Errorf("the upper row is %d high, and needs 24", got)
	}
	if side := Arrange(w, h, Ranks, Normal, false, false, 20, need); side.Panes[Ranks].W <= l.Panes[Ranks].W {
		t.Errorf("what a person has widened is %d columns, and was %d", side.Panes[Ranks].W, l.Panes[Ranks].W)
	}
	small := Needs{Mesh: {28, 14}, Ranks: {56, 14}, Inspect: {40, 16}, Messages: {88, 30}, Logs: {70, 30}}
	l = Arrange(120, 40, Ranks, Normal, false, false, 0, small)
	if m, g := l.Panes[Messages], l.Panes[Logs]; m.W != 120 || g.W != 120 || m.H < 7 || g.H < 7 || g.Y != m.Y+m.H {
		t.Errorf("lines are cut, and the rows are free: messages have %+v and logs %+v", m, g)
	}
	if wide := Arrange(120, 40, Messages, Normal, false, false, 8, small); wide.Panes[Messages].H <= l.Panes[Messages].H {
		t.Errorf("messages that stand above the logs cannot be made higher: %+v", wide.Panes[Messages])
	}
	small[Logs] = Need{W: 38}
	if l = Arrange(120, 40, Ranks, Normal, false, false, 0, small); l.Panes[Logs].W == 120 {
		t.Error("logs without lines have a row of their own")
	}
	small[Inspect].H = 30
	if l = Arrange(120, 40, Ranks, Normal, false, false, 0, small); l.Panes[Inspect].H < 20 {
		t.Errorf("the inspector has given rows that it needs: %+v", l.Panes[Inspect])
	}
	need[Inspect] = Need{}
	if l := Arrange(w, h, Ranks, Normal, false, false, 0, need); l.Panes[Inspect] != plain.Panes[Inspect] {
		t.Errorf("a pane whose need is not known has %+v, and had %+v", l.Panes[Inspect], plain.Panes[Inspect])
	}
}

// TestAWideScreenIsFullOfWhatThereIs keeps the screen of a small mesh at work on a large terminal.
func TestAWideScreenIsFullOfWhatThereIs(t *testing.T) {
	b := worldtest.New(t)
	b.Type(worldtest.PongerType())
	b.Procs("trainers", shape.Extent{{Name: "hosts", Size: 2}, {Name: "gpus", Size: 4}}, worldtest.Opts{Virtual: true})
	b.Mesh("ponger", "trainers", worldtest.PongerType().Full)
	arg := []byte{0xa2, 0x61, 'n', 0x03, 0x63, 't', 'a', 'g', 0x64, 'w', 'a', 'r', 'm'}
	for call := range 40 {
		at := b.Now.Add(time.Duration(call-100) * 100 * time.Millisecond)
		for rank := range 8 {
			to := fmt.Sprintf("@ponger[%d]", rank)
			id := uint64(100*call + rank + 1)
			b.Message(control.Message{Time: at, Call: uint64(call + 1), ID: id, Kind: control.MessageCall, From: "main", To: to, Endpoint: "Pong", Ranks: 8, Bytes: len(arg), Body: arg})
			b.Message(control.Message{
				Time: at.Add(time.Millisecond), Call: uint64(call + 1), ID: id + 50, Parent: id, Kind: control.MessageReply, From: to, To: "main", Endpoint: "Pong", Ranks: 8,
				Bytes: 1, Body: []byte{0x04}, Took: time.Duration(700+10*rank) * time.Microsecond, Outcome: control.OutcomeReply,
			})
			b.Log(control.Log{Time: at, Proc: uint64(1 + rank), Mesh: "ponger", Rank: rank, Stream: "out", Text: fmt.Sprintf("Actor %d: Received message %d: 'Hello from main!'", rank, call)})
		}
	}
	m := still(t, b, 200, 60)
	press(t, m, "2")
	got := screen(t, m)
	if n := strings.Count(got, "'Hello from main!'  (×"); n < 35 {
		t.Errorf("%d lines are seen as a whole, though there is room for more", n)
	}
	golden.RequireEqual(t, got)
}
