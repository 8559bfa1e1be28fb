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
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// values are what stands in the fields of the form on top.
func values(m *Model) string {
	var out []string
	for _, x := range m.top().(*dialog.Form).Fields {
		out = append(out, x.Label+"="+x.Value())
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
		f := m.top().(*dialog.Form)
		f.Fields[atArgs].Set(c.literal)
		f.Check()
		press(t, m, "ctrl+e")
		if got := values(m); !strings.Contains(got, c.want) {
			t.Errorf("%s became %q, want %q", c.literal, got, c.want)
		}
		press(t, m, "ctrl+e")
	}
}

func TestEveryArgumentHasAFieldOfItsOwn(t *testing.T) {
	b := worldtest.Pingpong(t)
	arg := schema.Tuple([]*schema.Schema{{Kind: schema.KindInt, Name: "int", Bits: 64}, {Kind: schema.KindString, Name: "string"}}).Named([]string{"n", "who"})
	for i := range b.Types {
		b.Types[i].Endpoints = []control.Endpoint{{Name: "Add", Arg: arg}}
	}
	m := still(t, b, 120, 40)
	press(t, m, "2", "x")
	if got := values(m); !strings.Contains(got, "endpoint=Add") || !strings.Contains(got, "n= who= ") {
		t.Fatal(got)
	}
	typeText(m, "4")
	sends := func(want string) {
		t.Helper()
		if got := screen(t, m); !strings.Contains(got, "command   call @ponger[0].Add "+want) {
			t.Errorf("the form does not send %s:\n%s", want, got)
		}
	}
	sends(`{n: 4, who: ""}`)
	press(t, m, "tab")
	typeText(m, "ada b")
	sends(`{n: 4, who: "ada b"}`)
	for _, c := range []struct{ literal, want string }{{"5 x", "n=5 who=x"}, {`6, "y z"`, "n=6 who=y z"}, {"{who: w, n: 7}", "n=7 who=w"}} {
		press(t, m, "ctrl+e")
		f := m.top().(*dialog.Form)
		f.Fields[atArgs].Set(c.literal)
		f.Check()
		press(t, m, "ctrl+e")
		if got := values(m); !strings.Contains(got, c.want) {
			t.Errorf("%s became %q, want %q", c.literal, got, c.want)
		}
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
	for _, r := range m.top().(*dialog.Picker).Rows() {
		got = append(got, r.Text)
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
			for i, f := range m.top().(*dialog.Form).Fields {
				if !strings.HasPrefix(strings.TrimLeft(line, "│ ┃▸"), f.Label+" ") {
					continue
				}
				m.Update(tea.MouseClickMsg{X: m.w / 2, Y: y, Button: tea.MouseLeft})
				if got := m.top().(*dialog.Form).At; got != i {
					t.Errorf("%d×%d: a click on %s goes to field %d", size.w, size.h, f.Label, got)
				}
				if before, _, found := strings.Cut(line, "Status"); found {
					m.Update(tea.MouseClickMsg{X: len([]rune(before)) + 1, Y: y, Button: tea.MouseLeft})
					if f := m.top().(*dialog.Form).Fields[0]; f.Value() != "Status" {
						t.Errorf("%d×%d: a click on Status chooses %s", size.w, size.h, f.Value())
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
	if got := screen(t, m); !strings.Contains(got, "stop @a") || strings.Contains(got, "call @b.C") {
		t.Errorf("it is not searched for what was typed:\n%s", got)
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

func TestAPasteIsOneLineWhateverEndsItsLines(t *testing.T) {
	for _, text := range []string{"a b\nc", "a  b\r\nc\n", "\ra b\rc\r"} {
		if got := joinedLines(text); got != "a b ; c" {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

// A field that takes any value shows how one is written: a bare word is none there.
func TestTheExampleOfAFieldIsAValueOfIt(t *testing.T) {
	list := func(elem string) *schema.Schema {
		return &schema.Schema{Kind: schema.KindList, Elem: &schema.Schema{Kind: elem}}
	}
	for _, s := range []*schema.Schema{{Kind: schema.KindAny}, {Kind: schema.KindString}, {Kind: schema.KindBytes}, {Kind: schema.KindDuration}, list(schema.KindAny), list(schema.KindInt)} {
		text := strings.ReplaceAll(exampleOf(nil, s), ", …", "")
		if _, err := schema.ParseArg("v", nil, s, text, nil); err != nil || text == "" {
			t.Errorf("%s: e.g. %s: %v", s.TypeName(), text, err)
		}
	}
}
