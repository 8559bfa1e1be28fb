package waitfor

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// someEdges are random edges of a small graph.
func someEdges(r *rand.Rand, nodes int, or, heldOne float64) []Edge {
	var out []Edge
	for i := range r.IntN(2*nodes + 1) {
		e := call(fmt.Sprint(r.IntN(nodes)), fmt.Sprint(r.IntN(nodes)), uint64(i+1))
		if r.Float64() < or {
			e.Kind = Or
		}
		if r.Float64() < heldOne {
			e.Held = 1
		}
		if r.IntN(8) == 0 {
			e.State = control.WaitRunning
		}
		out = append(out, e)
	}
	return out
}

// largest is the largest deadlocked set by its definition: of all subsets those each of whose nodes has an And edge into it,
// or Or edges that all lead into it. Their union is one, too.
func largest(nodes int, edges []Edge, free func(string) bool) map[string]bool {
	union := map[string]bool{}
	for set := range 1 << nodes {
		in := func(n string) bool { return set&(1<<(n[0]-'0')) != 0 }
		ok := true
		for v := 0; v < nodes && ok; v++ {
			name := fmt.Sprint(v)
			if !in(name) {
				continue
			}
			and, ors, orsIn := false, 0, 0
			for _, e := range edges {
				switch {
				case e.From != name:
				case e.Kind == And:
					and = and || in(e.To) && (e.From != e.To || e.State != control.WaitRunning)
				default:
					ors++
					if in(e.To) && (e.From != e.To || e.State != control.WaitRunning) {
						orsIn++
					}
				}
			}
			ok = !free(name) && (and || ors > 0 && ors == orsIn)
		}
		for v := 0; v < nodes && ok; v++ {
			if name := fmt.Sprint(v); in(name) {
				union[name] = true
			}
		}
	}
	return union
}

// reaches is reachability over one edge or more, by Warshall's algorithm.
func reaches(nodes int, edges []Edge) [][]bool {
	m := make([][]bool, nodes)
	for i := range m {
		m[i] = make([]bool, nodes)
	}
	for _, e := range edges {
		m[e.From[0]-'0'][e.To[0]-'0'] = true
	}
	for k := range m {
		for i := range m {
			for j := range m {
				m[i][j] = m[i][j] || m[i][k] && m[k][j]
			}
		}
	}
	return m
}

func all(r *Report) map[string]bool {
	got := map[string]bool{}
	for _, d := range r.Deadlocks {
		for _, n := range d.Names {
			got[n] = true
		}
	}
	for _, n := range r.Stuck {
		got[n] = true
	}
	return got
}

func sameSet(a, b map[string]bool) bool {
	for k := range a {
		if !b[k] {
			return false
		}
	}
	return len(a) == len(b)
}

// TestDeadlocksAreExactlyThoseOfTheDefinition holds INV-EXACT and INV-HELD against all subsets of small graphs.
func TestDeadlocksAreExactlyThoseOfTheDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	found, free := 0, 0
	for range 20_000 / slack {
		nodes := 1 + r.IntN(6)
		edges := someEdges(r, nodes, []float64{0, 0.5, 1}[r.IntN(3)], []float64{0, 0.1}[r.IntN(2)])
		isHeld := func(n string) bool {
			return slices.ContainsFunc(edges, func(e Edge) bool { return e.Held != 0 && e.To == n })
		}
		want := largest(nodes, edges, isHeld)
		rep := twice(edges)
		if got := all(rep); !sameSet(got, want) {
			t.Fatalf("%v\ngot %v\nwant %v", edges, got, want)
		}
		if (len(want) > 0) != (len(rep.Deadlocks) > 0) {
			t.Fatalf("%v\n%v are stuck, and the deadlocks are %v", edges, want, rep.Deadlocks)
		}
		if len(want) > 0 {
			found++
		} else {
			free++
		}
		// Whoever is held, or waits for one who is, is named exactly when only the stop keeps it.
		withHeld := largest(nodes, append(slices.Clone(edges), selfEdges(nodes, isHeld)...), func(string) bool { return false })
		named := map[string]bool{}
		for _, h := range rep.Holds {
			named[h.Name] = true
			for _, n := range h.Waiting {
				named[n] = true
			}
		}
		for n := range withHeld {
			if !want[n] != named[n] {
				t.Fatalf("%v\n%s: deadlocked %v, held or waiting for a stop %v", edges, n, want[n], named[n])
			}
		}
		for _, d := range rep.Deadlocks {
			checkCycle(t, d)
		}
		for v := range nodes {
			checkWhy(t, rep, fmt.Sprint(v))
		}
	}
	if found < 2000/slack || free < 2000/slack {
		t.Errorf("%d with a deadlock and %d without: the graphs do not show enough", found, free)
	}
}

// selfEdges make each of those who are held wait for itself.
func selfEdges(nodes int, held func(string) bool) []Edge {
	var out []Edge
	for v := range nodes {
		if n := fmt.Sprint(v); held(n) {
			out = append(out, Edge{From: n, To: n})
		}
	}
	return out
}

// checkWhy holds that an explanation ends, and ends with what the verdict says.
func checkWhy(t *testing.T, r *Report, name string) {
	t.Helper()
	why := r.Why(name, later)
	last := why[len(why)-1]
	v, ok := slices.BinarySearch(r.now.names, name)
	if !ok {
		return
	}
	f := r.fate[v]
	ends := map[fate]string{deadlocked: "again: a deadlock", forLocked: "again: a deadlock", isHeld: "is held by the debugger, stop 1: it goes on when that does", forHeld: "is held by the debugger, stop 1: it goes on when that does"}
	if want, ok := ends[f]; ok && (len(last) < len(want) || last[len(last)-len(want):] != want) {
		t.Fatalf("%v\nwhy %s, whose fate is %d: %q", r.now.edges, name, f, why)
	}
}

// TestAndIsACycleAndOrIsAKnot holds INV-EXACT against the textbook: reachability.
func TestAndIsACycleAndOrIsAKnot(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for i := range 20_000 / slack {
		nodes := 1 + r.IntN(7)
		kind := float64(i % 2)
		edges := slices.DeleteFunc(someEdges(r, nodes, kind, 0), func(e Edge) bool { return e.State == control.WaitRunning })
		m := reaches(nodes, edges)
		want := map[string]bool{}
		for v := range nodes {
			knot := m[v][v]
			for u := range nodes {
				knot = knot && (kind == 0 || !m[v][u] || m[u][v])
			}
			if knot {
				want[fmt.Sprint(v)] = true
			}
		}
		got := map[string]bool{}
		for _, d := range twice(edges).Deadlocks {
			for _, n := range d.Names {
				got[n] = true
			}
		}
		if !sameSet(got, want) {
			t.Fatalf("kind %v: %v\ngot %v\nwant %v", kind, edges, got, want)
		}
	}
}

// TestWhatChangedBetweenTwoLooksIsNoDeadlock holds INV-PHANTOM: of a true run, in which each look sees each node at another
// moment, a report names only nodes that could not go on at any moment between the looks.
func TestWhatChangedBetweenTwoLooksIsNoDeadlock(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	real, seenOnce := 0, 0
	for range 4000 {
		run := newRun(r, 2+r.IntN(4))
		before := run.look()
		now := run.look()
		rep := Judge(before, now)
		dead := largest(run.nodes, run.edges(), func(string) bool { return false })
		for n := range all(rep) {
			if !dead[n] {
				t.Fatalf("%v\n%v\n%s is reported, and goes on: %v", before, now, n, run.edges())
			}
		}
		seenOnce += len(rep.Suspects)
		real += len(rep.Deadlocks)
	}
	if real < 100 || seenOnce < 20 {
		t.Errorf("%d deadlocks and %d phantoms: the runs do not show enough", real, seenOnce)
	}
}

// run is actors that call each other, and answer when they wait for nobody.
type run struct {
	r     *rand.Rand
	nodes int
	next  uint64
	waits [][]Edge // of each node
}

func newRun(r *rand.Rand, nodes int) *run {
	run := &run{r: r, nodes: nodes, waits: make([][]Edge, nodes)}
	for range 10 {
		run.step()
	}
	return run
}

// step lets one node do something: call others if it waits for nobody, or get an answer from one that waits for nobody.
func (run *run) step() {
	v := run.r.IntN(run.nodes)
	if len(run.waits[v]) == 0 {
		kind := Kind(run.r.IntN(2))
		for range 1 + run.r.IntN(2) {
			run.next++
			e := call(fmt.Sprint(v), fmt.Sprint((v+1+run.r.IntN(run.nodes-1))%run.nodes), run.next)
			e.Kind = kind
			run.waits[v] = append(run.waits[v], e)
		}
		return
	}
	i := run.r.IntN(len(run.waits[v]))
	e := run.waits[v][i]
	if len(run.waits[e.To[0]-'0']) > 0 {
		return
	}
	if e.Kind == Or {
		run.waits[v] = nil
		return
	}
	run.waits[v] = slices.Delete(slices.Clone(run.waits[v]), i, i+1)
}

// look asks one node after the other, while all go on.
func (run *run) look() []Edge {
	var out []Edge
	for v := range run.nodes {
		out = append(out, run.waits[v]...)
		for range run.r.IntN(6) {
			run.step()
		}
	}
	return out
}

func (run *run) edges() []Edge { return slices.Concat(run.waits...) }
