package script

import (
	"slices"
	"strings"
)

// form reads the arguments of a verb that only parses: T a target, W a word, N a number, F a file, E an expression
// and R a text (both to the end of the line); a ? means that it may be absent.
func form(shape string) parseArgs {
	return func(p *parser, c *cursor, v *Verb) (any, error) {
		c.space()
		from := c.pos
		for want := range strings.FieldsSeq(shape) {
			optional := strings.HasSuffix(want, "?")
			if c.done() {
				if optional {
					continue
				}
				return nil, fail(c.at(), "%s needs more (usage: %s)", v.Name, v.Usage)
			}
			if want[0] == 'T' && optional && strings.IndexByte("@%.", c.peek()) < 0 {
				continue
			}
			if err := p.piece(c, want[0]); err != nil {
				return nil, err
			}
		}
		if err := c.end(v.Usage); err != nil {
			return nil, err
		}
		return TextArgs{strings.TrimSpace(c.text[from:])}, nil
	}
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

func breakArgs(p *parser, c *cursor, v *Verb) (any, error) {
	c.space()
	from := c.pos
	if strings.IndexByte("@%.", c.peek()) >= 0 {
		if _, err := p.target(c); err != nil {
			return nil, err
		}
		if c.eat('@') {
			if _, err := c.name("a site: recv, send, result, reply, error or panic"); err != nil {
				return nil, err
			}
		}
	} else if w := c.word(); w == "" {
		return nil, fail(c.at(), "want a target (usage: %s)", v.Usage)
	} else if !slices.Contains([]string{"error", "panic", "deadlock"}, w) && !strings.Contains(w, ":") {
		return nil, fail(c.base+from, "want @mesh.Endpoint, FILE:LINE, error, panic or deadlock, not %s", quoted(w))
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
				return nil, err
			}
			c.pos += len(text)
		case c.keyword("hit"), c.keyword("stop"):
			if c.word() == "" {
				return nil, fail(c.at(), "want a value (usage: %s)", v.Usage)
			}
		case c.keyword("do"):
			if _, err := p.command(c); err != nil {
				return nil, err
			}
		default:
			return nil, fail(c.at(), "want if, hit, once, stop or do, not %s (usage: %s)", c.found(), v.Usage)
		}
	}
	return TextArgs{strings.TrimSpace(c.text[from:])}, nil
}

// attachArgs reads attach ADDR where the word holds / or :, is quoted or stands alone, else Monarch's attach NAME RANK.
func attachArgs(_ *parser, c *cursor, v *Verb) (any, error) {
	c.space()
	from := c.pos
	isAddr := c.peek() == '"' || c.peek() == '\''
	w, err := c.file("the name of an actor and its rank, or an address")
	if err != nil {
		return nil, err
	}
	if !isAddr && !strings.ContainsAny(w, "/:") && !c.done() {
		if _, err := c.number("the rank", 1<<30); err != nil {
			return nil, err
		}
	}
	return TextArgs{strings.TrimSpace(c.text[from:])}, c.end(v.Usage)
}
