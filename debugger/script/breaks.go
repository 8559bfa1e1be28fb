package script

import (
	"context"
	"fmt"
	"slices"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// setBreak sets a breakpoint, also on actors that do not exist yet.
func (s *Session) setBreak(ctx context.Context, a BreakArgs, r *result) error {
	if a.Lacks != "" {
		return fmt.Errorf("break: this build has no %s yet", a.Lacks)
	}
	spec := a.Spec
	if err := s.breakRanks(a.Target, &spec); err != nil {
		return err
	}
	set, err := s.c.Breaks(ctx, control.BreaksReq{Set: &spec})
	if err != nil {
		return err
	}
	for i := range set {
		s.brokeAt(set[i].ID)
		r.text = append(r.text, breakLine(&set[i]))
		r.value = int(set[i].ID)
	}
	return nil
}

// breakRanks says of which mesh and ranks a target is, for a breakpoint.
func (s *Session) breakRanks(t *Target, spec *control.Breakpoint) error {
	switch {
	case t == nil:
		return nil
	case t.Group == "" && !t.Focus:
		if spec.Mesh = t.Mesh; !t.Choice.IsAll() {
			spec.Ranks = t.Sel
		}
		return nil
	}
	set, err := s.resolve(t)
	if err != nil {
		return err
	}
	if len(set.ranks) == 0 {
		return fmt.Errorf("break: %s holds no ranks", t)
	}
	if spec.Mesh = set.ref.Name; !set.all() {
		spec.Ranks = shape.FormatRanks(set.ranks)
	}
	return nil
}

// breakLine tells of a breakpoint that was set.
func breakLine(b *control.Breakpoint) string {
	line := fmt.Sprintf("breakpoint %d at %s", b.ID, debugger.BreakPlace(b))
	switch {
	case b.State == control.BreakArmed:
		line += ", on " + plural(b.Bound, "actor")
	case b.Why != "":
		line += ", " + b.State + ": " + b.Why
	default:
		line += ", " + b.State
	}
	return line
}

// setCondition replaces the condition of a breakpoint.
func (s *Session) setCondition(ctx context.Context, a ConditionArgs, r *result) error {
	var old *control.Breakpoint
	var have []uint64
	s.picture(func(p *control.Replica) {
		for i := range p.Breaks {
			have = append(have, p.Breaks[i].ID)
			if p.Breaks[i].ID == a.N {
				b := p.Breaks[i]
				old = &b
			}
		}
	})
	if old == nil {
		return fmt.Errorf("there is no breakpoint %d: %s", a.N, haveBreaks(have))
	}
	old.If = a.Expr
	set, err := s.c.Breaks(ctx, control.BreaksReq{Set: old})
	if err != nil {
		return err
	}
	for i := range set {
		r.text = append(r.text, breakLine(&set[i]))
	}
	return nil
}

// haveBreaks says which breakpoints there are.
func haveBreaks(ids []uint64) string {
	slices.Sort(ids)
	switch {
	case len(ids) == 0:
		return "none is set"
	case len(ids) > 8:
		return fmt.Sprintf("there are %d, from %d to %d", len(ids), ids[0], ids[len(ids)-1])
	}
	return fmt.Sprintf("there are %v", ids)
}

func (s *Session) enable(ctx context.Context, a NumbersArgs, r *result) error {
	return s.changeBreaks(ctx, control.BreaksReq{On: a.N}, "enabled", r)
}

func (s *Session) disable(ctx context.Context, a NumbersArgs, r *result) error {
	return s.changeBreaks(ctx, control.BreaksReq{Off: a.N}, "disabled", r)
}

func (s *Session) deleteBreaks(ctx context.Context, a NumbersArgs, r *result) error {
	req := control.BreaksReq{Remove: a.N, Clear: a.All}
	if a.Place != nil {
		spec := control.Breakpoint{Endpoint: a.Place.Endpoint}
		if err := s.breakRanks(a.Place, &spec); err != nil {
			return err
		}
		s.picture(func(p *control.Replica) {
			for _, b := range p.Breaks {
				if b.Mesh == spec.Mesh && b.Ranks == spec.Ranks && b.Endpoint == spec.Endpoint {
					req.Remove = append(req.Remove, b.ID)
				}
			}
		})
		if len(req.Remove) == 0 {
			return fmt.Errorf("there is no breakpoint at %s (breaks lists them)", a.Place)
		}
	}
	return s.changeBreaks(ctx, req, "removed", r)
}

// maxTold is how many changed breakpoints are told one by one.
const maxTold = 20

func (s *Session) changeBreaks(ctx context.Context, req control.BreaksReq, what string, r *result) error {
	got, err := s.c.Breaks(ctx, req)
	if err != nil {
		return err
	}
	if len(got) > maxTold {
		r.text = []string{fmt.Sprintf("%d breakpoints %s", len(got), what)}
		return nil
	}
	for i := range got {
		r.text = append(r.text, fmt.Sprintf("breakpoint %d at %s %s", got[i].ID, debugger.BreakPlace(&got[i]), what))
	}
	if len(got) == 0 {
		r.text = []string{"there are no breakpoints"}
	}
	return nil
}

func (s *Session) listBreaks(_ context.Context, _ NoArgs, r *result) error {
	rows := [][]string{debugger.BreakHeads()}
	s.picture(func(p *control.Replica) {
		for i := range p.Breaks {
			rows = append(rows, debugger.BreakRow(&p.Breaks[i]))
		}
		r.value = breakValues(p)
	})
	if len(rows) == 1 {
		r.text = []string{"there are no breakpoints (break @MESH.Endpoint sets one)"}
		return nil
	}
	slices.SortFunc(rows[1:], byNumber)
	r.text = table(rows)
	return nil
}

// breakValues are the breakpoints as the name breaks has them.
func breakValues(p *control.Replica) []any {
	list := slices.Clone(p.Breaks)
	slices.SortFunc(list, func(a, b control.Breakpoint) int { return int(a.ID) - int(b.ID) })
	out := make([]any, 0, len(list))
	for i := range list {
		out = append(out, debugger.BreakValue(&list[i]))
	}
	return out
}

// restartValues are what began anew, as the name restarts has it.
func restartValues(p *control.Replica) []any {
	out := make([]any, 0, len(p.Restarts))
	for i := range p.Restarts {
		r := &p.Restarts[i]
		name := r.Procs
		if r.Mesh != "" {
			name = "@" + r.Mesh
		}
		out = append(out, fmt.Sprintf("%s[%d] life %d %s", name, r.Rank, r.Life+1, r.State))
	}
	return out
}

// byNumber orders rows that begin with a number.
func byNumber(a, b []string) int {
	if len(a[0]) != len(b[0]) {
		return len(a[0]) - len(b[0])
	}
	return slices.Compare(a[:1], b[:1])
}

// brokeAt remembers a breakpoint that this session, or a fork of it, has set.
func (s *follower) brokeAt(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own[id] = true
}
