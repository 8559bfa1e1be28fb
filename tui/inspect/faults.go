package inspect

import (
	"strconv"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// buildFaults tells of the faults that act on a rank of an actor mesh, and on its process: what they do, how long they have, who
// ordered them and what they have done.
func (p *Pane) buildFaults(w *world.World, mesh uint64, rank int, pr *control.Proc) {
	proc := uint64(0)
	if pr != nil {
		proc = pr.ID
	}
	for _, f := range w.FaultsOn(mesh, rank, proc) {
		p.add(line{
			key: "fault " + strconv.FormatUint(f.ID, 10), copied: f.String(),
			left:  []paint.Seg{seg(paint.Fault, paint.Pad(paint.Glyph("fault")+" "+strconv.FormatUint(f.ID, 10), keyWidth)), seg(paint.Fault, world.FaultText(f))},
			right: []paint.Seg{seg(paint.Muted, w.FaultLeft(f))},
		})
		note := "on " + f.Target() + " · by " + f.By
		if did := world.FaultDid(f); did != "" {
			note += " · " + did
		}
		p.field("", note, paint.Muted)
	}
}
