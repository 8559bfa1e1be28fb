package chaos

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet/fault"
)

// Book is the controller's table of the faults that act. It belongs to whoever holds the hub's lock.
type Book struct {
	next  uint64
	list  []*entry // by ID
	turn  uint64   // of the orders
	told  map[uint64]bool
	Close bool // nothing is entered any more
}

type entry struct {
	control.Fault
	aim     Aim
	counts  map[uint64]fault.Count // by process, as it told last
	changed bool                   // they are to be told
}

// Aim is whom a fault is on.
type Aim struct {
	Procs     []uint64 // in order of Fault.Ranks
	To        []uint64 // the other ends, in order of Fault.ToRanks; the controller is 0
	Everybody bool     // the other ends are all processes, whichever there are
}

// Change is what became of a fault.
type Change struct {
	control.Fault
	Gone bool
	Why  string
}

// Room says why no fault can be entered now; nil: one can.
func (b *Book) Room() error {
	if len(b.list) >= control.MaxFaults {
		return fmt.Errorf("%d faults act already, which is the most: heal some", len(b.list))
	}
	return nil
}

// Enter puts in a fault that was checked and aimed, and gives it its number and its times.
func (b *Book) Enter(f control.Fault, aim Aim, now time.Time) control.Fault {
	b.next++
	f.ID, f.Since, f.Until = b.next, now, time.Time{}
	f.Seen, f.Dropped, f.Delayed = 0, 0, 0
	if f.For > 0 {
		f.Until = now.Add(f.For)
	}
	b.list = append(b.list, &entry{Fault: f, aim: aim, counts: map[uint64]fault.Count{}})
	return b.list[len(b.list)-1].told()
}

// told is the fault as it is told to others, with its counts added up.
func (e *entry) told() control.Fault {
	var sum fault.Count
	for _, c := range e.counts {
		sum = Add(sum, c)
	}
	e.Seen, e.Dropped, e.Delayed, e.changed = sum.Seen, sum.Dropped, sum.Delayed, false
	f := e.Fault
	f.Ranks, f.ToRanks = slices.Clone(f.Ranks), slices.Clone(f.ToRanks)
	return f
}

// Faults are those that act, by number.
func (b *Book) Faults() []control.Fault {
	out := make([]control.Fault, len(b.list))
	for i, e := range b.list {
		out[i] = e.told()
	}
	return out
}

// Count takes what a process told of what its faults have done. It reports whether there is anything to tell.
func (b *Book) Count(proc uint64, counts []fault.Count) (any bool) {
	for _, c := range counts {
		for _, e := range b.list {
			if e.ID == c.ID && e.counts[proc] != c {
				e.counts[proc] = c
				e.changed, any = true, true
			}
		}
	}
	return any
}

// Counted gives the faults whose counts have changed since they were told.
func (b *Book) Counted() (out []Change) {
	for _, e := range b.list {
		if e.changed {
			out = append(out, Change{Fault: e.told()})
		}
	}
	return out
}

// Paused are the processes that are to stand.
func (b *Book) Paused() map[uint64]bool {
	out := map[uint64]bool{}
	for _, e := range b.list {
		if e.Kind == control.FaultPause {
			for _, id := range e.aim.Procs {
				out[id] = true
			}
		}
	}
	return out
}

// Heal takes out what a request names.
func (b *Book) Heal(r control.HealReq, why string) ([]Change, error) {
	ways := 0
	for _, set := range []bool{len(r.IDs) > 0, r.Procs != "", r.Mesh != "", r.All} {
		if set {
			ways++
		}
	}
	if ways != 1 || len(r.Ranks) > 0 && r.Procs == "" && r.Mesh == "" {
		return nil, errors.New("heal: want faults by their numbers, or those of a mesh, or all")
	}
	for _, id := range r.IDs { // one that is over is as it was wanted
		if id == 0 || id > b.next {
			return nil, fmt.Errorf("there is no fault %d", id)
		}
	}
	named := func(rank int) bool { return len(r.Ranks) == 0 || slices.Contains(r.Ranks, rank) }
	return b.take(why, func(e *entry) (on, to func(rank int, _ uint64) bool) {
		if r.All || slices.Contains(r.IDs, e.ID) {
			return func(int, uint64) bool { return true }, nil
		}
		meant := func(rank int, _ uint64) bool { return named(rank) }
		if r.Mesh != "" && e.Mesh == r.Mesh || r.Procs != "" && e.Procs == r.Procs {
			on = meant
		}
		if r.Procs != "" && e.To == r.Procs {
			to = meant
		}
		return on, to
	}), nil
}

// Drop takes out whole faults.
func (b *Book) Drop(meant func(*control.Fault) bool, why string) []Change {
	return b.take(why, func(e *entry) (on, to func(int, uint64) bool) {
		if meant(&e.Fault) {
			on = func(int, uint64) bool { return true }
		}
		return on, nil
	})
}

// Gone takes processes out of all faults, because they have ended or are about to.
func (b *Book) Gone(gone func(proc uint64) bool, why string) []Change {
	if len(b.list) == 0 {
		return nil
	}
	meant := func(_ int, proc uint64) bool { return gone(proc) }
	return b.take(why, func(e *entry) (on, to func(int, uint64) bool) {
		if e.To != "" {
			to = meant
		}
		return meant, to
	})
}

// take takes ranks out of the faults: of the ranks that they are on, and of those at the other end. A fault that is left with none is
// gone.
func (b *Book) take(why string, meant func(*entry) (on, to func(rank int, proc uint64) bool)) (out []Change) {
	var left []*entry
	for _, e := range b.list {
		on, to := meant(e)
		was, is := without(&e.Ranks, &e.aim.Procs, on)
		if e.To != "" {
			also, still := without(&e.ToRanks, &e.aim.To, to)
			was, is = was || also, is && still
		}
		if is {
			left = append(left, e)
		}
		if was {
			out = append(out, Change{Fault: e.told(), Gone: !is, Why: map[bool]string{false: why}[is]})
		}
	}
	b.list = left
	return out
}

// without takes ranks out of a list, with their processes. It reports whether there were any, and whether some are left.
func without(ranks *[]int, procs *[]uint64, meant func(rank int, proc uint64) bool) (was, is bool) {
	if meant == nil {
		return false, len(*ranks) > 0
	}
	var r []int
	var p []uint64
	for i, rank := range *ranks {
		if !meant(rank, (*procs)[i]) {
			r, p = append(r, rank), append(p, (*procs)[i])
		}
	}
	was, is = len(r) < len(*ranks), len(r) > 0
	*ranks, *procs = r, p
	return was, is
}

// Orders makes the orders of all processes anew and gives those that are to be told: of those who have something to do, and of
// those who had. everybody are the processes that have links; addr says where each is.
func (b *Book) Orders(everybody []uint64, addr func(proc uint64) string) map[uint64]Orders {
	if b.turn == 0 && len(b.list) == 0 {
		return nil
	}
	scopes := make([]Scope, len(b.list))
	for i, e := range b.list {
		scopes[i] = Scope{Fault: &e.Fault, Procs: e.aim.Procs, To: e.aim.To}
		if e.aim.Everybody {
			scopes[i].To = everybody
		}
	}
	b.turn++
	next := Plan(scopes, addr)
	out := map[uint64]Orders{}
	for id := range b.told {
		out[id] = Orders{Turn: b.turn}
	}
	b.told = map[uint64]bool{}
	for id, o := range next {
		o.Turn = b.turn
		out[id], b.told[id] = *o, true
	}
	return out
}

// Left are the ranks of a mesh that live, of those that are named, or of all; with their processes. Ranks that are named and
// do not live are a mistake.
func Left(what string, ranks []int, n int, live func(rank int) (proc uint64, ok bool)) (aimed []int, procs []uint64, err error) {
	named := len(ranks) > 0
	if !named {
		for r := range n {
			ranks = append(ranks, r)
		}
	}
	var ended []int
	for _, r := range slices.Compact(slices.Sorted(slices.Values(ranks))) {
		if r < 0 || r >= n {
			return nil, nil, fmt.Errorf("%s has no rank %d: its ranks are 0 to %d", what, r, n-1)
		}
		if proc, ok := live(r); ok {
			aimed, procs = append(aimed, r), append(procs, proc)
		} else {
			ended = append(ended, r)
		}
	}
	switch {
	case len(aimed) == 0 && !named:
		return nil, nil, fmt.Errorf("%s has no rank that runs", what)
	case named && len(ended) > 0:
		return nil, nil, fmt.Errorf("%s%s: not running: a fault is on what runs", what, control.FormatSel(ended))
	}
	return aimed, procs, nil
}
