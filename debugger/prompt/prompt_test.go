package prompt

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

func TestMain(m *testing.M) {
	enginetest.Main(m, func() {
		engine.Register[Debugee]()
		engine.Register[Helper]()
	})
}

// Debugee is the actor of Monarch's own test of its debugger, in ours: it stops by itself, asks its helper twice, and rank 2
// goes wrong.
type Debugee struct {
	Helper engine.Mesh[Helper]

	rank int
}

// ToDebug stops, and adds up.
func (d *Debugee) ToDebug(ctx context.Context) (int, error) {
	rank := engine.Here(ctx).Rank
	d.rank = rank
	if err := engine.Break(ctx, "to_debug"); err != nil {
		return 0, err
	}
	for range 2 {
		n, err := engine.Method(d.Helper, (*Helper).Plus).CallOne(ctx, rank)
		if err != nil {
			return 0, err
		}
		d.rank += n
	}
	if rank == 2 {
		panic("bad rank")
	}
	return d.rank, nil
}

// Helper helps.
type Helper struct{}

// Plus is one more.
func (*Helper) Plus(_ context.Context, n int) (int, error) { return n + 1, nil }

// Evil gives what a terminal would act on.
func (*Helper) Evil(context.Context) (string, error) { return "\x1b[2J\u202ehello", nil }

// screen is what a prompt has said.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	news chan struct{}
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(b)
	select {
	case s.news <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (s *screen) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// desk is a session with four debugees that stand at their Break, and a prompt on it.
type desk struct {
	t      *testing.T
	e      *engine.Engine
	answer chan error
	c      *control.Client
	p      *Prompt
	out    *screen
	from   int
}

func sit(t *testing.T) *desk {
	t.Helper()
	e, err := engine.Start(context.Background(), engine.NoSession(), engine.AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	d := &desk{t: t, e: e, answer: make(chan error, 1)}
	spawn := func(name string, dims ...engine.ProcOption) engine.ProcMesh {
		p, err := engine.SpawnProcs(e.Context(), append(dims, engine.Name(name))...)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	helper, err := engine.Spawn(e.Context(), spawn("h", engine.Dim("gpus", 1)), "helper", Helper{})
	if err != nil {
		t.Fatal(err)
	}
	mesh, err := engine.Spawn(e.Context(), spawn("p", engine.Dim("hosts", 2), engine.Dim("gpus", 2)), "debugee", Debugee{Helper: helper})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := engine.Query(mesh, (*Debugee).ToDebug).Call(e.Context())
		d.answer <- err
	}()
	d.open()
	d.until(4)
	return d
}

// open sits down at a new prompt.
func (d *desk) open() {
	d.t.Helper()
	d.c = control.InProcess(d.e.Backend(), control.ClientInfo{Name: "ada", Role: control.RoleDebug})
	d.out, d.from = &screen{news: make(chan struct{}, 1)}, 0
	var err error
	if d.p, err = New(d.t.Context(), d.c, d.out); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(d.leave)
}

// leave goes away, as a person whose terminal closes.
func (d *desk) leave() {
	if d.p == nil {
		return
	}
	if err := d.p.Close(); err != nil {
		d.t.Error(err)
	}
	_ = d.c.Close()
	d.p.Wait()
	d.p = nil
}

// say types a line and gives what was said to it.
func (d *desk) say(line string) string {
	d.t.Helper()
	d.from = len(d.out.all())
	d.p.Line(d.t.Context(), line)
	return d.out.all()[d.from:]
}

// see fails unless what a line gave has these texts, in this order.
func (d *desk) see(line string, want ...string) {
	d.t.Helper()
	got := d.say(line)
	left := got
	for _, w := range want {
		i := strings.Index(left, w)
		if i < 0 {
			d.t.Fatalf("%s: it does not say %q:\n%s", line, w, got)
		}
		left = left[i+len(w):]
	}
}

// waits waits until something was said.
func (d *desk) waits(want string) {
	d.t.Helper()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	for !strings.Contains(d.out.all(), want) {
		select {
		case <-d.out.news:
		case <-late.C:
			d.t.Fatalf("it does not say %q:\n%s", want, d.out.all())
		}
	}
}

// until waits until so many frames are stopped.
func (d *desk) until(n int) {
	d.t.Helper()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	for {
		changed, have := d.p.s.Changed(), 0
		d.p.s.Look(func(r *control.Replica) { have = len(r.Stops) })
		if have == n {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			d.t.Fatalf("%d frames are stopped, want %d", have, n)
		}
	}
}

// TestMonarchsWalk holds INV-MONARCH: the walk of Monarch's own test, row by row.
func TestMonarchsWalk(t *testing.T) {
	d := sit(t)
	if !strings.Contains(d.out.all(), banner) || d.p.Text() != Outer {
		t.Errorf("it begins with %q and %q", d.out.all(), d.p.Text())
	}
	var rows []string
	for r := range 4 {
		rows = append(rows, "debugee", fmt.Sprint(r), fmt.Sprintf("{'hosts': %d, 'gpus': %d}", r/2, r%2), "ToDebug")
	}
	d.see("l", append([]string{"Actor Name", "Rank", "Coords", "Hostname", "Function", "Line No."}, rows...)...)

	d.see("attach debugee 1", "Attached to debug session for debugee 1 (local)\n", "stands at break")
	for _, site := range []string{"send", "result", "send", "result"} {
		d.see("n", "@debugee[1].ToDebug stands at "+site)
		if want := "debugee[1] ToDebug@" + site + "> "; d.p.Text() != want {
			t.Errorf("the prompt is %q, want %q", d.p.Text(), want)
		}
	}
	d.see("detach", "Detaching from debug session for debugee 1 (local)\nDetached from debug session for debugee 1 (local)\n")
	d.see("a debugee 1", "Attached to debug session for debugee 1 (local)\n<last pdb output for debugee 1 follows>\n@debugee[1].ToDebug stands at result")
	d.say("detach")

	d.see("cast debugee ranks(0,3) n", "@debugee[0].ToDebug stands at send", "@debugee[3].ToDebug stands at send")
	d.see("cast debugee ranks(0,3) n", "@debugee[0].ToDebug stands at result", "@debugee[3].ToDebug stands at result")
	d.see("stops", "@debugee[1].ToDebug  result", "@debugee[2].ToDebug  break")

	d.say("attach debugee 2")
	d.say("c")
	d.waits("@debugee[2].ToDebug stands at panic: panic: bad rank")
	d.see("bt", "#0 @debugee[2].ToDebug stands at panic", "(*Debugee).ToDebug")
	d.see("c", "Detached from debug session for debugee 2 (local)")
	d.until(3)
	d.see("continue", "go on")
	d.until(0)
	if err := <-d.answer; err == nil || !strings.Contains(err.Error(), "bad rank") {
		t.Errorf("the caller got %v", err)
	}
	if !d.p.Line(t.Context(), "quit") || !strings.HasSuffix(d.out.all(), "Quitting debug session...\n") {
		t.Error(d.out.all())
	}
}

// TestWhoComesBackFindsWhatIsStopped holds INV-STAYS.
func TestWhoComesBackFindsWhatIsStopped(t *testing.T) {
	d := sit(t)
	d.say("attach debugee 3")
	d.say("n")
	d.p.Goodbye()
	d.waits("@debugee[0-3].ToDebug stays stopped; unless a front end comes within 30s it goes on")
	d.leave()
	d.open()
	d.waits("stopped: @debugee[0-3].ToDebug")
	d.see("attach debugee 3", "stands at send")
}

// TestNothingThatIsMistypedMatchesNothing holds INV-NAMES.
func TestNothingThatIsMistypedMatchesNothing(t *testing.T) {
	d := sit(t)
	for line, want := range map[string]string{
		"lisst":                                `Error parsing input: 1:1: no command "lisst" (did you mean list?)`,
		"attach":                               "Error parsing input: 1:7: want the name of an actor",
		"attach debugee":                       "the session debugee is for the explorer: monarch-tui attach debugee",
		"attach debugee x":                     "Error parsing input: 1:16: want the rank",
		"attach nobody 0":                      "No debug sessions for actor nobody",
		"attach debugee 7":                     "No debug session for rank 7 for actor debugee",
		"attach helper 0":                      "No debug sessions for actor helper: it is not stopped",
		"cast debugee ranks(4) n":              "Error processing command: ",
		"cast debugee ranks(host=0) n":         "no dimension host",
		"cast debugee ranks() n":               "Error parsing input: ",
		"cast debugee ranks(0,) n":             "Error parsing input: ",
		"cast debugee ranks(0) !x=1":           "Error parsing input: ",
		"cast nobody ranks(:) n":               "Error processing command: no mesh @nobody",
		"cast helper ranks(0) n":               "@helper[0] is not stopped",
		"n":                                    "4 frames are stopped: say which",
		"continue 99":                          "there is no stop 99",
		"break @debugee.Nope":                  "no endpoint Nope",
		"break @debugee.ToDebug if state.a ==": "Error parsing input: 1:",
		"detach":                               "you are attached to no frame",
		"until x":                              "this build has no stepping to a condition yet",
		"help lsit":                            `no command "lsit"`,
		strings.Repeat("x", maxLine+1):         "the line has 65537 bytes",
	} {
		if got := d.say(line); !strings.Contains(got, want) {
			t.Errorf("%.40s: it says %q, want %q", line, got, want)
		}
	}
	for _, blank := range []string{"", "  ", "\t"} {
		if got := d.say(blank); got != "" {
			t.Errorf("a blank line says %q", got)
		}
	}
	d.until(4)
}

// TestNothingReachesTheTerminalThatItActsOn holds INV-SAFE.
func TestNothingReachesTheTerminalThatItActsOn(t *testing.T) {
	d := sit(t)
	d.see("one @helper.Evil", "hello")
	d.say("\x1b[2Jboo")
	d.say("fail \x1b]0;x\x07")
	d.say("attach \x1b[1m 3")
	if got := d.out.all(); strings.ContainsAny(got, "\x1b\x07\u202e") {
		t.Errorf("%q", got)
	}
}

// TestACallThatStopsGivesThePromptBack: its answer is told when it comes. One that does not stop is awaited.
func TestACallThatStopsGivesThePromptBack(t *testing.T) {
	d := sit(t)
	d.say("c")
	d.waits("stands at panic")
	d.say("c")
	if err := <-d.answer; err == nil { // nobody but us calls the helper from here on
		t.Error("the call went well, though a rank panicked")
	}
	d.see("one @helper.Plus 1", "2")
	d.see("break @helper.Plus", "breakpoint 1 at @helper.Plus, on 1 actor")
	d.see("one @helper.Plus 41", "stopped: @helper[0].Plus stands at recv: 41")
	d.see("args", "41")
	d.say("c")
	d.waits("ended: one @helper.Plus 41\n")
	d.waits("42")
	d.see("one @helper.Plus 42", "stopped: @helper[0].Plus stands at recv: 42")
	d.see("one @helper.Plus 43", "no answer yet, and @helper[0].Plus is stopped: it is told when it comes") // behind who stopped before
	d.leave()
	d.waits("given up, for you leave: one @helper.Plus 42\n")
}

func TestCompletionKnowsWhoIsStopped(t *testing.T) {
	d := sit(t)
	for typed, want := range map[string]string{
		"att":                 "attach ",
		"attach d":            "debugee ",
		"attach h":            "",
		"break @debugee.To":   "@debugee.ToDebug",
		"continue @d":         "@debugee",
		"break @debugee[gp":   "gpus=",
		"policy st":           "stay",
		"print x over @nobod": "",
	} {
		if _, got := d.p.Complete(typed); strings.Join(got, "|") != want {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
	if from, got := d.p.Complete("attach "); from != 7 || !slices.Equal(got, []string{"debugee "}) {
		t.Errorf("%d %q", from, got)
	}
}
