package stacks

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// minWidth is the narrowest text: below it nothing could be read.
const minWidth = 20

// Lines are the tree as text, at most rows lines of it. Frames that all ranks of a branch share stand below each other; where
// ranks part, each branch begins with how many they are and which. No line is longer than width characters, 20 at least.
func (t *Tree) Lines(width, rows int) []string {
	width, rows = max(width, minWidth), max(rows, 1)
	d := drawer{width: width, rows: rows}
	out := []string{fmt.Sprintf("%s of %s", plural(len(t.Members), "rank"), plural(t.Processes, "process"))}
	d.branches(t.Branches, nil, "")
	out = append(out, d.out...)
	if d.left > 0 {
		out = append(out, fmt.Sprintf("… %s more", plural(d.left, "line")))
	}
	if t.Left > 0 {
		out = append(out, fmt.Sprintf("%s of no actor not shown", plural(t.Left, "goroutine")))
	}
	for i, f := range t.Failed {
		if i == rows {
			out = append(out, fmt.Sprintf("… and %d more", len(t.Failed)-i))
			break
		}
		out = append(out, fmt.Sprintf("%s: %s", f.Process, f.Why))
	}
	for i, line := range out {
		out[i] = fit(clean.Line(clean.Clip(line, 8*width)), width)
	}
	return out
}

// drawer draws branches, as far as there is room.
type drawer struct {
	width, rows int
	out         []string
	left        int // lines that had no room
}

func (d *drawer) line(s string) {
	if len(d.out) == d.rows {
		d.left++
		return
	}
	d.out = append(d.out, s)
}

// branches draws what is below a place, and who ends there. Deeper than half of the width there is no more indent.
func (d *drawer) branches(list []*Branch, ends []Member, indent string) {
	n := len(list)
	if len(ends) > 0 {
		n++
	}
	next := func(i int) (first, rest string) {
		switch {
		case 2*utf8.RuneCountInString(indent) > d.width:
			return indent, indent
		case i == n-1:
			return indent + "└─ ", indent + "   "
		}
		return indent + "├─ ", indent + "│  "
	}
	for i, b := range list {
		first, rest := next(i)
		d.line(first + who(b.Members, b.Count))
		for ; ; b = b.Branches[0] {
			d.line(rest + b.Frame.String())
			if len(b.Branches) != 1 || len(b.Ends) > 0 || len(b.Branches[0].Members) != len(b.Members) || b.Branches[0].Count != b.Count {
				break
			}
		}
		if len(b.Branches) > 0 {
			d.branches(b.Branches, b.Ends, rest)
		}
	}
	if len(ends) > 0 {
		first, _ := next(n - 1)
		d.line(first + who(ends, len(ends)) + ": ends here")
	}
}

// who is how many ranks, which, and how many goroutines where each has not one.
func who(members []Member, goroutines int) string {
	text := plural(len(members), "rank") + "  " + Fold(members)
	if goroutines != len(members) {
		text += fmt.Sprintf("  (%s)", plural(goroutines, "goroutine"))
	}
	return text
}

// Fold is sorted members as text, the ranks of a mesh folded: @a[0-3,5] @b[1].
func Fold(members []Member) string {
	const most = 256 // bytes of the ranks of one mesh
	var parts []string
	for len(members) > 0 {
		n := 1
		for n < len(members) && members[n].Mesh == members[0].Mesh {
			n++
		}
		var ranks []int
		for _, m := range members[:n] {
			if m.Rank >= 0 {
				ranks = append(ranks, m.Rank)
			}
		}
		name := clean.Name(members[0].Mesh, 80)
		if len(ranks) > 0 {
			name = fmt.Sprintf("@%s[%s]", strings.TrimPrefix(name, "@"), clean.EscapeCut(shape.FormatRanks(ranks), most))
		}
		parts = append(parts, name)
		members = members[n:]
	}
	return strings.Join(parts, " ")
}

func plural(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "ss"):
		what += "e"
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func fit(s string, width int) string {
	if len(s) <= width || utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}
