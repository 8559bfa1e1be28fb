package tree

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// screen is the pane in its frame, the inside w×h.
func screen(p *Pane, b *worldtest.Builder, w, h int) string { return b.Screen(p, 1, false, w, h) }

// at moves to a line by what it says.
func at(t *testing.T, p *Pane, name string) {
	t.Helper()
	for i := range p.rows {
		if string(p.appendLabel(nil, &p.rows[i])) == name {
			p.Home()
			p.Down(i)
			return
		}
	}
	t.Fatalf("no line %q", name)
}

func open(t *testing.T, p *Pane, b *worldtest.Builder, names ...string) {
	t.Helper()
	for _, name := range names {
		screen(p, b, 52, 24)
		at(t, p, name)
		p.Right()
	}
}

func TestTheScreensOfPingpong(t *testing.T) {
	b := worldtest.Pingpong(t)
	for _, size := range [][2]int{{28, 22}, {52, 24}, {30, 9}, {28, 4}, {100, 14}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			p := New(worldtest.Keys)
			open(t, p, b, "ponger", "1 backlog", "host-0", "gpu-0", "ponger")
			golden.RequireEqual(t, screen(p, b, size[0], size[1]))
		})
	}
}

func TestSmallWorldsAreOpen(t *testing.T) {
	b := worldtest.New(t)
	b.Procs("p", shape.Extent{{Name: "hosts", Size: 2}, {Name: "gpus", Size: 2}}, worldtest.Opts{Virtual: true})
	b.Procs("q", shape.Extent{}, worldtest.Opts{InProcess: true, State: "launching"})
	b.Mesh("toy", "p", "example.com/demos/toy.ToyActor")
	b.Mesh("chain", "p", "main.Chain")
	b.Mesh("one", "q", "main.One")
	b.EditMesh("chain", func(m *control.Mesh) { m.State, m.Reason = "failed", "OnStart of chain[2]: no peer" })
	b.EditProcs("q", func(p *control.ProcMesh) { p.State = "starting" })
	golden.RequireEqual(t, screen(New(worldtest.Keys), b, 40, 16))
}

func TestManyProcessesInOneStateAreFolded(t *testing.T) {
	b := worldtest.New(t)
	b.Procs("p", shape.Extent{{Name: "gpus", Size: 16}}, worldtest.Opts{})
	b.Mesh("m", "p", "main.M")
	b.Proc("p", 5, "oom", "out of memory")
	p := New(worldtest.Keys)
	open(t, p, b, "gpu-0…4", "gpu-3")
	golden.RequireEqual(t, screen(p, b, 40, 20))
	at(t, p, "gpu-6…15")
	if it := p.Selected(b.World); it.Kind != KindRun || len(it.Ranks) != 10 || it.Ranks[0] != 6 {
		t.Fatalf("%+v", it)
	}
}

func TestWhatHasEndedIsHiddenUntilAskedFor(t *testing.T) {
	b := worldtest.New(t)
	b.Procs("p", shape.Extent{{Name: "gpus", Size: 2}}, worldtest.Opts{})
	b.Mesh("old", "p", "main.M")
	b.Mesh("new", "p", "main.M")
	b.EditMesh("old", func(m *control.Mesh) { m.Gone = true })
	p := New(worldtest.Keys)
	got := screen(p, b, 40, 10)
	if strings.Contains(got, "old") || !strings.Contains(got, "1 ended") || !strings.Contains(got, "hidden, H") {
		t.Fatal(got)
	}
	p.ToggleHidden()
	if got = screen(p, b, 40, 10); !strings.Contains(got, "old") || !strings.Contains(got, "shown, H") {
		t.Fatal(got)
	}
	b.EditProcs("p", func(p *control.ProcMesh) { p.Gone = true })
	b.EditMesh("new", func(m *control.Mesh) { m.Gone = true })
	p.ToggleHidden()
	if got = screen(p, b, 40, 10); !strings.Contains(got, "create a proc mesh") || !strings.Contains(got, "3 ended") {
		t.Fatal(got)
	}
}

func TestWhereNothingIsThereAreWaysToBegin(t *testing.T) {
	b := worldtest.New(t)
	p := New(worldtest.Keys)
	golden.RequireEqual(t, screen(p, b, 52, 9))
	p.Down(1)
	if it := p.Selected(b.World); it.Kind != KindHint || it.Name != "demo" {
		t.Fatalf("%+v", it)
	}
}

func TestBeforeTheFirstPictureItSaysThatItWaits(t *testing.T) {
	s := paint.New(40, 4)
	New(worldtest.Keys).Draw(s, world.New(), true)
	if got := s.Plain(); !strings.Contains(got, "waiting for the session") {
		t.Fatal(got)
	}
}

func TestAFilterShowsWhatItFindsAndWhereThatIs(t *testing.T) {
	b := worldtest.Pingpong(t)
	for _, c := range []struct {
		filter string
		want   []string // lines that are found
	}{
		{"gpu-3", []string{"gpu-3", "gpu-3", "gpu-3", "gpu-3", "gpu-3", "gpu-3", "gpu-3", "gpu-3"}},
		{"ponger", []string{"ponger"}},
		{"PONGER[12]", []string{"ponger[12]"}},
		{"pgr[12]", []string{"ponger[12]", "pinger[12]"}},
		{"host-5", []string{"host-5"}},
		{"backlog", nil}, // what a line tells besides its name is not looked at
		{"ponger paused", nil},
		{"40 idle", nil},
		{"killed", nil},
		{"pid 5004", nil},
		{"nothing of that kind", nil},
	} {
		p := New(worldtest.Keys)
		p.SetFilter(c.filter)
		got := screen(p, b, 52, 40)
		var found []string
		for i := range p.rows {
			if p.rows[i].hit {
				found = append(found, string(p.appendLabel(nil, &p.rows[i])))
			}
		}
		slices.Sort(found)
		slices.Sort(c.want)
		if !slices.Equal(found, c.want) {
			t.Errorf("%q finds %q, want %q", c.filter, found, c.want)
		}
		if len(c.want) > 0 && !p.rows[p.win.Cursor].hit {
			t.Errorf("%q leaves the cursor on a line that it did not find", c.filter)
		}
		if c.want == nil && !strings.Contains(got, "nothing matches") {
			t.Error(got)
		}
	}
	p := New(worldtest.Keys)
	p.SetFilter("gpu-3")
	screen(p, b, 52, 30)
	p.Toggle() // one that was found opens
	golden.RequireEqual(t, screen(p, b, 52, 24))
}

func TestWhatIsSelectedIsTold(t *testing.T) {
	b := worldtest.Pingpong(t)
	p := New(worldtest.Keys)
	ponger, _ := b.Replica.Mesh("ponger")
	trainers, _ := b.ProcMesh("trainers")
	open(t, p, b, "ponger", "3 paused", "host-1", "gpu-1")
	for _, c := range []struct {
		line string
		want Item
	}{
		{"trainers", Item{Kind: KindProcs, Procs: trainers.ID, Name: "trainers", Rank: -1}},
		{"ponger", Item{Kind: KindMesh, Procs: trainers.ID, Mesh: ponger.Ref.ID, Name: "ponger", Rank: -1}},
		{"3 paused", Item{Kind: KindState, Procs: trainers.ID, Mesh: ponger.Ref.ID, Name: "ponger", Rank: -1, Ranks: []int{9, 17, 25}, State: "paused"}},
		{"host-1", Item{Kind: KindHost, Procs: trainers.ID, Name: "trainers", Host: "host-1", Rank: -1, Ranks: []int{8, 9, 10, 11, 12, 13, 14, 15}}},
		{"gpu-1", Item{Kind: KindProc, Procs: trainers.ID, Proc: trainers.FirstProc + 9, Name: "trainers", Rank: 9}},
		{"ponger[9]", Item{Kind: KindActor, Procs: trainers.ID, Proc: trainers.FirstProc + 9, Mesh: ponger.Ref.ID, Name: "ponger", Rank: 9}},
	} {
		screen(p, b, 52, 24)
		at(t, p, c.line)
		if got := p.Selected(b.World); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s is %+v, want %+v", c.line, got, c.want)
		}
	}
}

// TestTheCursorStaysOnItsThingINV_CURSOR holds INV-CURSOR.
func TestTheCursorStaysOnItsThingINV_CURSOR(t *testing.T) {
	b := worldtest.Pingpong(t)
	p := New(worldtest.Keys)
	open(t, p, b, "host-5")
	at(t, p, "host-5")
	b.Procs("another", shape.Extent{{Name: "gpus", Size: 2}}, worldtest.Opts{})
	b.Mesh("aaa", "trainers", "main.A")
	p.CycleSort()
	screen(p, b, 52, 24)
	if it := p.Selected(b.World); it.Kind != KindHost || it.Host != "host-5" {
		t.Fatalf("%+v", it)
	}
	p.Left()
	screen(p, b, 52, 24)
	p.Left()
	if it := p.Selected(b.World); it.Kind != KindProcs || it.Name != "trainers" {
		t.Fatalf("left leads to %+v", it)
	}
	m, _ := b.Replica.Mesh("ponger")
	p.GoActor(b.World, m.Ref.ID, 3)
	if it := p.Selected(b.World); it.Kind != KindMesh || it.Name != "ponger" {
		t.Fatalf("%+v", it)
	}
}

func TestTheMouseMovesAndOpens(t *testing.T) {
	b := worldtest.Pingpong(t)
	p := New(worldtest.Keys)
	screen(p, b, 52, 24)
	p.Click(20, 3)
	if it := p.Selected(b.World); it.Name != "ponger" || len(p.rows) != 12 {
		t.Fatalf("%+v, %d lines", it, len(p.rows))
	}
	p.Click(4, 3)
	screen(p, b, 52, 24)
	if len(p.rows) != 17 {
		t.Fatalf("a click on the sign shows %d lines", len(p.rows))
	}
}

// TestALineShowsTheWorstOfWhatItHidesINV_WORST also holds after changes that leave the lines as they are.
// It holds INV-WORST.
func TestALineShowsTheWorstOfWhatItHidesINV_WORST(t *testing.T) {
	b := worldtest.Pingpong(t)
	p := New(worldtest.Keys)
	screen(p, b, 52, 24)
	b.Rank("ponger", 62, "failed", 0)
	screen(p, b, 52, 24)
	for i := range p.rows {
		r := &p.rows[i]
		want := uint8(0)
		switch it := p.item(r); it.Kind {
		case KindHost:
			for _, rank := range it.Ranks {
				for _, name := range []string{"pinger", "ponger"} {
					m, _ := b.Replica.Mesh(name)
					want = max(want, uint8(world.Severity(b.Word(m, rank))))
				}
			}
			if got := p.worst(r); got != want {
				t.Errorf("%s shows %s, want %s", it.Host, words[got], words[want])
			}
			if it.Host == "host-7" && words[want] != "failed" {
				t.Errorf("host-7 is %s", words[want])
			}
		default:
		}
	}
}

func TestNothingBreaksWhateverIsDone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := worldtest.Pingpong(t)
		p := New(worldtest.Keys)
		n := func() int { return rapid.IntRange(-5, 30).Draw(rt, "n") }
		acts := []func(){
			func() { p.Up(n()) }, func() { p.Down(n()) }, p.Home, p.End, func() { p.Page(n()) }, p.Left, p.Right, func() { p.Toggle() }, func() { p.Wheel(n()) },
			func() { p.Click(n(), n()) }, p.ToggleHidden, p.CycleSort,
			func() {
				p.SetFilter(rapid.SampledFrom([]string{"", "pong", "gpu-3", "failed", "x y z", "[1"}).Draw(rt, "filter"))
			},
			func() {
				b.Rank("ponger", rapid.IntRange(0, 63).Draw(rt, "rank"), rapid.SampledFrom([]string{"idle", "busy", "failed"}).Draw(rt, "state"), 0)
			},
			func() {
				b.EditProc("trainers", rapid.IntRange(0, 63).Draw(rt, "rank"), func(p *control.Proc) { p.Host = "host-9" })
			},
			func() { b.EditMesh("pinger", func(m *control.Mesh) { m.Gone = !m.Gone }) },
			func() { b.EditMesh("ponger", func(m *control.Mesh) { m.Procs = "nowhere" }) },
			func() { b.Mesh("more", "trainers", "main.More") },
			func() { b.Tick(time.Second) },
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			acts[rapid.IntRange(0, len(acts)-1).Draw(rt, "act")]()
			w, h := rapid.IntRange(0, 100).Draw(rt, "w"), rapid.IntRange(0, 40).Draw(rt, "h")
			p.Frame(b.World)
			p.Draw(paint.New(w, h), b.World, rapid.Bool().Draw(rt, "focus"))
			p.Selected(b.World)
			if len(p.rows) > 0 && (p.win.Cursor >= len(p.rows) || p.rows[p.win.Cursor].key != p.cursor) {
				rt.Fatalf("the cursor %+v is on line %d", p.cursor, p.win.Cursor)
			}
			seen := map[key]bool{}
			for i := range p.rows {
				if seen[p.rows[i].key] {
					rt.Fatalf("two lines are %+v", p.rows[i].key)
				}
				seen[p.rows[i].key] = true
			}
		}
	})
}

func TestWhyAThingEndedBeginsWithItsCause(t *testing.T) {
	const why = "worker 1 of procs p (pid 5002) was killed by SIGKILL"
	b := worldtest.New(t)
	b.Procs("p", shape.Extent{{Name: "gpus", Size: 2}}, worldtest.Opts{})
	b.Mesh("m", "p", "main.M")
	b.Mesh("n", "p", "main.N")
	b.Mesh("one-with-a-long-name", "p", "main.M")
	b.Proc("p", 1, "killed", why)
	b.EditRank("m", 1, func(r *control.RankState) { r.State, r.Reason = "gone", why })
	b.EditMesh("n", func(m *control.Mesh) { m.State, m.Reason = "failed", why })
	p := New(worldtest.Keys)
	open(t, p, b, "gpu-1")
	for _, c := range []struct {
		width int
		want  []string
	}{
		{80, []string{"n  SIGKILL: worker 1 of", "gpu-1  SIGKILL ✕", "m[1]  SIGKILL ✕"}},
		{34, []string{"n SIGKILL: worker 1", "gpu-1  SIGKILL ✕"}},
		{26, []string{"n SIGKILL: worker… ✕", "gpu-1  SIGKILL ✕", "m[1]  SIGKILL ✕", "one-…e[1] SIGKILL ✕"}},
	} {
		got := strings.Join(strings.Fields(screen(p, b, c.width, 12)), " ")
		for _, want := range c.want {
			if !strings.Contains(got, strings.Join(strings.Fields(want), " ")) {
				t.Errorf("no %q in %d cells:\n%s", want, c.width, screen(p, b, c.width, 12))
			}
		}
	}
	b.EditProcs("p", func(pm *control.ProcMesh) { pm.State, pm.Reason = "failed", why })
	if got := screen(p, b, 52, 12); !strings.Contains(got, "SIGKILL: worker 1 of procs p (pid 5002) ✕") {
		t.Error(got)
	}
}

func TestWhereNothingIsFoundNoWordIsCut(t *testing.T) {
	b := worldtest.Pingpong(t)
	p := New(worldtest.Keys)
	p.SetFilter("nobody")
	for w := 18; w <= 38; w++ {
		if got := screen(p, b, w, 6); strings.Contains(got, "…") || !strings.Contains(got, "clears") {
			t.Error(got)
		}
	}
}
