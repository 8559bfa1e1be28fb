package paint

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// next cuts the first character off a text: what is drawn for it, and how many cells it takes. A character about whose
// width terminals do not agree (a sequence joined to one emoji) is reduced to its first rune; a control character takes
// no cell.
func next(text string) (ch string, width int, rest string) {
	if c := text[0]; c < utf8.RuneSelf && (len(text) == 1 || text[1] < utf8.RuneSelf) {
		if c < ' ' || c == 0x7f {
			return "", 0, text[1:]
		}
		return text[:1], 1, text[1:]
	}
	r, n := utf8.DecodeRuneInString(text)
	if (len(text) == n || text[n] < utf8.RuneSelf) && asciiOf(r) != "" { // our own signs take one cell each
		return text[:n], 1, text[n:]
	}
	if r >= 0x2010 && r < 0x2bff && r != 0x2028 && r != 0x2029 && !unicode.Is(unicode.Cf, r) && (len(text) == n || text[n] < utf8.RuneSelf) {
		return text[:n], ansi.StringWidthWc(text[:n]), text[n:]
	}
	if mark, m := utf8.DecodeRuneInString(text[n:]); isVoiceMark(mark) && r >= 0xff66 && r <= 0xff9d {
		return text[:n+m], 2, text[n+m:]
	} else if isVoiceMark(r) || isVoiceMark(mark) && r >= ' ' && r != 0x7f && n == 1 {
		return text[:n], 1, text[n:]
	}
	ch, width = ansi.FirstGraphemeCluster(text, ansi.GraphemeWidth)
	rest = text[len(ch):]
	switch {
	case r == utf8.RuneError && n < 2:
		return replacement, 1, rest
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
		return "", 0, rest
	case n < len(ch) && ansi.StringWidthWc(ch) != width:
		ch = ch[:n]
	}
	if width = ansi.StringWidthWc(ch); width < 1 || width > 2 || width != ansi.StringWidth(ch) || joins(ch, r) {
		return replacement, 1, rest
	}
	return ch, width, rest
}

// isVoiceMark reports whether a rune is a half-width voice mark of kana. Unicode counts it to the character before it,
// terminals give it a cell of its own.
func isVoiceMark(r rune) bool { return r == 0xff9e || r == 0xff9f }

// replacement stands for what cannot be drawn.
const replacement = "\uFFFD"

// joins reports whether a character would melt with its neighbours into one: on a screen each cell stands for itself.
func joins(ch string, r rune) bool {
	if r < 0x300 || r >= 0x4e00 && r < 0xa000 || r >= 0xac00 && r < 0xd7a4 {
		return false
	}
	if r >= 0x1100 && r < 0x1200 || r >= 0xa960 && r < 0xa980 || r >= 0xd7b0 && r < 0xd800 { // parts of Hangul syllables
		return true
	}
	before, _ := ansi.FirstGraphemeCluster(" "+ch, ansi.GraphemeWidth)
	after, _ := ansi.FirstGraphemeCluster(ch+"x", ansi.GraphemeWidth)
	twice, _ := ansi.FirstGraphemeCluster(ch+ch, ansi.GraphemeWidth)
	return before != " " || after != ch || twice != ch && len(ch) == utf8.RuneLen(r)
}

// Width is how many cells a text takes.
func Width(text string) int {
	n := 0
	for len(text) > 0 {
		_, w, rest := next(text)
		n, text = n+w, rest
	}
	return n
}

// fits reports whether a text takes at most w cells. It stops where it does not: the rest may be long.
func fits(text string, w int) bool {
	for n := 0; len(text) > 0; {
		_, cw, rest := next(text)
		if n += cw; n > w {
			return false
		}
		text = rest
	}
	return true
}

// Fit is the text in at most w cells; where it is longer it ends in an ellipsis.
func Fit(text string, w int) string {
	if w <= 0 {
		return ""
	}
	n, cut := 0, 0
	for i := 0; i < len(text); {
		_, cw, rest := next(text[i:])
		if n+cw > w {
			return text[:cut] + "…"
		}
		i = len(text) - len(rest)
		n += cw
		if n <= w-1 {
			cut = i
		}
	}
	return text
}

// Tail is the end of a text, in at most w cells.
func Tail(text string, w int) string {
	for over := Width(text) - w; over > 0 && text != ""; {
		_, cw, rest := next(text)
		over, text = over-cw, rest
	}
	return text
}

// FitMiddle is the text in at most w cells; where it is longer its middle is left out, so that the ends of names that
// begin alike stay visible.
func FitMiddle(text string, w int) string {
	total := Width(text)
	if total <= w {
		return text
	}
	if w < 5 {
		return Fit(text, w)
	}
	head := strings.TrimSuffix(Fit(text, (w-1)/2+1), "…")
	skip, tail := total-(w-1-Width(head)), text
	for n := 0; n < skip && len(tail) > 0; {
		_, cw, rest := next(tail)
		n, tail = n+cw, rest
	}
	return head + "…" + tail
}

// Pad is the text in exactly w cells: shortened, or followed by blanks.
func Pad(text string, w int) string {
	text = Fit(text, w)
	return text + strings.Repeat(" ", max(0, w-Width(text)))
}

// PadLeft is the text in exactly w cells: shortened, or after blanks.
func PadLeft(text string, w int) string {
	text = Fit(text, w)
	return strings.Repeat(" ", max(0, w-Width(text))) + text
}

// joint is where to break a word of which this is as much as fits on a line: after a dot or a slash, unless that leaves
// too little of it.
func joint(head string) int {
	if at := strings.LastIndexAny(head, "./") + 1; at*3 >= len(head) {
		return at
	}
	return len(head)
}

// Wrap breaks a text into lines of at most w cells, between words where it can, and within names after a dot or a slash.
func Wrap(text string, w int) []string {
	if w <= 0 {
		return nil
	}
	var out []string
	for para := range strings.SplitSeq(text, "\n") {
		line := ""
		for word := range strings.FieldsSeq(para) {
			for !fits(word, w) {
				if line != "" {
					out, line = append(out, line), ""
				}
				head := strings.TrimSuffix(Fit(word, w+1), "…")
				if head == "" || Width(head) > w {
					head = strings.TrimSuffix(Fit(word, w), "…")
				}
				if head == "" {
					_, _, rest := next(word)
					word = rest
					continue
				}
				head = head[:joint(head)]
				out, word = append(out, head), word[len(head):]
			}
			switch {
			case word == "":
			case line == "":
				line = word
			case Width(line)+1+Width(word) <= w:
				line += " " + word
			default:
				out, line = append(out, line), word
			}
		}
		out = append(out, line)
	}
	return out
}

// OneLine is a text with one blank wherever it has blanks or ends of lines.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
