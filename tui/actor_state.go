package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/inspect"
)

// stateMsg is the state of an actor as it was asked for.
type stateMsg struct {
	gen   int
	ask   inspect.Ask
	nodes []control.StateNode
	err   error
}

// stateTime is how long an actor may take until it is between two messages; then the inspector says that it is busy.
const stateTime = 2 * time.Second

// wantState asks for the state that the inspector shows, one question at a time.
func (m *Model) wantState() tea.Cmd {
	if m.asking || m.offline() != "" || m.layoutHides(Inspect) {
		return nil
	}
	ask, ok := m.panes.inspect.Want(m.world)
	if !ok {
		return nil
	}
	x, found := m.world.MeshByID(ask.Mesh)
	if !found || x.Gone {
		return nil
	}
	m.asking = true
	c, gen, ctx, name := m.conn.client, m.conn.gen, m.ctx, x.Ref.Name
	return m.task(func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, stateTime)
		defer cancel()
		nodes, err := c.State(ctx, control.StateReq{Mesh: name, Ranks: []int{ask.Rank}, Path: ask.Path, Start: ask.Start})
		return stateMsg{gen, ask, nodes, err}
	})
}

func (s stateMsg) apply(m *Model) tea.Cmd {
	m.asking = false
	if m.conn == nil || s.gen != m.conn.gen {
		return nil
	}
	m.panes.inspect.SetState(m.world, s.ask, s.nodes, s.err)
	return m.wantState()
}

// layoutHides reports whether a pane is not on the screen.
func (m *Model) layoutHides(p PaneID) bool { return m.layout.Panes[p].Empty() }
