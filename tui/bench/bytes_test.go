// Package bench measures what a frame costs on the wire to the terminal, beside Bubble Tea's major version before.
package bench

import (
	"io"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	before "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/colorprofile"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/grid"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// The screen: 4,096 ranks in HALF, with room for the border.
const width, height = 132, 44

// frames are two screens that differ in one rank.
func frames(b testing.TB) [2]string {
	w := worldtest.New(b)
	w.Type(control.Type{Name: "T", Full: "x.T"})
	w.Procs("p", shape.Extent{{Name: "dp", Size: 64}, {Name: "tp", Size: 64}}, worldtest.Opts{PerHost: 8})
	mesh := w.Mesh("m", "p", "x.T")
	for r := range 4096 {
		w.Rank("m", r, []string{"idle", "busy", "idle", "failed"}[r*7919%4], 0)
	}
	theme, err := paint.NewTheme("dark")
	if err != nil {
		b.Fatal(err)
	}
	pane := grid.New(worldtest.Keys)
	pane.Show(w.World, mesh.Ref.ID)
	var out [2]string
	for i, state := range []string{"idle", "busy"} {
		w.Rank("m", 2050, state, 0)
		s := paint.New(width, height)
		pane.Draw(s, w.World, false)
		out[i] = s.Encode(theme)
	}
	if out[0] == out[1] {
		b.Fatal("the two frames are alike")
	}
	return out
}

// counter counts bytes.
type counter struct{ n atomic.Int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return len(b), nil
}

// settle waits until nothing more is written.
func (c *counter) settle() int64 {
	for last := c.n.Load(); ; {
		time.Sleep(100 * time.Millisecond)
		if now := c.n.Load(); now == last {
			return now
		} else {
			last = now
		}
	}
}

type now struct {
	frames [2]string
	at     int
}

func (m *now) Init() tea.Cmd { return nil }
func (m *now) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if at, ok := msg.(int); ok {
		m.at = at
	}
	return m, nil
}
func (m *now) View() tea.View { return tea.View{Content: m.frames[m.at%2], AltScreen: true} }

type old struct {
	frames [2]string
	at     int
}

func (m *old) Init() before.Cmd { return nil }
func (m *old) Update(msg before.Msg) (before.Model, before.Cmd) {
	if at, ok := msg.(int); ok {
		m.at = at
	}
	return m, nil
}
func (m *old) View() string { return m.frames[m.at%2] }

// BenchmarkOneCellChanges reports the bytes that go to the terminal when one of 4,096 ranks changes its state, with the
// version of Bubble Tea that we use and with the one before, and their ratio.
func BenchmarkOneCellChanges(b *testing.B) {
	const rounds = 20
	f := frames(b)
	for b.Loop() {
		var newBytes, oldBytes counter
		r, w := io.Pipe()
		p := tea.NewProgram(&now{frames: f}, tea.WithInput(r), tea.WithOutput(&newBytes), tea.WithoutSignalHandler(), tea.WithWindowSize(width, height),
			tea.WithColorProfile(colorprofile.TrueColor), tea.WithEnvironment([]string{"TERM=xterm-256color"}))
		q := before.NewProgram(&old{frames: f}, before.WithInput(nil), before.WithOutput(&oldBytes), before.WithoutSignalHandler(), before.WithAltScreen())
		done := make(chan struct{}, 2)
		go func() { _, _ = p.Run(); done <- struct{}{} }()
		go func() { _, _ = q.Run(); done <- struct{}{} }()
		p.Send(tea.WindowSizeMsg{Width: width, Height: height})
		q.Send(before.WindowSizeMsg{Width: width, Height: height})
		new0, old0 := newBytes.settle(), oldBytes.settle()
		for i := 1; i <= rounds; i++ {
			p.Send(i)
			q.Send(i)
			newBytes.settle()
			oldBytes.settle()
		}
		perNew, perOld := float64(newBytes.n.Load()-new0)/rounds, float64(oldBytes.n.Load()-old0)/rounds
		b.ReportMetric(perNew, "B/frame")
		b.ReportMetric(perOld, "B/frame-before")
		b.ReportMetric(perNew/perOld, "ratio")
		p.Quit()
		q.Quit()
		_ = w.Close()
		<-done
		<-done
	}
}
