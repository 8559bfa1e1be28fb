package script

import (
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// goVerbs are the words that stop frames and let them go on.
func goVerbs() []*Verb {
	going := func(how, names, usage, summary string) *Verb {
		all := strings.Fields(names)
		parse := goArgs(how)
		switch how {
		case control.GoReturn, control.GoFail:
			parse = goWithText(how)
		}
		return &Verb{
			Name: all[0], Aliases: all[1:], Usage: usage, Summary: summary, Changes: true, Forkable: true,
			completes: []word{{kind: wordMesh}}, body: shows(parse, (*Session).letGo),
		}
	}
	const one = " [N | TARGET]"
	return []*Verb{
		going(control.GoContinue, "continue c cont resume", "continue"+one, "let stopped frames go on: all of them, one by its number, or those of some ranks, of which a pause is taken back that has not stopped them yet. Breakpoints stay (clear removes them)"),
		going(control.GoStep, "step s", "step"+one, "go on until this actor's next message"),
		going(control.GoNext, "next n", "next"+one, "go on until the next site of this frame: what it sends, what comes back, its reply"),
		going(control.GoInto, "into", "into"+one, "go on, and stop who receives what this frame sends next"),
		going(control.GoFinish, "finish r", "finish"+one, "go on until the handler has returned; from there, until the actor that called it has the result"),
		going(control.GoFollow, "follow", "follow"+one, "go on, and stop whoever receives a message that this one leads to"),
		going(control.GoReturn, "return", "return [VALUE]", "go on with this result; before the handler has begun, it does not run"),
		going(control.GoFail, "fail", "fail TEXT", "go on with this error"),
		going(control.GoRetry, "retry", "retry"+one, "at a panic: begin the handler anew, with the state as it is now"),
		going(control.GoCrash, "crash", "crash"+one, "at a panic: go on as without a debugger"),
		{Name: "pause", Usage: "pause TARGET | PROCS[sel] [for DURATION]", Summary: "stop actors at their next site, idle ones when their next message comes, until they are let go on; or whole processes as they are, until heal", Changes: true, Forkable: true, completes: []word{{kind: wordMesh}, {kind: wordProcs}}, body: shows(pauseArgs, (*Session).pause)},
		{Name: "stops", Usage: "stops", Summary: "list the frames that are stopped", Forkable: true, body: shows(noArgs, (*Session).listStops)},
		{Name: "list", Aliases: []string{"l"}, Usage: "list [NAME] [-a]", Summary: "list the frames that are stopped, as Monarch's debugger does; -a: the other ranks too", Forkable: true, body: shows(listArgs, (*Session).list)},
		{Name: "detach", Usage: "detach", Summary: "have words without a target be about no frame that was chosen; it stays stopped", body: shows(noArgs, (*Session).detach)},
		{Name: "policy", Usage: "policy [continue|stay|abort] [GRACE]", Summary: "what is done about stopped frames when the last front end has left, and how long after", Changes: true, Forkable: true, completes: words(control.PolicyContinue, control.PolicyStay, control.PolicyAbort), body: shows(policyArgs, (*Session).policy)},
		{Name: "hold", Usage: "hold DURATION", Summary: "have the engine's clock stand still, for an hour at most; 0s ends it", Changes: true, Forkable: true, body: shows(sleepArgs, (*Session).hold)},
		later("take", "stops that one front end takes from another", "take", ""),
		later("until unt", "stepping to a condition", "until EXPR", "E?"),
		later("jump j", "stepping over lines", "jump LINE", "N"),
		later("advance", "stepping by messages", "advance N", "N"),
		later("quiesce", "stepping to quiet", "quiesce [trace]", "W?"),
	}
}

// GoArgs are the arguments of the words that let frames go on.
type GoArgs struct {
	How    string
	N      uint64  // a stop, 0 for none
	Target *Target // nil: none was given
	Text   string  // the value of return, the error of fail
}

func (a GoArgs) onRanks() (*Target, bool) { return a.Target, true }

func goArgs(how string) func(*parser, *cursor, *Verb) (GoArgs, error) {
	return func(p *parser, c *cursor, v *Verb) (a GoArgs, err error) {
		if a.How = how; c.done() && !p.focus {
			return a, nil
		}
		if ch := c.peek(); ch >= '0' && ch <= '9' {
			at := c.at()
			n, err := c.number("the number of a stop", 1<<30)
			if err != nil {
				return a, err
			}
			if n == 0 && !strings.Contains(c.raw, "${") {
				return a, fail(at, "stops are numbered from 1 (stops lists them)")
			}
			a.N = uint64(n)
			return a, c.end(v.Usage)
		}
		if a.Target, err = p.someRanks(c, v); err != nil {
			return a, err
		}
		return a, c.end(v.Usage)
	}
}

// goWithText reads return VALUE and fail TEXT.
func goWithText(how string) func(*parser, *cursor, *Verb) (GoArgs, error) {
	return func(p *parser, c *cursor, v *Verb) (GoArgs, error) {
		a := GoArgs{How: how, Text: p.literal(c).Text}
		if p.focus {
			a.Target = &Target{Focus: true}
		}
		if how != control.GoFail {
			return a, nil
		}
		if a.Text == "" {
			return a, fail(c.at(), "want the text of the error (usage: %s)", v.Usage)
		}
		if in := (&cursor{text: a.Text}); a.Text[0] == '"' {
			if text, err := in.quotedText(); err == nil && in.done() {
				a.Text = text
			}
		}
		return a, nil
	}
}

// RanksArgs are ranks that must be given, unless the command stands behind on.
type RanksArgs struct{ Target *Target }

func (a RanksArgs) onRanks() (*Target, bool) { return a.Target, true }
func (a RanksArgs) judged() *Target          { return a.Target }

// ListArgs are the arguments of list.
type ListArgs struct {
	Name string // of a mesh, "" for all
	All  bool   // those that run too
}

func listArgs(_ *parser, c *cursor, v *Verb) (a ListArgs, err error) {
	for !c.done() {
		switch {
		case c.keyword("-a"):
			a.All = true
		case a.Name == "":
			c.eat('@')
			if a.Name, err = c.meshName("actor mesh", "the name of a mesh"); err != nil {
				return a, err
			}
		default:
			return a, c.end(v.Usage)
		}
	}
	return a, nil
}

// PolicyArgs are the arguments of policy.
type PolicyArgs struct {
	Policy string
	Grace  time.Duration
}

func policyArgs(_ *parser, c *cursor, v *Verb) (a PolicyArgs, err error) {
	if c.done() {
		return a, nil
	}
	for _, p := range []string{control.PolicyContinue, control.PolicyStay, control.PolicyAbort} {
		if c.keyword(p) {
			a.Policy = p
			break
		}
	}
	if a.Policy == "" {
		return a, fail(c.at(), "want %s, %s or %s, not %s (usage: %s)", control.PolicyContinue, control.PolicyStay, control.PolicyAbort, c.found(), v.Usage)
	}
	if !c.done() {
		if a.Grace, err = c.duration("how long after the last front end has left"); err != nil {
			return a, err
		}
	}
	return a, c.end(v.Usage)
}
