package waitfor

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// minWidth is the narrowest text: below it nothing could be read.
const minWidth = 20

// Verdict is the report in a sentence.
func (r *Report) Verdict() string {
	switch waiters := r.waiters(); {
	case r.TooMany > 0:
		return fmt.Sprintf("not judged: there are %d waits and %d can be judged; ask for fewer meshes", r.TooMany, MaxEdges)
	case len(r.Deadlocks) > 0:
		text := "deadlock: " + members(r.Deadlocks[0])
		if more := len(r.Deadlocks) - 1; more > 0 {
			text += fmt.Sprintf(", and %d more", more)
		}
		return text
	case len(r.Suspects) > 0:
		return "perhaps a deadlock: the next look will tell"
	case slices.ContainsFunc(r.Holds, func(h Hold) bool { return len(h.Waiting) > 0 }):
		return "no deadlock: " + r.heldText()
	case waiters == 0:
		return "nobody waits"
	case waiters == 1:
		return "no deadlock: 1 waits, for somebody who goes on"
	default:
		return fmt.Sprintf("no deadlock: %d wait, for somebody who goes on", waiters)
	}
}

func members(d Deadlock) string {
	switch {
	case len(d.Names) == 1:
		return shown(d.Names[0]) + " waits for itself"
	case d.Knot:
		return fmt.Sprintf("%d wait for each other, and none of those that would do can go on", len(d.Names))
	}
	return fmt.Sprintf("%d wait for each other", len(d.Names))
}

func (r *Report) heldText() string {
	n, stops := 0, 0
	first := Hold{}
	for _, h := range r.Holds {
		if len(h.Waiting) == 0 {
			continue
		}
		if stops == 0 {
			first = h
		}
		stops++
		n += len(h.Waiting)
	}
	wait := "wait"
	if n == 1 {
		wait = "waits"
	}
	if stops > 1 {
		return fmt.Sprintf("%d wait for %d that %s", n, stops, r.heldBy())
	}
	return fmt.Sprintf("%d %s for %s, %s", n, wait, shown(first.Name), first.how())
}

// heldBy says by whom those are held that somebody waits for.
func (r *Report) heldBy() string {
	stop, signal := false, false
	for _, h := range r.Holds {
		if len(h.Waiting) > 0 {
			stop, signal = stop || h.Stop != 0, signal || h.Stop == 0
		}
	}
	switch {
	case !signal:
		return "are held by the debugger"
	case !stop:
		return "stand still by a signal"
	}
	return "are held by the debugger, or stand still by a signal"
}

// how says what holds it, after "is".
func (h *Hold) how() string {
	if h.Stop == 0 {
		return fmt.Sprintf("in %s, which a signal has stopped", shown(h.Still))
	}
	return "held by " + stopText(h.Stop, h.Break)
}

func (r *Report) waiters() int {
	n := 0
	for v := range r.now.names {
		if len(r.now.out[v]) > 0 {
			n++
		}
	}
	return n
}

// Lines are the verdict, what it rests on, and then who waits for whom, with the ranks of a mesh folded: at most rows lines
// of each. at is the moment from which waits are counted. No line is longer than width characters, 20 at least.
func (r *Report) Lines(width, rows int, at time.Time) []string {
	width, rows = max(width, minWidth), max(rows, 1)
	out := []string{r.Verdict()}
	for _, d := range r.Deadlocks[:min(rows, len(r.Deadlocks))] {
		out = append(out, cycleLines("deadlock", d, rows, at)...)
	}
	if len(r.Stuck) > 0 {
		out = append(out, fmt.Sprintf("%d more cannot go on because of it: %s", len(r.Stuck), folded(r.Stuck)))
	}
	for _, d := range r.Suspects[:min(rows, len(r.Suspects))] {
		out = append(out, cycleLines("perhaps a deadlock", d, rows, at)...)
	}
	for _, h := range r.Holds[:min(rows, len(r.Holds))] {
		line := shown(h.Name) + " is " + h.how()
		if len(h.Waiting) > 0 {
			line += ", and keeps waiting: " + folded(h.Waiting)
		}
		out = append(out, line)
	}
	out = append(out, r.edgeLines(rows, at)...)
	for i, line := range out {
		out[i] = fit(clean.Line(line), width)
	}
	return out
}

func cycleLines(title string, d Deadlock, rows int, at time.Time) []string {
	out := []string{fmt.Sprintf("%s of %s:", title, folded(d.Names))}
	for i, e := range d.Cycle {
		if i == rows {
			return append(out, fmt.Sprintf("  … %d more", len(d.Cycle)-i))
		}
		out = append(out, "  "+e.sentence()+since(e.Since, at))
	}
	return out
}

// arrow is what the edges of one line have in common.
type arrow struct{ mesh, to, what string }

// edgeLines are the edges, those whose waiters are ranks of one mesh and wait for the same in one line.
func (r *Report) edgeLines(rows int, at time.Time) []string {
	g := r.now
	if len(g.edges) == 0 {
		return nil
	}
	froms := make(map[arrow][]string)
	oldest := make(map[arrow]time.Time)
	var order []arrow
	for i := range g.edges {
		e := &g.edges[i]
		mesh, _, _ := placeOf(e.From)
		a := arrow{mesh, e.To, e.brief()}
		if _, known := froms[a]; !known {
			order = append(order, a)
			oldest[a] = e.Since
		}
		froms[a] = append(froms[a], e.From)
		if e.Since.Before(oldest[a]) {
			oldest[a] = e.Since
		}
	}
	slices.SortStableFunc(order, func(a, b arrow) int { return cmp.Compare(len(froms[b]), len(froms[a])) })
	out := []string{"who waits for whom:"}
	for i, a := range order {
		if i == rows {
			return append(out, fmt.Sprintf("  … %d more", len(order)-i))
		}
		out = append(out, fmt.Sprintf("  %s → %s  %s%s", folded(froms[a]), shown(a.to), a.what, since(oldest[a], at)))
	}
	return out
}

// brief is what is waited for.
func (e *Edge) brief() string {
	text := cmp.Or(e.State, "waits")
	switch {
	case e.Resource != "":
		text = "for " + shown(e.Resource)
	case e.Endpoint != "":
		text = shown(e.Endpoint) + " " + shown(text)
	}
	if e.Kind == Or {
		text += ", or another"
	}
	return text
}

// placeOf parts @mesh[rank]. Of any other name the whole is the mesh.
func placeOf(name string) (mesh string, rank int, ok bool) {
	mesh, rest, found := strings.Cut(name, "[")
	digits, closed := strings.CutSuffix(rest, "]")
	rank, err := strconv.Atoi(digits)
	if !found || !closed || err != nil || rank < 0 {
		return name, 0, false
	}
	return mesh, rank, true
}

// folded is names with the ranks of a mesh folded: main, @a[0-3,5]. Many are cut.
func folded(names []string) string {
	const most = 8 // meshes
	type group struct {
		name  string
		ranks bool // it is a mesh: a client may have the name of one
	}
	ranks := make(map[group][]int)
	var order []group
	for _, n := range names {
		mesh, rank, ok := placeOf(n)
		g := group{mesh, ok}
		if _, known := ranks[g]; !known {
			order = append(order, g)
		}
		ranks[g] = append(ranks[g], rank)
	}
	var parts []string
	for i, g := range order {
		if i == most {
			parts = append(parts, fmt.Sprintf("%d more", len(order)-i))
			break
		}
		text := shown(g.name)
		if g.ranks {
			text += "[" + clean.EscapeCut(shape.FormatRanks(ranks[g]), maxName) + "]"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func fit(s string, width int) string {
	if len(s) <= width || utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}
