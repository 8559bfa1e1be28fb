package worldtest_test

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestWhatATestSaysIsWhatTheWorldKnows(t *testing.T) {
	b := worldtest.New(t)
	b.Procs("p", shape.Extent{{Name: "hosts", Size: 2}, {Name: "gpus", Size: 2}}, worldtest.Opts{Virtual: true})
	b.Mesh("m", "p", "main.M")
	b.Rank("m", 3, "busy", 100)
	b.Proc("p", 2, "killed", "signal: killed")
	m, ok := b.Replica.Mesh("m")
	if !ok || b.Word(m, 3) != "warning" || b.Word(m, 2) != "failed" || b.Word(m, 0) != "idle" {
		t.Fatalf("mesh %+v", m)
	}
	p, _ := b.ProcOf(m, 3)
	if p.Host != "host-1" || p.Slot != 1 || p.Device != "virtual" {
		t.Fatalf("proc %+v", p)
	}
}

func TestThePingpongWorldIsInTheMiddleOfWork(t *testing.T) {
	b := worldtest.Pingpong(t)
	m, _ := b.Replica.Mesh("ponger")
	counts := map[string]int{}
	for rank := range m.Ranks {
		counts[b.Word(m, rank)]++
	}
	if counts["busy"] != 12 || counts["paused"] != 3 || counts["warning"] != 1 || counts["failed"] != 8 || counts["idle"] != 40 {
		t.Fatalf("%v", counts)
	}
	if b.Messages.Total() != 75 || len(b.Calls) != 1 || len(b.Failures) != 1 {
		t.Fatalf("%d messages, %d calls, %d failures", b.Messages.Total(), len(b.Calls), len(b.Failures))
	}
}
