package statediff

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// The bounds. A walk of the engine gives 20,000 nodes at most and 16 levels; pages and many ranks add up.
const (
	maxNodes = 1 << 22 // places of a tree compared in all
	maxDepth = 64      // levels
	maxRows  = 10_000  // kept; more are counted
	maxCells = 1 << 20 // of the rows that are kept
	maxGaps  = 1_000
	maxText  = 4 << 10 // bytes of a cell
)

// State says what is known of one place in one tree.
type State uint8

// The states of a Cell.
const (
	Present State = iota // there, with a text
	Absent               // read, and not there
	Unread               // not read: it may be there
)

// Cell is one place in one tree.
type Cell struct {
	State State
	Text  string // what is there; the type too, where only it differs
}

// Row is a place that is not the same in all trees.
type Row struct {
	Path  string // as control.StateNode.Path
	Cells []Cell // one for each tree
}

// Gap is a place of which not enough was read to tell whether it is the same.
type Gap struct {
	Path string
	Why  string
}

// Verdict is what can be said of the trees as a whole.
type Verdict uint8

// The verdicts.
const (
	Unknown   Verdict = iota // no difference in what was read, which is not all
	Same                     // all was read, and it is the same
	Different                // there is a row
)

// Comparison is how trees differ.
type Comparison struct {
	Ranks    []int // of the trees
	Rows     []Row // in the order of the trees
	MoreRows int   // that are not kept
	Gaps     []Gap
	MoreGaps int
}

// Verdict is what can be said as a whole.
func (c *Comparison) Verdict() Verdict {
	switch {
	case len(c.Rows) > 0:
		return Different
	case len(c.Gaps) > 0 || len(c.Ranks) == 0:
		return Unknown
	}
	return Same
}

// Compare finds where trees differ. They are states of one type, read at one path. A tree with an error counts as not read.
func Compare(trees ...control.StateNode) Comparison {
	c := comparer{left: maxNodes}
	at := make([]*control.StateNode, len(trees))
	path := ""
	for i := range trees {
		t := &trees[i]
		c.out.Ranks = append(c.out.Ranks, t.Rank)
		if t.Error != "" {
			c.gap(t.Path, fmt.Sprintf("rank %d: %s", t.Rank, clip(t.Error)))
			continue
		}
		at[i] = t
		path = t.Path
	}
	// A tree that was not read takes no part below, so that it does not hide what the others have.
	c.place = make([]int, 0, len(trees))
	var read []*control.StateNode
	for i, n := range at {
		if n != nil {
			c.place, read = append(c.place, i), append(read, n)
		}
	}
	if len(read) > 1 {
		c.compare(path, read, 0)
	}
	return c.out
}

// comparer walks several trees at once. Nodes at one place are a slice, one for each tree that was read.
type comparer struct {
	out   Comparison
	place []int // the index in Ranks of each tree that was read
	left  int   // nodes that may still be looked at
}

// compare looks at one place that all trees have.
func (c *comparer) compare(path string, at []*control.StateNode, depth int) {
	first := at[0]
	differ, typed := false, true
	for _, n := range at[1:] {
		if n.Kind != first.Kind || n.Type != first.Type {
			differ = true
			typed = typed && n.Text == first.Text
		}
	}
	switch {
	case differ:
		c.row(path, at, func(n *control.StateNode) Cell { return Cell{Text: textOf(n, typed)} })
	case composite(first.Kind):
		c.children(path, at, depth)
	default:
		c.leaf(path, at)
	}
}

func (c *comparer) leaf(path string, at []*control.StateNode) {
	doubt := ""
	for _, n := range at[1:] {
		same, why := sameLeaf(at[0], n)
		if !same {
			c.row(path, at, func(n *control.StateNode) Cell { return Cell{Text: textOf(n, false)} })
			return
		}
		if why != "" {
			doubt = why
		}
	}
	if doubt != "" {
		c.gap(path, doubt)
	}
}

func (c *comparer) children(path string, at []*control.StateNode, depth int) {
	if depth >= maxDepth {
		c.gap(path, fmt.Sprintf("it is more than %d levels deep", maxDepth))
		return
	}
	c.lengths(path, at)
	names, kids := c.match(path, at)
	for _, name := range names {
		nodes := kids[name]
		below := pathOf(path, name, nodes)
		missing, unread := 0, false
		for i, n := range nodes {
			if n == nil {
				missing++
				unread = unread || !absent(at[i], name)
			}
		}
		switch {
		case missing == 0:
			c.compare(below, nodes, depth+1)
		case !unread || c.visiblyDifferent(at, nodes, name):
			c.partly(below, at, nodes, name)
		default: // the gap of lengths stands for it
		}
	}
}

// visiblyDifferent reports whether some tree has a place and another certainly has not, whatever was not read in a third.
func (c *comparer) visiblyDifferent(at, nodes []*control.StateNode, name key) bool {
	for i, n := range nodes {
		if n == nil && absent(at[i], name) {
			return true
		}
	}
	return false
}

// partly is a row for a place that some trees do not have.
func (c *comparer) partly(path string, at, nodes []*control.StateNode, name key) {
	i := -1
	c.row(path, nodes, func(n *control.StateNode) Cell {
		i++
		switch {
		case n != nil:
			return Cell{Text: textOf(n, false)}
		case absent(at[i], name):
			return Cell{State: Absent}
		}
		return Cell{State: Unread}
	})
}

// lengths says where children were not read, and where their number alone shows that the trees differ.
func (c *comparer) lengths(path string, at []*control.StateNode) {
	var short *control.StateNode
	differ := false
	for _, n := range at {
		if cut(n) && (short == nil || len(n.Nodes) < len(short.Nodes)) {
			short = n
		}
		differ = differ || n.Len != at[0].Len
	}
	if short == nil {
		return
	}
	c.gap(path, fmt.Sprintf("%d of its %d elements were read", len(short.Nodes), short.Len))
	if differ {
		c.row(path, at, func(n *control.StateNode) Cell { return Cell{Text: fmt.Sprintf("%d elements", n.Len)} })
	}
}

// key is the name of a child, and which of those with that name it is: keys of a map need not differ in what they are shown as.
type key struct {
	name string
	nth  int
}

// match puts the children of one name side by side, in the order in which they come.
func (c *comparer) match(path string, at []*control.StateNode) ([]key, map[key][]*control.StateNode) {
	var names []key
	kids := make(map[key][]*control.StateNode)
	for i, n := range at {
		count := make(map[string]int, len(n.Nodes))
		for j := range n.Nodes {
			kid := &n.Nodes[j]
			k := key{kid.Name, count[kid.Name]}
			count[kid.Name]++
			side := kids[k]
			if side == nil {
				if c.left -= len(at); c.left < 0 {
					c.gap(path, fmt.Sprintf("more than %d values would be compared: ask for a path below, or for fewer ranks", maxNodes))
					return nil, nil
				}
				side = make([]*control.StateNode, len(at))
				kids[k] = side
				names = append(names, k)
			}
			side[i] = kid
		}
	}
	return names, kids
}

func (c *comparer) row(path string, at []*control.StateNode, cell func(*control.StateNode) Cell) {
	if len(c.out.Rows) == maxRows || (len(c.out.Rows)+1)*len(c.out.Ranks) > max(maxCells, len(c.out.Ranks)) {
		c.out.MoreRows++
		return
	}
	cells := make([]Cell, len(c.out.Ranks))
	for i := range cells {
		cells[i].State = Unread
	}
	for i, n := range at {
		cells[c.place[i]] = cell(n)
	}
	c.out.Rows = append(c.out.Rows, Row{path, cells})
}

func (c *comparer) gap(path, why string) {
	if len(c.out.Gaps) == maxGaps {
		c.out.MoreGaps++
		return
	}
	c.out.Gaps = append(c.out.Gaps, Gap{path, why})
}

func composite(kind string) bool { return kind == "struct" || kind == "map" || kind == "list" }

// cut reports whether children of a node were not read.
func cut(n *control.StateNode) bool { return len(n.Nodes) < n.Len }

// absent reports whether a node certainly has no child of a name that was not found in it.
func absent(n *control.StateNode, k key) bool {
	if !cut(n) {
		return true
	}
	i, err := strconv.Atoi(strings.Trim(k.name, "[]"))
	return err == nil && n.Kind == "list" && i >= n.Len
}

// pathOf is where a child lies: as the engine says, else as it would say.
func pathOf(parent string, k key, nodes []*control.StateNode) string {
	at := slices.IndexFunc(nodes, func(n *control.StateNode) bool { return n != nil && n.Path != "" })
	switch {
	case at >= 0:
		return nodes[at].Path
	case parent == "" || strings.HasPrefix(k.name, "["):
		return parent + k.name
	}
	return parent + "." + k.name
}
