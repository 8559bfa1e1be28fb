package script

import (
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// breakVerbs are the words about breakpoints.
func breakVerbs() []*Verb {
	mesh := []word{{kind: wordEndpoint}, {fixed: "error"}, {fixed: "panic"}}
	act := func(v Verb) *Verb {
		v.Changes, v.Forkable = true, true
		return &v
	}
	return []*Verb{
		act(Verb{
			Name: "break", Aliases: []string{"b"}, completes: mesh,
			Usage:   `break WHERE [if EXPR] [hit N] [total] [once] [stop actor|rank|mesh] [print "TEMPLATE" | count]`,
			Summary: "stop who gets to TARGET, TARGET.Endpoint (* and ? fit several), either with @SITE, or to an error or a panic anywhere. Sites: " + strings.Join(control.Sites(), ", ") + ". hit 3, >=3, >3 or %10, on each rank, or in total; print and count stop nobody",
			body:    shows(breakArgs, (*Session).setBreak),
		}),
		act(Verb{Name: "tbreak", Usage: "tbreak TARGET[.Endpoint][@SITE] [if EXPR]", Summary: "as break, once over all ranks", completes: mesh, body: shows(tbreakArgs, (*Session).setBreak)}),
		act(Verb{Name: "condition", Usage: "condition N [EXPR]", Summary: "give breakpoint N another condition, or none", body: shows(conditionArgs, (*Session).setCondition)}),
		later("ignore", "breakpoints that are ignored for a while (hit >N counts)", "ignore N COUNT", "N N"),
		act(Verb{Name: "enable", Usage: "enable N…", Summary: "have breakpoints stop again", body: shows(numbersArgs, (*Session).enable)}),
		act(Verb{Name: "disable", Usage: "disable N…", Summary: "keep breakpoints, and have them stop nobody", body: shows(numbersArgs, (*Session).disable)}),
		act(Verb{Name: "delete", Usage: "delete N… | TARGET.Endpoint", Summary: "remove breakpoints", body: shows(deleteArgs, (*Session).deleteBreaks)}),
		act(Verb{Name: "clear", Aliases: []string{"cl"}, Usage: "clear [N…]", Summary: "remove breakpoints, without a number all of them", body: shows(clearArgs, (*Session).deleteBreaks)}),
		{Name: "breaks", Usage: "breaks", Summary: "list the breakpoints", Forkable: true, body: shows(noArgs, (*Session).listBreaks)},
		later("watch", "watches of values", "watch TARGET EXPR", "T E"),
	}
}

// BreakArgs are the arguments of break and tbreak.
type BreakArgs struct {
	Target *Target // nil: everybody
	Spec   control.Breakpoint
	Lacks  string // what this build does not have of what is asked, "" for nothing
}

func (a BreakArgs) onRanks() (*Target, bool) { return a.Target, true }

// breakWords begin the clauses behind what break is about.
var breakWords = []string{"if", "hit", "total", "once", "stop", "print", "count", "do"}

func tbreakArgs(p *parser, c *cursor, v *Verb) (BreakArgs, error) {
	a, err := breakArgs(p, c, v)
	a.Spec.Once = true
	return a, err
}

func breakArgs(p *parser, c *cursor, v *Verb) (a BreakArgs, err error) {
	if err := p.breakPlace(c, v, &a); err != nil {
		return a, err
	}
	for !c.done() {
		at := c.at()
		var w string
		for _, word := range breakWords {
			if c.keyword(word) {
				w = word
				break
			}
		}
		if err := p.breakClause(c, v, &a, w); err != nil {
			return a, err
		}
		if w == "count" || w == "print" {
			if a.Spec.Then != "" {
				return a, fail(at, "a breakpoint prints or counts, not both")
			}
			a.Spec.Then = map[string]string{"count": control.ThenCount, "print": control.ThenPrint}[w]
		}
	}
	return a, nil
}

// breakPlace reads where break stops.
func (p *parser) breakPlace(c *cursor, v *Verb, a *BreakArgs) (err error) {
	c.space()
	from, at := c.pos, c.at()
	w := c.word()
	switch {
	case w == "":
		return fail(c.at(), "want a target (usage: %s)", v.Usage)
	case w == control.SiteError, w == control.SitePanic:
		a.Spec.Site = w
		return nil
	case w == "deadlock":
		a.Lacks = "breakpoints on deadlocks"
		return nil
	case strings.IndexByte("@%.", w[0]) < 0 && strings.Contains(w, ":"):
		a.Lacks = "breakpoints on lines"
		return nil
	case strings.IndexByte("@%.", w[0]) < 0 && !p.focus:
		return fail(at, "want @mesh.Endpoint, FILE:LINE, error, panic or deadlock, not %s", quoted(w))
	}
	c.pos, c.globs = from, true
	defer func() { c.globs = false }()
	if strings.IndexByte("@%.", w[0]) >= 0 {
		a.Target, err = p.target(c)
	} else { // on TARGET break Endpoint
		a.Target = &Target{Pos: p.src.pos(at), Focus: true}
		a.Target.Endpoint, err = c.identifier("an endpoint")
	}
	if err != nil {
		return err
	}
	a.Spec.Endpoint = a.Target.Endpoint
	if !c.eat('@') {
		return nil
	}
	return c.site(a)
}

// site takes the site behind the @ of a place.
func (c *cursor) site(a *BreakArgs) error {
	at := c.at()
	site, err := c.name("a site: " + strings.Join(control.Sites(), ", "))
	if err != nil {
		return err
	}
	if !slices.Contains(control.Sites(), site) {
		return fail(at, "no site %s: want %s", quoted(site), strings.Join(control.Sites(), ", "))
	}
	a.Spec.Site = site
	return nil
}

// breakClause reads what stands behind one of breakWords.
func (p *parser) breakClause(c *cursor, v *Verb, a *BreakArgs, w string) error {
	c.space()
	at := c.at()
	switch w {
	case "if":
		text := conditionText(c.rest())
		e, err := p.expression(text, at, anyNames)
		if err != nil {
			return err
		}
		a.Spec.If = e.Text
		c.pos += len(text)
	case "hit":
		if a.Spec.Hit = c.word(); !hitForm(a.Spec.Hit) && !strings.Contains(c.raw, "${") {
			return fail(at, "want which hits count: 3 for the third, >=3 or >3 for those from there on, %%10 for each tenth; not %s", quoted(a.Spec.Hit))
		}
	case "total":
		a.Spec.Total = true
	case "once":
		a.Spec.Once = true
	case "stop":
		scopes := []string{control.ScopeActor, control.ScopeRank, control.ScopeMesh}
		if a.Spec.Scope = c.word(); !slices.Contains(scopes, a.Spec.Scope) {
			return fail(at, "want whom to stop: %s, not %s", strings.Join(scopes, ", "), quoted(a.Spec.Scope))
		}
	case "print":
		if c.peek() != '"' {
			return fail(at, `want a text between quotes, as in print "n={arg.n}", not %s`, c.found())
		}
		text, err := c.quotedText()
		if err != nil {
			return err
		}
		a.Spec.Print = text
	case "count":
	case "do":
		a.Lacks = "breakpoints that do a command"
		_, err := p.command(c)
		return err
	default:
		return fail(c.at(), "want if, hit, total, once, stop, print or count, not %s (usage: %s)", c.found(), v.Usage)
	}
	return nil
}

// hitForm reports whether a word says which hits count.
func hitForm(w string) bool {
	for _, sign := range []string{">=", ">", "%"} {
		if rest, ok := strings.CutPrefix(w, sign); ok {
			w = rest
			break
		}
	}
	return w != "" && len(w) <= 18 && strings.Trim(w, "0123456789") == ""
}

// conditionText is the part of a text that is the condition of a breakpoint: up to the first word that begins another
// clause, where what is before it is an expression. Of words like count and once, which may be names in it, so those are
// told from clauses. Where nothing fits it is up to the first such word, whose mistake is then told.
func conditionText(text string) string {
	first, depth := len(text), 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"', '\'', '`':
			if end := closing(text, i, len(text)); end > 0 {
				i = end
			}
			continue
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		}
		if depth != 0 || i > 0 && strings.IndexByte(" \t\n", text[i-1]) < 0 || !beginsClause(text[i:]) {
			continue
		}
		if _, err := compile(text[:i], 0, anyNames); err == nil {
			return text[:i]
		}
		first = min(first, i)
	}
	if _, err := compile(text, 0, anyNames); err == nil || strings.TrimSpace(text[:first]) == "" {
		return text
	}
	return text[:first]
}

func beginsClause(text string) bool {
	n := 0
	for n < len(text) && nameByte(text[n]) {
		n++
	}
	return slices.Contains(breakWords[1:], text[:n]) && (n == len(text) || strings.IndexByte(" \t\n", text[n]) >= 0)
}

// ConditionArgs are the arguments of condition.
type ConditionArgs struct {
	N    uint64
	Expr string // "": none
}

func conditionArgs(p *parser, c *cursor, _ *Verb) (a ConditionArgs, err error) {
	if a.N, err = c.breakNumber(); err != nil || c.done() {
		return a, err
	}
	e, err := p.expression(c.rest(), c.at(), anyNames)
	if err != nil {
		return a, err
	}
	a.Expr, c.pos = e.Text, len(c.text)
	return a, nil
}

// breakNumber takes the number of a breakpoint.
func (c *cursor) breakNumber() (uint64, error) {
	n, err := c.number("the number of a breakpoint", 1<<30)
	return uint64(n), err
}

// NumbersArgs are numbers of breakpoints.
type NumbersArgs struct {
	N     []uint64
	Place *Target // delete TARGET.Endpoint
	All   bool    // clear without a number
}

func numbersArgs(_ *parser, c *cursor, v *Verb) (a NumbersArgs, err error) {
	if c.done() {
		return a, fail(c.at(), "want the number of a breakpoint (usage: %s; breaks lists them)", v.Usage)
	}
	for !c.done() {
		n, err := c.breakNumber()
		if err != nil {
			return a, err
		}
		a.N = append(a.N, n)
	}
	return a, nil
}

func deleteArgs(p *parser, c *cursor, v *Verb) (a NumbersArgs, err error) {
	if !p.atTarget(c) {
		return numbersArgs(p, c, v)
	}
	c.globs = true
	a.Place, err = p.target(c)
	if c.globs = false; err != nil {
		return a, err
	}
	return a, c.end(v.Usage)
}

func clearArgs(p *parser, c *cursor, v *Verb) (NumbersArgs, error) {
	if c.done() {
		return NumbersArgs{All: true}, nil
	}
	return numbersArgs(p, c, v)
}
