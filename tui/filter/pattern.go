package filter

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pattern is found in a text: a part of it, the beginnings of a name in it, or what an expression matches.
type pattern struct {
	canon string
	part  string // in lower case with fold; "" with re
	re    *regexp.Regexp
	fold  bool // capital letters do not count
	loose bool // the beginnings of a name will do
	whole bool // a pattern with *: marks nothing beyond its text
}

func (p *pattern) text() string { return p.canon }

func (p *pattern) match(k Key, row *Fields) bool {
	switch k {
	case From:
		return p.in(row.From)
	case To:
		return p.in(row.To)
	case Endpoint:
		return p.in(row.Endpoint)
	case State:
		return p.in(row.State)
	case Kind:
		return p.in(row.Kind)
	case Stream:
		return p.in(row.Stream)
	case Mesh:
		return slices.ContainsFunc(row.Mesh, p.in)
	default:
		return p.in(row.Text)
	}
}

func (p *pattern) in(text string) bool {
	if text == "" {
		return false
	}
	if p.re != nil {
		return p.re.MatchString(text)
	}
	if from, _ := p.find(text, 0); from >= 0 {
		return true
	}
	return p.loose && p.name(text) != nil
}

// maxSpans bounds the marks in one text.
const maxSpans = 32

func (p *pattern) spans(text string) []Span {
	var out []Span
	if p.re != nil {
		for _, m := range p.re.FindAllStringIndex(text, maxSpans) {
			out = append(out, Span{m[0], m[1]})
		}
		return out
	}
	for at := 0; len(out) < maxSpans; {
		from, to := p.find(text, at)
		if from < 0 {
			break
		}
		out = append(out, Span{from, to})
		at = to
	}
	if out == nil && p.loose {
		return p.name(text)
	}
	return out
}

// find is where the part is in a text from a place on; -1 if nowhere.
func (p *pattern) find(text string, at int) (from, to int) {
	if !p.fold {
		i := strings.Index(text[at:], p.part)
		if i < 0 {
			return -1, -1
		}
		return at + i, at + i + len(p.part)
	}
	first, _ := utf8.DecodeRuneInString(p.part)
	for i := at; i < len(text); {
		r, n := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(text[i:])
		}
		if lower(r) == first {
			if end := foldPrefix(text[i:], p.part); end >= 0 {
				return i, i + end
			}
		}
		i += n
	}
	return -1, -1
}

func lower(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	return unicode.ToLower(r)
}

// foldPrefix is how much of a text begins with a part in lower case, -1 if it does not.
func foldPrefix(text, part string) int {
	i := 0
	for _, want := range part {
		if i >= len(text) {
			return -1
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if lower(r) != want {
			return -1
		}
		i += n
	}
	return i
}

// name looks for a name of the text that the part abbreviates: its letters in order, each one following the one before
// or beginning a piece of the name (HelloWorld, ponger[3], step_two). A piece begins at the start of the name, at a
// capital, a digit, and after anything that is no letter.
func (p *pattern) name(text string) []Span {
	if utf8.RuneCountInString(p.part) < 2 {
		return nil
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !inName(r) {
			i += n
			continue
		}
		end := i
		for end < len(text) {
			r, n := utf8.DecodeRuneInString(text[end:])
			if !inName(r) {
				break
			}
			end += n
		}
		if out := p.abbreviates(text[i:end]); out != nil {
			for j := range out {
				out[j].From, out[j].To = out[j].From+i, out[j].To+i
			}
			return out
		}
		i = end
	}
	return nil
}

func inName(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-.[]@/", r)
}

// abbreviates goes through a name once, taking each letter of the part at the first place where it may stand.
func (p *pattern) abbreviates(name string) []Span {
	var out []Span
	want := p.part
	prev, last := rune(0), -1 // the rune before, and where the last taken one ended
	for i, r := range name {
		next, n := utf8.DecodeRuneInString(want)
		c := r
		if p.fold {
			c = lower(r)
		}
		starts := prev == 0 || !unicode.IsLetter(prev) || unicode.IsUpper(r) && !unicode.IsUpper(prev) || unicode.IsDigit(r) && !unicode.IsDigit(prev)
		if c == next && (starts || i == last) {
			end := i + utf8.RuneLen(r)
			if r == utf8.RuneError {
				end = i + 1
			}
			if i == last {
				out[len(out)-1].To = end
			} else {
				out = append(out, Span{i, end})
			}
			last, want = end, want[n:]
			if want == "" {
				return out
			}
		}
		prev = r
	}
	return nil
}
