package script

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/eval"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// whole are the names for expressions about everything.
func (s *Session) whole() map[string]any {
	env := maps.Clone(s.vars)
	env["results"], env["text"] = s.last.values(), strings.Join(s.last.text, "\n")
	s.picture(func(p *control.Replica) {
		env["stops"], env["breaks"], env["restarts"], env["faults"], env["builds"] = stopValues(p), breakValues(p), restartValues(p), faultValues(p), buildValues(p)
		env["machines"] = machineValues(p)
	})
	env["seed"] = s.opt.Seed
	return env
}

// flush waits until every line that the ranks printed before is here (INV-OUT).
func (s *Session) flush(ctx context.Context, set rankSet) error {
	if err := s.c.Flush(ctx, control.FlushReq{Mesh: set.ref.Name}); err != nil {
		return fmt.Errorf("wait for what %s printed: %w", set, err)
	}
	return s.catchUp(ctx)
}

// missed reports whether lines from a mark on were dropped: on the way here, or because too many came.
func (s *Session) missed(mark int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return mark < s.first || s.pic.Dropped.Data > 0 && mark <= s.lostAt
}

// rankOutput is what one rank printed.
type rankOutput struct {
	lines []string // as they were printed
	shown []string // as a terminal shows them
	cut   int      // bytes of a line that did not come here
}

func (o *rankOutput) add(l *control.Log) {
	o.lines, o.shown = append(o.lines, l.Printed()), append(o.shown, l.Text)
	o.cut = max(o.cut, l.Cut)
}

// value is out in an expression.
func (o *rankOutput) value() any {
	if o == nil {
		return ""
	}
	text := strings.Join(o.lines, "\n")
	if o.cut > 0 {
		return eval.Cut(text, fmt.Sprintf("a line was too long by %d bytes", o.cut))
	}
	return text
}

// printed are the lines of each rank from a mark on: those that carry the rank, and plain prints of its process.
func (s *Session) printed(set rankSet, mark int) map[int]*rankOutput {
	byProc := make(map[uint64]int, len(set.ranks))
	in := make(map[int]bool, len(set.ranks))
	for _, r := range set.ranks {
		byProc[set.proc(r)] = r
		in[r] = true
	}
	out := map[int]*rankOutput{}
	add := func(rank int, l *control.Log) {
		if out[rank] == nil {
			out[rank] = &rankOutput{}
		}
		out[rank].add(l)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := s.logs[min(max(mark-s.first, 0), len(s.logs)):]
	for i := range lines {
		l := &lines[i]
		switch {
		case l.Stream == "engine":
		case l.Mesh == set.ref.Name && in[l.Rank]:
			add(l.Rank, l)
		case l.Mesh == "" && l.Proc != 0:
			if r, ok := byProc[l.Proc]; ok {
				add(r, l)
			}
		}
	}
	return out
}

// expect judges one expectation; nil means that it holds. One with within is judged again whenever something happens.
func (s *Session) expect(ctx context.Context, c *Clause) []string {
	limit := s.opt.Timeout
	if c.Within > 0 {
		limit = c.Within
	}
	wait := s.patient
	if c.Expr.Uses("stops", "breaks") { // it is about the stops themselves, which do not hold it up
		wait = func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, d)
		}
	}
	ctx, cancel := wait(ctx, limit)
	defer cancel()
	moves := c.Expr.Uses("out", "state", "stops", "breaks", "restarts", "faults", "machines", "builds")
	flush := true // once before the first look and once before the last; in between, events tell
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		why := s.check(ctx, c, flush)
		flush = false
		if why == nil || c.Within == 0 || !moves {
			return why
		}
		var again <-chan time.Time
		if c.Expr.Uses("state") { // the one thing that no event tells
			again = time.After(pause)
		}
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			if why = s.check(last, c, true); why != nil {
				why = append([]string{"not within " + c.Within.String() + ":"}, why...)
			}
			return why
		}
	}
}

// check judges an expectation once.
func (s *Session) check(ctx context.Context, c *Clause, flush bool) []string {
	set, err := s.about(c)
	if err != nil {
		return []string{err.Error()}
	}
	envs, err := s.environments(ctx, set, c.Expr, flush)
	if err != nil {
		return []string{err.Error()}
	}
	var yes, no, unjudged fold
	holds, fails := 0, 0
	for i, env := range envs {
		rank := -1
		if i < len(set.ranks) {
			rank = set.ranks[i]
		}
		ok, err := c.Expr.Holds(env)
		switch {
		case err != nil:
			unjudged.add(rank, err.Error())
		case ok:
			holds++
			yes.add(rank, c.Expr.Explain(env))
		default:
			fails++
			no.add(rank, c.Expr.Explain(env))
		}
	}
	if lines := unjudged.lines(); len(lines) > 0 { // whatever the quantifier: an error is neither true nor false
		return append([]string{"it cannot be judged:"}, withoutNoRank(lines)...)
	}
	bad := &no
	switch c.Quant {
	case "all":
		if fails == 0 {
			return nil
		}
	case "any":
		if holds > 0 {
			return nil
		}
	case "one":
		if holds == 1 {
			return nil
		}
		if holds > 1 {
			bad = &yes
		}
	case "none":
		if holds == 0 {
			return nil
		}
		bad = &yes
	}
	var out []string
	if len(envs) > 1 || c.Quant != "all" {
		out = append(out, fmt.Sprintf("want it on %s of %s, it holds on %d", map[string]string{"all": "all", "any": "any", "one": "exactly one", "none": "none"}[c.Quant], plural(len(envs), "rank"), holds))
	}
	return append(out, withoutNoRank(bad.lines())...)
}

// withoutNoRank takes the rank off the lines of an expectation that is about no ranks.
func withoutNoRank(lines []string) []string {
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "[-1] ")
	}
	return lines
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// about are the ranks of an expectation.
func (s *Session) about(c *Clause) (rankSet, error) {
	if c.Target != nil {
		return s.resolve(c.Target)
	}
	return s.last.set, nil
}

// environments are the names and values for each rank; one environment where there are no ranks, or where the
// expression does not look at ranks.
func (s *Session) environments(ctx context.Context, set rankSet, e *Expr, flush bool) ([]map[string]any, error) {
	whole := s.whole()
	dims := set.ref.View.Labels
	if len(set.ranks) == 0 || !e.Uses(perRankNames()...) && !e.Uses(dims...) {
		whole["ms"] = s.last.ms
		return []map[string]any{whole}, nil
	}
	var out map[int]*rankOutput
	if e.Uses("out") {
		if flush {
			if err := s.flush(ctx, set); err != nil {
				return nil, err
			}
		}
		if s.missed(s.last.mark) {
			return nil, errors.New("out is not complete: more was printed than this client could take in")
		}
		out = s.printed(set, s.last.mark)
	}
	var states map[int]stateResult
	if e.Uses("state") {
		var err error
		if states, err = s.states(ctx, set, "", e.topFields("state")...); err != nil {
			return nil, err
		}
	}
	same := set.ref.ID == s.last.set.ref.ID
	if same {
		if err := e.fieldsOfType(s.last.named, s.last.typ); err != nil {
			return nil, err
		}
	}
	envs := make([]map[string]any, 0, len(set.ranks))
	for _, r := range set.ranks {
		env := maps.Clone(whole)
		env["err"], env["value"], env["ms"] = "", nil, s.last.ms
		set.coords(r, env)
		if x, ok := s.last.of(r); ok && same {
			env["value"], env["err"], env["ms"] = x.value, x.err, x.ms
		}
		env["rank"], env["out"] = r, out[r].value()
		if st, ok := states[r]; ok {
			if st.err != "" {
				return nil, fmt.Errorf("the state of @%s[%d] cannot be read: %s", set.ref.Name, r, st.err)
			}
			if err := e.fieldsOf(st.value); err != nil {
				return nil, err
			}
			env["state"] = st.value
		}
		envs = append(envs, env)
	}
	return envs, nil
}

// topFields are the fields that an expression reads of a name, none where it reads the whole.
func (e *Expr) topFields(name string) (fields []string) {
	for _, way := range e.Fields(name) {
		fields = append(fields, way[0])
	}
	if e.Bare(name) {
		return nil
	}
	return fields
}

// fieldsOf refuses a field that the actor does not have: nil, which it would be, makes "none" hold and hides the mistake.
func (e *Expr) fieldsOf(state any) error {
	have, ok := state.(map[string]any)
	if !ok {
		return nil
	}
	for _, way := range e.Fields("state") {
		f := way[0]
		if _, ok := have[f]; !ok {
			return fmt.Errorf("the state has no field %s%s (state?.%s is nil where there is none)", quoted(f), schema.Suggest(f, slices.Sorted(maps.Keys(have))), f)
		}
	}
	return nil
}

// fieldsOfType refuses a field that no value of a call's type has, for the same reason.
func (e *Expr) fieldsOfType(named schema.Types, typ *schema.Schema) error {
	for _, path := range e.Fields("value") {
		at, where := named.Deref(typ), "value"
		for _, name := range path {
			if at.Kind != schema.KindStruct {
				break
			}
			i := slices.IndexFunc(at.Fields, func(f schema.Field) bool { return f.Name == name })
			if i < 0 {
				have := make([]string, 0, len(at.Fields))
				for _, f := range at.Fields {
					have = append(have, f.Name)
				}
				return fmt.Errorf("%s has no field %s%s", where, quoted(name), schema.Suggest(name, have))
			}
			at, where = named.Deref(at.Fields[i].Type), where+"."+name
		}
	}
	return nil
}
