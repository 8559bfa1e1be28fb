package script

import (
	"context"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/schema"
)

func sessionVerbs() []*Verb {
	return []*Verb{
		{Name: "let", Usage: "let NAME = EXPR", Summary: "name a value", looksBack: true, body: gives(letArgs, (*Session).let)},
		{Name: expectWord, Usage: "expect [TARGET:] [all|any|one|none] EXPR [within DURATION]", Summary: "judge the command above, as an indented line does", looksBack: true},
		{Name: "sleep", Usage: "sleep DURATION", Summary: "wait; an expectation with within is nearly always better", Forkable: true, body: shows(sleepArgs, (*Session).sleep)},
		{Name: "echo", Usage: "echo TEXT", Summary: "print a text, ${EXPR} filled in", rawText: true, body: shows(textArgs, (*Session).echo)},
		{Name: "source", Usage: "source FILE", Summary: "run another script here", unrecorded: true, settle: settleSource, body: reads(sourceArgs)},
		{Name: "option", Usage: "option timeout DURATION", Summary: "how long a command may take", body: shows(optionArgs, (*Session).option)},
		{
			Name: "record", Usage: "record FILE", Summary: "write every command from now on to a file; what it held is kept in FILE~",
			unrecorded: true, body: shows(fileArgs, (*Session).record),
		},
		{
			Name: "save", Usage: "save FILE [--expect]", Summary: "write the commands so far to a file, with your expectations that held; --expect adds what calls gave. What the file held is kept in FILE~",
			unrecorded: true, looksBack: true, body: shows(saveArgs, (*Session).save),
		},
		{Name: "quit", Aliases: []string{"q"}, Usage: "quit", Summary: "end the script here", unrecorded: true, body: shows(noArgs, (*Session).quitScript)},
		{
			Name: "help", Aliases: []string{"h"}, Usage: "help [COMMAND]", Summary: "list the commands, or explain one, or a launcher such as ssh",
			Forkable: true, unrecorded: true, completes: []word{{kind: wordVerb}}, body: shows(helpArgs, (*Session).help),
		},
	}
}

// expectWord is the verb of an expectation on a line of its own, which the parser reads by itself: it has a clause, no
// arguments, and neither a body.
const expectWord = "expect"

// LetArgs are the arguments of let.
type LetArgs struct {
	Name string
	Expr *Expr
}

func letArgs(p *parser, c *cursor, v *Verb) (a LetArgs, err error) {
	c.space()
	at := c.at()
	if a.Name, err = c.variable("a name"); err != nil {
		return a, err
	}
	if err := free(a.Name); err != nil {
		return a, fail(at, "%s", err)
	}
	if c.space(); !c.eat('=') {
		return a, fail(c.at(), "want = and an expression, not %s (usage: %s)", c.found(), v.Usage)
	}
	c.space()
	if a.Expr, err = p.expression(c.rest(), c.at(), p.wholeNames()); err != nil {
		return a, err
	}
	c.pos = len(c.text)
	p.scope.captures[a.Name] = true
	return a, nil
}

func (s *Session) let(_ context.Context, a LetArgs, _ *Stmt) (*result, error) {
	val, err := a.Expr.Eval(s.whole())
	if err != nil {
		return &result{mark: s.logMark()}, err
	}
	s.vars[a.Name] = val
	keep := *s.last // an expectation below a let still sees what came before
	keep.text, keep.value, keep.let = nil, val, &letText{a.Name, a.Expr.Text, show(val)}
	return &keep, nil
}

// SleepArgs are the arguments of sleep.
type SleepArgs struct{ For time.Duration }

func sleepArgs(_ *parser, c *cursor, v *Verb) (a SleepArgs, err error) {
	if a.For, err = c.duration("how long"); err != nil {
		return a, err
	}
	return a, c.end(v.Usage)
}

func (s *Session) sleep(ctx context.Context, a SleepArgs, _ *result) error {
	select {
	case <-time.After(a.For):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TextArgs is a text: of echo, and of verbs that this build only parses.
type TextArgs struct{ Text string }

func textArgs(p *parser, c *cursor, _ *Verb) (TextArgs, error) {
	return TextArgs{p.literal(c).Text}, nil
}

func (s *Session) echo(_ context.Context, a TextArgs, r *result) error {
	r.text = strings.Split(a.Text, "\n")
	return nil
}

// FileArgs are the arguments of source, record and save.
type FileArgs struct {
	File   string
	Expect bool // save --expect
}

func fileArgs(_ *parser, c *cursor, v *Verb) (a FileArgs, err error) {
	if a.File, err = c.file("the name of a file"); err != nil {
		return a, err
	}
	return a, c.end(v.Usage)
}

func saveArgs(_ *parser, c *cursor, v *Verb) (a FileArgs, err error) {
	c.space()
	a.Expect = c.keyword("--expect")
	if a.File, err = c.file("the name of a file"); err != nil {
		return a, err
	}
	a.Expect = c.keyword("--expect") || a.Expect
	return a, c.end(v.Usage)
}

func sourceArgs(p *parser, c *cursor, v *Verb) (FileArgs, error) {
	c.space()
	at := c.at()
	a, err := fileArgs(p, c, v)
	if err == nil && c.raw != "" && strings.Contains(c.raw, "${") {
		return a, fail(at, "the file's name must be fixed: the whole script is parsed before anything runs")
	}
	return a, err
}

// settleSource parses the file that is named. Its statements run in place of the source statement, which itself has
// nothing to run.
func settleSource(p *parser, st *Stmt, at int) error {
	return p.include(st, st.Cmd.Args.(FileArgs).File, at) //nolint:forcetypeassert // those of source
}

// OptionArgs are the arguments of option.
type OptionArgs struct {
	Name  string
	Value time.Duration
}

func optionArgs(_ *parser, c *cursor, v *Verb) (a OptionArgs, err error) {
	c.space()
	at := c.at()
	if a.Name, err = c.name("the name of an option"); err != nil {
		return a, err
	}
	if a.Name != "timeout" {
		return a, fail(at, "no option %s%s", quoted(a.Name), schema.Suggest(a.Name, []string{"timeout"}))
	}
	at = c.at()
	if a.Value, err = c.duration("a time"); err != nil {
		return a, err
	}
	if a.Value == 0 && !strings.Contains(c.raw, "${") {
		return a, fail(at, "a timeout must be more than 0")
	}
	return a, c.end(v.Usage)
}

func (s *Session) option(_ context.Context, a OptionArgs, _ *result) error {
	s.opt.Timeout = a.Value
	return nil
}

func (s *Session) quitScript(context.Context, NoArgs, *result) error {
	s.quit = true
	return nil
}

func helpArgs(p *parser, c *cursor, v *Verb) (NameArgs, error) {
	c.space()
	at := c.at()
	a, err := nameArgs(p, c, v)
	if _, ok := Help(a.Name); !ok && a.Name != "" {
		return a, fail(at, "%s", noVerb(a.Name))
	}
	return a, err
}

func (s *Session) help(_ context.Context, a NameArgs, r *result) error {
	r.text = help(a.Name)
	return nil
}
