package script

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	exprparser "github.com/expr-lang/expr/parser"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// whole are the names for expressions about everything.
func (s *Session) whole() map[string]any {
	env := maps.Clone(s.vars)
	env["results"], env["text"], env["stops"] = s.last.values(), strings.Join(s.last.text, "\n"), []string{}
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

// printed are the lines of each rank from a mark on: those that carry the rank, and plain prints of its process.
func (s *Session) printed(set rankSet, mark int) map[int][]string {
	byProc := make(map[uint64]int, len(set.ranks))
	in := make(map[int]bool, len(set.ranks))
	for _, r := range set.ranks {
		byProc[set.proc(r)] = r
		in[r] = true
	}
	out := map[int][]string{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.logs[min(max(mark-s.first, 0), len(s.logs)):] {
		switch {
		case l.Stream == "engine":
		case l.Mesh == set.ref.Name && in[l.Rank]:
			out[l.Rank] = append(out[l.Rank], l.Text)
		case l.Mesh == "" && l.Proc != 0:
			if r, ok := byProc[l.Proc]; ok {
				out[r] = append(out[r], l.Text)
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
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	moves := c.Expr.uses("out", "state", "stops")
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
		if c.Expr.uses("state") { // the one thing that no event tells
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
	var yes, no fold
	holds, fails := 0, 0
	for i, env := range envs {
		rank := -1
		if i < len(set.ranks) {
			rank = set.ranks[i]
		}
		ok, err := c.Expr.holds(env)
		switch {
		case err != nil:
			fails++
			no.add(rank, err.Error())
		case ok:
			holds++
			yes.add(rank, c.Expr.explain(env))
		default:
			fails++
			no.add(rank, c.Expr.explain(env))
		}
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
	for _, l := range bad.lines() {
		out = append(out, strings.TrimPrefix(l, "[-1] "))
	}
	return out
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
	if len(set.ranks) == 0 || !e.uses(perRankNames()...) && !e.uses(dims...) {
		whole["ms"] = s.last.ms
		return []map[string]any{whole}, nil
	}
	var out map[int][]string
	if e.uses("out") {
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
	if e.uses("state") {
		var err error
		if states, err = s.states(ctx, set, ""); err != nil {
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
		env["rank"], env["out"] = r, strings.Join(out[r], "\n")
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

// fieldsOf refuses a field that the actor does not have: nil, which it would be, makes "none" hold and hides the mistake.
func (e *Expr) fieldsOf(state any) error {
	have, ok := state.(map[string]any)
	if !ok || len(have) >= stateCount { // not all was read
		return nil
	}
	for _, f := range e.state {
		if _, ok := have[f]; !ok {
			return fmt.Errorf("the state has no field %s%s (state?.%s is nil where there is none)", quoted(f), schema.Suggest(f, slices.Sorted(maps.Keys(have))), f)
		}
	}
	return nil
}

// fieldsOfType refuses a field that no value of a call's type has, for the same reason.
func (e *Expr) fieldsOfType(named schema.Types, typ *schema.Schema) error {
	for _, path := range e.value {
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

// explain shows the values that an expression compares: "state.count = 2".
func (e *Expr) explain(env map[string]any) string {
	tree, err := exprparser.Parse(e.Text)
	if err != nil {
		return ""
	}
	var parts []string
	for _, n := range operands(tree.Node) {
		text := n.String()
		sub, err := compile(text, 0, anyNames)
		if err != nil {
			continue
		}
		v, err := sub.eval(env)
		if err != nil {
			continue
		}
		if part := text + " = " + show(v); !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "it is false"
	}
	return strings.Join(parts, ", ")
}

// operands are the parts of an expression worth showing: what and, or and not connect is taken apart, what a
// comparison compares is shown unless it is constant.
func operands(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.BinaryNode:
		var out []ast.Node
		switch n.Operator {
		case "and", "or", "&&", "||":
			return append(operands(n.Left), operands(n.Right)...)
		}
		for _, side := range []ast.Node{n.Left, n.Right} {
			if !constant(side) {
				out = append(out, side)
			}
		}
		return out
	case *ast.UnaryNode:
		return operands(n.Node)
	case *ast.BuiltinNode:
		if len(n.Arguments) > 0 {
			return n.Arguments[:1]
		}
		return nil
	}
	if constant(n) {
		return nil
	}
	return []ast.Node{n}
}

func constant(n ast.Node) bool {
	c := &checker{lets: map[string]bool{}, funcs: map[ast.Node]bool{}}
	ast.Walk(&n, c)
	for _, id := range c.used {
		if !c.funcs[id] {
			return false
		}
	}
	return true
}
