package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

var errBadRank = engine.Sentinel("bad rank")

func TestMain(m *testing.M) {
	enginetest.Main(m, func() {
		if os.Getenv("ENGINE_TEST_DIE") != "" && engine.InWorker() {
			fmt.Fprintln(os.Stderr, "flag provided but not defined: -worker")
			os.Exit(2)
		}
		engine.Register[Acc]()
		engine.Register[engine.Linked]()
		engine.Register[Seq](engine.Concurrent((*Seq).Peek))
		engine.Register[Ring](engine.Concurrent((*Ring).Status))
		engine.Register[Parent]()
		engine.Register[Hooked]()
		registerRude()
		engine.Register[Parting]()
		engine.Register[Lone]()
		engine.Register[Lingerer]()
		engine.Register[Doomed]()
		registerTypes()
		registerFlow()
		registerPhoenix()
		engine.Register[Plotter]()
		engine.Register[Talker]()
		engine.Register[Looper]()
		engine.Register[Boss]()
		engine.Register[Courier]()
		engine.Register[Hog]()
		engine.Register[Sleeper]()
		engine.Register[Riser]()
		engine.Register[Foreman]()
		engine.Register[Clerk]()
		engine.Register[Counter]()
		engine.Register[Mirror](engine.Concurrent((*Mirror).Beside))
		engine.Register[Patient](engine.Concurrent((*Patient).Open))
		dieOnce()
		passGate()
		if os.Getenv("ENGINE_TEST_FORGET") == "" || !engine.InWorker() {
			engine.Register[Forgotten]()
		}
		if run := os.Getenv("ENGINE_TEST_MAIN"); run != "" {
			runMain(run)
		}
		if os.Getenv("ENGINE_TEST_PARENT") != "" && !engine.InWorker() {
			orphanParent()
		}
	})
}

// both runs a test on goroutines and on real worker processes.
func both(t *testing.T, f func(t *testing.T, ctx context.Context)) {
	t.Run("in-process", func(t *testing.T) { f(t, enginetest.Local(t)) })
	t.Run("processes", func(t *testing.T) { f(t, enginetest.Processes(t)) })
}

func procs(t *testing.T, ctx context.Context, name string, n int) engine.ProcMesh {
	t.Helper()
	p, err := engine.SpawnProcs(ctx, engine.Name(name), engine.Dim("gpus", n))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func spawnOn[T any](t *testing.T, ctx context.Context, p engine.ProcMesh, name string, proto T) engine.Mesh[T] {
	t.Helper()
	m, err := engine.Spawn(ctx, p, name, proto)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func spawn[T any](t *testing.T, ctx context.Context, name string, n int, proto T) engine.Mesh[T] {
	t.Helper()
	return spawnOn(t, ctx, procs(t, ctx, "p_"+name, n), name, proto)
}

func at(i int) engine.Sel { return engine.At("gpus", i) }

// Acc adds up.
type Acc struct {
	Start int

	sum  int
	peer engine.Mesh[Acc]
}

func (a *Acc) OnStart(context.Context) error { a.sum = a.Start; return nil }

// Add adds and returns the sum.
func (a *Acc) Add(ctx context.Context, n int) (int, error) {
	if n == 1000 && engine.Here(ctx).Rank%2 == 1 {
		return 0, fmt.Errorf("add %d: %w", n, errBadRank)
	}
	a.sum += n
	return a.sum, nil
}

// Sum returns the sum.
func (a *Acc) Sum(context.Context) (int, error) { return a.sum, nil }

// Boom panics.
func (a *Acc) Boom(context.Context) error { panic("boom") }

// Pair sets the peer.
func (a *Acc) Pair(ctx context.Context, other engine.Mesh[Acc]) error {
	a.peer = other.Slice(engine.Here(ctx))
	return a.peer.Err()
}

// AddToPeer adds to the peer.
func (a *Acc) AddToPeer(ctx context.Context, n int) (int, error) {
	return engine.Method(a.peer, (*Acc).Add).CallOne(ctx, n)
}

// BlockPeer waits for the peer's Block.
func (a *Acc) BlockPeer(ctx context.Context) error {
	return engine.Signal(a.peer, (*Acc).Block).CallOne(ctx)
}

// Block waits until its context ends.
func (a *Acc) Block(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// Fail returns an error.
func (a *Acc) Fail(context.Context) error { return errBadRank }

// StartEngine does what a worker must not.
func (a *Acc) StartEngine(context.Context) error {
	e, err := engine.Start(context.Background(), engine.NoSession())
	if err == nil {
		e.Close()
	}
	return err
}

// AskAll calls every rank of a mesh.
func (a *Acc) AskAll(ctx context.Context, m engine.Mesh[Acc]) error {
	_, err := engine.Query(m, (*Acc).Sum).Call(ctx)
	return err
}

// Pid is the process's id.
func (a *Acc) Pid(context.Context) (int, error) { return os.Getpid(), nil }

// Rank is the actor's own rank.
func (a *Acc) Rank(ctx context.Context) (int, error) { return engine.Here(ctx).Rank, nil }

// Where is the actor's own place.
func (a *Acc) Where(ctx context.Context) (string, error) { return engine.Here(ctx).String(), nil }

// Die kills its own process.
func (a *Acc) Die(context.Context) error {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// Say prints in both ways.
func (a *Acc) Say(ctx context.Context, s string) error {
	fmt.Fprintf(engine.Out(ctx), "out %s\n", s)
	return nil
}

// Child starts a process that outlives a careless parent.
func (a *Acc) Child(context.Context) (int, error) {
	c := exec.Command("sleep", "300")
	if err := c.Start(); err != nil {
		return 0, err
	}
	return c.Process.Pid, nil
}

// Seq records the order of what it gets.
type Seq struct {
	mu  sync.Mutex
	got []int
}

// Put records n.
func (s *Seq) Put(_ context.Context, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, n)
	return nil
}

// Got returns the record.
func (s *Seq) Got(context.Context) ([]int, error) { return s.got, nil }

// Hold blocks the actor until its context ends or a second passed.
func (s *Seq) Hold(ctx context.Context) error { <-ctx.Done(); return nil }

// Peek is concurrent: it answers while the actor is busy.
func (s *Seq) Peek(context.Context) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got), nil
}

// Ring calls on to the next link.
type Ring struct {
	next engine.Mesh[Ring]
}

// Link sets the next one.
func (r *Ring) Link(ctx context.Context, next engine.Mesh[Ring]) error {
	r.next = next.Slice(engine.Here(ctx))
	return r.next.Err()
}

// Ask waits for the next one's Ask.
func (r *Ring) Ask(ctx context.Context, n int) (int, error) {
	return engine.Method(r.next, (*Ring).Ask).CallOne(ctx, n+1)
}

// AskLater starts the next one's AskLater, and waits for it afterwards.
func (r *Ring) AskLater(ctx context.Context, n int) (int, error) {
	f := engine.Method(r.next, (*Ring).AskLater).Start(ctx, n+1)
	return f.One(ctx)
}

// Kick starts a call to the next one and does not wait.
func (r *Ring) Kick(ctx context.Context, n int) error {
	if n > 0 {
		engine.Action(r.next, (*Ring).Kick).Start(ctx, n-1)
	}
	return nil
}

// Status is concurrent.
func (r *Ring) Status(context.Context) (string, error) { return "ok", nil }

// AskStatus asks the next one, which asks back.
func (r *Ring) AskStatus(ctx context.Context, back bool) (string, error) {
	if !back {
		return engine.Query(r.next, (*Ring).Status).CallOne(ctx)
	}
	return engine.Method(r.next, (*Ring).AskStatus).CallOne(ctx, false)
}

// Parent owns meshes of its own.
type Parent struct {
	Decision engine.Decision

	kids     engine.Mesh[Acc]
	failures []string
}

// Raise spawns n children.
func (p *Parent) Raise(ctx context.Context, n int) (engine.Mesh[Acc], error) {
	name := fmt.Sprintf("kids%d", engine.Here(ctx).Rank)
	procs, err := engine.SpawnProcs(ctx, engine.Name("p_"+name), engine.Dim("gpus", n))
	if err != nil {
		return p.kids, err
	}
	p.kids, err = engine.Spawn(ctx, procs, name, Acc{Start: 1})
	return p.kids, err
}

// OnFailure records what it hears.
func (p *Parent) OnFailure(_ context.Context, f engine.Failure) engine.Decision {
	p.failures = append(p.failures, f.What)
	return p.Decision
}

// Failures returns the record.
func (p *Parent) Failures(context.Context) ([]string, error) { return p.failures, nil }

// StopOther stops a mesh it does not own.
func (p *Parent) StopOther(ctx context.Context, m engine.Mesh[Acc]) error { return m.Stop(ctx) }

// Hooked tells about its hooks through a port.
type Hooked struct {
	Tell engine.Port[string]
	Fail bool
}

// OnStart tells, and fails on rank 1 where asked to.
func (h *Hooked) OnStart(ctx context.Context) error {
	if h.Fail && engine.Here(ctx).Rank == 1 {
		return errors.New("no luck on this rank")
	}
	return h.Tell.Send(ctx, fmt.Sprintf("start %d", engine.Rank(ctx).Rank))
}

// OnStop tells.
func (h *Hooked) OnStop(ctx context.Context, cause error) {
	_ = h.Tell.Send(ctx, fmt.Sprintf("stop %d %v", engine.Here(ctx).Rank, cause))
}

// Slow takes a moment.
func (h *Hooked) Slow(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	<-t.C
	return h.Tell.Send(ctx, "slow done")
}

// Forgotten is registered in the controller only, when a test asks for it.
type Forgotten struct{}

// Ping does nothing.
func (*Forgotten) Ping(context.Context) error { return nil }

// letter is a body that says whose it is: its number, a checksum, and bytes that follow from the number. Answers have odd
// numbers.
func letter(number uint64, size int) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 12+size), number)
	b = binary.BigEndian.AppendUint32(b, 0)
	for i := range size {
		b = append(b, byte(number>>(i%4*8))^byte(i))
	}
	binary.BigEndian.PutUint32(b[8:], crc32.ChecksumIEEE(b[12:]))
	return b
}

// whole reports whether a letter is as it was written.
func whole(b []byte) bool {
	return len(b) >= 12 && bytes.Equal(b, letter(binary.BigEndian.Uint64(b), len(b)-12))
}

// fits says what is wrong with the answer to a letter.
func fits(got, asked []byte) error {
	if !bytes.Equal(got, letter(binary.BigEndian.Uint64(asked)|1, len(asked)-12)) {
		return fmt.Errorf("asked with % .16x (%d bytes), answered with % .16x (%d bytes)", asked, len(asked), got, len(got))
	}
	return nil
}

// Mirror answers letters, and looks whether those that it has got before are still whole.
type Mirror struct {
	Peer engine.Mesh[Mirror]

	mu   sync.Mutex
	kept [][]byte
}

// Answer answers a letter. It leaves somebody behind who uses its context when the letter is answered.
func (m *Mirror) Answer(ctx context.Context, b []byte) ([]byte, error) {
	if !whole(b) {
		return nil, fmt.Errorf("a spoilt letter came: % .16x (%d bytes)", b, len(b))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, old := range m.kept {
		if !whole(old) {
			return nil, fmt.Errorf("a letter that came before was spoilt: % .16x (%d bytes)", old, len(old))
		}
	}
	if m.kept = append(m.kept, b); len(m.kept) > 8 {
		m.kept = m.kept[1:]
	}
	go func() {
		<-ctx.Done()
		_, _ = engine.RandOf(ctx).Uint64(), engine.Here(ctx)
	}()
	return letter(binary.BigEndian.Uint64(b)|1, len(b)-12), nil
}

// Beside is Answer, concurrently.
func (m *Mirror) Beside(ctx context.Context, b []byte) ([]byte, error) { return m.Answer(ctx, b) }

// Pass has the peer answer.
func (m *Mirror) Pass(ctx context.Context, b []byte) ([]byte, error) {
	return engine.Method(m.Peer, (*Mirror).Answer).Choose(ctx, b)
}

// Two answers a letter that comes in two parts, by reflection.
func (m *Mirror) Two(ctx context.Context, a, b []byte) ([]byte, error) {
	return m.Answer(ctx, append(a, b...))
}
