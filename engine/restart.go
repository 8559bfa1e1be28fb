package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// SpawnOption says how Spawn's actors live.
type SpawnOption func(*control.SpawnReq)

// Restart has an actor that ended without an order (it panicked, its process died, somebody killed that rank) started anew by
// itself, with the prototype it was spawned with and what it saved last (Checkpoint), at most so often within a time; then it is
// a failure that its owner judges. Without this option no actor is.
//
// The first restart is at once; each further one within the time waits twice as long, from half a second to 30 s.
func Restart(most int, within time.Duration) SpawnOption {
	return func(r *control.SpawnReq) { r.Restart = &control.RestartPolicy{Max: most, Within: within} }
}

// Gang has all ranks of the mesh begin a new life when one does: for actors that are of no use to each other after one of them
// has lost its state. Those that live give their Snapshot first, unless they have saved one themselves.
func Gang() SpawnOption { return func(r *control.SpawnReq) { r.Gang = true } }

// RestartProcs is Restart for processes: a process comes back with all actors that died with it.
func RestartProcs(most int, within time.Duration) ProcOption {
	return func(r *control.ProcsReq) { r.Restart = &control.RestartPolicy{Max: most, Within: within} }
}

// Lease has a process that has heard nothing of the controller for so long end itself, with everything that it started: nobody can
// reach it to end it, and its successor must not meet it. It is for processes of which the controller cannot see that they end; those
// of its own machine need none. 2 s to 9 s, which is before the controller gives a silent process up.
func Lease(d time.Duration) ProcOption { return func(r *control.ProcsReq) { r.Lease = d } }

// checkLease says what is wrong with a lease.
func checkLease(d time.Duration) error {
	if d != 0 && (d < 2*time.Second || d > 9*time.Second) {
		return fmt.Errorf("a lease of %v: want 2s to 9s (a process that is silent for 10s is given up)", d)
	}
	return nil
}

// Restart begins a new life of the ranks of this mesh, or slice, that have ended, whatever ended them, and returns the reference
// to it when they are ready. Their processes are started first where these have ended too. A rank that lives is an error: kill
// it first. References from before do not reach the new life; their calls are ErrStale.
func (m Mesh[T]) Restart(ctx context.Context) (Mesh[T], error) {
	if err := m.usable(); err != nil {
		return m, fmt.Errorf("restart: %w", err)
	}
	req := control.RestartReq{Mesh: m.r.Name, ID: m.r.ID, Ranks: slices.Collect(m.r.View.Ranks())}
	if err := endVerb(ctx, "@"+m.r.Name, verbBody{Restart: &req}); err != nil {
		return m, err
	}
	return m.resolve(ctx, resolveNow)
}

// Restart is Mesh.Restart for processes: they come back with all actors that died with them.
func (p ProcMesh) Restart(ctx context.Context) error {
	if err := p.Err(); err != nil {
		return fmt.Errorf("restart: %w", err)
	}
	return endVerb(ctx, p.r.Name, verbBody{Restart: &control.RestartReq{Procs: p.r.Name, ID: p.r.ID, Ranks: slices.Collect(p.r.View.Ranks())}})
}

// Resolve gives the reference to the lives that the ranks are in now. It waits for those that have ended and are judged, or are
// being started anew; who judges that (OnFailure, Supervise) must not wait for himself and is refused. A rank that has ended for
// good stays what it was: calls say why. The error of a mesh that was stopped is ErrStopped.
func (m Mesh[T]) Resolve(ctx context.Context) (Mesh[T], error) {
	how := resolveSettled
	if ctx.Value(judgingKey{}) != nil {
		how = resolveJudging
	}
	return m.resolve(ctx, how)
}

func (m Mesh[T]) resolve(ctx context.Context, how resolveHow) (Mesh[T], error) {
	if err := m.usable(); err != nil {
		return m, fmt.Errorf("resolve: %w", err)
	}
	n, err := nodeOf(ctx)
	if err != nil {
		return m, fmt.Errorf("resolve %s: %w", m, err)
	}
	var lives []control.RankLife
	body := resolveBody{Mesh: m.r.ID, Name: m.r.Name, Ranks: slices.Collect(m.r.View.Ranks()), How: how}
	if n.hub != nil {
		lives, err = n.hub.resolve(ctx, body)
	} else {
		err = n.request(ctx, quicnet.Addr{}, sysResolve, body, &lives)
	}
	if err != nil {
		return m, fmt.Errorf("resolve %s: %w", m, err)
	}
	ref := m.r.MeshRef
	ref.Lives = lives
	if err := checkRef(ref); err != nil {
		return m, fmt.Errorf("resolve %s: %w", m, err)
	}
	return Mesh[T]{newMeshRef(ref)}, nil
}

// Life tells which life of its rank an actor is in: 0 for the first, 1 after the first restart.
func Life(ctx context.Context) int {
	if a := actorOf(ctx); a != nil {
		return int(a.life)
	}
	return 0
}

// maxSaved is how much one actor can save: it travels in one message, together with its prototype.
const maxSaved = 12 << 20

// Checkpoint saves the state of the actor that handles this message: its Snapshot is taken now, and the controller keeps it for
// the next life of the rank, which begins with Restore. What was saved before is replaced. It returns when the controller has it.
// An actor without Snapshot and Restore, a Snapshot that fails, and more than 12 MiB are errors; what was saved before stays.
func Checkpoint(ctx context.Context) error {
	a := actorOf(ctx)
	if a == nil {
		return errors.New("checkpoint: this context is no actor's: call it in an endpoint or a hook, with the ctx that was given")
	}
	s, ok := a.self.(Snapshotter)
	if !ok {
		return fmt.Errorf("checkpoint of %s: %s has no Snapshot() ([]byte, error) and Restore([]byte) error", a.label(), a.typ.short)
	}
	b, err := takeSnapshot(s)
	if err != nil {
		return fmt.Errorf("checkpoint of %s: %w", a.label(), err)
	}
	if err := a.node.request(ctx, quicnet.Addr{}, sysSave, saveBody{Mesh: a.id, Rank: a.rank, Life: a.life, Data: b}, nil); err != nil {
		return fmt.Errorf("checkpoint of %s: %w", a.label(), err)
	}
	return nil
}

// takeSnapshot runs the hook. What it gives is never nil, which would mean that nothing was saved.
func takeSnapshot(s Snapshotter) (b []byte, err error) {
	err = runHook("Snapshot", func() (err error) { b, err = s.Snapshot(); return err })
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxSaved:
		return nil, fmt.Errorf("its Snapshot gave %d bytes, at most %d travel: keep what is large in a file, and save where that is", len(b), maxSaved)
	case b == nil:
		b = []byte{}
	}
	return b, nil
}

// Down tells that a rank of a mesh has ended, or that the mesh has.
type Down struct {
	Mesh string
	Rank int // of the mesh
	Life int // which of its lives has ended
	Why  string
}

// Monitor tells of the end of each rank of m once, through a receiver that the caller closes: of the life that m means, whatever
// ends it, also where it is over already. Whoever wants to know of the next life resolves the mesh and monitors that.
func (m Mesh[T]) Monitor(ctx context.Context) (*Receiver[Down], error) {
	if err := m.usable(); err != nil {
		return nil, fmt.Errorf("monitor: %w", err)
	}
	port, rx, err := Channel[Down](ctx)
	if err != nil {
		return nil, fmt.Errorf("monitor %s: %w", m, err)
	}
	body := monitorBody{Ref: m.r.MeshRef, Port: port}
	if n := rx.node; n.hub != nil {
		err = n.hub.monitor(body)
	} else {
		err = n.request(ctx, quicnet.Addr{}, sysMonitor, body, nil)
	}
	if err != nil {
		rx.Close()
		return nil, fmt.Errorf("monitor %s: %w", m, err)
	}
	rx.st.onClose = func() { rx.node.endMonitor(body) }
	return rx, nil
}
