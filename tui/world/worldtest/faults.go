package worldtest

import (
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Fault injects a fault, or changes the one with its number. One without a time is of now.
func (b *Builder) Fault(f control.Fault) {
	if f.Since.IsZero() {
		f.Since = b.Now
	}
	if f.For > 0 {
		f.Until = f.Since.Add(f.For)
	}
	b.Apply(&control.Event{Fault: &control.FaultEvent{Fault: f}})
}

// Healed ends a fault.
func (b *Builder) Healed(id uint64) {
	b.Apply(&control.Event{Fault: &control.FaultEvent{Fault: control.Fault{ID: id}, Gone: true, Why: "healed by explorer"}})
}

// Faulty is the world of Pingpong in which the links of some processes are slow, two are cut from each other, and messages to
// some actors are dropped.
func Faulty(t testing.TB) *Builder {
	t.Helper()
	b := Pingpong(t)
	pm, m := b.procMesh("trainers"), b.Meshes[0]
	for i := range b.Meshes {
		if b.Meshes[i].Ref.Name == "ponger" {
			m = b.Meshes[i]
		}
	}
	for _, f := range []control.Fault{
		{ID: 3, Kind: control.FaultDelay, Procs: "trainers", Of: pm.ID, Ranks: []int{2, 3, 10, 11}, Delay: 50 * time.Millisecond, Jitter: 20 * time.Millisecond, For: 30 * time.Second, Since: b.Now.Add(-4300 * time.Millisecond), Seed: 7, By: "explorer", Seen: 1840, Delayed: 1840},
		{ID: 4, Kind: control.FaultPartition, Procs: "trainers", Of: pm.ID, Ranks: []int{20}, To: "trainers", ToOf: pm.ID, ToRanks: []int{21}, By: "script chaos.mtui", Seen: 12, Dropped: 12},
		{ID: 5, Kind: control.FaultDrop, Mesh: "ponger", Of: m.Ref.ID, Ranks: []int{3, 4}, Endpoint: "Pong", Percent: 10, Seed: 1, By: "explorer", Seen: 61, Dropped: 7},
	} {
		b.Fault(f)
	}
	return b
}
