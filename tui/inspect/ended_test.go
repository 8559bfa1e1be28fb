package inspect

import (
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestAProcessThatHasEndedHasNoMemory(t *testing.T) {
	b := worldtest.Trainers(t)
	pm, _ := b.ProcMesh("trainers")
	p := New(worldtest.Keys)
	p.ShowProc(pm.FirstProc + 3)
	worldtest.Has(t, screen(p, b, 60, 20), "resident")
	b.Proc("trainers", 3, "exited", "worker 3 of procs trainers (pid 5004) exited with code 7")
	got := screen(p, b, 60, 20)
	worldtest.Has(t, got, "✕ exited")
	worldtest.Has(t, got, "exit 7: worker 3")
	if strings.Contains(got, "resident") {
		t.Error(got)
	}
}

func TestAMeshIsAsItsLivingAndItsFailedRanks(t *testing.T) {
	b := worldtest.Trainers(t)
	m, _ := b.Replica.Mesh("ponger")
	p := New(worldtest.Keys)
	p.ShowMesh(m.Ref.ID)
	b.Rank("ponger", 1, "stopped", 0)
	if got := screen(p, b, 60, 20); !strings.Contains(got, "· running") || strings.Contains(got, "running ·") {
		t.Errorf("one that was stopped tells of all:\n%s", got)
	}
	b.Proc("trainers", 3, "exited", "worker 3 of procs trainers (pid 5004) exited with code 7")
	worldtest.Has(t, screen(p, b, 60, 20), "✕ running · 1 failed")
}
