package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

// startEngine measures from SpawnProcs to the first reply of every rank, then a call on all of them, then what they
// weigh at rest.
func startEngine(ctx context.Context, s settings) error {
	e, err := engine.Start(ctx, engine.NoSession())
	if err != nil {
		return err
	}
	defer e.Close()
	ctx = e.Context()
	begin := time.Now()
	m, err := spawnEcho(ctx, s.ranks)
	if err != nil {
		return err
	}
	echo := engine.Method(m, (*Echo).Echo)
	if _, err := echo.Call(ctx, payload); err != nil {
		return err
	}
	start := result{Peer: peerEngineStart, What: whatStart, Secs: time.Since(begin).Seconds()}
	took := make([]time.Duration, 100)
	for i := range took {
		begin := time.Now()
		if _, err := echo.Call(ctx, payload); err != nil {
			return err
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	start.MiB = idleMiB(children(os.Getpid()))
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(start); err != nil {
		return err
	}
	return out.Encode(result{Peer: peerEngine, What: whatCast, P50: us(took[50]), P99: us(took[99])})
}

// startExec starts as many processes of the same binary, which only say that they are there.
func startExec(s settings) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	begin := time.Now()
	said := make(chan error, s.ranks)
	var kids []*exec.Cmd
	var ends []io.Closer
	for range s.ranks {
		cmd := exec.Command(self, "-server", peerNone) //nolint:gosec // this program itself
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		kids, ends = append(kids, cmd), append(ends, in)
		go func() {
			_, err := io.ReadFull(out, make([]byte, 1))
			said <- err
		}()
	}
	for range kids {
		if err := <-said; err != nil {
			return fmt.Errorf("a process did not say that it is there: %w", err)
		}
	}
	r := result{Peer: peerExec, What: whatStart, Secs: time.Since(begin).Seconds()}
	var pids []int
	for _, k := range kids {
		pids = append(pids, k.Process.Pid)
	}
	r.MiB = idleMiB(pids)
	for i, k := range kids {
		_ = ends[i].Close()
		_ = k.Wait()
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// children lists the processes whose parent is pid.
func children(pid int) []int {
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid)) // a child belongs to the thread that forked it
	var out []int
	for _, t := range tasks {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		if err != nil {
			return nil
		}
		for f := range strings.FieldsSeq(string(b)) {
			if n, err := strconv.Atoi(f); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// idleMiB is the median private memory of processes; 0 where the kernel does not tell.
func idleMiB(pids []int) float64 {
	var sizes []float64
	for _, pid := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue
		}
		sum := 0.0
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[0], "Private_") {
				kb, _ := strconv.ParseFloat(f[1], 64) // a line of another form counts nothing
				sum += kb
			}
		}
		sizes = append(sizes, sum/1024)
	}
	return median(sizes)
}
