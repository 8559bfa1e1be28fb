//go:build linux

package hosts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// byAgents is a slog.Handler that counts the processes to which messages go by their agents.
type byAgents struct{ came chan struct{} }

func (byAgents) Enabled(context.Context, slog.Level) bool { return true }
func (h byAgents) WithAttrs([]slog.Attr) slog.Handler     { return h }
func (h byAgents) WithGroup(string) slog.Handler          { return h }
func (h byAgents) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "messages to many ranks go by the agent" {
		h.came <- struct{}{}
	}
	return nil
}

// tree is a mesh of eight ranks on two hosts, to which messages go by agents.
type tree struct {
	ctx   context.Context
	procs engine.ProcMesh
	mesh  engine.Mesh[Leaf]
	e     *engine.Engine
	log   byAgents
}

const treeRanks = 8

func growTree(t *testing.T, opts ...engine.ProcOption) *tree {
	t.Helper()
	log := byAgents{make(chan struct{}, 1000)}
	e := start(t, engine.Wide(2), engine.Log(slog.New(log)))
	x := &tree{ctx: e.Context(), e: e, log: log}
	if len(opts) == 0 {
		opts = []engine.ProcOption{engine.Via("ssh", "ssh", login(t))}
	}
	var err error
	if x.procs, err = engine.SpawnProcs(x.ctx, append([]engine.ProcOption{engine.Name("p"), engine.Hosts("n1", "n2"), engine.Dim("gpus", treeRanks/2), engine.Virtual()}, opts...)...); err != nil {
		t.Fatal(err)
	}
	if x.mesh, err = engine.Spawn(x.ctx, x.procs, "leaves", Leaf{}); err != nil {
		t.Fatal(err)
	}
	x.grown(t, treeRanks)
	return x
}

// grown calls all ranks, and waits until so many can be reached by their agents.
func (x *tree) grown(t *testing.T, n int) {
	t.Helper()
	if _, err := engine.Query(x.mesh, (*Leaf).Count).Call(x.ctx); err != nil {
		t.Fatal(err)
	}
	for range n {
		select {
		case <-x.log.came:
		case <-time.After(20 * time.Second):
			t.Fatal("the workers have made no links to their agents")
		}
	}
}

func (x *tree) rank(i int) engine.Mesh[Leaf] {
	return x.mesh.Slice(engine.At("hosts", i/(treeRanks/2)), engine.At("gpus", i%(treeRanks/2)))
}

// TestMessagesThatGoByAgentsKeepTheirOrder among those that do not, in both directions: calls of all and of one, broadcasts, calls
// that are cancelled, and the values of ports.
func TestMessagesThatGoByAgentsKeepTheirOrder(t *testing.T) {
	x := growTree(t)
	var ports [treeRanks]engine.Port[int]
	var values [treeRanks]*engine.Receiver[int]
	for i := range ports {
		var err error
		if ports[i], values[i], err = engine.Channel[int](x.ctx); err != nil {
			t.Fatal(err)
		}
		defer values[i].Close()
	}
	random := rand.New(rand.NewPCG(1, 2))
	expired, cancel := context.WithCancel(x.ctx)
	cancel()
	for n, round := 0, 0; round < 400; round++ {
		var waits []func() error
		for range 1 + random.IntN(8) {
			n++
			arg, rank := NextArg{N: n}, random.IntN(treeRanks)
			switch random.IntN(6) {
			case 0, 1:
				f := engine.Method(x.mesh, (*Leaf).Next).Start(x.ctx, arg)
				waits = append(waits, func() error { _, err := f.All(x.ctx); return err })
			case 2:
				arg.Port = ports[rank]
				f := engine.Method(x.rank(rank), (*Leaf).Next).Start(x.ctx, arg)
				waits = append(waits, func() error {
					if _, err := f.One(x.ctx); err != nil {
						return err
					}
					if v, err := values[rank].Recv(expired); err != nil || v != arg.N { // what was sent before the answer is there before it
						return fmt.Errorf("the answer is here, and the port has %d, %w; want %d", v, err, arg.N)
					}
					return nil
				})
			case 3:
				f := engine.Method(x.rank(rank), (*Leaf).Next).Start(x.ctx, arg)
				waits = append(waits, func() error { _, err := f.One(x.ctx); return err })
			case 4:
				if err := engine.Method(x.mesh, (*Leaf).Next).Broadcast(x.ctx, arg); err != nil {
					t.Fatal(err)
				}
			case 5: // whether it is handled nobody knows; what comes after it must not come before it
				ctx, stop := context.WithCancel(x.ctx)
				f := engine.Method(x.mesh, (*Leaf).Next).Start(ctx, arg)
				stop()
				_, _ = f.All(x.ctx)
			}
		}
		for _, wait := range waits {
			if err := wait(); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
	}
}

// TestWhoIsSlowHoldsNobodyUpBehindAnAgent: the others' values come, and who is slow can be called beside it.
func TestWhoIsSlowHoldsNobodyUpBehindAnAgent(t *testing.T) {
	x := growTree(t)
	got := 0
	for rank, err := range engine.Method(x.mesh, (*Leaf).Wait).Stream(x.ctx, []int{1, 6}) {
		if err != nil {
			t.Fatal(err)
		}
		_ = rank
		if got++; got == treeRanks-2 {
			for _, i := range []int{1, 6} {
				if _, err := engine.Query(x.rank(i), (*Leaf).Release).CallOne(x.ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if got != treeRanks {
		t.Errorf("%d ranks have answered", got)
	}
}

// ends has a call of all ranks wait at two, and end with its context; it reports whether both were waiting by then, and checks how they
// were told.
func (x *tree) ends(t *testing.T, ctx context.Context, end func(), want error) bool {
	t.Helper()
	f := engine.Method(x.mesh, (*Leaf).Wait).Start(ctx, []int{2, 5})
	for _, i := range []int{2, 5} {
		if _, err := engine.Query(x.rank(i), (*Leaf).Began).CallOne(ctx); err != nil {
			return false
		}
	}
	end()
	got, err := f.All(x.ctx)
	if failures(got) < 2 || !errors.Is(err, want) {
		t.Errorf("%d ranks have no value: %v", failures(got), err)
	}
	for _, i := range []int{2, 5} {
		if why, err := engine.Query(x.rank(i), (*Leaf).Ended).CallOne(x.ctx); err != nil || why != want.Error() {
			t.Errorf("the handler of rank %d has ended by %q, %v; want %v", i, why, err, want)
		}
	}
	return true
}

// TestACallByAgentsEndsAsItsCallersContext for the caller, and for the handlers.
func TestACallByAgentsEndsAsItsCallersContext(t *testing.T) {
	x := growTree(t)
	ctx, cancel := context.WithCancel(x.ctx)
	if !x.ends(t, ctx, cancel, context.Canceled) {
		t.Error("nobody waits")
	}
	for limit := 500 * time.Millisecond; ; limit *= 2 { // until it is enough for all to begin
		ctx, cancel := context.WithTimeout(x.ctx, limit)
		done := x.ends(t, ctx, func() {}, context.DeadlineExceeded)
		cancel()
		if done {
			break
		}
	}
}

// TestAWorkerThatDiesBehindAnAgentCostsItsOwnValue, and begins another life that is reached by its agent.
func TestAWorkerThatDiesBehindAnAgentCostsItsOwnValue(t *testing.T) {
	x := growTree(t, engine.Via("ssh", "ssh", login(t)), engine.RestartProcs(5, time.Minute))
	for round := range 3 {
		before := engine.Method(x.mesh, (*Leaf).Next).Start(x.ctx, NextArg{N: round + 1})
		got, err := engine.Method(x.mesh, (*Leaf).Die).Call(x.ctx, 5)
		if failures(got) != 1 || !errors.Is(err, engine.ErrLost) {
			t.Fatalf("%d ranks have no value: %v", failures(got), err)
		}
		for p, err := range got.Errors() {
			if err != nil && p.Rank != 5 {
				t.Errorf("rank %d: %v", p.Rank, err)
			}
		}
		if all, err := before.All(x.ctx); err != nil || failures(all) != 0 { // it was answered before
			t.Errorf("a rank that has answered has no value: %v", err)
		}
		if x.mesh, err = x.mesh.Resolve(x.ctx); err != nil {
			t.Fatal(err)
		}
		x.grown(t, 1)
		for range 3 {
			if _, err := engine.Query(x.mesh, (*Leaf).Count).Call(x.ctx); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestAnAgentThatDiesCostsTheRanksOfItsHost and no others.
func TestAnAgentThatDiesCostsTheRanksOfItsHost(t *testing.T) {
	x := growTree(t)
	pid, err := engine.Query(x.rank(6), (*Leaf).Agent).CallOne(x.ctx)
	if err != nil {
		t.Fatal(err)
	}
	got, lost := 0, 0
	for _, err := range engine.Method(x.mesh, (*Leaf).Wait).Stream(x.ctx, []int{6}) {
		switch {
		case errors.Is(err, engine.ErrLost):
			lost++
		case err != nil:
			t.Error(err)
		default:
			if got++; got == treeRanks-1 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	if got != treeRanks-1 || lost != 1 {
		t.Errorf("%d values, %d lost", got, lost)
	}
	all, err := engine.Query(x.mesh, (*Leaf).Count).Call(x.ctx)
	if failures(all) != treeRanks/2 || !errors.Is(err, engine.ErrLost) {
		t.Errorf("%d ranks have no value: %v", failures(all), err)
	}
}

// TestLargeArgumentsAndResultsGoByAgents, among small ones.
func TestLargeArgumentsAndResultsGoByAgents(t *testing.T) {
	x := growTree(t)
	for round, size := range []int{1 << 20, 100, 40 << 10, 8 << 20, 100 << 10, 10, 130 << 10} {
		arg := bytes.Repeat([]byte{byte(round + 1)}, size)
		first := engine.Method(x.mesh, (*Leaf).Echo).Start(x.ctx, arg)
		then := engine.Method(x.mesh, (*Leaf).Next).Start(x.ctx, NextArg{N: round + 1})
		got, err := first.All(x.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for p, b := range got.Items() {
			if want := arg[:size*(1+p.Rank)/8]; !bytes.Equal(b, want) {
				t.Errorf("of %d bytes rank %d gave %d back", size, p.Rank, len(b))
			}
		}
		if _, err := then.All(x.ctx); err != nil {
			t.Error(err)
		}
	}
}

// stopped waits until a frame has stopped, which a front end is told.
func stopped(t *testing.T, ctx context.Context, w *control.Watch) control.Stop {
	t.Helper()
	limit, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		up, err := w.Next(limit)
		if err != nil {
			t.Fatal("nobody has stopped: ", err)
		}
		for _, ev := range up.Events {
			if ev.Stop != nil && !ev.Stop.Gone {
				return ev.Stop.Stop
			}
		}
	}
}

// TestOneRankStopsAtABreakpointBehindAnAgent, and the others answer.
func TestOneRankStopsAtABreakpointBehindAnAgent(t *testing.T) {
	x := growTree(t)
	front := control.InProcess(x.e.Backend(), control.ClientInfo{Name: "front"})
	defer front.Close()
	w, err := front.Watch(x.ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := front.Breaks(x.ctx, control.BreaksReq{Set: &control.Breakpoint{Mesh: "leaves", Endpoint: "Next", Ranks: "6"}}); err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, err := range engine.Method(x.mesh, (*Leaf).Next).Stream(x.ctx, NextArg{N: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		if got++; got < treeRanks-1 {
			continue
		}
		if got == treeRanks {
			break
		}
		st := stopped(t, x.ctx, w)
		if st.Rank != 6 {
			t.Errorf("%+v", st)
		}
		if out, err := front.Resume(x.ctx, control.ResumeReq{Stops: []control.StopRef{{ID: st.ID, Gen: st.Gen}}}); err != nil || out[0].Error != "" {
			t.Fatal(out, err)
		}
	}
	if got != treeRanks {
		t.Errorf("%d ranks have answered", got)
	}
}

// TestAnActorThatIsFarBehindHoldsNobodyUp: messages to all ranks wait for a place at one of them, and the others have theirs.
func TestAnActorThatIsFarBehindHoldsNobodyUp(t *testing.T) {
	x := growTree(t)
	holds, release := context.WithCancel(x.ctx)
	defer release()
	held := engine.Method(x.mesh, (*Leaf).Wait).Start(holds, []int{3})
	const places = 4096 // of a sender at an actor; the call has one
	done := make(chan error, 1)
	go func() {
		var err error
		for n := 1; n <= places+100 && err == nil; n++ {
			err = engine.Method(x.mesh, (*Leaf).Next).Broadcast(x.ctx, NextArg{N: n})
		}
		done <- err
	}()
	limit, cancel := context.WithTimeout(x.ctx, 30*time.Second)
	defer cancel()
	for rank, want := range map[int]int{0: places, 2: places, 7: places - 1} { // those before the rank have had theirs
		for got := 0; got != want; time.Sleep(time.Millisecond) { // nobody is told that a sender waits
			var err error
			if got, err = engine.Query(x.rank(rank), (*Leaf).Count).CallOne(limit); err != nil || got > want {
				t.Fatalf("rank %d has taken %d messages, %v; want %d", rank, got, err, want)
			}
		}
	}
	release() // a cancellation needs no place
	if got, err := held.All(limit); failures(got) != 1 || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	counts, err := engine.Query(x.mesh, (*Leaf).Count).Call(limit)
	for _, n := range values(t, counts, err) {
		if n != places+100 {
			t.Errorf("a rank has taken %d messages", n)
		}
	}
}

// TestAStopComesBehindWhatWentByAgents: all of it is handled and answered.
func TestAStopComesBehindWhatWentByAgents(t *testing.T) {
	x := growTree(t)
	for range 5 {
		var all []*engine.Future[int]
		for n := range 50 {
			all = append(all, engine.Method(x.mesh, (*Leaf).Next).Start(x.ctx, NextArg{N: n + 1}))
		}
		if err := x.mesh.Stop(x.ctx); err != nil {
			t.Fatal(err)
		}
		for n, f := range all {
			if _, err := f.All(x.ctx); err != nil {
				t.Fatalf("message %d: %v", n+1, err)
			}
		}
		var err error
		if x.mesh, err = engine.Spawn(x.ctx, x.procs, "leaves", Leaf{}); err != nil {
			t.Fatal(err)
		}
	}
}

// agent is the process of the agent of a rank.
func (x *tree) agent(t *testing.T, rank int) int {
	t.Helper()
	pid, err := engine.Query(x.rank(rank), (*Leaf).Agent).CallOne(x.ctx)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// while does something while a process stands still.
func while(t *testing.T, pid int, do func()) {
	t.Helper()
	for _, s := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
		if s == syscall.SIGSTOP {
			do()
		}
	}
}

// TestNothingOvertakesWhatWasCancelled on its way by an agent: nobody waits for it, and what follows goes behind it all the same.
func TestNothingOvertakesWhatWasCancelled(t *testing.T) {
	x := growTree(t)
	pid := x.agent(t, 6)
	for n := 1; n < 20; n += 2 {
		var behind *engine.Future[int]
		while(t, pid, func() {
			ctx, cancel := context.WithCancel(x.ctx)
			first := engine.Method(x.mesh, (*Leaf).Next).Start(ctx, NextArg{N: n})
			cancel()
			_, _ = first.All(x.ctx)
			behind = engine.Method(x.rank(6), (*Leaf).Next).Start(x.ctx, NextArg{N: n + 1})
		})
		if _, err := behind.One(x.ctx); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := engine.Query(x.mesh, (*Leaf).Count).Call(x.ctx); err != nil {
		t.Error(err)
	}
}

// TestWhatWasGivenUpInAMailboxIsOnItsWayNoMore: what follows need not go behind it.
func TestWhatWasGivenUpInAMailboxIsOnItsWayNoMore(t *testing.T) {
	x := growTree(t)
	pid := x.agent(t, 5)
	held := engine.Method(x.mesh, (*Leaf).Wait).Start(x.ctx, []int{5})
	if _, err := engine.Query(x.rank(5), (*Leaf).Began).CallOne(x.ctx); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(x.ctx)
	given := engine.Method(x.mesh, (*Leaf).Next).Start(ctx, NextArg{N: 1})
	cancel()
	_, _ = given.All(x.ctx)
	if _, err := engine.Query(x.rank(5), (*Leaf).Release).CallOne(x.ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := held.All(x.ctx); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for direct := false; !direct; { // nobody is told when it has been answered
		if time.Since(began) > 10*time.Second {
			t.Fatal("a call still goes by the agent, though nothing is on its way there")
		}
		for range 50 { // by then its answers take its own link too
			if _, err := engine.Query(x.rank(5), (*Leaf).Count).CallOne(x.ctx); err != nil {
				t.Fatal(err)
			}
		}
		while(t, pid, func() {
			limit, cancel := context.WithTimeout(x.ctx, 500*time.Millisecond)
			defer cancel()
			_, err := engine.Query(x.rank(5), (*Leaf).Count).CallOne(limit)
			direct = err == nil
		})
	}
}
