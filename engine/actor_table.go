package engine

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/monarch-tui/monarch-tui/quicnet/recent"
)

// maxEnded is how many ended actors are remembered. A call to an older one gets a less exact error.
const maxEnded = 256

// actorTable holds the actors of a process, by mesh: those in their OnStart, those that handle messages, and the error
// that calls to ended ones get.
type actorTable struct {
	mu       sync.Mutex
	live     map[uint64]*actor
	starting map[uint64]context.CancelCauseFunc
	ended    *recent.Map[uint64, *wireError]
	closed   bool
}

func newActorTable() *actorTable {
	return &actorTable{ended: recent.New[uint64, *wireError](maxEnded)}
}

func (t *actorTable) get(mesh uint64) *actor {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.live[mesh]
}

// find gives the actor, or the error that calls to it get if it has ended.
func (t *actorTable) find(mesh uint64) (*actor, *wireError) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ended, _ := t.ended.Get(mesh)
	return t.live[mesh], ended
}

func (t *actorTable) all() []*actor {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Values(t.live))
}

// begin notes an actor whose OnStart is about to run, so that cancelStart reaches it. It reports whether the actor is
// still wanted.
func (t *actorTable) begin(a *actor) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ended := t.ended.Get(a.id); ended || t.closed {
		return false
	}
	if _, hook := a.self.(Starter); hook {
		put(&t.starting, a.id, a.cancel)
	}
	return true
}

// add puts in an actor that has started, and counts its goroutines. It reports whether the actor is still wanted: it may
// have been killed during OnStart.
func (t *actorTable) add(a *actor, wg *sync.WaitGroup, goroutines int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.starting, a.id)
	if _, ended := t.ended.Get(a.id); ended || t.closed {
		return false
	}
	put(&t.live, a.id, a)
	wg.Add(goroutines)
	return true
}

// failedStart takes off an actor whose OnStart failed.
func (t *actorTable) failedStart(mesh uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.starting, mesh)
}

// cancelStart ends the context of an OnStart, if one runs.
func (t *actorTable) cancelStart(mesh uint64) {
	t.mu.Lock()
	cancel := t.starting[mesh]
	t.mu.Unlock()
	if cancel != nil {
		cancel(ErrStopped)
	}
}

// remove takes an actor off, if it is here, and keeps what later callers are told.
func (t *actorTable) remove(mesh uint64, why *wireError) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.live, mesh)
	t.ended.Put(mesh, why)
}

// close takes no more actors, and gives those that are here.
func (t *actorTable) close() []*actor {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	return t.all()
}
