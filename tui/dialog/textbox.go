package dialog

import (
	"regexp"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/list"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// TextBox shows text, scrolled and wrapped.
type TextBox struct {
	Title string
	Lines func() []paint.Seg // made anew for each drawing: it may go on changing; "\n" ends a line
	Live  func() bool        // the text goes on changing
	Keys  []Key              // of this text
	More  []Key              // that every text has; they are shown after "back"

	win list.Window
}

// Moves reports whether the text goes on changing.
func (b *TextBox) Moves() bool { return b.Live != nil && b.Live() }

func (b *TextBox) rows(w int) (rows [][]paint.Seg) {
	row := []paint.Seg{}
	for _, g := range b.Lines() {
		for i, part := range strings.Split(g.Text, "\n") {
			if i > 0 {
				rows, row = append(rows, row), nil
			}
			room := w - paint.SegsWidth(row)
			if part == "" {
				continue
			}
			if paint.Width(part) <= room {
				row = append(row, paint.Seg{Style: g.Style, Text: part})
				continue
			}
			indent := paint.SegsWidth(row)
			split := paint.Wrap
			if indent == 0 {
				split = wrapped
			}
			for j, piece := range split(part, max(8, room)) {
				if j > 0 {
					rows, row = append(rows, row), []paint.Seg{{Text: strings.Repeat(" ", max(0, min(indent, w/2)))}}
				}
				row = append(row, paint.Seg{Style: g.Style, Text: piece})
			}
		}
	}
	if len(row) > 0 {
		rows = append(rows, row)
	}
	return rows
}

// columns are what stands between the cells of a row of a table.
var columns = regexp.MustCompile(` {2,}`)

// wrapped breaks a text as paint.Wrap does. A row of a table is broken between its cells: those that fit stay below those of
// other rows, and the rest stands further in, so that it is seen which row it belongs to.
func wrapped(text string, w int) []string {
	text = strings.TrimRight(text, " ")
	gaps := columns.FindAllStringIndex(strings.TrimLeft(text, " "), -1)
	const in = 4
	if len(gaps) < 2 || w < 3*in {
		return paint.Wrap(text, w)
	}
	text = strings.TrimLeft(text, " ")
	var out []string
	line, from, gap := "", 0, ""
	for i := 0; i <= len(gaps); i++ {
		to, next := len(text), len(text)
		if i < len(gaps) {
			to, next = gaps[i][0], gaps[i][1]
		}
		cell := text[from:to]
		switch joined := line + gap + cell; {
		case (line != "" || i == 0) && paint.Width(joined) <= w:
			line = joined
		default:
			if line != "" {
				out = append(out, line)
			}
			pieces := paint.Wrap(cell, w-in)
			for _, p := range pieces[:len(pieces)-1] {
				out = append(out, strings.Repeat(" ", in)+p)
			}
			line = strings.Repeat(" ", in) + pieces[len(pieces)-1]
		}
		from, gap = next, text[to:next]
	}
	return append(out, line)
}

// Size is how much of the screen it wants.
func (b *TextBox) Size(w, h int) (int, int) {
	width := min(w, prose)
	if table := b.table() + 4; table > width && table <= w { // a table that fits whole is worth the room, prose is not
		width = table
	}
	return width, min(h, len(b.rows(width-4))+2)
}

// prose is how wide a text is set: longer lines are hard to read on.
const prose = 96

// table is how wide the rows of tables are, as wrapped knows them; 0: there are none. Of a long text its beginning tells: this is
// done for every frame.
func (b *TextBox) table() (widest int) {
	left := 500
	for l := range strings.Lines(b.Plain()) {
		if left--; left < 0 {
			break
		}
		if l = strings.TrimRight(l, " \n"); len(columns.FindAllStringIndex(strings.TrimLeft(l, " "), 2)) == 2 {
			widest = max(widest, paint.Width(l))
		}
	}
	return widest
}

// Draw draws it.
func (b *TextBox) Draw(s *paint.Surface) *tea.Cursor {
	w, h := s.Size()
	rows := b.rows(w - 4)
	b.win.Fit(max(0, len(rows)-(h-2))+1, 1)
	in := paint.Frame{Title: b.Title, Focus: true, At: b.win.Top, Shown: h - 2, Total: len(rows)}.Draw(s)
	for y := range h - 2 {
		if at := b.win.Cursor + y; at < len(rows) {
			in.Line(1, y, rows[at]...)
		}
	}
	return nil
}

// Plain is the text, for copying and the pager.
func (b *TextBox) Plain() string {
	var text strings.Builder
	for _, g := range b.Lines() {
		text.WriteString(g.Text)
	}
	return text.String()
}

// Hints are its keys.
func (b *TextBox) Hints() []Key {
	return slices.Concat(b.Keys, []Key{{Key: "esc", Hint: "back"}}, b.More, []Key{{Key: "j k", Hint: "scroll"}})
}

// Key takes a key.
func (b *TextBox) Key(h Host, msg tea.KeyPressMsg) tea.Cmd {
	k := msg.String()
	for _, keys := range [][]Key{b.Keys, b.More} {
		if cmd, ok := press(keys, k); ok {
			return cmd
		}
	}
	switch k {
	case "esc", "q", "enter":
		h.Close(b)
	case "up", "k":
		b.win.Move(-1)
	case "down", "j":
		b.win.Move(1)
	case "pgup", "ctrl+u":
		b.win.Move(-10)
	case "pgdown", "ctrl+d", "space":
		b.win.Move(10)
	case "g", "home":
		b.win.To(0)
	case "G", "end":
		b.win.To(b.win.Total - 1)
	}
	return nil
}

// Wheel scrolls.
func (b *TextBox) Wheel(lines int) { b.win.Move(lines) }
