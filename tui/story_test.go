package tui

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// asked is an explorer whose demo asks for something.
func asked(t *testing.T, b *worldtest.Builder, goals ...string) *Model {
	t.Helper()
	m := still(t, b, 120, 40)
	told(Step{Title: "now you", Text: "Now you: do it.", How: "{call} calls.", Goals: goals, Done: "That was it."})(t, m)
	if m.story.task.err != nil {
		t.Fatal(m.story.task.err)
	}
	return m
}

// looks lets the explorer notice what the session shows.
func looks(m *Model) { m.Update(clockMsg{}) }

// called puts a call and its answers into the session.
func called(b *worldtest.Builder, id uint64, from, mesh, endpoint string, body []byte, ranks ...int) {
	for _, r := range ranks {
		b.Message(control.Message{Call: id, ID: id<<8 + uint64(r), Kind: control.MessageCall, From: from, To: fmt.Sprintf("@%s[%d]", mesh, r), Endpoint: endpoint, Ranks: len(ranks), Body: body})
	}
	for _, r := range ranks {
		b.Message(control.Message{Call: id, Kind: control.MessageReply, From: fmt.Sprintf("@%s[%d]", mesh, r), To: from, Endpoint: endpoint, Outcome: control.OutcomeReply})
	}
}

func TestATaskIsDoneWhenTheSessionShowsIt(t *testing.T) {
	for _, tt := range []struct {
		name, goal string
		happens    func(b *worldtest.Builder)
		want       bool
	}{
		{"all ranks at once", "call @toy_actor.HelloWorld", func(b *worldtest.Builder) { called(b, 1, "explorer", "toy_actor", "HelloWorld", nil, 0, 1, 2, 3) }, true},
		{"one rank after the other", "call @toy_actor.HelloWorld", func(b *worldtest.Builder) {
			called(b, 1, "explorer", "toy_actor", "HelloWorld", nil, 0, 1)
			called(b, 2, "ada", "toy_actor", "HelloWorld", nil, 2, 3)
		}, true},
		{"some ranks", "call @toy_actor.HelloWorld", func(b *worldtest.Builder) { called(b, 1, "explorer", "toy_actor", "HelloWorld", nil, 0, 1, 2) }, false},
		{"by the demo itself", "call @toy_actor.HelloWorld", func(b *worldtest.Builder) { called(b, 1, "main", "toy_actor", "HelloWorld", nil, 0, 1, 2, 3) }, false},
		{"by an actor", "call @toy_actor.HelloWorld", func(b *worldtest.Builder) {
			called(b, 1, "@toy_actor[0]", "toy_actor", "HelloWorld", nil, 0, 1, 2, 3)
		}, false},
		{"another endpoint", "call @toy_actor.HelloWorld", func(b *worldtest.Builder) { called(b, 1, "explorer", "toy_actor", "Bye", nil, 0, 1, 2, 3) }, false},
		{"a rank", "call @toy_actor[gpus=2].HelloWorld", func(b *worldtest.Builder) { called(b, 1, "explorer", "toy_actor", "HelloWorld", nil, 2) }, true},
		{"too many ranks", "call @toy_actor[gpus=2].HelloWorld", func(b *worldtest.Builder) {
			called(b, 1, "explorer", "toy_actor", "HelloWorld", nil, 0, 1, 2, 3)
		}, false},
		{"too many ranks, then the right one", "call @toy_actor[gpus=2].HelloWorld", func(b *worldtest.Builder) {
			called(b, 1, "explorer", "toy_actor", "HelloWorld", nil, 0, 1, 2, 3)
			called(b, 2, "explorer", "toy_actor", "HelloWorld", nil, 2)
		}, true},
		{"a call that failed", "call @toy_actor[gpus=2].HelloWorld", func(b *worldtest.Builder) {
			b.Message(control.Message{Call: 1, Kind: control.MessageCall, From: "explorer", To: "@toy_actor[2]", Endpoint: "HelloWorld", Ranks: 1})
			b.Message(control.Message{Call: 1, Kind: control.MessageError, From: "@toy_actor[2]", To: "explorer", Endpoint: "HelloWorld", Outcome: control.OutcomeError})
		}, false},
		{"call where one was asked for", "one @toy_actor[gpus=2].HelloWorld", func(b *worldtest.Builder) { called(b, 1, "explorer", "toy_actor", "HelloWorld", nil, 2) }, false},
		{"actors that call", "@toy_actor: call @toy_actor.HelloWorld", func(b *worldtest.Builder) {
			for r := range 4 {
				called(b, uint64(r), fmt.Sprintf("@toy_actor[%d]", r), "toy_actor", "HelloWorld", nil, 3-r)
			}
		}, true},
		{"a mesh", "procs big gpus=8", func(b *worldtest.Builder) {
			b.Procs("mine", shape.Extent{{Name: "hosts", Size: 2}, {Name: "gpus", Size: 4}}, worldtest.Opts{})
		}, true},
		{"too small a mesh", "procs big gpus=8", func(b *worldtest.Builder) { b.Procs("mine", shape.Extent{{Name: "gpus", Size: 7}}, worldtest.Opts{}) }, false},
		{"actors", "spawn @big on toy_mesh ToyActor", func(b *worldtest.Builder) { b.Mesh("mine", "toy_mesh", "demos/toy.ToyActor") }, true},
		{"actors of another type", "spawn @big on toy_mesh ToyActor", func(b *worldtest.Builder) { b.Mesh("mine", "toy_mesh", "demos/toy.TinyToyActor") }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := tutorial(t)
			m := asked(t, b, tt.goal)
			looks(m)
			if m.story.task.done {
				t.Fatal("it is done before anything has happened")
			}
			tt.happens(b)
			looks(m)
			if got := m.story.task.done; got != tt.want {
				t.Errorf("done: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestTheNextCommandIsShownWithThePersonsNames(t *testing.T) {
	b := tutorial(t)
	m := asked(t, b, "procs big gpus=8", "spawn @bigs on big ToyActor", "call @bigs.HelloWorld hi")
	want := func(line string) {
		t.Helper()
		looks(m)
		if got := screen(t, m); !strings.Contains(got, ":   "+line) {
			t.Errorf("it does not show %q:\n%s", line, got)
		}
	}
	want("procs big gpus=8")
	b.Procs("mine", shape.Extent{{Name: "gpus", Size: 8}}, worldtest.Opts{})
	want("spawn @bigs on mine ToyActor")
	b.Mesh("toys", "mine", "demos/toy.ToyActor")
	want("call @toys.HelloWorld hi")
}

func TestARefusalIsSeenInTheCommands(t *testing.T) {
	for line, want := range map[string]bool{
		"one @toy_actor.HelloWorld hi": true, "! one @toy_actor.HelloWorld hi": true, "one @toy_actor[0].HelloWorld hi": false, "call @toy_actor.HelloWorld hi": false,
	} {
		m := asked(t, tutorial(t), "! one @toy_actor.HelloWorld")
		m.command(line)
		e := m.lastEntry()
		e.done, e.ok = true, strings.HasPrefix(line, "!")
		looks(m)
		if m.story.task.done != want {
			t.Errorf("%s: done %v, want %v", line, m.story.task.done, want)
		}
	}
}

func TestWhoDoesSomethingElseIsToldWhatIsStillToDo(t *testing.T) {
	b := tutorial(t)
	m := asked(t, b, "call @toy_actor.HelloWorld hi", "spawn @more on toy_mesh ToyActor")
	m.command("call @toy_actor[1].HelloWorld hi")
	e := m.lastEntry()
	e.done, e.ok = true, true
	called(b, 1, "explorer", "toy_actor", "HelloWorld", nil, 1)
	b.Tick(time.Second)
	looks(m)
	if got := screen(t, m); !strings.Contains(got, "Seen: call @toy_actor[1].HelloWorld hi. Still to do: HelloWorld on all ranks of @toy_actor.") {
		t.Error(got)
	}
	m.command("call @toy_actor.HelloWorld hi")
	m.lastEntry().done = true
	b.Tick(time.Second)
	looks(m)
	if got := screen(t, m); !strings.Contains(got, "✕ call @toy_actor.HelloWorld hi has failed. Still to do") {
		t.Error(got)
	}
	m.lastEntry().cancelled = true
	m.touch()
	if got := screen(t, m); !strings.Contains(got, "○ call @toy_actor.HelloWorld hi was cancelled. Still to do") {
		t.Error(got)
	}
	called(b, 2, "explorer", "toy_actor", "HelloWorld", nil, 0, 1, 2, 3)
	looks(m)
	got := screen(t, m)
	for _, want := range []string{"✓ 1 of 2 done. Still to do: spawn ToyActor on toy_mesh.", ":   spawn @more on toy_mesh ToyActor"} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not say %q:\n%s", want, got)
		}
	}
}

func TestWhatWasSelectedBeforeIsNotToldAsAMistake(t *testing.T) {
	m := still(t, tutorial(t), 120, 40)
	press(t, m, "2", "*")
	told(task3)(t, m)
	if got := screen(t, m); !strings.Contains(got, task3.Text) || strings.Contains(got, "Still to do") {
		t.Error(got)
	}
	press(t, m, "2", "esc", "space")
	if got := screen(t, m); !strings.Contains(got, "Still to do: select @toy_actor[gpus=3] and nothing else.") {
		t.Error(got)
	}
}

// TestTheNarrationFitsEverySizeINV_SIZE holds INV-SIZE: screen checks each row.
func TestTheNarrationFitsEverySizeINV_SIZE(t *testing.T) {
	m := still(t, tutorial(t), 120, 40)
	told(task3)(t, m)
	for w := minWidth; w < 130; w += 3 {
		for h := minHeight; h < 44; h++ {
			m.Update(tea.WindowSizeMsg{Width: w, Height: h})
			if got := screen(t, m); !strings.Contains(got, "▶ toy") || h > squashHeight && !strings.Contains(got, "Now you:") {
				t.Fatalf("%d×%d:\n%s", w, h, got)
			}
		}
	}
}

// TestTheKeysOfATaskAreForDoingIt holds INV-ORDER: the narration takes no key that a task needs.
func TestTheKeysOfATaskAreForDoingIt(t *testing.T) {
	m := still(t, tutorial(t), 120, 40)
	told(task3)(t, m)
	press(t, m, "space")
	if !m.story.waiting {
		t.Fatal("space has skipped the task")
	}
	press(t, m, "2", "l", "l", "l", "space")
	if !m.story.task.done || !m.story.takesKey("space") {
		t.Fatalf("done %v; space goes on: %v", m.story.task.done, m.story.takesKey("space"))
	}
	if press(t, m, "space"); m.story.waiting {
		t.Error("the story does not go on")
	}
}

func TestKeysThatWereRemappedAreShown(t *testing.T) {
	for name, tt := range map[string]struct {
		keys map[string][]string
		want string
	}{
		"as they are": {nil, "h and l move the cursor, space selects"},
		"others":      {map[string][]string{"left": {"ctrl+b"}, "select": {"ctrl+t"}}, "ctrl+b and l move the cursor, ctrl+t selects"},
		"none":        {map[string][]string{"select": {}}, "h and l move the cursor, ctrl+p “select” selects"},
	} {
		t.Run(name, func(t *testing.T) {
			m := still(t, tutorial(t), 120, 40, func(c *Config) { c.Settings.Keys = tt.keys })
			told(task3)(t, m)
			if got := screen(t, m); !strings.Contains(got, tt.want) {
				t.Errorf("it does not say %q:\n%s", tt.want, got)
			}
		})
	}
}

func TestAStepThatDoesNotFitIsToldInPages(t *testing.T) {
	m := still(t, tutorial(t), 40, 12)
	step := Step{Title: "one", Text: strings.Repeat("word ", 40) + "last", Go: "go()", Command: "ls"}
	told(step)(t, m)
	seen := ""
	for range 20 {
		seen += screen(t, m)
		if m.story.page+1 == m.story.pages {
			break
		}
		press(t, m, "space")
	}
	if got := strings.Count(seen, "word"); got != 40 || !strings.Contains(seen, "last") || !strings.Contains(seen, "go()") || !m.story.waiting {
		t.Errorf("%d of 40 words were told; waiting %v\n%s", got, m.story.waiting, seen)
	}
	if press(t, m, "space"); m.story.waiting {
		t.Error("after the last page it does not go on")
	}
}

// pretend begins a demo that asks for something and then says who has done it.
func pretend(t *testing.T, m *Model, auto bool) (who chan bool) {
	t.Helper()
	who = make(chan bool, 1)
	next := m.startStory(Demo{Name: "ask", Steps: 1, Run: func(ctx context.Context, tell Tell) error {
		done, err := tell(ctx, Step{Title: "now you", Text: "Select.", How: "{select}", Goals: []string{"focus @toy_actor[gpus=3]"}, Done: "Good."})
		who <- done
		return err
	}}, auto)
	m.Update(next())
	if !m.story.open() {
		t.Fatalf("%+v", m.story)
	}
	return who
}

func TestATaskCanBeSkippedAndIsSkippedWhereTheDemoPlaysByItself(t *testing.T) {
	for _, auto := range []bool{false, true} {
		b := tutorial(t)
		m := still(t, b, 120, 40)
		who := pretend(t, m, auto)
		m.View()
		b.Tick(longPause)
		cmd := m.storyTick()
		if !auto {
			if cmd != nil {
				t.Error("it does not wait for the person")
			}
			cmd = m.do(m.reg.find(";", m.focus))
		}
		if cmd == nil {
			t.Fatalf("auto %v: it does not go on", auto)
		}
		cmd()
		if <-who {
			t.Errorf("auto %v: the demo takes it for done", auto)
		}
	}
}

func TestADoneTaskIsPraisedAndTheStoryGoesOnByItself(t *testing.T) {
	b := tutorial(t)
	m := still(t, b, 120, 40)
	who := pretend(t, m, false)
	press(t, m, "2", "l", "l", "l", "space")
	if got := screen(t, m); !strings.Contains(got, "✓ Good.") || !strings.Contains(got, "goes on in 5s") {
		t.Error(got)
	}
	press(t, m, "x")
	b.Tick(time.Minute)
	if cmd := m.storyTick(); cmd != nil || !strings.Contains(screen(t, m), "goes on when this is closed") {
		t.Error("it goes on while a form is open")
	}
	press(t, m, "esc")
	b.Tick(praisePause)
	cmd := m.storyTick()
	if cmd == nil {
		t.Fatal("it does not go on")
	}
	cmd()
	if !<-who {
		t.Error("the demo takes it for skipped")
	}
}

func TestAGoalThatNobodyCanReachIsToldAndCanBeSkipped(t *testing.T) {
	m := still(t, tutorial(t), 120, 40)
	for _, line := range []string{"watch @toy_actor state.x", "cal @x.Y", ""} {
		told(Step{Title: "now you", Goals: []string{line}})(t, m)
		looks(m)
		if got := screen(t, m); !strings.Contains(got, "the goal ") || !m.story.open() {
			t.Error(got)
		}
	}
}

// TestATaskIsSeenBesideWhateverIsOpen opens dialogs at many sizes: a task that cannot be seen while it is done is none.
func TestATaskIsSeenBesideWhateverIsOpen(t *testing.T) {
	for _, keys := range [][]string{{"2", "x"}, {"M"}, {"?"}} {
		for _, w := range []int{30, 40, 60, 80, 120} {
			for _, h := range []int{9, 10, 11, 12, 13, 15, 16, 17, 18, 20, 21, 22, 23, 24, 30, 40} {
				m := still(t, tutorial(t), w, h)
				told(task3)(t, m)
				press(t, m, keys...)
				if got := screen(t, m); m.top() == nil || !strings.Contains(got, "select rank 3") {
					t.Fatalf("%d×%d, %v: the task is hidden:\n%s", w, h, keys, got)
				}
			}
		}
	}
}
