package script

import (
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

func callVerbs() []*Verb {
	calling := func(name string, adverb control.Adverb, summary string, aliases ...string) *Verb {
		return &Verb{
			Name: name, Aliases: aliases, Usage: name + " @MESH[sel].Endpoint [VALUE…]", Summary: summary,
			Calls: true, Changes: true, Forkable: true, answers: true, completes: []word{{kind: wordEndpoint}}, body: gives(callArgs(adverb), (*Session).call),
		}
	}
	return []*Verb{
		calling("call", control.AdverbCall, "call every rank and wait for all"),
		calling("one", control.AdverbCallOne, "call exactly one rank", "call_one"),
		calling("choose", control.AdverbChoose, "call one rank, the least loaded"),
		calling("stream", control.AdverbStream, "call every rank, take replies as they come"),
		calling("broadcast", control.AdverbBroadcast, "send to every rank and wait for none"),
		{
			Name: "wait", Usage: "wait [JOB]", Summary: "wait for a call that was sent with &JOB, or for all of them",
			answers: true, settle: settleWait, body: gives(jobArgs, (*Session).wait),
		},
		{Name: "cancel", Usage: "cancel JOB", Summary: "give up on a call that was sent with &JOB", body: gives(cancelArgs, (*Session).cancelJob)},
		{Name: "cast", Usage: "cast NAME ranks(…) COMMAND", Summary: "Monarch's form of on: do a command on those ranks", body: gives(castArgs, (*Session).on)},
		{
			Name: "on", Usage: "on TARGET COMMAND", Summary: "do a command on a target: on @toy[0-1] call Hello hi",
			completes: []word{{kind: wordMesh}}, body: gives(onArgs, (*Session).on),
		},
	}
}

// CallArgs are the arguments of the calling verbs.
type CallArgs struct {
	Adverb  control.Adverb
	Target  *Target
	Literal Literal
}

func (a CallArgs) onRanks() (*Target, bool) { return a.Target, true }
func (a CallArgs) judged() *Target          { return a.Target }

func (a CallArgs) withoutPlaces() any {
	a.Literal.Pos = Pos{}
	return a
}

func callArgs(adverb control.Adverb) func(*parser, *cursor, *Verb) (CallArgs, error) {
	return func(p *parser, c *cursor, v *Verb) (a CallArgs, err error) {
		a.Adverb = adverb
		c.space()
		at := c.at()
		if ch := c.peek(); p.focus && nameByte(ch) { // on TARGET call Endpoint
			n, err := c.name("an endpoint")
			if err != nil {
				return a, err
			}
			a.Target = &Target{Pos: p.src.pos(at), Focus: true, Endpoint: n}
		} else if a.Target, err = p.target(c); err != nil {
			return a, err
		}
		if a.Target.Endpoint == "" {
			return a, fail(c.at(), "want an endpoint after the target: %s.Endpoint (usage: %s)", a.Target, v.Usage)
		}
		if ch := c.peek(); ch != 0 && strings.IndexByte(" \t\n{", ch) < 0 {
			return a, fail(c.at(), "want a space between the endpoint and its argument, not %s", c.found())
		}
		a.Literal = p.literal(c)
		return a, nil
	}
}

// literal takes the rest of the statement.
func (p *parser) literal(c *cursor) Literal {
	c.space()
	l := Literal{Pos: p.src.pos(c.at()), Text: c.rest()}
	p.lit = c.pos
	c.pos = len(c.text)
	return l
}

// JobArgs are the arguments of wait and cancel; wait without a name waits for all.
type JobArgs struct{ Name string }

func jobArgs(p *parser, c *cursor, v *Verb) (a JobArgs, err error) {
	if c.done() {
		return a, nil
	}
	c.eat('&')
	at := c.at()
	if a.Name, err = c.variable("the name of a job"); err != nil {
		return a, err
	}
	if names := p.scope.jobNames(); !p.loose && !slices.Contains(names, a.Name) {
		if len(names) == 0 {
			return a, fail(at, "no job &%s: no call above ends with &%s", a.Name, a.Name)
		}
		return a, fail(at, "no job &%s%s", a.Name, schema.Suggest(a.Name, names))
	}
	return a, c.end(v.Usage)
}

func cancelArgs(p *parser, c *cursor, v *Verb) (JobArgs, error) {
	if c.done() {
		return JobArgs{}, fail(c.at(), "want the name of a job (usage: %s)", v.Usage)
	}
	return jobArgs(p, c, v)
}

// settleWait makes the expectations below a wait judge the ranks of its call, and takes the job off the books.
func settleWait(p *parser, st *Stmt, _ int) error {
	name := st.Cmd.Args.(JobArgs).Name //nolint:forcetypeassert // those of wait
	st.about = p.scope.jobs[name]
	if name == "" {
		clear(p.scope.jobs)
	}
	delete(p.scope.jobs, name)
	return nil
}

// OnArgs are the arguments of on, and of Monarch's cast.
type OnArgs struct {
	Target *Target
	Cmd    *Command
}

func (a OnArgs) onRanks() (*Target, bool) { return a.Target, true }
func (a OnArgs) judged() *Target          { return a.Target }

func (a OnArgs) withoutPlaces() any {
	a.Cmd.forgetPlaces()
	return a
}

func onArgs(p *parser, c *cursor, v *Verb) (OnArgs, error) {
	t, err := p.target(c)
	if err != nil {
		return OnArgs{}, err
	}
	if t.Endpoint != "" {
		return OnArgs{}, fail(c.at(), "on takes ranks, not an endpoint: on @%s CMD", t.Mesh)
	}
	return p.inner(c, t, v, false)
}

// castArgs reads Monarch's cast NAME ranks(…) CMD.
func castArgs(p *parser, c *cursor, v *Verb) (OnArgs, error) {
	c.space()
	t := &Target{Pos: p.src.pos(c.at())}
	c.eat('@')
	var err error
	if t.Mesh, err = c.meshName("actor mesh", "the name of a mesh"); err != nil {
		return OnArgs{}, fail(atOf(err, c.at()), "%s (usage: %s)", err, v.Usage)
	}
	if t.Choice, t.Sel, err = c.ranks(); err != nil {
		return OnArgs{}, fail(atOf(err, c.at()), "%s (usage: %s; to send without waiting use broadcast)", err, v.Usage)
	}
	return p.inner(c, t, v, true)
}

// inner reads the command of on and cast. What Monarch's cast sends to its debugger may be any word.
func (p *parser) inner(c *cursor, t *Target, v *Verb, monarch bool) (OnArgs, error) {
	if c.done() {
		return OnArgs{}, fail(c.at(), "want a command (usage: %s)", v.Usage)
	}
	outer := p.focus
	p.focus = true
	defer func() { p.focus = outer }()
	at := c.at()
	save := c.pos
	name := c.word()
	if _, known := VerbNamed(name); monarch && !known {
		if !nameByte(name[0]) || name[0] == '-' {
			return OnArgs{}, fail(at, "want a command that begins with a letter, a digit or _, not %s", quoted(name))
		}
		print, _ := VerbNamed("print")
		text := c.text[save:]
		c.pos = len(c.text)
		a := PrintArgs{Expr: text, Target: &Target{Focus: true}}
		if _, err := compile(text, 0, anyNames); err != nil {
			a.Mistake = err.Error()
		}
		return OnArgs{t, &Command{Pos: p.src.pos(at), Verb: print, Text: text, Args: a, lit: -1}}, nil
	}
	c.pos = save
	cmd, err := p.command(c)
	if err != nil {
		return OnArgs{}, err
	}
	own, takes := cmd.onRanks()
	switch {
	case own != nil && !own.Focus:
		return OnArgs{}, fail(at, "%s has said which ranks: want %s without %s, or no %s", v.Name, cmd.Verb.Name, own, v.Name)
	case !takes && cmd.Verb.Alive():
		return OnArgs{}, fail(at, "%s is not about ranks: it needs no %s", cmd.Verb.Name, v.Name)
	}
	return OnArgs{t, cmd}, nil
}
