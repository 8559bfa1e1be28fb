package engine

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

type ctxKey struct{}

// ctxInfo is what a context of ours carries.
type ctxInfo struct {
	node  *node
	actor *actor      // nil outside actors
	act   *activation // nil in hooks
}

func infoOf(ctx context.Context) *ctxInfo {
	info, _ := ctx.Value(ctxKey{}).(*ctxInfo)
	return info
}

// workerNode is the node of this process when it is a worker: code that lost its context still finds the engine there.
var workerNode atomic.Pointer[node]

func nodeOf(ctx context.Context) (*node, error) {
	if info := infoOf(ctx); info != nil {
		return info.node, nil
	}
	if n := workerNode.Load(); n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("%w: pass on the ctx that your run function, endpoint or hook was given (or the one from engine.Start)", ErrNoEngine)
}

func activationOf(ctx context.Context) *activation {
	if info := infoOf(ctx); info != nil {
		return info.act
	}
	return nil
}

// whoCalls is actorOf and activationOf at once.
func whoCalls(ctx context.Context) (*actor, *activation) {
	if info := infoOf(ctx); info != nil {
		return info.actor, info.act
	}
	return nil, nil
}

func actorOf(ctx context.Context) *actor {
	if info := infoOf(ctx); info != nil {
		return info.actor
	}
	return nil
}

// Rank is the position of the actor handling this message in the slice that was called (Monarch's message_rank). In a
// hook it equals Here. Called on a slice of one rank without dimensions, its Extent is empty.
func Rank(ctx context.Context) Point {
	info := infoOf(ctx)
	switch {
	case info == nil || info.actor == nil:
		return Point{}
	case info.act == nil:
		return info.actor.here
	}
	return Point{Extent: info.act.to.view.extent, Rank: info.act.index}
}

// Here is the actor's own position in the mesh it was spawned in, whatever slice was called.
func Here(ctx context.Context) Point {
	if info := infoOf(ctx); info != nil && info.actor != nil {
		return info.actor.here
	}
	return Point{}
}

// Slot is the GPU slot of this process: its index along the dimension "gpus" on its host; -1 without one. A worker whose slot has
// a device sees this one only, so to CUDA it is device 0.
func Slot(ctx context.Context) int {
	if n, err := nodeOf(ctx); err == nil {
		return n.slot
	}
	return -1
}

// Out is a writer whose lines are known to come from this actor. Each write is one line or more: where the last one has
// no newline, it gets one. In the controller's own code it is the program's output.
func Out(ctx context.Context) io.Writer {
	info := infoOf(ctx)
	if info == nil {
		if n := workerNode.Load(); n != nil {
			return &lineWriter{sink: n.out}
		}
		return io.Discard
	}
	w := &lineWriter{sink: info.node.out}
	if info.actor != nil {
		w.mesh, w.name, w.rank = info.actor.id, info.actor.name, info.actor.rank
	}
	return w
}

// Logger is the engine's own log, with the actor's name on each line. It goes to the session's log file, not to the
// program's output; from other machines too, 100 lines a second of each process.
func Logger(ctx context.Context) *slog.Logger {
	info := infoOf(ctx)
	if info == nil {
		return slog.New(slog.DiscardHandler)
	}
	if info.actor != nil {
		return info.node.log.With("actor", info.actor.label())
	}
	return info.node.log
}

// Now is the time an endpoint should use, so that a replay sees the same one.
func Now(ctx context.Context) time.Time {
	_ = ctx // replay answers from its record here
	return time.Now()
}

// RandOf is a source of random numbers for one message, so that a replay draws the same ones. Under one Seed, equal
// programs that send equal messages in equal order draw equal numbers.
func RandOf(ctx context.Context) *rand.Rand {
	info := infoOf(ctx)
	if info == nil || info.act == nil {
		return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // not for secrets
	}
	act := info.act
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, act.actor.label(), act.ep.name, act.trace)
	return rand.New(rand.NewPCG(info.node.seed, h.Sum64()^act.id)) //nolint:gosec // reproducible on purpose, not for secrets
}

// Do runs fn, which touches the outside world, under a name, so that a replay can answer from its record instead.
func Do[R any](ctx context.Context, name string, fn func(context.Context) (R, error)) (R, error) {
	r, err := fn(ctx)
	if err != nil {
		return r, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// WithTimeout is context.WithTimeout on the engine's clock: while a debugger keeps an actor stopped, it stands still. It ends
// with context.DeadlineExceeded. Where ctx has no engine it is the standard one.
func WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	n, err := nodeOf(ctx)
	if err != nil {
		return context.WithTimeoutCause(ctx, d, context.DeadlineExceeded)
	}
	return n.clock.WithTimeout(ctx, d)
}
