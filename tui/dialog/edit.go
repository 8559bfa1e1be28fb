package dialog

import (
	"fmt"
	"unicode/utf8"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// NewEdit is a line of text that can be edited; it is drawn by us.
func NewEdit(value string) textinput.Model {
	f := textinput.New()
	f.Prompt = ""
	f.KeyMap.Paste.SetEnabled(false) // it would start a program that reads the clipboard; terminals paste by themselves
	f.SetValue(value)
	f.CursorEnd()
	f.Focus()
	return f
}

// MaxText is how many characters a line of text takes: enough for any value that a person passes on, and few enough that
// all that is done with a line at each key fits into a frame.
const MaxText = 1 << 16

// Insert puts a text into a field where its cursor is, on one line; refused says why it was not, "" where it was.
func Insert(f *textinput.Model, text string) (refused string) {
	text = paint.OneLine(text)
	v, at, n := []rune(f.Value()), f.Position(), utf8.RuneCountInString(text)
	if len(v)+n > MaxText {
		return fmt.Sprintf("a line takes %s characters, and with this it has %s", paint.Exact(MaxText), paint.Exact(len(v)+n))
	}
	f.SetValue(string(v[:at]) + text + string(v[at:]))
	f.SetCursor(at + n)
	return ""
}

// DrawEdit draws a line of text that is edited, scrolled so that the cursor is in it, and gives the cursor. It
// looks at what can be seen only: while it looked at the whole text for each cell, a paste of 50,000 stood for 15 s.
func DrawEdit(s *paint.Surface, x, y, w int, f *textinput.Model, hint string) *tea.Cursor {
	if w <= 0 {
		return nil
	}
	value := []rune(f.Value())
	if len(value) == 0 {
		s.TextIn(x, y, w, paint.Style{Fg: paint.Muted}, hint)
		return cursorAt(s, x, y)
	}
	at := min(f.Position(), len(value))
	most := 4*w + 64 // characters that may be seen: accents take no cell
	before := paint.Tail(string(value[max(0, at-most):at]), w-1)
	s.TextIn(x, y, w, paint.Style{Fg: paint.Text}, before+string(value[at:min(len(value), at+most)]))
	return cursorAt(s, x+paint.Width(before), y)
}

// cursorAt is the terminal's cursor at a place of a surface, nil where it cannot be seen.
func cursorAt(s *paint.Surface, x, y int) *tea.Cursor {
	sx, sy, visible := s.Place(x, y)
	if !visible {
		return nil
	}
	return tea.NewCursor(sx, sy)
}

// Underline underlines a column, from 1, of a text that is drawn from x on.
func Underline(s *paint.Surface, x int, text string, column int) {
	if column <= 0 {
		return
	}
	v := []rune(text)
	s.Restyle(paint.Rect{X: x + paint.Width(string(v[:min(column-1, len(v))])), W: 1, H: 1}, func(st paint.Style) paint.Style {
		return paint.Style{Fg: paint.Failed, Bg: st.Bg, Attr: st.Attr | paint.Underline | paint.Bold}
	})
}

func clamp(v, lo, hi int) int { return max(lo, min(v, hi)) }
