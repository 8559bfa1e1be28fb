package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/charts"
)

// chartsTab are the figures that actors report. They are read while the tab is on the screen.
type chartsTab struct {
	*charts.Pane
	m *Model
}

var (
	_ texter = chartsTab{}
	_ opened = chartsTab{}
)

// figuresEvery is how often the figures are read.
const figuresEvery = 500 * time.Millisecond

// figuresPoints is how many of each series: more than a screen has columns.
const figuresPoints = 512

// Opened has the figures read at once.
func (t chartsTab) Opened() { t.m.figures.read = time.Time{} }

// figures is how far their reading is.
type figures struct {
	asking bool
	read   time.Time
}

// chartsShown reports whether the charts are on the screen.
func (m *Model) chartsShown() bool {
	_, open := m.panes.tab(Messages).body.(chartsTab)
	return open && !m.layoutHides(Messages)
}

// wantFigures reads the figures, where they are shown and some time has passed.
func (m *Model) wantFigures() tea.Cmd {
	if m.figures.asking || m.offline() != "" || !m.chartsShown() || m.now().Sub(m.figures.read) < figuresEvery {
		return nil
	}
	m.figures.asking = true
	c, gen, ctx := m.conn.client, m.conn.gen, m.ctx
	return m.task(func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, stateTime)
		defer cancel()
		list, err := c.Metrics(ctx, control.MetricsReq{Last: figuresPoints})
		return figuresMsg{gen, list, err}
	})
}

// figuresMsg are the figures, or why there are none.
type figuresMsg struct {
	gen  int
	list []control.Series
	err  error
}

func (f figuresMsg) apply(m *Model) tea.Cmd {
	m.figures = figures{read: m.now()}
	if m.conn == nil || f.gen != m.conn.gen {
		return nil
	}
	m.panes.charts.Set(f.list, f.err)
	m.touch()
	return m.after(figuresEvery, figuresDue{})
}

// figuresDue says that the figures are old.
type figuresDue struct{}

func (figuresDue) apply(m *Model) tea.Cmd { return m.wantFigures() }
