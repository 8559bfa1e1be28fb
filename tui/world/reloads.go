package world

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// shortBuild is how much of a build id is shown: as of a commit, enough to tell two apart.
const shortBuild = 6

// ShortBuild is a build id in a few characters: of the content of the executable, which comes first in it. "": it is not known.
func ShortBuild(id string) string {
	id, _, _ = strings.Cut(strings.TrimSpace(id), " ")
	return id[:min(len(id), shortBuild)]
}

// sameBuild reports whether two ids name one content: one of them may tell the revision as well.
func sameBuild(a, b string) bool {
	a, _, _ = strings.Cut(a, " ")
	b, _, _ = strings.Cut(b, " ")
	return a == b
}

// Builds are the builds that the processes of a proc mesh run.
type Builds struct {
	Most   string       // short, of the most of them; of two that are as many the one with the lower rank
	Counts []BuildCount // the most first
	other  map[int]bool // ranks on another one
}

// BuildCount is how many processes run a build.
type BuildCount struct {
	Build string // short
	Ranks []int
}

// Mixed reports whether they run several.
func (b *Builds) Mixed() bool { return len(b.Counts) > 1 }

// Other reports whether a rank runs another build than the most.
func (b *Builds) Other(rank int) bool { return b.other[rank] }

// Others are the ranks on another build than the most.
func (b *Builds) Others() (ranks []int) {
	for _, c := range b.Counts[min(1, len(b.Counts)):] {
		ranks = append(ranks, c.Ranks...)
	}
	slices.Sort(ranks)
	return ranks
}

// BuildsOf are the builds of the processes of a proc mesh that have not ended.
func (w *World) BuildsOf(pm *control.ProcMesh) *Builds {
	if b := w.builds[pm.ID]; b != nil {
		return b
	}
	if w.builds == nil {
		w.builds = map[uint64]*Builds{}
	}
	b := &Builds{}
	w.builds[pm.ID] = b
	if pm.Gone || pm.InProcess {
		return b
	}
	at := map[string]int{}
	for rank := range pm.Extent.Len() {
		p, ok := w.Proc(pm.FirstProc + uint64(rank))
		if !ok || p.Over() || p.Build == "" {
			continue
		}
		id := ShortBuild(p.Build)
		i, ok := at[id]
		if !ok {
			i = len(b.Counts)
			at[id] = i
			b.Counts = append(b.Counts, BuildCount{Build: id})
		}
		b.Counts[i].Ranks = append(b.Counts[i].Ranks, rank)
	}
	slices.SortStableFunc(b.Counts, func(x, y BuildCount) int { return cmp.Compare(len(y.Ranks), len(x.Ranks)) })
	if len(b.Counts) > 0 {
		b.Most = b.Counts[0].Build
	}
	for _, rank := range b.Others() {
		if b.other == nil {
			b.other = map[int]bool{}
		}
		b.other[rank] = true
	}
	return b
}

// OtherBuild reports whether a process runs another build than the most of its mesh, and which that is.
func (w *World) OtherBuild(p *control.Proc) (most string, other bool) {
	if p == nil || p.PID == 0 {
		return "", false
	}
	pm, ok := w.ProcMesh(p.Mesh)
	if !ok || pm.FirstProc+uint64(p.Rank) != p.ID {
		return "", false
	}
	b := w.BuildsOf(pm)
	return b.Most, b.Other(p.Rank)
}

// Reload is the newest reload.
func (w *World) Reload() (*control.Reload, bool) {
	if len(w.Reloads) == 0 {
		return nil, false
	}
	return &w.Reloads[len(w.Reloads)-1], true
}

// Reloading is the reload that is going on.
func (w *World) Reloading() (*control.Reload, bool) {
	r, ok := w.Reload()
	return r, ok && !r.Over()
}

// ReloadTook is what a reload takes until now, or took. The session's clock may be another one.
func (w *World) ReloadTook(r *control.Reload) time.Duration {
	if r.Over() || w.reloadOf != r.ID {
		return r.Took
	}
	return r.Took + max(0, w.Now.Sub(w.reloadSeen))
}

// ReloadOf is the newest reload that a process was part of, and what it came to there.
func (w *World) ReloadOf(p *control.Proc) (*control.Reload, *control.ReloadRank) {
	for i := range slices.Backward(w.Reloads) {
		r := &w.Reloads[i]
		for j := range r.Ranks {
			if x := &r.Ranks[j]; x.Procs == p.Mesh && x.Rank == p.Rank {
				return r, x
			}
		}
	}
	return nil, nil
}

// noteBuilds forgets the builds of processes before one of them gets another, begins, or ends.
func (w *World) noteBuilds(u control.Update) {
	changed := u.Snapshot != nil
	for _, ev := range u.Events {
		switch {
		case changed:
		case ev.ProcMesh != nil:
			changed = true
		case ev.Proc != nil: // its memory changes every second
			old, ok := w.Proc(ev.Proc.ID)
			changed = !ok || old.Build != ev.Proc.Build || old.Over() != ev.Proc.Over()
		}
	}
	if changed {
		w.builds = nil
	}
}

// noteReloads keeps when a reload was last told of.
func (w *World) noteReloads(u control.Update) {
	if u.Snapshot == nil && !slices.ContainsFunc(u.Events, func(ev *control.Event) bool { return ev.Reload != nil }) {
		return
	}
	if r, ok := w.Reload(); ok {
		w.reloadOf, w.reloadSeen = r.ID, w.Now
	}
}

// Stayed are the ranks of a proc mesh that a reload which failed has left on another build than its own, by what they run now:
// who has moved or ended since is not among them.
func (w *World) Stayed(r *control.Reload) map[string][]int {
	out := map[string][]int{}
	if r.State != control.ReloadFailed {
		return out
	}
	for i := range r.Ranks {
		x := &r.Ranks[i]
		pm, ok := w.ProcMesh(x.Procs)
		if !ok || pm.Gone {
			continue
		}
		p, ok := w.Proc(pm.FirstProc + uint64(max(0, x.Rank)))
		if !ok || p.Rank != x.Rank || p.Over() || r.Build != "" && sameBuild(p.Build, r.Build) {
			continue
		}
		out[x.Procs] = append(out[x.Procs], x.Rank)
	}
	return out
}
