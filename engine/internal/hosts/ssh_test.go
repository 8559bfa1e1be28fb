//go:build linux

package hosts

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

func TestAMeshOnTwoHosts(t *testing.T) {
	ctx := session(t)
	procs, mesh := spawn(ctx, t, "p", twoHosts(t)...)
	pids := where(ctx, t, mesh)
	if len(pids) != 4 || pids[0][1] != pids[1][1] || pids[1][1] == pids[2][1] || pids[2][1] != pids[3][1] {
		t.Fatalf("processes and their agents: %v; want two each of two agents", pids)
	}
	if err := procs.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	for _, p := range pids {
		gone(t, 0, p[0], p[1])
	}
}

// TestAMeshElsewhereIsStoppedInOrder: actors end as they want to, then processes, then agents.
func TestAMeshElsewhereIsStoppedInOrder(t *testing.T) {
	e := start(t)
	ctx := e.Context()
	procs, _ := spawn(ctx, t, "p", twoHosts(t)...)
	mark := filepath.Join(t.TempDir(), "stopped")
	if _, err := engine.Spawn(ctx, procs, "marked", Guest{Mark: mark}); err != nil {
		t.Fatal(err)
	}
	front := control.InProcess(e.Backend(), control.ClientInfo{Name: "test"})
	w, err := front.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := procs.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(mark + ".*"); len(left) != 4 || err != nil {
		t.Errorf("%d of 4 actors have run OnStop, %v", len(left), err)
	}
	for marked := false; !marked; {
		up, err := w.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range up.Events {
			if p := ev.Proc; p != nil && p.Over() && p.State != "exited" {
				t.Errorf("rank %d is %s: %s; want that it has exited", p.Rank, p.State, p.Reason)
			}
			if h := ev.Host; h != nil && h.Over() && h.State != "exited" {
				t.Errorf("host %s is %s: %s; want that it has exited", h.Name, h.State, h.Reason)
			}
			if m := ev.ProcMesh; m != nil {
				marked = m.Gone
			}
		}
	}
}

// twoHosts are the options of a mesh of two ranks each on two hosts.
func twoHosts(t *testing.T) []engine.ProcOption {
	return []engine.ProcOption{engine.Hosts("n1", "n2"), engine.Dim("gpus", 2), engine.Via("ssh", "ssh", login(t))}
}

func where(ctx context.Context, t *testing.T, m engine.Mesh[Guest]) [][2]int {
	t.Helper()
	got, err := engine.Query(m, (*Guest).Where).Call(ctx)
	return values(t, got, err)
}

// TestRanksOfAllHostsCallEachOther: those of the controller's machine begin on its loopback interface, whoever comes first.
func TestRanksOfAllHostsCallEachOther(t *testing.T) {
	for _, first := range []string{"here", "there"} {
		t.Run(first, func(t *testing.T) {
			ctx := session(t)
			opts := map[string][]engine.ProcOption{"here": {engine.Dim("gpus", 2)}, "there": twoHosts(t)}
			order := []string{"here", "there"}
			if first == "there" {
				order = []string{"there", "here"}
			}
			meshes := map[string]engine.Mesh[Guest]{}
			procs := map[string]engine.ProcMesh{}
			for _, name := range order {
				procs[name], meshes[name] = spawn(ctx, t, name, opts[name]...)
			}
			for _, c := range []struct {
				from, to string
				sum      int
			}{{"here", "there", 4}, {"there", "here", 2}, {"there", "there", 4}} {
				callers, err := engine.Spawn(ctx, procs[c.from], "callers-"+c.from+"-"+c.to, Guest{Peer: meshes[c.to]})
				if err != nil {
					t.Fatal(err)
				}
				got, err := engine.Method(callers, (*Guest).Tell).Call(ctx, 1)
				for i, sum := range values(t, got, err) {
					if sum < c.sum {
						t.Errorf("rank %d %s counted %d messages %s, want %d at least", i, c.from, sum, c.to, c.sum)
					}
				}
			}
		})
	}
}

func TestAWorkerThatIsKilledElsewhereIsToldAtOnce(t *testing.T) {
	ctx := session(t)
	_, mesh := spawn(ctx, t, "p", twoHosts(t)...)
	pids := where(ctx, t, mesh)
	down := monitor(ctx, t, mesh)
	began := time.Now()
	if err := syscall.Kill(pids[3][0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	d, err := down.Recv(ctx)
	if err != nil || d.Rank != 3 || !strings.Contains(d.Why, "SIGKILL") {
		t.Errorf("told %+v, %v; want rank 3, killed by SIGKILL", d, err)
	}
	t.Logf("told after %v", time.Since(began))
	if _, err := engine.Query(mesh, (*Guest).Where).CallOne(ctx); err == nil {
		t.Error("a mesh with a dead rank answered as one")
	}
	got, err := engine.Query(mesh, (*Guest).Where).Call(ctx)
	if n := failures(got); n != 1 || !errors.Is(err, engine.ErrLost) {
		t.Errorf("%d ranks failed with %v; want the one that was killed, lost", n, err)
	}
}

func TestAnAgentThatIsKilledTakesItsHostAlong(t *testing.T) {
	ctx := session(t)
	_, mesh := spawn(ctx, t, "p", twoHosts(t)...)
	pids := where(ctx, t, mesh)
	daemon, err := engine.Query(at(mesh, 2), (*Guest).Daemon).CallOne(ctx)
	if err != nil {
		t.Fatal(err)
	}
	down := monitor(ctx, t, mesh)
	if err := syscall.Kill(pids[2][1], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	gone(t, time.Second, pids[2][0], pids[3][0], daemon)
	limit, cancel := context.WithTimeout(ctx, 14*time.Second)
	defer cancel()
	for range 2 {
		d, err := down.Recv(limit)
		if err != nil || d.Rank < 2 {
			t.Fatalf("told %+v, %v; want ranks 2 and 3", d, err)
		}
		t.Log(d.Why)
	}
	got, _ := engine.Query(mesh, (*Guest).Where).Call(ctx)
	if n := failures(got); n != 2 {
		t.Errorf("%d ranks failed, want those of the host", n)
	}
}

// at is one rank of a mesh of hosts and gpus.
func at(m engine.Mesh[Guest], rank int) engine.Mesh[Guest] {
	return m.Slice(engine.At("hosts", rank/2), engine.At("gpus", rank%2))
}

func TestALaunchThatHangsCanBeStopped(t *testing.T) {
	ctx := session(t)
	hangs := filepath.Join(t.TempDir(), "ssh")
	if err := os.WriteFile(hangs, []byte("#!/bin/sh\nexec sleep 300\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Hosts("n1"), engine.Via("ssh", "ssh", hangs), engine.Within(500*time.Millisecond))
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "n1 is") || !strings.Contains(err.Error(), "within 500ms") {
			t.Errorf("%v; want that the host was not there in time, and how far it had come", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for ever")
	}
}

// TestAHostThatIsNamedTwiceIsRefused: in the words of a script.
func TestAHostThatIsNamedTwiceIsRefused(t *testing.T) {
	_, err := engine.SpawnProcs(session(t), engine.Hosts("n1", "n2", "n1"), engine.Via("ssh", "ssh", login(t)))
	if want := `hosts: "n1" is there already: one agent runs on a machine`; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestRanksAreChosenByTheirHost: by the controller and by an actor, also where it was put on one host only, and after a rank has begun
// anew.
func TestRanksAreChosenByTheirHost(t *testing.T) {
	ctx := session(t)
	procs, mesh := spawn(ctx, t, "p", append(twoHosts(t), engine.RestartProcs(3, time.Minute))...)
	all := where(ctx, t, mesh)
	if got := where(ctx, t, mesh.Slice(engine.OnHost("n2"))); !slices.Equal(got, all[2:]) {
		t.Errorf("on n2 are %v of %v", got, all)
	}
	if got := where(ctx, t, mesh.Select(`hosts=("n2",n1),gpus=1`)); !slices.Equal(got, [][2]int{all[1], all[3]}) {
		t.Errorf("the last ones of both are %v of %v", got, all)
	}
	got, err := engine.Query(mesh, (*Guest).Where).Call(ctx)
	if err != nil {
		t.Fatal(err)
	}
	on, err := got.Slice(engine.OnHost("n2"), engine.At("gpus", 0))
	if got := values(t, on, err); !slices.Equal(got, all[2:3]) {
		t.Errorf("the value of n2 is %v", got)
	}
	told, err := engine.Method(mesh, (*Guest).On).Call(ctx, OnArg{mesh, "n2"}) // each asks those of n2 itself
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range values(t, told, nil) {
		if !slices.Equal(got, []int{all[2][0], all[3][0]}) {
			t.Errorf("an actor found %v on n2", got)
		}
	}
	half, err := engine.Spawn(ctx, procs.Slice(engine.OnHost("n2")), "half", Guest{})
	if err != nil {
		t.Fatal(err)
	}
	if got := where(ctx, t, half); got[0][1] != all[2][1] || len(got) != 2 {
		t.Errorf("spawned on n2: %v, want children of %v", got, all[2])
	}
	if err := mesh.Slice(engine.OnHost("n3")).Err(); err == nil || !strings.Contains(err.Error(), "slice of @guests-p: no host n3: it has n1, n2") {
		t.Error(err)
	}
	if err := half.Slice(engine.OnHost("n2")).Err(); err == nil || !strings.Contains(err.Error(), "no dimension hosts") {
		t.Error(err)
	}
	if err := syscall.Kill(all[2][0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	back := resolved(ctx, t, mesh, all[2][0])
	again, err := mesh.Resolve(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := where(ctx, t, again.Slice(engine.OnHost("n2"))); !slices.Equal(got, back[2:]) {
		t.Errorf("after a new life on n2 are %v of %v", got, back)
	}
	local, _ := spawn(ctx, t, "q", engine.Dim("hosts", 2))
	if err := local.Slice(engine.OnHost("n1")).Err(); err == nil || !strings.Contains(err.Error(), "all its ranks are on one machine") {
		t.Error(err)
	}
}
