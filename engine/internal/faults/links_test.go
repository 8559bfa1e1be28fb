//go:build linux

package faults

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

func init() { controllers["friends"] = friends }

// friends is a program with two workers that have a link of their own. It tells their pids, and for each line that it reads what
// became of a call from each to the other.
func friends(ctx context.Context) error {
	if _, err := engine.Supervise(ctx, func(_ context.Context, f engine.Failure) engine.Decision {
		fmt.Println("failure:", f.What)
		return engine.Handled
	}); err != nil {
		return err
	}
	p, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 2))
	if err != nil {
		return err
	}
	m, err := engine.Spawn(ctx, p, "v", Victim{})
	if err != nil {
		return err
	}
	for rank := range 2 {
		if err := engine.Action(at(m, rank), (*Victim).Befriend).Call(ctx, at(m, 1-rank)); err != nil {
			return err
		}
	}
	call := func() {
		for rank := range 2 {
			short, cancel := context.WithTimeout(ctx, 20*time.Second)
			n, err := engine.Query(at(m, rank), (*Victim).CountOfPeer).CallOne(short)
			cancel()
			fmt.Println("called", rank, n, err)
		}
	}
	pids, err := engine.Query(m, (*Victim).Pid).Call(ctx)
	if err != nil {
		return err
	}
	fmt.Println("pids", pids.Answered()[0], pids.Answered()[1])
	call()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		call()
	}
	return nil
}

// Two workers that have lost each other, while their controller could see neither, find each other again: both live (A8).
func TestWorkersThatLostEachOtherFindEachOtherAgain(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=friends")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	lines := bufio.NewScanner(out)
	next := func(what string) string {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("the program ended where %s was to come", what)
		}
		return lines.Text()
	}
	var pids [2]int
	if _, err := fmt.Sscanf(next("pids"), "pids %d %d", &pids[0], &pids[1]); err != nil {
		t.Fatal(err)
	}
	for rank, want := range []string{"called 0 1 <nil>", "called 1 1 <nil>"} {
		if got := next("a call"); got != want {
			t.Fatalf("before the fault, from rank %d: %s", rank, got)
		}
	}
	for _, pid := range []int{cmd.Process.Pid, pids[1]} {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(silence) // this is the fault: rank 0 loses rank 1, and nobody tells it better
	for _, pid := range []int{cmd.Process.Pid, pids[1]} {
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	worked, late := [2]bool{}, time.Now().Add(20*time.Second)
	failed := 0
	for worked != [2]bool{true, true} && time.Now().Before(late) {
		if _, err := fmt.Fprintln(in, "again"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			line := next("a call")
			if strings.HasPrefix(line, "failure:") {
				t.Fatalf("somebody ended: %s", line)
			}
			var rank int
			if _, err := fmt.Sscanf(line, "called %d", &rank); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if worked[rank] = strings.HasSuffix(line, "<nil>"); !worked[rank] {
				failed++
				t.Log(line)
			}
		}
	}
	if worked != [2]bool{true, true} {
		t.Errorf("they do not find each other: %v", worked)
	}
	if failed > 4 {
		t.Errorf("%d calls failed until they did", failed)
	}
}
