package engine_test

import (
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

// BenchmarkReload moves 64 ranks to another build, which is there already, and says what it took beside their start.
func BenchmarkReload(b *testing.B) {
	for b.Loop() {
		e, err := engine.Start(b.Context(), engine.NoSession())
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		p, err := engine.SpawnProcs(e.Context(), engine.Name("p"), engine.Dim("gpus", 64))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := engine.Spawn(e.Context(), p, "m", Mover{}); err != nil {
			b.Fatal(err)
		}
		start := time.Since(began)
		rec, err := p.Reload(e.Context(), engine.ReloadProgram(anotherBuild(b, "v2")))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(start.Seconds(), "s-start")
		b.ReportMetric(rec.Took.Seconds(), "s-reload")
		b.ReportMetric(rec.Took.Seconds()/start.Seconds(), "ratio")
		e.Close()
	}
}
