package world_test

import (
	"slices"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestTheBuildsOfAMeshAreThoseOfWhoLives(t *testing.T) {
	b := worldtest.Rolling(t)
	pm, _ := b.ProcMesh("workers")
	of := b.BuildsOf(pm)
	if !of.Mixed() || of.Most != "a1b2c3" || !slices.Equal(of.Others(), []int{0, 1, 2}) || !of.Other(1) || of.Other(5) {
		t.Errorf("while three of eight have moved: %+v", of)
	}
	for rank := 3; rank < 8; rank++ {
		b.OnBuild("workers", rank, worldtest.NewBuild)
	}
	b.EditProc("workers", 7, func(p *control.Proc) { p.Build, p.State = worldtest.OldBuild, "lost" })
	if of = b.BuildsOf(pm); of.Mixed() || of.Most != "d4e5f6" {
		t.Errorf("when who lives has moved: %+v", of)
	}
	b.EditProc("workers", 1, func(p *control.Proc) { p.RSS++ })
	if b.BuildsOf(pm) != of {
		t.Error("they are counted anew because of memory")
	}
	p, _ := b.Replica.Proc(pm.FirstProc)
	if r, x := b.ReloadOf(p); r.ID != 3 || x.Rank != 0 {
		t.Errorf("the newest reload of a process is %d", r.ID)
	}
}

func TestABuildIsShownInAFewCharacters(t *testing.T) {
	for id, want := range map[string]string{"": "", "b1": "b1", "wEv-F3abc v1.2 (dirty)": "wEv-F3", " x": "x"} {
		if got := world.ShortBuild(id); got != want {
			t.Errorf("%q: %q, want %q", id, got, want)
		}
	}
}

func TestWhoStaysIsToldByWhatRuns(t *testing.T) {
	b := worldtest.HalfReloaded(t)
	r, _ := b.World.Reload()
	if got := b.Stayed(r)["workers"]; !slices.Equal(got, []int{3, 4, 6, 7}) {
		t.Errorf("%v stay", got)
	}
	b.OnBuild("workers", 6, "d4e5f60718293")
	if got := b.Stayed(r)["workers"]; !slices.Equal(got, []int{3, 4, 7}) {
		t.Errorf("after one more has it %v stay", got)
	}
	b.Reload(control.Reload{ID: 9, State: control.ReloadFailed, Ranks: []control.ReloadRank{{Procs: "nobody"}, {Procs: "workers", Rank: -1}, {Procs: "workers", Rank: 99}}})
	r, _ = b.World.Reload()
	if got := b.Stayed(r); len(got) != 0 {
		t.Errorf("of ranks that are not there %v stay", got)
	}
}

func TestAReloadTakesTimeBetweenTwoWords(t *testing.T) {
	b := worldtest.Building(t)
	r, _ := b.Reloading()
	b.Tick(time.Second)
	if got := b.ReloadTook(r); got != 1800*time.Millisecond {
		t.Errorf("it takes %v", got)
	}
	done, _ := worldtest.Reloaded(t).World.Reload()
	if got := b.ReloadTook(done); got != 2400*time.Millisecond {
		t.Errorf("one that is over took %v", got)
	}
}
