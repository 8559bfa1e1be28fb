package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/build"
	"github.com/monarch-tui/monarch-tui/engine/internal/farlog"
	"github.com/monarch-tui/monarch-tui/engine/internal/gpu"
	"github.com/monarch-tui/monarch-tui/engine/internal/host"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/via"
	"github.com/monarch-tui/monarch-tui/engine/internal/stops"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/recent"
)

// hub is what the controller knows of the session: which proc meshes and actor meshes there are, who owns them, what state
// each rank is in. It executes the verbs that create and end them, for the program, for actors and for front ends alike.
type hub struct {
	node  *node
	mem   *memLink
	ranks struct { // what in-process ranks share
		handlers *sysTable
		peers    *peers
	}
	opts options
	out  *output
	log  *slog.Logger

	gpus    *gpu.Finder
	program func() (via.Program, error) // this executable, for other machines
	spawner *launch.Spawner
	builds  *build.Store
	ssh     *via.Connections
	verbs   control.Handlers // filled by newHub

	mu             sync.Mutex
	wire           *quicnet.Node // nil until the first worker process is started
	session        control.Session
	procMeshes     map[string]*procMesh
	procs          map[uint64]*proc
	hosts          map[uint64]*machine // by the number of their agents
	farLogs        *farlog.Queue       // what is logged on them; nil until there is one
	meshes         map[string]*mesh
	meshByID       map[uint64]*mesh
	leaving        map[uint64]*mesh // off the books, but what they owned still ends
	history        []control.Mesh   // ended meshes, newest last, for front ends
	endedProcs     []string         // names of ended proc meshes, newest last
	nextProc       uint64
	detours        sync.Map    // process → *detour
	far            atomic.Bool // there are, or were, some
	stills         uint64      // turns of stops by a signal
	nextLocal      uint64
	nextMesh       uint64
	autoName       int
	clients        map[uint64]control.ClientInfo
	nextClient     uint64
	waits          map[uint64][]control.WaitEdge // by process, as last reported
	wanted         map[string]int                // watches by topic
	debug          debugger
	faults         faults
	locks          lockTable          // has a lock of its own
	fan            fanOut             // links to workers
	reload         reloads            // moves to other builds
	tell           tellBody           // whether messages are reported
	traceSeen      map[uint64]uint64  // by process: number of the next message it reports
	past           backlog            // the last messages
	restarts       []control.Restart  // the newest
	saved          int                // bytes of what actors have saved
	monitors       int                // of ranks that live
	series         series             // of figures that actors report
	endSampler     context.CancelFunc // nil while nobody wants to know of memory
	sampled        time.Time          // when memory was measured last
	supervise      func(context.Context, Failure) Decision
	failRun        func(Failure) // ends run; nil in sessions that go on
	unhandledFirst *Failure      // the first failure that nobody handled
	closed         bool          // nothing is created any more
	ignoreFailures bool          // failures are not judged any more
	seq            uint64
	sinks          map[int]func(*control.Event)
	nextSink       int
	logs           []control.Log          // ring of the last lines
	logSize        int                    // bytes in logs
	watched        atomic.Bool            // there are subscribers: events of calls are made
	logClose       io.Closer              // the session's log file
	logLost        atomic.Pointer[string] // why the first line of it was lost; nil while none was

	starts sync.WaitGroup // proc meshes that are being started: close waits for them, so that nothing is forked after it
	wg     sync.WaitGroup
}

// owner is who created a mesh: an actor, or the program, for which front ends act.
type owner struct {
	addr  quicnet.Addr // Actor 0: not an actor
	label string       // "" for the program, "@trainer[0]" for an actor
}

// is reports whether both are the same: the same actor, or the program.
func (o owner) is(other owner) bool {
	return o.addr == other.addr || o.addr.Actor == 0 && other.addr.Actor == 0
}

// procMesh is a grid of processes.
type procMesh struct {
	ending
	rec   control.ProcMesh
	owner owner
	procs []*proc           // by rank; guarded by hub.mu, for a rank that begins anew has another one
	slots slots             // GPUs of the ranks; given back when the processes have ended
	past  []control.MeshRef // the last actor meshes that ended here; guarded by hub.mu
	fleet *fleet            // hosts that a launcher was asked for; nil: this machine
	req   control.ProcsReq  // what started it, and starts a rank anew
	again revival           // of its processes; guarded by hub.mu
}

// size is how many ranks it has, which never changes.
func (pm *procMesh) size() int { return pm.rec.Extent.Len() }

// mesh is an actor mesh.
type mesh struct {
	ending
	rec      control.Mesh
	owner    owner
	procs    *procMesh
	started  chan struct{}  // closed when the spawn has succeeded or failed
	lives    lives          // of its actors; guarded by hub.mu
	monitors []monitorEntry // of its ranks; guarded by hub.mu
}

const (
	maxLogRing    = 20_000
	maxLogBytes   = 8 << 20
	maxHistory    = 256
	maxLocalRanks = 65_536
)

func newHub(opts options) (*hub, error) {
	h := &hub{
		opts: opts, mem: newMemLink(), log: opts.logger,
		procMeshes: map[string]*procMesh{}, procs: map[uint64]*proc{}, hosts: map[uint64]*machine{}, meshes: map[string]*mesh{}, meshByID: map[uint64]*mesh{}, leaving: map[uint64]*mesh{},
		clients: map[uint64]control.ClientInfo{}, waits: map[uint64][]control.WaitEdge{}, wanted: map[string]int{}, traceSeen: map[uint64]uint64{}, sinks: map[int]func(*control.Event){},
		nextProc: 1,
	}
	h.gpus = gpu.NewFinder(gpu.System{Lookup: os.LookupEnv, Sys: "/sys"})
	h.program = sync.OnceValues(func() (via.Program, error) { return readProgram(build.OwnPath(opts.executable), opts.args) })
	h.builds = build.NewStore()
	h.ssh = via.NewConnections(h.sessionFolder)
	h.debug = debugger{book: stops.New(), holds: map[uint64]*time.Timer{}}
	h.fan = fanOut{cpus: runtime.NumCPU(), links: map[uint64]struct{}{}}
	h.locks.over = recent.New[claimKey, struct{}](4096)
	h.out = newOutput(h, opts.stdout, opts.stderr, opts.sorted)
	h.node = newNode(0, 1, opts.logger)
	h.node.windows.detours = h.detourOf
	h.node.seed = opts.seed
	h.node.hub, h.node.local, h.node.out = h, h, h.out
	h.node.alone(controllerHandlers(h))
	h.node.peers.connect(h.mem)
	h.ranks.handlers, h.ranks.peers = rankHandlers(), newPeers()
	h.ranks.peers.connect(shared{h.mem})
	h.registerVerbs()
	h.mem.attach(h.node)
	h.node.wg.Go(func() { h.node.reporter.run(h.node.closing) })
	h.node.wg.Go(func() { h.node.tel.run(h.node.closing) })
	h.session = control.Session{
		Name: opts.name, Program: opts.program, PID: opts.pid, Build: buildID(), Engine: Version, State: "running", Started: time.Now(),
	}
	return h, nil
}

// publish numbers an event and hands it to the subscribers. The caller holds h.mu.
func (h *hub) publish(ev control.Event) {
	h.seq++
	ev.Seq, ev.Time = h.seq, time.Now()
	for _, sink := range h.sinks {
		sink(&ev)
	}
}

// endedOf is closed when the process has ended; nil for the controller's own, which does not.
func (h *hub) endedOf(id uint64) <-chan struct{} {
	if id == 0 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.procs[id]; p != nil {
		return p.ended
	}
	if m := h.hosts[id]; m != nil {
		return m.gone
	}
	return closedChan
}

// closedChan is closed.
var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// addLog keeps a line and tells the subscribers.
func (h *hub) addLog(l control.Log) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keepLog(l)
}

// keepLog is addLog for who holds h.mu.
func (h *hub) keepLog(l control.Log) {
	if len(h.logs) >= 2*maxLogRing || h.logSize >= 2*maxLogBytes {
		h.forgetLogs()
	}
	h.logs = append(h.logs, l)
	h.logSize += sizeOfLog(&l)
	h.publish(control.Event{Log: &l})
}

// forgetLogs keeps the newest lines, of which there are maxLogRing and maxLogBytes at most. The caller holds h.mu.
func (h *hub) forgetLogs() {
	first, size := len(h.logs), 0
	for first > max(0, len(h.logs)-maxLogRing) && size < maxLogBytes {
		first--
		size += sizeOfLog(&h.logs[first])
	}
	n := copy(h.logs, h.logs[first:])
	clear(h.logs[n:])
	h.logs, h.logSize = h.logs[:n], size
}

// sizeOfLog is what a line needs in memory, roughly.
func sizeOfLog(l *control.Log) int { return 128 + len(l.Text) + len(l.Raw) }

// meshOf finds a mesh by id.
func (h *hub) meshOf(id uint64) *mesh {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.meshByID[id]
}

// procsOf are the processes of a mesh, by rank.
func (h *hub) procsOf(pm *procMesh) []*proc {
	h.mu.Lock()
	defer h.mu.Unlock()
	return pm.procs
}

// checkDims checks dimensions against what can be started.
func (h *hub) checkDims(dims shape.Extent, inProcess, elsewhere bool) error {
	limit, sum, advice := maxLocalRanks, "", ""
	if !inProcess && !elsewhere {
		limit, sum = host.ProcessLimit()
		advice = "in-process ranks need far less: engine.InProcess, or in-process in a script"
	}
	if err := dims.Validate(0); err != nil {
		return err
	}
	if n := dims.Len(); n > limit {
		return &LimitError{fmt.Sprintf("%s makes %d processes; at most %d fit here%s", dims, n, limit, sum), advice}
	}
	return nil
}

// close ends everything: actors, processes, links, subscribers. It does so in order until ctx ends, then at once.
func (h *hub) close(ctx context.Context) {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return
	}
	h.closed = true
	h.session.State = "stopping"
	rec := h.session
	h.publish(control.Event{Session: &rec})
	h.liftDebugger()
	h.liftFaults()
	var pms []*procMesh
	for _, pm := range h.procMeshes {
		pms = append(pms, pm)
	}
	h.mu.Unlock()
	slices.SortFunc(pms, func(a, b *procMesh) int { return int(b.rec.ID) - int(a.rec.ID) })
	var wg sync.WaitGroup
	for _, pm := range pms {
		wg.Go(func() { _ = h.endProcs(ctx, pm, "the program ended") })
	}
	wg.Wait()
	if ctx.Err() != nil { // ends that others began are not in time either
		for _, pm := range pms {
			wg.Go(func() { h.signalAll(ctx, pm, h.procsOf(pm)) })
		}
		wg.Wait()
	}
	limit, cancel := graceAfter(ctx, false)
	defer cancel()
	waitUntil(&h.starts, limit.Done())
	h.mu.Lock()
	h.ignoreFailures = true
	spawner := h.spawner
	h.mu.Unlock()
	h.node.shut("the program ended")
	h.node.await(limit)
	if spawner != nil {
		spawner.Close()
	}
	limit, cancel = graceAfter(ctx, false)
	defer cancel()
	h.gpus.Close(limit)
	waitUntil(&h.wg, limit.Done()) // but for a supervisor of the user that does not return
	h.ssh.Close()
	h.out.close()
	h.builds.Close()
}

// fanOut knows how many workers the controller has links to. With more of them than CPUs, what the controller's carrier
// would poll for needs the very CPU that it polls on.
type fanOut struct {
	cpus  int
	links map[uint64]struct{} // by process
	wide  bool
}

// note takes an event of a link, and reports whether the answer to "more links than CPUs" has changed.
func (f *fanOut) note(ev quicnet.LinkEvent) bool {
	switch ev.State {
	case quicnet.LinkUp:
		f.links[ev.Peer.Proc] = struct{}{}
	case quicnet.LinkLost, quicnet.LinkClosed:
		delete(f.links, ev.Peer.Proc)
	default:
		return false
	}
	was := f.wide
	f.wide = len(f.links) > f.cpus
	return f.wide != was
}

// steerPoll switches the carrier's polling as the number of links asks for. The caller holds h.mu.
func (h *hub) steerPoll(ev quicnet.LinkEvent) {
	if !h.fan.note(ev) || h.wire == nil {
		return
	}
	h.wire.SetPoll(!h.fan.wide, fmt.Sprintf("more workers than CPUs, which are %d", h.fan.cpus))
	h.tellCarrier()
}

// tellCarrier puts the controller's carrier into the session's record. The caller holds h.mu.
func (h *hub) tellCarrier() {
	h.session.Carrier = h.wire.Way()
	rec := h.session
	h.publish(control.Event{Session: &rec})
}
