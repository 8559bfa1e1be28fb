package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

// monarchTime is how long Monarch may take for one repetition, 64 Python processes included.
const monarchTime = 4 * time.Minute

// hasMonarch says whether Monarch takes part, and prints why when it does not.
func hasMonarch(ctx context.Context, s settings) bool {
	if s.monarch < 1 {
		return false
	}
	if _, err := exec.LookPath(s.python); err != nil {
		fmt.Println("\nMonarch is left out: there is no Python environment with it (`make bench-monarch` makes one).")
		return false
	}
	if out, err := exec.CommandContext(ctx, s.python, "-c", "import monarch.actor").CombinedOutput(); err != nil { //nolint:gosec // the Python that the flag names
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		fmt.Printf("\nMonarch is left out: %s cannot import it: %s\n", s.python, lines[len(lines)-1])
		return false
	}
	return true
}

// collectMonarch runs Monarch's half, in Python. It is not pinned: it has the whole machine.
func (all *results) collectMonarch(ctx context.Context, s settings, rep int) error {
	ctx, cancel := context.WithTimeout(ctx, monarchTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.python, "monarch/bench.py", fmt.Sprint(s.ranks), fmt.Sprint(s.dur.Seconds())) //nolint:gosec // the Python that the flag names
	cmd.Env = append(os.Environ(), "RUST_LOG=off")
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return fmt.Errorf("it did not end within %v", monarchTime)
	}
	if err != nil {
		return err
	}
	var lines []byte
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "{") {
			lines = append(lines, line...)
		}
	}
	return all.add(lines, rep, measure.Unpinned.Name, competitor{peer: peerPython})
}
