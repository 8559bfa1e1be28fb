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

type hosts struct{}

// hostsRule is the name of the rule for hosts: what it tells of a host is not told again of its processes.
const hostsRule = "host"

func (hosts) Name() string { return hostsRule }
func (hosts) About() string {
	return "hosts that were lost, failed or fell silent, that lose 5 % of packets, or are queued for more than 10 min"
}

// Check looks at the hosts of proc meshes that nobody has stopped.
func (r hosts) Check(l *Look) (out []Warning) {
	for _, pm := range procMeshes(l.World) {
		all := l.World.HostsOf(pm)
		if len(all) == 0 || pm.State == "stopping" || pm.State == "stopped" {
			continue
		}
		var lost, failed, silent, lossy, queued []*control.Host
		for _, h := range all {
			switch {
			case h.State == "lost", h.State == "exited": // the mesh goes on, so nobody has told it to
				lost = append(lost, h)
			case h.State == "failed":
				failed = append(failed, h)
			case h.State == "suspect", h.State == "unreachable":
				silent = append(silent, h)
			case h.State == "ready" && h.Loss >= l.Config.Loss:
				lossy = append(lossy, h)
			case h.State == "queued" && !h.Since.IsZero() && l.World.Now.Sub(h.Since) > l.Config.Queued:
				queued = append(queued, h)
			}
		}
		for _, found := range []struct {
			hosts  []*control.Host
			what   string // behind the count
			severe bool
			means  string
		}{
			{lost, "lost", true, "What ran there has ended with it. The inspector has the last lines."},
			{failed, "failed to start", true, "The launcher's own words say why. The inspector has the last lines."},
			{silent, "silent", false, "Its agent has sent no sign of life for 1.75 s; after 10.5 s it is given up, and its processes end themselves."},
			{lossy, "lossy", false, fmt.Sprintf("The threshold is %.0f %% of the packets. What is lost is sent again: calls there take longer.", 100*l.Config.Loss)},
			{queued, "queued > " + paint.Span(l.Config.Queued), false, fmt.Sprintf("The threshold is %s. The launcher waits for a place; to stop the procs cancels the launch.", paint.Span(l.Config.Queued))},
		} {
			if len(found.hosts) > 0 {
				out = append(out, r.warning(l, pm, found.hosts, found.what, found.severe, found.means))
			}
		}
	}
	return out
}

func (r hosts) warning(l *Look, pm *control.ProcMesh, list []*control.Host, what string, severe bool, means string) Warning {
	w := Warning{Name: r.Name(), Severe: severe, Count: len(list), Procs: pm.Name, Line: fmt.Sprintf("%s of %s %s", paint.Plural(len(list), "host"), pm.Name, what)}
	var d lines
	var procs []*control.Proc
	for _, h := range list {
		w.Hosts = append(w.Hosts, h.ID)
		ranks := l.World.RanksOn(pm, h)
		w.Ranks = append(w.Ranks, ranks...)
		for _, rank := range ranks {
			if p, ok := l.World.Proc(pm.FirstProc + uint64(rank)); ok && p.Over() {
				procs = append(procs, p)
			}
		}
		who := h.Called()
		if len(ranks) > 0 {
			who += ", " + pm.Name + "[" + shape.FormatRanks(ranks) + "]"
		}
		d.add("%s (%s): %s.", who, cmp.Or(h.Handle, h.Launcher), evidence(l.World, h))
		if n := len(h.Tail); n > 0 {
			d.add("   its last line: %s", h.Tail[n-1])
		}
	}
	slices.Sort(w.Ranks)
	died := ""
	if severe {
		died = diedWith(l.World, procs)
	}
	w.Detail = d.end("%s%s", died, means)
	return w
}

// evidence is how a host is, since when, and what is lost on the way.
func evidence(w *world.World, h *control.Host) string {
	if h.State == "ready" {
		return fmt.Sprintf("%.1f %% of the packets to it are lost, the round trip is %s", 100*h.Loss, paint.Duration(h.RTT))
	}
	text := strings.TrimSuffix(world.HostSays(h), ".")
	switch since := age(max(0, w.Now.Sub(h.Since))); {
	case h.Since.IsZero():
	case h.Over():
		text += ", " + since + " ago"
	default:
		text += ", for " + since
	}
	return text
}

// toldOf reports whether a process is on a host that the rule for hosts tells of.
func (l *Look) toldOf(p *control.Proc) bool {
	h := l.World.HostOf(p)
	return h != nil && (h.Over() || world.HostWord(h) == "warning") && !slices.Contains(l.Config.Off, hostsRule)
}

// The defaults of the rule.
const (
	lossFrom   = 0.05
	queuedFrom = 10 * time.Minute
)
