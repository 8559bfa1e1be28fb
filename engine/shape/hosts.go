package shape

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// HostsDim is the dimension whose places have names too: those of the hosts there.
const HostsDim = "hosts"

// HostOf tells the name of the host that a rank is on, "" while none is known. A nil HostOf is that of ranks whose hosts have no
// names: they are all on one machine.
type HostOf func(rank int) string

// OnHosts chooses the hosts of these names along the dimension hosts, as the texts hosts=n2 and hosts=(n1,n3) do.
func OnHosts(names ...string) Selection {
	d := dimRuns{name: HostsDim, list: len(names) != 1}
	for _, n := range names {
		d.runs = append(d.runs, run{host: n, named: true})
	}
	return Selection{dims: []dimRuns{d}}
}

// Named reports whether the selection names hosts, so that it means something only where it is known which ranks they have.
func (s Selection) Named() bool {
	i := s.hosts()
	return i >= 0 && (len(s.dims[i].runs) == 0 || slices.ContainsFunc(s.dims[i].runs, func(r run) bool { return r.named }))
}

// hosts is the condition on the dimension hosts, -1 where there is none.
func (s Selection) hosts() int {
	return slices.IndexFunc(s.dims, func(d dimRuns) bool { return d.name == HostsDim })
}

// bind puts places in r for the names of hosts: all places where a host of that name is. A plain name of one place drops the
// dimension, as its number would. A name that no host of r has, and hosts that have no names, or none yet, are errors that say which
// hosts there are.
func (s Selection) bind(r Region, on HostOf) (Selection, error) {
	if !s.Named() || r.IsZero() {
		return s, nil
	}
	at := s.hosts()
	d := s.dims[at]
	if len(d.runs) == 0 {
		return s, errors.New("a selection of hosts that names none")
	}
	if r.dim(HostsDim) < 0 {
		return s, fmt.Errorf("%s: %w", d, r.Extent().unknown(HostsDim))
	}
	if on == nil {
		return s, fmt.Errorf("%s: all its ranks are on one machine, where hosts have numbers and no names (%s)", d, span(r.Sizes[r.dim(HostsDim)]))
	}
	places := r.placesOf(on)
	bound := dimRuns{name: HostsDim, list: d.list}
	for _, x := range d.runs {
		if !x.named {
			bound.runs = append(bound.runs, x)
			continue
		}
		found, err := places.find(x.host)
		if err != nil {
			return s, err
		}
		bound.runs = append(bound.runs, found...)
	}
	bound.list = bound.list || len(bound.runs) > 1
	s.dims = slices.Clone(s.dims)
	s.dims[at] = bound
	return s, nil
}

// places are the hosts along the dimension hosts of a region.
type places []place

type place struct {
	host  string
	other string // of a rank there that is on another host; "" where there is none
}

func (r Region) placesOf(on HostOf) places {
	d := r.dim(HostsDim)
	inner := 1
	for _, size := range r.Sizes[d+1:] {
		inner *= size
	}
	out := make(places, r.Sizes[d])
	seen := make([]bool, len(out))
	i := 0
	for rank := range r.Ranks() {
		p := &out[i/inner%len(out)]
		switch name := on(rank); {
		case !seen[i/inner%len(out)]:
			p.host, seen[i/inner%len(out)] = name, true
		case name != p.host:
			p.other = name
		}
		i++
	}
	return out
}

// find is where a host is.
func (ps places) find(name string) (runs []run, err error) {
	for i, p := range ps {
		switch {
		case p.other != "" && (p.host == name || p.other == name):
			return nil, fmt.Errorf("hosts=%d has ranks on %s and on %s: choose by numbers", i, hostText(p.host), hostText(p.other))
		case p.host == name && name != "":
			runs = append(runs, run{lo: i, hi: i, step: 1, one: true})
		}
	}
	if len(runs) > 0 {
		return runs, nil
	}
	var have []string
	unknown := 0
	for _, p := range ps {
		switch {
		case p.host == "":
			unknown++
		case !slices.Contains(have, hostText(p.host)):
			have = append(have, hostText(p.host))
		}
	}
	if len(have) == 0 {
		return nil, fmt.Errorf("no host %s: none has a name yet; their numbers are %s", hostText(name), span(len(ps)))
	}
	const most = 8
	text := strings.Join(have[:min(len(have), most)], ", ")
	if n := len(have) - most; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	if unknown > 0 {
		text += fmt.Sprintf(", and %d whose name is not known yet", unknown)
	}
	return nil, fmt.Errorf("no host %s: it has %s", hostText(name), text)
}

// HostText is the name of a host as a selection has it behind hosts=: as it is, or between double quotes where the grammar needs
// them. A name without a letter, dot, _ or @ needs them, for 12 is a place, and so does one with other characters than letters,
// digits and . _ - @.
func HostText(name string) string {
	if isBareHost(name) {
		return name
	}
	return strconv.Quote(name)
}

// hostText is HostText for messages: names from outside may be of any length.
func hostText(name string) string { return clean.EscapeCut(HostText(name), 2*maxName) }

func isBareHost(s string) bool {
	n, named := 0, false
	for i, r := range s {
		if !hostRune(r) || i == 0 && r == '-' {
			return false
		}
		named = named || isNaming(r)
		n++
	}
	return named && n > 0
}

// hostRune reports whether a name with it needs no quotes.
func hostRune(r rune) bool {
	return r != utf8.RuneError && !clean.Dangerous(r) && (strings.ContainsRune("._-@", r) || unicode.IsLetter(r) || unicode.IsDigit(r))
}

// isNaming reports whether a word with it is a name, and no place or range of places.
func isNaming(r rune) bool { return r != '-' && (r < '0' || r > '9') }

// host reads the name of a host, if one comes next.
func (p *selParser) host() (r run, is bool, err error) {
	rest := p.text[p.pos:]
	if strings.HasPrefix(rest, `"`) {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return run{}, true, p.fail(p.pos, "the quote is never closed")
		}
		name, err := strconv.Unquote(quoted)
		if err != nil || name == "" || strings.ContainsFunc(quoted, clean.Dangerous) {
			return run{}, true, p.fail(p.pos, "want the name of a host between the quotes")
		}
		p.pos += len(quoted)
		return run{host: name, named: true}, true, nil
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return !hostRune(r) })
	if end < 0 {
		end = len(rest)
	}
	word := rest[:end]
	if !isBareHost(word) {
		return run{}, false, nil
	}
	p.pos += end
	save := p.pos
	p.space()
	switch p.peek() {
	case 0, ',', ')':
	default:
		p.pos = save
		return run{}, true, p.fail(p.pos, "the name of a host that has other characters than letters, digits and . _ - @ stands between double quotes, as in hosts=\"fe80::1\"%s", p.found())
	}
	return run{host: word, named: true}, true, nil
}

// EndOf is the place of the bracket that ends a selection at the beginning of a text, outside of quotes; -1 where there is none.
func EndOf(text string, bracket byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case bracket:
			return i
		case '"':
			quoted, err := strconv.QuotedPrefix(text[i:])
			if err != nil { // the parser says so
				return strings.IndexByte(text, bracket)
			}
			i += len(quoted) - 1
		}
	}
	return -1
}
