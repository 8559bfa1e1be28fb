package warn

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func text(list []Warning) string {
	var b strings.Builder
	for _, w := range list {
		sign := "▲"
		if w.Severe {
			sign = "✕"
		}
		fmt.Fprintf(&b, "%s %s  [%s, %d, %s%s%v, call %d]\n", sign, w.Line, w.Name, w.Count, w.Mesh, w.Procs, w.Ranks, w.Call)
		for l := range strings.Lines(w.Detail) {
			b.WriteString("      " + strings.TrimRight(l, "\n") + "\n")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// trouble is a world in which everything goes wrong.
func trouble(t testing.TB) (*worldtest.Builder, *Checker) {
	b := worldtest.Trainers(t)
	c := New(Config{})
	for rank := range 12 {
		b.EditRank("ponger", rank+9, func(r *control.RankState) {
			r.State, r.Queue, r.Running, r.Since = "busy", 100+rank*10, []string{"Pong"}, b.Now
		})
	}
	b.Rank("loader", 1, "idle", 99)
	all := make([]int, 64)
	for i := range all {
		all[i] = i
	}
	call := control.Call{ID: 41, Client: "main", Mesh: "ponger", Endpoint: "Pong", Started: b.Now, Ranks: 64, Waiting: all}
	b.Call(call)
	c.List(b.World)
	b.Tick(40 * time.Millisecond)
	call.Waiting = []int{9, 17, 25}
	b.Call(call)
	b.Call(control.Call{ID: 40, Client: "@pinger[3]", Mesh: "loader", Endpoint: "Next", Adverb: control.AdverbCallOne, Started: b.Now, Ranks: 1, Waiting: []int{3}})
	c.List(b.World)
	b.Tick(time.Second)
	b.EditProc("trainers", 40, func(p *control.Proc) {
		p.State, p.Reason, p.Since, p.Tail = "killed", "signal: killed", b.Now, []string{"a", "step 1181 loss 0.1907"}
	})
	b.EditRank("ponger", 40, func(r *control.RankState) { r.State, r.Reason = "gone", "signal: killed" })
	b.Proc("trainers", 41, "suspect", "")
	b.GPU("trainers", 12, func(g *control.GPU) { g.ECC, g.Celsius = 2, 71 })
	b.GPU("trainers", 13, func(g *control.GPU) { g.Xid, g.Problem = 79, "GPU is lost" })
	b.GPU("trainers", 14, func(g *control.GPU) { g.Busy = 100 })
	b.EditRank("loader", 7, func(r *control.RankState) { r.State, r.Reason = "failed", "panic: nil map" })
	b.EditMesh("loader", func(m *control.Mesh) { m.Ranks[7].State, m.Ranks[7].Reason = "failed", "panic: nil map" })
	b.Types = []control.Type{{Name: "PingPong", NotCallable: []control.NotCallable{
		{Name: "Label", Why: "it has no context.Context"},
		{Name: "Reset", Why: "it takes 2 arguments", Fix: "func (p *PingPong) Reset(ctx context.Context, a ResetArgs) error, with a struct ResetArgs that holds the arguments"},
	}}, {Name: "Loader", NotCallable: []control.NotCallable{
		{Name: "Next", Why: "it has no context.Context", Fix: "func (l *Loader) Next(ctx context.Context) (int, error)"},
		{Name: "Skip", Why: "it does not return an error", Fix: "func (l *Loader) Skip(ctx context.Context, a int) error"},
	}}}
	b.Apply(&control.Event{Session: &control.Session{Name: "demo", Program: "monarch-tui", PID: 4711, State: "failed", Reason: "a failure was not handled", Dir: "/run/demo", LogLost: "no space left on device"}})
	for rank := range 3 {
		b.OnBuild("trainers", rank, worldtest.NewBuild)
	}
	half := control.Reload{ID: 1, State: control.ReloadFailed, Build: "d4e5f60718293", Reason: "trainers[3] could not be moved", Ranks: b.ReloadRanks("trainers", "MMMrkwww")}
	half.Ranks[3].Error, half.Ranks[3].Tail = "loader[3]: Restore: want a number", []string{"panic: nil map"}
	half.Ranks[4].Error = "its process is stopped by a signal"
	b.Reload(half)
	b.Launched("more", "ssh", "ssh to a1", shape.Extent{{Name: "hosts", Size: 1}})
	b.HostIs("more", 0, "a1", "failed", "a1: Permission denied (publickey).")
	b.Tick(5 * time.Second)
	return b, c
}

// TestEveryWarningHasItsEvidence_INV_EVIDENCE holds INV-EVIDENCE.
func TestEveryWarningHasItsEvidence_INV_EVIDENCE(t *testing.T) {
	b, c := trouble(t)
	golden.RequireEqual(t, text(c.List(b.World)))
}

func TestARuleCanBeSwitchedOff(t *testing.T) {
	b, all := trouble(t)
	for _, name := range Names() {
		if About(name) == "" {
			t.Errorf("%s does not say what it looks for", name)
		}
		has := func(c *Checker) (n int) {
			for _, w := range c.List(b.World) {
				if w.Name == name {
					n++
				}
			}
			return n
		}
		if has(all) == 0 {
			t.Errorf("the rule %s finds nothing", name)
		}
		if has(New(Config{Off: []string{name}})) != 0 {
			t.Errorf("the rule %s cannot be switched off", name)
		}
	}
	if About("none") != "" {
		t.Error("a rule that is none is about something")
	}
}

func TestNothingIsWrongInAQuietWorld(t *testing.T) {
	b := worldtest.Trainers(t)
	c := New(Config{})
	b.Call(control.Call{ID: 1, Client: "main", Mesh: "ponger", Endpoint: "Pong", Started: b.Now, Ranks: 1, Waiting: []int{0}})
	b.Rank("ponger", 0, "busy", 99)
	b.Tick(4 * time.Second)
	if list := c.List(b.World); len(list) != 0 {
		t.Error(text(list))
	}
}

func TestAnActorThatGoesOnIsNotSlow(t *testing.T) {
	b := worldtest.Trainers(t)
	c := New(Config{Off: []string{"backlog"}})
	busy := func(handled uint64) {
		b.EditRank("ponger", 3, func(r *control.RankState) {
			r.State, r.Running, r.Handled = "busy", []string{"Pong"}, handled
			if handled == 0 {
				r.Since = b.Now
			}
		})
	}
	for n := range uint64(20) {
		busy(n)
		b.Tick(time.Second)
		if list := c.List(b.World); len(list) != 0 {
			t.Fatalf("after %d messages: %s", n, text(list))
		}
	}
	b.Tick(6 * time.Second)
	if list := c.List(b.World); len(list) != 1 || list[0].Line != "1 handler of ponger > 5s" {
		t.Errorf("a handler that hangs: %s", text(list))
	}
	b.EditProc("trainers", 3, func(p *control.Proc) { p.Held = true })
	if list := c.List(b.World); len(list) != 0 {
		t.Errorf("one that a debugger holds: %s", text(list))
	}
}

// TestNothingIsLateWhileTheClockStands warns of what is late because somebody looks at a stopped actor only afterwards.
func TestNothingIsLateWhileTheClockStands(t *testing.T) {
	b, c := worldtest.Trainers(t), New(Config{})
	b.EditRank("ponger", 2, func(r *control.RankState) { r.State, r.Running, r.Since = "busy", []string{"Pong"}, b.Now })
	b.Call(control.Call{ID: 7, Mesh: "ponger", Endpoint: "Pong", Ranks: 8, Waiting: []int{2}, Started: b.Now, Client: "main"})
	c.List(b.World)
	b.Apply(&control.Event{Debug: &control.DebugState{Held: true}})
	b.Tick(time.Minute)
	if list := c.List(b.World); len(list) != 0 {
		t.Errorf("the clock stands, and it warns: %s", text(list))
	}
	b.Apply(&control.Event{Debug: &control.DebugState{}})
	b.Tick(2 * time.Second)
	if list := c.List(b.World); len(list) < 2 {
		t.Errorf("the clock goes, and it warns of: %s", text(list))
	}
}

func TestAStragglerNeedsTheOthersToBeFaster(t *testing.T) {
	for name, c := range map[string]struct {
		half, age time.Duration
		answered  int
		want      string
	}{
		"late":           {100 * time.Millisecond, 3 * time.Second, 61, "straggler"},
		"all are slow":   {time.Second, 3 * time.Second, 61, ""},
		"few answered":   {100 * time.Millisecond, 3 * time.Second, 50, ""},
		"not yet late":   {100 * time.Millisecond, 1500 * time.Millisecond, 61, ""},
		"nobody answers": {0, 6 * time.Second, 0, "no-reply"},
	} {
		b := worldtest.Trainers(t)
		checker := New(Config{})
		call := control.Call{ID: 41, Client: "main", Mesh: "ponger", Endpoint: "Pong", Started: b.Now, Ranks: 64}
		waiting := func(n int) []int {
			out := make([]int, 0, 64)
			for r := n; r < 64; r++ {
				out = append(out, r)
			}
			return out
		}
		call.Waiting = waiting(0)
		b.Call(call)
		checker.List(b.World)
		b.Tick(c.half)
		call.Waiting = waiting(c.answered)
		b.Call(call)
		checker.List(b.World)
		b.Tick(c.age - c.half)
		got := ""
		for _, w := range checker.List(b.World) {
			got += w.Name
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAStoppedMeshHasLostNothing(t *testing.T) {
	b := worldtest.Trainers(t)
	b.Proc("trainers", 3, "exited", "exit status 0")
	c := New(Config{})
	if list := c.List(b.World); len(list) != 1 || !list[0].Severe {
		t.Errorf("a process that ended by itself: %s", text(list))
	}
	b.EditProcs("trainers", func(p *control.ProcMesh) { p.State = "stopping" })
	if list := c.List(b.World); len(list) != 0 {
		t.Errorf("a process that was stopped: %s", text(list))
	}
}

// TestTheRulesRunOnceForARevisionOrASecond_INV_CHEAP_INV_STEADY holds INV-CHEAP and INV-STEADY.
func TestTheRulesRunOnceForARevisionOrASecond_INV_CHEAP_INV_STEADY(t *testing.T) {
	b, c := trouble(t)
	first := c.List(b.World)
	runs := c.runs
	for range 10 {
		b.Tick(10 * time.Millisecond)
		c.List(b.World)
	}
	if c.runs != runs {
		t.Errorf("the rules ran %d times for nothing", c.runs-runs)
	}
	b.Tick(2 * time.Second)
	b.Rank("loader", 2, "idle", 0)
	again := c.List(b.World)
	if c.runs != runs+1 {
		t.Errorf("the rules ran %d times for a change", c.runs-runs)
	}
	for i := range first {
		if first[i].Name != again[i].Name || !reflect.DeepEqual(first[i].Ranks, again[i].Ranks) {
			t.Errorf("the order changed: %s", text(again))
		}
	}
}

// BenchmarkList is a look at 4,096 busy actors.
func BenchmarkList(b *testing.B) {
	w := worldtest.New(b)
	w.Procs("p", shape.Extent{{Name: "n", Size: 4096}}, worldtest.Opts{})
	w.Mesh("m", "p", "demo.M")
	w.EditMesh("m", func(m *control.Mesh) {
		for i := range m.Ranks {
			m.Ranks[i] = control.RankState{State: "busy", Running: []string{"x"}, Since: w.Now}
		}
	})
	c := New(Config{})
	for n := 0; b.Loop(); n++ {
		w.Tick(time.Millisecond)
		w.Apply()
		c.List(w.World)
	}
}

func TestWhyAThingEndedBeginsWithItsCause(t *testing.T) {
	const why = "worker 3 of procs trainers (pid 5004) was killed by SIGKILL"
	b := worldtest.Trainers(t)
	b.Proc("trainers", 3, "killed", why)
	b.EditMesh("ponger", func(m *control.Mesh) { m.State, m.Reason = "failed", why })
	b.EditRank("loader", 3, func(r *control.RankState) { r.State, r.Reason = "failed", why })
	got := text(New(Config{}).List(b.World))
	for _, want := range []string{
		"✕ ponger failed: SIGKILL: worker 3 of procs trainers (pid 5004)", "loader[3] has failed: SIGKILL: worker 3 of",
		"trainers[3] (gpu-3@host-0): SIGKILL: worker 3 of procs trainers (pid 5004), 0s ago.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestAmongManyRanksTroubleIsLookedForFourTimesASecond holds that a world of many ranks is not searched with every change, and
// that what has happened is told all the same.
func TestAmongManyRanksTroubleIsLookedForFourTimesASecond(t *testing.T) {
	b := worldtest.New(t)
	b.Type(worldtest.PongerType())
	b.Procs("p", shape.Extent{{Name: "rank", Size: manyRanks}}, worldtest.Opts{InProcess: true})
	b.Mesh("m", "p", worldtest.PongerType().Full)
	c := New(Config{})
	c.List(b.World)
	before := c.runs
	for i := range 30 { // a second of frames
		b.Tick(time.Second / 30)
		b.Rank("m", i, "failed", 0)
		c.List(b.World)
	}
	if looks := c.runs - before; looks < 3 || looks > 6 {
		t.Errorf("it was looked for %d times in a second, want about 4", looks)
	}
	b.Tick(pause)
	if list := c.List(b.World); len(list) != 1 || list[0].Count != 30 {
		t.Errorf("after the pause it tells %s", text(list))
	}
}

// TestAReloadThatFailedIsToldUntilItIsRepaired holds that the warning has those who stay on the old build, and goes with them.
func TestAReloadThatFailedIsToldUntilItIsRepaired(t *testing.T) {
	c := New(Config{Off: []string{"lost-proc", "failed"}})
	if got := text(c.List(worldtest.Uncompiled(t).World)); !strings.Contains(got, "▲ reload: 3 errors in count.go  [reload, 3, workers[0 1 2 3 4 5 6 7]") || !strings.Contains(got, "count.go:44:2: undefined: totl") {
		t.Errorf("of what does not compile it tells\n%s", got)
	}
	b := worldtest.HalfReloaded(t)
	if got := text(c.List(b.World)); !strings.Contains(got, "▲ reload: 4 of workers stay  [reload, 4, workers[3 4 6 7]") {
		t.Errorf("of one that stopped half-way it tells\n%s", got)
	}
	for _, rank := range []int{3, 4, 6, 7} {
		b.OnBuild("workers", rank, worldtest.NewBuild)
	}
	if got := text(c.List(b.World)); got != "" {
		t.Errorf("all who live run the new build, and it tells\n%s", got)
	}
	if got := text(c.List(worldtest.Reloaded(t).World)); got != "" {
		t.Errorf("of one that went well it tells\n%s", got)
	}
}
