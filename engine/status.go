package engine

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/host"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// statusEvery is how often a process tells what its ranks are doing, when that changed.
const statusEvery = 50 * time.Millisecond

// slowCall is how long somebody must have waited for a call before the wait is told: the wait-for graph shows what
// hangs, not what flows.
const slowCall = 250 * time.Millisecond

// status is what a process tells front ends about its actors.
type status struct {
	Ranks []rankStatus
	Waits []control.WaitEdge

	Figures []figure `cbor:",omitempty"`
}

type rankStatus struct {
	Mesh  uint64
	Rank  int
	State control.RankState
}

// reporter is the goroutine of a process that tells what its ranks are doing: each rank every statusEvery at most.
type reporter struct {
	kick chan struct{} // there are dirty nodes

	mu    sync.Mutex
	dirty []*node
}

func newReporter() *reporter { return &reporter{kick: make(chan struct{}, 1)} }

// touch notes that something changed that front ends show.
func (n *node) touch() {
	if n.dirty.Load() || n.dirty.Swap(true) {
		return
	}
	r := n.reporter
	r.mu.Lock()
	r.dirty = append(r.dirty, n)
	r.mu.Unlock()
	poke(r.kick)
}

// run reports until the process ends its node. What is first to be told waits for statusEvery: a process that has just begun has an
// answer to send, and so have those beside it.
func (r *reporter) run(closing <-chan struct{}) {
	for first := true; ; first = false {
		select {
		case <-r.kick:
		case <-closing:
			return
		}
		if first && !pause(statusEvery, closing) {
			return
		}
		r.mu.Lock()
		dirty := r.dirty
		r.dirty = nil
		r.mu.Unlock()
		for _, n := range dirty {
			n.dirty.Store(false) // before the look: what changes after it makes the node dirty again
			if !n.closed.Load() {
				n.sendStatus()
			}
		}
		if !pause(statusEvery, closing) {
			return
		}
	}
}

// pause waits for d; false if closing was closed before.
func pause(d time.Duration, closing <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-closing:
		return false
	}
}

func (n *node) sendStatus() {
	var r status
	for _, a := range n.actors.all() {
		r.Ranks = append(r.Ranks, rankStatus{Mesh: a.id, Rank: a.rank, State: a.state()})
	}
	r.Figures = n.figures.take()
	var young bool
	r.Waits, young = n.waitEdges()
	if young { // no event comes when a wait has become long enough: look again
		n.touch()
	}
	n.tellFaultCounts()
	if counts := n.agent.TakeCounts(); len(counts) > 0 {
		n.tellNews(probe.News{Count: counts})
	}
	switch {
	case n.hub != nil:
		n.hub.tellCalls()
		n.hub.tellLog()
		n.hub.takeStatus(0, r)
	case n.local != nil:
		n.local.takeStatus(n.id, r)
	default:
		_ = n.notice(context.Background(), quicnet.LaneEvents, nil, quicnet.Addr{}, sysStatus, r) // may be dropped
	}
}

// takeStatus puts what a process told into the books; it may speak only for its own ranks.
func (h *hub) takeStatus(proc uint64, r status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.procs[proc]; proc != 0 && (p == nil || p.over()) {
		return
	}
	for _, x := range r.Ranks {
		m := h.meshByID[x.Mesh]
		if m == nil || x.Rank < 0 || x.Rank >= len(m.rec.Ranks) || m.rec.Ref.First+uint64(m.rec.Ref.Home.RankAt(x.Rank)) != proc {
			continue
		}
		if proc != 0 {
			tidyState(&x.State)
		}
		old := &m.rec.Ranks[x.Rank]
		if x.State.Restarts != old.Restarts || sameState(old, &x.State) { // of another life, or nothing new
			continue
		}
		if old.Over() && !x.State.Over() {
			continue // it was told before the end, and has come after it
		}
		if (m.rec.State == "starting" || old.State == "starting") && x.State.State == "idle" {
			continue // who starts it publishes idle
		}
		*old = x.State
		h.publish(control.Event{Rank: &control.RankEvent{Mesh: m.rec.Ref.Name, Rank: x.Rank, State: x.State}})
	}
	h.takeFigures(proc, r.Figures)
	h.takeWaits(proc, r.Waits)
}

// maxNext is how many messages of its mailbox an actor's state names.
const maxNext = 16

// state is what a front end shows of the actor.
func (a *actor) state() control.RankState {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := control.RankState{State: "idle", Queue: len(a.queue), QueueBytes: a.size, Since: a.since.Time(), Handled: a.handled, Worked: a.worked, Restarts: int(a.life), Pause: a.probe.Wish()}
	acts := a.running.all()
	slices.SortFunc(acts, func(x, y *activation) int { return cmp.Compare(x.since.Sub(y.since), 0) })
	for _, act := range acts {
		if s.State != "paused" {
			s.State = "busy"
		}
		if act.parked > 0 && a.stands > 0 && !act.ep.concurrent {
			s.State = "paused"
		}
		s.Running, s.Calls = append(s.Running, act.endpoint()), append(s.Calls, act.call)
	}
	for _, env := range a.queue[:min(len(a.queue), maxNext)] {
		s.Next = append(s.Next, env.Call)
	}
	switch {
	case a.failed:
		s.State, s.Reason = "failed", a.ended.Msg
	case a.ended != nil:
		s.State = "stopped"
	}
	return s
}

// tidyState bounds what another process says of its rank, and makes it fit to be shown.
func tidyState(s *control.RankState) {
	s.State, s.Reason, s.Pause = clean.Line(clip(s.State, 32)), clip(s.Reason, maxErrorText), clean.Line(clip(s.Pause, 100))
	s.Worked, s.QueueBytes = max(0, s.Worked), max(0, s.QueueBytes)
	s.Running = s.Running[:min(len(s.Running), maxRunning)]
	for i, name := range s.Running {
		s.Running[i] = clean.Line(clip(name, 100))
	}
	s.Calls, s.Next = s.Calls[:min(len(s.Calls), maxRunning)], s.Next[:min(len(s.Next), maxNext)]
}

// maxRunning is how many of its running endpoints an actor's state names.
const maxRunning = windowSize + 1

func sameState(a, b *control.RankState) bool {
	return a.State == b.State && a.Pause == b.Pause && a.Queue == b.Queue && a.QueueBytes == b.QueueBytes && a.Handled == b.Handled &&
		a.Worked == b.Worked && slices.Equal(a.Running, b.Running) && slices.Equal(a.Calls, b.Calls) && slices.Equal(a.Next, b.Next)
}

// progressEvery is how often front ends are told of the progress of one call: a call of thousands of ranks has thousands
// of answers, and each word on it names the ranks that are missing.
const progressEvery = 20 * time.Millisecond

// callBegan tells front ends about a call of this process.
func (h *hub) callBegan(c *call) { h.tellCall(c, false) }

// callAnswered publishes the progress of a call: at once for the first answers and for the end, otherwise every
// progressEvery at most. What it leaves out, tellCalls publishes later.
func (h *hub) callAnswered(c *call, last bool) {
	if x := c.shown.Load(); !last && x != nil && time.Now().UnixNano()-x.at.Load() < int64(progressEvery) {
		x.behind.Store(true)
		return
	}
	h.tellCall(c, last)
}

func (h *hub) tellCall(c *call, done bool) {
	if !h.watched.Load() {
		return
	}
	x := c.shown.Load()
	if x == nil {
		c.shown.CompareAndSwap(nil, new(callShown))
		x = c.shown.Load()
	}
	x.behind.Store(false)
	x.at.Store(time.Now().UnixNano())
	x.mu.Lock() // an older record is not published after a newer one
	defer x.mu.Unlock()
	if x.over {
		return
	}
	x.over = done
	rec := h.callRecord(c)
	h.mu.Lock()
	h.publish(control.Event{Call: &control.CallEvent{Call: rec, Done: done}})
	h.mu.Unlock()
}

// tellCalls tells what callAnswered has left.
func (h *hub) tellCalls() {
	h.node.calls.each(func(c *call) {
		if x := c.shown.Load(); x != nil && x.behind.Load() {
			h.tellCall(c, false)
		}
	})
}

func (h *hub) callRecord(c *call) control.Call {
	rec := control.Call{ID: c.id, Client: c.client(), Mesh: c.ref.Name, View: c.ref.View, Endpoint: c.endpoint.name, Adverb: c.adverb, Started: c.started.Time(), Ranks: c.n}
	if rec.Client == "" {
		rec.Client = "main"
	}
	for _, i := range c.open() {
		rec.Waiting = append(rec.Waiting, c.ref.View.RankAt(i))
	}
	slices.Sort(rec.Waiting)
	return rec
}

// openCalls lists this process's calls for front ends.
func (h *hub) openCalls() []control.Call {
	var out []control.Call
	h.node.calls.each(func(c *call) { out = append(out, h.callRecord(c)) })
	return out
}

// Workers' memory is measured while somebody watches, and told when it changed by as much as a person would see.
const (
	memoryEvery = 2 * time.Second
	memoryStep  = 1 << 20 // bytes; and a twentieth of what it was
)

// switchSampler starts or ends the goroutine that measures. The caller holds h.mu.
func (h *hub) switchSampler(on bool) {
	if h.endSampler != nil {
		h.endSampler()
		h.endSampler = nil
	}
	if on {
		ctx, end := context.WithCancel(h.node.root)
		h.endSampler = end
		h.wg.Go(func() { h.sampleMemory(ctx) })
	}
}

func (h *hub) sampleMemory(ctx context.Context) {
	for {
		h.mu.Lock()
		wait := memoryEvery - time.Since(h.sampled)
		h.mu.Unlock()
		if wait > 0 { // clients that watch often and briefly do not make it measure more often
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return
			}
		}
		h.sampleOnce()
		h.sampleGPUs(ctx)
		h.sampleHosts(ctx)
	}
}

// sampleOnce measures every worker.
func (h *hub) sampleOnce() {
	h.mu.Lock()
	h.sampled = time.Now()
	pids := map[*proc]int{}
	for _, p := range h.procs {
		if p.child != nil && p.on == nil && !p.over() {
			pids[p] = p.rec.PID
		}
	}
	h.mu.Unlock()
	for p, pid := range pids {
		rss, ok := host.ResidentBytes(pid)
		h.mu.Lock()
		if ok && !p.over() && worthTelling(p.rec.RSS, rss) {
			p.rec.RSS = rss
			rec := p.rec
			h.publish(control.Event{Proc: &rec})
		}
		h.mu.Unlock()
	}
}

// worthTelling compares what front ends know with what was measured.
func worthTelling(old, now uint64) bool {
	d := max(old, now) - min(old, now)
	return d > memoryStep && d > old/20
}
