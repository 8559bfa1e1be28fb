package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
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
