package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/internal/farlog"
	"github.com/monarch-tui/monarch-tui/engine/internal/heap"
	"github.com/monarch-tui/monarch-tui/engine/internal/host"
	"github.com/monarch-tui/monarch-tui/engine/internal/kin"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/via"
	"github.com/monarch-tui/monarch-tui/engine/internal/life"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
)

type netAddr = net.Addr

const (
	exitOrphan   = life.FencedExit // a worker that lost its controller
	exitInternal = 70
	joinTimeout  = 20 * time.Second
)

// RunWorker runs the worker loop and does not return when this process was started as a worker, or, on another machine, as the agent
// that starts workers there; otherwise it returns at
// once. Main calls it. A program with a main of its own calls it after Register and before anything else.
func RunWorker() {
	if _, agent := os.LookupEnv(via.Env); agent {
		os.Exit(runAgent())
	}
	fd, ok := os.LookupEnv(launch.MarkerEnv)
	if !ok {
		return
	}
	_ = os.Unsetenv(launch.MarkerEnv)
	os.Exit(runWorker(fd))
}

func runWorker(fd string) int {
	n, err := strconv.Atoi(fd)
	if err != nil || n < 3 {
		fmt.Fprintf(os.Stderr, "%s=%q is set by the engine for its workers only; unset it\n", launch.MarkerEnv, fd)
		return exitInternal
	}
	host.CloseOnExec(n)
	host.Pollable(n) // it is read for as long as the process lives
	pipe := os.NewFile(uintptr(n), "bootstrap")
	boot, err := readBootstrap(pipe)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", workerSays, err)
		return exitInternal
	}
	sockets := inherited(boot.Sockets)
	launch.Adopt()
	heap.Tend()
	go watchLifeline(pipe, boot.Remote)
	w, err := joinSession(boot, sockets)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", workerSays, err)
		return exitInternal
	}
	return <-w.exit
}

func readBootstrap(pipe *os.File) (bootstrap, error) {
	var boot bootstrap
	b, err := launch.ReadBootstrap(pipe)
	if err != nil {
		return boot, fmt.Errorf("%s is set by the engine for its workers only: %w", launch.MarkerEnv, err)
	}
	if err := quicnet.StrictDec().Unmarshal(b, &boot); err != nil {
		return boot, fmt.Errorf("the bootstrap does not decode: %w", err)
	}
	_ = os.Unsetenv("GOMAXPROCS")
	if boot.HadProcs {
		_ = os.Setenv("GOMAXPROCS", boot.GOMAXPROCS)
	}
	return boot, nil
}

// watchLifeline ends the process when whoever started it is gone, and with it all that is in its cgroup and its process group. That
// is the controller, or on another machine the agent: then the controller is told.
func watchLifeline(pipe *os.File, remote bool) {
	_, _ = io.Copy(io.Discard, pipe)
	if n := workerNode.Load(); n != nil && remote {
		said := make(chan struct{})
		go func() {
			if wire, ok := n.peers.current().(*quicnet.Node); ok {
				_ = wire.Close(agentGone)
			}
			close(said)
		}()
		select {
		case <-said:
		case <-time.After(lastWords):
		}
	}
	endGroup()
}

// agentGone is what a worker tells whose agent has ended before it.
const agentGone = "the agent that started it is gone"

func endGroup() {
	kin.EndOwn()
	host.KillOwnGroup()
	os.Exit(exitOrphan)
}

// worker is a process of a proc mesh.
type worker struct {
	node *node
	exit chan int
}

// inherited are the sockets that a worker has from its controller.
func inherited(n uint8) []*os.File {
	var files []*os.File
	for fd := launch.FirstFile; fd < launch.FirstFile+int(n); fd++ {
		host.CloseOnExec(fd)
		host.Pollable(fd)
		files = append(files, os.NewFile(uintptr(fd), "socket"))
	}
	return files
}

func joinSession(boot bootstrap, sockets []*os.File) (*worker, error) {
	var ticket quicnet.Ticket
	if err := ticket.UnmarshalBinary(boot.Ticket); err != nil {
		return nil, fmt.Errorf("its ticket does not decode: %w", err)
	}
	log, far := workerLog(boot)
	w := &worker{node: newNode(boot.Proc, boot.Epoch, log), exit: make(chan int, 1)}
	w.node.alone(w.handlers())
	w.node.slot, w.node.seed = boot.Slot, boot.Seed
	w.node.out = stdSink{}
	w.node.tel.set(boot.Tell)
	if boot.Agent != 0 {
		w.node.up = newUpward(w.node, boot.Agent)
	}
	listen := nearSocket(ticket.Addrs) // there is one: a ticket without does not decode
	if boot.Remote {
		listen = anyAddr
	}
	ctx, cancel := context.WithTimeout(context.Background(), joinTimeout)
	defer cancel()
	wire, _, err := quicnet.Join(ctx, ticket, quicnet.Config{
		Timing: quicnet.Timing{Lease: boot.Lease}, Sockets: sockets, Listen: listen, Carrier: carrier.Options{HoldOff: true},
		Handler: w.node, Resolve: w.resolve, Hello: helloOf, Logger: w.node.log,
	})
	if err != nil {
		return nil, err
	}
	w.node.peers.connect(wire)
	workerNode.Store(w.node)
	w.node.wg.Go(func() { w.node.reporter.run(w.node.closing) })
	w.node.wg.Go(func() { w.node.tel.run(w.node.closing) })
	w.node.tellLog(far)
	return w, nil
}

// helloOf is what a worker says of itself. way is how its frames travel.
func helloOf(way string) []byte {
	b, _ := quicnet.Enc().Marshal(hello{PID: os.Getpid(), Build: buildID(), Engine: Version, Carrier: way}) // cannot fail: numbers and texts
	return b
}

// workerLog writes to the session's log file, on another machine by way of the controller: the queue is that of what it is told. A
// worker's stderr belongs to its user.
func workerLog(boot bootstrap) (*slog.Logger, *farlog.Queue) {
	if boot.Remote {
		far := farlog.NewQueue()
		return far.Logger(), far
	}
	if boot.LogFile != "" {
		if f, err := os.OpenFile(boot.LogFile, os.O_APPEND|os.O_WRONLY, 0); err == nil {
			return slog.New(slog.NewTextHandler(f, nil)).With("procs", boot.Mesh, "rank", boot.Rank), nil
		}
	}
	return slog.New(slog.DiscardHandler), nil
}

const sysLog = "log" // note: process on another machine → controller, a line for the session's log

// tellLog has a goroutine tell the controller what the node logs; nil: it is written here.
func (n *node) tellLog(far *farlog.Queue) {
	if far == nil {
		return
	}
	n.wg.Go(func() {
		far.Run(n.closing, func(r farlog.Record) {
			_ = n.notice(n.root, quicnet.LaneEvents, nil, quicnet.Addr{}, sysLog, r) // what is lost on the way is lost: it is a log
		})
	})
}

// found is the directory's answer.
type found struct {
	Addr  string // empty: the peer will dial
	Still stillBody
}

// stillBody tells that a process stands still by a signal, or goes on: while it stands, its silence says nothing.
type stillBody struct {
	Proc  uint64
	Still bool
	Turn  uint64 // counts such changes in the session; 0: it never stood still
}

// resolve asks the controller where a peer is. The lower id dials; the controller tells the other one to.
func (w *worker) resolve(ctx context.Context, proc uint64) (net.Addr, error) {
	var f found
	if err := w.node.request(ctx, quicnet.Addr{}, sysFind, proc, &f); err != nil {
		return nil, err
	}
	w.node.hold(f.Still)
	if f.Addr == "" {
		return nil, nil
	}
	return net.ResolveUDPAddr("udp", f.Addr)
}

// lastWords is how long a worker that was told to end goes on to send what it has to say.
const lastWords = 500 * time.Millisecond

// exitReason is what a worker that was told to end tells its peers.
const exitReason = "the process was stopped"

// handlers makes the handlers of a worker process.
func (w *worker) handlers() *sysTable {
	t := rankHandlers()
	handle(t, sysExit, fromController, func(ctx context.Context, n *node, _ quicnet.Addr, _ int) (any, error) {
		go func() {
			limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
			defer cancel()
			n.outbox.Settle(limit) // what it was about to say: its link closes first
			n.close(exitReason)
			w.exit <- 0
		}()
		return nil, nil
	})
	w.leaveHandler(t)
	handle(t, sysTell, fromController, func(_ context.Context, n *node, _ quicnet.Addr, b tellBody) (any, error) {
		n.tel.set(b)
		return nil, nil
	})
	handleNote(t, sysTell, fromController, func(n *node, _ quicnet.Addr, b tellBody) error { n.tel.set(b); return nil })
	handleNote(t, sysDial, fromController, func(n *node, _ quicnet.Addr, proc uint64) error {
		if wire, ok := n.peers.current().(*quicnet.Node); ok {
			wire.Connect(proc)
		}
		return nil
	})
	handle(t, sysOpen, fromController, func(context.Context, *node, quicnet.Addr, int) (any, error) { return w.openHere() })
	handleNote(t, sysStill, fromController, func(n *node, _ quicnet.Addr, b stillBody) error { n.hold(b); return nil })
	handle(t, sysFlush, fromController, func(_ context.Context, _ *node, _ quicnet.Addr, mark uint64) (any, error) {
		return nil, errors.Join(writeMark(os.Stdout, mark), writeMark(os.Stderr, mark))
	})
	return t
}

// hold has the link to a process take its silence for what it is.
func (n *node) hold(b stillBody) {
	b = n.peers.newest(b)
	if wire, ok := n.peers.current().(*quicnet.Node); ok && b.Turn > 0 {
		wire.Hold(b.Proc, b.Still)
	}
}

// follow tells of each time that a worker is stopped by a signal and goes on, until it has ended.
func (h *hub) follow(p *proc, child child) {
	for {
		select {
		case <-child.Changed():
			h.still(p, child.Stopped())
		case <-child.Ended():
			return
		}
	}
}

// still notes that a worker stands still by a signal, or goes on: the controller and the other workers wait for it meanwhile,
// however long it is silent.
func (h *hub) still(p *proc, still bool) {
	kind := life.ContinueSeen
	if still {
		kind = life.PauseSeen
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.on(p, kind)
	h.stills++
	p.still = stillBody{p.id, still, h.stills}
	now := p.still
	if h.wire != nil {
		h.wire.Hold(p.id, still)
	}
	for _, other := range h.procs {
		if other == p || other.child == nil || !other.isReady() || other.over() {
			continue
		}
		h.node.outbox.Add(other.id, func() { // one that has gone meanwhile waits for nobody
			_ = h.node.notice(h.node.root, quicnet.LaneControl, nil, quicnet.Addr{Proc: other.id}, sysStill, now)
		})
	}
}

// fence ends a worker whose lease is over: a successor may live soon. Whoever started it ends what it leaves behind.
func (n *node) fence(reason string) {
	n.log.Error("the lease is over", "reason", reason)
	fmt.Fprintf(os.Stderr, "%s%s: its lease is over\n", workerSays, reason)
	os.Exit(life.FencedExit)
}

// controllerGone ends a worker whose link to the controller is lost for good.
func (n *node) controllerGone(reason string) {
	n.log.Error("the controller is gone", "reason", reason)
	endGroup()
}

// alive gives a process that has not ended, or says why there is none.
func (h *hub) alive(from quicnet.Addr, id uint64) (*proc, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, asker := h.procs[id], h.procs[from.Proc]
	switch {
	case asker == nil || p == nil && !h.issued(id):
		return nil, fmt.Errorf("there is no process %d in this session", id)
	case p == nil:
		return nil, fmt.Errorf("process %d ended with its proc mesh%s: %w", id, asOrdered, ErrStopped)
	case p.over() && p.rec.Ordered:
		return nil, fmt.Errorf("%s%s: %w", p.rec.Reason, asOrdered, ErrStopped)
	case p.over():
		return nil, fmt.Errorf("%s: %w", p.rec.Reason, ErrLost)
	}
	return p, nil
}

// find answers the directory's question and has the lower id dial.
func (h *hub) find(ctx context.Context, from quicnet.Addr, proc uint64) (found, error) {
	h.mu.Lock()
	if m, asker := h.hosts[proc], h.procs[from.Proc]; m != nil && asker != nil && asker.on == m {
		defer h.mu.Unlock()
		return found{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(m.port))}, nil
	}
	h.mu.Unlock()
	p, err := h.alive(from, proc)
	if err != nil {
		return found{}, err
	}
	h.mu.Lock()
	still, asker := p.still, h.procs[from.Proc]
	h.mu.Unlock()
	if from.Proc < proc {
		if still.Still { // at once: one that stands still from its first moments has no address until it goes on
			_ = h.node.notice(ctx, quicnet.LaneControl, nil, quicnet.Addr{Proc: from.Proc}, sysStill, still)
		}
		addr, err := h.meet(ctx, asker, p)
		return found{Addr: addr, Still: still}, err
	}
	return found{Still: still}, h.node.notice(context.Background(), quicnet.LaneControl, nil, quicnet.Addr{Proc: proc}, sysDial, from.Proc)
}
