package dialog

import (
	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// Host is the program that shows dialogs.
type Host interface {
	// Close takes a dialog off the screen.
	Close(d Dialog)
	// Warn tells in a few words why something was not done.
	Warn(text string)
}

// Dialog is a box on top of the panes. The topmost takes every key.
type Dialog interface {
	// Size is how much of a w×h screen it wants.
	Size(w, h int) (int, int)
	// Draw draws the whole box, border included, and tells where the text cursor is (nil: nowhere).
	Draw(s *paint.Surface) *tea.Cursor
	// Key takes a key.
	Key(h Host, msg tea.KeyPressMsg) tea.Cmd
	// Hints are the keys that work in it, for the last row of the screen.
	Hints() []Key
}

// What some dialogs can do besides.
type (
	// Clicker can be clicked, at a place of its box.
	Clicker interface {
		Click(h Host, x, y int) tea.Cmd
	}
	// Wheeler scrolls.
	Wheeler interface{ Wheel(lines int) }
	// Paster takes text that was pasted; refused says why it does not, "" where it does.
	Paster interface {
		Paste(text string) (refused string)
	}
	// Refresher shows something that goes on changing: it is told when the world has changed or a command has ended.
	Refresher interface{ Refresh() tea.Cmd }
	// Mover has something in progress, which is to be animated.
	Mover interface{ Moves() bool }
	// Leaver has something to do when it is closed by force.
	Leaver interface{ Leave() }
)

var (
	_ Dialog = (*Form)(nil)
	_ Dialog = (*Picker)(nil)
	_ Dialog = (*TextBox)(nil)
	_ Dialog = (*Confirm)(nil)
)

// Key is a key that works in one dialog only, or in the open line.
type Key struct {
	Key, Hint string // without a hint it is not shown
	Live      bool   // of a form: shown while something is in progress only, and first
	Do        func() tea.Cmd
}

// press does what one of the keys does; false where none of them was pressed.
func press(keys []Key, k string) (tea.Cmd, bool) {
	for _, bound := range keys {
		if bound.Key == k && bound.Do != nil {
			return bound.Do(), true
		}
	}
	return nil, false
}
