package inspect

import (
	"strconv"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// procsOf yields the processes of a proc mesh that are known.
func procsOf(w *world.World, pm *control.ProcMesh) func(yield func(*control.Proc) bool) {
	return func(yield func(*control.Proc) bool) {
		n := uint64(max(0, pm.Extent.Len()))
		for i := range w.Procs {
			if pr := &w.Procs[i]; pr.ID >= pm.FirstProc && pr.ID-pm.FirstProc < n && !yield(pr) {
				return
			}
		}
	}
}

// procTally counts the processes of a proc mesh.
func procTally(w *world.World, pm *control.ProcMesh) (t tally) {
	for pr := range procsOf(w, pm) {
		t[world.Severity(w.ProcWord(pr))]++
	}
	return t
}

// lives reports whether a process has not ended.
func lives(pr *control.Proc) bool {
	word := world.ProcWord(pr)
	return word != "failed" && word != "gone" || pr.State == "stopping"
}

// calledProc is what a state is called of processes.
func calledProc(word string) string {
	if word == "warning" {
		return "silent"
	}
	return word
}

func (p *Pane) buildProcs(w *world.World) {
	pm := procMesh(w, p.thing.id)
	if pm == nil {
		return
	}
	p.field("reason", world.Why(pm.Reason), paint.Failed)
	p.field("extent", extent(pm.Extent), paint.Text)
	kind := "one process per rank"
	if pm.InProcess {
		kind = "in-process: goroutines of the controller"
	}
	p.field("kind", kind, paint.Text)
	p.field("via", through(pm.Via, pm.Handle), paint.Text)
	if pm.Virtual {
		why := "slots without devices"
		if pm.Slots != "" {
			why = pm.Slots
		}
		p.field("gpus", "virtual: "+why, paint.Text)
	} else {
		p.field("gpus", pm.Slots, paint.Text)
	}
	p.field("owner", owner(pm.Owner), paint.Text)
	var rss uint64
	hosts := map[string]bool{}
	for pr := range procsOf(w, pm) {
		if lives(pr) {
			rss += pr.RSS
		}
		hosts[pr.Host] = true
	}
	t := procTally(w, pm)
	p.fieldCounts("procs", t.segs(calledProc))
	if n := max(len(hosts), len(w.HostsOf(pm))); n > 1 {
		p.field("hosts", strconv.Itoa(n), paint.Text)
	}
	if rss > 0 {
		p.field("memory", paint.Bytes(rss)+" resident", paint.Text)
	}
	p.field("restart", restartText(pm.Restart, false), paint.Text)
	p.buildBuilds(w, pm)
	if !pm.InProcess {
		p.field("carrier", w.Session.Carrier, paint.Text)
	}
	p.buildHosts(w, pm)
	p.head("Actor meshes")
	some := false
	for i := range w.Meshes {
		m := &w.Meshes[i]
		if m.Gone || m.Procs != pm.Name || m.Ref.First != pm.FirstProc {
			continue
		}
		some = true
		t := meshTally(w, m)
		word, note := t.whole(m.State, false, called)
		p.add(line{
			key:   "mesh " + m.Ref.Name,
			left:  []paint.Seg{seg(paint.State(word), paint.Glyph(word)+" "), seg(paint.Text, m.Ref.Name), seg(paint.Muted, "  "+paint.Exact(len(m.Ranks))+" · "+shortType(m.Ref.Type))},
			right: []paint.Seg{seg(paint.Muted, note)}, copied: "@" + m.Ref.Name,
		})
	}
	if !some {
		p.note("none", paint.Muted, "None yet"+p.keys.Hint(": %s spawns one", "spawn")+".")
	}
	p.buildLives(w, func(r *control.Restart) bool { return r.Mesh == "" && r.Procs == pm.Name && r.Proc >= pm.FirstProc }, 4)
}

func (p *Pane) buildProc(w *world.World) {
	pr, ok := w.Proc(p.thing.id)
	if !ok {
		return
	}
	word := world.ProcWord(pr)
	p.field("reason", world.ProcWhy(pr), paint.State(word))
	switch {
	case pr.Held:
		p.field("held", "by a debugger", paint.Paused)
	case pr.Paused:
		p.field("paused", "by a signal (SIGSTOP)", paint.Paused)
	}
	p.buildFaults(w, 0, 0, pr)
	if pr.PID > 0 {
		p.field("pid", strconv.Itoa(pr.PID), paint.Text)
	} else if pr.State == "ready" {
		p.field("pid", "in the controller (in-process)", paint.Text)
	}
	p.field("host", pr.Host, paint.Text)
	if h := w.HostOf(pr); h != nil {
		p.field("via", through(h.Launcher, h.Handle), paint.Text)
		if word := world.HostWord(h); word != "idle" {
			p.field("", world.HostSays(h), paint.State(word))
		} else {
			p.field("link", distance(h), paint.Text)
			p.field("loss", loss(h), paint.Warning)
		}
	}
	if pr.Slot >= 0 {
		device := pr.Device
		if device != "" {
			device = " · " + device
		}
		p.field("gpu", "slot "+strconv.Itoa(pr.Slot)+device, paint.Text)
	}
	if pr.GPU != nil {
		p.buildGPU(pr.GPU, lives(pr))
	}
	if pr.CPUs != "" {
		p.field("cpus", pr.CPUs, paint.Text)
	} else {
		p.field("cpus", "not pinned", paint.Text)
	}
	if pr.Procs > 0 {
		p.field("threads", "GOMAXPROCS "+strconv.Itoa(pr.Procs), paint.Text)
	}
	if pr.PID > 0 {
		p.field("carrier", pr.Carrier, paint.Text)
	}
	if pr.RSS > 0 && lives(pr) {
		p.field("memory", paint.Bytes(pr.RSS)+" resident", paint.Text)
	}
	if !pr.Since.IsZero() {
		p.field("since", clock(pr.Since)+" · "+ago(w, pr.Since), paint.Text)
	}
	p.buildBuild(w, pr, true)
	if pr.Restarts > 0 {
		p.field("restarts", strconv.Itoa(pr.Restarts), paint.Warning)
	}
	p.buildActorsOf(w, pr)
	p.buildLives(w, func(r *control.Restart) bool { return r.Mesh == "" && r.Proc == pr.ID }, 8)
	if len(pr.Tail) > 0 {
		p.head("Last lines of stderr")
		for i, text := range pr.Tail {
			p.add(line{key: "tail " + strconv.Itoa(i), left: []paint.Seg{seg(paint.Text, text)}, copied: text})
		}
	} else if word == "failed" {
		p.space()
		p.note("tail", paint.Muted, "It printed nothing on stderr before it ended.")
	}
}

// buildActorsOf lists the actors of a process.
func (p *Pane) buildActorsOf(w *world.World, pr *control.Proc) {
	begun := false
	for i := range w.Meshes {
		m := &w.Meshes[i]
		home := m.Ref.Home
		if m.Gone || pr.ID < m.Ref.First || home.Validate() != nil || home.Len() != len(m.Ranks) {
			continue
		}
		rank, ok := home.IndexOf(int(pr.ID - m.Ref.First))
		if !ok || m.Procs != pr.Mesh {
			continue
		}
		if !begun {
			begun = true
			p.head("Actors")
		}
		r := &m.Ranks[rank]
		marks := w.MarksOf(m)
		word := world.RankWord(r, pr, marks.At(rank, pr))
		note := called(word)
		if len(r.Running) > 0 && word != "failed" && word != "gone" {
			note += " in " + r.Running[0]
		}
		name := m.Ref.Name + "[" + strconv.Itoa(rank) + "]"
		p.add(line{
			key: "actor " + name, left: []paint.Seg{seg(paint.State(word), paint.Glyph(word)+" "), seg(paint.Text, name)},
			right: []paint.Seg{seg(paint.Muted, note)}, copied: "@" + name,
		})
	}
}
