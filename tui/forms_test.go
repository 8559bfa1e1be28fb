package tui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// values are what stands in the fields of the form on top.
func values(m *Model) string {
	var out []string
	for _, x := range m.top().(*form).fields {
		out = append(out, x.label+"="+x.value())
	}
	return strings.Join(out, " ")
}

func TestALiteralAndItsFieldsGoBackAndForthWithoutLoss(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", "x")
	typeText(m, "4")
	press(t, m, "tab")
	typeText(m, "a, b")
	press(t, m, "tab")
	typeText(m, "7s")
	before := values(m)
	press(t, m, "ctrl+e", "ctrl+e")
	if got := values(m); got != before || !strings.Contains(got, "n=4 tag=a, b timeout=7s") {
		t.Errorf("%q became %q", before, got)
	}
	press(t, m, "ctrl+e", "end", "backspace") // the } goes
	press(t, m, "ctrl+e")
	if got := values(m); !strings.Contains(got, `ball={n: 4, tag: "a, b"`) {
		t.Errorf("a literal with a mistake is %q", got)
	}
	for _, c := range []struct{ literal, want string }{
		{`{n: 5, tag: "x, {y"}`, `n=5 tag="x, {y"`},
		{`{tag: warm, n: 6}`, `n=6 tag=warm`},
		{`{N: 7}`, `n=7 tag= `},
		{`{n: 8, tag: don't}`, `n=8 tag=don't`},
	} {
		f := m.top().(*form)
		f.fields[atArgs].input.SetValue(c.literal)
		f.check()
		press(t, m, "ctrl+e")
		if got := values(m); !strings.Contains(got, c.want) {
			t.Errorf("%s became %q, want %q", c.literal, got, c.want)
		}
		press(t, m, "ctrl+e")
	}
}

func TestAnEndpointsDraftIsThereWhenTheEndpointIs(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "2", "x")
	typeText(m, "4")
	press(t, m, "shift+tab", "shift+tab", "shift+tab", "right")
	if got := values(m); !strings.Contains(got, "endpoint=Status") || strings.Contains(got, "n=") {
		t.Fatal(got)
	}
	if got := values(press(t, m, "left")); !strings.Contains(got, "n=4") {
		t.Error(got)
	}
	press(t, m, "tab", "tab", "ctrl+u")
	typeText(m, "dp=1")
	press(t, m, "ctrl+g")
	if got := m.panes.grid.Selected(); len(got) != 8 {
		t.Errorf("the grid has %v of what was typed into the form", got)
	}
	if got := values(press(t, m, "x")); !strings.Contains(got, "ranks=dp=1") || !strings.Contains(got, "n=4") {
		t.Error(got)
	}
}

func TestTheHistoryOfAnEndpointIsNotThatOfAnother(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	m.history = []string{"call @ponger.Pong {n: 1}", "call @ponger.PongAll {n: 2}", "call @x[dp=1, tp=2].Pong {n: 3}", "stop @ponger.Pong", "call @y.Status .Pong"}
	press(t, m, "2", "x", "ctrl+r")
	var got []string
	for _, r := range m.top().(*picker).rows {
		got = append(got, r.text)
	}
	if want := []string{m.history[2], m.history[0]}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := values(press(t, m, "enter")); !strings.Contains(got, "n=3 tag= ") {
		t.Error(got)
	}
}

func TestASmallFormKeepsTheFieldAndTheAnswerInSight(t *testing.T) {
	for _, size := range []struct{ w, h int }{{40, 12}, {32, 10}, {30, 8}} {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			m := still(t, worldtest.Pingpong(t), size.w, size.h)
			press(t, m, "2", "x")
			typeText(m, "four")
			if got := screen(t, m); !strings.Contains(got, "▸n") || !strings.Contains(got, "✕ n: want int") {
				t.Errorf("the field and its mistake are not both in sight:\n%s", got)
			}
			press(t, m, "backspace", "backspace", "backspace", "backspace")
			typeText(m, "4")
			press(t, m, "enter", "tab", "tab")
			a := m.lastCall().answers
			for rank := range 3 {
				a.add(script.Answer{Rank: rank, Outcome: control.OutcomeReply, Value: "5", Took: time.Millisecond})
			}
			m.lastCall().done, m.lastCall().ok = true, true
			m.touch()
			if got := screen(t, m); !strings.Contains(got, "▸timeout") || !strings.Contains(got, "answers") || !strings.Contains(got, "3 → 5") {
				t.Errorf("the field and the answers are not both in sight:\n%s", got)
			}
		})
	}
}

func TestAClickOnASmallFormGoesToTheFieldThatIsSeen(t *testing.T) {
	for _, size := range []struct{ w, h int }{{120, 40}, {40, 12}, {30, 8}} {
		m := still(t, worldtest.Pingpong(t), size.w, size.h)
		press(t, m, "2", "x", "shift+tab", "shift+tab", "shift+tab", "shift+tab") // the last field: the first ones may be out of sight
		for y := range m.h {
			line := strings.Split(screen(t, m), "\n")[y]
			for i, f := range m.top().(*form).fields {
				if !strings.HasPrefix(strings.TrimLeft(line, "│ ┃▸"), f.label+" ") {
					continue
				}
				m.Update(tea.MouseClickMsg{X: m.w / 2, Y: y, Button: tea.MouseLeft})
				if got := m.top().(*form).at; got != i {
					t.Errorf("%d×%d: a click on %s goes to field %d", size.w, size.h, f.label, got)
				}
				if before, _, found := strings.Cut(line, "Status"); found {
					m.Update(tea.MouseClickMsg{X: len([]rune(before)) + 1, Y: y, Button: tea.MouseLeft})
					if f := m.top().(*form).fields[0]; f.value() != "Status" {
						t.Errorf("%d×%d: a click on Status chooses %s", size.w, size.h, f.value())
					}
				}
			}
		}
	}
}

func TestANameThatWasTypedOutlivesAnotherType(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	press(t, m, "a")
	if got := values(m); !strings.Contains(got, "type=Pinger name=pinger0") {
		t.Fatal(got)
	}
	if got := values(press(t, m, "right")); !strings.Contains(got, "type=Ponger name=ponger0") {
		t.Error(got)
	}
	press(t, m, "tab", "end")
	typeText(m, "x")
	press(t, m, "tab")
	typeText(m, "5")
	press(t, m, "shift+tab", "shift+tab", "left", "right")
	if got := values(m); !strings.Contains(got, "name=ponger0x Start=5") {
		t.Error(got)
	}
	press(t, m, "tab")
	typeText(m, " y")
	if got := screen(t, m); !strings.Contains(got, "a name is one word") {
		t.Error(got)
	}
}

func TestALetterGoesThroughTheChoicesThatBeginWithIt(t *testing.T) {
	f := &form{fields: []*field{choiceOf("verb", []string{"call", "one", "choose", "cast"}, 0)}}
	var got []string
	for range 4 {
		f.key(nil, tea.KeyPressMsg{Code: 'c', Text: "c"})
		got = append(got, f.fields[0].value())
	}
	if want := "choose cast call choose"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestACompletionBehindASelectionIsTheEndpoint(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	for _, c := range []struct {
		line, want string
	}{
		{"call @ponger[dp=1,tp=2].Po", "call @ponger[dp=1,tp=2].Pong"},
		{"call @ponger[dp=1,t", "call @ponger[dp=1,tp="},
		{"call @ponger[", "call @ponger[dp="}, // the first; tab again: tp=
		{"call @ponger[d", "call @ponger[dp="},
		{"call @ponger[dp=1", "call @ponger[dp=1"},
	} {
		press(t, m, ":")
		typeText(m, c.line)
		press(t, m, "tab")
		if got := m.input.field.Value(); got != c.want {
			t.Errorf("%s becomes %s, want %s", c.line, got, c.want)
		}
		press(t, m, "esc")
	}
	press(t, m, ":")
	typeText(m, "call @pon x")
	press(t, m, "left", "left", "tab")
	if got := m.input.field.Value(); got != "call @ponger. x" {
		t.Errorf("in the middle of a line: %s", got)
	}
}

func TestTheHistoryIsSearchedForWhatWasTypedAndEscComesBack(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	m.history = []string{"stop @a", "call @b.C"}
	press(t, m, ":")
	typeText(m, "sto")
	press(t, m, "ctrl+r")
	if p := m.top().(*picker); len(p.shown) != 1 {
		t.Errorf("%d lines are shown", len(p.shown))
	}
	press(t, m, "esc", "esc")
	if m.top() != nil || m.input == nil || m.input.field.Value() != "sto" {
		t.Error("what was typed is lost")
	}
	press(t, m, "ctrl+r", "enter")
	if m.input.field.Value() != "stop @a" {
		t.Error(m.input.field.Value())
	}
}

func TestAListThatIsLoadedAnewKeepsItsCursor(t *testing.T) {
	n := 0
	load := func(*Model) (rows []choice) {
		for i := range 40 {
			rows = append(rows, choice{text: fmt.Sprintf("%d for %ds", i, n), key: fmt.Sprint("w", i)})
		}
		return rows
	}
	p := newPicker("x", load(nil))
	p.reload = load
	p.win.Fit(40, 10)
	p.win.To(25)
	p.win.Scroll(3)
	at, top := p.current().key, p.win.Top
	n++
	p.refresh(nil)
	if p.current().key != at || p.win.Top != top {
		t.Errorf("the cursor was on %s, and is on %s; the top was %d, and is %d", at, p.current().key, top, p.win.Top)
	}
}

func TestAPasteIsOneLineWhateverEndsItsLines(t *testing.T) {
	for _, text := range []string{"a b\nc", "a  b\r\nc\n", "\ra b\rc\r"} {
		if got := oneLine(text); got != "a b ; c" {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}
