package tree

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// four are four processes with an actor mesh.
func four(t *testing.T) *worldtest.Builder {
	t.Helper()
	b := worldtest.New(t)
	b.Procs("p", shape.Extent{{Name: "gpus", Size: 4}}, worldtest.Opts{})
	b.Mesh("m", "p", "main.M")
	return b
}

func TestAWorkerThatEndsItselfHasFailed(t *testing.T) {
	const why = "worker 2 of procs p (pid 5003) exited with code 7"
	b := four(t)
	b.Proc("p", 2, "exited", why)
	b.EditRank("m", 2, func(r *control.RankState) { r.State, r.Reason = "gone", why })
	p := New(worldtest.Keys)
	open(t, p, b, "gpu-2")
	golden.RequireEqual(t, screen(p, b, 40, 9))
}

func TestAGroupThatLivesIsNotGone(t *testing.T) {
	b := four(t)
	b.Rank("m", 2, "stopped", 0)
	p := New(worldtest.Keys)
	if got := screen(p, b, 40, 9); strings.Count(got, "○") != 1 || !strings.Contains(got, "1○") {
		t.Errorf("more than the count shows what was stopped:\n%s", got)
	}
	for rank := range 4 {
		b.Rank("m", rank, "stopped", 0)
	}
	worldtest.Has(t, screen(p, b, 40, 9), "4 · M · 4 ○")
}
