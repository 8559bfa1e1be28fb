package logs

import (
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

type ring = world.Ring[control.Log]

// Limits of folding.
const (
	together = 5 * time.Second // lines that are further apart are not folded
	ahead    = 8               // folds of one text that wait for more ranks: how far one rank may be ahead of another
)

// fold is a row: lines that several ranks printed alike.
type fold struct {
	lines   []int // numbers in the ring
	ranks   []int // that printed it, also those whose lines are gone; sorted
	count   int   // lines ever
	matched int   // lines in the ring that get through the filter
	way     way
	keys    foldKeys
	last    time.Time
	open    bool
	mark    uint64 // of the pass that has shown it

	text, who           string // as shown
	textCount, whoCount int    // when there were so many lines
}

// record is what is known of a line.
type record struct {
	f       *fold
	source  string // mesh, procs, engine or main
	level   Level
	matches bool
}

type index struct {
	stream.Index

	recs    []record
	waiting map[uint64][]*fold
	keyer   keyer
	live    int // folds
	shown   int // lines that get through the filter
	filter  *filter.Filter
	fields  filter.Fields
	names   sourceNames
	mesh    [2]string
	rank    [1]int
}

// sourceNames remembers the names of ranks: the same few come again and again.
type sourceNames map[sourceRank]string

type sourceRank struct {
	source string
	rank   int
}

const mostNames = 8192

func (n *sourceNames) of(source string, rank int) string {
	if rank < 0 {
		return source
	}
	key := sourceRank{source, rank}
	if name, ok := (*n)[key]; ok {
		return name
	}
	if len(*n) >= mostNames || *n == nil {
		*n = sourceNames{}
	}
	name := world.ActorName(source, rank)
	(*n)[key] = name
	return name
}

func newIndex() *index {
	ix := &index{}
	ix.reset()
	return ix
}

func (ix *index) reset() {
	ix.recs = make([]record, world.MaxLogs)
	ix.waiting = map[uint64][]*fold{}
	ix.live, ix.shown = 0, 0
}

func (ix *index) rec(number int) *record { return &ix.recs[number%len(ix.recs)] }

// sync follows the ring.
func (ix *index) sync(w *world.World, src *ring) {
	ix.Follow(src.First(), src.Total(), ix.reset, ix.evict, func(number int) { ix.add(w, src.At(number), number) })
}

// sourceOf is who printed a line: a mesh, a proc mesh, the engine, or the program.
func sourceOf(w *world.World, l *control.Log) string {
	switch {
	case l.Mesh != "":
		return l.Mesh
	case l.Proc != 0:
		if p, ok := w.Proc(l.Proc); ok {
			return p.Mesh
		}
		return "proc"
	case l.Stream == "engine":
		return "engine"
	}
	return "main"
}

// add takes in a line.
func (ix *index) add(w *world.World, l *control.Log, number int) {
	source := sourceOf(w, l)
	var f *fold
	var k foldKeys
	if l.Rank >= 0 {
		k = ix.keyer.of(source, l.Stream, l.Text, l.Rank)
		f = ix.alike(k.equal, equal, l)
		if f == nil && k.byRanks != 0 {
			f = ix.alike(k.byRanks, byRanks, l)
		}
	}
	if f == nil {
		f = &fold{keys: k}
		if l.Rank >= 0 {
			f.ranks = []int{l.Rank}
		}
		ix.live++
		ix.wait(k.equal, f)
		ix.wait(k.byRanks, f)
	}
	f.lines = append(f.lines, number)
	f.count++
	f.last = l.Time
	r := ix.rec(number)
	*r = record{f: f, source: source, level: LevelOf(l)}
	if r.matches = ix.match(l, r); r.matches {
		f.matched++
		ix.shown++
	}
}

// alike finds a fold that a line belongs to, and joins its rank.
func (ix *index) alike(key uint64, how way, l *control.Log) *fold {
	for _, f := range ix.waiting[key] {
		if f.way != single && f.way != how || l.Time.Sub(f.last) > together {
			continue
		}
		if ranks, joined := insert(f.ranks, l.Rank); joined {
			f.ranks, f.way = ranks, how
			return f
		}
	}
	return nil
}

// wait lets a fold wait for more ranks.
func (ix *index) wait(key uint64, f *fold) {
	if key == 0 {
		return
	}
	list := append(ix.waiting[key], f)
	ix.waiting[key] = list[max(0, len(list)-ahead):]
}

// evict forgets a line that has left the ring.
func (ix *index) evict(number int) {
	r := ix.rec(number)
	f := r.f
	if r.matches {
		f.matched--
		ix.shown--
	}
	*r = record{}
	f.lines = f.lines[1:] // in the order of the ring
	if len(f.lines) > 0 {
		return
	}
	ix.live--
	for _, key := range [2]uint64{f.keys.equal, f.keys.byRanks} {
		list := slices.DeleteFunc(ix.waiting[key], func(o *fold) bool { return o == f })
		if len(list) == 0 {
			delete(ix.waiting, key)
		} else {
			ix.waiting[key] = list
		}
	}
}

// match asks the filter about a line.
func (ix *index) match(l *control.Log, r *record) bool {
	if ix.filter.Empty() {
		return true
	}
	f := &ix.fields
	*f = filter.Fields{Stream: l.Stream, Level: r.level.String(), Mesh: ix.mesh[:0], Rank: ix.rank[:0], From: ix.names.of(r.source, l.Rank)}
	f.Text = l.Text
	if l.Rank >= 0 {
		f.Mesh, f.Rank = append(f.Mesh, r.source), append(f.Rank, l.Rank)
	}
	return ix.filter.Match(f)
}

// setFilter asks about every line anew.
func (ix *index) setFilter(src *ring, f *filter.Filter) {
	ix.filter, ix.shown = f, 0
	for n := ix.First; n < ix.Next; n++ {
		ix.rec(n).f.matched = 0
	}
	for n := ix.First; n < ix.Next; n++ {
		r := ix.rec(n)
		if r.matches = ix.match(src.At(n), r); r.matches {
			r.f.matched++
			ix.shown++
		}
	}
	ix.Version++
}
