package worldtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// The builds of the worlds of reloads.
const (
	OldBuild = "a1b2c3d4e5f6 v0.4.1"
	NewBuild = "d4e5f60718293 v0.4.1"
)

// Reload tells of a reload, or of how far it is by now; one without a time is of now.
func (b *Builder) Reload(r control.Reload) {
	if r.Time.IsZero() {
		r.Time = b.Now.Add(-r.Took)
	}
	r.Moved = 0
	for i := range r.Ranks {
		if r.Ranks[i].State == control.RankMoved {
			r.Moved++
		}
	}
	b.Apply(&control.Event{Reload: &r})
}

// Reloadable is the world of a program of the user's: procs workers with eight ranks, and on them counters, all of the old build.
// It was reloaded before, once with an error and once well.
func Reloadable(t testing.TB) *Builder {
	t.Helper()
	b := New(t)
	b.Apply(&control.Event{Session: &control.Session{Name: "count", Program: "count", PID: 4711, Build: OldBuild, Engine: "v0.1.0", State: "running", Started: b.Now.Add(-7 * time.Minute), Dir: "/run/user/1000/monarch/count"}})
	b.Procs("workers", shape.Extent{{Name: "hosts", Size: 2}, {Name: "gpus", Size: 4}}, Opts{Virtual: true})
	b.Mesh("counter", "workers", "example.com/count.Counter")
	for rank := range 8 {
		b.OnBuild("workers", rank, OldBuild)
	}
	for _, rank := range []int{2, 5} {
		b.Rank("counter", rank, "busy", 0)
	}
	b.Reload(control.Reload{
		ID: 1, Time: b.Now.Add(-5 * time.Minute), By: "explorer", State: control.ReloadFailed, Reason: "it does not compile: count.go:17:2: undefined: n", Took: 610 * time.Millisecond, Built: 600 * time.Millisecond,
		Errors: []control.CompileError{{File: "count.go", Line: 17, Col: 2, Text: "undefined: n"}}, Ranks: b.ReloadRanks("workers", "wwwwwwww"),
	})
	b.Reload(control.Reload{
		ID: 2, Time: b.Now.Add(-4 * time.Minute), By: "explorer", State: control.ReloadDone, Policy: control.ReloadDrain, Build: "a1b2c3d4e5f6", Took: 3100 * time.Millisecond, Built: 2200 * time.Millisecond,
		Ranks: b.ReloadRanks("workers", "MMMMMMMM"),
	})
	return b
}

// OnBuild has a process run a build.
func (b *Builder) OnBuild(procs string, rank int, build string) {
	b.t.Helper()
	b.EditProc(procs, rank, func(p *control.Proc) { p.Build = build })
}

// ReloadRanks are what a reload has come to for the ranks of a proc mesh, a letter each: w waits, m moves, M moved, k kept, r
// restored, l lost.
func (b *Builder) ReloadRanks(procs, letters string) (out []control.ReloadRank) {
	b.t.Helper()
	states := map[rune]string{'w': control.RankWaits, 'm': control.RankMoves, 'M': control.RankMoved, 'k': control.RankKept, 'r': control.RankRestored, 'l': control.RankLost}
	for rank, letter := range letters {
		state, ok := states[letter]
		if !ok {
			b.t.Fatalf("worldtest: no state %q of a reload", letter)
		}
		x := control.ReloadRank{Procs: procs, Rank: rank, State: state, From: OldBuild}
		if state == control.RankMoved {
			x.Away = time.Duration(38+rank) * time.Millisecond
		}
		out = append(out, x)
	}
	return out
}

// reloading is the third reload of Reloadable, with ranks by letters. Who has moved runs the new build.
func (b *Builder) reloading(letters string, edit func(r *control.Reload)) *Builder {
	b.t.Helper()
	r := control.Reload{
		ID: 3, By: "explorer", State: control.ReloadRolling, Policy: control.ReloadDrain, Build: "d4e5f60718293", Folder: "/src/count", Took: 1900 * time.Millisecond, Built: 1400 * time.Millisecond,
		Ranks: b.ReloadRanks("workers", letters),
	}
	edit(&r)
	for _, x := range r.Ranks {
		switch x.State {
		case control.RankMoved:
			b.OnBuild("workers", x.Rank, NewBuild)
		case control.RankMoves:
			b.Proc("workers", x.Rank, "launching", "")
			b.EditRank("counter", x.Rank, func(r *control.RankState) { r.State, r.Reason, r.Running = "starting", "it moves to build d4e5f6", nil })
		case control.RankLost:
			b.EditProc("workers", x.Rank, func(p *control.Proc) { p.State, p.Reason, p.Tail = "failed", x.Error, x.Tail })
			b.EditRank("counter", x.Rank, func(r *control.RankState) { r.State, r.Reason = "gone", "its process has failed" })
		}
	}
	b.Reload(r)
	return b
}

// Building is Reloadable while the next build is made.
func Building(t testing.TB) *Builder {
	t.Helper()
	return Reloadable(t).reloading("wwwwwwww", func(r *control.Reload) {
		r.State, r.Build, r.Built, r.Took = control.ReloadBuilding, "", 0, 800*time.Millisecond
	})
}

// Rolling is Reloadable while three ranks of eight run the new build, and two move.
func Rolling(t testing.TB) *Builder {
	t.Helper()
	return Reloadable(t).reloading("MMMmmwww", func(*control.Reload) {})
}

// Reloaded is Reloadable after all have moved; of each a field did not fit.
func Reloaded(t testing.TB) *Builder {
	t.Helper()
	return Reloadable(t).reloading("MMMMMMMM", func(r *control.Reload) {
		r.State, r.Took = control.ReloadDone, 2400*time.Millisecond
		r.Notes = []string{"procs local stays: its ranks are goroutines of the controller"}
		for i := range r.Ranks {
			r.Ranks[i].Notes = []string{fmt.Sprintf("@counter[%d] Total does not fit: a text string is no int; it has its zero value", i), fmt.Sprintf("@counter[%d] Label is new: it has its zero value", i)}
		}
		r.Ranks[5].Notes = append(r.Ranks[5].Notes, "@counter[5] Step is no field any more: its value is gone")
	})
}

// Uncompiled is Reloadable after the next build did not compile.
func Uncompiled(t testing.TB) *Builder {
	t.Helper()
	return Reloadable(t).reloading("wwwwwwww", func(r *control.Reload) {
		r.State, r.Build, r.Built, r.Took = control.ReloadFailed, "", 700*time.Millisecond, 710*time.Millisecond
		r.Errors = []control.CompileError{
			{File: "count.go", Line: 41, Col: 12, Text: `cannot use "one" (untyped string constant) as int value in assignment`},
			{File: "count.go", Line: 44, Col: 2, Text: "undefined: totl"},
			{File: "wire/wire.go", Line: 9, Col: 1, Text: "missing return"},
		}
		r.Reason = "it does not compile: " + r.Errors[0].String() + " (and 2 more)"
	})
}

// HalfReloaded is Reloadable after a reload that stopped half-way: three ranks run the new build, one did not begin on it and was put
// back, one has ended, and one was stopped by the debugger.
func HalfReloaded(t testing.TB) *Builder {
	t.Helper()
	return Reloadable(t).reloading("MMMrklww", func(r *control.Reload) {
		r.State, r.Took = control.ReloadFailed, 4200*time.Millisecond
		r.Ranks[3].Error = "@counter[3]: Restore: counter.Total: want a number"
		r.Ranks[3].Tail = []string{"panic: runtime error: index out of range [3] with length 0", "goroutine 21 [running]:", "example.com/count.(*Counter).Restore(0xc000118000, {0xc00012e000, 0x1c, 0x20})", "\tcount.go:52 +0x7d"}
		r.Ranks[4].Error = "@counter[4] is stopped by the debugger in Inc (stop 7): let it go on first"
		r.Ranks[5].Error = "it did not begin again on the old build: signal: killed"
		r.Reason = "workers[3] did not begin on the new build, and was put back: " + r.Ranks[3].Error
	})
}
