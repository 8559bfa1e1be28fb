package script

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// inject injects a fault.
func (s *Session) inject(ctx context.Context, a FaultArgs, r *result) error {
	f := a.Fault
	if f.Seed == 0 && s.opt.Seed > 0 { // two runs of a script draw the same
		f.Seed = uint64(s.opt.Seed)
	}
	if f.Seed == 0 && a.drawsRank() {
		f.Seed = uint64(rand.Uint32()) | 1 //nolint:gosec // short enough to be typed again
	}
	if err := s.aim(a.Target, a.Procs, &f, r); err != nil {
		return err
	}
	if a.To != nil {
		to, ranks, err := s.procRanks(a.To, f.Seed+1)
		if err != nil {
			return err
		}
		f.To, f.ToOf, f.ToRanks = to.Name, to.ID, ranks
	}
	f, err := s.c.Fault(ctx, control.FaultReq{Fault: f})
	if err != nil {
		return err
	}
	seed := drawn(&f)
	if a.drawsRank() {
		seed = fmt.Sprintf(" (seed %d)", f.Seed)
	}
	r.text = append(r.text, fmt.Sprintf("fault %d: %s%s", f.ID, f.String(), seed))
	r.value = int(f.ID)
	return s.catchUp(ctx)
}

// aim sets whom a fault is on.
func (s *Session) aim(t *Target, procs bool, f *control.Fault, r *result) error {
	if procs {
		pm, ranks, err := s.procRanks(t, f.Seed)
		if err != nil {
			return err
		}
		f.Procs, f.Of, f.Ranks = pm.Name, pm.ID, ranks
		return nil
	}
	set, err := s.resolve(t)
	if err != nil {
		return err
	}
	if len(set.ranks) == 0 {
		return fmt.Errorf("%s: %s holds no ranks", f.Kind, t)
	}
	f.Mesh, f.Of = set.ref.Name, set.ref.ID
	if !set.all() {
		f.Ranks = set.ranks
	}
	r.set = set
	return nil
}

// procRanks are the ranks of a proc mesh that a target names; none: all. seed says which one that is, where it is drawn.
func (s *Session) procRanks(t *Target, seed uint64) (pm control.ProcMesh, ranks []int, err error) {
	if t.Any {
		if pm, err = s.procMesh(t.Mesh); err != nil {
			return pm, nil, err
		}
		var run []int
		s.picture(func(p *control.Replica) {
			for rank := range pm.Extent.Len() {
				if proc, ok := p.Proc(pm.FirstProc + uint64(rank)); ok && !proc.Over() {
					run = append(run, rank)
				}
			}
		})
		if len(run) == 0 {
			return pm, nil, fmt.Errorf("%s has no rank that runs", pm.Name)
		}
		rng := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // it has to be the same in every run
		return pm, []int{run[rng.IntN(len(run))]}, nil
	}
	if pm, err = s.procMesh(t.Mesh); err != nil || t.Choice.IsAll() {
		return pm, nil, err
	}
	if ranks, err = pm.Grid().Ranks(t.Choice); err != nil {
		err = fmt.Errorf("%s: %w", pm.Name, err)
	}
	return pm, ranks, err
}

// drawn names the seed of a fault that draws.
func drawn(f *control.Fault) string {
	if f.Kind == control.FaultDrop && f.Percent < 100 || f.Jitter > 0 {
		return fmt.Sprintf(" (seed %d)", f.Seed)
	}
	return ""
}

// heal ends faults.
func (s *Session) heal(ctx context.Context, a HealArgs, r *result) error {
	req := control.HealReq{IDs: a.N, All: a.Target == nil && len(a.N) == 0}
	switch {
	case a.Procs:
		pm, ranks, err := s.procRanks(a.Target, 0)
		if err != nil {
			return err
		}
		req.Procs, req.Ranks = pm.Name, ranks
	case a.Target != nil:
		set, err := s.resolve(a.Target)
		if err != nil {
			return err
		}
		if req.Mesh = set.ref.Name; !set.all() {
			req.Ranks = set.ranks
		}
	}
	ended, err := s.c.Heal(ctx, req)
	if err != nil {
		return err
	}
	for i := range ended {
		f := &ended[i]
		line := fmt.Sprintf("fault %d: %s is over", f.ID, f.Kind)
		if len(f.Ranks) > 0 && a.Target != nil {
			line = fmt.Sprintf("fault %d: %s goes on", f.ID, f.String())
		}
		r.text = append(r.text, line)
	}
	if len(ended) == 0 {
		r.text = []string{"no fault acts" + map[bool]string{true: " there"}[a.Target != nil]}
	}
	return s.catchUp(ctx)
}

// pause stops actors by the debugger, or processes by a signal.
func (s *Session) pause(ctx context.Context, a PauseArgs, r *result) error {
	if a.Fault.Procs {
		return s.inject(ctx, a.Fault, r)
	}
	return s.pauseActors(ctx, a.Actors, r)
}

// listFaults lists the faults that act.
func (s *Session) listFaults(_ context.Context, _ NoArgs, r *result) error {
	now := time.Now()
	s.picture(func(p *control.Replica) {
		rows := [][]string{{"fault", "what", "by", "left", "done"}}
		for _, f := range sortedFaults(p) {
			rows = append(rows, []string{strconv.FormatUint(f.ID, 10), f.String() + drawn(&f), f.By, left(&f, now), didText(&f)})
		}
		if r.text = table(rows); len(rows) == 1 {
			r.text = []string{"no fault acts"}
		}
		r.value = faultValues(p)
	})
	return nil
}

// didText is what a fault has done.
func didText(f *control.Fault) string {
	unit := "packets"
	switch {
	case f.Kind == control.FaultPause:
		return ""
	case f.OnMessages():
		unit = "messages"
	}
	switch {
	case f.Dropped > 0 && f.Delayed > 0:
		return fmt.Sprintf("%d of %d %s dropped, %d delayed", f.Dropped, f.Seen, unit, f.Delayed)
	case f.Delayed > 0:
		return fmt.Sprintf("%d of %d %s delayed", f.Delayed, f.Seen, unit)
	}
	return fmt.Sprintf("%d of %d %s dropped", f.Dropped, f.Seen, unit)
}

func sortedFaults(p *control.Replica) []control.Fault {
	list := slices.Clone(p.Faults)
	slices.SortFunc(list, func(a, b control.Fault) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// faultValues are the faults as the name faults has them.
func faultValues(p *control.Replica) []any {
	out := []any{}
	for _, f := range sortedFaults(p) {
		out = append(out, map[string]any{
			"id": int(f.ID), "kind": f.Kind, "on": f.Target(), "seed": int(f.Seed), "by": f.By,
			"seen": int(f.Seen), "dropped": int(f.Dropped), "delayed": int(f.Delayed),
		})
	}
	return out
}
