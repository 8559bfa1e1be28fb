package filter

import (
	"slices"
	"strings"
	"unicode"

	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// Limits of what is typed: a filter is run over every message.
const (
	maxRunes  = 1000
	maxTerms  = 32
	maxRegexp = 200 // runes
	maxAlts   = 64  // values of a term
)

// Parse reads a filter. Only the given keys may be used, all where there are none given; an error is an *Error.
func Parse(text string, allowed ...Key) (*Filter, error) {
	p := &parser{in: []rune(text), allowed: allowed}
	if len(p.in) > maxRunes {
		return nil, wrong(maxRunes, "a filter has at most %d characters, this one %d", maxRunes, len(p.in))
	}
	var terms []Term
	for {
		for p.pos < len(p.in) && unicode.IsSpace(p.in[p.pos]) {
			p.pos++
		}
		if p.pos == len(p.in) {
			return newFilter(terms), nil
		}
		if len(terms) == maxTerms {
			return nil, wrong(p.pos+1, "a filter has at most %d terms", maxTerms)
		}
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		terms = append(terms, *t)
	}
}

type parser struct {
	in      []rune
	pos     int
	allowed []Key
}

// value is one value of a term as it was typed.
type value struct {
	form   form
	text   string
	column int // where it begins
}

type form uint8

const (
	bare form = iota
	quoted
	regex
)

func (p *parser) term() (*Term, error) {
	t := &Term{}
	for p.pos < len(p.in) && p.in[p.pos] == '!' {
		t.Not = !t.Not
		p.pos++
	}
	if p.end() {
		return nil, wrong(min(p.pos, len(p.in)), "after ! comes what must not be: !kind:error")
	}
	key, err := p.key()
	if err != nil {
		return nil, err
	}
	t.Key = key
	var texts []string
	for {
		v, err := p.value(key)
		if err != nil {
			return nil, err
		}
		m, err := compile(key, v)
		if err != nil {
			return nil, err
		}
		if text := m.text(); !slices.Contains(texts, text) {
			t.alts, texts = append(t.alts, m), append(texts, text)
		}
		if key == Word || p.end() {
			break
		}
		if len(t.alts) == maxAlts {
			return nil, wrong(p.pos+1, "a term has at most %d values", maxAlts)
		}
		p.pos++ // the comma
	}
	t.text = strings.Join(texts, ",")
	if key != Word {
		t.text = key.String() + ":" + t.text
	}
	if t.Not {
		t.text = "!" + t.text
	}
	return t, nil
}

// end reports whether the term ends here.
func (p *parser) end() bool { return p.pos >= len(p.in) || unicode.IsSpace(p.in[p.pos]) }

// key reads letters and a colon; anything else is a word.
func (p *parser) key() (Key, error) {
	i := p.pos
	for i < len(p.in) && (p.in[i] >= 'a' && p.in[i] <= 'z' || p.in[i] >= 'A' && p.in[i] <= 'Z') {
		i++
	}
	if i == p.pos || i >= len(p.in) || p.in[i] != ':' && p.in[i] != '=' {
		return Word, nil
	}
	name := strings.ToLower(string(p.in[p.pos:i]))
	for k := Text; k < keys; k++ {
		if k.String() != name {
			continue
		}
		if p.in[i] == '=' { // as selections are written
			if len(p.allowed) > 0 && !slices.Contains(p.allowed, k) {
				return Word, nil
			}
			return 0, wrong(i+1, "want : after %s, not =; a text that holds %s= goes in quotes", name, name)
		}
		if len(p.allowed) > 0 && !slices.Contains(p.allowed, k) {
			return 0, wrong(p.pos+1, "%s: means nothing here; there is %s", name, p.names(": "))
		}
		p.pos = i + 1
		return k, nil
	}
	if p.in[i] == '=' {
		return Word, nil
	}
	return 0, wrong(p.pos+1, "there is no %s:%s; put text with a colon in quotes", name, schema.Suggest(name, strings.Fields(p.names(" "))))
}

// names are the keys that may be used.
func (p *parser) names(after string) string {
	var b strings.Builder
	for k := Text; k < keys; k++ {
		if len(p.allowed) == 0 || slices.Contains(p.allowed, k) {
			b.WriteString(k.String() + after)
		}
	}
	return strings.TrimSpace(b.String())
}

func (p *parser) value(key Key) (value, error) {
	start := p.pos
	if p.end() || key != Word && p.in[p.pos] == ',' {
		return value{}, wrong(min(start, len(p.in)-1)+1, "%s: wants %s", key, wants(key))
	}
	switch p.in[p.pos] {
	case '"':
		return p.enclosed(key, quoted)
	case '/':
		return p.enclosed(key, regex)
	}
	for !p.end() && (key == Word || p.in[p.pos] != ',') {
		p.pos++
	}
	return value{bare, string(p.in[start:p.pos]), start + 1}, nil
}

// enclosed reads a value between two delimiters; a backslash takes the delimiter, and in quotes itself, as it is.
func (p *parser) enclosed(key Key, f form) (value, error) {
	start, delim := p.pos, p.in[p.pos]
	var b strings.Builder
	for p.pos++; p.pos < len(p.in) && p.in[p.pos] != delim; p.pos++ {
		r := p.in[p.pos]
		if r == '\\' && p.pos+1 < len(p.in) {
			next := p.in[p.pos+1]
			switch {
			case next == delim, f == quoted && next == '\\':
				p.pos++
				r = next
			case f == regex: // a pair stays one: \\ before a delimiter does not take it
				p.pos++
				b.WriteRune(r)
				r = next
			}
		}
		b.WriteRune(r)
	}
	if p.pos >= len(p.in) {
		if f == regex {
			return value{}, wrong(start+1, `the expression has no closing /; text that begins with / goes in quotes`)
		}
		return value{}, wrong(start+1, "the text has no closing quote")
	}
	p.pos++
	if !p.end() && (key == Word || p.in[p.pos] != ',') {
		if f == regex {
			return value{}, wrong(p.pos+1, `after the closing / comes a blank; text that begins with / goes in quotes`)
		}
		return value{}, wrong(p.pos+1, "after the closing quote comes a blank")
	}
	if b.Len() == 0 {
		return value{}, wrong(start+1, "there is nothing between the two %c", delim)
	}
	return value{f, b.String(), start + 1}, nil
}

// wants is what a key's value looks like.
func wants(k Key) string {
	switch k {
	case Rank:
		return "ranks: rank:3 or rank:0-7"
	case Call, Family:
		return "the number of a call: " + k.String() + ":41"
	case Took:
		return "a time: took:>5ms"
	case Level:
		return "a level: level:warn or level:>=warn"
	default:
		return "a text: " + k.String() + ":name"
	}
}
