package inspect

import (
	"strconv"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// buildBuild tells which build a process runs, and how it came to it, once that may be another one than the controller's. Of an
// actor (all is false) only where there is something to be known.
func (p *Pane) buildBuild(w *world.World, pr *control.Proc, all bool) {
	id := world.ShortBuild(pr.Build)
	if id == "" || pr.PID == 0 {
		return
	}
	rec, x := w.ReloadOf(pr)
	most, other := w.OtherBuild(pr)
	segs := []paint.Seg{seg(paint.Text, id)}
	from := ""
	if x != nil {
		from = world.ShortBuild(x.From)
	}
	switch {
	case x != nil && x.State == control.RankMoved && from != id:
		segs = []paint.Seg{seg(paint.Muted, from+" → "), seg(paint.Text, id)}
	case x != nil && x.State == control.RankMoves && rec.Build != "":
		segs = append(segs, seg(paint.Starting, " → "+world.ShortBuild(rec.Build)+" ◌ moves"))
	case other:
	case all && x == nil && w.Session.Build != "" && id != world.ShortBuild(w.Session.Build):
		p.field("build", id+" is not the controller's "+world.ShortBuild(w.Session.Build), paint.Warning)
		return
	case !all, len(w.Reloads) == 0:
		return
	}
	p.fieldSegs("build", pr.Build, segs...)
	if other {
		p.field("", paint.OtherBuild+" most are on "+most, paint.Starting)
	}
	if x != nil {
		p.buildReloaded(x, all)
	}
}

// buildReloaded tells what was wrong with the newest reload of a process, and what of it did not fit.
func (p *Pane) buildReloaded(x *control.ReloadRank, all bool) {
	if x.Error != "" {
		role := paint.Warning
		if x.State == control.RankLost {
			role = paint.Failed
		}
		p.field("reload", x.State+": "+x.Error, role)
	}
	if !all {
		return
	}
	for i, n := range x.Notes {
		name := ""
		if i == 0 {
			name = "unfit"
		}
		p.field(name, n, paint.Muted)
	}
}

// buildBuilds tells which builds the processes of a proc mesh run.
func (p *Pane) buildBuilds(w *world.World, pm *control.ProcMesh) {
	b := w.BuildsOf(pm)
	if !b.Mixed() {
		if len(w.Reloads) > 0 {
			p.field("build", b.Most, paint.Text)
		}
		return
	}
	for i, c := range b.Counts {
		name, role := "builds", paint.Text
		if i > 0 {
			name, role = "", paint.Starting
		}
		ranks := shape.FormatRanks(c.Ranks)
		p.add(line{
			key:  "builds " + c.Build,
			left: []paint.Seg{seg(paint.Muted, paint.Pad(name, keyWidth)), seg(role, c.Build), seg(paint.Muted, "  "+strconv.Itoa(len(c.Ranks))+" on it, ["+ranks+"]")}, copied: c.Build + " " + ranks,
		})
	}
}
