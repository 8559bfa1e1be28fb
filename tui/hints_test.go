package tui

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// otherKeys gives every action a letter that no action has by default, of a row of letters that holds no accents alone.
func otherKeys() map[string][]string {
	out := map[string][]string{}
	for i, a := range actions() {
		if a.Name != interruptAction { // nobody can take its key away
			out[a.Name] = []string{string(rune(0x1E00 + i))} // Latin Extended Additional
		}
	}
	return out
}

// remapped is the key that now does what a key does by default: scenes are written with the keys as they are without
// settings. Where something else takes the keys, it is the key itself.
func remapped(t testing.TB, m *Model, key string) string {
	t.Helper()
	if len(m.cfg.Settings.Keys) == 0 || m.top() != nil || m.input != nil || m.pending != "" {
		return key
	}
	byDefault, err := newRegistry(actions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := byDefault.find(key, m.focus); a != nil {
		return m.reg.named(a.Name).Keys[0]
	}
	return key
}

// defaultKeys are the keys of actions without settings, as the screen shows them.
func defaultKeys() map[string]string {
	out := map[string]string{}
	for _, a := range actions() {
		for _, k := range a.Keys {
			if k != interruptKey {
				out[keyName(k)] = a.Name
			}
		}
	}
	return out
}

// bare is a word without the punctuation around it, the word itself where it is nothing else.
func bare(word string) string {
	if s := strings.Trim(word, "(),.:;│┃╭╰"); s != "" {
		return s
	}
	return word
}

// TestNoScreenShowsAKeyThatWasGivenAway holds INV-HINTS: every action has another key, and no scene tells of the old one.
// What a hint is coloured with is looked for by each key, and all words of the screen by those keys that are no words.
func TestNoScreenShowsAKeyThatWasGivenAway(t *testing.T) {
	old := defaultKeys()
	for _, sc := range scenes {
		for _, size := range sizes[:3] {
			t.Run(fmt.Sprintf("%s/%dx%d", sc.name, size.w, size.h), func(t *testing.T) {
				m := still(t, sc.world(t), size.w, size.h, func(c *Config) { c.Settings.Keys = otherKeys() })
				sc.do(t, m)
				screen(t, m)
				own := map[string]bool{} // of what takes the keys now
				if d := m.top(); d != nil {
					for _, k := range d.Hints() {
						own[keyName(k.Key)] = true
					}
					own["j"], own["k"] = true, true
				} else if m.input != nil {
					own[m.input.mark] = true
					for _, k := range m.input.keys {
						own[keyName(k.Key)] = true
					}
				}
				own["esc"] = own["esc"] || m.pending != ""
				own["space"] = own["space"] || m.story != nil
				for y, line := range strings.Split(m.screen.Plain(), "\n") {
					cells := []rune(line)
					for x := 0; x < len(cells); {
						from := x
						accent := accented(m.screen, x, y)
						for x < len(cells) && accented(m.screen, x, y) == accent && cells[x] != ' ' {
							x++
						}
						word := bare(string(cells[from:x]))
						if x == from {
							x++
						}
						action, isKey := old[word]
						switch {
						case !isKey, own[word], !accent && (m.top() != nil || isWord(word) || unicode.IsDigit([]rune(word)[0])):
							continue
						case slices.ContainsFunc(m.overlays, func(d dialog.Dialog) bool { return m.overlayRect(d).Y == y }): // a title is accented, too
							continue
						case strings.ContainsAny(word, "←→"): // of a message
							continue
						case strings.ContainsAny(word, "[]") && (from > 0 && cells[from-1] != ' ' || x < len(cells) && cells[x] != ' '): // a bracket
							continue
						case word == ":" && from == 1, (word == "a" || word == "r") && m.pending != "": // the sign of the command line; "a letter", and one that is kept
							continue
						}
						t.Errorf("row %d shows %q, which was the key of %q:\n%s", y, word, action, line)
					}
				}
			})
		}
	}
}

// accented reports whether a cell is coloured as the key of a hint.
func accented(s *paint.Surface, x, y int) (yes bool) {
	s.Restyle(paint.Rect{X: x, Y: y, W: 1, H: 1}, func(st paint.Style) paint.Style {
		yes = st.Fg == paint.Accent
		return st
	})
	return yes
}

// isWord reports whether the name of a key may stand in a text for something else: a word, a sign, or W for watts.
func isWord(k string) bool {
	switch k {
	case "a", "b", "n", "s", "W", "%", "-", "*", "=", "+", "|", "/", "<", ">", "#", "!", "'", `"`, ".", ":", "delete", "home", "end", "up", "down", "left", "right", "tab", "[", "]", "↑", "↓", "←", "→":
		return true
	}
	return false
}

func TestWhyNothingCanBeDoneTellsOfTheKeysThatWork(t *testing.T) {
	old := defaultKeys()
	for _, b := range []*worldtest.Builder{worldtest.New(t), worldtest.Pingpong(t)} {
		m := still(t, b, 120, 40, func(c *Config) { c.Settings.Keys = otherKeys() })
		for p := Mesh; p < panes; p++ {
			m.setFocus(p)
			for range m.panes.slots[p].tabs {
				m.panes.slots[p].turn(1)
				for _, a := range m.reg.list {
					for word := range strings.FieldsSeq(m.whyNot(a)) {
						if was, ok := old[bare(word)]; ok && !isWord(bare(word)) {
							t.Errorf("%s cannot be done: %q tells of the old key of %q", a.Name, m.whyNot(a), was)
						}
					}
				}
			}
		}
	}
}

// ownKeys are the texts that name a key which is no action's: one of a dialog, of the open line, of a chord, of a demo.
var ownKeys = map[string]bool{
	"a…z A…Z  a letter": true,
	"%d more (ctrl+o)":  true,
	"it is being made; esc leaves it to it, ctrl+x cancels": true,
	"a command, such as help; tab completes":                true,
	"space ":                                                true, // of a demo
	"j k":                                                   true,
	" …   a letter: the selection's name    esc": true,
	"skip: empty it": true,
	"enter: ":        true, // a picker takes what was typed
	"selections are stored under a letter, a to z or A to Z, not %q": true,
	"no session is running here; type the address of one. A program that calls engine.Main opens one; so does monarch-tui. From another machine: ssh HOST monarch-tui attach --stdio": true,
}

// TestNoTextInTheSourceNamesTheKeyOfAnAction reads what the scenes do not show: messages, reasons, hints of states that
// are rare. A text gets the key of an action from keys.Of.
func TestNoTextInTheSourceNamesTheKeyOfAnAction(t *testing.T) {
	old := defaultKeys()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "bench" {
			return fs.SkipDir
		}
		if filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "worldtest") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil || !strings.Contains(text, " ") || ownKeys[text] || strings.Contains(text, "# Settings of monarch-tui") {
				return true
			}
			for word := range strings.FieldsSeq(text) {
				if b := bare(word); len(b) == 3 && b[0] == '[' && unicode.IsDigit(rune(b[1])) && b[2] == ']' {
					t.Errorf("%s: %q names a pane by its number %s", name, text, b)
				}
				if was, isKey := old[bare(word)]; isKey && !isWord(bare(word)) && bare(word) != ";" && !unicode.IsDigit([]rune(bare(word))[0]) {
					t.Errorf("%s: %q names %q, the key of %q", name, text, bare(word), was)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestThePanesAreTestedWithTheKeysThatActionsHave keeps the goldens of the panes honest.
func TestThePanesAreTestedWithTheKeysThatActionsHave(t *testing.T) {
	m := still(t, worldtest.New(t), 120, 40)
	if got, want := worldtest.Keys(keys.Arrows), m.keyOf(keys.Arrows); got != want {
		t.Errorf("the arrows are %q in tests, and %q", got, want)
	}
	known := 0
	for _, a := range actions() {
		got := worldtest.Keys(a.Name)
		if strings.HasPrefix(got, "no action") {
			continue
		}
		if known++; got != a.Key() {
			t.Errorf("%s is %q in tests, and %q", a.Name, got, a.Key())
		}
	}
	if known == 0 {
		t.Error("the tests know no action")
	}
}

// screenRow is one row of a screen.
func screenRow(t *testing.T, m *Model, have string) string {
	t.Helper()
	for line := range strings.SplitSeq(screen(t, m), "\n") {
		if strings.Contains(line, have) {
			return line
		}
	}
	t.Fatalf("no row has %q:\n%s", have, screen(t, m))
	return ""
}

func TestTheHeaderTellsWhoHoldsTheClockAndThatBreakpointsSleep(t *testing.T) {
	bp := func(b *worldtest.Builder) *worldtest.Builder {
		b.Break(control.Breakpoint{ID: 1, Mesh: "ponger", State: control.BreakArmed})
		return b
	}
	for _, c := range []struct {
		w     int
		state control.DebugState
		want  string
		not   string
	}{
		{120, control.DebugState{Held: true}, "◌ clock held by a client", "paused"},
		{80, control.DebugState{Held: true}, "◌ clock held", "by a client"},
		{60, control.DebugState{Held: true}, "◌ clock held", "by a client"},
		{120, control.DebugState{Asleep: true}, "○ breakpoints sleep until a front end comes", "clock"},
		{80, control.DebugState{Asleep: true}, "○ breakpoints sleep", "until"},
		{80, control.DebugState{}, "live", "clock"},
	} {
		m := still(t, bp(worldtest.Pingpong(t)), c.w, 24)
		stopping(m, &control.Event{Debug: &c.state})
		if got, _, _ := strings.Cut(screen(t, m), "\n"); !strings.Contains(got, c.want) || strings.Contains(got, c.not) {
			t.Errorf("%d columns, %+v: the header is\n%s", c.w, c.state, got)
		}
	}
	m := still(t, bp(worldtest.Pingpong(t)), 120, 40)
	stopping(m, &control.Event{Debug: &control.DebugState{Asleep: true}})
	press(t, m, "5")
	m.panes.slots[Logs].open = tabBreaks
	if got := screen(t, m); !strings.Contains(got, "○ 1 ponger.*") || !strings.Contains(got, "○ asleep until a front end") {
		t.Errorf("the table says\n%s", got)
	}
}

// TestTheBarCountsDownWhileNobodyIsThere is what a viewer sees: the session waits for somebody who may act.
func TestTheBarCountsDownWhileNobodyIsThere(t *testing.T) {
	now := worldtest.Start()
	for policy, want := range map[string][3]string{
		control.PolicyContinue: {"nobody is here who may act: they go on in 21s (policy continue)", "they go on in 21s", "they go on in 0s"},
		control.PolicyAbort:    {"nobody is here who may act: their calls fail in 21s (policy abort)", "their calls fail in 21s", "their calls fail in 0s"},
		control.PolicyStay:     {"nobody is here who may act: they stay paused (policy stay)", "they stay paused", "they stay paused"},
	} {
		at := now
		m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Now = func() time.Time { return at } })
		stopping(m, stopEvent(1, 0), &control.Event{Debug: &control.DebugState{Held: true, Policy: policy, Grace: 30 * time.Second, Alone: now.Add(-9 * time.Second)}})
		if got := screenRow(t, m, "111 running"); !strings.Contains(got, want[0]) {
			t.Errorf("%s: the bar is\n%s", policy, got)
		}
		m.update(tea.WindowSizeMsg{Width: 80, Height: 40})
		if got := screenRow(t, m, "111 running"); !strings.Contains(got, want[1]) || strings.Contains(got, "nobody is") {
			t.Errorf("%s: the bar of 80 columns is\n%s", policy, got)
		}
		at = now.Add(time.Hour) // the session's clock, or ours, is wrong
		m.touch()
		if got := screenRow(t, m, "111 running"); !strings.Contains(got, want[2]) {
			t.Errorf("%s: later the bar is\n%s", policy, got)
		}
		stopping(m, &control.Event{Debug: &control.DebugState{Held: true, Policy: policy, Grace: 30 * time.Second}})
		if got := screenRow(t, m, "111 running"); strings.Contains(got, "they ") || strings.Contains(got, "their ") {
			t.Errorf("%s: somebody has come, and the bar is\n%s", policy, got)
		}
	}
}

func TestTheBarSpeaksOfOthersOnlyWhereThereAreSome(t *testing.T) {
	b := worldtest.New(t)
	b.Procs("p", shape.Extent{{Name: "gpus", Size: 2}}, worldtest.Opts{})
	b.Mesh("ponger", "p", "demo.Ponger")
	m := still(t, b, 120, 40)
	press(t, m, "1")
	stopping(m, stopEvent(1, 0))
	if got := screenRow(t, m, "1 running"); !strings.Contains(got, "ponger[0] · the others go on") {
		t.Errorf("one of two is paused, and the bar is\n%s", got)
	}
	stopping(m, stopEvent(2, 1))
	if got := screenRow(t, m, "0 running"); !strings.Contains(got, "ponger[*]") || strings.Contains(got, "others") {
		t.Errorf("both are paused, and the bar is\n%s", got)
	}
}
