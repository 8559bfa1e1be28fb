package warn

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

type lostProc struct{}

func (lostProc) Name() string  { return "lost-proc" }
func (lostProc) About() string { return "processes that ended or fell silent unordered" }

// Check looks at the processes of meshes that nobody has stopped.
func (r lostProc) Check(l *Look) (out []Warning) {
	for _, pm := range procMeshes(l.World) {
		if pm.State == "stopping" || pm.State == "stopped" {
			continue
		}
		var lost, silent []*control.Proc
		for rank := range pm.Extent.Len() {
			p, ok := l.World.Proc(pm.FirstProc + uint64(rank))
			if !ok || p.Ordered || l.toldOf(p) {
				continue
			}
			switch {
			case isDead(p):
				lost = append(lost, p)
			case p.State == "suspect", p.State == "unreachable":
				silent = append(silent, p)
			}
		}
		if lost != nil {
			out = append(out, r.warning(l, pm, lost, "lost", true))
		}
		if silent != nil {
			out = append(out, r.warning(l, pm, silent, "silent", false))
		}
	}
	return out
}

// isDead reports whether a process has ended unordered.
func isDead(p *control.Proc) bool {
	switch p.State {
	case "failed", "lost", "killed", "oom", "fenced", "exited":
		return !p.Ordered
	}
	return false
}

func (r lostProc) warning(l *Look, pm *control.ProcMesh, procs []*control.Proc, word string, severe bool) Warning {
	w := Warning{
		Name: r.Name(), Severe: severe, Count: len(procs), Procs: pm.Name, Line: fmt.Sprintf("%s of %s %s", paint.Plural(len(procs), "proc"), pm.Name, word),
	}
	var d lines
	for _, p := range procs {
		w.Ranks = append(w.Ranks, p.Rank)
		why := cmp.Or(world.ProcWhy(p), p.State)
		pid := fmt.Sprintf("pid %d", p.PID)
		if p.PID == 0 || strings.Contains(why, pid) {
			pid = ""
		} else {
			pid = ", " + pid
		}
		since := ""
		if !p.Since.IsZero() {
			since = ", " + age(max(0, l.World.Now.Sub(p.Since))) + " ago"
		}
		d.add("%s (%s%s): %s%s.", world.ActorName(pm.Name, p.Rank), world.ProcName(p), pid, why, since)
		if n := len(p.Tail); n > 0 {
			d.add("   its last line: %s", p.Tail[n-1])
		}
	}
	if severe {
		w.Detail = d.end("%sAn end without an order is always told. The inspector has the last lines.", diedWith(l.World, procs))
	} else {
		w.Detail = d.end("They have sent no sign of life for 1.75 s; after 10.5 s they are given up.")
	}
	return w
}

// diedWith is a sentence that names the actors that ended with processes; "": there were none.
func diedWith(w *world.World, procs []*control.Proc) string {
	var died []string
	for _, m := range meshes(w) {
		var ranks []int
		for _, p := range procs {
			if p.ID < m.Ref.First || m.Procs != p.Mesh {
				continue
			}
			if rank, ok := m.Ref.Home.IndexOf(int(p.ID - m.Ref.First)); ok && m.Ranks[rank].State == "gone" {
				ranks = append(ranks, rank)
			}
		}
		if len(ranks) > 0 {
			died = append(died, m.Ref.Name+"["+shape.FormatRanks(ranks)+"]")
		}
	}
	if len(died) == 0 {
		return ""
	}
	them := "them"
	if len(procs) == 1 {
		them = "it"
	}
	return strings.Join(died, ", ") + " died with " + them + ". "
}

type failed struct{}

func (failed) Name() string  { return "failed" }
func (failed) About() string { return "meshes and actors that have failed" }

func (r failed) Check(l *Look) (out []Warning) {
	for _, pm := range procMeshes(l.World) {
		if pm.State == "failed" {
			out = append(out, Warning{
				Name: r.Name(), Severe: true, Count: 1, Procs: pm.Name, Ranks: deadProcs(l.World, pm), Line: "procs " + pm.Name + " failed" + because(pm.Reason),
				Detail: fmt.Sprintf("The processes %s have failed%s.", pm.Name, because(pm.Reason)),
			})
		}
	}
	for _, m := range meshes(l.World) {
		if m.State == "failed" {
			out = append(out, Warning{
				Name: r.Name(), Severe: true, Count: len(m.Ranks), Mesh: m.Ref.Name, Ranks: deadActors(l.World, m), Line: m.Ref.Name + " failed" + because(m.Reason),
				Detail: fmt.Sprintf("The mesh %s has failed%s.", m.Ref.Name, because(m.Reason)),
			})
			continue
		}
		var ranks []int
		var d lines
		for rank := range m.Ranks {
			if s := &m.Ranks[rank]; s.State == "failed" {
				ranks = append(ranks, rank)
				d.add("%s has failed%s.", world.ActorName(m.Ref.Name, rank), because(s.Reason))
			}
		}
		if ranks != nil {
			out = append(out, Warning{
				Name: r.Name(), Severe: true, Count: len(ranks), Mesh: m.Ref.Name, Ranks: ranks,
				Line:   fmt.Sprintf("%s of %s failed", paint.Plural(len(ranks), "actor"), m.Ref.Name),
				Detail: d.end("Calls to a failed actor are answered with its failure at once."),
			})
		}
	}
	return out
}

// deadProcs are the ranks of a proc mesh whose processes have ended unordered.
func deadProcs(w *world.World, pm *control.ProcMesh) (ranks []int) {
	for rank := range pm.Extent.Len() {
		if p, ok := w.Proc(pm.FirstProc + uint64(rank)); ok && isDead(p) {
			ranks = append(ranks, rank)
		}
	}
	return ranks
}

// deadActors are the ranks of a mesh that have failed, or whose process has ended unordered.
func deadActors(w *world.World, m *control.Mesh) (ranks []int) {
	for rank := range m.Ranks {
		p, ok := w.Proc(m.Ref.First + uint64(m.Ref.Home.RankAt(rank)))
		switch s := m.Ranks[rank].State; {
		case s == "failed", ok && isDead(p), s == "gone" && (!ok || !p.Ordered):
			ranks = append(ranks, rank)
		}
	}
	return ranks
}

// because is a reason on one line, the cause first.
func because(reason string) string {
	if reason = world.Why(reason); reason == "" {
		return ""
	}
	return ": " + reason
}

type logLost struct{}

func (logLost) Name() string  { return "log" }
func (logLost) About() string { return "that the session's log file lacks lines" }

func (r logLost) Check(l *Look) []Warning {
	s := &l.World.Session
	if s.LogLost == "" {
		return nil
	}
	d := "Lines of the session's log could not be written: " + s.LogLost + ". Calls go on; what was not written is lost."
	if s.Dir != "" {
		d += "\n\nThe log is in " + s.Dir + "."
	}
	return []Warning{{Name: r.Name(), Count: 1, Line: "the log lacks lines: " + s.LogLost, Detail: d}}
}

type session struct{}

func (session) Name() string  { return "session" }
func (session) About() string { return "that the program has failed" }

func (r session) Check(l *Look) []Warning {
	s := &l.World.Session
	if s.State != "failed" {
		return nil
	}
	d := fmt.Sprintf("The session %s (%s, pid %d) has failed%s.", s.Name, s.Program, s.PID, because(s.Reason))
	if s.Dir != "" {
		d += "\n\nIts log is in " + s.Dir + "."
	}
	return []Warning{{Name: r.Name(), Severe: true, Count: 1, Line: "session failed" + because(s.Reason), Detail: d}}
}
