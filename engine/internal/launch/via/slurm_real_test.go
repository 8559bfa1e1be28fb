//go:build linux

package via

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// realSlurm is the folder of a Slurm of two nodes that was made for these tests: make test-slurm.
func realSlurm(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("VIA_SLURM")
	if dir == "" {
		t.Skip("make test-slurm starts a Slurm for this")
	}
	t.Cleanup(func() { slurm(t, "scancel", "--quiet", "--user="+uid()); idle(t) })
	return dir
}

// slurm runs a client of Slurm.
func slurm(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", argv, err, out)
	}
	return strings.TrimSpace(string(out))
}

// idle waits until no job is listed any more.
func idle(t *testing.T) {
	t.Helper()
	until(t, "jobs are still listed", func() bool { return slurm(t, "squeue", "--noheader") == "" })
}

// until asks the controller until something holds: it tells nobody by itself.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal(what, ": ", slurm(t, "squeue"))
		}
		_ = pause(t.Context(), 50*time.Millisecond)
	}
}

// blocked takes all nodes, so that what comes next waits.
func blocked(t *testing.T) {
	t.Helper()
	slurm(t, "salloc", "--no-shell", "--nodes=2", "--exclusive", "--job-name=block")
}

func TestSlurmCarriesALargeSecret(t *testing.T) {
	realSlurm(t)
	h := newHall(t)
	secret := []byte(strings.Repeat("0123456789abcdef", 8<<10)) // 128 KiB: twice what a pipe holds
	_, rec := start(t, slurmLauncher{}, Spec{Count: 2, Program: program(t, h), Secret: func(int) []byte { return secret }, Options: map[string]string{"cache": t.TempDir()}})
	for i, g := range h.arrive(t, rec, 2) {
		if g.Secret != string(secret) {
			t.Errorf("agent %d has %d bytes of it", i, len(g.Secret))
		}
	}
}

// TestSlurmStartsAnAgentOnEachNode holds INV-SECRET for what a scheduler keeps.
func TestSlurmStartsAnAgentOnEachNode(t *testing.T) {
	dir, h := realSlurm(t), newHall(t)
	work := t.TempDir()
	j, rec := start(t, slurmLauncher{}, Spec{
		Count: 2, GPUs: 2, Program: program(t, h, "two words", `'"\`), Dir: work, Options: map[string]string{"cache": t.TempDir(), "partition": "debug"},
	})
	guests := h.arrive(t, rec, 2)
	number := slurm(t, "squeue", "--noheader", "--format=%i")
	for i, g := range guests {
		if g.Secret != string(secretFor(-1)) || strings.Join(g.Args, "|") != `two words|'"\` || g.Dir != work || !g.Lifeline {
			t.Errorf("agent %d has arrived as %+v", i, g.report)
		}
		if !slices.Contains(g.Env, "CUDA_VISIBLE_DEVICES=0,1") {
			t.Errorf("agent %d may not use two GPUs: %q", i, g.Env)
		}
		if g.Scheduler != "Slurm job "+number {
			t.Errorf("agent %d was placed by %q", i, g.Scheduler)
		}
		if want := []string{"n1", "n2"}[i]; rec.state(t, i, Started).Name != want {
			t.Errorf("host %d is called %s, want %s", i, rec.state(t, i, Started).Name, want)
		}
		if n := rec.shipped(t, i); n != 0 {
			t.Errorf("%d bytes were copied to a shared folder", n)
		}
	}
	if j.Handle() != "Slurm job "+number {
		t.Errorf("the handle is %q, want that of job %s", j.Handle(), number)
	}
	if secretInProcesses(t) || strings.Contains(slurm(t, "scontrol", "--details", "show", "job", number), "kq7vz") {
		t.Error("the secret is in a list")
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if b, err := os.ReadFile(path); err == nil && strings.Contains(string(b), "kq7vz") {
			t.Errorf("the secret is in Slurm's file %s", path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	end(t, j)
	for _, g := range guests {
		g.last(t)
	}
	idle(t)
	if why := rec.state(t, -1, Ended).Text; why != "it was cancelled" {
		t.Errorf("the end is told as %q", why)
	}
}

func TestSlurmCopiesTheProgramWhereItIsNotShared(t *testing.T) {
	realSlurm(t)
	h, cache := newHall(t), t.TempDir()
	p := program(t, h)
	for n, want := range []int64{p.Size, 0} {
		j, rec := start(t, slurmLauncher{}, Spec{Count: 2, Program: p, Options: map[string]string{"cache": cache, "ship": "sbcast"}})
		h.arrive(t, rec, 2)
		if got := rec.shipped(t, 1); got != want {
			t.Errorf("launch %d copied %d bytes, want %d", n+1, got, want)
		}
		end(t, j)
	}
}

func TestSlurmTellsTheQueueAndIsCancelledInIt(t *testing.T) {
	realSlurm(t)
	blocked(t)
	h := newHall(t)
	spec := Spec{Count: 2, Program: program(t, h), Options: map[string]string{"cache": t.TempDir(), "args": "--exclusive"}}
	_, first := start(t, slurmLauncher{}, spec)
	said := first.wait(t, "first in the queue", func(e Event) bool { return e.State == Queued && strings.Contains(e.Text, "first in debug") })
	if ok, _ := regexp.MatchString(`^Slurm job \d+: PENDING \((Resources|Priority)\), first in debug`, said.Text); !ok || said.Host != -1 {
		t.Errorf("the queue is told as %+v", said)
	}
	j, second := start(t, slurmLauncher{}, spec)
	second.wait(t, "second in the queue", func(e Event) bool { return strings.Contains(e.Text, "1 before it in debug") })
	end(t, j)
	var id slurmID
	if err := json.Unmarshal(j.Resume(), &id); err != nil || id.Job == "" {
		t.Errorf("%s does not resume it (%v)", j.Resume(), err)
	}
	if left := slurm(t, "squeue", "--noheader", "--name="+id.Name); left != "" {
		t.Errorf("a cancelled job is listed: %s", left)
	}
}

func TestSlurmTellsThatNodesAreDrained(t *testing.T) {
	realSlurm(t)
	slurm(t, "scontrol", "update", "nodename=n[1-2]", "state=drain", "reason=new fans")
	t.Cleanup(func() { slurm(t, "scontrol", "update", "nodename=n[1-2]", "state=resume") })
	h := newHall(t)
	j, rec := start(t, slurmLauncher{}, Spec{Count: 2, Program: program(t, h), Options: map[string]string{"cache": t.TempDir()}})
	rec.wait(t, "the nodes are drained", func(e Event) bool { return e.State == Queued && strings.Contains(e.Text, "DRAINED") })
	end(t, j)
}

// Slurm notices after its SlurmdTimeout that a node's daemon is gone; the agent on the other node goes on.
func TestSlurmTellsThatANodeFails(t *testing.T) {
	dir, h := realSlurm(t), newHall(t)
	j, rec := start(t, slurmLauncher{}, Spec{Count: 2, Program: program(t, h), Options: map[string]string{"cache": t.TempDir()}})
	guests := h.arrive(t, rec, 2)
	pid, err := os.ReadFile(filepath.Join(dir, "slurmd-n2.pid"))
	if err != nil {
		t.Fatal(err)
	}
	slurm(t, "kill", "-KILL", strings.TrimSpace(string(pid)))
	back := sync.OnceFunc(func() {
		slurm(t, "testdata/slurm.sh", "node", dir, "2")
		until(t, "the node does not come back", func() bool { return slurm(t, "sinfo", "--noheader", "--Node", "--format=%T") == "idle\nidle" })
	})
	t.Cleanup(back)
	if why := rec.state(t, 1, Ended).Text; !strings.Contains(why, "Node failure on n2") {
		t.Errorf("its end is told as %q", why)
	}
	if slices.ContainsFunc(rec.all(), func(e Event) bool { return e.State == Ended && e.Host != 1 }) {
		t.Errorf("others have ended too: %v", rec.all())
	}
	end(t, j)
	guests[0].last(t)
	// Of a node that it has given up Slurm ends nothing until its daemon is back: not by scancel, and srun has let go of its stdin. Agents
	// need a lease besides.
	back()
	guests[1].last(t)
}

func TestSlurmIsCancelledFromOutside(t *testing.T) {
	realSlurm(t)
	for _, c := range []struct {
		name string
		how  func(t *testing.T, number string)
		want string
	}{
		{"by scancel", func(t *testing.T, number string) { slurm(t, "scancel", number) }, `^Slurm job \d+: CANCELLED.*: .*CANCELLED AT`},
		{"by its time limit", func(t *testing.T, number string) { slurm(t, "scontrol", "update", "jobid="+number, "EndTime=now") }, `^Slurm job \d+: TIMEOUT \(TimeLimit\): .*DUE TO TIME LIMIT`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHall(t)
			j, rec := start(t, slurmLauncher{}, Spec{Count: 2, Program: program(t, h), Options: map[string]string{"cache": t.TempDir(), "time": "10"}})
			guests := h.arrive(t, rec, 2)
			until(t, "the step has not run for a second, and of one that ends before slurmstepd says nothing", func() bool {
				return regexp.MustCompile(`^0:0[1-9]`).MatchString(slurm(t, "squeue", "--noheader", "--format=%M"))
			})
			c.how(t, slurm(t, "squeue", "--noheader", "--format=%i"))
			<-j.Done()
			for _, g := range guests {
				g.last(t)
			}
			if why := rec.state(t, -1, Ended).Text; !regexp.MustCompile(c.want).MatchString(why) {
				t.Errorf("the end is told as %q, want %s", why, c.want)
			}
			idle(t)
		})
	}
}

func TestSlurmRefusesInItsOwnWords(t *testing.T) {
	realSlurm(t)
	h := newHall(t)
	_, rec := start(t, slurmLauncher{}, Spec{Count: 1, Program: program(t, h), Options: map[string]string{"cache": t.TempDir(), "partition": "nope"}})
	if why := rec.state(t, -1, Ended).Text; !strings.Contains(why, "Invalid partition name specified") {
		t.Errorf("the end is told as %q", why)
	}
}

// TestSlurmKeepsNothingOfAKilledClient holds INV-GONE: an srun that is killed leaves its job in the queue, and Slurm would run it.
func TestSlurmKeepsNothingOfAKilledClient(t *testing.T) {
	realSlurm(t)
	spec := func(h *hall) Spec {
		return Spec{Count: 2, Program: program(t, h), Options: map[string]string{"cache": t.TempDir(), "args": "--exclusive"}}
	}
	t.Run("that runs", func(t *testing.T) {
		h := newHall(t)
		j, rec := start(t, slurmLauncher{}, spec(h))
		guests := h.arrive(t, rec, 2)
		killChildren(t, "srun")
		for _, g := range guests {
			g.last(t)
		}
		<-j.Done()
		idle(t)
	})
	t.Run("that waits", func(t *testing.T) {
		blocked(t)
		h := newHall(t)
		j, rec := start(t, slurmLauncher{}, spec(h))
		rec.wait(t, "it waits", func(e Event) bool { return strings.Contains(e.Text, "PENDING") })
		killChildren(t, "srun")
		<-j.Done()
		if left := slurm(t, "squeue", "--noheader", "--format=%j"); left != "block" {
			t.Errorf("listed are %q", left)
		}
	})
}

// TestSlurmKeepsNothingOfAKilledLauncher holds INV-GONE.
func TestSlurmKeepsNothingOfAKilledLauncher(t *testing.T) {
	realSlurm(t)
	blocked(t)
	h := newHall(t)
	p, said := launcher(t, h, "slurm", fmt.Sprintf(`{"Count":2,"Options":{"cache":%q,"args":"--exclusive"}}`, t.TempDir()))
	for said.Scan() && !strings.Contains(said.Text(), "PENDING") {
	}
	_ = p.Kill()
	until(t, "the job of a killed launcher is listed", func() bool { return slurm(t, "squeue", "--noheader", "--format=%j") == "block" })
}

// Within an allocation of the user's the agents are a step of it, and the allocation outlives them.
func TestSlurmLeavesAnAllocationOfTheUsersAlone(t *testing.T) {
	realSlurm(t)
	said := slurm(t, "salloc", "--no-shell", "--nodes=2", "--job-name=mine")
	number := regexp.MustCompile(`job allocation (\d+)`).FindStringSubmatch(said)
	if number == nil {
		t.Fatalf("salloc said %q", said)
	}
	t.Setenv("SLURM_JOB_ID", number[1])
	h := newHall(t)
	j, rec := start(t, slurmLauncher{}, Spec{Count: 2, Program: program(t, h), Options: map[string]string{"cache": t.TempDir()}})
	guests := h.arrive(t, rec, 2)
	if j.Handle() != "Slurm step "+number[1]+".0" {
		t.Errorf("the handle is %q", j.Handle())
	}
	end(t, j)
	for _, g := range guests {
		g.last(t)
	}
	if left := slurm(t, "squeue", "--noheader", "--format=%j %T"); left != "mine RUNNING" {
		t.Errorf("listed are %q", left)
	}
}

func TestReapEndsASlurmJobOfAnotherProcess(t *testing.T) {
	realSlurm(t)
	h := newHall(t)
	j, rec := start(t, slurmLauncher{}, Spec{Count: 2, Program: program(t, h), Options: map[string]string{"cache": t.TempDir()}})
	guests := h.arrive(t, rec, 2)
	if err := Reap(t.Context(), "slurm", j.Resume()); err != nil {
		t.Error(err)
	}
	for _, g := range guests {
		g.last(t)
	}
	<-j.Done()
	idle(t)
	if err := Reap(t.Context(), "slurm", j.Resume()); err != nil {
		t.Errorf("reaped again: %v", err)
	}
}
