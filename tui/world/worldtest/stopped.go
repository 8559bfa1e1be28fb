package worldtest

import (
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Stopped is the world of Pingpong in which a breakpoint has stopped [9,17,25] of ponger instead of a debugger that holds
// their processes, and in which there are breakpoints in every state.
func Stopped(t testing.TB) *Builder {
	t.Helper()
	b := Pingpong(t)
	for _, x := range []control.Breakpoint{
		{ID: 1, Mesh: "ponger", Endpoint: "Pong", State: control.BreakArmed, Bound: 56, By: "explorer"},
		{ID: 2, Mesh: "ponger", Endpoint: "Pong", Ranks: "dp=1:4,tp=1", If: "n > 2", Site: control.SiteRecv, State: control.BreakArmed, Bound: 3, Hits: 3, Skipped: 58, By: "explorer"},
		{ID: 3, Endpoint: "Init", Off: true, State: control.BreakOff},
		{ID: 4, Mesh: "pinger", Endpoint: "Init", Then: control.ThenPrint, Print: "to {peers}", State: control.BreakArmed, Bound: 56, Hits: 9134},
		{ID: 5, Mesh: "loader", Endpoint: "Load", State: control.BreakWaiting, Why: "there is no actor mesh @loader yet"},
	} {
		b.Break(x)
	}
	for i, rank := range []int{9, 17, 25} {
		b.EditProc("trainers", rank, func(p *control.Proc) { p.Held = false })
		b.Stop(control.Stop{
			ID: uint64(7 + i), Gen: 1, Mesh: "ponger", Rank: rank, Proc: uint64(rank + 1), Site: control.SiteRecv, Break: 2, Reason: "breakpoint 2",
			Endpoint: "Pong", Sender: "main", Msg: uint64(10 + rank), Call: 41, Trace: 41, Arg: `{n: 3, tag: "warm"}`, Since: b.Now.Add(-12100 * time.Millisecond),
		})
	}
	return b
}
