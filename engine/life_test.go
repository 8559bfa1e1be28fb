package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

func TestAKilledWorkerIsOneHonestErrorAndTheOthersAnswer(t *testing.T) {
	ctx := enginetest.Processes(t)
	acc := spawn(t, ctx, "acc", 4, Acc{})
	if err := handleAll(ctx); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	die := engine.Signal(acc.Slice(at(2)), (*Acc).Die).Start(ctx)
	vals, err := engine.Query(acc, (*Acc).Sum).Call(ctx)
	if !errors.Is(err, engine.ErrLost) {
		t.Fatalf("error %v", err)
	}
	if took := time.Since(began); took > 5*time.Second { // by silence it would be 10
		t.Errorf("it took %v to learn of a death on this machine", took)
	}
	if len(vals.Answered()) != 3 || !strings.Contains(err.Error(), "[2] worker 2 of procs p_acc (pid ") || !strings.Contains(err.Error(), "was killed by SIGKILL") {
		t.Errorf("%d values, error %v", len(vals.Answered()), err)
	}
	if _, err := die.All(ctx); !errors.Is(err, engine.ErrLost) {
		t.Errorf("the deadly call itself ended with %v", err)
	}
	if _, err := engine.Query(acc, (*Acc).Sum).Call(ctx); !errors.Is(err, engine.ErrNotSent) && !errors.Is(err, engine.ErrLost) {
		t.Errorf("a later call ended with %v", err)
	}
}

// handleAll keeps failures from ending the test's engine.
func handleAll(ctx context.Context) error {
	_, err := engine.Supervise(ctx, func(context.Context, engine.Failure) engine.Decision { return engine.Handled })
	return err
}

func TestAWorkerLearnsOfAnothersDeath(t *testing.T) {
	e, err := engine.Start(t.Context(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx, c := e.Context(), frontEnd(t, e)
	pb := procs(t, ctx, "pb", 1)
	a, b := spawn(t, ctx, "a", 1, Acc{}), spawnOn(t, ctx, pb, "b", Acc{})
	if err := handleAll(ctx); err != nil {
		t.Fatal(err)
	}
	if err := engine.Action(a, (*Acc).Pair).Call(ctx, b); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Method(a, (*Acc).AddToPeer).CallOne(ctx, 1); err != nil { // the two have a link now
		t.Fatal(err)
	}
	block := engine.Signal(b, (*Acc).Block).Start(ctx)
	nested := engine.Signal(a, (*Acc).BlockPeer).Start(ctx)
	eventually(t, "both calls at b", 20*time.Second, func() bool { // one that comes later is ErrStopped, and not ErrLost
		snap, err := c.Snapshot(ctx)
		return err == nil && slices.ContainsFunc(snap.Meshes, func(m control.Mesh) bool {
			return m.Ref.Name == "b" && len(m.Ranks[0].Running) == 1 && m.Ranks[0].Queue == 1
		})
	})
	if err := pb.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := nested.All(ctx); !errors.Is(err, engine.ErrLost) || !strings.Contains(err.Error(), "worker 0 of procs pb (pid ") {
		t.Errorf("the nested call ended with %v", err)
	}
	if _, err := block.All(ctx); !errors.Is(err, engine.ErrLost) {
		t.Errorf("the blocked call ended with %v", err)
	}
}

const eventLimit = 10 * time.Second

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil && !zombie(pid) }

func zombie(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(b), ") Z ")
}

// eventually polls a condition about other processes, which no virtual clock reaches.
func eventually(t *testing.T, what string, limit time.Duration, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(limit)
	for !cond() {
		select {
		case <-deadline:
			t.Fatalf("%s did not come about within %v", what, limit)
		case <-tick.C:
		}
	}
}

// TestNoWorkerOutlivesTheEngine holds INV-ORPHAN.
func TestNoWorkerOutlivesTheEngine(t *testing.T) {
	e, err := engine.Start(t.Context(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	acc := spawn(t, e.Context(), "acc", 3, Acc{})
	pids, err := engine.Query(acc, (*Acc).Pid).Call(e.Context())
	if err != nil {
		t.Fatal(err)
	}
	kids, err := engine.Query(acc, (*Acc).Child).Call(e.Context())
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	for _, pid := range append(pids.Answered(), kids.Answered()...) {
		eventually(t, "the end of pid "+strconv.Itoa(pid), 2*time.Second, func() bool { return !alive(pid) })
	}
}

// orphanParent is the controller of the next test, in a process of its own: it tells its workers' pids and waits to be killed.
func orphanParent() {
	e, err := engine.Start(context.Background(), engine.NoSession())
	if err != nil {
		panic(err)
	}
	p, err := engine.SpawnProcs(e.Context(), engine.Dim("gpus", 2))
	if err != nil {
		panic(err)
	}
	acc, err := engine.Spawn(e.Context(), p, "acc", Acc{})
	if err != nil {
		panic(err)
	}
	pids, err := engine.Query(acc, (*Acc).Pid).Call(e.Context())
	if err != nil {
		panic(err)
	}
	kids, err := engine.Query(acc, (*Acc).Child).Call(e.Context())
	if err != nil {
		panic(err)
	}
	for _, pid := range append(pids.Answered(), kids.Answered()...) {
		os.Stdout.WriteString(strconv.Itoa(pid) + "\n")
	}
	os.Stdout.WriteString("ready\n")
	select {}
}

// TestWorkersAndTheirChildrenEndWithAKilledController holds INV-ORPHAN.
func TestWorkersAndTheirChildrenEndWithAKilledController(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "ENGINE_TEST_PARENT=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text []byte
	buf := make([]byte, 4096)
	for !strings.Contains(string(text), "ready\n") {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("the controller ended early: %v\n%s", err, text)
		}
		text = append(text, buf[:n]...)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	fields := strings.Fields(strings.TrimSuffix(string(text), "ready\n"))
	if len(fields) != 4 {
		t.Fatalf("pids %q, want 2 workers and 2 children", fields)
	}
	for _, f := range fields {
		pid, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the end of pid "+f, time.Second, func() bool { return !alive(pid) })
	}
}

func TestAWorkerThatDiesBeforeItsHelloIsReportedWithItsWords(t *testing.T) {
	ctx := enginetest.Processes(t)
	_, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("gpus", 2), engine.Env("ENGINE_TEST_DIE=1"))
	if err == nil {
		t.Fatal("want an error")
	}
	for _, want := range []string{"spawn procs p:", "exited with code 2", "before it reached engine.Main", "flag provided but not defined: -worker"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	if _, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("gpus", 1)); err != nil {
		t.Errorf("the name is not free again: %v", err)
	}
}

func TestATypeThatTheWorkerDoesNotKnowIsNamed(t *testing.T) {
	ctx := enginetest.Processes(t)
	p, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 1), engine.Env("ENGINE_TEST_FORGET=1"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = engine.Spawn(ctx, p, "f", Forgotten{})
	if err == nil || !strings.Contains(err.Error(), "Forgotten is not registered in the worker") {
		t.Errorf("error %v", err)
	}
	if _, err := engine.Spawn(ctx, p, "f", Acc{}); err != nil {
		t.Errorf("the name is not free again: %v", err)
	}
}

func TestBadShapesAndNamesAreRefusedBeforeAnythingStarts(t *testing.T) {
	ctx := local(t)
	for want, opts := range map[string][]engine.ProcOption{
		"gpus":                    {engine.Dim("gpus", 0)},
		"-1":                      {engine.Dim("gpus", -1)},
		"at most 65536 fit":       {engine.Dim("a", 300), engine.Dim("b", 300)},
		"name \"1x\"":             {engine.Name("1x"), engine.Dim("gpus", 1)},
		"want KEY=value":          {engine.Dim("gpus", 1), engine.Env("novalue")},
		"-1 CPUs for each worker": {engine.Dim("gpus", 1), engine.CPUs(-1)},
	} {
		if _, err := engine.SpawnProcs(ctx, opts...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	p := procs(t, ctx, "p", 1)
	if _, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("gpus", 1)); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("second p: %v", err)
	}
	spawnOn(t, ctx, p, "m", Acc{})
	if _, err := engine.Spawn(ctx, p, "m", Acc{}); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("second m: %v", err)
	}
}

func TestTooManyProcessesAreRefusedWithTheSum(t *testing.T) {
	ctx := enginetest.Processes(t)
	_, err := engine.SpawnProcs(ctx, engine.Dim("a", 60_000))
	if err == nil || !strings.Contains(err.Error(), "MiB are available") || !strings.Contains(err.Error(), "in-process") {
		t.Errorf("error %v", err)
	}
}

func TestStopDrainsThenRunsOnStopThenFreesTheName(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		port, recv, err := engine.Channel[string](ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer recv.Close()
		ctx, cancel := context.WithTimeout(ctx, time.Minute) // a message that was lost must not hang the tests
		defer cancel()
		p := procs(t, ctx, "p", 1)
		h := spawnOn(t, ctx, p, "h", Hooked{Tell: port})
		if err := engine.Action(h, (*Hooked).Slow).Broadcast(ctx, 30*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if err := h.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		var got []string
		for range 3 {
			s, err := recv.Recv(ctx)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, s)
		}
		if want := []string{"start 0", "slow done", "stop 0 <nil>"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if err := engine.Action(h, (*Hooked).Slow).Call(ctx, 0); !errors.Is(err, engine.ErrStopped) {
			t.Errorf("a call after the stop: %v", err)
		}
		if err := engine.Action(h, (*Hooked).Slow).Broadcast(ctx, 0); !errors.Is(err, engine.ErrStopped) {
			t.Errorf("a broadcast after the stop: %v", err)
		}
		spawnOn(t, ctx, p, "h", Hooked{Tell: port})
	})
}

func TestAFailedOnStartEndsTheWholeSpawn(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		port, recv, err := engine.Channel[string](ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer recv.Close()
		p := procs(t, ctx, "p", 3)
		_, err = engine.Spawn(ctx, p, "h", Hooked{Tell: port, Fail: true})
		if err == nil || !strings.Contains(err.Error(), "rank [1] of 3 did not start: OnStart: no luck on this rank") {
			t.Errorf("error %v", err)
		}
		spawnOn(t, ctx, p, "h", Hooked{Tell: port})
	})
}

func TestKillOfASliceGivesItsCallersTheirOutcomeAndLeavesTheRest(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		acc := spawn(t, ctx, "acc", 3, Acc{})
		block := engine.Signal(acc.Slice(at(1)), (*Acc).Block).Start(ctx)
		if _, err := engine.Query(acc.Slice(at(0)), (*Acc).Sum).CallOne(ctx); err != nil {
			t.Fatal(err)
		}
		if err := acc.Slice(at(1)).Kill(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := block.All(ctx); !errors.Is(err, engine.ErrStopped) { // lost, or not sent when the kill overtook it
			t.Errorf("the blocked call ended with %v", err)
		}
		vals, err := engine.Query(acc, (*Acc).Sum).Call(ctx)
		if len(vals.Answered()) != 2 || !errors.Is(err, engine.ErrStopped) {
			t.Errorf("%d values, %v", len(vals.Answered()), err)
		}
		if err := acc.Slice(at(0)).Stop(ctx); err == nil || !strings.Contains(err.Error(), "stops as a whole") {
			t.Errorf("stop of a slice: %v", err)
		}
	})
}

// TestAnEndThatWasOrderedIsToldFromOneThatWasNot kills one process, lets one kill itself where there are processes, and
// stops the rest.
func TestAnEndThatWasOrderedIsToldFromOneThatWasNot(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		if err := handleAll(ctx); err != nil {
			t.Fatal(err)
		}
		pm := procs(t, ctx, "p", 3)
		m := spawnOn(t, ctx, pm, "m", Acc{})
		p := listen(t, frontEnd(t, e), control.TopicState)
		ended := func(rank int) *control.Proc {
			for i := range p.pic.Procs {
				if x := &p.pic.Procs[i]; x.Mesh == "p" && x.Rank == rank && (x.State == "killed" || x.State == "exited") {
					return x
				}
			}
			return nil
		}
		if err := pm.Slice(at(0)).Kill(ctx); err != nil {
			t.Fatal(err)
		}
		p.until("the end of the one that was killed", func() bool { return ended(0) != nil })
		if x := ended(0); !x.Ordered {
			t.Errorf("%s (%s) is not said to be ordered", x.State, x.Reason)
		}
		if p.pic.Procs[0].PID != 0 { // in this process it would be the end of the test
			_ = engine.Signal(m.Slice(at(1)), (*Acc).Die).Start(ctx)
			p.until("the end of the one that killed itself", func() bool { return ended(1) != nil })
			if x := ended(1); x.Ordered {
				t.Errorf("%s (%s) is said to be ordered", x.State, x.Reason)
			}
		}
		if err := pm.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		p.until("the end of the others", func() bool { return ended(2) != nil })
		if x := ended(2); !x.Ordered {
			t.Errorf("%s (%s) is not said to be ordered", x.State, x.Reason)
		}
	})
}

// Lingerer takes as long for its last words as it may.
type Lingerer struct{ Tell engine.Port[string] }

// Ping does nothing.
func (*Lingerer) Ping(context.Context) error { return nil }

// OnStop tells when it begins, and why it was not to go on.
func (l *Lingerer) OnStop(ctx context.Context, _ error) {
	_ = l.Tell.Send(ctx, "stopping")
	<-ctx.Done()
	_ = l.Tell.Send(context.WithoutCancel(ctx), ctx.Err().Error())
}

func TestAKillEndsTheOnStopThatAStopWaitsFor(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		port, recv, err := engine.Channel[string](ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer recv.Close()
		m := spawn(t, ctx, "m", 1, Lingerer{Tell: port})
		stopped := make(chan error, 1)
		go func() { stopped <- m.Stop(ctx) }()
		if s, err := recv.Recv(ctx); err != nil || s != "stopping" {
			t.Fatalf("heard %q, %v", s, err)
		}
		if err := errors.Join(m.Kill(ctx), <-stopped); err != nil {
			t.Error(err)
		}
		if s, err := recv.Recv(ctx); err != nil || s != context.Canceled.Error() { // not the deadline of the hook
			t.Errorf("heard %q, %v", s, err)
		}
	})
}

func TestAnEndOfAProcessNamesTheActorsThatDiedWithIt(t *testing.T) {
	ctx := enginetest.Processes(t)
	heard := rootHears(t, ctx)
	p := procs(t, ctx, "p", 2)
	var first engine.Mesh[Acc]
	for i := range 6 {
		m := spawnOn(t, ctx, p.Slice(engine.Span("gpus", 1, 2)), fmt.Sprint("m", i), Acc{})
		if i == 0 {
			first = m
		}
	}
	elsewhere := spawnOn(t, ctx, p.Slice(engine.Span("gpus", 0, 1)), "elsewhere", Acc{})
	if err := engine.Signal(first, (*Acc).Die).Broadcast(ctx); err != nil {
		t.Fatal(err)
	}
	f := <-heard
	if want := "was killed by SIGKILL; @m0[0], @m1[0], @m2[0], @m3[0] and 2 more actors died with it"; !strings.HasSuffix(f.What, want) || f.Mesh != "p" || f.Rank != 1 {
		t.Errorf("%+v, want %s", f, want)
	}
	if want := "[@m0[0] @m1[0] @m2[0] @m3[0] @m4[0] @m5[0]]"; fmt.Sprint(f.Died) != want {
		t.Errorf("died: %v, want %s", f.Died, want)
	}
	if _, err := engine.Query(elsewhere, (*Acc).Sum).CallOne(ctx); err != nil {
		t.Error(err)
	}
}

// TestAnIdleWorkerSleeps counts how often the threads of a worker that nobody calls give up their CPU, in the calmest of five times
// two seconds: what else goes on here only adds to that. It wakes for the heartbeat of its controller, every 750 ms, and for nothing else.
func TestAnIdleWorkerSleeps(t *testing.T) {
	ctx := enginetest.Processes(t)
	pid, err := engine.Query(spawn(t, ctx, "acc", 1, Acc{}), (*Acc).Pid).CallOne(ctx)
	if err != nil {
		t.Fatal(err)
	}
	least := math.MaxInt
	for range 5 {
		before := switches(t, pid)
		time.Sleep(2 * time.Second) // real: it is another process that is measured
		least = min(least, switches(t, pid)-before)
	}
	if least > 4 || least < 2 {
		t.Errorf("its threads gave up their CPU %d times in its calmest two seconds, want 2 to 4", least)
	}
}

// switches is how often the threads of a process have given up their CPU to wait for something.
func switches(t *testing.T, pid int) (n int) {
	t.Helper()
	list, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(list) == 0 {
		t.Skip("this system does not count that")
	}
	for _, name := range list {
		b, err := os.ReadFile(name)
		if err != nil { // the thread has ended
			continue
		}
		_, rest, _ := strings.Cut(string(b), "\nvoluntary_ctxt_switches:")
		line, _, _ := strings.Cut(rest, "\n")
		count, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		n += count
	}
	return n
}
