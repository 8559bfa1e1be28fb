package clean

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const zeroWidthJoiner = 0x200d

// Dangerous reports whether a character may not reach a screen as it is.
func Dangerous(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r < 0xa0: // C0, DEL and C1
		return true
	case r < 0xa0, r == zeroWidthJoiner:
		return false
	case r >= 0xe0000 && r <= 0xe007f: // tags; some are unassigned, and terminals differ in what they do with them
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Line cleans one line of a worker's output: it removes escape sequences, shows the remaining control characters as
// symbols (␀ ␇ …), turns tabs into spaces, and replaces what is left by U+FFFD. It must see a whole line: a sequence
// that is split over two calls cannot be recognised.
func Line(s string) string {
	if plain(s) {
		return s
	}
	return replace(strip(strings.ToValidUTF8(s, "\uFFFD")), func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		return symbol(r)
	})
}

// Shown is what a terminal would leave of one line of output: a carriage return goes back to its beginning and a backspace
// one place, what follows is written over what is there, a tab goes to the next multiple of eight places, and sequences move
// in the line (CUF, CUB, CHA) and erase in it (EL). The rest is cleaned as by Line. A place is a character: widths are not
// known here.
func Shown(s string) string {
	if plain(s) {
		return s
	}
	var l shownLine
	walk(strings.ToValidUTF8(s, "\uFFFD"), l.text, l.sequence)
	return string(l.row)
}

// shownLine is a line of a terminal.
type shownLine struct {
	row []rune
	at  int
}

// maxColumn is beyond the right edge of every terminal: a move to there is meant to reach the edge, which is not known here,
// and goes to the end of what is there.
const maxColumn = 512

// move goes to a column.
func (l *shownLine) move(to int) {
	if to >= maxColumn {
		to = max(l.at, len(l.row))
	}
	l.at = max(0, to)
}

func (l *shownLine) put(r rune) {
	for len(l.row) <= l.at {
		l.row = append(l.row, ' ')
	}
	l.row[l.at] = r
	l.at++
}

func (l *shownLine) text(s string) {
	r, _ := utf8.DecodeRuneInString(s)
	switch {
	case r == '\r':
		l.at = 0
	case r == '\b':
		l.at = max(0, l.at-1)
	case r == '\t':
		for next := l.at - l.at%tabStop + tabStop; l.at < next; {
			if l.at < len(l.row) {
				l.at++
			} else {
				l.put(' ')
			}
		}
	case Dangerous(r):
		l.put(symbol(r))
	default:
		l.put(r)
	}
}

func (l *shownLine) sequence(s string) {
	switch final, n := control(s); final {
	case 'C':
		l.move(l.at + min(max(n, 1), maxColumn))
	case 'D':
		l.at = max(0, l.at-max(n, 1))
	case 'G':
		l.move(min(max(n, 1), maxColumn+1) - 1)
	case 'K':
		switch end := min(l.at, len(l.row)); {
		case n <= 0:
			l.row = l.row[:end]
		case n == 1:
			for i := range min(l.at+1, len(l.row)) {
				l.row[i] = ' '
			}
		case n == 2:
			l.row = l.row[:0]
		}
	}
}

// tabStop is how far apart the tab stops of a terminal are.
const tabStop = 8

// Text cleans a text of several lines: newlines and tabs stay, other control characters are shown as symbols, and the
// rest of what is dangerous is replaced by U+FFFD.
func Text(s string) string {
	return replace(s, func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return symbol(r)
	})
}

// OneLine makes one line of at most most bytes, and … where it was cut: newlines and tabs become spaces, what is
// dangerous U+FFFD.
func OneLine(s string, most int) string {
	long := len(s) > most
	if long {
		s = cutBytes(s, most)
	}
	s = replace(s, func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return utf8.RuneError
	})
	if len(s) > most { // U+FFFD is longer than what it replaces
		long, s = true, cutBytes(s, most)
	}
	if long {
		s += "…"
	}
	return s
}

// Name cleans a name of at most most runes: whatever is dangerous in it, line breaks too, becomes U+FFFD.
func Name(s string, most int) string {
	head, _ := cutRunes(s, most)
	return replace(head, func(rune) rune { return utf8.RuneError })
}

// Clip shortens a text to most bytes and says how many more there were. It cleans nothing.
func Clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + fmt.Sprintf("… (%d bytes more)", len(s)-most)
}

// replace makes s valid UTF-8 and gives each dangerous character to with.
func replace(s string, with func(rune) rune) string {
	if plain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if Dangerous(r) {
			return with(r)
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// symbol is the picture of a control character that Unicode has for C0 and DEL, and U+FFFD for all others.
func symbol(r rune) rune {
	switch {
	case r < ' ':
		return '\u2400' + r
	case r == 0x7f:
		return '\u2421'
	}
	return utf8.RuneError
}

// plain reports whether s is printable ASCII, as nearly everything is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// cutBytes is the beginning of s, at most most bytes, without half a character at its end.
func cutBytes(s string, most int) string {
	for most > 0 && most < len(s) && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:min(most, len(s))]
}

// cutRunes is the beginning of s, at most most runes, and whether that is less than s.
func cutRunes(s string, most int) (head string, cut bool) {
	if len(s) <= most {
		return s, false
	}
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i], true
		}
	}
	return s, false
}
