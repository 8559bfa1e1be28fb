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
