package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// host is the program as dialogs see it.
type host struct{ m *Model }

var _ dialog.Host = host{}

// Close takes a dialog off the screen.
func (h host) Close(d dialog.Dialog) { h.m.drop(d) }

// Warn tells why something was not done.
func (h host) Warn(text string) { h.m.say(sayWarn, text) }

// top is the topmost dialog.
func (m *Model) top() dialog.Dialog {
	if len(m.overlays) == 0 {
		return nil
	}
	return m.overlays[len(m.overlays)-1]
}

func (m *Model) push(d dialog.Dialog) { m.overlays = append(m.overlays, d); m.touch() }

// pushText shows a text, with the keys that every text has.
func (m *Model) pushText(b *dialog.TextBox) {
	b.More = slices.Concat(
		m.boundKeys("copy", "copy", func() tea.Cmd { return m.copy(b.Title, b.Plain()) }),
		m.boundKeys("pager", "pager", func() tea.Cmd { return m.pager(b.Plain()) }))
	m.push(b)
}

// boundKeys are the keys of an action as keys of a dialog, the first with a hint.
func (m *Model) boundKeys(action, hint string, do func() tea.Cmd) (out []dialog.Key) {
	for _, k := range m.reg.named(action).Keys {
		out = append(out, dialog.Key{Key: k, Hint: hint, Do: do})
		hint = ""
	}
	return out
}

// drop closes a dialog.
func (m *Model) drop(d dialog.Dialog) {
	m.overlays = slices.DeleteFunc(m.overlays, func(x dialog.Dialog) bool { return x == d })
	m.touch()
}

// dropAll closes all dialogs.
func (m *Model) dropAll() {
	for _, d := range m.overlays {
		if l, ok := d.(dialog.Leaver); ok {
			l.Leave()
		}
	}
	m.overlays = nil
}

// overlayMoves reports whether something is in progress in one of them.
func (m *Model) overlayMoves() bool {
	return slices.ContainsFunc(m.overlays, func(d dialog.Dialog) bool {
		v, ok := d.(dialog.Mover)
		return ok && v.Moves()
	})
}

// refreshOverlays tells the dialogs that a command has ended or the world has changed.
func (m *Model) refreshOverlays() tea.Cmd {
	var cmds []tea.Cmd
	for _, d := range slices.Clone(m.overlays) { // one may close
		if r, ok := d.(dialog.Refresher); ok {
			cmds = append(cmds, r.Refresh())
		}
	}
	return tea.Batch(cmds...)
}

// overlayRect is where a dialog is.
func (m *Model) overlayRect(d dialog.Dialog) paint.Rect {
	w, h := d.Size(m.w, m.h)
	return m.overlayRoom(h).Center(w, h)
}

// overlayRoom is the room for a dialog of a height. Where that is enough, the header, the hints and what a demo tells stay in
// sight; else at least what it asks for does.
func (m *Model) overlayRoom(h int) paint.Rect {
	strip, y := m.taskStrip(h)
	if m.w < squashWidth || m.h < squashHeight {
		return paint.Rect{W: m.w, H: m.h - len(strip)}
	}
	r := paint.Rect{X: 2, Y: 1, W: m.w - 4, H: m.h - 2}
	story := m.layout.Story.Y
	switch {
	case len(strip) > 0:
		r.H = y - r.Y
	case story > 0:
		r.H = min(r.H, max(story-r.Y, h))
	}
	return r
}
