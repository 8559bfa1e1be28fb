package tui_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui"
	"github.com/monarch-tui/monarch-tui/tui/tuitest"
)

// Greeter is the actor of these tests.
type Greeter struct {
	Name string
	n    int
}

// Note is an argument with fields.
type Note struct {
	Text string
	By   int
}

// Greet says hello.
func (g *Greeter) Greet(ctx context.Context, who string) (string, error) {
	fmt.Fprintf(engine.Out(ctx), "%s greets %s\n", g.Name, who)
	return "hello " + who, nil
}

// Add adds to the count; 13 is refused.
func (g *Greeter) Add(_ context.Context, note Note) (int, error) {
	if note.By == 13 {
		return 0, errors.New("thirteen brings bad luck")
	}
	g.n += note.By
	return g.n, nil
}

// Wait waits until it is cancelled.
func (g *Greeter) Wait(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// session is an explorer on a real engine whose ranks are goroutines.
func session(t *testing.T, w, h int, change ...func(*tui.Config)) *tuitest.App {
	t.Helper()
	e := start(t)
	cfg := tui.Config{Name: "test", Own: true, Who: control.ClientInfo{Name: "explorer"}, Dir: t.TempDir(), Settings: tui.Settings{Theme: "dark", ReduceMotion: true},
		Connect: func(context.Context) (*control.Client, error) {
			return control.InProcess(e.Backend(), control.ClientInfo{Name: "explorer"}), nil
		}}
	for _, c := range change {
		c(&cfg)
	}
	return tuitest.Start(t, cfg, w, h)
}

func start(t *testing.T) *engine.Engine {
	t.Helper()
	e, err := engine.Start(context.Background(), engine.AllInProcess(), engine.NoSession(), engine.Output(io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// greeters is a session with four greeters @g on procs p.
func greeters(t *testing.T, w, h int, change ...func(*tui.Config)) *tuitest.App {
	t.Helper()
	app := session(t, w, h, change...).See("live")
	app.Press(":").Type("procs p gpus=4 in-process").Press("enter").See("✓ procs p gpus=4")
	return app.Press(":").Type("spawn @g on p Greeter {Name: ann}").Press("enter").See("✓ spawn @g", "g · 4").Press("2")
}

func TestMain(m *testing.M) {
	engine.Register[Greeter]()
	os.Exit(m.Run())
}

func TestAMeshIsMadeSpawnedOnAndCalledFromForms(t *testing.T) {
	app := session(t, 120, 40).See("live")
	app.Press("M").See("New proc mesh", "procs procs0 gpus=4")
	app.Press("tab", "tab").Press("right").See("goroutines of this program").Press("enter").See("procs0 is ready", "4 procs")
	app.Press("a").See("Spawn actors", "‹Greeter›").Press("tab", "tab").Type("ann").See(`Greeter {Name: "ann"}`).Press("enter").See("@greeter is ready", "greeter · 4")
	app.Press("space", "l", "l", "space").See("2 of 4")
	app.Press("x").See("Call greeter.Add on 2 ranks")
	app.Press("shift+tab", "shift+tab", "shift+tab").Type("g").See("‹Greet›").Press("tab", "tab", "tab").Type("bob").Press("enter")
	app.See(`2 → "hello bob"  [0,2]`)
	app.Press("esc").See("ann greets bob")
}

func TestALiteralIsJudgedWhileItIsTyped(t *testing.T) {
	app := greeters(t, 120, 40)
	app.Press("x").See("Call g.Add").Type("x").Press("tab").Type("ten").See(`✕ want int`)
	app.Press("ctrl+e").See("✕").Press("esc").SeeNot("Call g.Add")
	app.Press(":").Type("call @g.Add {By: ten}").Press("enter").See(`want int, not "ten"`)
}

func TestAnErrorOfSomeRanksIsGroupedAndOpened(t *testing.T) {
	app := greeters(t, 120, 40)
	app.Press(":").Type("call @g.Add {By: 13}").Press("enter").See("thirteen brings bad luck  [0-3]")
	app.Press("E").See("Errors", "call @g.Add {By: 13}").Press("enter").See("ranks 0-3", "thirteen brings bad luck")
}

func TestADraftOutlivesItsForm(t *testing.T) {
	app := greeters(t, 120, 40)
	app.Press("x").See("Call g.Add").Type("kept").Press("esc").SeeNot("Call g.Add")
	app.Press("x").See(`Text: "kept"`)
}

func TestAMeshThatEndsUnderAFormKeepsTheDraftAndSaysWhy(t *testing.T) {
	e := start(t)
	cfg := tui.Config{Own: true, Settings: tui.Settings{Theme: "dark", ReduceMotion: true}, Connect: func(context.Context) (*control.Client, error) {
		return control.InProcess(e.Backend(), control.ClientInfo{Name: "explorer"}), nil
	}}
	app := tuitest.Start(t, cfg, 120, 40).See("live")
	app.Press(":").Type("procs p gpus=2 in-process").Press("enter").See("✓ procs p")
	app.Press(":").Type("spawn @g on p Greeter").Press("enter").See("✓ spawn @g", "g · 2").Press("2", "x").See("Call g.Add").Type("kept")
	other := control.InProcess(e.Backend(), control.ClientInfo{Name: "other"})
	defer other.Close()
	if err := other.Stop(t.Context(), control.StopReq{Mesh: "g"}); err != nil {
		t.Fatal(err)
	}
	app.See("@g has ended", "kept").Press("enter").See("the draft is kept")
}

func TestMistakesOnTheCommandLineSayWhatWouldBeRight(t *testing.T) {
	app := greeters(t, 120, 40)
	for _, c := range []struct{ line, want string }{
		{"cal @g.Add", "did you mean call?"},
		{"call @h.Add 1", "no mesh @h"},
		{"call @g.Ad {By: 1}", "did you mean Add?"},
		{"call @g[9].Add {By: 1}", "9"},
		{"call @g[dp=1].Add {By: 1}", "dp"},
		{"call @g.Add {Bye: 1}", "Bye"},
		{"procs p gpus=2 in-process", "p"},
		{"procs q gpus=0", "gpus"},
		{"procs q gpus=-1", "gpus"},
		{"procs q gpus=99999999 in-process", "65536"},
		{"spawn @x on nowhere Greeter", "nowhere"},
		{"spawn @x on p Gretter", "did you mean Greeter?"},
		{"one @g.Greet bob", "pick one"},
		{"theme drak", `there is no theme "drak"`},
		{"demo toy", "monarch-tui's own session"},
		{"attach nobody-of-this-name", "nobody-of-this-name"},
		{"write /nowhere/at/all.svg", "there is no folder /nowhere/at"},
		{"advance 3", "this build has no stepping by messages yet"},
		{"attach g 0", "no debug sessions for actor g"},
	} {
		app.Press(":").Type(c.line).Press("enter").See("✕", c.want).Press("esc")
	}
}

func TestACallCanBeCancelledAndRepeated(t *testing.T) {
	app := greeters(t, 120, 40)
	app.Press(":").Type("call @g.Wait").Press("enter")
	app.Press("4", "[").See("Wait").Press("ctrl+x").See("cancelled call @g.Wait")
	app.Press(":").Type("call @g.Add {By: 2}").Press("enter").See("4 → 2").Press(".").See("4 → 4")
}

func TestWhatWasDoneIsSavedAsAScript(t *testing.T) {
	name := filepath.Join(t.TempDir(), "done.mtui")
	app := greeters(t, 120, 40)
	app.Press(":").Type("call @g.Add {By: 2}").Press("enter").See("4 → 2")
	app.Press(":").Type("save " + name).Press("enter").See("✓ save")
	b, err := os.ReadFile(name)
	if want := "procs p gpus=4 in-process\nspawn @g on p Greeter {Name: ann}\ncall @g.Add {By: 2}\n"; err != nil || string(b) != want {
		t.Errorf("saved %q, %v; want %q", b, err, want)
	}
}

// TestAnExpectationJudgesTheCallAboveItAsAScriptWould holds INV-BACK: the lines are typed without waiting for each other.
func TestAnExpectationJudgesTheCallAboveItAsAScriptWould(t *testing.T) {
	app := greeters(t, 120, 40)
	for i := 1; i <= 5; i++ {
		app.Press(":").Type("call @g.Add {By: 2}").Press("enter", ":").Type(fmt.Sprintf("expect value == %d", 2*i)).Press("enter").
			See(fmt.Sprintf("✓ expect value == %d", 2*i))
	}
	app.Press(":").Type("call @g.Add {By: 2}").Press("enter", ":").Type("let n = results[0]").Press("enter", ":").
		Type("call @g[0].Add {By: ${n}}").Press("enter", ":").Type("expect value == 24").Press("enter").See("✓ expect value == 24")
	app.Press(":").Type("expect value == 2").Press("enter").See("✕ expect value == 2", "does not hold")
}

func TestTheHelpMenuDoesWhatItLists(t *testing.T) {
	app := greeters(t, 120, 40)
	app.Press("?").See("Help · Ranks").Type("proc mesh").See("new proc mesh").Press("enter").See("New proc mesh")
	app.Press("esc").SeeNot("New proc mesh").Press("ctrl+p").See("Palette").Type("theme light").Press("enter").See("✓ theme light")
}

func TestAWordThatIsCompletedIsTheNameThatIsThere(t *testing.T) {
	app := greeters(t, 120, 40)
	app.Press(":").Type("broad").Press("tab").Type("@").Press("tab").Type("Gr").Press("tab").See(":broadcast @g.Greet")
}

func TestKillingWantsTheNameTyped(t *testing.T) {
	app := greeters(t, 120, 40)
	app.Press("2", "K").See("kill @g").Type("x").Press("enter").See("type g to do it")
	app.Press("backspace").Type("g").Press("enter").See("✓ kill @g")
}

func TestQuittingAsksWhileSomethingRunsAndLeaves(t *testing.T) {
	app := greeters(t, 80, 24)
	app.Press("q").See("Leave monarch-tui?", "1 proc mesh").Press("esc").SeeNot("Leave").Press("q").See("Leave").Press("y").Ended()
}

func TestResizingKeepsTheSelection(t *testing.T) {
	app := greeters(t, 120, 40)
	app.Press("space", "l", "space").See("2 of 4").Resize(40, 12).See("[2] Ranks").Resize(20, 6).See("needs 30×8").Resize(80, 24).See("2 of 4")
}

func TestTheMousePicksRanksAndPressesWhatItSays(t *testing.T) {
	app := greeters(t, 120, 40)
	app.ClickOn("[5]").See("f freeze").ClickOn("? help").See("Help · Logs").Press("esc")
}

func TestATimeoutInTheFormIsTheCalls(t *testing.T) {
	app := greeters(t, 120, 40)
	app.Press("x").See("Call g.Add").Press("shift+tab", "shift+tab", "shift+tab").Type("w").See("‹Wait›")
	app.Press("shift+tab").Type("300ms").See("given up after 300").Press("enter").See("no answer").Press("esc").See("✕ call @g[0].Wait")
	app.Press(".").See("no answer").Press("E").See("Errors").Press("enter").See("call @g[0].Wait timeout 300ms")
}

func TestACallIsCancelledWhereItIsListedWhenItIsOurs(t *testing.T) {
	e := start(t)
	cfg := tui.Config{Own: true, Settings: tui.Settings{Theme: "dark", ReduceMotion: true}, Connect: func(context.Context) (*control.Client, error) {
		return control.InProcess(e.Backend(), control.ClientInfo{Name: "explorer"}), nil
	}}
	app := tuitest.Start(t, cfg, 120, 40).See("live")
	app.Press(":").Type("procs p gpus=2 in-process").Press("enter").See("✓ procs p")
	app.Press(":").Type("spawn @g on p Greeter").Press("enter").See("✓ spawn @g", "g · 2")
	other := control.InProcess(e.Backend(), control.ClientInfo{Name: "ada"})
	defer other.Close()
	snap, err := other.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Call(t.Context(), control.CallReq{Mesh: "g", View: snap.Meshes[0].Ref.View, Endpoint: "Wait"}); err != nil {
		t.Fatal(err)
	}
	app.Press("4", "[").See("ada", "1 open").Press("ctrl+x").See("ada's: only its caller can cancel it")
	app.Press(":").Type("call @g.Wait").Press("enter").See("2 open")
	app.Press(":").Type("call @g.Greet bob").Press("enter").See("3 open").Press("k", "k", "j", "ctrl+x").See("cancelled call @g.Wait", "2 open")
}

func TestAViewerIsToldThatItMayOnlyLook(t *testing.T) {
	e := start(t)
	app := session(t, 120, 40, func(c *tui.Config) {
		c.Connect = func(context.Context) (*control.Client, error) {
			return control.InProcess(e.Backend(), control.ClientInfo{Name: "explorer", Role: control.RoleViewer}), nil
		}
	}).See("viewing")
	for _, key := range []string{"M", "a", "x"} {
		app.Press(key).See("may only look").Press("esc").SeeNot("may only look")
	}
	for _, line := range []string{"procs p gpus=1 in-process", "let x = 1", "call @g.Add {By: 1} => a"} {
		app.Press(":").Type(line).Press("enter").See(line)
	}
	app.Press("5", "[").See("✕ procs p", "✓ let x")
}

// TestWhatIsSavedReplays types random sessions, without waiting for one command before the next, and runs what they save:
// every line of it has to come out as it did.
func TestWhatIsSavedReplays(t *testing.T) {
	for seed := range 3 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(seed), 7))
			name := filepath.Join(t.TempDir(), "s.mtui")
			app := greeters(t, 120, 40)
			var typed []string
			for range 12 {
				line := randomLine(rng)
				typed = append(typed, line)
				if strings.HasPrefix(line, "kill") { // what a call finds that races with a kill differs each time
					app.Press(":").Type("let k = 1").Press("enter", ":").Type(line).Press("enter", ":").Type("let k = 2").Press("enter")
					continue
				}
				app.Press(":").Type(line).Press("enter")
				if rng.IntN(6) == 0 {
					app.Press("esc", "ctrl+x")
					typed = append(typed, "(ctrl+x)")
				}
			}
			app.Press("esc", ":").Type("save " + name).Press("enter").See("✓ save " + name[:12])
			saved, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var report strings.Builder
			r := &script.Runner{Out: &report, Open: func(context.Context) (*control.Client, func() error, error) {
				e, err := engine.Start(context.Background(), engine.AllInProcess(), engine.NoSession(), engine.Output(io.Discard, io.Discard))
				if err != nil {
					return nil, nil, err
				}
				c := control.InProcess(e.Backend(), control.ClientInfo{Name: "script"})
				return c, func() error { err := c.Close(); e.Close(); return err }, nil
			}}
			if code := r.Sources(t.Context(), script.Source{Name: "saved", Text: string(saved)}); code != script.ExitOK {
				t.Errorf("typed:\n%s\nsaved:\n%s\nreplayed: exit %d\n%s", strings.Join(typed, "\n"), saved, code, report.String())
			}
		})
	}
}

// randomLine is a command on the greeters.
func randomLine(rng *rand.Rand) string {
	switch rng.IntN(12) {
	case 0:
		return "call @g.Wait timeout 50ms"
	case 1:
		return "expect len(results) == 4"
	case 2:
		return "expect value == 7"
	case 3:
		return "let n = len(results)"
	case 4:
		return "stop @g"
	case 5:
		return "kill @g"
	case 6:
		return "spawn @g on p Greeter {Name: bob}"
	case 7:
		return "one @g[2].Greet eve timeout 5s"
	case 8:
		return "call @g.Add {By: 13}"
	case 9:
		return `echo "${len(results)} answers"`
	case 10:
		return "broadcast @g.Add {By: 1}"
	default:
		return fmt.Sprintf("call @g.Add {By: %d}", rng.IntN(12))
	}
}
