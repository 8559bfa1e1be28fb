package shape

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxChosen bounds the ranks that an irregular selection may name one by one.
const maxChosen = 1 << 20

// Selection is a set of ranks as a person typed it: all of them, flat indices (0,2-5), or conditions on dimensions
// (dp=1:4,tp=(1,2)) that must all hold. It is not bound to a mesh: Resolve and Ranks apply it to a region. One that names
// hosts (hosts=n2) needs to be told where the ranks of a mesh are: ResolveOn and RanksOn. The zero Selection chooses everything.
type Selection struct {
	flat []run     // indices in the region, in the order typed
	dims []dimRuns // conditions; never both flat and dims
}

// dimRuns is one condition: dim=2, dim=1:4, dim=(1,2).
type dimRuns struct {
	name string
	runs []run
	list bool // written in parentheses
}

// run is one index, the half-open range lo:hi:step, or the name of a host.
type run struct {
	lo, hi, step int
	one          bool   // a plain index: hi and step are not used
	host         string // the name of a host, where named is set: nothing else is used
	named        bool
}

// IsAll reports whether the selection chooses every rank of any region.
func (s Selection) IsAll() bool { return len(s.flat) == 0 && len(s.dims) == 0 }

// String is the selection as text that Parse reads back to the same selection.
func (s Selection) String() string {
	if s.IsAll() {
		return "*"
	}
	var parts []string
	for _, r := range s.flat {
		parts = append(parts, r.flatText())
	}
	for _, d := range s.dims {
		parts = append(parts, d.String())
	}
	return strings.Join(parts, ",")
}

func (d dimRuns) String() string {
	var parts []string
	for _, r := range d.runs {
		parts = append(parts, r.text())
	}
	text := strings.Join(parts, ",")
	if d.list {
		text = "(" + text + ")"
	}
	return d.name + "=" + text
}

func (r run) text() string {
	switch {
	case r.named:
		return HostText(r.host)
	case r.one:
		return strconv.Itoa(r.lo)
	}
	return rangeText(r.lo, r.hi, r.step)
}

// flatText prints what can be printed with a dash, which includes its end, that way.
func (r run) flatText() string {
	if !r.one && r.step == 1 && r.hi != End && r.hi > r.lo {
		return strconv.Itoa(r.lo) + "-" + strconv.Itoa(r.hi-1)
	}
	return r.text()
}

func rangeText(lo, hi, step int) string {
	var b strings.Builder
	if lo != 0 || hi != End {
		b.WriteString(strconv.Itoa(lo))
	}
	b.WriteByte(':')
	if hi != End {
		b.WriteString(strconv.Itoa(hi))
	}
	if step != 1 {
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(step))
	}
	return b.String()
}

// Resolve breaks the selection of r into the fewest strided slices found (see Cover), each rank in exactly one. A
// plain index drops its dimension, and a single flat index drops all; ranges and lists keep theirs. Unknown dimensions, indices out
// of range and conditions that match nothing are errors that name what would be right; ends of ranges are clamped.
func (s Selection) Resolve(r Region) ([]Region, error) { return s.ResolveOn(r, nil) }

// ResolveOn is Resolve of a region of which it is known on which host each rank is: the selection may name hosts.
func (s Selection) ResolveOn(r Region, on HostOf) ([]Region, error) {
	if r.IsZero() {
		return nil, errors.New("nothing to select from: the region is not given")
	}
	s, err := s.bind(r, on)
	if err != nil {
		return nil, err
	}
	switch {
	case s.IsAll():
		return []Region{r.clone()}, nil
	case len(s.flat) > 0:
		return s.resolveFlat(r)
	}
	parts := []Region{r.clone()}
	for _, d := range s.dims {
		at := r.dim(d.name)
		if at < 0 {
			return nil, fmt.Errorf("%s: %w", s, r.Extent().unknown(d.name))
		}
		dim := Dim{Name: d.name, Size: r.Sizes[at]}
		if !d.list && d.runs[0].one {
			if d.runs[0].lo >= dim.Size {
				return nil, outOfRange(dim, d.runs[0].lo)
			}
			for i, p := range parts {
				parts[i] = p.pick(p.dim(d.name), d.runs[0].lo)
			}
			continue
		}
		chosen, err := d.progressions(dim)
		if err != nil {
			return nil, err
		}
		var next []Region
		for _, p := range parts {
			for _, a := range chosen {
				next = append(next, p.stretch(p.dim(d.name), a))
			}
		}
		if len(next) > maxChosen {
			return nil, fmt.Errorf("%s takes more than %d slices: choose ranges instead of single indices", s, maxChosen)
		}
		parts = next
	}
	return parts, nil
}

// progressions are the fewest arithmetic progressions that hold the indices of the condition once each.
func (d dimRuns) progressions(dim Dim) ([]ap, error) {
	if len(d.runs) == 1 {
		a, err := d.runs[0].in(dim)
		return []ap{a}, err
	}
	set, err := union(d.runs, dim.Size, func(r run) (ap, error) { return r.in(dim) })
	if err != nil {
		return nil, err
	}
	return partition(set), nil
}

func (r run) in(dim Dim) (ap, error) {
	if r.one {
		if r.lo < 0 || r.lo >= dim.Size {
			return ap{}, outOfRange(dim, r.lo)
		}
		return ap{r.lo, 1, 1}, nil
	}
	n, err := progression(dim, r.lo, r.hi, r.step)
	return ap{r.lo, r.step, n}, err
}

// inRanks is run.in for flat indices, whose errors speak of ranks.
func (r run) inRanks(e Extent, n int) (ap, error) {
	switch {
	case r.one && (r.lo < 0 || r.lo >= n):
		return ap{}, fmt.Errorf("rank %d is out of range: %s has %s", r.lo, e, span(n))
	case r.one:
		return ap{r.lo, 1, 1}, nil
	case r.lo >= n:
		return ap{}, fmt.Errorf("ranks %s begin out of range: %s has %s", r.flatText(), e, span(n))
	case r.hi <= r.lo:
		return ap{}, fmt.Errorf("ranks %s hold nothing: the end is not included, so want an end above %d", r.flatText(), r.lo)
	}
	return ap{r.lo, r.step, (min(r.hi, n)-r.lo-1)/r.step + 1}, nil
}

// union is the sorted set of indices that the runs hold.
func union(runs []run, size int, in func(run) (ap, error)) ([]int, error) {
	var progs []ap
	total := 0
	for _, r := range runs {
		p, err := in(r)
		if err != nil {
			return nil, err
		}
		progs = append(progs, p)
		if p.count > maxChosen-total {
			return nil, fmt.Errorf("more than %d indices of %d are chosen one by one: use one range", maxChosen, size)
		}
		total += p.count
	}
	set := make([]int, 0, total)
	for _, p := range progs {
		for i := range p.count {
			set = append(set, p.start+i*p.step)
		}
	}
	slices.Sort(set)
	return slices.Compact(set), nil
}

func (s Selection) resolveFlat(r Region) ([]Region, error) {
	e, n := r.Extent(), r.Len()
	if len(s.flat) == 1 {
		p, err := s.flat[0].inRanks(e, n)
		switch {
		case err != nil:
			return nil, err
		case s.flat[0].one:
			return []Region{{Labels: []string{}, Offset: r.RankAt(p.start), Sizes: []int{}, Strides: []int{}}}, nil
		case p.count == n:
			return []Region{r.clone()}, nil
		case len(r.Labels) == 1:
			return []Region{r.stretch(0, p)}, nil
		}
	}
	set, err := union(s.flat, n, func(x run) (ap, error) { return x.inRanks(e, n) })
	if err != nil {
		return nil, err
	}
	return coverIndices(r, set), nil
}

// Ranks are the base ranks that the selection chooses of r, sorted. Its errors are those of Resolve.
func (s Selection) Ranks(r Region) ([]int, error) { return s.RanksOn(r, nil) }

// RanksOn is Ranks of a region of which it is known on which host each rank is.
func (s Selection) RanksOn(r Region, on HostOf) ([]int, error) {
	parts, err := s.ResolveOn(r, on)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, p := range parts {
		n := p.Len()
		if n > math.MaxInt32-total {
			return nil, fmt.Errorf("%s chooses more than %d ranks of %s", s, math.MaxInt32, r.Extent())
		}
		total += n
	}
	ranks := make([]int, 0, total)
	for _, p := range parts {
		ranks = slices.AppendSeq(ranks, p.Ranks())
	}
	if len(parts) > 1 {
		slices.Sort(ranks)
	}
	return ranks, nil
}
