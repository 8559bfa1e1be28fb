package engine

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// While a rank moves to another build, each process holds what it has for it. The windows that count what is on its way there
// are shut: a sender finds no place, as at an actor that is behind, and waits in the order in which it would have sent. What has a
// place already is handled by the old build, whose replies give the places back; when none is taken, nothing is on its way.
//
// What the rank itself waits for must not wait for the rank: who sends in a handler that a moving process waits for (its chain
// says so) finds a place as before.

// ErrMoving: the rank is moving to another build of the program, and the reload says that nothing waits for that.
var ErrMoving = Sentinel("the rank moves to another build")

// shut marks a window that takes nothing for now.
const shut = taken(1) << 61

// Names of the engine's messages about moves.
const (
	sysHold    = "hold"    // request, note: controller → process, ranks move; the answer comes when nothing is on its way to them
	sysArrived = "arrived" // note: controller → process, ranks have moved, or stay
)

// move is a process that moves, as its senders see it.
type move struct {
	fail bool          // what would be sent there is not sent
	over chan struct{} // closed when it has moved, or stays
}

// moves are the processes that move. windows.mu guards it, but for any.
type moves struct {
	byProc map[uint64]*move
	any    atomic.Int32
	kick   chan struct{} // closed and replaced when it has changed who waits for whom; nil: nobody waits
}

// of is the move of a process; nil: it does not move.
func (m *moves) of(proc uint64) *move { return m.byProc[proc] }

// letIn reports whether a message may go to a process that moves: that waits for it. The caller holds windows.mu.
func (m *moves) letIn(to uint64, p *pendingSend) bool {
	if m.byProc[to] == nil {
		return true
	}
	if p.act == nil {
		return false
	}
	p.act.mu.Lock()
	defer p.act.mu.Unlock()
	return slices.ContainsFunc(p.act.chain, func(e quicnet.ChainEntry) bool { return m.byProc[e.Proc] != nil })
}

// takeFor is take, in a shut window too where in says so.
func (w *window) takeFor(bytes int, in bool) (ok, by bool) {
	for {
		is := taken(w.used.Load())
		if is < 0 || is&shut != 0 && !in || is.messages() >= windowSize || is.bytes() >= windowBytes {
			return false, false
		}
		now := is.turn(false) + takenBy(1, bytes)
		if w.used.CompareAndSwap(int64(is), int64(now)) {
			return true, now&detoured != 0
		}
	}
}

// awaitMove waits until a message may go to a process, if that moves.
func (ws *windows) awaitMove(ctx context.Context, to quicnet.Addr, p *pendingSend) error {
	for ws.moves.any.Load() > 0 {
		ws.mu.Lock()
		mv := ws.moves.of(to.Proc)
		if mv == nil || ws.moves.letIn(to.Proc, p) {
			ws.mu.Unlock()
			return nil
		}
		if ws.moves.kick == nil {
			ws.moves.kick = make(chan struct{})
		}
		kick := ws.moves.kick
		ws.mu.Unlock()
		if mv.fail {
			return movingError(p.to, p.index)
		}
		select {
		case <-mv.over:
		case <-kick:
		case <-ws.closing:
			return fmt.Errorf("the engine is closing: %w", ErrStopped)
		case <-ctx.Done():
			return fmt.Errorf("the rank moves to another build: %w", ctx.Err())
		}
	}
	return nil
}

// holds reports whether the message of an index waits for the end of a move: then the end of the process is none for it.
func (ws *windows) holds(c *call, i int) bool {
	if ws.moves.any.Load() == 0 {
		return false
	}
	ws.mu.Lock()
	moves := ws.moves.of(c.ref.procOf(i)) != nil
	ws.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	return moves && c.ranks[i].phase.Load() == phaseUnsent
}

// movingError is what senders to a rank get where a reload does not let them wait.
func movingError(ref *meshRef, index int) error {
	return fmt.Errorf("%s is being reloaded: %w", rankLabel(ref.Name, ref.View.RankAt(index)), ErrMoving)
}

// movingWire is that for who sent before.
func movingWire(a *actor) *wireError {
	return &wireError{Outcome: control.OutcomeNotSent, Type: "moving", Msg: a.label() + " is being reloaded", Codes: codesOf(ErrMoving)}
}

// rechained has those who wait for a move look again whether it waits for them.
func (ws *windows) rechained() {
	if ws.moves.any.Load() == 0 {
		return
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.moves.kick != nil {
		close(ws.moves.kick)
		ws.moves.kick = nil
	}
}

// hold has what goes to these processes wait, or fail.
func (ws *windows) hold(procs []uint64, fail bool) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, proc := range procs {
		if ws.moves.byProc[proc] == nil {
			put(&ws.moves.byProc, proc, &move{fail: fail, over: make(chan struct{})})
		}
	}
	ws.moves.any.Store(int32(len(ws.moves.byProc)))
	for addr, w := range ws.byAddr {
		if slices.Contains(procs, addr.Proc) {
			w.mark(shut)
		}
	}
}

// letGo lets what waits for these processes go there.
func (ws *windows) letGo(procs []uint64) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, proc := range procs {
		if mv := ws.moves.byProc[proc]; mv != nil {
			delete(ws.moves.byProc, proc)
			close(mv.over)
		}
	}
	ws.moves.any.Store(int32(len(ws.moves.byProc)))
	for addr, w := range ws.byAddr {
		if slices.Contains(procs, addr.Proc) {
			w.mark(0)
			w.wake()
		}
	}
}

// mark sets the mark of a window, or takes it off.
func (w *window) mark(as taken) {
	for {
		is := taken(w.used.Load())
		if is < 0 || w.used.CompareAndSwap(int64(is), int64(is&^shut|as)) {
			return
		}
	}
}

// empty waits until nothing is on its way to these processes.
func (ws *windows) empty(ctx context.Context, procs []uint64) error {
	for {
		ws.mu.Lock()
		var busy *window
		var at quicnet.Addr
		for addr, w := range ws.byAddr {
			if !slices.Contains(procs, addr.Proc) {
				continue
			}
			w.waiting.Add(1) // before the look: who gives a place back after it sees that somebody waits
			if taken(w.used.Load()).messages() > 0 {
				busy, at = w, addr
				break
			}
			w.waiting.Add(-1)
		}
		if busy == nil {
			ws.mu.Unlock()
			return nil
		}
		if busy.free == nil {
			busy.free = make(chan struct{})
		}
		free := busy.free
		ws.mu.Unlock()
		var err error
		select {
		case <-free:
		case <-ws.closing:
			err = ErrStopped
		case <-ctx.Done():
			err = fmt.Errorf("%d messages to process %d are not answered: %w", taken(busy.used.Load()).messages(), at.Proc, ctx.Err())
		}
		busy.waiting.Add(-1)
		if err != nil {
			return err
		}
	}
}

// holdBody tells of processes that move.
type holdBody struct {
	Procs []uint64
	Fail  bool
	Only  bool // do not wait until nothing is on its way to them
}

// holdHandlers are those of senders.
func holdHandlers(t *sysTable) {
	handle(t, sysHold, fromController, func(ctx context.Context, n *node, _ quicnet.Addr, b holdBody) (any, error) {
		return nil, n.holdFor(ctx, b)
	})
	handleNote(t, sysHold, fromController, func(n *node, _ quicnet.Addr, b holdBody) error {
		n.windows.hold(b.others(n.id), b.Fail)
		return nil
	})
	handleNote(t, sysArrived, fromController, func(n *node, _ quicnet.Addr, b holdBody) error {
		n.windows.letGo(b.Procs)
		return nil
	})
}

// others are the processes that move, for one that does not: those that move together hold nothing for each other, for each may
// have to wait for what another one does.
func (b holdBody) others(id uint64) []uint64 {
	if slices.Contains(b.Procs, id) {
		return nil
	}
	return b.Procs
}

// holdFor holds what goes to ranks that move, and waits until nothing is on its way there.
func (n *node) holdFor(ctx context.Context, b holdBody) error {
	n.windows.hold(b.others(n.id), b.Fail)
	if b.Only {
		return nil
	}
	return n.windows.empty(ctx, b.Procs)
}
