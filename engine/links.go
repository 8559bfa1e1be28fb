package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/recent"
)

// link carries envelopes to other processes, in order per peer and lane. *quicnet.Node is one, memLink the other.
type link interface {
	Send(ctx context.Context, to uint64, lane quicnet.Lane, env *quicnet.Envelope) error
	Sender(to uint64) (quicnet.Sender, error)
	Forget(proc uint64, reason string)
	Close(reason string) error
}

// memQueueBytes bounds the frames on their way to one in-process rank; a sender past it waits.
const memQueueBytes = 32 << 20

// frameOverhead is what an ordinary envelope needs beside its region, endpoint and body.
const frameOverhead = 128

// maxFrame is the bound that quicnet has by default, so that in-process meshes refuse what real ones would.
const maxFrame = 16 << 20

// memLink connects the in-process ranks of a controller with each other and with the controller: copies of envelopes through
// bounded queues, no sockets, no TLS. What is for a real worker goes out over the controller's own link. Where nothing is on
// its way to a rank, the sender hands its frame over itself: taking a frame never waits.
type memLink struct {
	mu    sync.Mutex
	ends  map[uint64]*memEnd
	gone  *recent.Map[uint64, string] // ranks and processes that ended, with the reason
	wire  link                        // to real workers; nil until there are any
	procs map[uint64]struct{}         // worker processes that have not ended

	readers readers
}

// memEnd is one rank's inbound queue.
type memEnd struct {
	node *node
	link *memLink
	home quicnet.Sender // the way to it
	stop chan struct{}

	state atomic.Uint32 // flags; 0: nothing is on its way, and who sends a frame hands it over himself

	mu    sync.Mutex
	high  []*quicnet.Envelope // control: never waits behind calls
	low   []*quicnet.Envelope
	after []func() // run when what is in the queue has been read
	size  int
	room  chan struct{} // closed and replaced when there is room again
}

// The flags of memEnd.state. All but the first are set under mu, and so is the first taken back where there are others.
const (
	endRead    uint32 = 1 << iota // a reader has it, or will
	endQueued                     // he is to look into the queue when he has done
	endStopped                    // it takes nothing any more
)

// queues has the reader look into the queue, and reports whether there is one. The caller holds e.mu.
func (e *memEnd) queues() bool {
	for {
		is := e.state.Load()
		if is&endRead == 0 || is&endStopped != 0 {
			return false
		}
		if is&endQueued != 0 || e.state.CompareAndSwap(is, is|endQueued) {
			return true
		}
	}
}

func (e *memEnd) stopped() bool { return e.state.Load()&endStopped != 0 }

func newMemLink() *memLink {
	l := &memLink{ends: map[uint64]*memEnd{}, procs: map[uint64]struct{}{}, gone: recent.New[uint64, string](maxGone)}
	l.readers.more.L = &l.readers.mu
	return l
}

// attach makes a node reachable.
func (l *memLink) attach(n *node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &memEnd{node: n, link: l, stop: make(chan struct{})}
	e.home = memWay{to: e}
	l.ends[n.id] = e
}

// reach connects the ranks with worker processes.
func (l *memLink) reach(wire link) {
	l.mu.Lock()
	l.wire = wire
	l.mu.Unlock()
}

// expect makes worker processes known, which are about to start.
func (l *memLink) expect(procs []*proc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range procs {
		l.procs[p.id] = struct{}{}
	}
}

// expectHosts makes agents known, which are about to start.
func (l *memLink) expectHosts(machines []*machine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range machines {
		l.procs[m.rec.ID] = struct{}{}
	}
}

// revive makes a rank, or a process, known that is started again.
func (l *memLink) revive(p *proc, inProcess bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone.Delete(p.id)
	if !inProcess {
		l.procs[p.id] = struct{}{}
	}
}

// behind has each of these processes, which are nodes of ours, do something when it has read what is on its way to it, and
// waits for all of them.
func (l *memLink) behind(nodes []*node, do func(*node)) {
	var done sync.WaitGroup
	for _, n := range nodes {
		l.mu.Lock()
		e := l.ends[n.id]
		l.mu.Unlock()
		if e == nil {
			do(n)
			continue
		}
		done.Add(1)
		e.then(func() { defer done.Done(); do(n) })
	}
	done.Wait()
}

// idle reports whether nothing is on its way to an in-process rank.
func (l *memLink) idle(proc uint64) bool {
	l.mu.Lock()
	e := l.ends[proc]
	l.mu.Unlock()
	return e != nil && e.state.Load()&endRead == 0
}

// Send copies the frame at once and waits while the receiver's queue is full.
func (l *memLink) Send(ctx context.Context, to uint64, lane quicnet.Lane, env *quicnet.Envelope) error {
	way, err := l.Sender(to)
	if err != nil {
		return err
	}
	return way.Send(ctx, lane, env)
}

// Sender is the way to a process.
func (l *memLink) Sender(to uint64) (quicnet.Sender, error) {
	l.mu.Lock()
	e, wire := l.ends[to], l.wire
	_, worker := l.procs[to]
	reason, gone := l.gone.Get(to)
	l.mu.Unlock()
	switch {
	case gone:
		return nil, fmt.Errorf("%s: %w", reason, ErrLost)
	case e == nil && worker && wire != nil:
		return wire.Sender(to) //nolint:wrapcheck // it is ours
	case e == nil:
		return nil, errProcEnded
	}
	return memWay{to: e}, nil
}

// way is Sender for one in-process rank, or the controller, as the sender: what it sends knows the way back.
func (l *memLink) way(from, to uint64) (quicnet.Sender, error) {
	way, err := l.Sender(to)
	if w, in := way.(memWay); in && err == nil {
		l.mu.Lock()
		w.back = l.ends[from]
		l.mu.Unlock()
		return w, nil
	}
	return way, err
}

// memWay is the way to an in-process rank.
type memWay struct {
	to   *memEnd
	back *memEnd // of who sends; nil: not known
}

// Send implements quicnet.Sender.
func (w memWay) Send(ctx context.Context, lane quicnet.Lane, env *quicnet.Envelope) error {
	return w.put(ctx, lane, env.Clone())
}

// put is Send of an envelope that is the receiver's from now on, unless there is an error.
func (w memWay) put(ctx context.Context, lane quicnet.Lane, env *quicnet.Envelope) error {
	if w.back != nil {
		env.Back = w.back.home
	}
	return w.to.put(ctx, lane, env)
}

// handBy is sendBy for an envelope of quicnet.NewEnvelope that the caller needs no more: to a rank of this process it goes as it is,
// where it can. Then it is not the caller's any more, which is reported.
func (n *node) handBy(ctx context.Context, way quicnet.Sender, env *quicnet.Envelope, now int64) (handed bool, err error) {
	if w, here := way.(memWay); here && env.Owned() && env.Large == nil {
		return n.handHere(ctx, w, env, now)
	}
	return false, n.sendBy(ctx, way, env, now)
}

func (n *node) handHere(ctx context.Context, w memWay, env *quicnet.Envelope, now int64) (handed bool, err error) {
	if err := n.stamp(env, now); err != nil {
		return false, err
	}
	env.Hand()
	switch err := w.put(ctx, quicnet.LaneCalls, env); {
	case err == nil:
		return true, nil
	case errors.Is(err, errProcEnded): // the long way knows why
		return false, n.send(ctx, quicnet.LaneCalls, env)
	default:
		return false, err
	}
}

// sizeOf is what a frame counts for in a queue.
func sizeOf(env *quicnet.Envelope) int {
	return frameOverhead + len(env.Region) + len(env.Endpoint) + len(env.Body)
}

func (e *memEnd) put(ctx context.Context, lane quicnet.Lane, env *quicnet.Envelope) error {
	for {
		if e.state.CompareAndSwap(0, endRead) {
			e.hand(env)
			return nil
		}
		e.mu.Lock()
		if e.stopped() {
			e.mu.Unlock()
			return errProcEnded
		}
		if !e.queues() { // the reader has done meanwhile
			e.mu.Unlock()
			continue
		}
		if e.size < memQueueBytes || lane == quicnet.LaneControl {
			e.size += sizeOf(env)
			if lane == quicnet.LaneControl {
				e.high = append(e.high, env)
			} else {
				e.low = append(e.low, env)
			}
			e.mu.Unlock()
			return nil
		}
		if e.room == nil {
			e.room = make(chan struct{})
		}
		room := e.room
		e.mu.Unlock()
		select {
		case <-room:
		case <-e.stop:
			return errProcEnded
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// hand gives a frame to the node for a sender that is the reader meanwhile. What has come until then is left to the others.
func (e *memEnd) hand(env *quicnet.Envelope) {
	e.node.Frame(quicnet.ID{Proc: env.From.Proc}, quicnet.LaneCalls, env)
	if e.state.CompareAndSwap(endRead, 0) {
		return
	}
	e.mu.Lock()
	more := len(e.high)+len(e.low)+len(e.after) > 0
	if !more {
		e.state.And(endStopped)
	}
	e.mu.Unlock()
	if more {
		e.link.readers.add(e)
	}
}

// read hands frames to the node until there are none, or the end is detached.
func (e *memEnd) read() {
	for batch, after := e.take(nil); len(batch)+len(after) > 0; batch, after = e.take(batch) {
		for _, env := range batch {
			e.node.Frame(quicnet.ID{Proc: env.From.Proc}, quicnet.LaneCalls, env)
		}
		for _, do := range after {
			do()
		}
	}
}

// then runs do when what is in the queue now has been read, at once where that is nothing.
func (e *memEnd) then(do func()) {
	e.mu.Lock()
	if e.queues() {
		e.after = append(e.after, do)
		e.mu.Unlock()
		return
	}
	e.mu.Unlock()
	do()
}

// take gives what is in the queue, in the order in which it is to be read, and what is to be done then; reading is over
// when that is nothing. What it gave before is room for more.
func (e *memEnd) take(before []*quicnet.Envelope) (batch []*quicnet.Envelope, after []func()) {
	clear(before)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped() || len(e.high)+len(e.low)+len(e.after) == 0 {
		e.state.And(endStopped)
		e.high, e.low = nil, nil
		return nil, nil
	}
	after, e.after = e.after, nil
	batch = append(append(before[:0], e.high...), e.low...)
	clear(e.high)
	clear(e.low)
	e.high, e.low, e.size = e.high[:0], e.low[:0], 0
	if e.room != nil {
		close(e.room)
		e.room = nil
	}
	return batch, after
}

// readers are the goroutines that read the ends where there is something to read: a few for all ranks, because taking a
// frame never waits.
type readers struct {
	wg sync.WaitGroup

	mu     sync.Mutex
	more   sync.Cond // ready or closed has changed; on mu
	ready  []*memEnd
	count  int
	idle   int
	closed bool
}

// add has an end read. It may wait for others to be read first.
func (r *readers) add(e *memEnd) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready = append(r.ready, e)
	switch {
	case r.closed:
	case r.idle > 0:
		r.more.Signal()
	case r.count < max(2, runtime.GOMAXPROCS(0)):
		r.count++
		r.wg.Go(r.run)
	}
}

func (r *readers) run() {
	for e := r.next(); e != nil; e = r.next() {
		e.read()
	}
}

// next waits for an end to read, and gives the one that has waited longest; nil: there will be none.
func (r *readers) next() *memEnd {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.ready) == 0 && !r.closed {
		r.idle++
		r.more.Wait()
		r.idle--
	}
	if r.closed {
		return nil
	}
	e := r.ready[0]
	r.ready[0] = nil
	if r.ready = r.ready[1:]; len(r.ready) == 0 {
		r.ready = nil
	}
	return e
}

// close reads no more and waits for what is being read.
func (r *readers) close() {
	r.mu.Lock()
	r.closed = true
	r.more.Broadcast()
	r.mu.Unlock()
	r.wg.Wait()
}

// detach refuses what comes from now on; what is in the queue is dropped.
func (e *memEnd) detach() {
	e.mu.Lock()
	e.state.Or(endStopped)
	after := e.after
	e.after = nil
	e.mu.Unlock()
	close(e.stop)
	for _, do := range after {
		do()
	}
}

// Forget detaches a rank; messages to it fail from now on.
func (l *memLink) Forget(proc uint64, reason string) {
	l.mu.Lock()
	e, wire := l.ends[proc], l.wire
	delete(l.ends, proc)
	delete(l.procs, proc)
	l.gone.Add(proc, reason)
	l.mu.Unlock()
	if e != nil {
		e.detach()
	} else if wire != nil {
		wire.Forget(proc, reason)
	}
}

// Close detaches everybody, closes the wire and waits for the readers.
func (l *memLink) Close(reason string) error {
	l.mu.Lock()
	ends, wire := l.ends, l.wire
	l.ends, l.wire = map[uint64]*memEnd{}, nil
	l.mu.Unlock()
	for _, e := range ends {
		e.detach()
	}
	var err error
	if wire != nil {
		err = wire.Close(reason)
	}
	l.readers.close()
	return err
}

// shared is the memLink as one rank sees it: closing a rank must not close the others' network.
type shared struct{ *memLink }

// Forget does nothing: the controller detaches ranks for everybody.
func (shared) Forget(uint64, string) {}

// Close does nothing: the controller closes the network.
func (shared) Close(string) error { return nil }

var (
	_ link = (*memLink)(nil)
	_ link = shared{}
	_ link = (*quicnet.Node)(nil)
)
