package grid

import (
	"errors"
	"fmt"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// SetSelection selects what a text says: all that package shape reads (*, 0,2-5, 1:10:2, dp=1:4,tp=(1,2), ranks(…)), the
// same with the mesh before it (@ponger[…]), and the condition state=paused or state=(paused,failed), alone or among
// those on dimensions. An empty text selects nothing. Its errors are *shape.ParseError: what, and where in the text.
func (p *Pane) SetSelection(text string) error {
	if p.at == nil {
		return &shape.ParseError{Msg: "no mesh is open"}
	}
	ranks, err := p.parse(text)
	if err != nil {
		return err
	}
	p.EndRectangle()
	s := newSet(p.at.n)
	for _, rank := range ranks {
		s.put(rank, true)
	}
	p.set(s)
	if s.n > 0 && !s.has(p.at.cursor) {
		p.SetCursor(s.first())
	}
	return nil
}

func (p *Pane) parse(text string) ([]int, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	inner, err := p.at.stripMesh(text)
	if err != nil {
		return nil, err
	}
	rest, states, err := p.takeState(inner)
	if err != nil {
		return nil, err
	}
	if states != 0 && len(p.now.codes) != p.at.n {
		return nil, &shape.ParseError{Msg: "the states of " + p.at.name + " are not known yet"}
	}
	var ranks []int
	switch {
	case states != 0 && strings.Trim(rest, " ") == "", states != 0 && strings.ReplaceAll(rest, " ", "") == "ranks()":
		ranks, err = shape.Selection{}.Ranks(p.at.region)
	default:
		ranks, err = p.at.resolve(rest)
	}
	if err != nil || states == 0 {
		return ranks, err
	}
	kept := ranks[:0]
	for _, rank := range ranks {
		if states&(1<<p.now.codes[rank]) != 0 {
			kept = append(kept, rank)
		}
	}
	if len(kept) == 0 {
		return nil, &shape.ParseError{Msg: "no rank is in that state now"}
	}
	return kept, nil
}

// stripMesh blanks @name[ and ] out, so that columns stay. The text inside is what is left.
func (pl *place) stripMesh(text string) (string, error) {
	trimmed := strings.TrimLeft(text, " ")
	at := len(text) - len(trimmed)
	name, bracket, has := strings.Cut(trimmed, "[")
	if !has || strings.ContainsRune(name, '"') { // the bracket is in the name of a host
		name = strings.TrimRight(trimmed, " ")
		if bare, ref := strings.CutPrefix(name, "@"); !ref || bare != pl.name {
			if ref {
				return "", &shape.ParseError{Offset: at, Msg: fmt.Sprintf("this is %s, not %s", pl.name, bare)}
			}
			return text, nil
		}
		return strings.Repeat(" ", at) + "*", nil
	}
	if bare := strings.TrimPrefix(name, "@"); bare != pl.name && bare != "" {
		return "", &shape.ParseError{Offset: at, Msg: fmt.Sprintf("this is %s, not %s", pl.name, strings.TrimSpace(bare))}
	}
	bracket = strings.TrimRight(bracket, " ")
	inner, closed := strings.CutSuffix(bracket, "]")
	if !closed {
		return "", &shape.ParseError{Offset: len(strings.TrimRight(text, " ")), Msg: "want the ] of [" + ", but the text ends"}
	}
	return strings.Repeat(" ", at+len(name)+1) + inner, nil
}

// resolve reads a selection and applies it to the mesh.
func (pl *place) resolve(text string) ([]int, error) {
	s, err := shape.Parse(text)
	if err != nil {
		return nil, err
	}
	ranks, err := s.RanksOn(pl.region, pl.on)
	if err == nil {
		return ranks, nil
	}
	// The error names the place in words; the column is that of the first part that fails by itself.
	out := &shape.ParseError{Msg: err.Error()}
	for _, part := range parts(text) {
		one, parseErr := shape.Parse(text[part.from:part.to])
		if parseErr != nil {
			continue
		}
		if _, err := one.RanksOn(pl.region, pl.on); err != nil {
			out.Offset, out.Msg = part.from, err.Error()
			break
		}
	}
	if _, msg, ok := strings.Cut(out.Msg, ": no dimension"); ok {
		out.Msg = "no dimension" + msg
	}
	if ranks, _, ok := strings.Cut(out.Msg, " out of range: "); ok && strings.HasPrefix(ranks, "rank") {
		ranks = strings.TrimSuffix(strings.TrimSuffix(ranks, " is"), " begin")
		out.Msg = fmt.Sprintf("%s: %s has %s", ranks, pl.name, pl.rankSpan())
	}
	return nil, out
}

// rankSpan is which ranks there are to select.
func (pl *place) rankSpan() string {
	if n := pl.region.Len(); n > 1 {
		return fmt.Sprintf("ranks 0-%d", n-1)
	}
	return "rank 0 only"
}

type textPart struct{ from, to int }

// parts are the conditions of a selection: what lies between commas outside of inner parentheses, without blanks.
func parts(text string) []textPart {
	from, to := 0, len(text)
	if t := strings.TrimLeft(text, " "); strings.HasPrefix(t, "ranks(") {
		from = len(text) - len(t) + len("ranks(")
		if i := strings.LastIndexByte(text, ')'); i >= from {
			to = i
		}
	}
	var out []textPart
	depth, quoted := 0, false
	add := func(a, b int) {
		for a < b && text[a] == ' ' {
			a++
		}
		for a < b && text[b-1] == ' ' {
			b--
		}
		out = append(out, textPart{a, b})
	}
	start := from
	for i := from; i < to; i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',':
			if depth == 0 {
				add(start, i)
				start = i + 1
			}
		}
	}
	add(start, to)
	return out
}

// takeState blanks the condition on the state, with a comma beside it, out of a selection. states has a bit for each
// state that is wanted, none without a condition.
func (p *Pane) takeState(text string) (rest string, states uint, err error) {
	if _, ok := p.at.region.Extent().Size("state"); ok {
		return text, 0, nil // a dimension of that name comes first
	}
	list := parts(text)
	for i, part := range list {
		name, value, ok := strings.Cut(text[part.from:part.to], "=")
		if !ok || strings.TrimSpace(name) != "state" {
			continue
		}
		at := part.to - len(value)
		if states, err = wanted(value, at); err != nil {
			return "", 0, err
		}
		from, to := part.from, part.to
		switch { // the comma goes too
		case i > 0:
			from = strings.LastIndexByte(text[:from], ',')
		case len(list) > 1:
			to += strings.IndexByte(text[to:], ',') + 1
		}
		return text[:from] + strings.Repeat(" ", to-from) + text[to:], states, nil
	}
	return text, 0, nil
}

// wanted reads paused or (paused,failed).
func wanted(value string, at int) (uint, error) {
	trimmed := strings.TrimSpace(value)
	list := []string{trimmed}
	if inner, ok := strings.CutPrefix(trimmed, "("); ok {
		inner, ok = strings.CutSuffix(inner, ")")
		if !ok {
			return 0, &shape.ParseError{Offset: at, Msg: "want the ) of state=(…)"}
		}
		list = strings.Split(inner, ",")
	}
	var states uint
	for _, word := range list {
		word = strings.TrimSpace(word)
		code := codeOf(word)
		if code < 0 {
			return 0, &shape.ParseError{Offset: at, Msg: fmt.Sprintf("%q is no state: want idle, busy, paused, backlog, failed, gone or starting", word)}
		}
		states |= 1 << code
	}
	return states, nil
}

func codeOf(word string) int {
	if word == "backlog" || word == "silent" {
		word = "warning"
	}
	for code, w := range words {
		if w == word {
			return code
		}
	}
	return -1
}

// Column is where an error of SetSelection points to, in bytes from 0, and whether it points anywhere.
func Column(err error) (int, bool) {
	if pe, ok := errors.AsType[*shape.ParseError](err); ok {
		return pe.Offset, true
	}
	return 0, false
}
