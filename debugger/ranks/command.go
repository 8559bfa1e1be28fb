package ranks

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// maxLine is the longest line that is read, in bytes. It is where Monarch's debugger stops to read a line too.
const maxLine = 64 << 10

// maxDigits is where Python's int stops to read, and Monarch with it.
const maxDigits = 4300

const blanks = " \t\f\r\n" // what Monarch's grammar skips between words

// Word is one of Monarch's commands.
type Word string

// Monarch's commands, by their long names.
const (
	List     Word = "list"
	Attach   Word = "attach"
	Cast     Word = "cast"
	Continue Word = "continue"
	Quit     Word = "quit"
	Help     Word = "help"
)

// words are the spellings that Monarch reads, no others: it has no abbreviations beyond these.
var words = map[string]Word{
	"l": List, "list": List, "a": Attach, "attach": Attach, "cast": Cast, "c": Continue, "continue": Continue,
	"q": Quit, "quit": Quit, "h": Help, "help": Help,
}

// Command is one line of Monarch's prompt.
type Command struct {
	Word  Word
	Actor string // of attach and cast: the name of the mesh
	Rank  int    // of attach; the largest int where the number is larger
	Ranks Set    // of cast
	Line  string // of cast: what each rank is told, to the end of the line, with the blanks at its end
}

// ParseCommand reads one line as Monarch's debugger reads it: list|l, attach|a NAME RANK, cast NAME ranks(…) CMD,
// continue|c, quit|q, help|h. A blank line is an error too: who prompts again without a word must look first. Its errors
// are *shape.ParseError.
func ParseCommand(line string) (Command, error) {
	p := &reader{text: line}
	if len(line) > maxLine {
		return Command{}, p.fail(maxLine, "the line has %d bytes and %d are read", len(line), maxLine)
	}
	p.space()
	at := p.pos
	first := p.run(nameByte)
	word, ok := words[first]
	if !ok {
		return Command{}, p.fail(at, "want list, attach NAME RANK, cast NAME ranks(…) CMD, continue, quit or help%s", p.foundFrom(at))
	}
	c := Command{Word: word}
	var err error
	switch word {
	case Attach:
		err = p.attach(&c, first)
	case Cast:
		err = p.cast(&c)
	case List, Continue, Quit, Help:
		if p.space(); p.pos < len(p.text) {
			err = p.fail(p.pos, "want nothing after %s%s", first, p.found())
		}
	}
	if err != nil {
		return Command{}, err
	}
	return c, nil
}

// reader reads one line.
type reader struct {
	text string
	pos  int
}

func (p *reader) attach(c *Command, first string) error {
	var err error
	if c.Actor, err = p.actor(first + " NAME RANK"); err != nil {
		return err
	}
	p.space()
	at := p.pos
	digits := p.run(func(b byte) bool { return b >= '0' && b <= '9' })
	switch {
	case digits == "":
		return p.fail(at, "want the rank, as in %s %s 0%s", first, clean.EscapeCut(c.Actor, 64), p.found())
	case len(digits) > maxDigits:
		return p.fail(at, "a rank of %d digits is too long", len(digits))
	}
	if c.Rank, err = strconv.Atoi(digits); err != nil {
		c.Rank = math.MaxInt // as Monarch, which reads any number: there is no such rank
	}
	if p.space(); p.pos < len(p.text) {
		return p.fail(p.pos, "want nothing after the rank%s; %s takes one rank, cast NAME ranks(…) CMD takes several", p.found(), first)
	}
	return nil
}

func (p *reader) cast(c *Command) error {
	var err error
	if c.Actor, err = p.actor("cast NAME ranks(…) CMD"); err != nil {
		return err
	}
	p.space()
	if !strings.HasPrefix(p.text[p.pos:], "ranks(") {
		return p.fail(p.pos, "want ranks(…) after the name, with no blank before the parenthesis, as in ranks(1,3) or ranks(:)%s", p.found())
	}
	p.pos += len("ranks(")
	inner, closed := untilClosed(p.text[p.pos:])
	if c.Ranks, err = Parse(inner); err != nil {
		if pe, ok := errors.AsType[*shape.ParseError](err); ok {
			return &shape.ParseError{Offset: p.pos + pe.Offset, Msg: pe.Msg}
		}
		return err
	}
	p.pos += len(inner)
	if !closed {
		return p.fail(p.pos, "want the ) of ranks(…)%s", p.found())
	}
	p.pos++
	p.space()
	// Monarch reads \w+.* here: the command begins with a letter, a digit or _, and ends with the line.
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	if p.pos == len(p.text) || r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r) {
		return p.fail(p.pos, "want a command for each rank after ranks(…), which begins with a letter, a digit or _%s", p.found())
	}
	line, rest, _ := strings.Cut(p.text[p.pos:], "\n")
	if end := p.pos + len(line); strings.Trim(rest, blanks) != "" {
		return p.fail(end, "want one line: a command is cast to all ranks before the next is read")
	}
	c.Line = line
	return nil
}

// actor reads a blank and a name. usage is the command as it should be.
func (p *reader) actor(usage string) (string, error) {
	at := p.pos
	p.space()
	name := p.run(nameByte)
	if name == "" || p.pos-len(name) == at {
		return "", p.fail(p.pos, "want %s%s", usage, p.found())
	}
	return name, nil
}

// untilClosed is the text before the ) that closes an open parenthesis, and whether there is one. No valid set of ranks has
// more ) than (, so the first that closes is the end of it.
func untilClosed(text string) (inner string, closed bool) {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			if depth == 0 {
				return text[:i], true
			}
			depth--
		}
	}
	return text, false
}

func nameByte(b byte) bool {
	return b == '-' || b == '_' || b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z'
}

// run reads the bytes that in allows, as many as there are.
func (p *reader) run(in func(byte) bool) string {
	at := p.pos
	for p.pos < len(p.text) && in(p.text[p.pos]) {
		p.pos++
	}
	return p.text[at:p.pos]
}

func (p *reader) space() { p.run(func(b byte) bool { return strings.IndexByte(blanks, b) >= 0 }) }

func (p *reader) found() string { return p.foundFrom(p.pos) }

// foundFrom is ", not …" with the word at a place, or ", but the line ends".
func (p *reader) foundFrom(at int) string {
	word, _, _ := strings.Cut(p.text[at:], " ")
	if word == "" {
		return ", but the line ends"
	}
	return ", not " + clean.Quote(word, 32)
}

func (p *reader) fail(at int, format string, args ...any) error {
	return &shape.ParseError{Offset: at, Msg: fmt.Sprintf(format, args...)}
}
