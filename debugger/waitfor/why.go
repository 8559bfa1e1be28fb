package waitfor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// maxHops is how far Why follows a chain.
const maxHops = 64

// explain notes of each node the edge that says best why it waits: within a deadlock one to another of it, outside the
// first step of the shortest way to it, else the longest wait.
func (r *Report) explain(live func(edge int) bool) {
	g := r.now
	core := r.coreOf()
	for v := range g.names {
		r.waits[v] = -1
		for _, e := range g.out[v] {
			better := r.waits[v] < 0 || g.edges[e].Since.Before(g.edges[r.waits[v]].Since)
			if c := core[v]; c != 0 {
				in, had := core[g.to[e]] == c && live(e), r.waits[v] >= 0 && core[g.to[r.waits[v]]] == c
				better = r.waits[v] < 0 || in && !had
			}
			if better {
				r.waits[v] = e
			}
		}
	}
	var queue []int
	known := make([]bool, len(g.names))
	for v, f := range r.fate {
		if f == deadlocked || f == suspect && core[v] != 0 {
			known[v] = true
			queue = append(queue, v)
		}
	}
	for len(queue) > 0 {
		v := queue[0]
		queue = queue[1:]
		for _, e := range g.in[v] {
			u := g.from[e]
			if !known[u] && live(e) && (r.fate[u] == forLocked || r.fate[u] == suspect) {
				known[u], r.waits[u] = true, e
				queue = append(queue, u)
			}
		}
	}
}

// coreOf is the number of the deadlock or suspect that a node is in, from 1; 0 for none.
func (r *Report) coreOf() []int {
	core := make([]int, len(r.now.names))
	for i, d := range slices.Concat(r.Deadlocks, r.Suspects) {
		for _, v := range d.nodes {
			core[v] = i + 1
		}
	}
	return core
}

// Why explains what somebody waits for: a sentence for each hop of the chain, and one that says how it ends. at is the
// moment from which the waits are counted.
func (r *Report) Why(name string, at time.Time) []string {
	g := r.now
	if r.TooMany > 0 {
		return []string{r.Verdict()}
	}
	v, ok := slices.BinarySearch(g.names, name)
	if !ok {
		return []string{clean.Name(name, maxName) + " waits for nobody, and nobody waits for it"}
	}
	var out []string
	seen := map[int]bool{}
	for {
		switch {
		case r.fate[v] == isHeld:
			e := r.held[v]
			if e.Held == 0 {
				return append(out, fmt.Sprintf("%s is in %s, which a signal has stopped: SIGCONT has it go on", shown(g.names[v]), shown(e.Still)))
			}
			return append(out, fmt.Sprintf("%s is held by the debugger, %s: it goes on when that does", shown(g.names[v]), stopText(e.Held, e.Break)))
		case r.waits[v] < 0:
			return append(out, shown(g.names[v])+" waits for nobody")
		case seen[v]:
			return append(out, r.again(v))
		case len(out) == maxHops:
			return append(out, fmt.Sprintf("and so on, after %d hops", maxHops))
		}
		seen[v] = true
		out = append(out, r.hop(v, at))
		v = g.to[r.waits[v]]
	}
}

// again says what it means that a chain came back to a node.
func (r *Report) again(v int) string {
	name := shown(r.now.names[v])
	switch r.fate[v] {
	case deadlocked:
		return "that is " + name + " again: a deadlock"
	case suspect:
		return "that is " + name + " again: a deadlock if the next look shows the same messages"
	case waiting, isHeld, forHeld, forLocked:
	}
	return "that is " + name + " again, but it can go on: it waits for any of several, or what it waits for is being handled"
}

// hop is one sentence: who waits for whom, and what the message is doing there.
func (r *Report) hop(v int, at time.Time) string {
	g := r.now
	e := g.edges[r.waits[v]]
	text := e.sentence()
	others := 0
	for _, i := range g.out[v] {
		if g.edges[i].Kind == Or {
			others++
		}
	}
	if e.Kind == Or && others > 1 {
		text += fmt.Sprintf(", one of %d of which any would do", others)
	}
	return text + since(e.Since, at)
}

func (e *Edge) sentence() string {
	from, to := shown(e.From), shown(e.To)
	if e.Resource != "" {
		return fmt.Sprintf("%s waits for %s, which %s holds", from, shown(e.Resource), to)
	}
	return fmt.Sprintf("%s waits for %s: %s %s", from, to, e.what(), doing(e.State))
}

// what is the message of an edge.
func (e *Edge) what() string {
	what := "its message"
	if e.Endpoint != "" {
		what = shown(e.Endpoint)
	}
	if e.Call != 0 {
		what += fmt.Sprintf(" (call %d)", e.Call)
	}
	return what
}

// doing is what a message does at its receiver.
func doing(state string) string {
	switch state {
	case control.WaitRunning:
		return "is being handled"
	case control.WaitQueued:
		return "is in the mailbox"
	case control.WaitSent:
		return "was sent, and is not known to have arrived"
	case control.WaitFull:
		return "is not sent: the mailbox is full"
	}
	return "has no answer"
}

func since(t, at time.Time) string {
	if t.IsZero() || at.Before(t) {
		return ""
	}
	return ", for " + at.Sub(t).Round(time.Millisecond).String()
}

func stopText(stop, breakpoint uint64) string {
	if breakpoint == 0 {
		return fmt.Sprintf("stop %d", stop)
	}
	return fmt.Sprintf("stop %d at breakpoint %d", stop, breakpoint)
}

// maxName is how much of a name is shown, in characters.
const maxName = 80

func shown(name string) string {
	if strings.TrimSpace(name) == "" {
		return clean.Quote(name, maxName)
	}
	return clean.Name(name, maxName)
}
