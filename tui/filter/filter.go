package filter

import (
	"slices"
	"strings"
	"time"
)

// Key says what a term judges.
type Key uint8

// The keys. Word is a term without one.
const (
	Word Key = iota
	Text
	From
	To
	Endpoint
	Mesh
	State
	Kind
	Stream
	Level
	Rank
	Call
	Family
	Took
	keys
)

// String is the key as it is typed, without its colon.
func (k Key) String() string {
	names := [keys]string{"", "text", "from", "to", "endpoint", "mesh", "state", "kind", "stream", "level", "rank", "call", "family", "took"}
	if k < keys {
		return names[k]
	}
	return "?"
}

// Fields is a row as a filter sees it. What a row does not have stays empty: terms about it do not hold.
type Fields struct {
	From, To, Endpoint string
	Mesh               []string // those it concerns
	State, Kind        string
	Stream, Level      string
	Rank               []int // those it concerns
	Call, Family       uint64
	Took               time.Duration
	HasTook            bool
	Text               string // all that is shown, for words; needed only where the filter Uses(Word)
}

// Filter lets some rows through. It is immutable; the nil Filter lets all through.
type Filter struct {
	terms []Term
	uses  [keys]bool
}

// Term is one condition of a filter.
type Term struct {
	Key  Key
	Not  bool
	text string
	alts []matcher // one of them must hold
}

// String is the term as the language writes it: a chip on the screen.
func (t Term) String() string { return t.text }

// Terms are the conditions, in the order they were typed.
func (f *Filter) Terms() []Term {
	if f == nil {
		return nil
	}
	return slices.Clone(f.terms)
}

// Empty reports whether everything gets through.
func (f *Filter) Empty() bool { return f == nil || len(f.terms) == 0 }

// String is the filter in its canonical form; Parse reads it back.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	parts := make([]string, len(f.terms))
	for i, t := range f.terms {
		parts[i] = t.text
	}
	return strings.Join(parts, " ")
}

// Without is the filter without its term i.
func (f *Filter) Without(i int) *Filter {
	if f == nil || i < 0 || i >= len(f.terms) {
		return f
	}
	return newFilter(slices.Delete(slices.Clone(f.terms), i, i+1))
}

// Uses reports whether a term looks at a key. Word covers text: as well, since both read Fields.Text.
func (f *Filter) Uses(k Key) bool { return f != nil && (f.uses[k] || k == Word && f.uses[Text]) }

func newFilter(terms []Term) *Filter {
	f := &Filter{terms: terms}
	for _, t := range terms {
		f.uses[t.Key] = true
	}
	return f
}

// Match reports whether a row gets through.
func (f *Filter) Match(row *Fields) bool {
	if f == nil {
		return true
	}
	for i := range f.terms {
		if t := &f.terms[i]; t.holds(row) == t.Not {
			return false
		}
	}
	return true
}

func (t *Term) holds(row *Fields) bool {
	for _, m := range t.alts {
		if m.match(t.Key, row) {
			return true
		}
	}
	return false
}

// Span is a part of a text: bytes from From to before To.
type Span struct{ From, To int }

// Spans are the parts of a text that the filter has found, in order and apart from each other. The text is of the column
// k; terms without a key are found in all columns.
func (f *Filter) Spans(k Key, text string) []Span {
	if f == nil {
		return nil
	}
	var out []Span
	for i := range f.terms {
		t := &f.terms[i]
		if t.Not || t.Key != k && t.Key != Word && t.Key != Text {
			continue
		}
		for _, m := range t.alts {
			if p, ok := m.(*pattern); ok {
				out = append(out, p.spans(text)...)
			}
		}
	}
	return merge(out)
}

func merge(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return a.From - b.From })
	out := spans[:0]
	for _, s := range spans {
		switch n := len(out); {
		case s.To <= s.From:
		case n > 0 && s.From <= out[n-1].To:
			out[n-1].To = max(out[n-1].To, s.To)
		default:
			out = append(out, s)
		}
	}
	return out
}
