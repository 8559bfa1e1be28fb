package waitfor

import (
	"cmp"
	"slices"
)

// graph is edges between numbered nodes. The numbers are in the order of the names, so that what is found does not depend
// on the order of the edges.
type graph struct {
	names []string
	edges []Edge
	out   [][]int // of a node: indices of edges
	in    [][]int
	from  []int // of an edge: nodes
	to    []int
}

func newGraph(edges []Edge) *graph {
	edges = slices.Clone(edges)
	slices.SortStableFunc(edges, func(a, b Edge) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Call, b.Call), cmp.Compare(a.Msg, b.Msg), cmp.Compare(a.Resource, b.Resource), a.Since.Compare(b.Since))
	})
	g := &graph{edges: edges, from: make([]int, len(edges)), to: make([]int, len(edges))}
	for i := range edges {
		g.names = append(g.names, edges[i].From, edges[i].To)
	}
	slices.Sort(g.names)
	g.names = slices.Compact(g.names)
	number := make(map[string]int, len(g.names))
	for i, n := range g.names {
		number[n] = i
	}
	g.out, g.in = make([][]int, len(g.names)), make([][]int, len(g.names))
	for i := range edges {
		from, to := number[edges[i].From], number[edges[i].To]
		g.from[i], g.to[i] = from, to
		g.out[from] = append(g.out[from], i)
		g.in[to] = append(g.in[to], i)
	}
	return g
}

// stuck are the nodes that cannot go on: those that remain when every node that may goes on, and with it whoever waited
// for it. free nodes go on whatever they wait for.
func (g *graph) stuck(use func(edge int) bool, free func(node int) bool) []bool {
	ands := make([]int, len(g.names))  // And edges of a node whose end has not gone on
	ors := make([]bool, len(g.names))  // the node has Or edges, and no end of them has gone on
	gone := make([]bool, len(g.names)) // the node goes on
	var queue []int
	for v := range g.names {
		answered := false // one of the Or edges will end
		for _, e := range g.out[v] {
			switch {
			case g.edges[e].Kind == Or:
				ors[v] = ors[v] || use(e)
				answered = answered || g.edges[e].handled()
			case use(e):
				ands[v]++
			}
		}
		ors[v] = ors[v] && !answered
		if free(v) || ands[v] == 0 && !ors[v] {
			gone[v] = true
			queue = append(queue, v)
		}
	}
	for len(queue) > 0 {
		v := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, e := range g.in[v] {
			u := g.from[e]
			if gone[u] || !use(e) {
				continue
			}
			if g.edges[e].Kind == Or {
				ors[u] = false
			} else {
				ands[u]--
			}
			if ands[u] == 0 && !ors[u] {
				gone[u] = true
				queue = append(queue, u)
			}
		}
	}
	for v := range gone {
		gone[v] = !gone[v]
	}
	return gone
}

// blocking are the edges that keep stuck nodes: of each its And edges to stuck ones, or where it has none its Or edges,
// which all lead to stuck ones.
func (g *graph) blocking(stuck []bool, use func(edge int) bool) []bool {
	keep := make([]bool, len(g.edges))
	for v := range g.names {
		if !stuck[v] {
			continue
		}
		ands := false
		for _, e := range g.out[v] {
			if use(e) && g.edges[e].Kind == And && stuck[g.to[e]] {
				keep[e], ands = true, true
			}
		}
		for _, e := range g.out[v] {
			if !ands && use(e) && g.edges[e].Kind == Or {
				keep[e] = true
			}
		}
	}
	return keep
}

// components are the strongly connected components over some edges, by number of each node. It is Tarjan's algorithm with
// a stack of its own: a ring may be long.
func (g *graph) components(use func(edge int) bool) (of []int, count int) {
	of = make([]int, len(g.names))
	low, order := make([]int, len(g.names)), make([]int, len(g.names)) // order counts from 1
	next := make([]int, len(g.names))                                  // of a node on the path: the edge to look at
	var path, open []int
	clock := 0
	enter := func(v int) {
		clock++
		low[v], order[v] = clock, clock
		path, open = append(path, v), append(open, v)
	}
	for root := range g.names {
		if order[root] != 0 {
			continue
		}
		enter(root)
		for len(path) > 0 {
			v := path[len(path)-1]
			if next[v] < len(g.out[v]) {
				e := g.out[v][next[v]]
				next[v]++
				switch u := g.to[e]; {
				case !use(e):
				case order[u] == 0:
					enter(u)
				case low[u] != closed:
					low[v] = min(low[v], order[u])
				}
				continue
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				up := path[len(path)-1]
				low[up] = min(low[up], low[v])
			}
			if low[v] != order[v] {
				continue
			}
			for {
				u := open[len(open)-1]
				open = open[:len(open)-1]
				of[u], low[u] = count, closed
				if u == v {
					break
				}
			}
			count++
		}
	}
	return of, count
}

// closed marks a node whose component is known.
const closed = int(^uint(0) >> 1)
