package script

import (
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// maxRanks bounds the product of the dims of a procs command; the engine has its own, lower limits for processes.
const maxRanks = 65536

func procsArgs(p *parser, c *cursor, v *Verb) (any, error) {
	var a ProcsArgs
	var err error
	if a.Name, err = c.name("a name for the proc mesh"); err != nil {
		return nil, fail(c.at(), "%s (usage: %s)", err, v.Usage)
	}
	for !c.done() {
		at := c.at()
		w := c.word()
		dim, n, isDim := strings.Cut(w, "=")
		switch {
		case w == "in-process":
			a.InProcess = true
		case w == "virtual":
			a.Virtual = true
		case w == "oversubscribe":
			a.Oversubscribe = true
		case !isDim:
			return nil, fail(at, "want dim=n, such as gpus=4, not %s%s", quoted(w), schema.Suggest(w, []string{"in-process", "virtual", "oversubscribe"}))
		default:
			size, err := strconv.Atoi(n)
			if err != nil {
				return nil, fail(at+len(dim)+1, "%s: want a whole number, not %s", dim, quoted(n))
			}
			if dim == "cpus" {
				if size < 1 {
					return nil, fail(at, "cpus=%d: a process needs at least 1", size)
				}
				a.CPUs = size
				continue
			}
			a.Dims = append(a.Dims, shape.Dim{Name: dim, Size: size})
			if err := a.Dims.Validate(maxRanks); err != nil {
				return nil, fail(at, "%s", err)
			}
		}
	}
	p.scope.procs[a.Name] = a.Dims.Names()
	return a, nil
}

func spawnArgs(p *parser, c *cursor, v *Verb) (any, error) {
	var a SpawnArgs
	c.space()
	if !c.eat('@') {
		return nil, fail(c.at(), "want @ and a name for the mesh, not %s (usage: %s)", c.found(), v.Usage)
	}
	var err error
	if a.Mesh, err = c.name("a name for the mesh after @"); err != nil {
		return nil, err
	}
	if !c.keyword("on") {
		return nil, fail(c.at(), "want on and the name of a proc mesh, not %s (usage: %s)", c.found(), v.Usage)
	}
	if a.Procs, err = p.procMesh(c); err != nil {
		return nil, err
	}
	if c.done() {
		return nil, fail(c.at(), "want the actor type (usage: %s)", v.Usage)
	}
	at := c.at()
	a.Type = c.word()
	if cut := strings.IndexByte(a.Type, '{'); cut > 0 { // Type{…} without a space
		c.pos -= len(a.Type) - cut
		a.Type = a.Type[:cut]
	} else if cut == 0 {
		return nil, fail(at, "want the actor type before its fields (usage: %s)", v.Usage)
	}
	a.Literal = p.literal(c)
	p.scope.spawn(a.Mesh, a.Procs)
	return a, nil
}

// procMesh takes PROCS[sel]; an @ before it is read too.
func (p *parser) procMesh(c *cursor) (*Target, error) {
	c.space()
	t := &Target{Pos: p.src.pos(c.at())}
	c.eat('@')
	var err error
	if t.Mesh, err = c.name("the name of a proc mesh"); err != nil {
		return nil, err
	}
	return t, c.selection(t)
}

func endArgs(p *parser, c *cursor, v *Verb) (any, error) {
	c.space()
	a := EndArgs{}
	var err error
	if ch := c.peek(); ch == '@' || ch == '%' || ch == '.' || ch == 0 && p.focus {
		if ch == 0 {
			a.Target = &Target{Focus: true}
		} else if a.Target, err = p.target(c); err != nil {
			return nil, err
		}
		if a.Target.Endpoint != "" {
			return nil, fail(c.at(), "%s ends meshes, not endpoints: want @%s", v.Name, a.Target.Mesh)
		}
	} else if a.Target, err = p.procMesh(c); err != nil {
		return nil, fail(c.at(), "%s (usage: %s)", err, v.Usage)
	} else {
		a.Procs = true
	}
	if v.Name == "stop" && a.Target.Sel != "" && a.Target.Sel != "*" {
		return nil, fail(c.at(), "stop ends a whole mesh, not a slice: want stop %s (kill takes a slice)", strings.TrimSuffix(a.Target.String(), "["+a.Target.Sel+"]"))
	}
	return a, c.end(v.Usage)
}

func callArgs(p *parser, c *cursor, v *Verb) (any, error) {
	adverbs := map[string]control.Adverb{"call": control.AdverbCall, "one": control.AdverbCallOne, "choose": control.AdverbChoose, "stream": control.AdverbStream, "broadcast": control.AdverbBroadcast}
	a := CallArgs{Adverb: adverbs[v.Name]}
	c.space()
	at := c.at()
	if ch := c.peek(); p.focus && nameByte(ch) { // on TARGET call Endpoint
		n, err := c.name("an endpoint")
		if err != nil {
			return nil, err
		}
		a.Target = &Target{Pos: p.src.pos(at), Focus: true, Endpoint: n}
	} else {
		t, err := p.target(c)
		if err != nil {
			return nil, err
		}
		a.Target = t
	}
	if a.Target.Endpoint == "" {
		return nil, fail(c.at(), "want an endpoint after the target: %s.Endpoint (usage: %s)", a.Target, v.Usage)
	}
	if ch := c.peek(); ch != 0 && strings.IndexByte(" \t\n{", ch) < 0 {
		return nil, fail(c.at(), "want a space between the endpoint and its argument, not %s", c.found())
	}
	a.Literal = p.literal(c)
	return a, nil
}

// literal takes the rest of the statement.
func (p *parser) literal(c *cursor) Literal {
	c.space()
	l := Literal{Pos: p.src.pos(c.at()), Text: c.rest()}
	p.lit = c.pos
	c.pos = len(c.text)
	return l
}

func jobArgs(p *parser, c *cursor, v *Verb) (any, error) {
	if c.done() {
		if v.Name == "cancel" {
			return nil, fail(c.at(), "want the name of a job (usage: %s)", v.Usage)
		}
		return JobArgs{}, nil
	}
	c.eat('&')
	at := c.at()
	n, err := c.variable("the name of a job")
	if err != nil {
		return nil, err
	}
	if names := p.scope.jobNames(); !p.loose && !slices.Contains(names, n) {
		if len(names) == 0 {
			return nil, fail(at, "no job &%s: no call above ends with &%s", n, n)
		}
		return nil, fail(at, "no job &%s%s", n, schema.Suggest(n, names))
	}
	return JobArgs{n}, c.end(v.Usage)
}

func onArgs(p *parser, c *cursor, v *Verb) (any, error) {
	t, err := p.target(c)
	if err != nil {
		return nil, err
	}
	if t.Endpoint != "" {
		return nil, fail(c.at(), "on takes ranks, not an endpoint: on @%s CMD", t.Mesh)
	}
	return p.inner(c, t, v, false)
}

// castArgs reads Monarch's cast NAME ranks(…) CMD.
func castArgs(p *parser, c *cursor, v *Verb) (any, error) {
	c.space()
	t := &Target{Pos: p.src.pos(c.at())}
	c.eat('@')
	var err error
	if t.Mesh, err = c.name("the name of a mesh"); err != nil {
		return nil, fail(c.at(), "%s (usage: %s)", err, v.Usage)
	}
	if t.Choice, t.Sel, err = c.ranks(); err != nil {
		return nil, fail(atOf(err, c.at()), "%s (usage: %s; to send without waiting use broadcast)", err, v.Usage)
	}
	return p.inner(c, t, v, true)
}

func atOf(err error, at int) int {
	if u, ok := err.(*usageError); ok { //nolint:errorlint // the parser's own errors are never wrapped
		return u.at
	}
	return at
}

// inner reads the command of on and cast. What Monarch's cast sends to its debugger may be any word.
func (p *parser) inner(c *cursor, t *Target, v *Verb, monarch bool) (any, error) {
	if c.done() {
		return nil, fail(c.at(), "want a command (usage: %s)", v.Usage)
	}
	outer := p.focus
	p.focus = true
	defer func() { p.focus = outer }()
	at := c.at()
	save := c.pos
	word := c.word()
	if _, known := verbNamed(word); monarch && !known {
		if !nameByte(word[0]) || word[0] == '-' {
			return nil, fail(at, "want a command that begins with a letter, a digit or _, not %s", quoted(word))
		}
		print, _ := verbNamed("print")
		text := c.text[save:]
		c.pos = len(c.text)
		return OnArgs{t, &Command{Pos: p.src.pos(at), Verb: print, Text: text, Args: TextArgs{text}, lit: -1}}, nil
	}
	c.pos = save
	cmd, err := p.command(c)
	if err != nil {
		return nil, err
	}
	own, takes := ownTarget(cmd)
	switch {
	case own != nil && !own.Focus:
		return nil, fail(at, "%s has said which ranks: want %s without %s, or no %s", v.Name, cmd.Verb.Name, own, v.Name)
	case !takes && cmd.Verb.Alive():
		return nil, fail(at, "%s is not about ranks: it needs no %s", cmd.Verb.Name, v.Name)
	}
	return OnArgs{t, cmd}, nil
}

// ownTarget is the target that a command within on names; takes tells whether it is about ranks at all.
func ownTarget(c *Command) (own *Target, takes bool) {
	switch a := c.Args.(type) {
	case CallArgs:
		return a.Target, true
	case EndArgs:
		return a.Target, true
	case OnArgs:
		return a.Target, true
	case LookArgs:
		return a.Target, a.Target != nil
	}
	return nil, false
}

func lookArgs(p *parser, c *cursor, v *Verb) (any, error) {
	var a LookArgs
	var err error
	takesTarget := v.Name == "state" || v.Name == "log" || v.Name == "info"
	if c.done() {
		if v.Name == "state" && !p.focus {
			return nil, fail(c.at(), "want a mesh (usage: %s)", v.Usage)
		}
		if p.focus && takesTarget {
			a.Target = &Target{Focus: true}
		}
		return a, nil
	}
	if takesTarget && strings.IndexByte("@%.", c.peek()) >= 0 {
		if a.Target, err = p.target(c); err != nil {
			return nil, err
		}
		if a.Target.Endpoint != "" && v.Name == "state" { // state @m.field
			a.Path, a.Target.Endpoint = a.Target.Endpoint, ""
		}
		if a.Target.Endpoint != "" {
			return nil, fail(c.at(), "%s takes ranks, not an endpoint: %s @%s", v.Name, v.Name, a.Target.Mesh)
		}
	} else if p.focus && takesTarget {
		a.Target = &Target{Focus: true}
	}
	switch {
	case c.done():
	case v.Name == "state" && a.Target == nil:
		return nil, fail(c.at(), "want a mesh such as @toy, not %s (usage: %s)", c.found(), v.Usage)
	case v.Name == "state":
		a.Path += c.word()
	case v.Name == "log":
		a.Last, err = c.number("how many lines", 1e6)
	case v.Name == "info" && a.Target == nil:
		a.Procs, err = p.procMesh(c)
	case v.Name == "endpoints", v.Name == "help":
		at := c.at()
		a.Name = c.word()
		if _, ok := verbNamed(a.Name); v.Name == "help" && !ok {
			return nil, fail(at, "%s", noVerb(a.Name))
		}
	}
	if err != nil {
		return nil, err
	}
	return a, c.end(v.Usage)
}

func groupArgs(p *parser, c *cursor, v *Verb) (any, error) {
	var a GroupArgs
	c.space()
	if !c.eat('%') {
		return nil, fail(c.at(), "want %% and a name for the group, not %s (usage: %s)", c.found(), v.Usage)
	}
	var err error
	if a.Name, err = c.name("a name for the group"); err != nil {
		return nil, err
	}
	if c.space(); !c.eat('=') {
		return nil, fail(c.at(), "want = after the group's name, not %s", c.found())
	}
	for op := byte('+'); ; {
		t, err := p.target(c)
		if err != nil {
			return nil, err
		}
		if t.Endpoint != "" {
			return nil, fail(c.at(), "a group is made of ranks, not of endpoints")
		}
		a.Terms = append(a.Terms, GroupTerm{op, t})
		c.space()
		if op = c.peek(); op != '+' && op != '-' {
			break
		}
		c.pos++
	}
	if c.keyword("where") {
		c.space()
		if a.Where, err = p.expression(c.rest(), c.at(), p.rankNames(a.Terms[0].Target)); err != nil {
			return nil, err
		}
		c.pos = len(c.text)
	}
	p.scope.groups[a.Name] = a.Terms[0].Target.Mesh
	return a, c.end(v.Usage)
}

func letArgs(p *parser, c *cursor, v *Verb) (any, error) {
	c.space()
	at := c.at()
	n, err := c.variable("a name")
	if err != nil {
		return nil, err
	}
	if slices.Contains(reservedNames(), n) {
		return nil, fail(at, "%s has a meaning of its own in expressions: choose another name", n)
	}
	if c.space(); !c.eat('=') {
		return nil, fail(c.at(), "want = and an expression, not %s (usage: %s)", c.found(), v.Usage)
	}
	c.space()
	a := LetArgs{Name: n}
	if a.Expr, err = p.expression(c.rest(), c.at(), p.wholeNames()); err != nil {
		return nil, err
	}
	c.pos = len(c.text)
	p.scope.captures[n] = true
	return a, nil
}

func sleepArgs(_ *parser, c *cursor, v *Verb) (any, error) {
	d, err := c.duration("how long")
	if err != nil {
		return nil, err
	}
	return SleepArgs{d}, c.end(v.Usage)
}

func textArgs(p *parser, c *cursor, _ *Verb) (any, error) {
	return TextArgs{p.literal(c).Text}, nil
}

func sourceArgs(p *parser, c *cursor, v *Verb) (any, error) {
	c.space()
	at := c.at()
	f, err := c.file("the name of a file")
	if err != nil {
		return nil, err
	}
	if c.raw != "" && strings.Contains(c.raw, "${") {
		return nil, fail(at, "the file's name must be fixed: the whole script is parsed before anything runs")
	}
	return FileArgs{File: f}, c.end(v.Usage)
}

func fileArgs(_ *parser, c *cursor, v *Verb) (any, error) {
	f, err := c.file("the name of a file")
	if err != nil {
		return nil, err
	}
	a := FileArgs{File: f}
	if v.Name == "save" {
		a.Expect = c.keyword("--expect")
	}
	return a, c.end(v.Usage)
}

func optionArgs(_ *parser, c *cursor, v *Verb) (any, error) {
	c.space()
	at := c.at()
	n, err := c.name("the name of an option")
	if err != nil {
		return nil, err
	}
	if n != "timeout" {
		return nil, fail(at, "no option %s%s", quoted(n), schema.Suggest(n, []string{"timeout"}))
	}
	at = c.at()
	d, err := c.duration("a time")
	if err != nil {
		return nil, err
	}
	if d == 0 && !strings.Contains(c.raw, "${") {
		return nil, fail(at, "a timeout must be more than 0")
	}
	return OptionArgs{n, d}, c.end(v.Usage)
}
