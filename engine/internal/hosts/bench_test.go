//go:build linux

package hosts

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

// BenchmarkStart is from the request to 64 ranks that are ready: of this machine, and of four logins to it, whose caches have the
// program already.
func BenchmarkStart(b *testing.B) {
	for _, c := range []struct {
		name string
		opts []engine.ProcOption
	}{
		{"local", []engine.ProcOption{engine.Dim("hosts", 4), engine.Dim("gpus", 16), engine.Virtual()}},
		{"hosts", []engine.ProcOption{engine.Hosts("n1", "n2", "n3", "n4"), engine.Dim("gpus", 16), engine.Virtual(), engine.Via("ssh", "ssh", login(b))}},
	} {
		b.Run(c.name, func(b *testing.B) {
			ctx := enginetest.Processes(b)
			for b.Loop() {
				procs, err := engine.SpawnProcs(ctx, c.opts...)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := procs.Stop(ctx); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
