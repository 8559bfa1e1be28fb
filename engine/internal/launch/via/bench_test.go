//go:build unix

package via

import (
	"context"
	"os/exec"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/internal/launch/sshdtest"
)

// BenchmarkSSHLaunch is a launch on one host of loopback, from the call to the agent's arrival: the program is there, as it is from the
// second launch on. The program is this test, of a few megabytes.
func BenchmarkSSHLaunch(b *testing.B) {
	s, h := sshdtest.Start(b), newHall(b)
	spec := Spec{Job: "mesh", Hosts: []string{"127.0.0.1"}, Program: program(b, h), Secret: secretFor, Options: s.Options(b.TempDir())}
	launch := func() Job {
		rec := newRecorder()
		j, err := sshLauncher{}.Launch(context.Background(), spec, rec.tell)
		if err != nil {
			b.Fatal(err)
		}
		h.arrive(b, rec, 1)
		return j
	}
	end(b, launch())
	for b.Loop() {
		j := launch()
		b.StopTimer()
		end(b, j)
		b.StartTimer()
	}
	b.ReportMetric(float64(spec.Program.Size)/(1<<20), "MiB")
}

// BenchmarkSSHAlone is what ssh needs for a command that does nothing.
func BenchmarkSSHAlone(b *testing.B) {
	s := sshdtest.Start(b)
	for b.Loop() {
		if out, err := exec.Command("ssh", "-F", s.Config, "127.0.0.1", "true").CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
}
