package script

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// source is a script's text, cut into logical lines. plain is the text with comments and carriage returns as spaces,
// so that offsets in it are offsets in text.
type source struct {
	name  string
	text  string
	plain string
	lines []int // offsets where lines begin
}

// logical is a line, together with the lines that it goes on in because a { or [ is open.
type logical struct {
	start, end int  // offsets in plain
	indented   bool // an expectation
	phase      string
	isPhase    bool // a comment at column 0
	open       int  // offset of a bracket that is never closed, or -1
}

func newSource(name, text string) *source {
	s := &source{name: name, text: text, lines: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// pos turns an offset into a place.
func (s *source) pos(at int) Pos {
	at = min(max(at, 0), len(s.text))
	n := sort.SearchInts(s.lines, at+1) - 1
	return Pos{s.name, n + 1, utf8.RuneCountInString(s.text[s.lines[n]:at]) + 1}
}

// line is the text of a line, from 1.
func (s *source) line(n int) string {
	end := len(s.text)
	if n < len(s.lines) {
		end = s.lines[n] - 1
	}
	return strings.TrimRight(s.text[s.lines[n-1]:end], "\r")
}

func (s *source) error(at int, msg string) *Error {
	p := s.pos(at)
	return &Error{p, clean(msg), s.line(p.Line)}
}

// split finds the logical lines, blanking comments on the way.
func (s *source) split() []logical {
	plain := []byte(s.text)
	var out []logical
	for n := 0; n < len(s.lines); n++ {
		start, end := s.lines[n], s.end(n)
		if start == 0 && strings.HasPrefix(s.text, "\ufeff") { // a mark that some editors write
			copy(plain, "   ")
			start = 3
		}
		if start < end && s.text[start] == '#' {
			blank(plain, start, end)
			out = append(out, logical{phase: strings.TrimSpace(strings.TrimLeft(s.text[start:end], "#")), isPhase: true})
			continue
		}
		l := logical{start: start, open: -1}
		l.indented = start < end && (s.text[start] == ' ' || s.text[start] == '\t')
		var stack []int
		for {
			comment := scanLine(s.text, start, end, &stack)
			blank(plain, comment, end)
			l.end = comment
			if len(stack) == 0 {
				break
			}
			if n+1 >= len(s.lines) {
				l.open = stack[len(stack)-1]
				break
			}
			n++
			start, end = s.lines[n], s.end(n)
		}
		out = append(out, l)
	}
	for i, c := range plain {
		if c == '\r' {
			plain[i] = ' '
		}
	}
	s.plain = string(plain)
	return out
}

func (s *source) end(n int) int {
	if n+1 < len(s.lines) {
		return s.lines[n+1] - 1
	}
	return len(s.text)
}

func blank(b []byte, from, to int) {
	for i := from; i < to; i++ {
		b[i] = ' '
	}
}

// scanLine walks over one line: it returns where the comment begins (or end) and keeps the stack of open { and [. A #
// begins a comment after a space (or at the start), outside quotes and parentheses: in filter(results, # > 1) it is
// the element.
func scanLine(text string, start, end int, stack *[]int) int {
	parens, lastClose := 0, start+strings.LastIndexByte(text[start:end], ')')
	for i := start; i < end; i++ {
		switch c := text[i]; c {
		case '"', '\'', '`':
			if opensQuote(text, start, i) {
				if close := closing(text, i, end); close > 0 {
					i = close
				}
			}
		case '(':
			if i < lastClose {
				parens++
			}
		case ')':
			parens = max(0, parens-1)
		case '{', '[':
			*stack = append(*stack, i)
		case '}', ']':
			if n := len(*stack); n > 0 {
				*stack = (*stack)[:n-1]
			}
		case '#':
			if parens == 0 && (i == start || text[i-1] == ' ' || text[i-1] == '\t') {
				return i
			}
		}
	}
	return end
}

// opensQuote tells a quote that begins a token from an apostrophe inside a word.
func opensQuote(text string, start, i int) bool {
	return i == start || strings.IndexByte(" \t{[(,:=+!<>|&", text[i-1]) >= 0
}

// closing finds the end of a quoted text that begins at i, or -1 when the line ends first.
func closing(text string, i, end int) int {
	q := text[i]
	for j := i + 1; j < end; j++ {
		switch {
		case text[j] == '\\' && q != '`':
			j++
		case text[j] == q:
			return j
		}
	}
	return -1
}

// CutCommand gives what stands before the first ; of a text and what stands behind it. A ; in quotes, braces or brackets separates nothing.
func CutCommand(s string) (first, rest string, more bool) {
	var quote rune
	depth := 0
	for i, r := range s {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '`':
			quote = r
		case strings.ContainsRune("{[(", r):
			depth++
		case strings.ContainsRune("}])", r):
			depth--
		case r == ';' && depth == 0:
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}
