package grid

import (
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// texts are the words for a selection, made once per change of it.
type texts struct {
	made        bool
	version     int
	inner       string // as between the brackets of the command language: dp=1:4,tp=1
	display     string // ranks(dp=1:4, tp=1)
	slicesLong  string // one slice: offset 9 stride 8
	slicesShort string // is a slice
}

func (pl *place) texts() *texts {
	if t := &pl.text; t.made && t.version == pl.version {
		return t
	}
	t := texts{made: true, version: pl.version}
	if pl.sel.n > 0 {
		b := pl.box()
		t.inner = pl.inner(b)
		t.display = pl.display(t.inner)
		t.slicesLong, t.slicesShort = pl.sliceWords(b)
	}
	pl.text = t
	return &pl.text
}

// box is the selection by dimension: which indices of each it has.
type box struct {
	dims  [][]int // sorted indices
	exact bool    // the selection is all their combinations
}

func (pl *place) box() box {
	v := pl.views[0]
	seen := make([][]bool, len(v.dims))
	for d, a := range v.dims {
		seen[d] = make([]bool, a.size)
	}
	pl.sel.each(func(rank int) {
		index := v.index(rank)
		for d := range v.dims {
			seen[d][v.coord(index, d)] = true
		}
	})
	b := box{dims: make([][]int, len(v.dims))}
	n := 1
	for d, s := range seen {
		for i, on := range s {
			if on {
				b.dims[d] = append(b.dims[d], i)
			}
		}
		n *= len(b.dims[d])
	}
	b.exact = n == pl.sel.n
	return b
}

// inner is the selection in as few words as there are: dimensions where it is a box of them, else ranks.
func (pl *place) inner(b box) string {
	v := pl.views[0]
	if pl.sel.n == pl.n {
		return "*"
	}
	if pl.sel.n == 1 {
		return strconv.Itoa(v.index(pl.sel.first()))
	}
	if b.exact {
		var parts []string
		short := true
		for d, list := range b.dims {
			if len(list) == v.dims[d].size {
				continue
			}
			parts = append(parts, v.dims[d].name+"="+indices(list))
			short = short && (len(v.dims) > 1 || step(list) > 0)
		}
		if short {
			return strings.Join(parts, ",")
		}
	}
	index := make([]int, 0, pl.sel.n)
	pl.sel.each(func(rank int) { index = append(index, v.index(rank)) })
	slices.Sort(index)
	if n := step(index); n > 1 && len(index) > 2 {
		return rangeOf(index, n)
	}
	return shape.FormatRanks(index)
}

// step is the distance of the numbers of a list, 0 where they have none in common.
func step(list []int) int {
	if len(list) < 2 {
		return 1
	}
	n := list[1] - list[0]
	for i := 2; i < len(list); i++ {
		if list[i]-list[i-1] != n {
			return 0
		}
	}
	return n
}

func rangeOf(list []int, step int) string {
	out := strconv.Itoa(list[0]) + ":" + strconv.Itoa(list[len(list)-1]+1)
	if step > 1 {
		out += ":" + strconv.Itoa(step)
	}
	return out
}

// indices is 1, 1:4, 0:7:2 or (0,1,3).
func indices(list []int) string {
	n := step(list)
	switch {
	case len(list) == 1:
		return strconv.Itoa(list[0])
	case n == 1 || n > 1 && len(list) > 2:
		return rangeOf(list, n)
	}
	var parts []string
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && list[j] == list[j-1]+1 {
			j++
		}
		if len(list) > mostListed && j-i > 2 { // Monarch has no such list, but nobody reads a hundred numbers
			parts = append(parts, rangeOf(list[i:j], 1))
		} else {
			for _, x := range list[i:j] {
				parts = append(parts, strconv.Itoa(x))
			}
		}
		i = j
	}
	return "(" + strings.Join(parts, ",") + ")"
}

// mostListed is how many numbers are written one by one.
const mostListed = 12

// display is the selection in Monarch's words, ranks(dp=1:4, tp=1), where it has words for it, else as the command
// language writes it.
func (pl *place) display(inner string) string {
	if inner == "*" {
		return "ranks(:)"
	}
	if _, err := shape.ParseRanks(inner); err == nil {
		if !strings.ContainsRune(inner, '=') {
			return "ranks(" + inner + ")"
		}
		var conditions []string
		for _, part := range parts(inner) {
			conditions = append(conditions, inner[part.from:part.to])
		}
		return "ranks(" + strings.Join(conditions, ", ") + ")"
	}
	if !strings.ContainsRune(inner, '=') {
		index := make([]int, 0, mostListed)
		if pl.sel.n <= mostListed {
			pl.sel.each(func(rank int) { index = append(index, pl.views[0].index(rank)) })
		}
		switch step := step(index); {
		case len(index) == 0:
		case step == 1:
			return "ranks(" + rangeOf(index, 1) + ")"
		default:
			var parts []string
			for _, i := range index {
				parts = append(parts, strconv.Itoa(i))
			}
			return "ranks(" + strings.Join(parts, ",") + ")"
		}
		if lo, hi, ok := strings.Cut(inner, "-"); ok && !strings.ContainsAny(hi, "-,") {
			if last, err := strconv.Atoi(hi); err == nil {
				return "ranks(" + lo + ":" + strconv.Itoa(last+1) + ")"
			}
		}
	}
	return pl.selector(inner)
}

// selector is the selection with its mesh, as the command language writes it: @ponger[dp=1:4,tp=1].
func (pl *place) selector(inner string) string {
	out := pl.name
	if !pl.key.procs {
		out = "@" + out
	}
	if inner == "" || inner == "*" {
		return out
	}
	return out + "[" + inner + "]"
}

// mostCovered bounds the ranks for which the fewest slices are looked for while a person selects.
const mostCovered = 4096

// sliceWords tell how many strided slices the selection is: a call is sent once for each.
func (pl *place) sliceWords(b box) (long, short string) {
	if pl.sel.n == pl.n {
		return "the whole mesh", "all of it"
	}
	if !b.exact && pl.sel.n > mostCovered {
		return "many slices", "many slices"
	}
	parts := pl.slices()
	if n := len(parts); n != 1 {
		return paint.Exact(n) + " slices", paint.Exact(n) + " slices"
	}
	r := parts[0]
	long = "one slice: offset " + strconv.Itoa(r.Offset)
	var strides []string
	for d, size := range r.Sizes {
		if size > 1 {
			strides = append(strides, strconv.Itoa(r.Strides[d]))
		}
	}
	switch {
	case len(strides) == 1:
		long += " stride " + strides[0]
	case len(strides) > 1:
		long += " strides " + strings.Join(strides, ",")
	}
	return long, "is a slice"
}

// slices are the fewest strided slices found that hold the selection.
func (pl *place) slices() []shape.Region {
	if pl.sel.n == 0 {
		return nil
	}
	return shape.Cover(pl.region, pl.sel.ranks())
}

// Target is what a verb is for: the selection, or without one the rank under the cursor.
type Target struct {
	Mesh     uint64 // id of the actor mesh or proc mesh
	Procs    bool
	Name     string
	Ranks    []int  // of the mesh, in order
	Selector string // as the command language writes it: @ponger[dp=1:4,tp=1]
	Selected bool   // not only the cursor
}

// Target is what a verb is for now, and whether there is anything. In HEAT the cursor stands for its group.
func (p *Pane) Target() (Target, bool) {
	if p.at == nil {
		return Target{}, false
	}
	pl := p.at
	t := Target{Mesh: pl.key.id, Procs: pl.key.procs, Name: pl.name, Selected: pl.sel.n > 0}
	if t.Selected {
		t.Ranks, t.Selector = pl.sel.ranks(), pl.selector(pl.texts().inner)
		return t, true
	}
	group := newSet(pl.n)
	p.underCursor(func(rank int) { group.put(rank, true) })
	t.Ranks, t.Selector = group.ranks(), pl.selector(pl.textOf(group))
	return t, true
}

// textOf is a set of ranks as Text would write it.
func (pl *place) textOf(s set) string {
	if s.n == 0 {
		return ""
	}
	other := *pl
	other.sel = s
	return other.inner(other.box())
}

// Selected are the selected ranks of the mesh, in order.
func (p *Pane) Selected() []int {
	if p.at == nil {
		return nil
	}
	return p.at.sel.ranks()
}

// Slices are the strided slices, the fewest found, that hold the selection: a call is sent once for each.
func (p *Pane) Slices() []shape.Region {
	if p.at == nil {
		return nil
	}
	return p.at.slices()
}

// Text is the selection as it is edited: dp=1:4,tp=1, * for all, "" for none. SetSelection reads it.
func (p *Pane) Text() string {
	if p.at == nil {
		return ""
	}
	return p.at.texts().inner
}

// Selector is the selection as the command language writes it, @ponger[dp=1:4,tp=1], "" for none.
func (p *Pane) Selector() string {
	if p.at == nil || p.at.sel.n == 0 {
		return ""
	}
	return p.at.selector(p.at.texts().inner)
}
