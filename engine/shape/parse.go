package shape

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// ParseError says what is wrong with the text of a selection, and where.
type ParseError struct {
	Offset int // byte in the text where the bad part begins
	Msg    string
}

// Error is the message and the column, which counts bytes from 1.
func (e *ParseError) Error() string { return e.Msg + " (column " + strconv.Itoa(e.Offset+1) + ")" }

// Parse reads a selection: "*", flat ranks "3" "0,2-5" "1:4" "1:10:2", conditions on dimensions "dp=1:4,tp=(1,2)",
// or Monarch's ranks(…) around what ParseRanks reads. A dash includes its end, a colon does not. Where an index of the
// dimension hosts stands, the name of a host may: "hosts=n2", "hosts=(n1,ada@n3)", "hosts=\"fe80::1\"" (see HostText). Spaces
// between parts are allowed. Its errors are *ParseError.
func Parse(text string) (Selection, error) {
	p := &selParser{text: text}
	p.space()
	if rest := p.text[p.pos:]; strings.HasPrefix(rest, "ranks") && !strings.HasPrefix(strings.TrimLeft(rest[len("ranks"):], blanks), "=") {
		return p.call()
	}
	s, err := p.selection()
	if err == nil {
		err = p.end("a comma or the end")
	}
	if err != nil {
		return Selection{}, err
	}
	return s, nil
}

// ParseRanks reads what Monarch's debugger takes inside ranks(…) and refuses what it refuses: one rank, two or more
// ranks "1,3,5", a half-open range "start?:stop?:step?", or conditions on dimensions "host=0:2, gpu=(1,3)" whose
// values are a rank, a range, or two or more ranks in parentheses. A dimension given twice counts as it was given
// last. Its errors are *ParseError.
func ParseRanks(text string) (Selection, error) {
	p := &selParser{text: text, monarch: true}
	s, err := p.selection()
	if err == nil {
		err = p.end("a comma or the end")
	}
	if err != nil {
		return Selection{}, err
	}
	return s, nil
}

const blanks = " \t\f\r\n"

// selParser reads both grammars; monarch takes away what only ours has.
type selParser struct {
	text    string
	pos     int
	monarch bool
}

// call reads ranks(…), which must be all of the text.
func (p *selParser) call() (Selection, error) {
	p.pos += len("ranks")
	if p.peek() != '(' {
		return Selection{}, p.fail(p.pos, "want ( directly after ranks, as in ranks(1,3)")
	}
	p.pos++
	p.monarch = true
	s, err := p.selection()
	if err != nil {
		return Selection{}, err
	}
	p.space()
	if p.peek() != ')' {
		return Selection{}, p.fail(p.pos, "want a comma or the ) of ranks(…)%s", p.found())
	}
	p.pos++
	if err := p.end("nothing after ranks(…)"); err != nil {
		return Selection{}, err
	}
	return s, nil
}

func (p *selParser) selection() (Selection, error) {
	p.space()
	switch c := p.peek(); {
	case p.pos == len(p.text) || c == ')':
		if p.monarch {
			return Selection{}, p.fail(p.pos, "want a rank, ranks 1,3,5, a range 1:4, or dim=…%s", p.found())
		}
		return Selection{}, p.fail(p.pos, "want *, ranks such as 0,2-5 or 1:4, or dim=…%s", p.found())
	case c == '*' && !p.monarch:
		p.pos++
		return Selection{}, nil
	case nameByte(c, true):
		return p.dims()
	}
	return p.flat()
}

func (p *selParser) flat() (Selection, error) {
	var s Selection
	for {
		at := p.pos
		r, err := p.run("rank")
		if err != nil {
			return s, err
		}
		if p.monarch && !r.one && len(s.flat) > 0 {
			return s, p.fail(at, "ranks(…) takes one range or a list of ranks, not both")
		}
		s.flat = append(s.flat, r)
		p.space()
		if p.peek() != ',' {
			return s, nil
		}
		comma := p.pos
		p.pos++
		p.space()
		switch {
		case nameByte(p.peek(), true):
			return s, p.fail(p.pos, "ranks and dimensions cannot be mixed: write only ranks or only dim=…")
		case p.pos == len(p.text) || p.peek() == ')':
			return s, p.fail(comma, "want another rank after the comma")
		case p.monarch && !r.one:
			return s, p.fail(comma, "ranks(…) takes one range or a list of ranks, not both")
		}
	}
}

func (p *selParser) dims() (Selection, error) {
	var s Selection
	for {
		p.space()
		at := p.pos
		name := p.name()
		if name == "" {
			return s, p.fail(at, "want dim=…%s", p.found())
		}
		p.space()
		if p.peek() != '=' {
			return s, p.fail(p.pos, "want = after %s, as in %s=0%s", printable(name), printable(name), p.found())
		}
		p.pos++
		d, err := p.condition(name)
		if err != nil {
			return s, err
		}
		if s.dims, err = p.add(s.dims, d, at); err != nil {
			return s, err
		}
		p.space()
		if p.peek() != ',' {
			return s, nil
		}
		p.pos++
		if p.space(); p.pos == len(p.text) || p.peek() == ')' {
			return s, p.fail(p.pos-1, "want another dim=… after the comma")
		}
	}
}

// add appends a condition. Monarch keeps the conditions in a dictionary, where the last of one name wins.
func (p *selParser) add(dims []dimRuns, d dimRuns, at int) ([]dimRuns, error) {
	for i, o := range dims {
		if o.name != d.name {
			continue
		}
		if !p.monarch {
			return nil, p.fail(at, "dimension %s is given twice: write %s=(…) for several indices", d.name, d.name)
		}
		dims[i] = d
		return dims, nil
	}
	return append(dims, d), nil
}

func (p *selParser) condition(name string) (dimRuns, error) {
	d := dimRuns{name: name}
	p.space()
	switch c := p.peek(); {
	case c == '*' && !p.monarch:
		p.pos++
		d.runs = []run{{hi: End, step: 1}}
		return d, nil
	case c != '(':
		r, err := p.place(name)
		d.runs = []run{r}
		return d, err
	}
	open := p.pos
	p.pos++
	d.list = true
	for {
		p.space()
		r, err := p.place(name)
		if err != nil {
			return d, err
		}
		if p.monarch && !r.one {
			return d, p.fail(open, "a list of ranks(…) holds single indices: write %s=%s for the range", name, r.text())
		}
		d.runs = append(d.runs, r)
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
		case ')':
			p.pos++
			if p.monarch && len(d.runs) < 2 {
				return d, p.fail(open, "a list of ranks(…) holds two indices or more: write %s=%s", name, r.text())
			}
			return d, nil
		default:
			return d, p.fail(p.pos, "want a comma or the ) of %s=(…)%s", printable(name), p.found())
		}
	}
}

// place reads what chooses along a dimension: an index, a range, or the name of a host.
func (p *selParser) place(dim string) (run, error) {
	if dim == HostsDim {
		at := p.pos
		switch r, is, err := p.host(); {
		case is && err == nil && p.monarch:
			return run{}, p.fail(at, "ranks(…) knows no names: write [%s=%s] instead", HostsDim, r.text())
		case is:
			return r, err
		}
	}
	return p.run("index")
}

// run reads INT, INT-INT (ours only), or [INT]:[INT][:[INT]]. what names an index for the reader.
func (p *selParser) run(what string) (run, error) {
	at := p.pos
	lo, given, err := p.number(what)
	if err != nil {
		return run{}, err
	}
	p.space()
	switch {
	case p.peek() == ':':
		return p.colon(at, lo)
	case !given:
		return run{}, p.fail(p.pos, "want %s%s", article(what), p.found())
	case p.peek() == '-' && p.monarch:
		return run{}, p.fail(p.pos, "ranges in ranks(…) are written with a colon, as in 1:4")
	case p.peek() == '-':
		return p.dash(at, lo, what)
	}
	return run{lo: lo, hi: lo, step: 1, one: true}, nil
}

func (p *selParser) dash(at, lo int, what string) (run, error) {
	p.pos++
	p.space()
	hi, given, err := p.number(what)
	switch {
	case err != nil:
		return run{}, err
	case !given:
		return run{}, p.fail(p.pos, "want the last %s after the dash, as in %d-%d%s", what, lo, min(lo, math.MaxInt-3)+3, p.found())
	case hi < lo:
		return run{}, p.fail(at, "%d-%d runs backwards: want %d-%d", lo, hi, hi, lo)
	case hi == math.MaxInt:
		hi-- // the half-open end must fit too
	}
	return run{lo: lo, hi: hi + 1, step: 1}, nil
}

func (p *selParser) colon(at, lo int) (run, error) {
	r := run{lo: lo, hi: End, step: 1}
	p.pos++
	p.space()
	hi, given, err := p.number("end")
	if err != nil {
		return r, err
	}
	if given {
		r.hi = hi
	}
	if p.space(); p.peek() == ':' {
		p.pos++
		p.space()
		stepAt := p.pos
		step, given, err := p.number("step")
		if err != nil {
			return r, err
		}
		if given {
			r.step = step
		}
		if r.step == 0 {
			return r, p.fail(stepAt, "step 0 never moves: want 1 or more")
		}
	}
	if !p.monarch && r.hi <= r.lo {
		return r, p.fail(at, "range %s is empty: the end is not included, so want an end above %d", r.text(), r.lo)
	}
	return r, nil
}

// maxDigits is where Python's int stops to read, and Monarch with it.
const maxDigits = 4300

// number reads decimal digits if there are any. In Monarch's grammar a huge number is as good as the largest int.
func (p *selParser) number(what string) (n int, given bool, err error) {
	at := p.pos
	for p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9' {
		p.pos++
	}
	digits := p.text[at:p.pos]
	switch {
	case digits == "" && p.peek() == '-':
		return 0, false, p.fail(at, "want %s, and none is negative: they count from 0", article(what))
	case digits == "":
		return 0, false, nil
	case p.monarch && len(digits) > maxDigits:
		return 0, false, p.fail(at, "%s of %d digits is too long", article(what), len(digits))
	}
	if nameByte(p.peek(), true) {
		return 0, false, p.fail(at, "want %s, not %s", article(what), clean.Quote(p.text[at:p.pos]+p.name(), maxName))
	}
	n, convErr := strconv.Atoi(digits)
	switch {
	case convErr == nil:
		return n, true, nil
	case p.monarch:
		return math.MaxInt, true, nil
	}
	return 0, false, p.fail(at, "%s is too large for %s", clean.EscapeCut(digits, maxName), article(what))
}

func article(what string) string {
	if strings.IndexByte("aeiou", what[0]) >= 0 {
		return "an " + what
	}
	return "a " + what
}

func (p *selParser) name() string {
	at := p.pos
	for p.pos < len(p.text) && nameByte(p.text[p.pos], p.pos == at) {
		p.pos++
	}
	return p.text[at:p.pos]
}

func (p *selParser) space() {
	for p.pos < len(p.text) && strings.IndexByte(blanks, p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// peek is the next byte, 0 at the end.
func (p *selParser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *selParser) end(want string) error {
	if p.space(); p.pos < len(p.text) {
		return p.fail(p.pos, "want %s%s", want, p.found())
	}
	return nil
}

// found is ", not …" with the rune at the cursor, or ", but the text ends".
func (p *selParser) found() string {
	for _, r := range p.text[p.pos:] {
		return ", not " + strconv.QuoteRune(r)
	}
	return ", but the text ends"
}

func (p *selParser) fail(at int, format string, args ...any) error {
	return &ParseError{Offset: at, Msg: fmt.Sprintf(format, args...)}
}
