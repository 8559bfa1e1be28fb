//go:build linux

package hosts

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// treeSwarm is a mesh to which messages go by agents while things happen to its processes and links.
type treeSwarm struct {
	t        *testing.T
	ctx      context.Context
	seed     uint64
	rnd      *rand.Rand // of what is done
	procs    engine.ProcMesh
	senders  []*sender
	front    *control.Client
	log      byAgents
	programs []string

	over      chan struct{} // closed when no more is sent
	cut       atomic.Bool   // the agent of the second host was killed
	did       []string      // in order
	counts    [swarmKinds]atomic.Int64
	moving    chan struct{} // holds one while ranks move
	turn      int           // of reloads
	reloading sync.WaitGroup

	mu      sync.Mutex
	reloads []string // what came of them
}

func (s *treeSwarm) isOver() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}

// What became of messages to a rank.
const (
	swarmAnswered = iota
	swarmLost
	swarmGivenUp
	swarmKinds
)

// swarmMortal are the ranks whose processes are killed.
var swarmMortal = [treeRanks]bool{1: true, 6: true}

// mortal reports whether a rank may fail.
func (s *treeSwarm) mortal(rank int) bool {
	return swarmMortal[rank] || rank >= treeRanks/2 && s.cut.Load()
}

func (s *treeSwarm) complain(format string, args ...any) {
	s.t.Helper()
	s.t.Errorf("SWARM_SEED=%d: %s", s.seed, fmt.Sprintf(format, args...))
}

// note notes what is done to the mesh.
func (s *treeSwarm) note(format string, args ...any) {
	s.did = append(s.did, fmt.Sprintf(format, args...))
}

// pids are the processes of a rank that lives, and its agent.
func (s *treeSwarm) pids(rank int) (worker, agent int) {
	snap, err := s.front.Snapshot(s.ctx)
	if err != nil {
		s.complain("%v", err)
		return 0, 0
	}
	for _, p := range snap.Procs {
		if p.Mesh == "p" && p.Rank == rank && !p.Over() {
			worker = p.PID
		}
	}
	for _, h := range snap.Hosts {
		if h.Index == rank/(treeRanks/2) {
			agent = h.PID
		}
	}
	return worker, agent
}

// stand has a process stand still for a while.
func (s *treeSwarm) stand(pid int, d time.Duration) {
	if pid == 0 {
		return
	}
	_ = syscall.Kill(pid, syscall.SIGSTOP) // it may have ended
	time.Sleep(d)
	_ = syscall.Kill(pid, syscall.SIGCONT)
}

// nemesis does something to the mesh.
func (s *treeSwarm) nemesis() {
	rnd := s.rnd
	rank, long := rnd.IntN(treeRanks), time.Duration(5+rnd.IntN(150))*time.Millisecond
	on := s.procs.Slice(engine.At("hosts", rank/(treeRanks/2)), engine.At("gpus", rank%(treeRanks/2)))
	if rnd.IntN(3) == 0 {
		on = s.procs.Slice(engine.At("hosts", rank/(treeRanks/2)))
	}
	worker, agent := s.pids(rank)
	switch rnd.IntN(9) {
	case 0:
		rank = []int{1, 6}[rnd.IntN(2)]
		worker, _ = s.pids(rank)
		s.note("kill %d", rank)
		if worker > 0 {
			_ = syscall.Kill(worker, syscall.SIGKILL)
		}
	case 1, 2:
		select {
		case s.moving <- struct{}{}:
			s.note("reload")
			s.turn++
			program, batch := s.programs[s.turn%2], []int{0, 2, control.MaxReloadBatch}[s.turn%3]
			s.reloading.Go(func() { s.reload(program, batch) })
		default:
		}
	case 3, 4, 5:
		f := engine.Fault{On: on, Controller: rnd.IntN(2) == 0, For: 2 * long, Seed: rnd.Uint64() | 1}
		switch f.Kind = []string{"delay", "drop", "rate", "partition"}[rnd.IntN(4)]; f.Kind {
		case "delay":
			f.Delay, f.Jitter = time.Duration(rnd.IntN(10))*time.Millisecond, time.Duration(rnd.IntN(10))*time.Millisecond
		case "drop":
			f.Percent = float64(5 + rnd.IntN(50))
		case "rate":
			f.Rate = 20_000 + rnd.Int64N(1<<20)
		}
		f.Way = []string{"", control.WayIn, control.WayOut}[rnd.IntN(3)]
		s.note("%s %v %v %v", f.Kind, rank, f.Controller, f.Way)
		if _, err := engine.Inject(s.ctx, f); err != nil { // a rank may not run now
			s.note("no fault: %v", err)
		}
	case 6:
		s.note("stand agent %d %v", rank, long)
		s.stand(agent, long)
	case 7:
		s.note("stand %d %v", rank, long)
		s.stand(worker, long)
	case 8:
		s.note("break %d", rank)
		site := []string{control.SiteRecv, control.SiteReply}[rnd.IntN(2)]
		if _, err := s.front.Breaks(s.ctx, control.BreaksReq{Set: &control.Breakpoint{Mesh: "twigs", Endpoint: "Take", Ranks: fmt.Sprint(rank), Once: true, Site: site}}); err != nil {
			s.complain("%v", err)
		}
	}
}

// letGo lets whoever stops go on after a while, until the watch ends.
func (s *treeSwarm) letGo(w *control.Watch) {
	for {
		up, err := w.Next(s.ctx)
		if err != nil {
			return
		}
		for _, ev := range up.Events {
			if ev.Stop != nil && !ev.Stop.Gone {
				ref := control.StopRef{ID: ev.Stop.Stop.ID, Gen: ev.Stop.Stop.Gen}
				time.AfterFunc(50*time.Millisecond, func() {
					_, _ = s.front.Resume(s.ctx, control.ResumeReq{Stops: []control.StopRef{ref}}) // its process may have ended
				})
			}
		}
	}
}

// reload moves the ranks to another build.
func (s *treeSwarm) reload(program string, batch int) {
	defer func() { <-s.moving }()
	rec, err := s.procs.Reload(s.ctx, engine.ReloadProgram(program), engine.ReloadBatch(batch))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reloads = append(s.reloads, fmt.Sprintf("%d moved, %v", rec.Moved, err))
}

// growSwarm begins a session.
func growSwarm(t *testing.T, seed uint64) *treeSwarm {
	t.Helper()
	t.Setenv("GORACE", "atexit_sleep_ms=0 halt_on_error=1") // a race in a worker is its end, which a call tells
	s := &treeSwarm{t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 0)), over: make(chan struct{}), moving: make(chan struct{}, 1), log: byAgents{make(chan struct{}, 10_000)}}
	e := start(t, engine.Wide(2), engine.Output(nil, os.Stderr), engine.Log(slog.New(s.log)))
	s.ctx = e.Context()
	if _, err := engine.Supervise(s.ctx, func(context.Context, engine.Failure) engine.Decision { return engine.Handled }); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.procs, err = engine.SpawnProcs(s.ctx, engine.Name("p"), engine.Hosts("n1", "n2"), engine.Dim("gpus", treeRanks/2), engine.Virtual(), engine.Via("ssh", "ssh", login(t)), engine.RestartProcs(1000, time.Hour)); err != nil {
		t.Fatal(err)
	}
	mesh, err := engine.Spawn(s.ctx, s.procs, "twigs", Twig{})
	if err != nil {
		t.Fatal(err)
	}
	s.programs = []string{anotherBuild(t, "v2"), anotherBuild(t, "v3")}
	s.front = control.InProcess(e.Backend(), control.ClientInfo{Name: "nemesis"})
	w, err := s.front.Watch(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	var watching sync.WaitGroup
	watching.Go(func() { s.letGo(w) })
	t.Cleanup(func() {
		w.Close()
		watching.Wait()
		_ = s.front.Close()
	})
	for i := range 6 {
		s.senders = append(s.senders, &sender{treeSwarm: s, name: fmt.Sprint("s", i), rnd: rand.New(rand.NewPCG(seed, uint64(100+i))), mesh: mesh})
	}
	return s
}

// play has things happen for so long, while messages are sent.
func (s *treeSwarm) play(lasts time.Duration) {
	var sending sync.WaitGroup
	for _, x := range s.senders {
		sending.Go(func() {
			for !s.isOver() {
				x.batch()
			}
		})
	}
	for began := time.Now(); time.Since(began) < lasts && !s.t.Failed(); {
		s.nemesis()
		time.Sleep(time.Duration(s.rnd.IntN(250)) * time.Millisecond) // the nemesis's own pace
	}
	s.reloading.Wait()
	if s.rnd.IntN(2) == 0 {
		s.note("the agent of n2 is killed")
		_, agent := s.pids(treeRanks - 1)
		s.cut.Store(true)
		_ = syscall.Kill(agent, syscall.SIGKILL)
	}
	if _, err := s.front.Heal(s.ctx, control.HealReq{All: true}); err != nil {
		s.complain("%v", err)
	}
	close(s.over)
	sending.Wait()
}

// playTree is a session of a seed.
func playTree(t *testing.T, seed uint64, lasts time.Duration) {
	t.Helper()
	s := growSwarm(t, seed)
	s.play(lasts)
	for _, x := range s.senders { // in the end everybody knows what has come
		x.last()
	}
	limit, cancel := context.WithTimeout(s.ctx, hangTime)
	defer cancel()
	if err := s.senders[0].mesh.Stop(limit); err != nil && !s.cut.Load() {
		s.complain("%v", err)
	}
	t.Logf("seed %d: %d answered, %d lost, %d given up; %d times a rank was reached by its agent anew", seed, s.counts[swarmAnswered].Load(), s.counts[swarmLost].Load(), s.counts[swarmGivenUp].Load(), len(s.log.came))
	if t.Failed() || testing.Verbose() {
		t.Logf("what was done: %q; reloads: %q", s.did, s.reloads)
	}
}

// TestEveryMessageOfASwarmByAgentsHasOneOutcome while ranks move to other builds, links lose packets, and processes die or stand still.
func TestEveryMessageOfASwarmByAgentsHasOneOutcome(t *testing.T) {
	number := func(name, without string) uint64 {
		n, err := strconv.ParseUint(cmp.Or(os.Getenv(name), without), 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return n
	}
	from, count := number("SWARM_FROM", "1"), number("SWARM_SEEDS", "1")
	if seed := number("SWARM_SEED", "0"); seed > 0 {
		from, count = seed, 1
	}
	lasts, err := time.ParseDuration(cmp.Or(os.Getenv("SWARM_FOR"), "0"))
	if err != nil {
		t.Fatalf("SWARM_FOR: %v", err)
	}
	each := time.Second
	if lasts > 0 || count > 1 {
		each = 5 * time.Second
	}
	for began, seed := time.Now(), from; (seed < from+count || time.Since(began) < lasts) && !t.Failed(); seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { playTree(t, seed, each) })
	}
}
