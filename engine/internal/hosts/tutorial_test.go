//go:build linux

package hosts

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/sshdtest"
)

// tutorial is what the tutorial does, on hosts: all ranks, some, one, and two meshes that talk to each other in pairs.
func tutorial(ctx context.Context, t *testing.T, opts ...engine.ProcOption) (engine.ProcMesh, engine.Mesh[Guest]) {
	t.Helper()
	procs, pingers := spawn(ctx, t, "p", opts...)
	if e := procs.Extent().String(); e != "{hosts: 2, gpus: 2}" {
		t.Fatalf("the mesh is %s", e)
	}
	pids := where(ctx, t, pingers)
	agents, err := engine.Query(pingers, (*Guest).Agent).Call(ctx)
	if a := values(t, agents, err); len(a) != 4 || a[0] != a[1] || a[1] == a[2] || a[2] != a[3] {
		t.Fatalf("the ranks are of the agents %q; want two of each of two", a)
	}
	if got := where(ctx, t, pingers.Slice(engine.At("hosts", 1))); !slices.Equal(got, pids[2:]) {
		t.Errorf("the second host is %v, want %v", got, pids[2:])
	}
	one, err := engine.Query(at(pingers, 1), (*Guest).Where).CallOne(ctx)
	if err != nil || one != pids[1] {
		t.Errorf("rank 1 is %v, %v; want %v", one, err, pids[1])
	}
	pongers, err := engine.Spawn(ctx, procs, "pongers", Guest{Peer: pingers})
	if err != nil {
		t.Fatal(err)
	}
	sums, err := engine.Method(pongers, (*Guest).Tell).Call(ctx, 1)
	for i, sum := range values(t, sums, err) {
		if sum < 4 {
			t.Errorf("rank %d has reached %d of 4 ranks on both hosts", i, sum)
		}
	}
	return procs, pingers
}

func TestTheTutorialOverSSH(t *testing.T) {
	s := sshdtest.Start(t)
	ctx := session(t)
	procs, _ := tutorial(ctx, t, engine.Hosts("127.0.0.1", "localhost"), engine.Dim("gpus", 2), engine.Via("ssh", "config", s.Config, "cache", t.TempDir()))
	if err := procs.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestTheTutorialUnderMpirun(t *testing.T) {
	if os.Getenv("VIA_MPIRUN") == "" {
		t.Skip("make test-slurm runs it: it needs openmpi-bin")
	}
	t.Setenv("OMPI_ALLOW_RUN_AS_ROOT", "1")
	t.Setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
	ctx := session(t)
	shared := t.TempDir()
	procs, mesh := tutorial(ctx, t, engine.Dim("hosts", 2), engine.Dim("gpus", 2),
		engine.Via("exec", "command", "mpirun -n {hosts} --oversubscribe --bind-to none {agent}", "shared", shared, "cache", shared))
	pids := where(ctx, t, mesh)
	if err := procs.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	for _, p := range pids {
		gone(t, 3*time.Second, p[0], p[1])
	}
}

// onSlurm are the options of a mesh on the Slurm that make test-slurm has made; elsewhere the test is left out.
func onSlurm(t *testing.T, more ...string) []engine.ProcOption {
	t.Helper()
	if os.Getenv("VIA_SLURM") == "" {
		t.Skip("make test-slurm runs it: it needs root and Slurm's packages")
	}
	return []engine.ProcOption{engine.Dim("hosts", 2), engine.Dim("gpus", 2), engine.Via("slurm", append(more, "cache", t.TempDir())...)}
}

// slurm runs one of Slurm's commands.
func slurm(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}

// unlisted waits until Slurm has no job any more.
func unlisted(t *testing.T) {
	t.Helper()
	isEmpty(t, 20*time.Second, "Slurm lists", func() string { return slurm(t, "squeue", "-h", "-o", "%i %T") })
}

// isEmpty waits until a list is empty.
func isEmpty(t *testing.T, within time.Duration, what string, list func() string) {
	t.Helper()
	by := time.Now().Add(within)
	for left := list(); left != ""; left = list() {
		if time.Now().After(by) {
			t.Fatalf("after %v %s %s", within, what, left)
		}
		time.Sleep(50 * time.Millisecond) // whom we ask tells nobody by itself
	}
}

func TestTheTutorialOnSlurm(t *testing.T) {
	opts := onSlurm(t)
	e := start(t)
	procs, mesh := tutorial(e.Context(), t, opts...)
	pids := where(e.Context(), t, mesh)
	if err := procs.Stop(e.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range pids {
		gone(t, 0, p[0], p[1])
	}
	unlisted(t)
}

func TestAnAgentOfSlurmIsKilled(t *testing.T) {
	opts := onSlurm(t)
	anAgentIsKilled(t, thisMachines, opts...)
	unlisted(t)
}

// TestANodeOfSlurmIsCutOff: 3 s cost nothing; 20 s cost the host, and nothing of it is left, though Slurm cannot reach it.
func TestANodeOfSlurmIsCutOff(t *testing.T) {
	opts := onSlurm(t)
	link := func(how string) func() {
		return func() {
			t.Helper()
			if out, err := exec.Command("ip", "-n", "viasw", "link", "set", "p2", how).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
	}
	ctx := session(t)
	procs, mesh := spawn(ctx, t, "p", opts...)
	losesNothing(ctx, t, mesh, link("down"), link("up"))
	began := time.Now()
	isLost(ctx, t, mesh, thisMachines, link("down"))
	time.Sleep(20*time.Second - time.Since(began)) // how long the fault lasts
	link("up")()
	if err := procs.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	unlisted(t)
}

func TestAQueuedJobOfSlurmIsStopped(t *testing.T) {
	opts := onSlurm(t)
	slurm(t, "sbatch", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 300")
	defer func() { slurm(t, "scancel", "--user=root"); unlisted(t) }()
	isStoppedInTheQueue(t, "Slurm job ", "Resources", opts...)
	if list := slurm(t, "squeue", "-h", "-o", "%j"); strings.Contains(list, "mtui") {
		t.Errorf("Slurm still lists %s", list)
	}
}

func TestNothingOnSlurmIsLeftOfAControllerThatIsKilled(t *testing.T) {
	onSlurm(t)
	t.Setenv(viaEnv, "slurm")
	cmd, pids := another(t, t.TempDir(), t.TempDir())
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	gone(t, 9500*time.Millisecond, pids...)
	unlisted(t)
}

// viaEnv is the launcher of another controller, instead of ssh.
const viaEnv = "HOSTS_VIA"

// how is how it asks for its hosts.
func how(place string) []engine.ProcOption {
	switch via := os.Getenv(viaEnv); via {
	case "":
	case "kubernetes":
		return []engine.ProcOption{engine.Dim("hosts", 2), engine.Via(via, "image", "debian:12", "program", place)}
	default:
		return []engine.ProcOption{engine.Dim("hosts", 2), engine.Via(via, "cache", place)}
	}
	return []engine.ProcOption{engine.Hosts("n1", "n2"), engine.Via("ssh", "ssh", place)}
}
