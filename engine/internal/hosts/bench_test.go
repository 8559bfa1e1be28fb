//go:build linux

package hosts

import (
	"path/filepath"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/sshdtest"
)

// BenchmarkStart is from the request to 64 ranks that are ready: of this machine, of four logins to it that cost nothing, and of four
// over an OpenSSH server, without and with connections that are kept (ControlMaster). The caches have the program already.
func BenchmarkStart(b *testing.B) {
	s := sshdtest.Start(b, "MaxStartups 100")
	s.Configure(b, "Host n*", "HostName 127.0.0.1")
	kept := sshdtest.Start(b, "MaxStartups 100")
	control := filepath.Join(b.TempDir(), "%C")
	kept.Configure(b, "Host n*", "HostName 127.0.0.1", "ControlMaster auto", "ControlPersist 60", "ControlPath "+control)
	over := func(options ...string) []engine.ProcOption {
		return []engine.ProcOption{engine.Hosts("n1", "n2", "n3", "n4"), engine.Dim("gpus", 16), engine.Virtual(), engine.Via("ssh", options...)}
	}
	for _, c := range []struct {
		name string
		opts []engine.ProcOption
	}{
		{"local", []engine.ProcOption{engine.Dim("hosts", 4), engine.Dim("gpus", 16), engine.Virtual()}},
		{"logins", over("ssh", login(b))},
		{"ssh", over("config", s.Config, "cache", b.TempDir())},
		{"ssh-kept", over("config", kept.Config, "cache", b.TempDir())},
	} {
		b.Run(c.name, func(b *testing.B) {
			ctx := enginetest.Processes(b)
			once := func() (stop func()) {
				procs, err := engine.SpawnProcs(ctx, c.opts...)
				if err != nil {
					b.Fatal(err)
				}
				return func() {
					if err := procs.Stop(ctx); err != nil {
						b.Fatal(err)
					}
				}
			}
			once()() // it brings the program there
			for b.Loop() {
				stop := once()
				b.StopTimer()
				stop()
				b.StartTimer()
			}
		})
	}
}
