package statediff

import (
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Kind is what happened to a place between two trees.
type Kind uint8

// The kinds of a Change.
const (
	Changed Kind = iota // its value is another
	Added               // it was not there, or not known to be
	Removed             // it is not there any more
)

// Change is a place that differs between two trees.
type Change struct {
	Kind Kind
	Path string
	Old  string // "" where it was not there
	New  string // "" where it is not there
}

// Changes are the rows of a comparison of two trees, as what happened from the first to the second. Of more trees the first
// and the second count; of fewer there are none.
func (c *Comparison) Changes() []Change {
	if len(c.Ranks) < 2 {
		return nil
	}
	out := make([]Change, 0, len(c.Rows))
	for _, r := range c.Rows {
		old, now := r.Cells[0], r.Cells[1]
		ch := Change{Path: r.Path, Old: old.Text, New: now.Text}
		switch {
		case old.State == Present && now.State == Present:
		case now.State == Present:
			ch.Kind = Added
		case old.State == Present:
			ch.Kind = Removed
		default:
			continue
		}
		out = append(out, ch)
	}
	return out
}

// Marks is what a tree view puts beside values that changed since the last stop: the old text by path. A place that is new
// has the mark NotThere. A place that is gone cannot be marked itself: the one that held it says what it had.
func Marks(old, now control.StateNode) map[string]string {
	c := Compare(old, now)
	marks := make(map[string]string)
	gone := make(map[string][]string)
	for _, ch := range c.Changes() {
		switch ch.Kind {
		case Changed:
			marks[ch.Path] = ch.Old
		case Added:
			marks[ch.Path] = NotThere
		case Removed:
			parent, name := split(ch.Path)
			gone[parent] = append(gone[parent], name+": "+ch.Old)
		}
	}
	const most = 3 // a mark is read at a glance
	for parent, had := range gone {
		more := ""
		if len(had) > most {
			had, more = had[:most], " and "+strconv.Itoa(len(had)-most)+" more"
		}
		marks[parent] = "had " + strings.Join(had, ", ") + more
	}
	return marks
}

// NotThere is the mark of a place that is new.
const NotThere = "not there"

// split parts a path into that of the parent and the name of the child: a.b into a and b, a[3] into a and [3]. A key may hold
// brackets and dots in quotes, so the path is read from its beginning.
func split(path string) (parent, name string) {
	at, depth, quoted := 0, 0, false
	for i := 0; i < len(path); i++ {
		switch b := path[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '[' || b == '{':
			if depth == 0 && b == '[' {
				at = i
			}
			depth++
		case b == ']' || b == '}':
			depth = max(depth-1, 0)
		case b == '.' && depth == 0:
			at = i
		}
	}
	return path[:at], strings.TrimPrefix(path[at:], ".")
}
