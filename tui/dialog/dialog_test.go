package dialog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// record is a host that notes what dialogs ask of it.
type record struct {
	closed Dialog
	warned string
}

func (r *record) Close(d Dialog)   { r.closed = d }
func (r *record) Warn(text string) { r.warned = text }

// pressIn presses keys in a dialog.
func pressIn(t *testing.T, d Dialog, h Host, names ...string) {
	t.Helper()
	for _, name := range names {
		k, err := keys.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		d.Key(h, k)
	}
}

func TestALetterGoesThroughTheChoicesThatBeginWithIt(t *testing.T) {
	f := &Form{Fields: []*Field{ChoiceField("verb", []string{"call", "one", "choose", "cast"}, 0)}}
	var got []string
	for range 4 {
		f.Key(nil, tea.KeyPressMsg{Code: 'c', Text: "c"})
		got = append(got, f.Fields[0].Value())
	}
	if want := "choose cast call choose"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestAListOfChoicesThatDoesNotFitShowsTheChosenOneWhole(t *testing.T) {
	f := &Field{Choices: []string{"Alpha", "BravoBravo", "Charlie", "DeltaDelta", "Echo"}}
	for at := range f.Choices {
		f.At = at
		from, to := f.fits(24)
		if from > at || to <= at {
			t.Errorf("the choice %s is not among [%d:%d]", f.Choices[at], from, to)
		}
	}
	if from, to := f.fits(1000); from != 0 || to != 5 {
		t.Errorf("with room for all [%d:%d] are shown", from, to)
	}
}

func TestAListThatIsLoadedAnewKeepsItsCursor(t *testing.T) {
	n := 0
	load := func() (rows []Choice) {
		for i := range 40 {
			rows = append(rows, Choice{Text: fmt.Sprintf("%d for %ds", i, n), Key: fmt.Sprint("w", i)})
		}
		return rows
	}
	p := NewPicker("x", load())
	p.Reload = load
	p.win.Fit(40, 10)
	p.win.To(25)
	p.win.Scroll(3)
	at, top := p.current().Key, p.win.Top
	n++
	p.Refresh()
	if p.current().Key != at || p.win.Top != top {
		t.Errorf("the cursor was on %s, and is on %s; the top was %d, and is %d", at, p.current().Key, top, p.win.Top)
	}
}

// TestAFormIsSentOnlyWhenAllOfItIsGood holds INV-JUDGED.
func TestAFormIsSentOnlyWhenAllOfItIsGood(t *testing.T) {
	sent, blocked := 0, "not connected"
	name := TextField("name", "", "")
	name.Judge = func(text string) (string, string, int) {
		if text == "" {
			return "", "want a name", 1
		}
		return "", "", 0
	}
	f := &Form{Fields: []*Field{TextField("note", "", ""), name}, Block: func() string { return blocked }, Submit: func() tea.Cmd { sent++; return nil }}
	h := &record{}
	pressIn(t, f, h, "enter")
	if sent != 0 || h.warned != blocked {
		t.Errorf("blocked: sent %d times, warned %q", sent, h.warned)
	}
	blocked = ""
	pressIn(t, f, h, "enter")
	if sent != 0 || h.warned != "name: want a name" || f.At != 1 {
		t.Errorf("with a mistake: sent %d times, warned %q, at field %d", sent, h.warned, f.At)
	}
	pressIn(t, f, h, "p", "enter")
	if sent != 1 {
		t.Errorf("a good form was sent %d times", sent)
	}
}

// TestTheCursorOfAListIsNeverOnAHeading holds INV-CHOICE.
func TestTheCursorOfAListIsNeverOnAHeading(t *testing.T) {
	rows := []Choice{{Head: "A"}, {Text: "a1"}, {Text: "a2"}, {Head: "B"}, {Text: "b1"}, {Head: "C"}}
	p := NewPicker("x", rows)
	for i, k := range strings.Fields("down down down down up up up up pgdown pgup b backspace down") {
		pressIn(t, p, &record{}, k)
		p.Draw(paint.New(30, 8))
		if c := p.current(); c == nil || c.Head != "" {
			t.Fatalf("after key %d, %s, the cursor is on %+v", i, k, c)
		}
	}
	only := NewPicker("x", []Choice{{Head: "nothing but a heading"}})
	pressIn(t, only, &record{}, "down", "enter")
}

func TestAWordThatIsTypedIsFoundBeforeWhatMerelyHasItsLetters(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"call", "call an endpoint: of what is selected|repeat the last call|callers|cancel the recall|select all"},
		{"CALL", "call an endpoint: of what is selected|repeat the last call|callers|cancel the recall|select all"},
		{"all", "select all|callers|repeat the last call|cancel the recall|call an endpoint: of what is selected"},
		{"last call", "repeat the last call"},
		{"x", "call an endpoint: of what is selected"}, // a key
	} {
		p := NewPicker("x", []Choice{
			{Text: "callers"}, {Text: "select all"}, {Text: "cancel the recall"}, {Text: "repeat the last call"}, {Text: "call an endpoint: of what is selected", Right: "x"},
		})
		p.SetFilter(c.typed)
		var got []string
		for _, i := range p.shown {
			got = append(got, p.rows[i].Text)
		}
		if found := strings.Join(got, "|"); found != c.want {
			t.Errorf("%q finds\n %s, want\n %s", c.typed, found, c.want)
		}
	}
}

func TestWhatWasTypedIsMarkedWhereItIsTheWord(t *testing.T) {
	p := NewPicker("x", []Choice{{Text: "cancel the call"}})
	p.SetFilter("call")
	if got, want := p.found[0], []int{11, 12, 13, 14}; !slices.Equal(got, want) {
		t.Errorf("marked at %v, want %v", got, want)
	}
}

// TestADangerousThingWantsItsNameTyped holds INV-WORD.
func TestADangerousThingWantsItsNameTyped(t *testing.T) {
	done := 0
	c := &Confirm{Word: "pm", Do: func() tea.Cmd { done++; return nil }}
	h := &record{}
	pressIn(t, c, h, "y", "enter", "backspace", "p", "enter")
	if done != 0 || h.closed != nil {
		t.Fatalf("it was done %d times without its name", done)
	}
	pressIn(t, c, h, "m", "enter")
	if done != 1 || h.closed != c {
		t.Errorf("with its name it was done %d times", done)
	}
}

func TestAChoiceIsFoundByTheWholeWordThatIsTyped(t *testing.T) {
	f := &Form{Title: func() string { return "t" }, Enter: "go", Submit: func() tea.Cmd { return nil },
		Fields: []*Field{ChoiceField("type", []string{"Counter", "Echo", "EchoActor", "ECC", "Toy"}, 0), TextField("name", "", "")}}
	for _, c := range []struct{ keys, want string }{{"Ec", "Echo"}, {"echoa", "EchoActor"}, {"ecc", "ECC"}, {"T", "Toy"}, {"ToyE", "Echo"}, {"act", "EchoActor"}, {"zzT", "Toy"}, {"ec", "Echo"}} {
		for _, r := range c.keys {
			f.Key(nil, tea.KeyPressMsg{Code: r, Text: string(r)})
		}
		if got := f.Fields[0].Value(); got != c.want {
			t.Errorf("%q chooses %s, want %s", c.keys, got, c.want)
		}
		f.Key(nil, tea.KeyPressMsg{Code: tea.KeyTab})
		f.Key(nil, tea.KeyPressMsg{Code: tea.KeyTab})
	}
}

func TestAHintDoesNotLookLikeAValue(t *testing.T) {
	f := &Form{Title: func() string { return "t" }, Enter: "go", Submit: func() tea.Cmd { return nil },
		Fields: []*Field{TextField("a", "", Example("0")), TextField("b", "", Unset("all")), TextField("c", "typed", Example("0"))}}
	s := paint.New(60, 12)
	f.Draw(s)
	for _, want := range []string{"a        e.g. 0", "b        empty: all", "c        typed"} {
		if !strings.Contains(s.Plain(), want) {
			t.Errorf("no %q in\n%s", want, s.Plain())
		}
	}
}

func TestAnEmptyPickerSaysAllThatItHasToSay(t *testing.T) {
	p := NewPicker("Attach", nil)
	p.Empty = "no session is running here; type the address of one. A program that calls engine.Main opens one"
	for _, wide := range []int{120, 40, 30} {
		w, h := p.Size(wide, 40)
		s := paint.New(w, h)
		p.Draw(s)
		text := strings.Join(strings.Fields(strings.Map(func(r rune) rune {
			if r > '~' {
				return ' '
			}
			return r
		}, s.Plain())), " ")
		if !strings.Contains(text, p.Empty) {
			t.Errorf("in %d columns, of %d by %d: %s", wide, w, h, text)
		}
	}
}
