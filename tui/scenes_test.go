package tui

import (
	"fmt"
	"math"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// scene is a screen that is kept as golden, and may be drawn as a picture.
type scene struct {
	name  string
	world func(t testing.TB) *worldtest.Builder
	do    func(t testing.TB, m *Model)
}

var scenes = []scene{
	{"paused", worldtest.Stopped, func(t testing.TB, m *Model) { press(t, m, "2", "n") }},
	{"paused elsewhere", worldtest.Stopped, func(t testing.TB, m *Model) { press(t, m, "1") }},
	{"breakpoints", worldtest.Stopped, func(t testing.TB, m *Model) { press(t, m, "5", "down") }},
	{"no breakpoints", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "5", "]") }},
	{"new breakpoint", worldtest.Stopped, func(t testing.TB, m *Model) { press(t, m, "2", "n", "b"); typeText(m, "n > 2") }},
	{"breakpoint refused", worldtest.Stopped, refused},
	{"stopped frame", worldtest.Stopped, func(t testing.TB, m *Model) { press(t, m, "2", "n", "3", "]"); looked(m) }},
	{"stopped state", worldtest.Stopped, watching},
	{"beside another rank", worldtest.Stopped, compared},
	{"stack", worldtest.Stopped, func(t testing.TB, m *Model) { press(t, m, "2", "n", "3", "]", "]"); looked(m) }},
	{"mailbox of a stopped actor", worldtest.Stopped, func(t testing.TB, m *Model) {
		press(t, m, "2", "n", "3", "]", "]", "]")
		looked(m)
		press(t, m, "j", "j", "j", "j")
	}},
	{"edit the held message", worldtest.Stopped, func(t testing.TB, m *Model) {
		press(t, m, "2", "n", "3", "]")
		looked(m)
		press(t, m, "i", "backspace")
		typeText(m, "5")
	}},
	{"faults", worldtest.Faulty, func(t testing.TB, m *Model) { press(t, m, "2", "l", "l", "l") }},
	{"faults in the tree", worldtest.Faulty, func(t testing.TB, m *Model) { press(t, m, "1", "j", "j", "l", "j", "j", "j") }},
	{"reload building", worldtest.Building, func(t testing.TB, m *Model) { press(t, m, "5", "]", "]") }},
	{"reload rolling", worldtest.Rolling, func(t testing.TB, m *Model) { press(t, m, "5", "]", "]", "2", "l", "l") }},
	{"reloaded", worldtest.Reloaded, func(t testing.TB, m *Model) { press(t, m, "5", "]", "]") }},
	{"reload does not compile", worldtest.Uncompiled, func(t testing.TB, m *Model) { broken(m); press(t, m, "5") }},
	{"reload does not compile elsewhere", worldtest.Uncompiled, func(t testing.TB, m *Model) { broken(m); press(t, m, "2", "l", "d") }},
	{"reload half-way", worldtest.HalfReloaded, func(t testing.TB, m *Model) { broken(m); press(t, m, "5") }},
	{"reload half-way on the grid", worldtest.HalfReloaded, func(t testing.TB, m *Model) {
		m.goToProcs("workers")
		m.worldChanged()
		press(t, m, "2", "l", "l", "l")
	}},
	{"reload question", worldtest.Reloadable, func(t testing.TB, m *Model) { press(t, m, "2", "r") }},
	{"no reloads", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "5", "]", "]") }},
	{"first run", func(t testing.TB) *worldtest.Builder { return worldtest.New(t) }, func(testing.TB, *Model) {}},
	{"mesh", worldtest.Pingpong, func(testing.TB, *Model) {}},
	{"ranks", worldtest.Pingpong, func(t testing.TB, m *Model) {
		press(t, m, "2", "e")
		typeText(m, "dp=1:4,tp=1")
		press(t, m, "enter")
	}},
	{"inspect", worldtest.Pingpong, func(t testing.TB, m *Model) {
		press(t, m, "2", "j", "l", "3")
		for _, count := range []string{"1181", "1182"} {
			if ask, ok := m.panes.inspect.Want(m.world); ok {
				m.panes.inspect.SetState(m.world, ask, ballState(count), nil)
			}
			m.panes.inspect.Refresh()
		}
	}},
	{"ranks by GPU load", worldtest.GPUs, func(t testing.TB, m *Model) { press(t, m, "2", "j", "l", "l", "U", "U") }},
	{"a rank's GPU", worldtest.GPUs, func(t testing.TB, m *Model) {
		m.goToProcs("workers")
		m.worldChanged()
		press(t, m, "2", "l", "l", "l", "l", "l", "l", "d")
	}},
	{"messages", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "4") }},
	{"flow", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "4", "]") }},
	{"top", worldtest.Pingpong, func(t testing.TB, m *Model) { worked(m); press(t, m, "4", "]", "]") }},
	{"charts", worldtest.Pingpong, func(t testing.TB, m *Model) {
		press(t, m, "4", "]", "]", "]")
		m.panes.charts.Set(losses("ponger", 64, 50), nil)
		m.touch()
	}},
	{"calls", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "4", "[") }},
	{"logs", printing, func(t testing.TB, m *Model) { press(t, m, "5") }},
	{"commands", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "5", "["); m.say(sayGood, "connected again") }},
	{"help", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "2", "?") }},
	{"palette", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "ctrl+p"); typeText(m, "spawn") }},
	{"composer", worldtest.Pingpong, func(t testing.TB, m *Model) {
		press(t, m, "2", "e")
		typeText(m, "dp=0:8,tp=(1,2,5)")
		press(t, m, "enter", "x")
		typeText(m, "4")
		press(t, m, "tab")
		typeText(m, "warm")
	}},
	{"new procs", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "M") }},
	{"new procs on machines", worldtest.Pingpong, onMachines},
	{"hosts", worldtest.Cluster, func(t testing.TB, m *Model) { toHost(t, m, "n6") }},
	{"ranks of hosts", worldtest.Cluster, func(t testing.TB, m *Model) { press(t, m, "2", "j", "l") }},
	{"queued hosts", worldtest.Queued, func(t testing.TB, m *Model) { toHost(t, m, "host 1") }},
	{"warnings of hosts", worldtest.Cluster, func(t testing.TB, m *Model) { press(t, m, "W") }},
	{"spawn", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "a") }},
	{"answers", worldtest.Pingpong, func(t testing.TB, m *Model) {
		m.openEntry(answered(m))
	}},
	{"answers by ranks", worldtest.Pingpong, func(t testing.TB, m *Model) {
		m.openEntry(answered(m))
		press(t, m, "enter", "down")
	}},
	{"earlier calls", worldtest.Pingpong, func(t testing.TB, m *Model) {
		m.history = []string{"call @ponger.Pong {n: 1}", "call @ponger[dp=1:4,tp=1].Pong {n: 4, tag: \"warm\"}", "stop @ponger", "stream @ponger.Pong {n: 5}"}
		press(t, m, "2", "x", "ctrl+r")
	}},
	{"history", worldtest.Pingpong, func(t testing.TB, m *Model) {
		m.history = []string{"procs p gpus=4", "spawn @toy on p ToyActor", "call @toy.HelloWorld hi", "call @toy[0].HelloWorld hi", "stop p"}
		press(t, m, ":")
		typeText(m, "call")
		press(t, m, "ctrl+r")
	}},
	{"call on procs", worldtest.Pingpong, func(t testing.TB, m *Model) {
		m.goToProcs("trainers")
		m.worldChanged()
		press(t, m, "x")
	}},
	{"message", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "4", "g", "enter") }},
	{"log line", printing, func(t testing.TB, m *Model) { press(t, m, "5", "G", "enter") }},
	{"warning", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "W", "enter") }},
	{"errors", worldtest.Pingpong, func(t testing.TB, m *Model) {
		answered(m)
		m.failed(m.logCommand("call @ponger.Png 4"), "@ponger has no endpoint Png (did you mean Pong?)")
		press(t, m, "E")
	}},
	{"sessions", worldtest.Pingpong, func(t testing.TB, m *Model) {
		press(t, m, "A")
		p := m.top().(*dialog.Picker)
		sessionsMsg{list: []control.SessionInfo{
			{Name: "demo", Program: "monarch-tui", PID: 4711, Started: m.now().Add(-42 * time.Minute)},
			{Name: "trainer-4400", Program: "trainer", PID: 4400, Started: m.now().Add(-3 * time.Hour)},
		}, p: p}.apply(m)
	}},
	{"stop", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "2", "delete") }},
	{"quit", worldtest.Pingpong, func(t testing.TB, m *Model) { m.cfg.Own, m.dialer.own = true, true; press(t, m, "q") }},
	{"chord", worldtest.Pingpong, func(t testing.TB, m *Model) {
		press(t, m, "2", "V", `"`, "r", "|", `"`, "b", "'")
		m.Update(chordWaits{m.chords})
	}},
	{"pasted", worldtest.Pingpong, func(t testing.TB, m *Model) {
		m.Update(tea.PasteMsg{Content: "procs p gpus=4\nspawn @toy on p ToyActor\ncall @toy.HelloWorld hi\n"})
	}},
	{"half", big, func(t testing.TB, m *Model) { press(t, m, "2", "+") }},
	{"heat", big, func(t testing.TB, m *Model) { press(t, m, "2", "z", "z", "z", "z") }},
	{"kill", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "2", "K"); typeText(m, "pon") }},
	{"warnings", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "W") }},
	{"command line", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, ":"); typeText(m, "call @ponger."); press(t, m, "tab") }},
	{"filter", worldtest.Pingpong, func(t testing.TB, m *Model) { press(t, m, "4", "/"); typeText(m, "!kind:reply") }},
	{"story", tutorial, told(Step{
		Title: "Part 3: why slice", Text: "Often one actor is meant, with its part of the data or its device. To slice is to get a handle for fewer of the same actors; nothing is copied.",
		Go: `one := toys.Slice(engine.At("gpus", last))`, Command: "focus @toy_actor[gpus=3]",
	})},
	{"story task", tutorial, told(task3)},
	{"story task, something else done", tutorial, func(t testing.TB, m *Model) {
		told(task3)(t, m)
		press(t, m, "2", "space")
	}},
	{"story task done", tutorial, func(t testing.TB, m *Model) {
		told(task3)(t, m)
		press(t, m, "2", "l", "l", "l", "space")
	}},
	{"story task and a form", tutorial, func(t testing.TB, m *Model) {
		told(task3)(t, m)
		press(t, m, "2", "x")
	}},
	{"story ends", tutorial, func(t testing.TB, m *Model) {
		told(Step{})(t, m)
		m.story.waiting, m.story.done = false, true
	}},
	{"lost", worldtest.Pingpong, func(_ testing.TB, m *Model) {
		m.conn, m.lost, m.world.AsOf = nil, true, m.now()
		m.dialing = &dialing{tries: 3, again: true, began: m.now().Add(-2100 * time.Millisecond)}
		m.touch()
	}},
}

// broken is a reload that fails while somebody looks on.
func broken(m *Model) {
	m.reload.over = false
	m.noteReloads()
}

// task3 is a task of the tutorial.
var task3 = Step{
	Title: "Part 3: now you pick a rank", Text: "Now you: select rank 3 on the grid, and nothing else.",
	Go:    `one := toys.Slice(engine.At("gpus", last))`,
	How:   "{pane.2} goes to the grid, {left} and {right} move the cursor, {select} selects. The slice is written under the grid.",
	Goals: []string{"focus @toy_actor[gpus=3]"},
	Done:  "That is a slice. What you do now, a call with {call} for instance, is done to these ranks.",
}

// told is a screen on which a demo tells a step.
func told(step Step) func(t testing.TB, m *Model) {
	return func(t testing.TB, m *Model) {
		press(t, m, "4")
		m.story = &story{demo: Demo{Name: "toy", Title: "tutorial parts 1 to 3", Steps: 14}, step: 7, focused: true, cancel: func() {}}
		m.tellStep(step)
		m.touch()
	}
}

// answered is a call that has ended, on some ranks with an error.
func answered(m *Model) *entry {
	e := m.logCommand("call @ponger[dp=0:4,tp=(1,2)].Pong {n: 4, tag: warm}")
	e.mesh, e.ep, e.answers = "ponger", "Pong", newAnswers()
	for _, rank := range []int{1, 2, 9, 10, 17, 25, 26} {
		e.answers.add(script.Answer{Rank: rank, Outcome: control.OutcomeReply, Value: "4", Took: time.Duration(rank) * 100 * time.Microsecond})
	}
	e.answers.add(script.Answer{Rank: 18, Outcome: control.OutcomeError, Err: "want int, got string", Took: 9100 * time.Microsecond})
	e.done, e.took, e.err = true, 9200*time.Microsecond, "1 of 8 ranks has failed"
	m.errors++
	return e
}

// tutorial is the toy demo after its broadcast.
func tutorial(t testing.TB) *worldtest.Builder {
	b := worldtest.New(t)
	text := &schema.Schema{Kind: schema.KindString, Name: "string"}
	b.Type(control.Type{
		Name: "ToyActor", Full: "github.com/monarch-tui/monarch-tui/demos/toy.ToyActor", Doc: "ToyActor prints what it is told.",
		Endpoints: []control.Endpoint{{Name: "HelloWorld", Doc: "HelloWorld prints a message.", Param: "msg", Arg: text, File: "toy.go", Line: 27}},
	})
	b.Procs("toy_mesh", shape.Extent{{Name: "gpus", Size: 4}}, worldtest.Opts{Virtual: true})
	b.Mesh("toy_actor", "toy_mesh", "github.com/monarch-tui/monarch-tui/demos/toy.ToyActor")
	arg := append([]byte{0x70}, "Hello from main!"...)
	at := func(micros int) time.Time { return b.Now.Add(time.Duration(micros)*time.Microsecond - 2*time.Second) }
	b.Log(control.Log{Time: at(-900), Rank: -1, Stream: "out", Text: "✓ Spawned 4 ToyActor instances"})
	for rank := range 4 {
		b.EditRank("toy_actor", rank, func(r *control.RankState) { r.Handled = 1 })
		b.Message(control.Message{
			Time: at(40 * rank), Call: 7, ID: uint64(10 + rank), Trace: 7, Kind: control.MessageCall, From: "main", To: fmt.Sprintf("@toy_actor[%d]", rank),
			Endpoint: "HelloWorld", Adverb: control.AdverbCall, Ranks: 4, Bytes: len(arg), Body: arg,
		})
	}
	for rank := range 4 {
		b.Message(control.Message{
			Time: at(900 + 70*rank), Call: 7, ID: uint64(20 + rank), Parent: uint64(10 + rank), Trace: 7, Kind: control.MessageReply, From: fmt.Sprintf("@toy_actor[%d]", rank),
			To: "main", Endpoint: "HelloWorld", Ranks: 4, Took: time.Duration(860+30*rank) * time.Microsecond, Outcome: control.OutcomeReply,
		})
		b.Log(control.Log{Time: at(600 + 50*rank), Proc: uint64(1 + rank), Mesh: "toy_actor", Rank: rank, Stream: "out", Text: fmt.Sprintf("Actor %d: Received message 'Hello from main!'", rank)})
	}
	return b
}

// worked lets five seconds pass in which each actor of ponger that lives does a little more than the one before.
func worked(m *Model) {
	for second := range 6 {
		mesh, _ := m.world.Mesh("ponger")
		var events []*control.Event
		for rank := range mesh.Ranks {
			if m.world.Word(mesh, rank) == "failed" {
				continue
			}
			st := mesh.Ranks[rank]
			st.Handled, st.Worked = uint64(1000+rank*second), time.Minute+time.Duration(rank*second)*12*time.Millisecond
			if st.State == "busy" {
				st.Since = m.world.Now
			}
			events = append(events, &control.Event{Rank: &control.RankEvent{Mesh: "ponger", Rank: rank, State: st}})
		}
		m.world.Apply(control.Update{Events: events})
		m.panes.top.Sample(m.world)
		if second < 5 {
			m.world.Now = m.world.Now.Add(time.Second)
		}
	}
	m.touch()
}

// losses are those of a training: they fall, and swing less and less.
func losses(mesh string, ranks, steps int) (out []control.Series) {
	for rank := range ranks {
		s := control.Series{Mesh: mesh, Rank: rank, Name: "loss"}
		for x := range steps {
			v := 2.5*math.Exp(-float64(x)/9) + 0.3*math.Exp(-float64(x)/20)*math.Sin(float64(x)/2) + float64(rank)/2000
			s.X, s.Y = append(s.X, float64(x)), append(s.Y, v)
		}
		out = append(out, s)
	}
	return out
}

// big is a world of 4,096 ranks at work.
func big(t testing.TB) *worldtest.Builder {
	b := worldtest.New(t)
	b.Procs("pretraining", shape.Extent{{Name: "dp", Size: 64}, {Name: "tp", Size: 64}}, worldtest.Opts{PerHost: 8})
	b.Mesh("trainer", "pretraining", "train.Trainer")
	for rank := range 4096 {
		switch {
		case rank%7 == 0:
			b.Rank("trainer", rank, "busy", 0)
		case rank/64 == 40:
			b.Rank("trainer", rank, "failed", 0)
		case rank%1000 == 18:
			b.Rank("trainer", rank, "busy", 214)
		}
	}
	return b
}
