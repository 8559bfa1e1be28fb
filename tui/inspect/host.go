package inspect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// ShowHost shows a machine that a launcher was asked for.
func (p *Pane) ShowHost(id uint64) { p.show(thing{kind: host, id: id}) }

// through is a launcher and the job of it: exec · mpirun 4711. A job that names its launcher says both.
func through(via, handle string) string {
	switch {
	case handle == "":
		return via
	case via == "" || strings.Contains(strings.ToLower(handle), via):
		return handle
	}
	return via + " · " + handle
}

// lossy is from which share of lost packets on a link is told of as bad.
const lossy = 0.01

// distance is how far away a host is, "" where that is not known.
func distance(h *control.Host) string {
	if h.RTT <= 0 {
		return ""
	}
	return paint.Duration(h.RTT) + " round trip"
}

// loss is which share of the packets to a host is lost, "" where that is nothing to speak of.
func loss(h *control.Host) string {
	if h.Loss < lossy {
		return ""
	}
	return fmt.Sprintf("%.1f%% of the packets to it", 100*h.Loss)
}

func (p *Pane) buildHost(w *world.World) {
	h, ok := w.Host(p.thing.id)
	if !ok {
		return
	}
	word := world.HostWord(h)
	p.field("reason", world.Why(h.Reason), paint.State(word))
	p.field("procs", h.Mesh+" · host "+strconv.Itoa(h.Index), paint.Text)
	p.field("via", through(h.Launcher, h.Handle), paint.Text)
	if !h.Since.IsZero() {
		p.field("since", clock(h.Since)+" · "+ago(w, h.Since), paint.Text)
	}
	p.field("address", h.Addr, paint.Text)
	p.field("link", distance(h), paint.Text)
	p.field("loss", loss(h), paint.Warning)
	if h.Backlog > 0 {
		p.field("backlog", paint.Bytes(h.Backlog)+" at its agent", paint.Warning)
	}
	if h.PID > 0 {
		p.field("agent", "pid "+strconv.Itoa(h.PID), paint.Text)
	}
	p.field("system", h.System, paint.Text)
	p.field("gpus", h.GPUs, paint.Text)
	switch {
	case h.Shipped > 0:
		p.field("program", paint.Bytes(uint64(h.Shipped))+" copied there", paint.Text)
	case h.PID > 0:
		p.field("program", "was there", paint.Text)
	}
	if h.Build != "" && w.Session.Build != "" && h.Build != w.Session.Build {
		p.field("build", h.Build+" is not the controller's "+w.Session.Build, paint.Warning)
	} else {
		p.field("build", h.Build, paint.Text)
	}
	p.buildRanksOn(w, h)
	switch {
	case len(h.Tail) > 0:
		p.head("Last lines")
		for i, text := range h.Tail {
			p.add(line{key: "tail " + strconv.Itoa(i), left: []paint.Seg{seg(paint.Text, text)}, copied: text})
		}
	case word == "failed":
		p.space()
		p.note("tail", paint.Muted, "Neither it nor what started it printed anything.")
	case word == "starting":
		p.space()
		p.note("tail", paint.Muted, p.keys.Hint("%s on procs "+h.Mesh+" cancels the launch.", "stop"))
	}
}

// buildRanksOn lists the processes of a host by state, or says how many are to come.
func (p *Pane) buildRanksOn(w *world.World, h *control.Host) {
	var pm *control.ProcMesh
	for i := range w.ProcMeshes {
		if slices.ContainsFunc(w.HostsOf(&w.ProcMeshes[i]), func(o *control.Host) bool { return o.ID == h.ID }) {
			pm = &w.ProcMeshes[i]
		}
	}
	if pm == nil {
		return
	}
	var by [len(tally{})][]int
	absent := []int(nil)
	for _, rank := range w.RanksOn(pm, h) {
		pr, ok := w.Proc(pm.FirstProc + uint64(rank))
		if !ok {
			absent = append(absent, rank)
			continue
		}
		code := world.Severity(w.ProcWord(pr))
		by[code] = append(by[code], rank)
	}
	p.head("Ranks")
	row := func(word, note string, ranks []int) {
		if len(ranks) == 0 {
			return
		}
		name := pm.Name + "[" + shape.FormatRanks(ranks) + "]"
		p.add(line{
			key: "ranks " + note, left: []paint.Seg{seg(paint.State(word), paint.Glyph(word)+" "), seg(paint.Text, name)},
			right: []paint.Seg{seg(paint.Muted, paint.Exact(len(ranks))+" "+note)}, copied: name,
		})
	}
	for code, word := range slices.Backward(world.Severities()) {
		row(word, calledProc(word), by[code])
	}
	word, note := world.AbsentWord(pm), "to come"
	if word != "starting" || h.Over() {
		word, note = "gone", "never came"
	}
	row(word, note, absent)
}

// buildHosts lists the machines of a proc mesh: those that need somebody one by one, and how many are well.
func (p *Pane) buildHosts(w *world.World, pm *control.ProcMesh) {
	hosts := w.HostsOf(pm)
	if len(hosts) == 0 {
		return
	}
	p.head("Hosts")
	const most = 16
	well, told := []*control.Host(nil), 0
	for _, h := range hosts {
		word := world.HostWord(h)
		if word == "idle" && h.Loss < lossy {
			well = append(well, h)
			continue
		}
		if told++; told > most {
			continue
		}
		note, role := world.HostSays(h), paint.State(word)
		if word == "idle" {
			note, role = fmt.Sprintf("ready · loses %.1f%% of packets", 100*h.Loss), paint.Warning
		}
		p.add(line{
			key: "host " + strconv.Itoa(h.Index), left: []paint.Seg{seg(paint.State(word), paint.Glyph(word)+" "), seg(paint.Text, h.Called()), seg(paint.Muted, "  "), seg(role, note)},
			copied: h.Called(),
		})
	}
	if told > most {
		p.note("more hosts", paint.Muted, "and "+paint.Exact(told-most)+" more that are not well")
	}
	if len(well) == 0 {
		return
	}
	slow := slices.MaxFunc(well, func(a, b *control.Host) int { return int(a.RTT - b.RTT) })
	l := line{key: "well hosts", left: []paint.Seg{seg(paint.State("idle"), paint.Glyph("idle")+" "), seg(paint.Text, paint.Exact(len(well))), seg(paint.Muted, " ready")}}
	if slow.RTT > 0 {
		l.right = []paint.Seg{seg(paint.Muted, "slowest "+slow.Called()+" "+paint.Duration(slow.RTT))}
	}
	l.copied = plain(l.left)
	p.add(l)
}
