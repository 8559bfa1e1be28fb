package waitfor

import (
	"slices"
)

// MaxEdges is how many edges one look may have. A session of more is asked for a part of it.
const MaxEdges = 1 << 20

// Deadlock is a set of nodes that wait for each other and will for ever.
type Deadlock struct {
	Names []string // sorted
	Cycle []Edge   // one way around: each leads to where the next begins, the last to where the first does
	Knot  bool     // some of them wait for any of several, and none of these can go on

	nodes []int // as Names
}

// Hold is somebody whom the debugger holds and others wait for.
type Hold struct {
	Name    string
	Stop    uint64   // 0: a signal has stopped its process
	Break   uint64   // 0: no breakpoint
	Still   string   // that process; "": it runs
	Waiting []string // sorted; who waits for it and for nobody nearer who is held
}

// Report is what can be said of a mesh after two looks.
type Report struct {
	Deadlocks []Deadlock
	Stuck     []string   // in no deadlock, but waiting for one
	Suspects  []Deadlock // that only the newer look has: the next look will tell
	Holds     []Hold     // by name
	TooMany   int        // edges there were, where they were too many to judge; all else is empty then

	now   *graph
	held  map[int]Edge // of a node that is held: an edge that says so
	fate  []fate       // of each node
	waits []int        // of each node: the edge that explains best why it waits, -1
}

// fate is what will become of a node.
type fate uint8

const (
	waiting    fate = iota // for somebody who goes on, or nobody
	isHeld                 // by the debugger
	forHeld                // cannot go on before a stop ends
	suspect                // cannot go on by the newer look
	forLocked              // waits for a deadlock
	deadlocked             // is in one
)

// Judge says who is deadlocked, from two looks at the edges, one after the other. Where there was only one look yet, before
// is nil: only calls to oneself are deadlocks then.
func Judge(before, now []Edge) *Report {
	if n := max(len(before), len(now)); n > MaxEdges {
		return &Report{TooMany: n, now: newGraph(nil)}
	}
	r := &Report{now: newGraph(now), held: map[int]Edge{}}
	g := r.now
	r.fate, r.waits = make([]fate, len(g.names)), make([]int, len(g.names))
	for e := range g.edges {
		if g.edges[e].held() {
			r.held[g.to[e]] = g.edges[e]
		}
	}
	live := func(e int) bool { return !g.edges[e].handled() }
	sure, moved := bothLooks(g, before)
	isHeldNode := func(v int) bool { _, held := r.held[v]; return held }

	locked := g.stuck(func(e int) bool { return sure[e] && live(e) }, func(v int) bool { return moved[v] || isHeldNode(v) })
	r.Deadlocks = g.cores(locked, func(e int) bool { return sure[e] && live(e) })
	r.mark(locked, r.Deadlocks)

	seen := g.stuck(live, isHeldNode)
	for v := range seen {
		if seen[v] && r.fate[v] == waiting {
			r.fate[v] = suspect
		}
	}
	r.Suspects = g.cores(seen, live)
	r.Suspects = slices.DeleteFunc(r.Suspects, func(d Deadlock) bool {
		return slices.ContainsFunc(d.nodes, func(v int) bool { return r.fate[v] >= forLocked })
	})
	r.explain(live)
	r.judgeHolds(live)
	return r
}

// bothLooks tells of each edge whether the earlier look has it too, and of each node whether it has gone on since: what it
// waits for any of is not the same.
func bothLooks(g *graph, before []Edge) (sure, moved []bool) {
	known := make(map[identity]bool, len(before))
	orsBefore := make(map[string]int)
	heldBefore := make(map[string]bool)
	for i := range before {
		e := &before[i]
		if id := e.identity(); !known[id] {
			known[id] = true
			if e.Kind == Or {
				orsBefore[e.From]++
			}
		}
		if e.held() {
			heldBefore[e.To] = true
		}
	}
	sure, moved = make([]bool, len(g.edges)), make([]bool, len(g.names))
	for v, name := range g.names {
		moved[v] = heldBefore[name] // a stop that has ended meanwhile
		var ors map[identity]bool
		for _, i := range g.out[v] {
			e := &g.edges[i]
			id := e.identity()
			sure[i] = known[id] || e.From == e.To && e.Kind == And
			if e.Kind == Or {
				if ors == nil {
					ors = make(map[identity]bool)
				}
				ors[id] = true
				moved[v] = moved[v] || !sure[i]
			}
		}
		moved[v] = moved[v] || len(ors) > 0 && len(ors) != orsBefore[name]
	}
	return sure, moved
}

// cores are the deadlocks among stuck nodes: the cycles of And edges, and the components that no blocking edge leaves.
// Where there are stuck nodes there is one at least.
func (g *graph) cores(stuck []bool, use func(edge int) bool) []Deadlock {
	keep := g.blocking(stuck, use)
	blocking := func(e int) bool { return keep[e] }
	ands := func(e int) bool { return keep[e] && g.edges[e].Kind == And }
	out := g.coresOf(ands, false)
	taken := make([]bool, len(g.names))
	for _, d := range out {
		for _, v := range d.nodes {
			taken[v] = true
		}
	}
	for _, d := range g.coresOf(blocking, true) {
		if !slices.ContainsFunc(d.nodes, func(v int) bool { return taken[v] }) {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b Deadlock) int { return slices.Compare(a.nodes, b.nodes) })
	return out
}

// coresOf are the components over some edges that hold a cycle; only those that no such edge leaves, where bottom is set.
func (g *graph) coresOf(use func(edge int) bool, bottom bool) []Deadlock {
	of, count := g.components(use)
	inner, left := make([]bool, count), make([]bool, count)
	for e := range g.edges {
		if !use(e) {
			continue
		}
		if of[g.from[e]] == of[g.to[e]] {
			inner[of[g.from[e]]] = true
		} else {
			left[of[g.from[e]]] = true
		}
	}
	members := make([][]int, count)
	for v := range g.names {
		if c := of[v]; inner[c] && (!bottom || !left[c]) {
			members[c] = append(members[c], v)
		}
	}
	var out []Deadlock
	for c, nodes := range members {
		if len(nodes) == 0 {
			continue
		}
		d := Deadlock{nodes: nodes, Cycle: g.around(nodes[0], func(e int) bool { return use(e) && of[g.to[e]] == c })}
		for _, v := range nodes {
			d.Names = append(d.Names, g.names[v])
			for _, e := range g.out[v] {
				d.Knot = d.Knot || use(e) && g.edges[e].Kind == Or
			}
		}
		out = append(out, d)
	}
	return out
}

// around is a cycle near a node of a component, whose edges are those to use. It begins at its first name.
func (g *graph) around(v int, use func(edge int) bool) []Edge {
	at := make(map[int]int) // of a node on the way: the index of its edge
	var way []int
	for {
		if from, seen := at[v]; seen {
			way = way[from:]
			break
		}
		e := g.out[v][slices.IndexFunc(g.out[v], use)]
		at[v] = len(way)
		way = append(way, e)
		v = g.to[e]
	}
	first := 0
	for i, e := range way {
		if g.from[e] < g.from[way[first]] {
			first = i
		}
	}
	cycle := make([]Edge, len(way))
	for i := range way {
		cycle[i] = g.edges[way[(first+i)%len(way)]]
	}
	return cycle
}

// mark notes the fate of locked nodes.
func (r *Report) mark(locked []bool, cores []Deadlock) {
	for _, d := range cores {
		for _, v := range d.nodes {
			r.fate[v] = deadlocked
		}
	}
	for v, name := range r.now.names {
		if locked[v] && r.fate[v] != deadlocked {
			r.fate[v] = forLocked
			r.Stuck = append(r.Stuck, name)
		}
	}
}

// judgeHolds finds who cannot go on before a stop ends: whoever is stuck when the held do not go on, and was not before.
func (r *Report) judgeHolds(live func(edge int) bool) {
	g := r.now
	if len(r.held) == 0 {
		return
	}
	holds := make(map[int]*Hold)
	nearest := make(map[int]int)
	var queue []int
	for v := range g.names {
		if e, held := r.held[v]; held {
			r.fate[v] = isHeld
			holds[v], nearest[v] = &Hold{Name: g.names[v], Stop: e.Held, Break: e.Break, Still: e.Still}, v
			queue = append(queue, v)
		}
	}
	stuck := g.stuckBy(live, r.held)
	for len(queue) > 0 {
		v := queue[0]
		queue = queue[1:]
		for _, e := range g.in[v] {
			u := g.from[e]
			if _, known := nearest[u]; known || !live(e) || !stuck[u] || r.fate[u] != waiting {
				continue
			}
			nearest[u] = nearest[v]
			r.fate[u], r.waits[u] = forHeld, e
			h := holds[nearest[v]]
			h.Waiting = append(h.Waiting, g.names[u])
			queue = append(queue, u)
		}
	}
	for v := range g.names {
		if h := holds[v]; h != nil {
			slices.Sort(h.Waiting)
			r.Holds = append(r.Holds, *h)
		}
	}
}

// stuckBy is stuck where those who are held stay: each is as one that waits for itself.
func (g *graph) stuckBy(use func(edge int) bool, held map[int]Edge) []bool {
	with := &graph{names: g.names, edges: slices.Clone(g.edges), from: slices.Clone(g.from), to: slices.Clone(g.to), out: slices.Clone(g.out), in: slices.Clone(g.in)}
	n := len(g.edges)
	for v := range held {
		e := len(with.edges)
		with.edges = append(with.edges, Edge{From: g.names[v], To: g.names[v]})
		with.from, with.to = append(with.from, v), append(with.to, v)
		with.out[v], with.in[v] = append(slices.Clip(with.out[v]), e), append(slices.Clip(with.in[v]), e)
	}
	return with.stuck(func(e int) bool { return e >= n || use(e) }, func(int) bool { return false })
}
