package script

import "strings"

func lookVerbs() []*Verb {
	return []*Verb{
		{Name: "ls", Usage: "ls", Summary: "list proc meshes and actor meshes", Forkable: true, body: shows(noArgs, (*Session).ls)},
		{
			Name: "endpoints", Usage: "endpoints [Type]", Summary: "list actor types, their endpoints, and methods that look like endpoints and cannot be called",
			Forkable: true, completes: []word{{kind: wordType}}, body: shows(nameArgs, (*Session).endpoints),
		},
		{
			Name: "info", Usage: "info [PROCS[sel] | @MESH[sel]]", Summary: "describe the session, a proc mesh or an actor mesh",
			Forkable: true, completes: []word{{kind: wordProcs}, {kind: wordMesh}}, body: shows(infoArgs, (*Session).info),
		},
		{
			Name: "state", Usage: "state @MESH[sel] [path]", Summary: "show the fields of actors, read between two messages",
			Forkable: true, completes: []word{{kind: wordMesh}}, body: shows(stateArgs, (*Session).showState),
		},
		{
			Name: "log", Usage: "log [@MESH[sel]] [n]", Summary: "show what ranks printed, equal lines folded",
			Forkable: true, completes: []word{{kind: wordMesh}}, body: shows(logArgs, (*Session).showLog),
		},
		{
			Name: "metrics", Usage: "metrics [@MESH[sel]]", Summary: "show the newest of the figures that actors report (engine.Metric), by rank",
			Forkable: true, completes: []word{{kind: wordMesh}}, body: shows(metricsArgs, (*Session).metrics),
		},
		{Name: "calls", Usage: "calls", Summary: "list the calls that have not ended and who has not answered", Forkable: true, body: shows(noArgs, (*Session).openCalls)},
		{
			Name: "group", Usage: "group %NAME = TARGET [+|- TARGET]… [in FUNCTION] [where EXPR]", Summary: "name a set of ranks; in: those with a goroutine in a branch of their stacks (Step, (*Trainer).Step)",
			completes: []word{{kind: wordMesh}}, body: shows(groupArgs, (*Session).group),
		},
	}
}

// NoArgs is what a verb without arguments has.
type NoArgs struct{}

func noArgs(_ *parser, c *cursor, v *Verb) (NoArgs, error) { return NoArgs{}, c.end(v.Usage) }

// NameArgs is a name, "" for none: of a type for endpoints, of a verb for help.
type NameArgs struct{ Name string }

func nameArgs(_ *parser, c *cursor, v *Verb) (a NameArgs, err error) {
	if !c.done() {
		a.Name = c.word()
	}
	return a, c.end(v.Usage)
}

// InfoArgs are the arguments of info: at most one of them is set.
type InfoArgs struct {
	Target *Target
	Procs  *Target // Mesh is the name of a proc mesh
}

func (a InfoArgs) onRanks() (*Target, bool) { return a.Target, a.Target != nil }
func (a InfoArgs) judged() *Target          { return a.Target }

func infoArgs(p *parser, c *cursor, v *Verb) (a InfoArgs, err error) {
	if a.Target, err = p.someRanks(c, v); err == nil && a.Target == nil && !c.done() {
		a.Procs, err = p.procMesh(c)
	}
	if err != nil {
		return a, err
	}
	return a, c.end(v.Usage)
}

// StateArgs are the arguments of state.
type StateArgs struct {
	Target *Target
	Path   string // into the state
}

func (a StateArgs) onRanks() (*Target, bool) { return a.Target, true }
func (a StateArgs) judged() *Target          { return a.Target }

func stateArgs(p *parser, c *cursor, v *Verb) (a StateArgs, err error) {
	switch {
	case c.done() && !p.focus:
		return a, fail(c.at(), "want a mesh (usage: %s)", v.Usage)
	case p.atTarget(c):
		if a.Target, err = p.target(c); err != nil {
			return a, err
		}
		a.Path, a.Target.Endpoint = a.Target.Endpoint, "" // state @m.field
	case p.focus:
		a.Target = &Target{Focus: true}
	default:
		return a, fail(c.at(), "want a mesh such as @toy, not %s (usage: %s)", c.found(), v.Usage)
	}
	if !c.done() {
		a.Path += c.word()
	}
	return a, c.end(v.Usage)
}

// LogArgs are the arguments of log.
type LogArgs struct {
	Target *Target // nil: everything
	Last   int     // lines, 0 for the default
}

func (a LogArgs) onRanks() (*Target, bool) { return a.Target, a.Target != nil }
func (a LogArgs) judged() *Target          { return a.Target }

func logArgs(p *parser, c *cursor, v *Verb) (a LogArgs, err error) {
	if a.Target, err = p.someRanks(c, v); err == nil && !c.done() {
		a.Last, err = c.number("how many lines", 1e6)
	}
	if err != nil {
		return a, err
	}
	return a, c.end(v.Usage)
}

// MetricsArgs are whose figures are asked for; nil for all.
type MetricsArgs struct{ Target *Target }

func (a MetricsArgs) onRanks() (*Target, bool) { return a.Target, a.Target != nil }

func metricsArgs(p *parser, c *cursor, v *Verb) (a MetricsArgs, err error) {
	if a.Target, err = p.someRanks(c, v); err != nil {
		return a, err
	}
	return a, c.end(v.Usage)
}

// atTarget reports whether a target stands at the cursor.
func (p *parser) atTarget(c *cursor) bool {
	return !c.done() && strings.IndexByte("@%.", c.peek()) >= 0
}

// someRanks reads a target without an endpoint. Where none stands it is the focus of an enclosing on, else nil.
func (p *parser) someRanks(c *cursor, v *Verb) (*Target, error) {
	if !p.atTarget(c) {
		if p.focus {
			return &Target{Focus: true}, nil
		}
		return nil, nil //nolint:nilnil // absent, and that is no mistake
	}
	t, err := p.target(c)
	if err == nil && t.Endpoint != "" {
		err = fail(c.at(), "%s takes ranks, not an endpoint: %s @%s", v.Name, v.Name, t.Mesh)
	}
	return t, err
}

// GroupArgs are the arguments of group.
type GroupArgs struct {
	Name  string
	Terms []GroupTerm
	In    string // a function; "" for any
	Where *Expr
}

// GroupTerm is one operand of a group's definition.
type GroupTerm struct {
	Op     byte // '+' or '-'
	Target *Target
}

func groupArgs(p *parser, c *cursor, v *Verb) (a GroupArgs, err error) {
	c.space()
	if !c.eat('%') {
		return a, fail(c.at(), "want %% and a name for the group, not %s (usage: %s)", c.found(), v.Usage)
	}
	if a.Name, err = c.name("a name for the group"); err != nil {
		return a, err
	}
	if c.space(); !c.eat('=') {
		return a, fail(c.at(), "want = after the group's name, not %s", c.found())
	}
	for op := byte('+'); ; {
		t, err := p.target(c)
		if err != nil {
			return a, err
		}
		if t.Endpoint != "" {
			return a, fail(c.at(), "a group is made of ranks, not of endpoints")
		}
		a.Terms = append(a.Terms, GroupTerm{op, t})
		c.space()
		if op = c.peek(); op != '+' && op != '-' {
			break
		}
		c.pos++
	}
	if c.keyword("in") {
		if a.In = c.word(); a.In == "" {
			return a, fail(c.at(), "want the name of a function, as stacks shows it (usage: %s)", v.Usage)
		}
	}
	if c.keyword("where") {
		c.space()
		if a.Where, err = p.expression(c.rest(), c.at(), p.rankNames(a.Terms[0].Target)); err != nil {
			return a, err
		}
		c.pos = len(c.text)
	}
	p.scope.groups[a.Name] = a.Terms[0].Target.Mesh
	return a, c.end(v.Usage)
}
