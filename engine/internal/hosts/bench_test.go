//go:build linux

package hosts

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/sshdtest"
)

// quick is a key exchange that costs little. Of what OpenSSH prefers until 9.8 (sntrup761) four cost as much as half of 64 ranks, on
// the machine of both ends; what it prefers since then (ML-KEM) is about as quick as this one.
const quick = "KexAlgorithms curve25519-sha256"

// servers are those of the benchmarks, each for the hosts n1 to n4: with new connections, with new ones and a quick key exchange, and
// with connections that are kept.
func servers(b *testing.B) (fresh, quickly, kept *sshdtest.Server) {
	b.Helper()
	hosts := []string{"Host n*", "HostName 127.0.0.1"}
	with := func(more ...string) *sshdtest.Server {
		s := sshdtest.Start(b, "MaxStartups 100")
		s.Configure(b, append(hosts, more...)...)
		return s
	}
	return with(), with(quick), with("ControlMaster auto", "ControlPersist 60", "ControlPath "+filepath.Join(b.TempDir(), "%C"))
}

// BenchmarkLogins is ssh alone: four logins beside each other, to run nothing.
func BenchmarkLogins(b *testing.B) {
	fresh, quickly, kept := servers(b)
	for _, c := range []struct {
		name string
		to   *sshdtest.Server
	}{{"ssh", fresh}, {"ssh-quick", quickly}, {"ssh-kept", kept}} {
		b.Run(c.name, func(b *testing.B) {
			once := func() {
				var all sync.WaitGroup
				for _, host := range []string{"n1", "n2", "n3", "n4"} {
					all.Go(func() {
						cmd := exec.Command("ssh", "-F", c.to.Config, host, "true")
						if err := cmd.Run(); err != nil { // its output is nobody's: a connection that is kept holds it open
							b.Error(err)
						}
					})
				}
				all.Wait()
			}
			once() // it makes the connections that are kept
			for b.Loop() {
				once()
			}
		})
	}
}

// BenchmarkStart is from the request to 64 ranks that are ready: of this machine, of four logins to it that cost nothing, and of four
// over an OpenSSH server: the first of a session, which logs in, and those after it. The caches have the program already.
func BenchmarkStart(b *testing.B) {
	fresh, quickly, kept := servers(b)
	over := func(options ...string) []engine.ProcOption {
		return []engine.ProcOption{engine.Hosts("n1", "n2", "n3", "n4"), engine.Dim("gpus", 16), engine.Virtual(), engine.Via("ssh", options...)}
	}
	for _, c := range []struct {
		name  string
		first bool // of its session
		opts  []engine.ProcOption
	}{
		{"local-first", true, []engine.ProcOption{engine.Dim("hosts", 4), engine.Dim("gpus", 16), engine.Virtual()}},
		{"ssh-first", true, over("config", fresh.Config, "cache", b.TempDir())},
		{"ssh-quick-first", true, over("config", quickly.Config, "cache", b.TempDir())},
		{"local", false, []engine.ProcOption{engine.Dim("hosts", 4), engine.Dim("gpus", 16), engine.Virtual()}},
		{"logins", false, over("ssh", login(b))},
		{"ssh", false, over("config", fresh.Config, "cache", b.TempDir())},
		{"ssh-kept-by-the-user", false, over("config", kept.Config, "cache", b.TempDir())},
		{"ssh-not-kept", false, over("config", fresh.Config, "cache", b.TempDir(), "keep", "no")},
	} {
		b.Run(c.name, func(b *testing.B) {
			once := func(ctx context.Context) (stop func()) {
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
			e := start(b)
			once(e.Context())() // it brings the program there
			for b.Loop() {
				if c.first {
					b.StopTimer()
					e.Close()
					e = start(b)
					b.StartTimer()
				}
				stop := once(e.Context())
				b.StopTimer()
				stop()
				b.StartTimer()
			}
			e.Close()
		})
	}
}

// BenchmarkCall is a call of all ranks of four hosts, rank by rank and by their agents, as the controller pays for it: its CPU and its
// time. Packets go from one network to another, so that nothing goes by memory but what stays within a host.
func BenchmarkCall(b *testing.B) {
	l := inLab(b)
	if l == nil {
		return
	}
	for _, c := range []struct {
		name string
		wide int
	}{{"rank-by-rank", 1 << 30}, {"by-agents", 2}} {
		for _, size := range []int{8, 100 << 10} {
			b.Run(fmt.Sprintf("%s/%dB", c.name, size), func(b *testing.B) {
				log := byAgents{make(chan struct{}, 1000)}
				e := start(b, engine.Wide(c.wide), engine.Log(slog.New(log)))
				ctx := e.Context()
				procs, err := engine.SpawnProcs(ctx, engine.Hosts("n1", "n2", "n3", "n4"), engine.Dim("gpus", 16), engine.Virtual(), engine.Via("ssh", "ssh", l.ssh(b)))
				if err != nil {
					b.Fatal(err)
				}
				mesh, err := engine.Spawn(ctx, procs, "leaves", Leaf{})
				if err != nil {
					b.Fatal(err)
				}
				arg := make([]byte, size)
				once := func() {
					if _, err := engine.Method(mesh, (*Leaf).Size).Call(ctx, arg); err != nil {
						b.Fatal(err)
					}
				}
				once()
				if c.wide < 64 {
					for range 64 {
						<-log.came
					}
				}
				for range 10 {
					once()
				}
				began, n := cpu(), 0
				for b.Loop() {
					once()
					n++
				}
				b.ReportMetric(float64((cpu()-began).Microseconds())/float64(n)/64, "cpu-us/rank")
				e.Close()
			})
		}
	}
}

// cpu is the processor time that this process has taken.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
