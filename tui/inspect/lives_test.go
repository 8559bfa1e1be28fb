package inspect

import (
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// A rank's lives stand with their cause, who decided, and what the process had printed last before the newest.
func TestTheLivesOfARankAreToldWithTheirCause(t *testing.T) {
	b := worldtest.Trainers(t)
	pm, _ := b.ProcMesh("trainers")
	m, _ := b.Replica.Mesh("ponger")
	began := b.Now.Add(-time.Minute)
	of := func(rank, life int, state string) *control.Event {
		return &control.Event{Restart: &control.Restart{
			Time: began, Mesh: "ponger", Procs: "trainers", Rank: rank, Proc: pm.FirstProc + uint64(rank), Life: life, Why: "worker 1 of procs trainers (pid 5002) was killed by SIGKILL",
			By: "its restart policy, 1 of 3 times in 1m", State: state, Took: time.Duration(rank) * 45 * time.Millisecond,
		}}
	}
	dead := *of(1, 1, control.RestartReady).Restart
	dead.Mesh, dead.Tail = "", []string{"out of luck"}
	b.Apply(of(1, 1, control.RestartReady), of(2, 1, control.RestartReady), of(3, 1, control.RestartFailed), &control.Event{Restart: &dead})
	b.EditMesh("ponger", func(m *control.Mesh) {
		p := control.DefaultRestart()
		m.Restart, m.Gang = &p, true
		m.Ranks[1].Restarts, m.Ranks[2].Restarts = 1, 1
	})
	b.EditProc("trainers", 1, func(p *control.Proc) { p.Restarts = 1 })

	p := New(worldtest.Keys)
	p.ShowMesh(m.Ref.ID)
	got := screen(p, b, 70, 40)
	for _, want := range []string{"restart   on failure, 3 times in 1m for a rank, all ranks together", "Lives", "2 restarts", "↻1 [1-2] ready in 90ms", "↻1 [3] did not start", "because worker 1 of procs trainers (pid 5002) was killed", "by its restart policy, 1 of 3 times in 1m"} {
		worldtest.Has(t, got, want)
	}
	p.ShowActor(m.Ref.ID, 2)
	if got = screen(p, b, 70, 40); !strings.Contains(got, "↻1 ready in 90ms") || !strings.Contains(got, "1 restart") || strings.Contains(got, "out of luck") {
		t.Errorf("of rank 2:\n%s", got)
	}
	p.ShowProc(pm.FirstProc + 1)
	got = screen(p, b, 70, 40)
	for _, want := range []string{"restarts  1", "↻1 ready in 45ms", "│ out of luck"} {
		worldtest.Has(t, got, want)
	}
}
