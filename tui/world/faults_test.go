package world_test

import (
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestFaultsShowOnWhomTheyActOn(t *testing.T) {
	b := worldtest.Faulty(t)
	m, _ := b.Replica.Mesh("ponger")
	for rank, want := range map[int]string{
		0: "idle", 2: "fault", 3: "fault", 4: "fault", 5: "idle", 10: "fault", 20: "fault", 21: "fault", // links or messages
		9: "paused", 18: "warning", 40: "failed", // what is graver stays
	} {
		if got := b.Word(m, rank); got != want {
			t.Errorf("ponger[%d] is %s, want %s", rank, got, want)
		}
	}
	p, _ := b.ProcOf(m, 20)
	if got := b.ProcWord(p); got != "fault" {
		t.Errorf("its process is %s", got)
	}
	if got := world.FaultsText(b.FaultsOn(m.Ref.ID, 3, 4)); got != "delay 50ms ±20ms +1" {
		t.Errorf("on ponger[3] act %q", got)
	}
	pinger, _ := b.Replica.Mesh("pinger")
	if got := world.FaultsText(b.FaultsOn(pinger.Ref.ID, 4, 5)); got != "" {
		t.Errorf("on pinger[4] act %q", got)
	}
	for _, id := range []uint64{3, 4, 5} {
		b.Healed(id)
	}
	for _, rank := range []int{2, 3, 10, 20} {
		if got := b.Word(m, rank); got == "fault" {
			t.Errorf("ponger[%d] is %s after all faults are over", rank, got)
		}
	}
}

func TestAFaultIsToldInFewWords(t *testing.T) {
	b := worldtest.New(t)
	for want, f := range map[string]control.Fault{
		"partition in · 3 of 5 packets dropped":   {Kind: control.FaultPartition, Way: "in", Seen: 5, Dropped: 3},
		"drop 0.5% · no messages yet":             {Kind: control.FaultDrop, Mesh: "m", Percent: 0.5},
		"rate 500KB/s · 9 of 9 packets delayed":   {Kind: control.FaultRate, Rate: 500_000, Seen: 9, Delayed: 9},
		"pause · ":                                {Kind: control.FaultPause},
		"delay 1s ±1ms · 1 of 2 messages delayed": {Kind: control.FaultDelay, Mesh: "m", Delay: time.Second, Jitter: time.Millisecond, Seen: 2, Delayed: 1},
	} {
		if got := world.FaultText(&f) + " · " + world.FaultDid(&f); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f := control.Fault{Until: b.Now.Add(1234 * time.Millisecond)}
	if got := b.FaultLeft(&f); got != "1.2s left" {
		t.Errorf("%q", got)
	}
}
