package script

import (
	"slices"
	"strings"
)

// later is a verb that parses now and comes alive in a later build. lacks completes "this build has no … yet".
func later(names, lacks, usage, shape string) *Verb {
	all := strings.Fields(names)
	return &Verb{Name: all[0], Aliases: all[1:], Usage: usage, Lacks: lacks, body: form(shape)}
}

func debugVerbs() []*Verb {
	bp, stops, step, rec := "breakpoints", "stops", "stepping", "recordings"
	return []*Verb{
		later("detach", stops, "detach", ""),
		{Name: "list", Aliases: []string{"l"}, Usage: "list [NAME] [-a]", Lacks: stops, body: form("W? W?")},
		{Name: "break", Aliases: []string{"b"}, Usage: "break TARGET.Endpoint[@site] [if EXPR] [hit N] [once] [stop actor|rank|mesh] [do COMMAND]", Lacks: bp, body: reads(breakArgs)},
		{Name: "tbreak", Usage: "tbreak TARGET.Endpoint [if EXPR]", Lacks: bp, body: reads(breakArgs)},
		later("condition", bp, "condition N EXPR", "N E"),
		later("ignore", bp, "ignore N COUNT", "N N"),
		later("enable", bp, "enable N", "N"),
		later("disable", bp, "disable N", "N"),
		later("delete", bp, "delete N | TARGET.Endpoint", "W"),
		later("clear cl", bp, "clear [N]", "N?"),
		later("breaks", bp, "breaks", ""),
		later("watch", bp, "watch TARGET EXPR", "T E"),
		later("stops", stops, "stops", ""),
		later("continue c cont", stops, "continue [TARGET]", "T?"),
		later("resume", stops, "resume [TARGET]", "T?"),
		later("pause", stops, "pause TARGET [now|message]", "T W?"),
		later("take", stops, "take", ""),
		later("step s", step, "step [N]", "N?"),
		later("next n", step, "next [N]", "N?"),
		later("into", step, "into [RANK|*]", "W?"),
		later("finish r", step, "finish", ""),
		later("until unt", step, "until EXPR", "E?"),
		later("jump j", step, "jump LINE", "N"),
		later("advance", step, "advance N", "N"),
		later("quiesce", step, "quiesce [trace]", "W?"),
		later("follow", step, "follow", ""),
		later("where bt w", stops, "where [-go]", "W?"),
		later("up u", stops, "up [N]", "N?"),
		later("down d", stops, "down [N]", "N?"),
		later("frame", stops, "frame N", "N"),
		later("locals", stops, "locals", ""),
		later("args", stops, "args", ""),
		later("env", stops, "env", ""),
		later("ll", stops, "ll", ""),
		later("print p pp", "debugger to print with", "print EXPR [over TARGET]", "E"),
		later("display", "debugger to print with", "display EXPR", "E"),
		later("set", "debugger to change state with", "set state.field EXPR", "W E"),
		later("return", stops, "return EXPR", "E"),
		later("fail", stops, "fail TEXT", "R"),
		later("requeue", stops, "requeue", ""),
		later("redeliver", stops, "redeliver [VALUE]", "R?"),
		later("mailbox", stops, "mailbox [deliver N|drop N|hold]", "W? N?"),
		later("callers", "message history", "callers", ""),
		later("callees", "message history", "callees", ""),
		later("trace", "traces", `trace [TARGET] ["text {expr}"]`, "T? R?"),
		later("diff", "diff of states", "diff TARGET TARGET [path]", "T T W?"),
		later("stacks", "merged stacks", "stacks TARGET [n]", "T N?"),
		later("profile", "profiles", "profile TARGET [cpu|heap] [DURATION]", "T W? W?"),
		later("flight", "flight recorder", "flight TARGET", "T"),
		later("leaks", "leak search", "leaks TARGET", "T"),
		later("native", "native debugger", "native NAME RANK", "W N"),
		later("core", "core dumps", "core NAME RANK", "W N"),
		later("waits", "wait-for graph", "waits", ""),
		later("deadlocks", "wait-for graph", "deadlocks", ""),
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

func faultVerbs() []*Verb {
	lacks := "fault injection"
	return []*Verb{
		later("delay", lacks, "delay TARGET.Endpoint DURATION", "T W"),
		later("drop", lacks, "drop [TARGET.Endpoint N%]", "T? W?"),
		later("heal", lacks, "heal [TARGET]", "T?"),
	}
}

// form reads the arguments of a verb that only parses: T a target, W a word, N a number, F a file, E an expression
// and R a text (both to the end of the line); a ? means that it may be absent.
func form(shape string) body {
	return reads(func(p *parser, c *cursor, v *Verb) (a TextArgs, err error) {
		c.space()
		from := c.pos
		for want := range strings.FieldsSeq(shape) {
			optional := strings.HasSuffix(want, "?")
			if c.done() {
				if optional {
					continue
				}
				return a, fail(c.at(), "%s needs more (usage: %s)", v.Name, v.Usage)
			}
			if want[0] == 'T' && optional && strings.IndexByte("@%.", c.peek()) < 0 {
				continue
			}
			if err := p.piece(c, want[0]); err != nil {
				return a, err
			}
		}
		if err := c.end(v.Usage); err != nil {
			return a, err
		}
		return TextArgs{strings.TrimSpace(c.text[from:])}, nil
	})
}

func (p *parser) piece(c *cursor, want byte) error {
	var err error
	switch want {
	case 'T':
		_, err = c.target()
	case 'W':
		c.word()
	case 'N':
		_, err = c.number("a number", 1<<30)
	case 'F':
		_, err = c.file("a file")
	case 'E':
		_, err = p.expression(c.rest(), c.at(), anyNames)
		c.pos = len(c.text)
	case 'R':
		c.pos = len(c.text)
	}
	return err
}

func breakArgs(p *parser, c *cursor, v *Verb) (a TextArgs, err error) {
	c.space()
	from := c.pos
	if strings.IndexByte("@%.", c.peek()) >= 0 {
		if _, err := p.target(c); err != nil {
			return a, err
		}
		if c.eat('@') {
			if _, err := c.name("a site: recv, send, result, reply, error or panic"); err != nil {
				return a, err
			}
		}
	} else if w := c.word(); w == "" {
		return a, fail(c.at(), "want a target (usage: %s)", v.Usage)
	} else if !slices.Contains([]string{"error", "panic", "deadlock"}, w) && !strings.Contains(w, ":") {
		return a, fail(c.base+from, "want @mesh.Endpoint, FILE:LINE, error, panic or deadlock, not %s", quoted(w))
	}
	for !c.done() {
		switch {
		case c.keyword("once"):
		case c.keyword("if"):
			c.space()
			text := c.rest()
			for _, end := range []string{" once", " do ", " hit ", " stop "} {
				text, _, _ = strings.Cut(text, end)
			}
			if _, err := p.expression(text, c.at(), anyNames); err != nil {
				return a, err
			}
			c.pos += len(text)
		case c.keyword("hit"), c.keyword("stop"):
			if c.word() == "" {
				return a, fail(c.at(), "want a value (usage: %s)", v.Usage)
			}
		case c.keyword("do"):
			if _, err := p.command(c); err != nil {
				return a, err
			}
		default:
			return a, fail(c.at(), "want if, hit, once, stop or do, not %s (usage: %s)", c.found(), v.Usage)
		}
	}
	return TextArgs{strings.TrimSpace(c.text[from:])}, nil
}
