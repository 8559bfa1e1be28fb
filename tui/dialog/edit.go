package dialog

import (
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

// Insert puts a text into a field where its cursor is, on one line.
func Insert(f *textinput.Model, text string) {
	text = paint.OneLine(text)
	v, at := []rune(f.Value()), f.Position()
	f.SetValue(string(v[:at]) + text + string(v[at:]))
	f.SetCursor(at + len([]rune(text)))
}

// DrawEdit draws a line of text that is edited, scrolled so that the cursor is in it, and gives the cursor.
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
	from := 0
	for paint.Width(string(value[from:at])) > w-1 {
		from++
	}
	s.TextIn(x, y, w, paint.Style{Fg: paint.Text}, string(value[from:]))
	return cursorAt(s, x+paint.Width(string(value[from:at])), y)
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
