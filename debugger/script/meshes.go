package script

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

func (s *Session) makeProcs(ctx context.Context, a ProcsArgs, r *result) error {
	pm, err := s.c.Procs(ctx, control.ProcsReq{
		Name: a.Name, Dims: a.Dims, CPUs: a.CPUs, InProcess: a.InProcess, Virtual: a.Virtual, Oversubscribe: a.Oversubscribe, Restart: a.Restart, Lease: a.Lease,
		Via: a.Via, Hosts: a.Hosts, Launch: a.Launch, Within: a.Within, Budget: budget(ctx),
	})
	if err != nil {
		return err
	}
	s.procs = append(without(s.procs, pm.Name), made{pm.Name, pm.ID})
	if virtualSlots(&pm) && !a.Virtual && s.virtual.CompareAndSwap(false, true) { // once: it is the machine that has no devices
		r.text = append(r.text, pm.Name+": GPU slots are virtual, there are no devices behind them")
	}
	s.picture(func(p *control.Replica) {
		if line := devices(p, &pm); line != "" {
			r.text = append(r.text, line)
		}
	})
	return nil
}

// maxDevices bounds how many devices of a mesh are told one by one.
const maxDevices = 16

// devices says on one line which rank has which GPU; "" where slots are virtual.
func devices(p *control.Replica, pm *control.ProcMesh) string {
	var b strings.Builder
	name, told, shared := "", 0, ""
	for r := range pm.Extent.Len() {
		proc, ok := p.Proc(pm.FirstProc + uint64(r))
		if !ok || proc.GPU == nil {
			continue
		}
		if told == maxDevices {
			fmt.Fprintf(&b, " and %d more", pm.Extent.Len()-maxDevices)
			break
		}
		told++
		at := max(0, strings.LastIndexByte(proc.Device, ' ')) // the short UUID is its last word
		if proc.Device[:at] != name {
			name = proc.Device[:at]
			b.WriteString(map[bool]string{true: pm.Name + ": ", false: "; "}[b.Len() == 0] + name)
		}
		fmt.Fprintf(&b, " [%d] %s", r, strings.TrimSpace(proc.Device[at:]))
		switch {
		case proc.GPU.Foreign:
			shared = ", shared with another mesh"
		case proc.GPU.Sharing > 1 && shared == "":
			shared = ", shared by ranks"
		}
	}
	return b.String() + shared
}

// budget is what is left of a command's time.
func budget(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return max(time.Until(end), time.Millisecond)
	}
	return 0
}

func (s *Session) spawn(ctx context.Context, a SpawnArgs, r *result) error {
	pm, err := s.procMesh(a.Procs.Mesh)
	if err != nil {
		return err
	}
	req := control.SpawnReq{Name: a.Mesh, Procs: pm.Name, ProcsID: pm.ID, Budget: budget(ctx), Restart: a.Restart, Gang: a.Gang}
	if !a.Procs.Choice.IsAll() {
		if req.View, err = pm.Grid().Slice(a.Procs.Choice); err != nil {
			return fmt.Errorf("%s[%s]: %w", pm.Name, a.Procs.Sel, err)
		}
	}
	t, named, err := s.actorType(a.Type)
	if err != nil {
		return err
	}
	req.Type = t.Full
	if strings.TrimSpace(a.Literal.Text) != "" {
		form := &schema.Schema{Kind: schema.KindStruct, Name: t.Name, Fields: t.Fields}
		if req.Prototype, err = schema.ParseArg(t.Name, named, form, a.Literal.Text, s); err != nil {
			return literalError("spawn @"+a.Mesh, a.Literal, err)
		}
	}
	m, err := s.c.Spawn(ctx, req)
	if err != nil {
		return err
	}
	if dead := s.deadOn(m.Ref); len(dead) > 0 {
		r.text = []string{fmt.Sprintf("no actor on rank %s: the process has ended", shape.FormatRanks(dead))}
	}
	s.meshes = append(without(s.meshes, a.Mesh), made{a.Mesh, m.Ref.ID}) // one of that name may have been killed
	r.set = rankSet{ref: m.Ref, whole: true, parts: []shape.Region{m.Ref.View}, ranks: slices.Sorted(m.Ref.View.Ranks())}
	return nil
}

// deadOn are the ranks of a mesh whose processes have ended.
func (s *Session) deadOn(ref control.MeshRef) (dead []int) {
	s.picture(func(p *control.Replica) {
		for r := range ref.View.Ranks() {
			proc, ok := p.Proc(ref.First + uint64(ref.Home.RankAt(r)))
			if ok && slices.Contains([]string{"failed", "lost", "exited", "killed", "oom", "fenced"}, proc.State) {
				dead = append(dead, r)
			}
		}
	})
	slices.Sort(dead)
	return dead
}

// actorType finds a type that the program registered.
func (s *Session) actorType(name string) (t control.Type, named schema.Types, err error) {
	s.picture(func(p *control.Replica) {
		if found, ok := p.Type(name); ok {
			t, named = *found, p.Named
			return
		}
		have := make([]string, 0, len(p.Types))
		var same []string
		for _, x := range p.Types {
			have = append(have, x.Name)
			if strings.HasSuffix(x.Full, "."+name) {
				same = append(same, x.Name)
			}
		}
		slices.Sort(have)
		slices.Sort(same)
		switch {
		case len(same) == 1:
			found, _ := p.Type(same[0])
			t, named = *found, p.Named
		case len(same) > 1:
			err = fmt.Errorf("%s could be %s: write the one you mean", name, strings.Join(same, " or "))
		case len(have) == 0:
			err = fmt.Errorf("no actor type %s: the program has registered none", name)
		default:
			err = fmt.Errorf("no actor type %s%s", name, schema.Suggest(name, have))
		}
	})
	return t, named, err
}

// unlessEnded is the result of ending what is not there: none is needed where that has ended already.
func unlessEnded(err error, r *result) error {
	if ended, ok := errors.AsType[endedError](err); ok {
		r.text = append(r.text, ended.that+" already")
		return nil
	}
	return err
}

// stop ends a proc mesh or an actor mesh in order.
func (s *Session) stop(ctx context.Context, a EndArgs, r *result) error {
	if a.Procs {
		pm, err := s.procMesh(a.Target.Mesh)
		if err != nil {
			return unlessEnded(err, r)
		}
		s.procs, r.ends = without(s.procs, pm.Name), true
		return s.stopIt(ctx, control.StopReq{Procs: pm.Name, ID: pm.ID})
	}
	set, err := s.resolve(a.Target)
	if err != nil {
		return unlessEnded(err, r)
	}
	if !set.all() {
		return fmt.Errorf("stop ends a whole mesh, not %s (kill takes a slice)", set)
	}
	s.meshes, r.ends = without(s.meshes, set.ref.Name), true
	return s.stopIt(ctx, control.StopReq{Mesh: set.ref.Name, ID: set.ref.ID})
}

// stopIt stops a mesh with what is left of the command's time. Where that is not enough, the error says who is busy.
func (s *Session) stopIt(ctx context.Context, req control.StopReq) error {
	req.Budget = budget(ctx)
	err := s.c.Stop(ctx, req)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var busy []string
	s.picture(func(p *control.Replica) {
		for i := range p.Meshes {
			m := &p.Meshes[i]
			if m.Gone || (req.Mesh == "" || m.Ref.Name != req.Mesh) && (req.Procs == "" || m.Procs != req.Procs) {
				continue
			}
			var f fold
			for r, st := range m.Ranks {
				if len(st.Running) > 0 {
					f.add(r, "in "+strings.Join(st.Running, ", "))
				}
			}
			for _, line := range f.lines() {
				busy = append(busy, "@"+m.Ref.Name+line)
			}
		}
	})
	name := req.Procs
	if req.Mesh != "" {
		name = "@" + req.Mesh
	}
	if len(busy) == 0 {
		return &lateError{name + " has not ended (kill ends it at once)"}
	}
	return &lateError{"still running: " + strings.Join(busy, "; ") + " (kill " + name + " ends it at once)"}
}

// lateError is context.DeadlineExceeded with what was not done in time.
type lateError struct{ what string }

func (e *lateError) Error() string { return e.what }

func (e *lateError) Unwrap() error { return context.DeadlineExceeded }

// alreadyOver splits ranks of what is to be killed by whether they have ended, and says so of those that have.
func alreadyOver(ranks []int, over func(rank int) bool, name string, r *result) (left []int) {
	var ended []int
	for _, rank := range ranks {
		if over(rank) {
			ended = append(ended, rank)
		} else {
			left = append(left, rank)
		}
	}
	if len(ended) > 0 {
		has := "has"
		if len(ended) > 1 {
			has = "have"
		}
		r.text = append(r.text, fmt.Sprintf("%s[%s] %s ended already", name, shape.FormatRanks(ended), has))
	}
	return left
}

// kill ends procs or actors at once.
func (s *Session) kill(ctx context.Context, a EndArgs, r *result) error {
	if a.Procs {
		pm, err := s.procMesh(a.Target.Mesh)
		if err != nil {
			return unlessEnded(err, r)
		}
		req := control.KillReq{Procs: pm.Name, ID: pm.ID}
		switch {
		case a.Target.Any:
			seed := cmp.Or(a.Seed, uint64(max(0, s.opt.Seed)), uint64(rand.Uint32())|1) //nolint:gosec // short enough to be typed again
			if _, req.Ranks, err = s.procRanks(a.Target, seed); err != nil {
				return err
			}
			r.text = append(r.text, fmt.Sprintf("%s[%d] (seed %d)", pm.Name, req.Ranks[0], seed))
		case !a.Target.Choice.IsAll():
			if req.Ranks, err = pm.Grid().Ranks(a.Target.Choice); err != nil {
				return fmt.Errorf("%s: %w", pm.Name, err)
			}
			s.picture(func(p *control.Replica) {
				req.Ranks = alreadyOver(req.Ranks, func(rank int) bool {
					proc, ok := p.Proc(pm.FirstProc + uint64(rank))
					return ok && proc.Over()
				}, pm.Name, r)
			})
			if len(req.Ranks) == 0 {
				return nil
			}
		}
		return s.c.Kill(ctx, req)
	}
	set, err := s.resolve(a.Target)
	if err != nil {
		return unlessEnded(err, r)
	}
	req := control.KillReq{Mesh: set.ref.Name, ID: set.ref.ID}
	if !set.all() {
		s.picture(func(p *control.Replica) {
			m, ok := p.Mesh(set.ref.Name)
			req.Ranks = alreadyOver(set.ranks, func(rank int) bool { return ok && rank < len(m.Ranks) && m.Ranks[rank].Over() }, "@"+set.ref.Name, r)
		})
		if len(req.Ranks) == 0 {
			return nil
		}
	}
	return s.c.Kill(ctx, req)
}

// restart begins new lives of ranks that have ended.
func (s *Session) restart(ctx context.Context, a EndArgs, _ *result) error {
	req := control.RestartReq{Budget: budget(ctx)}
	if a.Procs {
		pm, err := s.procMesh(a.Target.Mesh)
		if err != nil {
			return err
		}
		req.Procs, req.ID = pm.Name, pm.ID
		if !a.Target.Choice.IsAll() {
			if req.Ranks, err = pm.Grid().Ranks(a.Target.Choice); err != nil {
				return fmt.Errorf("%s: %w", pm.Name, err)
			}
		}
		return s.c.Restart(ctx, req)
	}
	set, err := s.resolve(a.Target)
	if err != nil {
		return err
	}
	req.Mesh, req.ID = set.ref.Name, set.ref.ID
	if !set.all() {
		req.Ranks = set.ranks
	}
	return s.c.Restart(ctx, req)
}

// made is a mesh that the session made, which somebody else may have ended meanwhile, and given its name to another one.
type made struct {
	name string
	id   uint64
}

func without(list []made, name string) []made {
	return slices.DeleteFunc(list, func(m made) bool { return m.name == name })
}

// Finish ends what a script began: jobs are awaited, and the meshes it made are stopped, or killed when it failed by a
// hang. Frames that are stopped then are dealt with as the session's policy says. It returns a step for what went wrong, or
// for what was done about stopped frames; nil when there is nothing to tell (INV-END).
func (s *Session) Finish(ctx context.Context, code int) *Step {
	step := &Step{Stmt: &Stmt{Text: "(end of the script)"}}
	note := func(err error) {
		if err != nil {
			step.Err = strings.TrimPrefix(step.Err+"\n"+err.Error(), "\n")
			if re, ok := errors.AsType[*runError](err); ok {
				step.Code = max(step.Code, re.code)
			} else {
				step.Code = max(step.Code, codeOf(err))
			}
		}
	}
	leave, cancelLeave := context.WithTimeout(context.WithoutCancel(ctx), s.opt.Timeout)
	defer cancelLeave()
	var left []control.Stop
	var err error
	step.Text, left, err = s.leaveStops(leave)
	note(err)
	defer s.keepGoing(context.WithoutCancel(ctx))()
	for _, p := range s.jobs {
		if code != ExitOK || len(left) > 0 {
			p.cancel()
		}
		if p.stmt != nil {
			step.Stmt.Pos = p.stmt.Pos
		}
	}
	s.limit = s.opt.Timeout
	jobs, cancel := s.patient(ctx, s.limit)
	defer cancel()
	_, err = s.waitAll(jobs)
	note(err)
	bound, cancelEnd := context.WithTimeout(context.WithoutCancel(ctx), s.opt.Timeout)
	defer cancelEnd()
	hung := max(code, step.Code) >= ExitTimeout
	s.keep(left)
	note(s.stopAll(bound, hung))
	if step.OK() && len(step.Text) == 0 {
		return nil
	}
	return step
}

// stopAll ends actor meshes, then proc meshes, the newest first.
func (s *Session) stopAll(ctx context.Context, kill bool) error {
	var errs []error
	if err := s.catchUp(ctx); err != nil {
		return nil // the session itself is gone, and all that ran in it
	}
	for _, p := range slices.Backward(s.procs) {
		if pm, err := s.procMesh(p.name); err != nil || pm.ID != p.id {
			continue // it has ended
		}
		if kill {
			errs = append(errs, s.c.Kill(ctx, control.KillReq{Procs: p.name, ID: p.id}))
			continue
		}
		errs = append(errs, s.stopMeshesOn(ctx, p.name), s.stopIt(ctx, control.StopReq{Procs: p.name, ID: p.id}))
	}
	for _, m := range slices.Backward(s.meshes) { // those on procs that were there before
		if ref, err := s.mesh(m.name); err != nil || ref.ID != m.id || s.onOwnProcs(m.name) {
			continue
		}
		errs = append(errs, s.stopIt(ctx, control.StopReq{Mesh: m.name, ID: m.id}))
	}
	s.procs, s.meshes = nil, nil
	return errors.Join(errs...)
}

func (s *Session) stopMeshesOn(ctx context.Context, procs string) error {
	var errs []error
	for _, m := range slices.Backward(s.meshes) {
		on := ""
		s.picture(func(p *control.Replica) {
			if x, ok := p.Mesh(m.name); ok && x.Ref.ID == m.id && !x.Gone && x.State != "failed" {
				on = x.Procs
			}
		})
		if on == procs {
			errs = append(errs, s.stopIt(ctx, control.StopReq{Mesh: m.name, ID: m.id}))
		}
	}
	return errors.Join(errs...)
}

func (s *Session) onOwnProcs(mesh string) (own bool) {
	s.picture(func(p *control.Replica) {
		if m, ok := p.Mesh(mesh); ok {
			own = slices.ContainsFunc(s.procs, func(p made) bool { return p.name == m.Procs })
		}
	})
	return own
}
