package script

import (
	"errors"
	"strings"
)

// indented parses an expectation below a command.
func (p *parser) indented(last *Stmt, l logical) (*Clause, error) {
	c := p.cursor(l)
	c.space()
	switch {
	case last == nil:
		return nil, fail(c.at(), "an indented line is an expectation and needs a command above it (a command begins at column 1)")
	case last.Background != "":
		return nil, fail(c.at(), "&%s is still running here: put the expectation below wait %s", last.Background, last.Background)
	}
	if w := strings.Fields(c.rest())[0]; w == expectWord {
		return nil, fail(c.at(), "an indented line is an expectation already: drop the word expect")
	}
	word := c.word()
	c.pos -= len(word)
	cl, err := p.clause(c, last.about)
	if v, ok := VerbNamed(word); err != nil && ok && v.Name == word && (word != "one" || strings.HasPrefix(c.text[c.pos:], "@")) {
		if u, is := errors.AsType[*usageError](err); is {
			return nil, fail(u.at, "%s (an indented line is an expectation; the command %s begins at column 1)", u.msg, word)
		}
	}
	return cl, err
}

func (p *parser) expectStmt(c *cursor, st *Stmt) error {
	if st.MustFail {
		return fail(c.at(), "! is for commands; an expectation that must not hold is: expect none EXPR")
	}
	c.pos += len(expectWord)
	v, _ := VerbNamed(expectWord)
	st.Cmd = &Command{Pos: st.Pos, Verb: v, Text: st.Text, lit: -1}
	if c.done() {
		return fail(c.at(), "want an expression (usage: %s)", v.Usage)
	}
	cl, err := p.clause(c, nil)
	if err != nil {
		return err
	}
	st.Expect = []*Clause{cl}
	return nil
}

// clause parses [target:] [all|any|one|none] EXPR [within DUR].
func (p *parser) clause(c *cursor, above *Target) (*Clause, error) {
	c.space()
	cl := &Clause{Pos: p.src.pos(c.at()), Text: tidy(c.rest()), Quant: "all"}
	if err := p.within(c, cl); err != nil {
		return nil, err
	}
	if ch := c.peek(); ch == '@' || ch == '%' || ch == '.' && strings.HasPrefix(c.rest(), ".:") {
		t, err := p.target(c)
		if err != nil {
			return nil, err
		}
		if t.Endpoint != "" {
			return nil, fail(c.at(), "an expectation is about ranks, not endpoints: want %s: EXPR", strings.TrimSuffix(t.String(), "."+t.Endpoint))
		}
		if c.space(); !c.eat(':') {
			return nil, fail(c.at(), "want a colon after the target: %s: EXPR", t)
		}
		cl.Target = t
	}
	c.space()
	for _, q := range []string{"all", "any", "one", "none"} {
		if c.rest() == q {
			return nil, fail(c.at()+len(q), "want an expression after %s", q)
		}
		if rest, ok := strings.CutPrefix(c.rest(), q); ok && rest != "" && strings.IndexByte(" \t\n", rest[0]) >= 0 {
			cl.Quant = q
			c.pos += len(q)
			break
		}
	}
	allowed := p.rankNames(above)
	if cl.Target != nil {
		allowed = p.rankNames(cl.Target)
	} else if above == nil {
		allowed.loose = true // the command that it judges may be anywhere above
	}
	c.space()
	var err error
	if cl.Expr, err = p.expression(c.rest(), c.at(), allowed); err != nil {
		return nil, err
	}
	return cl, nil
}

// within takes "within DUR" from the end of the clause.
func (p *parser) within(c *cursor, cl *Clause) error {
	i := strings.LastIndex(c.text, "within")
	if i < c.pos+1 || strings.IndexByte(" \t\n", c.text[i-1]) < 0 {
		return nil
	}
	after := c.text[i+len("within"):]
	if after != "" && strings.IndexByte(" \t\n", after[0]) < 0 {
		return nil
	}
	fields := strings.Fields(after)
	if len(fields) > 1 || strings.ContainsAny(after, `"'`+"`") { // inside a text
		return nil
	}
	w := strings.Join(fields, "")
	at := c.base + i + len("within") + strings.Index(after, w)
	d, err := parseDuration(w, at, "a time after within,")
	if err != nil {
		return err
	}
	if d == 0 {
		return fail(at, "within needs a time of more than 0")
	}
	cl.Within = d
	c.text = c.text[:i]
	return nil
}
