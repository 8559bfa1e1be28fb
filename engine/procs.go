package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/host"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// ProcOption says what SpawnProcs is to start.
type ProcOption func(*control.ProcsReq)

// Dim adds a dimension: Dim("hosts", 2), Dim("gpus", 4). Dimensions are ordered; the last one varies fastest.
func Dim(name string, size int) ProcOption {
	return func(r *control.ProcsReq) { r.Dims = append(r.Dims, shape.Dim{Name: name, Size: size}) }
}

// Name names the mesh; without it the engine picks procs0, procs1, …
func Name(name string) ProcOption { return func(r *control.ProcsReq) { r.Name = name } }

// CPUs sets GOMAXPROCS of each worker. It is 1 unless told otherwise: one rank, one core.
func CPUs(n int) ProcOption { return func(r *control.ProcsReq) { r.CPUs = n } }

// Env adds variables, each KEY=value, to the environment of the workers.
func Env(vars ...string) ProcOption {
	return func(r *control.ProcsReq) { r.Env = append(r.Env, vars...) }
}

// Virtual gives ranks GPU slots without devices behind them, even where there are devices: nothing is claimed, and the ranks
// see whatever devices the program itself sees.
//
// Otherwise a mesh with a dimension "gpus" takes one device for each rank where the machine has any, for as long as it is
// there: no other mesh of this or another program gets it. A rank sees its device only (CUDA_VISIBLE_DEVICES is its UUID), and
// runs on the CPUs of the device's NUMA node. What CUDA_VISIBLE_DEVICES hides from the program stays hidden from the ranks. One
// that is given by Env stands, and the slots are virtual.
func Virtual() ProcOption { return func(r *control.ProcsReq) { r.Virtual = true } }

// Oversubscribe lets ranks share GPUs where fewer are free than there are ranks, and the GPUs of other meshes where none is.
func Oversubscribe() ProcOption { return func(r *control.ProcsReq) { r.Oversubscribe = true } }

// AllowPartial keeps the ranks that started when others did not. Calls to the missing ones say so.
func AllowPartial() ProcOption { return func(r *control.ProcsReq) { r.AllowPartial = true } }

// InProcess runs the ranks as goroutines of the controller: for tests, for teaching, for thousands of ranks on a laptop.
func InProcess() ProcOption { return func(r *control.ProcsReq) { r.InProcess = true } }

// procRef is the inside of a ProcMesh, and how it travels.
type procRef struct {
	_      struct{} `cbor:",toarray"`
	ID     uint64
	Name   string
	Extent shape.Extent
	First  uint64
	View   shape.Region
	Hosts  *control.Hosts // nil: it is all on the controller's own machine
}

// grid is the reference as one whose ranks are processes.
func (r *procRef) grid() control.MeshRef {
	return control.MeshRef{Name: r.Name, First: r.First, Home: shape.RegionOf(r.Extent), View: r.View, Hosts: r.Hosts}
}

// ProcMesh is a reference to a grid of worker processes. It is a value: it slices and travels as a Mesh does.
type ProcMesh struct {
	r   *procRef
	err error
}

// Extent is the shape of the mesh, or of the slice.
func (p ProcMesh) Extent() Extent {
	if p.Err() != nil {
		return nil
	}
	return p.r.View.Extent()
}

// Len is how many processes it has.
func (p ProcMesh) Len() int {
	if p.Err() != nil {
		return 0
	}
	return p.r.View.Len()
}

// Name is the mesh's name.
func (p ProcMesh) Name() string {
	if p.r == nil {
		return ""
	}
	return p.r.Name
}

// Err is the error of a bad Slice, or of a ProcMesh that was never assigned.
func (p ProcMesh) Err() error {
	if p.err == nil && p.r == nil {
		return errors.New("empty engine.ProcMesh: it was never assigned")
	}
	return p.err
}

// Slice narrows the mesh; Spawn on a slice puts actors on those ranks only.
func (p ProcMesh) Slice(s ...Sel) ProcMesh {
	return p.derive("slice of ", func(shape.Region) (shape.Region, error) { return p.r.grid().Slice(s...) })
}

// Select is Slice by a selection's text, as ParseSel reads it.
func (p ProcMesh) Select(text string) ProcMesh {
	return p.derive("select from ", func(shape.Region) (shape.Region, error) { return selectFrom(p.r.grid(), text) })
}

// Split, Rename and Flatten give the grid other dimensions, as those of Mesh do; actors spawned on it have its shape. The
// processes keep their GPU slots.
func (p ProcMesh) Split(dim string, into Extent) ProcMesh {
	return p.derive("", func(v shape.Region) (shape.Region, error) { return v.Split(dim, into) })
}

// Rename gives a dimension another name. See Split.
func (p ProcMesh) Rename(dim, name string) ProcMesh {
	return p.derive("", func(v shape.Region) (shape.Region, error) { return v.Rename(dim, name) })
}

// Flatten makes one dimension of all; the ranks must be contiguous. See Split.
func (p ProcMesh) Flatten(name string) ProcMesh {
	return p.derive("", func(v shape.Region) (shape.Region, error) { return v.Flatten(name) })
}

func (p ProcMesh) derive(verb string, f func(shape.Region) (shape.Region, error)) ProcMesh {
	if p.Err() != nil {
		return p
	}
	view, err := f(p.r.View)
	if err != nil {
		return ProcMesh{r: p.r, err: fmt.Errorf("%sprocs %s: %w", verb, p.r.Name, err)}
	}
	r := *p.r
	r.View = view
	return ProcMesh{r: &r}
}

// String is the mesh's name and slice.
func (p ProcMesh) String() string {
	if p.r == nil {
		return "?"
	}
	if p.r.View.Len() == p.r.Extent.Len() {
		return p.r.Name
	}
	return p.r.Name + "[" + shape.Describe(shape.RegionOf(p.r.Extent), p.r.View) + "]"
}

// MarshalCBOR makes a proc mesh travel in arguments.
func (p ProcMesh) MarshalCBOR() ([]byte, error) {
	if p.r == nil && p.err == nil {
		return []byte{0xf6}, nil
	}
	if p.err != nil {
		return nil, p.err
	}
	return quicnet.Enc().Marshal(p.r)
}

// UnmarshalCBOR refuses a malformed reference.
func (p *ProcMesh) UnmarshalCBOR(b []byte) error {
	if len(b) == 1 && b[0] == 0xf6 {
		*p = ProcMesh{}
		return nil
	}
	var r procRef
	if err := quicnet.Dec().Unmarshal(b, &r); err != nil {
		return fmt.Errorf("proc mesh reference: %w", err)
	}
	if err := errors.Join(r.Extent.Validate(maxLocalRanks), r.View.Validate(), r.Hosts.Check()); err != nil {
		return fmt.Errorf("proc mesh reference %s: %w", r.Name, err)
	}
	if rank := r.View.Max(); rank >= r.Extent.Len() {
		return fmt.Errorf("proc mesh reference %s: rank %d is outside its %d ranks", r.Name, rank, r.Extent.Len())
	}
	*p = ProcMesh{r: &r}
	return nil
}

// SchemaKind tells engine/schema that a person cannot type one.
func (ProcMesh) SchemaKind() (kind, mesh string) { return "any", "" }

// StateText is how a debugger shows it.
func (p ProcMesh) StateText() string { return p.String() }

// SpawnProcs starts one worker process per point and returns when every one is ready. When one does not start, the error
// says which and why and nothing is left running, unless AllowPartial was given.
func SpawnProcs(ctx context.Context, opts ...ProcOption) (ProcMesh, error) {
	var req control.ProcsReq
	for _, o := range opts {
		o(&req)
	}
	n, err := nodeOf(ctx)
	if err != nil {
		return ProcMesh{}, fmt.Errorf("spawn procs: %w", err)
	}
	rec, err := n.verb(ctx, verbBody{Procs: &req})
	if err != nil {
		return ProcMesh{}, fmt.Errorf("spawn procs %s: %w", orDims(req), err)
	}
	pm := rec.ProcMesh
	return ProcMesh{r: &procRef{ID: pm.ID, Name: pm.Name, Extent: pm.Extent, First: pm.FirstProc, View: shape.RegionOf(pm.Extent), Hosts: pm.Hosts}}, nil
}

func orDims(r control.ProcsReq) string {
	if r.Name != "" {
		return saidName(r.Name)
	}
	return r.Dims.String()
}

// Stop ends the actors on the mesh in order, then the processes. Only the owner stops a mesh, and only a whole one. As with
// an actor mesh, an end that runs or is over is no error, and ctx limits the wait only.
func (p ProcMesh) Stop(ctx context.Context) error {
	if err := p.whole("stop"); err != nil {
		return err
	}
	fence(ctx, func(to quicnet.Addr) bool {
		return to.Proc >= p.r.First && to.Proc < p.r.First+uint64(p.r.Extent.Len())
	})
	return endVerb(ctx, p.r.Name, verbBody{Stop: &control.StopReq{Procs: p.r.Name, ID: p.r.ID}})
}

// Kill sends SIGKILL. A slice may be killed. It hurries a Stop that runs; what has ended already is no error.
func (p ProcMesh) Kill(ctx context.Context) error {
	if err := p.Err(); err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	return endVerb(ctx, p.r.Name, verbBody{Kill: &control.KillReq{Procs: p.r.Name, ID: p.r.ID, Ranks: ranksIn(p.r.View, p.r.Extent)}})
}

// ranksIn are the ranks of a view; nil for the whole mesh, whose extent is of.
func ranksIn(view shape.Region, of shape.Extent) []int {
	if view.Len() == of.Len() && len(view.Extent()) == len(of) {
		return nil
	}
	return slices.Collect(view.Ranks())
}

func (p ProcMesh) whole(verb string) error {
	if err := p.Err(); err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	if p.r.View.Len() != p.r.Extent.Len() {
		return fmt.Errorf("%s of %s: a mesh stops as a whole; Kill ends single ranks", verb, p)
	}
	return nil
}

func (p ProcMesh) faultOn() (procs, mesh string, id uint64, ranks []int, err error) {
	if err := p.Err(); err != nil {
		return "", "", 0, nil, err
	}
	return p.r.Name, "", p.r.ID, slices.Sorted(p.r.View.Ranks()), nil
}

func endVerb(ctx context.Context, name string, v verbBody) error {
	n, err := nodeOf(ctx)
	if err == nil {
		_, err = n.verb(ctx, v)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", v.name(), name, err)
	}
	return nil
}

// spawnTimeout is how long a worker has from exec to ready.
const spawnTimeout = 30 * time.Second

// startProcs creates a proc mesh: it reserves name and ids, then starts the ranks.
func (h *hub) startProcs(ctx context.Context, own owner, req control.ProcsReq) (control.ProcMesh, error) {
	if err := h.checkProcs(&req); err != nil {
		return control.ProcMesh{}, err
	}
	slots, err := h.takeSlots(ctx, req)
	if err != nil {
		return control.ProcMesh{}, err
	}
	pm, err := h.bookProcs(own, req, slots)
	if err != nil {
		slots.Release()
		return control.ProcMesh{}, err
	}
	defer h.starts.Done()
	if pm.fleet == nil && !req.InProcess {
		h.wg.Go(func() { host.RoomForFiles(req.Dims.Len()) })
	}
	if pm.fleet != nil {
		if err := h.launchHosts(ctx, pm, req); err != nil {
			_ = h.endProcs(context.WithoutCancel(ctx), pm, "its hosts did not come")
			return control.ProcMesh{}, err
		}
	}
	failed := h.launchAll(ctx, pm, req)
	if len(failed) > 0 && (!req.AllowPartial || len(failed) == pm.size()) {
		_ = h.endProcs(context.WithoutCancel(ctx), pm, "other ranks did not start")
		return control.ProcMesh{}, foldStartErrors(failed, pm.size())
	}
	h.mu.Lock()
	if pm.stopping {
		h.mu.Unlock()
		_ = pm.await(ctx)
		return control.ProcMesh{}, fmt.Errorf("it was stopped while it started: %w", ErrStopped)
	}
	defer h.mu.Unlock()
	pm.rec.State = "running"
	rec := pm.rec
	h.publish(control.Event{ProcMesh: &rec})
	return rec, nil
}

// maxCPUs bounds CPUs. More than the machine has is no mistake: a test may want to see what more threads do.
const maxCPUs = 1024

func (h *hub) checkProcs(req *control.ProcsReq) error {
	req.InProcess = req.InProcess || h.opts.inProcess
	if err := errors.Join(req.Restart.Check(), checkLease(req.Lease), h.checkDims(req.Dims, req.InProcess, req.Via != "")); err != nil {
		return err
	}
	if req.CPUs < 0 || req.CPUs > maxCPUs {
		return fmt.Errorf("%d CPUs for each worker: want 1 to %d (it is the GOMAXPROCS of a worker; this machine has %d)", req.CPUs, maxCPUs, runtime.NumCPU())
	}
	if err := h.checkVia(req); err != nil {
		return err
	}
	if req.Via != "" {
		if err := h.openWire(); err != nil {
			return err
		}
	} else if !req.InProcess {
		if err := errors.Join(launch.Platform(), enoughFiles(req.Dims.Len())); err != nil {
			return err
		}
		if err := h.openWire(); err != nil {
			return err
		}
	}
	for _, v := range req.Env {
		if k, _, ok := strings.Cut(v, "="); !ok || k == "" || strings.ContainsRune(v, 0) {
			return fmt.Errorf("environment %q: want KEY=value", clip(v, 80))
		}
	}
	return nil
}

// enoughFiles judges whether n workers fit the limit of open files.
func enoughFiles(n int) error {
	if missing := host.MissingFiles(n, startAtOnce); missing != "" {
		return &LimitError{missing, "or start fewer; in-process ranks need none"}
	}
	return nil
}

// bookProcs reserves the name and the process ids.
func (h *hub) bookProcs(own owner, req control.ProcsReq, slots slots) (*procMesh, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, fmt.Errorf("the engine is closing: %w", ErrStopped)
	}
	if err := h.orphaned(own); err != nil {
		return nil, err
	}
	name := req.Name
	for name == "" || (req.Name == "" && h.procMeshes[name] != nil) {
		name = fmt.Sprintf("procs%d", h.autoName)
		h.autoName++
	}
	if err := control.CheckName("proc mesh", name); err != nil {
		return nil, err
	}
	if h.procMeshes[name] != nil {
		return nil, fmt.Errorf("a proc mesh named %s exists already; stop it first or choose another name", name)
	}
	n := uint64(req.Dims.Len())
	var first uint64
	if req.InProcess {
		first, h.nextLocal = inProcessBit|(h.nextLocal+1), h.nextLocal+n
	} else {
		first, h.nextProc = h.nextProc, h.nextProc+n
	}
	pm := &procMesh{owner: own, req: req, ending: newEnding(), slots: slots, rec: control.ProcMesh{
		ID: first, Name: name, Extent: req.Dims, FirstProc: first, Owner: own.label, InProcess: req.InProcess,
		Virtual: slots.Slots == nil && req.Via == "", Slots: slots.why, State: "starting", Restart: req.Restart,
	}}
	for i := range n {
		p := newProc(pm, first+i, int(i), req)
		pm.procs = append(pm.procs, p)
		h.procs[p.id] = p
	}
	if !req.InProcess {
		h.mem.expect(pm.procs)
	}
	if req.Via != "" {
		h.bookHosts(pm, &req)
	}
	h.procMeshes[name] = pm
	h.starts.Add(1)
	rec := pm.rec
	h.publish(control.Event{ProcMesh: &rec})
	for _, p := range pm.procs {
		prec := p.rec
		h.publish(control.Event{Proc: &prec})
	}
	return pm, nil
}

const (
	startAtOnce    = 16  // workers that start beside each other on one machine
	startAllAtOnce = 256 // on all: each has the controller make a ticket, and wait for an agent
)

// launchAll starts the ranks, on each machine a few at a time, and returns the errors of those that did not become ready.
func (h *hub) launchAll(ctx context.Context, pm *procMesh, req control.ProcsReq) map[int]error {
	ctx, cancel := context.WithTimeoutCause(ctx, spawnTimeout+time.Duration(pm.size())*100*time.Millisecond, errTooSlow)
	defer cancel()
	type result struct {
		rank int
		err  error
	}
	results, all := make(chan result, pm.size()), make(chan struct{}, startAllAtOnce)
	for _, ranks := range byMachine(h.procsOf(pm)) {
		go func() {
			slots := make(chan struct{}, startAtOnce)
			for _, p := range ranks {
				slots <- struct{}{}
				all <- struct{}{}
				go func() {
					err := h.launchOne(ctx, p, req)
					<-all
					<-slots
					if err == nil {
						err = h.awaitReady(ctx, p)
					}
					results <- result{p.rank, err}
				}()
			}
		}()
	}
	failed := map[int]error{}
	for range pm.size() {
		r := <-results
		if r.err != nil {
			failed[r.rank] = r.err
			if !req.AllowPartial {
				cancel()
			}
		}
	}
	return failed
}

// byMachine parts ranks by the machine that they are on, in their order.
func byMachine(procs []*proc) map[*machine][]*proc {
	out := map[*machine][]*proc{}
	for _, p := range procs {
		out[p.on] = append(out[p.on], p)
	}
	return out
}

var errTooSlow = errors.New("it was not ready in time")

// foldStartErrors makes one error of those of the ranks. Equal texts are told once, with their ranks; ranks that were only
// cancelled because another failed are left out.
func foldStartErrors(failed map[int]error, n int) error {
	byText := map[string][]int{}
	for rank, err := range failed {
		if errors.Is(err, context.Canceled) && len(failed) > 1 {
			continue
		}
		byText[err.Error()] = append(byText[err.Error()], rank)
	}
	if len(byText) == 0 {
		for rank, err := range failed {
			byText[err.Error()] = append(byText[err.Error()], rank)
		}
	}
	texts := make([]string, 0, len(byText))
	for text, ranks := range byText {
		slices.Sort(ranks)
		texts = append(texts, fmt.Sprintf("rank [%s] of %d did not start: %s", shape.FormatRanks(ranks), n, text))
	}
	slices.Sort(texts)
	return errors.New(strings.Join(texts, "\n"))
}
