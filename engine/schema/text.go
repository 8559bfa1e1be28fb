package schema

import (
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

const maxQuoted = 60 // runes of a bad token that a message repeats

// clip is the text, clean, cut to what a message should repeat.
func clip(s string) string { return clean.EscapeCut(s, maxQuoted) }

// quote is a token in quotes, cut and clean, for messages.
func quote(s string) string { return `"` + strings.ReplaceAll(clip(s), `"`, `\"`) + `"` }

// jsonText is a string as JSON writes it, with at most limit runes (0: all).
func jsonText(s string, limit int) string {
	text, cut := clean.JSON(s, limit)
	if cut {
		return `"` + text + "…\" (" + group(len(s)) + " bytes)"
	}
	return `"` + text + `"`
}

// group is a count with commas: 12,345.
func group(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
