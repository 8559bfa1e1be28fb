package tui_test

import (
	"context"
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
)

// TestWhatIsSavedReplays types random sessions, without waiting for one command before the next, and runs what they save:
// every line of it has to come out as it did.
func TestWhatIsSavedReplays(t *testing.T) {
	sessions := 6
	if testing.Short() {
		sessions = 2
	}
	for seed := range sessions {
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
