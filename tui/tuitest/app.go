package tuitest

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/exp/teatest/v2"
	"github.com/charmbracelet/x/vt"

	"github.com/monarch-tui/monarch-tui/tui"
	"github.com/monarch-tui/monarch-tui/tui/keys"
)

// patience is how long something may take to appear. It is no measure of speed: machines that run tests are slow.
const patience = 20 * time.Second

// App is an explorer under test.
type App struct {
	t    testing.TB
	tm   *teatest.TestModel
	scr  display
	w, h int
	done bool
}

// display is a terminal emulator that one goroutine draws on while another looks at it; vt's own SafeEmulator draws
// beside those who look.
type display struct {
	mu  sync.Mutex
	emu *vt.Emulator // under mu, but for its answers
}

// Write draws what a program has put out.
func (d *display) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.emu.Write(b)
}

// String is what is seen.
func (d *display) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.emu.String()
}

func (d *display) resize(w, h int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.emu.Resize(w, h)
}

// Start starts the explorer on a terminal of w×h cells. The test ends it.
func Start(t testing.TB, cfg tui.Config, w, h int) *App {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	m, err := tui.New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	a := &App{t: t, w: w, h: h, scr: display{emu: vt.NewEmulator(w, h)}}
	_, _ = io.WriteString(&a.scr, "\x1b[20h") // where the input is no terminal, lines end in a bare line feed
	answers := make(chan struct{})
	go func() { // the emulator answers questions; nobody listens
		_, _ = io.Copy(io.Discard, a.scr.emu)
		close(answers)
	}()
	a.tm = teatest.NewTestModel(t, m, teatest.WithInitialTermSize(w, h), teatest.WithProgramOptions(
		tea.WithColorProfile(colorprofile.TrueColor), tea.WithEnvironment([]string{"TERM=xterm-256color"})))
	t.Cleanup(func() {
		if !a.done {
			_ = a.tm.Quit()
			a.tm.WaitFinished(t, teatest.WithFinalTimeout(patience))
		}
		cancel()
		m.Close()
		if in, ok := a.scr.emu.InputPipe().(io.Closer); ok { // ends the reading: Close beside it would race with it
			_ = in.Close()
		}
		<-answers
		_ = a.scr.emu.Close()
	})
	return a
}

// Press presses keys, named as Bubble Tea spells them: x, ?, enter, ctrl+p, shift+tab, up.
func (a *App) Press(names ...string) *App {
	a.t.Helper()
	for _, k := range names {
		msg, err := keys.Parse(k)
		if err != nil {
			a.t.Fatal(err)
		}
		a.tm.Send(msg)
	}
	return a
}

// Type types a text, a key for each character.
func (a *App) Type(text string) *App {
	for _, r := range text {
		a.tm.Send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	return a
}

// Resize gives the terminal another size.
func (a *App) Resize(w, h int) *App {
	a.read()
	a.w, a.h = w, h
	a.scr.resize(w, h)
	a.tm.Send(tea.WindowSizeMsg{Width: w, Height: h})
	return a
}

// Click clicks at a cell.
func (a *App) Click(x, y int) *App {
	a.tm.Send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
	a.tm.Send(tea.MouseReleaseMsg{X: x, Y: y, Button: tea.MouseLeft})
	return a
}

// ClickOn clicks on the first place where a text stands.
func (a *App) ClickOn(text string) *App {
	a.t.Helper()
	a.See(text)
	for y, line := range strings.Split(a.Screen(), "\n") {
		if before, _, found := strings.Cut(line, text); found {
			return a.Click(utf8.RuneCountInString(before), y)
		}
	}
	return a
}

// See waits until all texts are on the screen.
func (a *App) See(texts ...string) *App {
	a.t.Helper()
	for _, want := range texts {
		a.until("show "+want, func(screen string) bool { return strings.Contains(screen, want) })
	}
	return a
}

// SeeNot waits until a text is not on the screen any more.
func (a *App) SeeNot(text string) *App {
	a.t.Helper()
	a.until("stop showing "+text, func(screen string) bool { return !strings.Contains(screen, text) })
	return a
}

// until waits until the screen is as wanted.
func (a *App) until(what string, good func(screen string) bool) {
	a.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		a.read()
		if screen := a.scr.String(); good(screen) {
			return
		} else if time.Now().After(deadline) {
			a.t.Fatalf("the screen did not %s within %v:\n%s", what, patience, screen)
		}
		time.Sleep(2 * time.Millisecond) // between two looks; what counts is what is seen
	}
}

// read draws what the program has put out.
func (a *App) read() {
	if _, err := io.Copy(&a.scr, a.tm.Output()); err != nil && !errors.Is(err, io.EOF) {
		a.t.Fatal(err)
	}
}

// Screen is the screen as it is now, without what stands at the ends of lines.
func (a *App) Screen() string {
	a.read()
	lines := strings.Split(a.scr.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \r")
	}
	return strings.Join(lines, "\n")
}

// Ended waits until the program has ended by itself.
func (a *App) Ended() {
	a.t.Helper()
	a.tm.WaitFinished(a.t, teatest.WithFinalTimeout(patience))
	a.done = true
}
