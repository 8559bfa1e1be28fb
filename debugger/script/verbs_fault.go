package script

import (
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// faultVerbs are the words that break things on purpose. A name without @ is a proc mesh: they act on processes and the packets
// of their links; a target with @ is actors: they act on messages.
func faultVerbs() []*Verb {
	acts := func(kind, usage, summary string, fixed ...string) *Verb {
		return &Verb{
			Name: kind, Usage: usage, Summary: summary, Changes: true, Forkable: true,
			completes: append([]word{{kind: wordProcs}, {kind: wordEndpoint}}, words(fixed...)...), body: shows(faultArgs(kind), (*Session).inject),
		}
	}
	const links = " PROCS[sel] [PROCS[sel] | controller]"
	return []*Verb{
		acts(control.FaultDelay, "delay PROCS[sel] [PROCS[sel]|controller] | TARGET[.Endpoint] DURATION [±DURATION] [in|out] [for DURATION] [seed N]",
			"hold up every packet of these links, or every message for these actors. Nothing overtakes anything", "controller", "for", "seed"),
		acts(control.FaultDrop, "drop PROCS[sel] [PROCS[sel]|controller] | TARGET[.Endpoint] N% [in|out] [for DURATION] [seed N]",
			"lose so many of a hundred packets, which are sent again until the link is given up; or of the messages, whose calls then end as lost", "controller", "for", "seed"),
		acts(control.FaultRate, "rate"+links+" N(B|KB|MB|GB)/s [in|out] [for DURATION]", "let so many bytes a second pass", "controller", "for"),
		acts(control.FaultPartition, "partition"+links+" [in|out] [for DURATION]", "let no packet pass: to and from everybody, the controller too, or between the two that are named", "controller", "for"),
		{
			Name: "heal", Usage: "heal [N… | PROCS[sel] | TARGET]", Summary: "end faults: all, some by their numbers, or those on these ranks; the others of their ranks stay", Changes: true, Forkable: true,
			completes: []word{{kind: wordProcs}, {kind: wordMesh}}, body: shows(healArgs, (*Session).heal),
		},
		{Name: "chaos", Usage: "chaos", Summary: "list the faults that act, who ordered them, and what they have done", Forkable: true, body: shows(noArgs, (*Session).listFaults)},
	}
}

// FaultArgs are the arguments of the verbs that inject a fault.
type FaultArgs struct {
	Target *Target // of a proc mesh where Procs is set, else actors
	Procs  bool
	To     *Target       // the proc mesh at the other end; nil: everybody, or the controller
	Fault  control.Fault // but for its ranks
}

func (a FaultArgs) onRanks() (*Target, bool) { return a.Target, !a.Procs }

// faultArgs reads them: whom it is on, how much of it, and how long.
func faultArgs(kind string) func(*parser, *cursor, *Verb) (FaultArgs, error) {
	return func(p *parser, c *cursor, v *Verb) (a FaultArgs, err error) {
		a.Fault.Kind = kind
		if err := a.place(p, c, v); err != nil {
			return a, err
		}
		if err := a.measure(c, v); err != nil {
			return a, err
		}
		for !c.done() {
			if err := a.more(c, v); err != nil {
				return a, err
			}
		}
		return a, nil
	}
}

// place reads whom the fault is on.
func (a *FaultArgs) place(p *parser, c *cursor, v *Verb) (err error) {
	c.space()
	focus := p.focus && (!nameByte(c.peek()) || c.peek() >= '0' && c.peek() <= '9')
	if kind := a.Fault.Kind; (p.atTarget(c) || focus) && kind != control.FaultDelay && kind != control.FaultDrop {
		return fail(c.at(), "%s is for processes and their links, not for actors: want the name of a proc mesh (usage: %s)", kind, v.Usage)
	}
	switch {
	case p.atTarget(c):
		if a.Target, err = p.target(c); err == nil {
			a.Fault.Endpoint = a.Target.Endpoint
		}
	case focus:
		a.Target = &Target{Focus: true}
	default:
		if a.Target, err = p.anyProc(c); err != nil {
			return fail(atOf(err, c.at()), "%s, or a mesh with @ (usage: %s)", err, v.Usage)
		}
		a.Procs = true
	}
	if err != nil || !a.Procs || a.Fault.Kind == control.FaultPause {
		return err
	}
	switch {
	case c.done():
	case c.keyword("controller"):
		a.Fault.Controller = true
	case c.peek() == '@':
		return fail(c.at(), "the other end of a link is a proc mesh or controller, not an actor mesh (usage: %s)", v.Usage)
	case nameByte(c.peek()) && (c.peek() < '0' || c.peek() > '9') && !a.option(c):
		a.To, err = p.anyProc(c)
	}
	return err
}

// option reports whether one of the words behind the measure stands at the cursor.
func (a *FaultArgs) option(c *cursor) bool {
	pos := c.pos
	defer func() { c.pos = pos }()
	return c.keyword("for") || c.keyword("seed") || c.keyword(control.WayIn) || c.keyword(control.WayOut)
}

// measure reads how much of it.
func (a *FaultArgs) measure(c *cursor, v *Verb) (err error) {
	f := &a.Fault
	c.space()
	at := c.at()
	if c.done() && (f.Kind == control.FaultDelay || f.Kind == control.FaultDrop || f.Kind == control.FaultRate) {
		return fail(at, "%s needs how much of it (usage: %s)", f.Kind, v.Usage)
	}
	switch f.Kind {
	case control.FaultDelay:
		if f.Delay, err = c.duration("a delay"); err != nil {
			return err
		}
		c.space()
		for _, sign := range []string{"±", "+-"} {
			if rest, ok := strings.CutPrefix(c.rest(), sign); ok {
				c.pos = len(c.text) - len(rest)
				if f.Jitter, err = c.duration("how much more or less"); err != nil {
					return err
				}
			}
		}
	case control.FaultDrop:
		w := c.word()
		n, percent := strings.CutSuffix(w, "%")
		if f.Percent, err = strconv.ParseFloat(n, 64); err != nil || !percent || !(f.Percent > 0 && f.Percent <= 100) {
			if !strings.Contains(c.raw, "${") {
				return fail(at, "want how many of a hundred, such as 10%%, more than 0%% and up to 100%%, not %s", quoted(w))
			}
		}
	case control.FaultRate:
		w := c.word()
		if f.Rate, err = control.ParseRate(w); err != nil && !strings.Contains(c.raw, "${") {
			return fail(at, "%s, not %s", err, quoted(w))
		}
	}
	return nil
}

// more reads one of the words behind the measure, with what belongs to it.
func (a *FaultArgs) more(c *cursor, v *Verb) (err error) {
	f := &a.Fault
	c.space()
	at := c.at()
	switch {
	case c.keyword("for"):
		if f.For, err = c.duration("for how long"); err == nil && f.For == 0 && !strings.Contains(c.raw, "${") {
			err = fail(at, "for 0s: a fault acts for more than no time")
		}
	case (f.Kind == control.FaultDelay || f.Kind == control.FaultDrop || a.drawsRank()) && c.keyword("seed"):
		f.Seed, err = c.seed()
	case f.Kind != control.FaultPause && a.Procs && c.keyword(control.WayIn):
		f.Way = control.WayIn
	case f.Kind != control.FaultPause && a.Procs && c.keyword(control.WayOut):
		f.Way = control.WayOut
	default:
		err = fail(at, "want nothing more here, not %s (usage: %s)", c.found(), v.Usage)
	}
	return err
}

// drawsRank reports whether a rank is drawn.
func (a *FaultArgs) drawsRank() bool {
	return a.Procs && (a.Target.Any || a.To != nil && a.To.Any)
}

// seed takes a seed.
func (c *cursor) seed() (uint64, error) {
	at := c.at()
	n, err := c.number("a seed, from 1", 1<<53)
	if err == nil && n == 0 && !strings.Contains(c.raw, "${") {
		err = fail(at, "seeds are numbered from 1")
	}
	return uint64(n), err
}

// HealArgs are the arguments of heal.
type HealArgs struct {
	N      []uint64
	Target *Target // nil: by number, or all
	Procs  bool
}

func (a HealArgs) onRanks() (*Target, bool) { return a.Target, !a.Procs && a.Target != nil }

func healArgs(p *parser, c *cursor, v *Verb) (a HealArgs, err error) {
	switch ch := c.peekWord(); {
	case c.done() && !p.focus:
	case p.atTarget(c) || p.focus:
		if a.Target, err = p.someRanks(c, v); err != nil {
			return a, err
		}
	case ch >= '0' && ch <= '9':
		for !c.done() {
			n, err := c.number("the number of a fault", 1<<30)
			if err != nil {
				return a, err
			}
			if n == 0 && !strings.Contains(c.raw, "${") {
				return a, fail(c.at(), "faults are numbered from 1 (chaos lists them)")
			}
			a.N = append(a.N, uint64(n))
		}
	default:
		a.Procs = true
		if a.Target, err = p.procMesh(c); err != nil {
			return a, fail(atOf(err, c.at()), "%s, or a mesh with @ (usage: %s)", err, v.Usage)
		}
	}
	return a, c.end(v.Usage)
}

// peekWord is the first byte behind space.
func (c *cursor) peekWord() byte {
	c.space()
	return c.peek()
}

// PauseArgs are the arguments of pause: actors, which the debugger stops at their next site, or processes, which are stopped as
// they are.
type PauseArgs struct {
	Actors RanksArgs
	Fault  FaultArgs // where Procs is set
}

func (a PauseArgs) onRanks() (*Target, bool) {
	if a.Fault.Procs {
		return a.Fault.Target, false
	}
	return a.Actors.onRanks()
}

func (a PauseArgs) judged() *Target {
	if a.Fault.Procs {
		return nil
	}
	return a.Actors.judged()
}

func pauseArgs(p *parser, c *cursor, v *Verb) (a PauseArgs, err error) {
	if c.done() || p.atTarget(c) || p.focus {
		if a.Actors.Target, err = p.someRanks(c, v); err != nil {
			return a, err
		}
		if a.Actors.Target == nil {
			return a, fail(c.at(), "want a target such as @toy or @toy[0-3], or processes such as p[2], not %s (usage: %s)", c.found(), v.Usage)
		}
		if c.keyword("for") {
			return a, fail(c.at(), "actors that are paused stand until they are let go on (continue): only processes are paused for a time; to hold up the messages of actors: delay %s DURATION", a.Actors.Target)
		}
		return a, c.end(v.Usage)
	}
	a.Fault, err = faultArgs(control.FaultPause)(p, c, v)
	return a, err
}

// left is how long a fault has, for people.
func left(f *control.Fault, now time.Time) string {
	if f.Until.IsZero() {
		return ""
	}
	return max(0, f.Until.Sub(now)).Round(100 * time.Millisecond).String()
}
