package script

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// table lines up columns.
func table(rows [][]string) []string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	w.Flush()
	var out []string
	for l := range strings.Lines(b.String()) {
		out = append(out, strings.TrimRight(l, " \n"))
	}
	return out
}

// ls lists proc meshes and actor meshes.
func (s *Session) ls(_ context.Context, _ NoArgs, r *result) error {
	var rows [][]string
	s.picture(func(p *control.Replica) {
		for _, m := range p.ProcMeshes {
			if !m.Gone {
				rows = append(rows, []string{m.Name, m.Extent.String(), kindOf(&m), stateOf(p, &m)})
			}
		}
		for _, m := range p.Meshes {
			if !m.Gone {
				rows = append(rows, []string{"@" + m.Ref.Name, m.Ref.Extent().String(), typeName(p, m.Ref.Type) + " on " + m.Procs, m.State + living(overRanks(&m), pausedRanks(p, &m), len(m.Ranks))})
			}
		}
	})
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	r.text = table(rows)
	if len(rows) == 0 {
		r.text = []string{"nothing runs (procs NAME dim=n makes processes)"}
	}
	return nil
}

// overRanks counts the actors of a mesh that have ended.
func overRanks(m *control.Mesh) (over int) {
	for i := range m.Ranks {
		if m.Ranks[i].Over() {
			over++
		}
	}
	return over
}

// stateOf is the state of a proc mesh, with how many of its processes have ended, and how many a signal has stopped.
func stateOf(p *control.Replica, pm *control.ProcMesh) string {
	over, paused := 0, 0
	for r := range pm.Extent.Len() {
		switch proc, ok := p.Proc(pm.FirstProc + uint64(r)); {
		case !ok:
		case proc.Over():
			over++
		case proc.Paused:
			paused++
		}
	}
	return pm.State + living(over, paused, pm.Extent.Len())
}

// pausedRanks counts the actors of a mesh whose processes a signal has stopped.
func pausedRanks(p *control.Replica, m *control.Mesh) (paused int) {
	for rank := range m.Ranks {
		if pausedRank(p, m, rank) {
			paused++
		}
	}
	return paused
}

func pausedRank(p *control.Replica, m *control.Mesh, rank int) bool {
	proc, ok := p.Proc(m.Ref.Proc(rank))
	return ok && proc.Paused && !proc.Over()
}

// living counts the ranks that are left where some have ended, and those that a signal has stopped.
func living(ended, paused, all int) (text string) {
	if ended > 0 {
		text = fmt.Sprintf(", %d of %d alive", all-ended, all)
	}
	if paused > 0 {
		text += fmt.Sprintf(", %d paused", paused)
	}
	return text
}

// openCalls lists the calls that have not ended.
func (s *Session) openCalls(_ context.Context, _ NoArgs, r *result) error {
	s.picture(func(p *control.Replica) {
		for _, c := range p.Calls {
			r.text = append(r.text, callLine(c))
		}
	})
	slices.Sort(r.text)
	return nil
}

// metrics shows the last point of each figure, equal ones of several ranks folded.
func (s *Session) metrics(ctx context.Context, a MetricsArgs, r *result) error {
	req := control.MetricsReq{Last: 1, Now: true}
	var set rankSet
	if a.Target != nil {
		var err error
		if set, err = s.resolve(a.Target); err != nil {
			return err
		}
		req.Mesh = set.ref.Name
	}
	list, err := s.c.Metrics(ctx, req)
	if err != nil {
		return err
	}
	var head string
	var lines fold
	flush := func() {
		if head != "" {
			r.text = append(append(r.text, head), lines.lines()...)
		}
		lines = fold{}
	}
	for _, x := range list {
		if req.Mesh != "" && !slices.Contains(set.ranks, x.Rank) || len(x.X) == 0 {
			continue
		}
		of := "main"
		if x.Mesh != "" {
			of = "@" + x.Mesh
		}
		if h := x.Name + " of " + of; h != head {
			flush()
			head = h
		}
		lines.add(max(x.Rank, 0), fmt.Sprintf("%v at %v", x.Y[0], x.X[0]))
	}
	flush()
	if len(r.text) == 0 {
		r.text = []string{"no figure has been reported (engine.Metric)"}
	}
	return nil
}

func kindOf(m *control.ProcMesh) string {
	switch {
	case m.InProcess:
		return "in-process"
	case virtualSlots(m):
		return "processes, virtual slots"
	case !m.Virtual:
		return "processes, a GPU each"
	}
	return "processes"
}

// virtualSlots reports whether ranks have GPU slots, and no devices behind them.
func virtualSlots(m *control.ProcMesh) bool {
	return m.Virtual && !m.InProcess && slices.Contains(m.Extent.Names(), "gpus")
}

// typeName is the name of an actor type as the language takes it: without its package where that is unambiguous.
func typeName(p *control.Replica, full string) string {
	if t, ok := p.Type(full); ok {
		return t.Name
	}
	return schema.ShortType(full)
}

func (s *Session) endpoints(_ context.Context, a NameArgs, r *result) error {
	var types []control.Type
	if a.Name != "" {
		t, _, err := s.actorType(a.Name)
		if err != nil {
			return err
		}
		types = append(types, t)
	} else {
		s.picture(func(p *control.Replica) { types = slices.Clone(p.Types) })
	}
	slices.SortFunc(types, func(a, b control.Type) int { return strings.Compare(a.Name, b.Name) })
	var rows [][]string
	for _, t := range types {
		for _, e := range t.Endpoints {
			row := []string{t.Name + "." + schema.Signature(e.Name, e.Param, e.Arg, e.Result)}
			if doc, _, _ := strings.Cut(e.Doc, "\n"); doc != "" {
				row = append(row, doc)
			}
			rows = append(rows, row)
		}
		for _, n := range t.NotCallable {
			if (a.Name != "" || n.Fix != "") && n.Why != control.KeptToItself {
				rows = append(rows, []string{"not callable: " + t.Name + "." + n.Name, n.Reason()})
			}
		}
	}
	r.text = table(rows)
	return nil
}

func (s *Session) info(_ context.Context, a InfoArgs, r *result) error {
	switch {
	case a.Target != nil:
		set, err := s.resolve(a.Target)
		if err != nil {
			return err
		}
		s.picture(func(p *control.Replica) {
			if m, ok := p.Mesh(set.ref.Name); ok {
				r.text = meshInfo(p, m, set)
			}
		})
		return nil
	case a.Procs != nil:
		pm, err := s.procMesh(a.Procs.Mesh)
		if err != nil {
			return err
		}
		ranks, err := pm.Grid().Ranks(a.Procs.Choice)
		if err != nil {
			return fmt.Errorf("%s: %w", pm.Name, err)
		}
		s.picture(func(p *control.Replica) { r.text = procsInfo(p, &pm, ranks) })
		return nil
	}
	s.picture(func(p *control.Replica) {
		ses := p.Session
		r.text = []string{fmt.Sprintf("session %s of %s, engine %s: %s", ses.Name, ses.Program, ses.Engine, ses.State)}
		if ses.Reason != "" {
			r.text = append(r.text, withoutPIDs(ses.Reason))
		}
	})
	return nil
}

func meshInfo(p *control.Replica, m *control.Mesh, set rankSet) []string {
	out := []string{fmt.Sprintf("@%s: %s %s on %s, %s", m.Ref.Name, typeName(p, m.Ref.Type), m.Ref.Extent(), m.Procs, m.State+living(overRanks(m), pausedRanks(p, m), len(m.Ranks)))}
	if m.Reason != "" {
		out = append(out, withoutPIDs(m.Reason))
	}
	if m.Owner != "" {
		out = append(out, "owned by "+m.Owner)
	}
	var f fold
	for _, r := range set.ranks {
		if r >= len(m.Ranks) {
			continue
		}
		st := m.Ranks[r]
		line := st.State
		if len(st.Running) > 0 {
			line += " in " + strings.Join(st.Running, ", ")
		}
		if st.Queue > 0 {
			line += fmt.Sprintf(", %d queued", st.Queue)
		}
		if pausedRank(p, m, r) {
			line += ", its process paused by a signal"
		}
		if st.Reason != "" {
			line += ": " + aboutRank(m.Ref.Name, r, st.Reason)
		}
		f.add(r, withoutPIDs(line))
	}
	return append(out, f.lines()...)
}

// aboutRank drops a rank's own name from the front of a text about it, so that the texts of several ranks fold.
func aboutRank(mesh string, rank int, text string) string {
	rest, ok := strings.CutPrefix(text, fmt.Sprintf("@%s[%d] ", mesh, rank))
	if !ok || rest == "" || rest[0] < 'a' || rest[0] > 'z' { // it begins a path, as in @A[0] → @B[0] → @A[0]
		return text
	}
	return rest
}

func procsInfo(p *control.Replica, pm *control.ProcMesh, ranks []int) []string {
	out := []string{fmt.Sprintf("%s: %s, %s, %s", pm.Name, pm.Extent, kindOf(pm), stateOf(p, pm))}
	if pm.Reason != "" {
		out = append(out, withoutPIDs(pm.Reason))
	}
	var f fold
	for _, r := range ranks {
		if pr, ok := p.Proc(pm.FirstProc + uint64(r)); ok {
			line := pr.State
			if pr.Paused && !pr.Over() {
				line += ", paused by a signal"
			}
			if pr.Reason != "" {
				line += ": " + pr.Reason
			}
			f.add(r, withoutPIDs(line))
		}
	}
	return append(out, f.lines()...)
}

func (s *Session) showState(ctx context.Context, a StateArgs, r *result) error {
	set, err := s.resolve(a.Target)
	if err != nil {
		return err
	}
	states, err := s.states(ctx, set, a.Path)
	if err != nil {
		return err
	}
	var f fold
	r.set = set
	var unread []string
	for _, rank := range slices.Sorted(maps.Keys(states)) {
		st := states[rank]
		if st.err != "" {
			unread = append(unread, fmt.Sprintf("@%s[%d]: %s", set.ref.Name, rank, st.err))
			continue
		}
		f.add(rank, show(st.value))
		r.ranks = append(r.ranks, rankResult{rank: rank, value: st.value, outcome: control.OutcomeReply})
	}
	r.text = f.lines()
	if len(unread) > 0 {
		return fmt.Errorf("the state cannot be read:\n%s", strings.Join(unread, "\n"))
	}
	return nil
}

func (s *Session) showLog(ctx context.Context, a LogArgs, r *result) error {
	if a.Target == nil {
		return s.showAllLogs(ctx, a, r)
	}
	set, err := s.resolve(a.Target)
	if err != nil {
		return err
	}
	if err := s.flush(ctx, set); err != nil {
		return err
	}
	lines, err := s.c.Logs(ctx, control.LogsReq{Mesh: set.ref.Name, Ranks: set.ranks, Last: a.Last})
	if err != nil {
		return err
	}
	byProc := map[uint64]int{}
	for _, rank := range set.ranks {
		byProc[set.proc(rank)] = rank
	}
	byRank := map[int][]string{}
	for _, l := range lines {
		rank := l.Rank
		if l.Mesh != set.ref.Name {
			var ok bool
			if rank, ok = byProc[l.Proc]; !ok {
				continue
			}
		}
		byRank[rank] = append(byRank[rank], l.Text)
	}
	r.set, r.text = set, foldLines(byRank)
	return nil
}

// showAllLogs shows the last lines of everyone, folded mesh by mesh.
func (s *Session) showAllLogs(ctx context.Context, a LogArgs, r *result) error {
	if err := s.c.Flush(ctx, control.FlushReq{}); err != nil {
		return err
	}
	lines, err := s.c.Logs(ctx, control.LogsReq{Last: a.Last})
	if err != nil {
		return err
	}
	groups := map[string]map[int][]string{}
	s.picture(func(p *control.Replica) {
		for _, l := range lines {
			name, rank := "@"+l.Mesh, l.Rank
			if l.Mesh == "" {
				name, rank = "program", 0
				if pr, ok := p.Proc(l.Proc); ok && l.Proc != 0 {
					name, rank = pr.Mesh, pr.Rank
				}
			}
			if l.Stream == "engine" {
				name, rank = "engine", 0
			}
			if groups[name] == nil {
				groups[name] = map[int][]string{}
			}
			groups[name][rank] = append(groups[name][rank], l.Text)
		}
	})
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		for _, l := range foldLines(groups[name]) {
			r.text = append(r.text, name+l)
		}
	}
	return nil
}

// group names a set of ranks.
func (s *Session) group(ctx context.Context, a GroupArgs, r *result) error {
	var ref control.MeshRef
	have := map[int]bool{}
	for i, t := range a.Terms {
		set, err := s.resolve(t.Target)
		if err != nil {
			return err
		}
		if i == 0 {
			ref = set.ref
		} else if set.ref.ID != ref.ID {
			return fmt.Errorf("a group holds ranks of one mesh: %s is not of @%s", set, ref.Name)
		}
		for _, rank := range set.ranks {
			have[rank] = t.Op == '+'
		}
	}
	var ranks []int
	for _, rank := range slices.Sorted(maps.Keys(have)) {
		if have[rank] {
			ranks = append(ranks, rank)
		}
	}
	if a.In != "" && len(ranks) > 0 {
		var err error
		if ranks, err = s.inFunction(ctx, subset(ref, ranks), a.In); err != nil {
			return err
		}
	}
	if a.Where != nil && len(ranks) > 0 {
		set := subset(ref, ranks)
		envs, err := s.environments(ctx, set, a.Where, true)
		if err != nil {
			return err
		}
		ranks = nil
		for i, rank := range set.ranks {
			ok, err := a.Where.Holds(envs[min(i, len(envs)-1)])
			if err != nil {
				return fmt.Errorf("where, on rank %d: %w", rank, err)
			}
			if ok {
				ranks = append(ranks, rank)
			}
		}
	}
	if len(ranks) == 0 {
		s.groups[a.Name] = rankSet{ref: ref}
		r.text = []string{"%" + a.Name + " is empty"}
		return nil
	}
	g := subset(ref, ranks)
	s.groups[a.Name] = g
	r.text = []string{fmt.Sprintf("%%%s = @%s[%s] (%s)", a.Name, ref.Name, shape.FormatRanks(ranks), plural(len(ranks), "rank"))}
	return nil
}
