package script

import (
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// frameVerbs are the words that look into stopped frames, change them, and look over ranks.
func frameVerbs() []*Verb {
	mesh := []word{{kind: wordMesh}}
	looks := func(names, usage, summary string, b body) *Verb {
		all := strings.Fields(names)
		return &Verb{Name: all[0], Aliases: all[1:], Usage: usage, Summary: summary, Forkable: true, completes: mesh, body: b}
	}
	acts := func(name, usage, summary string, b body) *Verb {
		return &Verb{Name: name, Usage: usage, Summary: summary, Changes: true, Forkable: true, completes: mesh, body: b}
	}
	rec, history := "recordings", "message history"
	return []*Verb{
		looks("where bt w", "where [TARGET] [-go]", "show where a stopped frame is and who waits for it, innermost first; -go: its goroutine's stack too", shows(whereArgs, (*Session).where)),
		later("up u", "frames of callers", "up [N]", "N?"),
		later("down d", "frames of callers", "down [N]", "N?"),
		later("frame", "frames of callers", "frame N", "N"),
		later("locals", "local variables", "locals", ""),
		looks("args", "args [TARGET]", "show the arguments of a stopped frame", shows(frameArgs, (*Session).showArgs)),
		looks("env", "env [TARGET]", "show the environment variables of a stopped frame's process", shows(frameArgs, (*Session).showEnv)),
		later("ll", "source texts", "ll", ""),
		looks("print p pp", "print EXPR [over TARGET]", "evaluate an expression at a stopped frame, or on ranks, where equal values are grouped", shows(printArgs, (*Session).print)),
		later("display", "expressions that are shown at each stop", "display EXPR", "E"),
		acts("set", "set state.FIELD VALUE | args.NAME VALUE | result VALUE", "change what a stopped frame holds", shows(setArgs, (*Session).set)),
		looks("mailbox", "mailbox [TARGET]", "list the messages that wait for actors", shows(frameArgs, (*Session).mailbox)),
		acts("discard", "discard MSG [TARGET]", "take a message out of a mailbox; its call fails", shows(messageArgs, (*Session).discard)),
		acts("redeliver", "redeliver MSG [TARGET] [VALUE]", "have a message of a mailbox handled next, with another argument where one is given", shows(redeliverArgs, (*Session).redeliver)),
		later("requeue", "requeueing", "requeue", ""),
		looks("diff", "diff TARGET TARGET… [path]", "show where the states of ranks differ", shows(diffArgs, (*Session).diff)),
		looks("stacks", "stacks [TARGET]", "show the goroutines of ranks' processes, merged into one tree", shows(stacksArgs, (*Session).stacks)),
		{Name: "waits", Usage: "waits", Summary: "show who waits for whom, and whether that can end", Forkable: true, body: shows(noArgs, (*Session).waits)},
		{Name: "deadlocks", Usage: "deadlocks", Summary: "list the deadlocks: sets of those who wait for each other for ever", Forkable: true, body: shows(noArgs, (*Session).deadlocks)},
		later("callers", history, "callers", ""),
		later("callees", history, "callees", ""),
		later("trace", "traces", `trace [TARGET] ["text {expr}"]`, "T? R?"),
		later("profile", "profiles", "profile TARGET [cpu|heap] [DURATION]", "T W? W?"),
		later("flight", "flight recorder", "flight TARGET", "T"),
		later("leaks", "leak search", "leaks TARGET", "T"),
		later("native", "native debugger", "native NAME RANK", "W N"),
		later("core", "core dumps", "core NAME RANK", "W N"),
		later("stats", "statistics", "stats TARGET", "T"),
		later("top", "statistics", "top", ""),
		later("who", rec, "who PATH", "W"),
		later("replay", rec, "replay FILE | replay NAME RANK", "F N?"),
		later("back", rec, "back [N]", "N?"),
		later("forward", rec, "forward [N]", "N?"),
		later("goto", rec, "goto N", "N"),
		later("when", rec, "when EXPR", "E"),
		later("bisect", rec, "bisect EXPR", "E"),
		later("whatif", rec, "whatif TEXT", "R"),
		later("export", "exports", "export trace|json|csv|perfetto|otlp|shiviz FILE", "W F"),
		later("alias", "aliases", "alias NAME COMMAND", "W R"),
	}
}

// FrameArgs are the arguments of words about stopped frames.
type FrameArgs struct {
	Target *Target // nil: the frame that is chosen, or the only one
	Go     bool    // where -go
}

func (a FrameArgs) onRanks() (*Target, bool) { return a.Target, true }
func (a FrameArgs) judged() *Target          { return a.Target }

func frameArgs(p *parser, c *cursor, v *Verb) (a FrameArgs, err error) {
	if a.Target, err = p.someRanks(c, v); err != nil {
		return a, err
	}
	return a, c.end(v.Usage)
}

func whereArgs(p *parser, c *cursor, v *Verb) (a FrameArgs, err error) {
	a.Go = c.keyword("-go")
	if a.Target, err = p.someRanks(c, v); err != nil {
		return a, err
	}
	a.Go = c.keyword("-go") || a.Go
	return a, c.end(v.Usage)
}

// PrintArgs are the arguments of print.
type PrintArgs struct {
	Expr   string
	Target *Target // behind over; nil: the frame that is chosen
	Own    bool    // ranks(…) stood without a mesh: that of the frame that is chosen

	Mistake string // why Expr is none: what Monarch's cast sends to its debugger may be any text
}

func (a PrintArgs) onRanks() (*Target, bool) { return a.Target, true }
func (a PrintArgs) judged() *Target {
	if a.Own {
		return nil
	}
	return a.Target
}

func printArgs(p *parser, c *cursor, v *Verb) (a PrintArgs, err error) {
	if c.done() {
		return a, fail(c.at(), "want an expression (usage: %s)", v.Usage)
	}
	from, text := c.pos, c.rest()
	if at := overAt(text); at >= 0 {
		c.pos += at + len("over")
		if err := p.over(c, &a); err != nil {
			return a, err
		}
		if err := c.end(v.Usage); err != nil {
			return a, err
		}
		text = text[:at]
	} else if p.focus {
		a.Target = &Target{Focus: true}
	}
	e, err := p.expression(text, c.base+from, anyNames)
	if err != nil {
		return a, err
	}
	a.Expr, c.pos = e.Text, len(c.text)
	return a, nil
}

// over reads the target behind over.
func (p *parser) over(c *cursor, a *PrintArgs) (err error) {
	c.space()
	pos := p.src.pos(c.at())
	if strings.HasPrefix(c.rest(), "ranks(") {
		a.Target, a.Own = &Target{Pos: pos}, true
		a.Target.Choice, a.Target.Sel, err = c.ranks()
		return err
	}
	if a.Target, err = p.target(c); err == nil && a.Target.Endpoint != "" {
		err = fail(c.at(), "print takes ranks, not an endpoint: over @%s", a.Target.Mesh)
	}
	return err
}

// overAt is where the last word over stands outside quotes and brackets, -1 where it does not.
func overAt(text string) int {
	at, depth := -1, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"', '\'', '`':
			if end := closing(text, i, len(text)); end > 0 {
				i = end
			}
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case 'o':
			word := strings.HasPrefix(text[i:], "over") && (len(text) == i+4 || strings.IndexByte(" \t\n", text[i+4]) >= 0)
			if depth == 0 && word && i > 0 && strings.IndexByte(" \t\n", text[i-1]) >= 0 {
				at = i
			}
		}
	}
	return at
}

// SetArgs are the arguments of set.
type SetArgs struct {
	Target *Target // the focus of an enclosing on, or nil
	Path   string
	Value  Literal
}

func (a SetArgs) onRanks() (*Target, bool) { return a.Target, true }

func (a SetArgs) withoutPlaces() any {
	a.Value.Pos = Pos{}
	return a
}

func setArgs(p *parser, c *cursor, v *Verb) (a SetArgs, err error) {
	c.space()
	at := c.at()
	a.Path = c.word()
	root, rest, _ := strings.Cut(a.Path, ".")
	switch {
	case a.Path == "":
		return a, fail(at, "want what to set (usage: %s)", v.Usage)
	case root != "state" && root != "args" && root != "result":
		return a, fail(at, "want state.FIELD, args.NAME or result, not %s", quoted(a.Path))
	case rest == "" && root != "result":
		return a, fail(at, "want a field of it: %s.NAME", root)
	}
	if a.Value = p.literal(c); a.Value.Text == "" {
		return a, fail(c.at(), "want a value (usage: %s)", v.Usage)
	}
	if p.focus {
		a.Target = &Target{Focus: true}
	}
	return a, nil
}

// MessageArgs are the arguments of discard and redeliver.
type MessageArgs struct {
	Msg    uint64
	Target *Target // whose mailbox; nil: that of the frame that is chosen
	Value  Literal // of redeliver: another argument; "" for the one it has
}

func (a MessageArgs) onRanks() (*Target, bool) { return a.Target, true }

func (a MessageArgs) withoutPlaces() any {
	a.Value.Pos = Pos{}
	return a
}

func messageArgs(p *parser, c *cursor, v *Verb) (MessageArgs, error) {
	a, err := p.message(c, v)
	if err != nil {
		return a, err
	}
	return a, c.end(v.Usage)
}

func redeliverArgs(p *parser, c *cursor, v *Verb) (MessageArgs, error) {
	a, err := p.message(c, v)
	if err == nil {
		a.Value = p.literal(c)
	}
	return a, err
}

// message reads the number of a message, and whose mailbox it is in.
func (p *parser) message(c *cursor, v *Verb) (a MessageArgs, err error) {
	c.space()
	at := c.at()
	w := c.word()
	for _, d := range []byte(w) {
		if d < '0' || d > '9' || a.Msg > 1<<60 {
			return a, fail(at, "want the number of a message, as mailbox tells it, not %s", quoted(w))
		}
		a.Msg = a.Msg*10 + uint64(d-'0')
	}
	if w == "" {
		return a, fail(at, "want the number of a message, as mailbox tells it (usage: %s)", v.Usage)
	}
	a.Target, err = p.someRanks(c, v)
	return a, err
}

// DiffArgs are the arguments of diff.
type DiffArgs struct {
	Targets []*Target
	Path    string // into the states
}

func diffArgs(p *parser, c *cursor, v *Verb) (a DiffArgs, err error) {
	for p.atTarget(c) {
		t, err := p.target(c)
		if err != nil {
			return a, err
		}
		if t.Endpoint != "" {
			return a, fail(c.at(), "diff takes ranks, and the path behind them: diff @%s @%s %s", t.Mesh, t.Mesh, t.Endpoint)
		}
		a.Targets = append(a.Targets, t)
	}
	if len(a.Targets) == 0 {
		return a, fail(c.at(), "want ranks to compare, not %s (usage: %s)", c.found(), v.Usage)
	}
	if !c.done() {
		a.Path = strings.TrimPrefix(c.word(), "state.")
	}
	return a, c.end(v.Usage)
}

// StacksArgs are the arguments of stacks.
type StacksArgs struct {
	Target *Target // nil: everybody
}

func (a StacksArgs) onRanks() (*Target, bool) { return a.Target, true }

func stacksArgs(p *parser, c *cursor, v *Verb) (a StacksArgs, err error) {
	if a.Target, err = p.someRanks(c, v); err != nil {
		return a, err
	}
	return a, c.end(v.Usage)
}

// AttachArgs are the arguments of attach: a stopped frame, or another session.
type AttachArgs struct {
	Name    string
	Rank    int
	Session string // "" where it is a frame
}

// attachArgs reads attach ADDR where the word holds / or :, is quoted or stands alone, else Monarch's attach NAME RANK.
func attachArgs(_ *parser, c *cursor, v *Verb) (a AttachArgs, err error) {
	c.space()
	at := c.at()
	isAddr := c.peek() == '"' || c.peek() == '\''
	w, err := c.file("the name of an actor and its rank, or an address")
	if err != nil {
		return a, err
	}
	if isAddr || strings.ContainsAny(w, "/:") || c.done() {
		a.Session = w
		return a, c.end(v.Usage)
	}
	a.Name = strings.TrimPrefix(w, "@")
	if err := control.CheckName("actor mesh", a.Name); err != nil {
		return a, fail(at, "%s", err)
	}
	if a.Rank, err = c.number("the rank", 1<<30); err != nil {
		return a, err
	}
	return a, c.end(v.Usage)
}
