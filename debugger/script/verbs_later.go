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
	attach := &Verb{Name: "attach", Aliases: []string{"a"}, Usage: "attach NAME RANK | SESSION", Summary: "have words without a target be about a stopped frame; in the explorer, explore another session: its name, pid or socket", body: shows(attachArgs, (*Session).attach)}
	return slices.Concat(breakVerbs(), []*Verb{attach}, goVerbs(), frameVerbs())
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
