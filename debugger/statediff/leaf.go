package statediff

import (
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// sameLeaf reports whether two values without children are the same as far as they are shown. doubt says why that may not
// be all there is to them.
func sameLeaf(a, b *control.StateNode) (same bool, doubt string) {
	if a.Kind == "other" && a.Text == b.Text {
		return true, "a " + clean.EscapeCut(a.Text, 40) + " does not show what is in it"
	}
	headA, sizeA := uncut(a)
	headB, sizeB := uncut(b)
	switch {
	case sizeA < 0 && sizeB < 0: // nothing was cut
		return a.Text == b.Text, ""
	case sizeA >= 0 && sizeB >= 0 && sizeA != sizeB:
		return false, ""
	case !strings.HasPrefix(headA, headB) && !strings.HasPrefix(headB, headA):
		return false, ""
	}
	// One was cut and goes on as the other does: they may be the same if they are of one length.
	if sizeA < 0 || sizeB < 0 {
		whole, size := a, sizeB
		if sizeB < 0 {
			whole, size = b, sizeA
		}
		if lengthOf(whole) != size {
			return false, ""
		}
	}
	return true, "only the beginning of its " + strconv.Itoa(max(sizeA, sizeB)) + " bytes was read"
}

// uncut is what was read of a text, without its last quote, and how many bytes the whole has: -1 where it was not cut. The
// engine marks a cut text with its length: "abc"… (9 bytes).
func uncut(n *control.StateNode) (head string, size int) {
	if n.Kind != "string" && n.Kind != "bytes" {
		return n.Text, -1
	}
	head, size = n.Text, -1
	if i := strings.LastIndex(n.Text, "… ("); i >= 0 {
		digits, ok := strings.CutSuffix(n.Text[i+len("… ("):], " bytes)")
		if s, err := strconv.Atoi(digits); ok && err == nil && s >= 0 {
			head, size = n.Text[:i], s
		}
	}
	return strings.TrimRight(head, `"'`), size
}

// lengthOf is how many bytes a text has that was not cut, -1 where it cannot be told.
func lengthOf(n *control.StateNode) int {
	if n.Kind == "bytes" {
		return n.Len
	}
	s, err := strconv.Unquote(n.Text)
	if err != nil {
		return -1
	}
	return len(s)
}

// textOf is what a cell shows of a node; with its type where the texts alone do not tell it from the others.
func textOf(n *control.StateNode, typed bool) string {
	text := clip(n.Text)
	if typed && n.Type != "" {
		return clip(n.Type) + " " + text
	}
	return text
}

// clip shortens a text that nobody reads to its end.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return clean.Clip(s, maxText)
}
