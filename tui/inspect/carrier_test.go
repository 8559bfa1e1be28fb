package inspect

import (
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestTheCarriersOfTheControllerAndOfAWorkerAreShown(t *testing.T) {
	b := worldtest.Pingpong(t)
	pm, _ := b.ProcMesh("trainers")
	pr, _ := b.Replica.Proc(pm.FirstProc)
	worker, session := *pr, b.Session
	worker.Carrier, session.Carrier = "udp (UDP_GRO: operation not permitted)", "udp+gro (more workers than CPUs, which are 8)"
	b.Apply(&control.Event{Proc: &worker}, &control.Event{Session: &session})
	p := New(worldtest.Keys)
	for _, c := range []struct {
		show func()
		want string
	}{
		{func() { p.ShowProc(pm.FirstProc) }, worker.Carrier},
		{func() { p.ShowProcs(pm.ID) }, session.Carrier},
	} {
		c.show()
		var line string
		for l := range strings.Lines(screen(p, b, 90, 30)) {
			if strings.Contains(l, "carrier") {
				line = l
			}
		}
		if !strings.Contains(line, c.want) {
			t.Errorf("the line of the carrier is %q, want %q in it", line, c.want)
		}
	}
}
