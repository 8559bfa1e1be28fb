package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// fault is a message that the explorer cannot take.
type fault struct{}

func (fault) apply(*Model) tea.Cmd { panic("a fault that was put here") }

// TestAFaultOfTheExplorerRestoresTheTerminalAndIsTold provokes a panic in a running program.
func TestAFaultOfTheExplorerRestoresTheTerminalAndIsTold(t *testing.T) {
	for name, where := range map[string]func(m *Model) tea.Cmd{
		"in Update": func(*Model) tea.Cmd { return func() tea.Msg { return fault{} } },
		"in a task": func(m *Model) tea.Cmd { return m.task(func() tea.Msg { panic("a fault that was put here") }) },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Connect: func(context.Context) (*control.Client, error) { return nil, errors.New("no session in this test") }}
			m, err := New(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			m.logCommand("what was done last")
			r, w := io.Pipe()
			defer w.Close()
			var out bytes.Buffer
			p := tea.NewProgram(provoked{m, where(m)}, tea.WithInput(r), tea.WithOutput(&out), tea.WithoutSignalHandler(), tea.WithWindowSize(80, 24), tea.WithContext(m.ctx))
			done := make(chan struct{})
			go func() {
				_, _ = p.Run() // how it ended is in m.crash
				close(done)
			}()
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				t.Fatal("the program does not end")
			}
			if m.crash == nil || !strings.Contains(m.crash.Error(), "a fault that was put here") || !strings.Contains(string(m.crash.Stack), "crash_test.go") {
				t.Fatalf("the crash is not told: %v", m.crash)
			}
			if len(m.crash.Last) != 1 || m.crash.Last[0] != "what was done last" {
				t.Errorf("last commands %v", m.crash.Last)
			}
			if !strings.Contains(out.String(), "\x1b[?1049l") {
				t.Error("the terminal's own screen is not restored")
			}
		})
	}
}

// provoked is the explorer with one more thing to begin with.
type provoked struct {
	*Model
	first tea.Cmd
}

func (p provoked) Init() tea.Cmd { return tea.Batch(p.Model.Init(), p.first) }

func (p provoked) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	_, cmd := p.Model.Update(msg)
	return p, cmd
}

func TestADemoThatPanicsIsToldAndTheExplorerLives(t *testing.T) {
	m, err := New(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	next := m.startStory(Demo{Name: "bad", Run: func(context.Context, Tell) error { panic("oops") }}, false)
	m.Update(next())
	if s := m.story; !s.done || s.err == nil || !strings.Contains(s.err.Error(), "oops") {
		t.Errorf("%+v", s)
	}
}

// TestEveryTabTellsWhatItsPaneCanDo holds the table of slots to the panes: a text that is missing there would be an empty
// hint, title or message on the screen.
func TestEveryTabTellsWhatItsPaneCanDo(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	for p := Mesh; p < panes; p++ {
		s := &m.panes.slots[p]
		if s.name == "" || len(s.tabs) == 0 {
			t.Fatalf("slot %d has the name %q and %d tabs", p, s.name, len(s.tabs))
		}
		for i := range s.tabs {
			tab := &s.tabs[i]
			need := func(what, text string, has bool) {
				if has && text == "" {
					t.Errorf("tab %d of slot %s has no %s", i, s.name, what)
				}
			}
			need("name", tab.name, len(s.tabs) > 1)
			_, copies := tab.body.(texter)
			need("item", tab.item, copies)
			_, filters := tab.body.(filterer)
			need("hint about its filter", tab.filter, filters)
			_, opens := tab.body.(opener)
			need("title of its box", tab.box, opens)
			if _, turns := tab.body.(turner); turns != tab.pages {
				t.Errorf("tab %d of slot %s: its pane turns pages: %v, the table says %v", i, s.name, turns, tab.pages)
			}
		}
	}
}

func TestTheTabsOfASlotComeRoundInBothDirections(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	for p := Mesh; p < panes; p++ {
		s := &m.panes.slots[p]
		for _, by := range []int{1, -1} {
			for range s.tabs {
				s.turn(by)
			}
			if s.open != 0 {
				t.Errorf("slot %s: %d turns by %d lead to tab %d", s.name, len(s.tabs), by, s.open)
			}
		}
	}
}

func TestATabThatHasNoMessagesTellsTheWayToThem(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	if press(t, m, "4", "["); noStream(m) != "these are the open calls; ] goes to the messages" {
		t.Errorf("the tab of the calls says %q", noStream(m))
	}
	for p := Mesh; p < panes; p++ {
		for i, tab := range m.panes.slots[p].tabs {
			if tab.other == "" {
				continue
			}
			m.setFocus(p)
			m.panes.slots[p].open = i
			turn := m.panes.slots[p].toFirst()
			if got := noStream(m); !strings.HasPrefix(got, tab.other) || turn != "" && !strings.Contains(got, "; "+m.keyOf(turn)+" goes to") {
				t.Errorf("tab %s: %q, want %q and the way back by %q", tab.name, got, tab.other, turn)
			}
			if turn == "" {
				continue
			}
			if press(t, m, m.reg.named(turn).Keys[0]); noStream(m) != "" {
				t.Errorf("after the way back from tab %s it says %q", tab.name, noStream(m))
			}
		}
	}
	s := slot{tabs: make([]tab, 3)}
	for open, want := range []string{"", "prev.tab", "next.tab"} {
		if s.open = open; s.toFirst() != want {
			t.Errorf("from tab %d of 3 %q leads to the first, want %q", open, s.toFirst(), want)
		}
	}
}
