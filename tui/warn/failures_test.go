package warn

import (
	"slices"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// TestThatAMeshHasFailedNamesItsDead kills one of its processes by a signal, and ends another by an order.
func TestThatAMeshHasFailedNamesItsDead(t *testing.T) {
	b := worldtest.Pingpong(t)
	b.EditProc("trainers", 7, func(p *control.Proc) { p.State, p.Reason = "killed", "signal: killed" })
	b.EditProc("trainers", 8, func(p *control.Proc) { p.State, p.Ordered = "exited", true })
	b.EditRank("ponger", 8, func(r *control.RankState) { r.State = "gone" })
	b.EditProcs("trainers", func(pm *control.ProcMesh) { pm.State, pm.Reason = "failed", "SIGKILL: worker 7" })
	b.EditRank("ponger", 7, func(r *control.RankState) { r.State = "gone" })
	b.EditRank("ponger", 11, func(r *control.RankState) { r.State = "failed" })
	b.EditMesh("ponger", func(m *control.Mesh) { m.State, m.Reason = "failed", "SIGKILL: worker 7" })
	got := map[string][]int{}
	for _, w := range New(Config{}).List(b.World) {
		if w.Name == (failed{}).Name() {
			got[w.Mesh+w.Procs] = w.Ranks
		}
	}
	lost := []int{40, 41, 42, 43, 44, 45, 46, 47} // their host is
	for name, want := range map[string][]int{"trainers": {7}, "ponger": {7, 11}} {
		if want = append(want, lost...); !slices.Equal(got[name], want) {
			t.Errorf("of %s the dead are %v, want %v", name, got[name], want)
		}
	}
}
