package top

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// id is who a row is about: an actor, or all of a mesh where rank is all.
type id struct {
	mesh uint64
	rank int
}

const all = -1

// row is one line, with its figures; one that is not known is negative.
type row struct {
	id
	name     string // of the mesh
	word     string // of the state; of a mesh the gravest
	rate     float64
	busy     float64 // share, 0 to 1; of a mesh the mean
	queue    int
	p50, p99 time.Duration
	handled  uint64
	size     int // actors that it stands for
}

// label is who it is about, as the screens name it.
func (r *row) label() string {
	if r.rank == all {
		return r.name
	}
	return world.ActorName(r.name, r.rank)
}

// times are how long answers of the last while took, by actor.
type times struct {
	of map[id][]time.Duration
	n  int // of all
}

// timesOf goes through the answers that are kept. What was given up, or was lost, says nothing of who did not answer.
func timesOf(w *world.World) times {
	t := times{of: map[id][]time.Duration{}}
	names := map[string]uint64{}
	for n := w.Messages.First(); n < w.Messages.Total(); n++ {
		m := w.Messages.At(n)
		if m.Took <= 0 || m.Outcome != control.OutcomeReply && m.Outcome != control.OutcomeError || w.Now.Sub(m.Time) > while {
			continue
		}
		name, rank, ok := world.SplitName(m.From)
		if !ok || !strings.HasPrefix(m.From, "@") {
			continue
		}
		mesh, known := names[name]
		if !known {
			if x, ok := w.Mesh(name); ok {
				mesh = x.Ref.ID
			}
			names[name] = mesh
		}
		if m.Time.Before(w.Begun(mesh)) { // of another one, which had the name before
			continue
		}
		key := id{mesh, rank}
		t.of[key] = append(t.of[key], m.Took)
		t.n++
	}
	return t
}

// quantiles are the times within which half, and 99 of 100, of the answers came: of few, the longest. Without answers
// they are negative.
func quantiles(list []time.Duration) (p50, p99 time.Duration) {
	if len(list) == 0 {
		return -1, -1
	}
	slices.Sort(list)
	at := func(percent int) time.Duration { return list[(len(list)*percent+99)/100-1] }
	return at(50), at(99)
}

// makeRows makes the rows of all that live, and tells how many there are without the filter.
func (p *Pane) makeRows(w *world.World, t times) (rows []row, total int) {
	rows = p.spare[:0]
	p.sum = summary{answers: t.n}
	for i := range w.Meshes {
		m := &w.Meshes[i]
		if m.Gone {
			continue
		}
		sum := row{id: id{m.Ref.ID, all}, name: m.Ref.Name, word: "gone", rate: -1, busy: -1, queue: 0, size: len(m.Ranks)}
		var took []time.Duration
		living, rated, timed := 0, 0, 0
		for rank := range m.Ranks {
			r := p.actor(w, m, rank)
			sum.queue += r.queue
			sum.handled += r.handled
			if r.lives() {
				living++
			}
			if r.rate >= 0 {
				sum.rate = max(0, sum.rate) + r.rate
				rated++
			}
			if r.busy >= 0 {
				sum.busy = max(0, sum.busy) + r.busy
				timed++
			}
			sum.word = graver(sum.word, r.word)
			key := id{m.Ref.ID, rank}
			if p.fold {
				took = append(took, t.of[key]...)
				continue
			}
			total++
			r.p50, r.p99 = quantiles(t.of[key])
			if p.through(&r) {
				rows = append(rows, r)
			}
		}
		if sum.busy /= float64(max(1, timed)); timed < living || timed == 0 { // a part of it is no figure of all
			sum.busy = -1
		}
		if rated < living {
			sum.rate = -1
		}
		if p.fold {
			total++
			sum.p50, sum.p99 = quantiles(took)
			if p.through(&sum) {
				rows = append(rows, sum)
			}
		}
	}
	p.order(rows)
	return rows, total
}

func (p *Pane) order(rows []row) {
	slices.SortFunc(rows, func(a, b row) int { return p.by.compare(&a, &b) })
}

func (p *Pane) actor(w *world.World, m *control.Mesh, rank int) row {
	s := &m.Ranks[rank]
	r := row{id: id{m.Ref.ID, rank}, name: m.Ref.Name, word: w.Word(m, rank), queue: s.Queue, handled: s.Handled, size: 1, p50: -1, p99: -1}
	if r.rate, r.busy = p.rates.of(m.Ref.ID, rank); !r.lives() {
		r.rate, r.busy = -1, -1
	}
	return r
}

func (r *row) lives() bool { return r.word != "gone" && r.word != "failed" }

// graver is the one of two states that a group shows.
func graver(a, b string) string {
	return world.Severities()[world.Graver(uint8(world.Severity(a)), uint8(world.Severity(b)))]
}

// through reports whether the filter lets a row through.
func (p *Pane) through(r *row) bool {
	if p.filter.Empty() {
		return true
	}
	f := filter.Fields{Mesh: []string{r.name}, State: r.figure(State)}
	if r.rank != all {
		f.Rank = []int{r.rank}
	}
	if p.filter.Uses(filter.Word) {
		f.Text = r.label() + " " + r.figure(State)
	}
	return p.filter.Match(&f)
}

// Column is a column of the table.
type Column uint8

// The columns, from left to right.
const (
	Name Column = iota
	State
	Rate
	Busy
	Queue
	P50
	P99
	Handled
	columns
)

// String is the column as its head names it.
func (c Column) String() string {
	return [columns]string{"actor", "state", "msg/s", "busy", "queue", "p50", "p99", "handled"}[min(c, Handled)]
}

// compare orders by a column: names from A on, what is counted from the most on, and what is not known last.
func (c Column) compare(a, b *row) int {
	by := 0
	switch c {
	case State:
		by = cmp.Compare(world.Severity(b.word), world.Severity(a.word))
	case Rate:
		by = cmp.Compare(b.rate, a.rate)
	case Busy:
		by = cmp.Compare(b.busy, a.busy)
	case Queue:
		by = cmp.Compare(b.queue, a.queue)
	case P50:
		by = cmp.Compare(b.p50, a.p50)
	case P99:
		by = cmp.Compare(b.p99, a.p99)
	case Handled:
		by = cmp.Compare(b.handled, a.handled)
	case Name, columns:
	}
	return cmp.Or(by, strings.Compare(a.name, b.name), cmp.Compare(a.mesh, b.mesh), cmp.Compare(a.rank, b.rank))
}
