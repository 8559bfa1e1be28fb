package messages

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Limits of the flow.
const (
	maxLines  = 12
	leastLine = 10   // cells of a lifeline, from half way to the one before to half way to the next
	shortest  = 8    // of one that gives of its room to others
	widest    = 22   // and at most
	lookBack  = 2000 // rows above the screen that are looked at for parties and waiting calls
	fewRanks  = 4    // of a mesh that get a lifeline each without being selected
	mostNames = 512  // whose order of appearance is remembered
)

// flow is the state of the sequence view.
type flow struct {
	stale  bool           // the selection has changed
	order  map[string]int // of groups, by first appearance, so that lifelines do not jump
	lines  []lifeline
	of     map[string]*lanes // by group
	other  int               // the lifeline of all the others, -1
	layout uint64            // counts how often they were others
	does   []doing           // what goes on at the lifelines in the row that is drawn
}

// lifeline is a column of the flow: an actor, the rest of a mesh, a client, or all others.
type lifeline struct {
	label string
	mesh  string // of a single actor, for its state
	rank  int
	many  bool
}

// lanes are the lifelines of a group: of some of its ranks, and of its rest (-1: none).
type lanes struct {
	own  map[int]int
	rest int
}

// party is a group that was seen in the rows looked at.
type party struct {
	group string
	mesh  string // "" for a client
	ranks map[int]bool
	wide  bool // more ranks than were looked at
}

// lay chooses the lifelines: clients, selected ranks, then meshes, in the order in which they appeared.
func (p *Pane) lay(rows []row, budget int) {
	f := &p.flow
	if f.order == nil || len(f.order) > mostNames || f.stale {
		f.order, f.stale = map[string]int{}, false
	}
	parties := p.partiesOf(rows)
	var clients, meshes []*party
	for _, q := range parties {
		if q.mesh == "" {
			clients = append(clients, q)
		} else {
			meshes = append(meshes, q)
		}
	}
	slices.SortStableFunc(meshes, func(a, b *party) int {
		return cmp.Compare(btoi(b.mesh == p.focusMesh), btoi(a.mesh == p.focusMesh))
	})
	single := p.singles(meshes, max(0, budget-min(3, len(clients))))
	before, other := f.of, f.other
	f.lines, f.of, f.other = f.lines[:0], map[string]*lanes{}, -1
	defer func() {
		if other != f.other || !sameLines(before, f.of) {
			f.layout++
		}
	}()
	var overflow []*party
	room := func(n int, last bool) bool {
		return len(f.lines)+n <= budget-btoi(!last)
	}
	for i, q := range slices.Concat(clients, meshes) {
		last := i == len(parties)-1 && overflow == nil
		if q.mesh == "" {
			if i >= 3 || !room(1, last) {
				overflow = append(overflow, q)
				continue
			}
			f.of[q.group] = &lanes{rest: len(f.lines)}
			f.lines = append(f.lines, lifeline{label: q.group, rank: -1})
			continue
		}
		ranks := single[q]
		rest := btoi(q.wide || len(q.ranks) > len(ranks) || len(ranks) == 0)
		for len(ranks) > 0 && !room(len(ranks)+rest, last) {
			ranks, rest = ranks[:len(ranks)-1], 1
		}
		if !room(len(ranks)+rest, last) {
			overflow = append(overflow, q)
			continue
		}
		p.place(q, ranks, rest > 0)
	}
	if overflow != nil {
		f.other = len(f.lines)
		f.lines = append(f.lines, lifeline{label: "others", rank: -1, many: true})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// place gives lifelines to ranks of a mesh, and one to its rest.
func (p *Pane) place(q *party, ranks []int, rest bool) {
	f := &p.flow
	l := &lanes{own: map[int]int{}, rest: -1}
	f.of[q.group] = l
	for _, r := range ranks {
		l.own[r] = len(f.lines)
		f.lines = append(f.lines, lifeline{label: fmt.Sprintf("%s[%d]", q.mesh, r), mesh: q.mesh, rank: r})
	}
	if !rest {
		return
	}
	l.rest = len(f.lines)
	label := q.mesh + "[*]"
	if len(ranks) > 0 {
		label = q.mesh + " rest"
		if m, ok := p.w.Mesh(q.mesh); ok {
			var others []int
			for r := range m.Ranks {
				if !slices.Contains(ranks, r) {
					others = append(others, r)
				}
			}
			if text := shape.FormatRanks(others); len(text) <= 8 {
				label = q.mesh + "[" + text + "]"
			}
		}
	}
	f.lines = append(f.lines, lifeline{label: label, rank: -1, many: true})
}

// singles are the ranks of each mesh that get lifelines of their own: those that are selected, and all where there is
// room for all.
func (p *Pane) singles(meshes []*party, budget int) map[*party][]int {
	out, all := map[*party][]int{}, map[*party][]int{}
	need := 0
	for _, q := range meshes {
		if q.mesh == p.focusMesh && len(p.focusRanks) > 0 {
			out[q] = p.focusRanks[:min(len(p.focusRanks), max(1, budget/2))]
			need += len(out[q]) + 1
			continue
		}
		if m, ok := p.w.Mesh(q.mesh); ok && q.wide && len(m.Ranks) <= fewRanks {
			for r := range m.Ranks {
				q.ranks[r] = true
			}
			q.wide = false
		}
		if q.wide || len(q.ranks) > fewRanks {
			need = budget + 1 // ranks of one mesh beside another as a whole look odd
			continue
		}
		all[q] = slices.Sorted(maps.Keys(q.ranks))
		need += len(all[q])
	}
	if need <= budget {
		maps.Copy(out, all)
	}
	return out
}

// partiesOf are the groups of the rows, in the order in which they first appeared.
func (p *Pane) partiesOf(rows []row) []*party {
	seen := map[string]*party{}
	add := func(group string, rank int, wide bool) {
		g := world.Name(group)
		q := seen[g]
		if q == nil {
			q = &party{group: g, ranks: map[int]bool{}}
			if rank >= 0 {
				q.mesh = g
			}
			seen[g] = q
			if _, known := p.flow.order[g]; !known {
				p.flow.order[g] = len(p.flow.order)
			}
		}
		if rank >= 0 && len(q.ranks) <= maxLines {
			q.ranks[rank] = true
		}
		q.wide = q.wide || wide || len(q.ranks) > maxLines
	}
	for _, r := range rows {
		if r.part != whole {
			continue
		}
		h := r.f.one()
		if g := p.read(h); !g.apart {
			add(r.f.from, int(g.from), r.f.senders)
			add(r.f.to, int(g.to), r.f.ranks > 1)
			continue
		}
		from, to := ends(h.message(p.src))
		add(group(from), int(rankOf(from)), r.f.senders)
		add(group(to), int(rankOf(to)), r.f.ranks > 1)
	}
	if p.focusMesh != "" && len(p.focusRanks) > 0 && len(seen) > 0 && seen[p.focusMesh] == nil {
		if _, ok := p.w.Mesh(p.focusMesh); ok {
			add(p.focusMesh, p.focusRanks[0], false)
			delete(seen[p.focusMesh].ranks, p.focusRanks[0])
		}
	}
	out := slices.Collect(maps.Values(seen))
	slices.SortFunc(out, func(a, b *party) int { return cmp.Compare(p.flow.order[a.group], p.flow.order[b.group]) })
	return out
}

// linesOfRanks are the lifelines of ranks of a group.
func (f *flow) linesOfRanks(name string, ranks []int) []int {
	l := f.of[world.Name(group(name))]
	if l == nil || len(ranks) < 2 {
		return []int{f.lineOf(name)}
	}
	var out []int
	for rank, line := range l.own {
		if _, ok := slices.BinarySearch(ranks, rank); ok {
			out = append(out, line)
		}
	}
	if len(out) < len(ranks) && l.rest >= 0 {
		out = append(out, l.rest)
	}
	slices.Sort(out)
	return out
}

// grid is where the lifelines are.
type grid struct {
	time       int
	left, wide []int // where the room of each lifeline begins, and how much it is
	note       column
}

// gridOf gives all lifelines the same room; where that is too little for a name, those with short names give of theirs.
func gridOf(w int, lines []lifeline) grid {
	g := grid{left: make([]int, len(lines)), wide: make([]int, len(lines))}
	if w >= 60 {
		g.time = 8
	}
	room := w - g.time - noteRoom(w)
	step := min(widest, room/max(1, len(lines)))
	for i := range g.wide {
		g.wide[i] = step
	}
	spare := room - len(lines)*step
	for _, with := range []int{0, sign} { // the names matter more than their signs
		for more := true; more; {
			more = false
			for i := range lines {
				if g.wide[i] >= lines[i].room(with) {
					continue
				}
				if spare > 0 {
					spare--
				} else if !g.give(lines, with) {
					continue
				}
				g.wide[i]++
				more = true
			}
		}
	}
	x := g.time
	for i, wide := range g.wide {
		g.left[i], x = x, x+wide
	}
	g.note.x = x + 1
	g.note.w = max(0, w-g.note.x)
	return g
}

// noteRoom is the least room for what is said beside an arrow.
func noteRoom(w int) int {
	switch {
	case w >= 100:
		return 24
	case w >= 72:
		return 16
	}
	return 0
}

// linesIn is how many lifelines a width has room for.
func linesIn(w int) int {
	return max(1, min(maxLines, (w-btoi(w >= 60)*8-noteRoom(w))/leastLine))
}

func (g grid) x(line int) int { return g.left[line] + g.wide[line]/2 }

// beside is the room for a word beside a lifeline, before the next one.
func (g grid) beside(line int) column {
	x, next := g.x(line)+2, g.note.x
	if line+1 < len(g.left) {
		next = g.x(line+1) - 1
	}
	return column{x, max(0, next-x)}
}

// give takes a cell from the lifeline that has most to give, and reports whether there was one.
func (g grid) give(lines []lifeline, with int) bool {
	from, most := 0, 0
	for i, wide := range g.wide {
		if n := wide - max(shortest, lines[i].room(with)); n > most {
			from, most = i, n
		}
	}
	if most > 0 {
		g.wide[from]--
	}
	return most > 0
}

// room is what the name of a lifeline takes, with a blank, and with its sign if it has one.
func (l *lifeline) room(with int) int {
	room := paint.Width(l.label) + 1
	if l.mesh != "" {
		room += with
	}
	return min(widest, room)
}

// heads writes the names above the lifelines; the last one may reach over what is said beside the arrows.
func (p *Pane) heads(s *paint.Surface, g grid) {
	w, _ := s.Size()
	for i, l := range p.flow.lines {
		room := g.wide[i] - 1
		if i == len(p.flow.lines)-1 {
			room = w - g.left[i]
		}
		label := paint.FitMiddle(l.label, room)
		word := ""
		if m, ok := p.w.Mesh(l.mesh); ok && l.rank >= 0 && l.rank < len(m.Ranks) && paint.Width(l.label)+2 < g.wide[i] {
			word = p.w.Word(m, l.rank)
		}
		x := g.x(i) - paint.Width(label)/2
		x = max(g.left[i], min(x-btoi(word != ""), g.left[i]+g.wide[i]-1-paint.Width(label)))
		if word != "" {
			x = s.Text(x, 0, paint.Style{Fg: paint.State(word)}, paint.Glyph(word)) + 1
		}
		s.Text(x, 0, paint.Style{Fg: paint.Text, Attr: paint.Bold}, label)
	}
}
