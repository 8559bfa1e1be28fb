package warn

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// told is how many offenders a detail tells of one by one.
const told = 8

// lines is a detail in the making.
type lines struct {
	b    strings.Builder
	n, m int
}

func (l *lines) add(format string, args ...any) {
	if l.n++; l.n > told {
		l.m++
		return
	}
	fmt.Fprintf(&l.b, format+"\n", args...)
}

// end ends the detail with what it means.
func (l *lines) end(format string, args ...any) string {
	if l.m > 0 {
		fmt.Fprintf(&l.b, "and %d more\n", l.m)
	}
	fmt.Fprintf(&l.b, "\n"+format, args...)
	return l.b.String()
}

// meshes yields the actor meshes that have not ended, by name.
func meshes(w *world.World) []*control.Mesh {
	_, live := w.Live()
	slices.SortStableFunc(live, func(a, b *control.Mesh) int { return cmp.Compare(a.Ref.Name, b.Ref.Name) })
	return live
}

func procMeshes(w *world.World) []*control.ProcMesh {
	live, _ := w.Live()
	slices.SortStableFunc(live, func(a, b *control.ProcMesh) int { return cmp.Compare(a.Name, b.Name) })
	return live
}

// age is a time in whole seconds, as warnings tell it: figures that change at each look cannot be read.
func age(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%ds", max(0, d/time.Second))
	}
	return paint.Duration(d)
}

type backlog struct{}

func (backlog) Name() string  { return "backlog" }
func (backlog) About() string { return "mailboxes of 100 messages or more" }

func (r backlog) Check(l *Look) (out []Warning) {
	for _, m := range meshes(l.World) {
		var ranks []int
		for rank := range m.Ranks {
			if m.Ranks[rank].Queue >= l.Config.Backlog {
				ranks = append(ranks, rank)
			}
		}
		if ranks == nil {
			continue
		}
		worst := slices.Clone(ranks)
		slices.SortStableFunc(worst, func(a, b int) int { return cmp.Compare(m.Ranks[b].Queue, m.Ranks[a].Queue) })
		var d lines
		for _, rank := range worst {
			s := &m.Ranks[rank]
			doing := s.State
			if len(s.Running) > 0 {
				doing = fmt.Sprintf("running %s, busy for %s", strings.Join(s.Running, ", "), age(l.World.Now.Sub(s.Since)))
			}
			d.add("The mailbox of %s holds %s; it is %s.", world.ActorName(m.Ref.Name, rank), paint.Plural(s.Queue, "message"), doing)
		}
		out = append(out, Warning{
			Name: r.Name(), Count: len(ranks), Mesh: m.Ref.Name, Ranks: ranks,
			Line: fmt.Sprintf("%s of %s ≥ %d", plural(len(ranks), "mailbox", "mailboxes"), m.Ref.Name, l.Config.Backlog),
			Detail: d.end("The threshold is %s. Messages come faster than they are handled, or a handler does not come to its end.",
				paint.Plural(l.Config.Backlog, "message")),
		})
	}
	return out
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return paint.Exact(n) + " " + many
}

type slowHandler struct{}

func (slowHandler) Name() string  { return "slow-handler" }
func (slowHandler) About() string { return "handlers that run for more than 5 s" }

func (r slowHandler) Check(l *Look) (out []Warning) {
	if l.World.Debug.Held { // no time passes, and who waits may wait for a stopped one
		return nil
	}
	for _, m := range meshes(l.World) {
		var ranks []int
		longest := map[int]time.Duration{}
		for rank := range m.Ranks {
			s := &m.Ranks[rank]
			at := &l.steady[m.Ref.ID][rank]
			d := l.World.Now.Sub(at.since)
			if at.busy && d > l.Config.SlowHandler && len(s.Running) > 0 && l.World.Word(m, rank) != "paused" {
				ranks = append(ranks, rank)
				longest[rank] = d
			}
		}
		if ranks == nil {
			continue
		}
		var d lines
		worst := slices.Clone(ranks)
		slices.SortStableFunc(worst, func(a, b int) int { return cmp.Compare(longest[b], longest[a]) })
		for _, rank := range worst {
			s := &m.Ranks[rank]
			d.add("%s has been running %s for %s; %s.", world.ActorName(m.Ref.Name, rank), strings.Join(s.Running, ", "),
				age(longest[rank]), waits(s.Queue))
		}
		out = append(out, Warning{
			Name: r.Name(), Count: len(ranks), Mesh: m.Ref.Name, Ranks: ranks,
			Line:   fmt.Sprintf("%s of %s > %s", paint.Plural(len(ranks), "handler"), m.Ref.Name, l.Config.SlowHandler),
			Detail: d.end("The threshold is %s. What is sent to such an actor waits until its handler returns.", l.Config.SlowHandler),
		})
	}
	return out
}

// waits says how many messages wait behind a handler.
func waits(n int) string {
	switch n {
	case 0:
		return "no message waits behind it"
	case 1:
		return "1 message waits behind it"
	}
	return paint.Exact(n) + " messages wait behind it"
}

// openCalls are the open calls with ranks that have not answered, oldest first.
func openCalls(w *world.World) []*control.Call {
	var out []*control.Call
	for i := range w.Calls {
		if len(w.Calls[i].Waiting) > 0 {
			out = append(out, &w.Calls[i])
		}
	}
	slices.SortFunc(out, func(a, b *control.Call) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// held reports whether all ranks that a call waits for are stopped by a debugger, or their processes by a signal.
func held(w *world.World, c *control.Call) bool {
	m, ok := w.Mesh(c.Mesh)
	return ok && !slices.ContainsFunc(c.Waiting, func(rank int) bool {
		return rank < 0 || rank >= len(m.Ranks) || w.Word(m, rank) != "paused"
	})
}

type noReply struct{}

func (noReply) Name() string  { return "no-reply" }
func (noReply) About() string { return "calls that wait for an answer for more than 5 s" }

func (r noReply) Check(l *Look) (out []Warning) {
	if l.World.Debug.Held { // no time passes, and who waits may wait for a stopped one
		return nil
	}
	byMesh := map[string][]*control.Call{}
	for _, c := range openCalls(l.World) {
		if l.World.Now.Sub(c.Started) > l.Config.NoReply && !held(l.World, c) && !l.Pace.Straggles(c, l.World.Now, l.Config) {
			byMesh[c.Mesh] = append(byMesh[c.Mesh], c)
		}
	}
	for _, mesh := range sortedKeys(byMesh) {
		calls := byMesh[mesh]
		var d lines
		var ranks []int
		for _, c := range calls {
			ranks = append(ranks, c.Waiting...)
			d.add("Call %s, %s.%s from %s, has waited for %s: %s answered, not yet %s.", world.CallName(c.ID), mesh, c.Endpoint, world.Name(c.Client),
				age(l.World.Now.Sub(c.Started)), paint.Of(Answered(c), c.Ranks), l.World.RanksName(mesh, sorted(c.Waiting)))
		}
		wait := "wait"
		if len(calls) == 1 {
			wait = "waits"
		}
		out = append(out, Warning{
			Name: r.Name(), Count: len(calls), Mesh: mesh, Ranks: sorted(ranks), Call: calls[0].ID,
			Line: fmt.Sprintf("%s to %s %s > %s", paint.Plural(len(calls), "call"), mesh, wait, l.Config.NoReply),
			Detail: d.end("The threshold is %s. The tab Calls tells who is running it, who has it queued and who has not received it.",
				l.Config.NoReply),
		})
	}
	return out
}

func sorted(ranks []int) []int {
	out := slices.Clone(ranks)
	slices.Sort(out)
	return slices.Compact(out)
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

type straggler struct{}

func (straggler) Name() string { return "straggler" }
func (straggler) About() string {
	return "ranks that have not answered when 90 % have, after 2 s and 10 times as long as half of them took"
}

func (r straggler) Check(l *Look) (out []Warning) {
	if l.World.Debug.Held { // no time passes, and who waits may wait for a stopped one
		return nil
	}
	for _, c := range openCalls(l.World) {
		if !l.Pace.Straggles(c, l.World.Now, l.Config) || held(l.World, c) {
			continue
		}
		var d lines
		d.add("Call %s, %s.%s from %s: %s ranks have answered, after %s not yet %s.", world.CallName(c.ID), c.Mesh, c.Endpoint, world.Name(c.Client),
			paint.Of(Answered(c), c.Ranks), age(l.World.Now.Sub(c.Started)), c.Mesh+"["+shape.FormatRanks(c.Waiting)+"]")
		if half := l.Pace.Half(c.ID); half > 0 {
			d.add("Half of them had after %s.", paint.Duration(half))
		}
		out = append(out, Warning{
			Name: r.Name(), Count: len(c.Waiting), Mesh: c.Mesh, Ranks: sorted(c.Waiting), Call: c.ID,
			Line: fmt.Sprintf("%s late in %s.%s", paint.Of(len(c.Waiting), c.Ranks), c.Mesh, c.Endpoint),
			Detail: d.end("The thresholds are %.0f %% answered, %s, and %.0f times the time of half. Slow ranks hold up the others: compare their state, host and GPU with those that answered.",
				l.Config.StragglerShare*100, l.Config.StragglerAfter, l.Config.StragglerTimes),
		})
	}
	return out
}
