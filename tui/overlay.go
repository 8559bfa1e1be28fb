package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// overlay is a box on top of the panes: a menu, a form, a text. The topmost takes every key.
type overlay interface {
	// size is how much of a w×h screen it wants.
	size(m *Model, w, h int) (int, int)
	// draw draws the whole box, border included, and tells where the text cursor is (nil: nowhere).
	draw(m *Model, s *paint.Surface) *tea.Cursor
	key(m *Model, msg tea.KeyPressMsg) tea.Cmd
}

// hinter is an overlay with keys of its own, to be shown in the last row.
type hinter interface {
	hints(m *Model) []boxKey
}

// clicker is an overlay that can be clicked: at a place of its box.
type clicker interface {
	click(m *Model, x, y int) tea.Cmd
}

// wheeler is an overlay that scrolls.
type wheeler interface {
	wheel(m *Model, lines int)
}

// refresher is an overlay that shows something that goes on changing.
type refresher interface {
	refresh(m *Model) tea.Cmd
}

// mover is an overlay in which something is in progress.
type mover interface {
	moves(m *Model) bool
}

func (m *Model) overlayMoves() bool {
	for _, o := range m.overlays {
		if v, ok := o.(mover); ok && v.moves(m) {
			return true
		}
	}
	return false
}

// refreshOverlays tells the overlays that a command has ended or the world has changed.
func (m *Model) refreshOverlays() tea.Cmd {
	var cmds []tea.Cmd
	for _, o := range slices.Clone(m.overlays) { // one may close
		if r, ok := o.(refresher); ok {
			cmds = append(cmds, r.refresh(m))
		}
	}
	return tea.Batch(cmds...)
}

// overlayRect is where the overlay is.
func (m *Model) overlayRect(o overlay) paint.Rect {
	w, h := o.size(m, m.w, m.h)
	r := paint.Rect{W: m.w, H: m.h}
	if m.w >= squashWidth && m.h >= squashHeight { // header and hints stay in sight
		r = paint.Rect{X: 2, Y: 1, W: m.w - 4, H: m.h - 2}
	}
	return r.Center(w, h)
}
