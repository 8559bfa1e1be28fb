package reloads

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// worlds are those of each state of a reload.
func worlds() map[string]func(t testing.TB) *worldtest.Builder {
	return map[string]func(t testing.TB) *worldtest.Builder{
		"none":     func(t testing.TB) *worldtest.Builder { return worldtest.New(t) },
		"building": worldtest.Building, "rolling": worldtest.Rolling, "done": worldtest.Reloaded, "uncompiled": worldtest.Uncompiled, "half-way": worldtest.HalfReloaded,
	}
}

func TestAReloadIsToldInAnyRoom(t *testing.T) {
	for name, world := range worlds() {
		for _, size := range [][2]int{{76, 30}, {38, 22}, {38, 7}, {24, 4}, {10, 1}} {
			t.Run(fmt.Sprintf("%s/%dx%d", name, size[0], size[1]), func(t *testing.T) {
				b, p := world(t), New(worldtest.Keys)
				b.Screen(p, 5, true, size[0], size[1])
				golden.RequireEqual(t, b.Screen(p, 5, true, size[0], size[1]))
			})
		}
	}
}

func TestTheWatchingIsTold(t *testing.T) {
	b, p := worldtest.Reloaded(t), New(worldtest.Keys)
	p.SetWatch(Watch{Files: 12, Reload: 3, Delay: 460 * time.Millisecond})
	got := b.Screen(p, 5, true, 60, 20)
	for _, want := range []string{"watching 12 files", "✓ done in 2.4s · 2.9s from save"} {
		worldtest.Has(t, got, want)
	}
	p.SetWatch(Watch{Files: 12, Why: "a reload is going on already, by main"})
	worldtest.Has(t, b.Screen(p, 5, true, 60, 20), "▲ a reload is going on already, by main")
	worldtest.Has(t, worldtest.New(t).Screen(p, 5, true, 60, 12), "saved of the files that are watched")
}

// TestTheCursorStaysOnItsRow holds INV-ROW.
func TestTheCursorStaysOnItsRow(t *testing.T) {
	b, p := worldtest.Uncompiled(t), New(worldtest.Keys)
	b.Screen(p, 5, true, 60, 30)
	p.Down(1)
	if e, folder, ok := p.Place(b.World); !ok || e.Line != 44 || folder != "/src/count" {
		t.Fatalf("the cursor is on %+v in %q, want line 44", e, folder)
	}
	if p.Text() != "count.go:44:2: undefined: totl" {
		t.Errorf("it copies %q", p.Text())
	}
	b.Tick(time.Second)
	b.Apply()
	b.Screen(p, 5, true, 38, 30) // other rows, as they are broken otherwise
	if e, _, _ := p.Place(b.World); e.Line != 44 {
		t.Errorf("the cursor went to %+v", e)
	}
	b.Reload(control.Reload{ID: 4, State: control.ReloadFailed, Errors: []control.CompileError{{File: "a.go", Line: 1, Text: "x"}, {File: "b.go", Line: 2, Text: "y"}}})
	b.Screen(p, 5, true, 60, 30)
	if e, _, _ := p.Place(b.World); e.File != "a.go" {
		t.Errorf("a new reload begins at %+v, want its first error", e)
	}
}

func TestEarlierReloadsAreLookedAtAndLeft(t *testing.T) {
	b, p := worldtest.Reloaded(t), New(worldtest.Keys)
	b.Screen(p, 5, true, 60, 40)
	p.End()
	if !p.Enter() {
		t.Fatal("there is none under the cursor")
	}
	worldtest.Has(t, b.Screen(p, 5, true, 60, 40), "count.go:17:2  undefined: n")
	if !p.Back() || p.Back() {
		t.Error("one goes back from an earlier one, and only then")
	}
	worldtest.Has(t, b.Screen(p, 5, true, 60, 40), "done in 2.4s")
	p.End()
	p.Enter()
	b.Screen(p, 5, true, 60, 40)
	b.Reload(control.Reload{ID: 4, State: control.ReloadBuilding})
	worldtest.Has(t, b.Screen(p, 5, true, 60, 40), "◌ building")
}

func TestARowTellsWhomItIsAbout(t *testing.T) {
	b, p := worldtest.HalfReloaded(t), New(worldtest.Keys)
	b.Screen(p, 5, true, 76, 30)
	var got []string
	for range 3 {
		p.Down(1)
		name, ranks, _ := p.Ranks(b.World)
		got = append(got, fmt.Sprint(name, ranks))
	}
	if text := strings.Join(got, " "); text != "workers[5] workers[3] workers[4]" {
		t.Errorf("%s, want the gravest first", text)
	}
	if _, _, ok := p.Place(b.World); ok {
		t.Error("a rank is no place in the source")
	}
}

// A reload of many ranks is drawn in the time of a frame, and whatever it says stays within its cells.
func TestManyRanksAndTextsOfAnyKindAreDrawnAtOnce(t *testing.T) {
	b, p := worldtest.New(t), New(worldtest.Keys)
	b.Procs("p", shape.Extent{{Name: "n", Size: 4096}}, worldtest.Opts{})
	r := control.Reload{ID: 1, State: control.ReloadFailed, Reason: strings.Repeat("世 \x1b[31m", 300), By: "a\nb", Notes: []string{"", "x\x07"}}
	for i := range 4096 {
		r.Ranks = append(r.Ranks, control.ReloadRank{Procs: "p", Rank: i, State: []string{"moved", "waits", "kept", "odd"}[i%4], Error: fmt.Sprint(i%400, "\x1b[0m"), Notes: []string{"]", "a[", fmt.Sprintf("a[%d] x", i)}, Tail: []string{"\tt\x1b"}})
	}
	r.Errors = []control.CompileError{{Text: ""}, {File: strings.Repeat("a/", 400), Line: 1, Col: 2, Text: strings.Repeat("e", 900)}}
	began := time.Now()
	for i := range 20 {
		r.Took += time.Millisecond
		b.Reload(r)
		if text := b.Screen(p, 5, true, 20+5*i, 5+i); strings.ContainsAny(text, "\x1b\x07") {
			t.Fatalf("what a terminal acts on is drawn: %q", text)
		}
		p.Down(7)
		p.Wheel(3)
		p.Click(3, 2)
		_, _ = p.Text(), p.PageText()
	}
	if took := time.Since(began) / 20; took > 300*time.Millisecond {
		t.Errorf("a drawing of 4,096 ranks takes %v", took)
	}
}
