//go:build unix

package reloads_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

// BenchmarkReload moves 64 ranks to another build, which is there already, and says what it took beside their start.
func BenchmarkReload(b *testing.B) {
	for b.Loop() {
		start, reload := reloads(b, 64)
		b.ReportMetric(start.Seconds(), "s-start")
		b.ReportMetric(reload.Seconds(), "s-reload")
		b.ReportMetric(reload.Seconds()/start.Seconds(), "ratio")
	}
}

var anew = regexp.MustCompile(`started anew in ([0-9.]+) s`)

// BenchmarkReloadBesideMonarch is the same beside Monarch, by turns, which has changed code on all ranks once its job was started anew.
// It wants the Python of make bench-monarch.
func BenchmarkReloadBesideMonarch(b *testing.B) {
	python, err := filepath.Abs("../../../.tools/monarch-venv/bin/python")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(python); err != nil {
		b.Skip("there is no Python with Monarch: make bench-monarch makes one")
	}
	for _, ranks := range []int{8, 64} {
		b.Run(fmt.Sprintf("ranks=%d", ranks), func(b *testing.B) {
			for b.Loop() {
				_, reload := reloads(b, ranks)
				out, err := exec.CommandContext(b.Context(), python, "../../bench/monarch/cycle.py", strconv.Itoa(ranks)).CombinedOutput()
				said := anew.FindSubmatch(out)
				if said == nil { // that it does not end well, as with many ranks, is its own affair
					b.Fatalf("%v\n%s", err, out)
				}
				monarch, _ := strconv.ParseFloat(string(said[1]), 64)
				b.ReportMetric(reload.Seconds(), "s-reload")
				b.ReportMetric(monarch, "s-monarch")
				b.ReportMetric(reload.Seconds()/monarch, "ratio")
			}
		})
	}
}

// reloads starts a mesh of so many ranks, and reloads it; it gives what each took.
func reloads(b *testing.B, ranks int) (start, reload time.Duration) {
	e, err := engine.Start(b.Context(), engine.NoSession())
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	began := time.Now()
	p, err := engine.SpawnProcs(e.Context(), engine.Name("p"), engine.Dim("gpus", ranks))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := engine.Spawn(e.Context(), p, "m", Mover{}); err != nil {
		b.Fatal(err)
	}
	start = time.Since(began)
	rec, err := p.Reload(e.Context(), engine.ReloadProgram(anotherBuild(b, "v2")))
	if err != nil {
		b.Fatal(err)
	}
	return start, rec.Took
}
