package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/build"
	"github.com/monarch-tui/monarch-tui/engine/internal/life"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// Reload is what a reload came to: the new build, and what became of each rank.
type Reload = control.Reload

// ReloadOption says how ranks move to another build.
type ReloadOption func(*control.ReloadReq)

// ReloadProgram has the ranks move to an executable that was built already. It is copied first: what becomes of the file is of
// no matter then.
func ReloadProgram(file string) ReloadOption { return func(r *control.ReloadReq) { r.Program = file } }

// ReloadPackage builds the package in a folder first, as the program that runs was built. Without it, and without ReloadProgram,
// that is the package of the program itself, as the module of the working folder has it.
func ReloadPackage(folder string) ReloadOption {
	return func(r *control.ReloadReq) { r.Package = folder }
}

// ReloadFailing ends what waits for a rank that moves, as ErrMoving, which is ErrNotSent: what has not begun there, and what is sent
// meanwhile. What runs has its time to end (ReloadTimes), then it is ErrLost. Without it, both wait.
func ReloadFailing() ReloadOption {
	return func(r *control.ReloadReq) { r.Policy = control.ReloadFail }
}

// ReloadBatch sets how many ranks move beside each other, after the first, which moves alone; control.MaxReloadBatch has all of
// them move at once. Without it a quarter of them do, 8 at most: the others answer meanwhile. Ranks whose handlers wait for each
// other across batches may keep each other from standing still; all at once they do not.
func ReloadBatch(n int) ReloadOption { return func(r *control.ReloadReq) { r.Batch = n } }

// ReloadTimes sets how long a rank has for what it has to do before it moves, 10 s otherwise, and a new process until it is ready,
// 30 s otherwise.
func ReloadTimes(drain, start time.Duration) ReloadOption {
	return func(r *control.ReloadReq) { r.Drain, r.Start = drain, start }
}

// ReloadError is a reload that failed. What moved before stays moved; everybody else goes on with the build that he had.
type ReloadError struct{ Reload Reload }

// Error says why.
func (e *ReloadError) Error() string { return e.Reload.Reason }

// Reload moves the ranks of the mesh, or slice, to another build of the program, without an end of them: each handles what it has,
// gives its Snapshot, and is replaced by a process of the new build in the same place, with Restore. References stay what they
// were, messages keep their order, and what is sent to a rank while it moves waits for it. An actor whose fields are all exported
// needs no hooks: its fields are moved by name. One that has others, and no Snapshot, begins anew from its prototype, and what is
// returned says so, as it says which fields did not fit.
//
// The first rank moves alone. Where a rank does not begin on the new build (the type is missing, Restore fails, Main is never
// called), it is put back on the old one with its state, and no other one moves: that is a *ReloadError. So is what does not compile.
//
// What does not move: what actors have spawned, which ends, and is spawned again by OnStart; receivers of ports; goroutines and
// files of the process. OnStop is not run. The program itself, and its in-process ranks, go on with the build that they have.
func (p ProcMesh) Reload(ctx context.Context, opts ...ReloadOption) (Reload, error) {
	if err := p.Err(); err != nil {
		return Reload{}, fmt.Errorf("reload: %w", err)
	}
	req := control.ReloadReq{Procs: []string{p.r.Name}}
	if p.r.View.Len() != p.r.Extent.Len() {
		req.Ranks = slices.Sorted(p.r.View.Ranks())
	}
	return reload(ctx, req, opts)
}

// ReloadAll is ProcMesh.Reload for all proc meshes that the caller may end. Those that are made afterwards run the new build too.
func ReloadAll(ctx context.Context, opts ...ReloadOption) (Reload, error) {
	return reload(ctx, control.ReloadReq{}, opts)
}

func reload(ctx context.Context, req control.ReloadReq, opts []ReloadOption) (Reload, error) {
	for _, o := range opts {
		o(&req)
	}
	n, err := nodeOf(ctx)
	if err != nil {
		return Reload{}, fmt.Errorf("reload: %w", err)
	}
	out, err := n.verb(ctx, verbBody{Reload: &req})
	if err != nil {
		return Reload{}, fmt.Errorf("reload: %w", err)
	}
	if out.Reload == nil {
		return Reload{}, errors.New("reload: the controller was built with an older engine")
	}
	if out.Reload.State != control.ReloadDone {
		return *out.Reload, fmt.Errorf("reload: %w", &ReloadError{*out.Reload})
	}
	return *out.Reload, nil
}

// reloads are the reloads of a session. hub.mu guards it.
type reloads struct {
	list  []control.Reload // the newest
	count uint64
	by    string                   // who has one going on; "": nobody
	moves map[uint64]chan struct{} // by process that moves: closed when it is over
	hold  holdBody                 // what a process is told that joins meanwhile
	types map[string]control.Type  // of the newest build
	named schema.Types
	next  *build.Program // what proc meshes that are made from now on run; nil: what the controller runs
	bare  uint64         // a process that knows their docs, which are not known yet; 0: they are
}

// roll is a reload that is going on.
type roll struct {
	h     *hub
	req   control.ReloadReq
	prog  *build.Program // the new build
	began time.Time
	ranks []*moving
	rec   control.Reload // guarded by hub.mu

	types typesBody // of the new build, as the first process of it says
	bare  uint64    // that process
}

// moving is a rank of it.
type moving struct {
	pm     *procMesh
	rank   int
	at     int // in roll.rec.Ranks
	p      *proc
	from   *build.Program
	actors []movedActor
	away   time.Time // since when it takes no messages
	notes  []string
	settle func()
	over   bool // what waits for it goes on
}

// movedActor is an actor that moves.
type movedActor struct {
	m     *mesh
	rank  int
	state takenState
}

// The times that a reload takes unless it is told others.
const (
	reloadDrain = drainTime
	reloadBuild = 5 * time.Minute
	reloadBatch = startAtOnce
	interrupts  = 2 * time.Second // what a handler that was ended has to return
)

// reloadVerb executes the verb reload. What keeps it from beginning is its error; what comes of it is told by what it returns.
func (h *hub) reloadVerb(ctx context.Context, own owner, by string, req control.ReloadReq) (control.Reload, error) {
	if err := req.Check(); err != nil {
		return control.Reload{}, err
	}
	pms, notes, err := h.reloadable(own, req)
	if err != nil {
		return control.Reload{}, err
	}
	r := &roll{h: h, req: req, began: time.Now()}
	if err := r.book(pms, by, notes); err != nil {
		return control.Reload{}, err
	}
	err = h.going(ctx, func(ctx context.Context) error {
		defer h.starts.Done()
		r.end(r.run(ctx))
		return nil
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	return cloneReload(r.rec), err
}

// reloadable are the proc meshes that a request means.
func (h *hub) reloadable(own owner, req control.ReloadReq) (pms []*procMesh, notes []string, err error) {
	for _, name := range req.Procs {
		pm, err := h.findProcs(name, 0)
		if err == nil {
			err = cmpErr(mayEnd("proc mesh "+name, own, pm.owner), checkRanks("proc mesh "+name, req.Ranks, pm.size()))
		}
		if err == nil && pm.rec.InProcess {
			err = fmt.Errorf("procs %s: its ranks are goroutines of the controller, which goes on with the build that it has", name)
		}
		if err != nil {
			return nil, nil, err
		}
		pms = append(pms, pm)
	}
	if len(req.Procs) > 0 {
		return pms, nil, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, pm := range h.procMeshes {
		switch {
		case pm.stopping:
		case pm.rec.InProcess:
			notes = append(notes, "procs "+pm.rec.Name+" stays: its ranks are goroutines of the controller")
		case mayEnd("proc mesh "+pm.rec.Name, own, pm.owner) != nil:
			notes = append(notes, "procs "+pm.rec.Name+" stays: it belongs to somebody else")
		default:
			pms = append(pms, pm)
		}
	}
	slices.Sort(notes)
	slices.SortFunc(pms, func(a, b *procMesh) int { return cmp.Compare(a.rec.ID, b.rec.ID) })
	if len(pms) == 0 {
		return nil, nil, errors.New("reload: there are no worker processes: the controller itself goes on with the build that it has")
	}
	return pms, notes, nil
}

// book puts a reload on the books. There is one at a time.
func (r *roll) book(pms []*procMesh, by string, notes []string) error {
	h := r.h
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return fmt.Errorf("the engine is closing: %w", ErrStopped)
	}
	if h.reload.by != "" {
		return &control.Error{Code: control.CodeTaken, Text: "a reload is going on already, by " + h.reload.by}
	}
	h.starts.Add(1)
	h.reload.by = cmp.Or(by, theProgram)
	h.reload.count++
	r.rec = control.Reload{ID: h.reload.count, Time: r.began, By: h.reload.by, State: control.ReloadBuilding, Policy: cmp.Or(r.req.Policy, control.ReloadDrain), Notes: notes}
	for _, pm := range pms {
		for rank, p := range pm.procs {
			if len(r.req.Ranks) > 0 && !slices.Contains(r.req.Ranks, rank) {
				continue
			}
			r.ranks = append(r.ranks, &moving{pm: pm, rank: rank, at: len(r.rec.Ranks)})
			r.rec.Ranks = append(r.rec.Ranks, control.ReloadRank{Procs: pm.rec.Name, Rank: rank, State: control.RankWaits, From: p.rec.Build})
		}
	}
	r.tell()
	return nil
}

// tell tells front ends how far it is. The caller holds h.mu.
func (r *roll) tell() {
	r.rec.Took, r.rec.Moved = time.Since(r.began), 0
	for i := range r.rec.Ranks {
		if r.rec.Ranks[i].State == control.RankMoved {
			r.rec.Moved++
		}
	}
	rec := cloneReload(r.rec)
	r.h.reload.list = control.AddReload(slices.Clone(r.h.reload.list), rec)
	r.h.publish(control.Event{Reload: &rec})
}

func cloneReload(r control.Reload) control.Reload {
	r.Ranks, r.Errors, r.Notes = slices.Clone(r.Ranks), slices.Clone(r.Errors), slices.Clone(r.Notes)
	return r
}

// end notes what it came to.
func (r *roll) end(err error) {
	h := r.h
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reload.by = ""
	r.rec.State = control.ReloadDone
	if err != nil {
		r.rec.State, r.rec.Reason = control.ReloadFailed, clip(err.Error(), maxErrorText)
	}
	if err == nil && len(r.types.Types) > 0 {
		h.takeTypes(r.types)
		h.reload.bare = r.bare
		h.askDocs()
		if len(r.req.Procs) == 0 { // everything moved: what is made from now on runs it too
			h.reload.next = r.prog
		}
	}
	r.tell()
}

// run makes the new build and moves the ranks to it: the first alone, because what is wrong with the build shows there; then a few
// beside each other, so that most of a mesh answers all the time.
func (r *roll) run(ctx context.Context) error {
	h := r.h
	if err := r.make(ctx); err != nil {
		return err
	}
	r.ranks = slices.DeleteFunc(r.ranks, func(mv *moving) bool { return r.hasIt(mv) })
	if err := r.bring(ctx); err != nil {
		return err
	}
	n := cmp.Or(r.req.Batch, min(reloadBatch, max(1, len(r.ranks)/4)))
	for first := true; len(r.ranks) > 0; first = false {
		k := min(n, len(r.ranks))
		if first && r.req.Batch != control.MaxReloadBatch {
			k = 1
		}
		batch := r.ranks[:k]
		r.ranks = r.ranks[k:]
		if err := r.moveBatch(ctx, batch); err != nil {
			return err
		}
		if first && batch[0].p != nil {
			r.types, r.bare = h.askTypes(ctx, batch[0].p.id, false), batch[0].p.id
		}
	}
	return nil
}

// typesTime is how long a new process has to tell its types: for the docs it reads its own source, or debug information.
const typesTime = 30 * time.Second

// askTypes asks a process which types it has.
func (h *hub) askTypes(ctx context.Context, proc uint64, docs bool) (out typesBody) {
	limit, cancel := context.WithTimeout(ctx, typesTime)
	defer cancel()
	if err := h.node.request(limit, quicnet.Addr{Proc: proc}, sysTypes, docs, &out); err != nil {
		h.log.Warn("a new build does not say which types it has", "process", proc, "err", err)
	}
	return out
}

// askDocs has front ends know the docs of the newest build too, once there are any. The caller holds h.mu.
func (h *hub) askDocs() {
	proc := h.reload.bare
	if proc == 0 || len(h.sinks) == 0 || h.closed {
		return
	}
	h.reload.bare = 0
	h.wg.Go(func() {
		types := h.askTypes(h.node.root, proc, true)
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.reload.bare == 0 && len(types.Types) > 0 { // no newer one has come
			h.takeTypes(types)
		}
	})
}

// make gets the new build.
func (r *roll) make(ctx context.Context) (err error) {
	h := r.h
	path, base := r.req.Program, filepath.Base(h.opts.executable)
	if path == "" {
		limit, cancel := context.WithTimeout(ctx, cmp.Or(r.req.Build, reloadBuild))
		defer cancel()
		out, err := build.Make(limit, build.Source{Folder: r.req.Package, Executable: build.Running()})
		h.mu.Lock()
		r.rec.Built = time.Since(r.began)
		r.rec.Errors = out.Errors
		if folder, err := filepath.Abs(r.req.Package); err == nil {
			r.rec.Folder = folder
		}
		h.mu.Unlock()
		if err != nil {
			return err
		}
		defer out.Remove()
		path = out.Path
	}
	if r.prog, err = h.builds.Keep(ctx, path, base, r.req.Program == ""); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r.rec.State, r.rec.Build = control.ReloadRolling, h.builds.IDOf(r.prog)
	r.tell()
	return nil
}

// hasIt reports whether a rank runs the new build already.
func (r *roll) hasIt(mv *moving) bool {
	r.h.mu.Lock()
	defer r.h.mu.Unlock()
	p := mv.pm.procs[mv.rank]
	if p.over() || cmp.Or(p.program, r.h.builds.Own) != r.prog {
		return false
	}
	r.rec.Ranks[mv.at].State = control.RankMoved
	r.rec.Ranks[mv.at].Notes = []string{fmt.Sprintf("%s[%d] runs this build already", mv.pm.rec.Name, mv.rank)}
	return true
}

// mayMove says why a rank cannot be moved now. The caller holds h.mu.
func (r *roll) mayMove(mv *moving) (state, why string) {
	p := mv.pm.procs[mv.rank]
	switch {
	case mv.pm.stopping || r.h.closed:
		return control.RankLost, "procs " + mv.pm.rec.Name + " is stopping"
	case p.over():
		return control.RankLost, cmp.Or(p.rec.Reason, "it has ended")
	case p.rec.Paused:
		return control.RankKept, "its process is stopped by a signal"
	case p.life.State != life.Ready || p.again != nil && !closedNow(p.again):
		return control.RankKept, "its process is " + p.rec.State
	}
	for _, st := range r.h.debug.book.Stops() {
		if st.Proc == p.id {
			return control.RankKept, fmt.Sprintf("%s is stopped by the debugger in %s (stop %d): let it go on first", rankLabel(st.Mesh, st.Rank), st.Endpoint, st.ID)
		}
	}
	return "", ""
}

func closedNow(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// note says what became of a rank. The caller holds h.mu.
func (r *roll) note(mv *moving, state, why string) *control.ReloadRank {
	rec := &r.rec.Ranks[mv.at]
	rec.State, rec.Error = state, clip(why, maxErrorText)
	return rec
}

// takeTypes keeps the types that a new build has otherwise than ours, and tells front ends. The caller holds h.mu.
func (h *hub) takeTypes(b typesBody) {
	h.reload.types, h.reload.named = map[string]control.Type{}, b.Named
	for _, t := range b.Types {
		h.reload.types[t.Full] = t
		t.Named = b.Named
		h.publish(control.Event{Type: &t})
	}
}

// types describes the actor types of the newest build. The caller holds h.mu.
func (h *hub) typesOf(types []control.Type, named schema.Types) ([]control.Type, schema.Types) {
	if len(h.reload.types) == 0 {
		return types, named
	}
	types = slices.Clone(types)
	for i, t := range types {
		if newer, ok := h.reload.types[t.Full]; ok {
			types[i] = newer
		}
	}
	for _, full := range slices.Sorted(maps.Keys(h.reload.types)) {
		if !slices.ContainsFunc(types, func(t control.Type) bool { return t.Full == full }) {
			types = append(types, h.reload.types[full])
		}
	}
	maps.Copy(named, h.reload.named) // named is the caller's own
	return types, named
}
