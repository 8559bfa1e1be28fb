//go:build unix

package via

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExecHasAgentsReadASecretThatOnlyTheUserSees holds INV-SECRET for commands of which nothing is known.
func TestExecHasAgentsReadASecretThatOnlyTheUserSees(t *testing.T) {
	h, dir := newHall(t), t.TempDir()
	mpi := executable(t, filepath.Join(t.TempDir(), "mpi"), "#!/bin/sh\nn=$1; shift\nfor i in $(seq $n); do OMPI_COMM_WORLD_RANK=$((i-1)) \"$@\" & done\ntrap 'kill $(jobs -p)' TERM\nwait\nwait\n")
	j, rec := start(t, execLauncher{}, Spec{
		Count: 3, GPUs: 2, Program: program(t, h, "two words", "{hosts}"),
		Options: map[string]string{"command": mpi + " {hosts} {agent}", "shared": dir, "cache": t.TempDir()},
	})
	guests := h.arrive(t, rec, 3)
	files, err := filepath.Glob(filepath.Join(dir, "monarch-tui", "secrets", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the secret's files are %v (%v)", files, err)
	}
	for path, want := range map[string]os.FileMode{files[0]: 0o600, filepath.Dir(files[0]): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has the mode %v (%v)", path, info.Mode(), err)
		}
	}
	for i, g := range guests {
		if g.Secret != string(secretFor(-1)) || strings.Join(g.Args, "|") != "two words|{hosts}" || g.Lifeline {
			t.Errorf("agent %d has arrived as %+v", i, g.report)
		}
	}
	if secretInProcesses(t) {
		t.Error("the secret is in a list of processes")
	}
	end(t, j)
	for _, g := range guests {
		g.last(t)
	}
	if _, err := os.Stat(files[0]); err == nil {
		t.Error("the secret's file is left")
	}
	if j.Handle() != "mpi" {
		t.Errorf("the handle is %q", j.Handle())
	}
}

func TestExecRemovesTheSecretsOfKilledLaunchers(t *testing.T) {
	h, dir := newHall(t), t.TempDir()
	secrets := filepath.Join(dir, "monarch-tui", "secrets")
	if err := os.MkdirAll(secrets, 0o700); err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	killed := exec.Command("true")
	if err := killed.Run(); err != nil {
		t.Skip(err)
	}
	dead := filepath.Join(secrets, host+"."+itoa(killed.Process.Pid)+".00")
	lives, elsewhere := filepath.Join(secrets, host+"."+itoa(os.Getppid())+".00"), filepath.Join(secrets, "elsewhere.1.00")
	for _, f := range []string{dead, lives, elsewhere} {
		write(t, f, "")
	}
	_, rec := start(t, execLauncher{}, Spec{
		Count: 1, Program: program(t, h), Options: map[string]string{"command": "env PMI_RANK=0 {agent}", "shared": dir, "cache": t.TempDir()},
	})
	h.arrive(t, rec, 1)
	for f, want := range map[string]bool{dead: false, lives: true, elsewhere: true} {
		if _, err := os.Stat(f); (err == nil) != want {
			t.Errorf("%s is there: %v", filepath.Base(f), err == nil)
		}
	}
}

func TestExecTellsHowTheCommandEnds(t *testing.T) {
	_, rec := start(t, execLauncher{}, Spec{Count: 1, Program: program(t, newHall(t)), Options: map[string]string{
		"command": "sh -c 'echo there are no slots >&2; exit 7' {agent}", "shared": t.TempDir(), "cache": t.TempDir(),
	}})
	if why := rec.state(t, -1, Ended).Text; why != "sh: it ended with code 7: there are no slots" {
		t.Errorf("the end is told as %q", why)
	}
}

func TestExecFillsInItsCommand(t *testing.T) {
	spec := &Spec{
		Job: "mesh", Hosts: []string{"n1", "n2"}, GPUs: 4, CPUs: 8, Program: Program{Args: []string{"agent", "a b"}},
		Options: map[string]string{"command": `run -n {hosts} --hosts={hostlist} -J {job} '--gres=gpu:{gpus}' -c {cpus} {agent} end`},
	}
	want := []string{"run", "-n", "2", "--hosts=n1,n2", "-J", "mesh", "--gres=gpu:4", "-c", "8", "env", "MONARCH_AGENT=file:/s", "/p", "agent", "a b", "end"}
	if got := execArgs(spec, "/p", "/s"); !slices.Equal(got, want) {
		t.Errorf("the command is %q, want %q", got, want)
	}
}

// TestMpirunStartsAnAgentPerRank is for Open MPI itself, on one machine.
func TestMpirunStartsAnAgentPerRank(t *testing.T) {
	if os.Getenv("VIA_MPIRUN") == "" {
		t.Skip("make test-slurm runs it")
	}
	if _, err := exec.LookPath("mpirun"); err != nil {
		t.Skip("there is no mpirun: apt-get install openmpi-bin")
	}
	t.Setenv("OMPI_ALLOW_RUN_AS_ROOT", "1")
	t.Setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
	h := newHall(t)
	j, rec := start(t, execLauncher{}, Spec{Count: 3, Program: program(t, h), Options: map[string]string{
		"command": "mpirun -n {hosts} --oversubscribe --bind-to none {agent}", "shared": t.TempDir(), "cache": t.TempDir(),
	}})
	guests := h.arrive(t, rec, 3)
	for i, g := range guests {
		if g.Secret != string(secretFor(-1)) || !strings.HasPrefix(g.Scheduler, "Open MPI rank ") {
			t.Errorf("agent %d has arrived as %+v", i, g.report)
		}
	}
	if secretInProcesses(t) {
		t.Error("the secret is in a list of processes")
	}
	end(t, j)
	for _, g := range guests {
		g.last(t)
	}
}
