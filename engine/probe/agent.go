package probe

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe/cond"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// Orders is what the controller wants of a process: all of it, so that a newer one replaces an older one.
type Orders struct {
	Turn   uint64 // of two that overtook each other the larger one counts
	Breaks []control.Breakpoint
	Freeze bool // a panic stops its frame
	Quiet  bool // nobody stops, and who is stopped goes on
	Abort  bool // with Quiet: who is stopped fails
	Held   bool // the clock stands

	Params map[string][]string // by type and endpoint, as pkg.Type.Endpoint: the names of arguments, where a condition could speak of them
	Meshes []control.MeshRef   // those that are there, where a condition speaks of who sent a message
}

// News is what a process tells the controller, in order. At most one of the pointers is set.
type News struct {
	Stop  *control.Stop // ID is the number of the frame in its process
	From  Address       // with Stop: who sent the message
	Gone  *Gone
	Print *Print
	Count []Count // of breakpoints; may come with any of the others
}

// Gone tells that a frame's actor ended while it was parked.
type Gone struct {
	ID  uint64 // as of Stop
	Gen uint64
	Why string
}

// Print is a line of a breakpoint that prints.
type Print struct {
	Break uint64
	Mesh  string
	Rank  int
	Text  string
}

// Count is how often a process reached a breakpoint since it told last.
type Count struct {
	Break, Hits, Skipped, Errors uint64
	LastError                    string
}

// Holder is the clock that stands while a frame is parked.
type Holder interface {
	Hold()
	Release()
}

// Agent is the debugger's half in one process. It is safe for concurrent use. Its lock is taken under no other but the
// engine's of an actor, and it takes none but its clock's.
type Agent struct {
	tell  func(News)
	clock Holder

	mu     sync.Mutex
	orders Orders
	held   bool          // by orders
	news   chan struct{} // closed when orders come
	breaks []*breakpoint
	actors map[*Actor]struct{}
	parked map[uint64]*parked // by number of the frame
	next   uint64
}

// NewAgent makes the agent of a process. tell is called for each of the news, in order for one frame, on the goroutine that
// makes them; it may wait for a link, but for nothing that a parked frame could hold up.
func NewAgent(clock Holder, tell func(News)) *Agent {
	return &Agent{tell: tell, clock: clock, news: make(chan struct{}), actors: map[*Actor]struct{}{}, parked: map[uint64]*parked{}}
}

// Actor is an actor as the agent knows it: which sites are armed for it.
type Actor struct {
	agent *Agent
	mask  atomic.Uint32
	wish  atomic.Pointer[string] // pause, for those who do not hold agent.mu; nil: there is none
	who   Who

	pause    string              // a wish that it stop at its next site: by whom; guarded by agent.mu
	step     string              // a wish that it stop at its next message: by whom; guarded by agent.mu
	bound    map[Site][]*binding // guarded by agent.mu; the slices are replaced, never changed
	stepping Site                // the sites that its frames step to; guarded by agent.mu, as steppers
	steppers int                 // frames that do
}

// Who says which actor it is.
type Who struct {
	Mesh   string
	MeshID uint64
	Rank   int
	Point  shape.Point  // in its mesh
	On     shape.HostOf // on which host a rank of its mesh is
	Type   string       // full name of its type
	Parts  []string     // names of its endpoints
	// Scope is what conditions about one of its endpoints can speak of, but for the names of arguments; ok is false where
	// there is no such endpoint.
	Scope func(endpoint string) (s cond.Scope, ok bool)
	// Beside reports whether an endpoint runs beside others, so that the state is not to be read there.
	Beside func(endpoint string) bool
}

// Enter makes an actor known before it handles anything.
func (a *Agent) Enter(w Who) *Actor {
	x := &Actor{agent: a, who: w}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.actors[x] = struct{}{}
	a.bind(x)
	return x
}

// Leave forgets an actor that has ended.
func (x *Actor) Leave() {
	x.agent.mu.Lock()
	defer x.agent.mu.Unlock()
	delete(x.agent.actors, x)
}

// Obey takes the controller's orders.
func (a *Agent) Obey(o Orders) {
	a.mu.Lock()
	if o.Turn <= a.orders.Turn {
		a.mu.Unlock()
		return
	}
	same := slices.Equal(o.Breaks, a.orders.Breaks) && o.Freeze == a.orders.Freeze && o.Quiet == a.orders.Quiet
	a.orders = o
	close(a.news)
	a.news = make(chan struct{})
	if !same { // else only the clock, or names: what 65,536 actors stop at is as it was
		a.adopt(o.Breaks)
		for x := range a.actors {
			if o.Quiet {
				x.pause, x.step = "", ""
			}
			a.bind(x)
		}
	}
	var left []*parked
	if o.Quiet {
		for _, p := range a.parked {
			if p.settle(a, o.Abort) {
				left = append(left, p)
			}
		}
	}
	change := o.Held != a.held
	a.held = o.Held
	a.mu.Unlock()
	for _, p := range left {
		close(p.resumed)
	}
	switch {
	case change && o.Held:
		a.clock.Hold()
	case change:
		a.clock.Release()
	}
}

// Await waits until the controller's orders of a turn, or newer ones, are here.
func (a *Agent) Await(ctx context.Context, turn uint64) error {
	for {
		a.mu.Lock()
		there, news := a.orders.Turn >= turn, a.news
		a.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Pause has the actor stop at its next site, or takes that back.
func (x *Actor) Pause(by string, undo bool) {
	a := x.agent
	a.mu.Lock()
	defer a.mu.Unlock()
	if x.pause = by; undo || a.orders.Quiet {
		x.pause = ""
	}
	x.refresh()
}

// Wish is by whom the actor is to stop at its next site; "": by nobody.
func (x *Actor) Wish() string {
	if by := x.wish.Load(); by != nil {
		return *by
	}
	return ""
}

// refresh recomputes the mask, and what Wish gives. The caller holds agent.mu.
func (x *Actor) refresh() {
	if by := x.pause; by != x.Wish() {
		x.wish.Store(&by)
	}
	var m Site
	for s, list := range x.bound {
		if len(list) > 0 {
			m |= s
		}
	}
	m |= x.stepping & every
	if x.pause != "" {
		m |= every
	}
	if x.step != "" {
		m |= Recv
	}
	if x.agent.orders.Freeze {
		m |= Panic
	}
	if x.agent.orders.Quiet {
		m = 0
	}
	x.mask.Store(uint32(m))
}

// judge says whether a frame stops at a site, and why; nil: it goes on.
func (a *Agent) judge(f *Frame, s Site) *control.Stop {
	x := f.actor
	a.mu.Lock()
	if a.orders.Quiet {
		a.mu.Unlock()
		return nil
	}
	bound := x.bound[s]
	a.mu.Unlock()
	for _, b := range bound { // a breakpoint wins over a step: the person wants to know of it
		if b.reach(f, s) {
			return &control.Stop{Break: b.bp.spec.ID, Reason: fmt.Sprintf("breakpoint %d", b.bp.spec.ID)}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.orders.Quiet:
	case Site(f.steps.Load())&s != 0:
		return &control.Stop{Reason: "step"}
	case s == Recv && x.step != "":
		by := x.step
		x.step = ""
		x.refresh()
		return &control.Stop{Reason: "step", By: by}
	case x.pause != "":
		by := x.pause
		x.pause = ""
		x.refresh()
		return &control.Stop{Reason: "paused by " + by}
	case s == Panic && a.orders.Freeze:
		return &control.Stop{Reason: "panic"}
	}
	return nil
}
