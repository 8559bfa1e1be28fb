package tui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// The actions whose keys begin a chord: a letter comes after them.
const (
	keep   = "select.store"
	recall = "select.recall"
)

// chordHelpAfter is how long a person may think after the first key of a chord until the second ones are listed.
const chordHelpAfter = 400 * time.Millisecond

// chordWaits says that nobody has pressed the second key of the n-th chord for a while.
type chordWaits struct{ n int }

func (c chordWaits) apply(m *Model) tea.Cmd {
	m.chordHelp = m.pending != "" && c.n == m.chords
	return nil
}

// begin begins a chord.
func begin(first string) func(m *Model) tea.Cmd {
	return func(m *Model) tea.Cmd {
		m.pending, m.chordHelp = first, false
		m.chords++
		return m.after(chordHelpAfter, chordWaits{m.chords})
	}
}

// chord is the second key after one that waits for it.
func (m *Model) chord(first, key string) tea.Cmd {
	r := []rune(key)
	if key == "esc" {
		return nil
	}
	if len(r) != 1 {
		m.say(sayWarn, "want a letter after "+m.keyOf(first))
		return nil
	}
	var err error
	switch first {
	case keep:
		if err = m.panes.grid.Store(r[0]); err == nil {
			m.say(sayGood, "kept as "+key+m.keyHint("; %s"+key+" selects it again", recall))
		}
	case recall:
		m.panes.grid.Mark()
		err = m.panes.grid.Recall(r[0])
	}
	if err != nil {
		m.say(sayWarn, err.Error())
	}
	return m.cursorMoved()
}

// drawChord lists what may come after the first key of a chord, at the foot of the panes.
func (m *Model) drawChord(s *paint.Surface) {
	w, h := s.Size()
	title, lines := "Keep the selection as", []string{"a…z A…Z  a letter"}
	if m.pending == recall {
		title, lines = "Select what is kept as", nil
	}
	for _, k := range m.panes.grid.Kept() {
		text := k.Text
		if k.Ranks == 0 {
			text = "nothing"
		}
		lines = append(lines, fmt.Sprintf("%c  %s", k.Letter, text))
	}
	if len(lines) == 0 {
		lines = append(lines, "nothing is kept yet"+m.keyHint(": %sa keeps the selection as a", keep))
	}
	if rows := max(1, h-4); len(lines) > rows {
		lines = append(lines[:rows-1], fmt.Sprintf("… %d more", len(lines)-rows+1))
	}
	width := paint.Width(title) + 6
	for _, l := range lines {
		width = max(width, paint.Width(l)+4)
	}
	width = min(width, w)
	box := s.In(paint.Rect{Y: max(0, h-len(lines)-2), W: width, H: min(h, len(lines)+2)})
	in := paint.Frame{Title: title, Focus: true}.Draw(box)
	inside, _ := in.Size()
	for y, l := range lines {
		in.TextIn(1, y, inside-2, paint.Style{Fg: paint.Text}, l)
	}
}

// undo takes the last change of the selection back.
func (m *Model) undo() {
	if !m.panes.grid.Undo() {
		return
	}
	text := m.panes.grid.Text()
	if text == "" {
		text = "nothing"
	}
	m.say(sayGood, "selected again: "+text)
}

// openStride asks for the n of "every n-th".
func (m *Model) openStride() {
	m.input = &input{mark: "every", field: dialog.NewEdit("2"), hint: "2: every second rank from the cursor on", keys: []dialog.Key{{Key: "enter", Hint: "select"}, {Key: "esc", Hint: "back"}},
		changed: func(_ *Model, text string) (string, int) {
			if n, err := strconv.Atoi(strings.TrimSpace(text)); err != nil || n < 1 {
				return "want a whole number from 1 on", 1
			}
			return "", 0
		},
		done: func(m *Model, text string) tea.Cmd {
			n, _ := strconv.Atoi(strings.TrimSpace(text))
			m.panes.grid.Mark()
			if err := m.panes.grid.Stride(n); err != nil {
				m.say(sayWarn, err.Error())
			}
			return m.cursorMoved()
		}}
}

// openSlice edits the selection as text: the grid follows while it is typed.
func (m *Model) openSlice() {
	g := m.panes.grid
	g.Mark()
	before := g.Text()
	set := func(m *Model, text string) (string, int) {
		if err := g.SetSelection(text); err != nil {
			return columnOf(err)
		}
		return "", 0
	}
	m.input = &input{mark: "slice", field: dialog.NewEdit(before), hint: "dp=1:4, tp=(1,2)   0,2-5   state=paused   empty: nothing", changed: set, keys: keepOrBack(),
		done:  func(m *Model, text string) tea.Cmd { set(m, text); return m.cursorMoved() },
		leave: func(*Model) { _ = g.SetSelection(before) }}
	m.touch()
}
