package paint

import (
	"strings"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
)

// Encode is the screen as text with escape sequences: a row a line.
func (s *Surface) Encode(t *Theme) string {
	var b strings.Builder
	b.Grow(max(s.origin.W*s.origin.H*2, s.c.encoded+s.c.encoded/16))
	s.rows(&b, t)
	s.c.encoded = b.Len()
	return b.String()
}

// Plain is the screen as text without styles, blanks at the ends of rows cut.
func (s *Surface) Plain() string {
	var b strings.Builder
	s.rows(&b, nil)
	lines := strings.Split(b.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}

func (s *Surface) rows(b *strings.Builder, t *Theme) {
	area := s.clip
	for y := area.Y; y < area.Y+area.H; y++ {
		if y > area.Y {
			b.WriteByte('\n')
		}
		row := s.c.cells[y*s.c.w+area.X : y*s.c.w+area.X+area.W]
		end := ""
		for i := range row {
			c := &row[i]
			if t != nil && (i == 0 || c.style != row[i-1].style) {
				b.WriteString(end)
				var open string
				open, end = t.sequences(c.style)
				b.WriteString(open)
			}
			switch {
			case c.width == 0 && i == 0: // the first half lies outside
				b.WriteByte(' ')
			case c.width == 2 && i == len(row)-1:
				b.WriteByte(' ')
			case t != nil && t.ASCII:
				if c.text == "·" && separates(row, i) {
					b.WriteByte('-')
					break
				}
				b.WriteString(ascii(*c))
			default:
				b.WriteString(c.text)
			}
		}
		b.WriteString(end)
	}
}

// sequences are what stands before and after a run of a style.
func (t *Theme) sequences(st Style) (open, end string) {
	at := &t.opened[st.number()]
	if *at != nil {
		return (*at)[0], (*at)[1]
	}
	ls := lipgloss.NewStyle()
	if t.Mono && st.Bg != Default {
		st.Attr ^= Reverse
	}
	fg, bg := t.colors[st.Fg], t.colors[st.Bg]
	if t.few && !t.Mono {
		fg, bg = t.sixteen(st)
	}
	if fg != nil {
		ls = ls.Foreground(fg)
	}
	if bg != nil {
		ls = ls.Background(bg)
	}
	ls = ls.Bold(st.Attr&Bold != 0).Reverse(st.Attr&Reverse != 0).Underline(st.Attr&Underline != 0).Strikethrough(st.Attr&Strike != 0)
	const mark = "x"
	open, end, _ = strings.Cut(ls.Render(mark), mark)
	*at = &[2]string{open, end}
	return open, end
}

// separates reports whether the dot of a cell stands between two things, and is not the sign of an idle one: in ASCII
// the two differ.
func separates(row []cell, i int) bool {
	word := func(at int) bool {
		if at < 0 || at >= len(row) {
			return false
		}
		r, _ := utf8.DecodeRuneInString(row[at].text)
		return r > ' ' && r < utf8.RuneSelf
	}
	return row[i].style.Fg != Idle || word(i-2) && word(i+2)
}

// ascii is a cell in ASCII, as wide as the original.
func ascii(c cell) string {
	if c.width == 0 {
		return ""
	}
	if len(c.text) == 1 {
		return c.text
	}
	r, _ := utf8.DecodeRuneInString(c.text)
	if a := asciiOf(r); a != "" {
		return a
	}
	return strings.Repeat("?", int(c.width))
}

// asciiOf is what ASCII has for a sign of ours, "" for nothing.
func asciiOf(r rune) string {
	switch r {
	case '·', '–', '∙':
		return "."
	case '●', '✓':
		return "*"
	case '◆':
		return "B"
	case '▲':
		return "!"
	case '↻':
		return "@"
	case '≠':
		return "#"
	case '✕', '×':
		return "X"
	case '○':
		return "o"
	case '◌', '…':
		return "~"
	case '≈':
		return "%"
	case '╭', '╮', '╯', '╰', '┏', '┓', '┗', '┛', '├', '┤', '┬', '┴', '┼', '└', '┘', '┌', '┐', '┣', '┫', '┠', '┨', '╂':
		return "+"
	case '─', '╌', '▔', '▁', '▂':
		return "-"
	case '━', '═', '▃', '▄', '▅', '▀':
		return "="
	case '┊', '╎':
		return ":"
	case '│', '┃', '▏', '▐', '▌', '║':
		return "|"
	case '▸', '▶', '→', '›':
		return ">"
	case '◀', '←', '‹', '↩', '◂':
		return "<"
	case '▾', '▼', '↓':
		return "v"
	case '↑', '▴':
		return "^"
	case '↳':
		return "`"
	case '▆', '▇', '█', '▓', '▒', '░':
		return "#"
	case '◇':
		return "D"
	case '≥':
		return ">"
	case '≤':
		return "<"
	case 'µ':
		return "u"
	case '°': // 64 C
		return " "
	case '“', '”':
		return "\""
	case '‘', '’':
		return "'"
	}
	if r >= 0x2800 && r <= 0x28ff { // braille: spinners
		return "|"
	}
	return ""
}
