package messages

import (
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

type ring = world.Ring[control.Message]

// record says to which exchange a message of the ring belongs.
type record struct {
	h  *exchange
	at int64 // when it was sent, in nanoseconds
}

// index finds the exchange and the fold of each message. Messages come in batches from many processes, so they are kept in
// the order of their times too, and a call may come after those that its handler made.
type index struct {
	stream.Index

	recs    []record
	order   []stamp
	room    []stamp            // for those that come; to be used again, as
	tape    []stamp            // the room of order
	looked  int                // entries of order that were looked at so far
	flow    bool               // the rows are the flow's: they also tell of answers, and of what was between
	stale   stale              // rows that are to be made anew
	told    []*exchange        // of which it is known since rows were made when they came
	moved   []*fold            // their rows stood at messages that have gone
	orphans map[uint64][]*fold // by the message that has caused them, which has not come yet
	byCall  table[fold]
	byID    table[exchange]
	byNth   map[nth]*fold
	folds   uint64
	live    int // folds
	pool    pool
	match   func(h *exchange) bool
	shown   int // messages that get through the filter
}

func newIndex() *index {
	ix := &index{}
	ix.reset()
	return ix
}

func (ix *index) reset() {
	ix.recs = make([]record, world.MaxMessages)
	ix.byCall, ix.byID, ix.byNth = newTable[fold](), newTable[exchange](), map[nth]*fold{}
	ix.orphans, ix.order = map[uint64][]*fold{}, ix.order[:0]
	ix.live, ix.shown = 0, 0
	ix.pool = pool{made: ix.pool.made}
	ix.stale.all()
	ix.moved, ix.told = nil, nil
}

// sync follows the ring.
func (ix *index) sync(src *ring) {
	fresh, changed := ix.Follow(src.First(), src.Total(), ix.reset, ix.evict, func(number int) { ix.add(src, number) })
	if changed {
		ix.arrange(fresh)
	}
}

func (ix *index) rec(number int) *record { return &ix.recs[number%len(ix.recs)] }

// add takes in a message.
func (ix *index) add(src *ring, number int) {
	m := src.At(number)
	var h *exchange
	if m.IsAnswer() {
		h = ix.answer(m, number)
	} else {
		h = ix.call(m, number)
	}
	at := m.Time.UnixNano()
	*ix.rec(number) = record{h, at}
	f := h.f
	if f.live == 0 {
		f.oldest, f.newest = at, at
	}
	f.live++
	f.changes++
	f.oldest, f.newest = min(f.oldest, at), max(f.newest, at)
	ix.came(h, at)
	if m.IsAnswer() {
		ix.latest(h, number)
	}
	ix.judge(h)
	if !m.IsAnswer() {
		f.kept++
		ix.adopt(src, h)
	}
}

func (ix *index) call(m *control.Message, number int) *exchange {
	f := ix.byCall.get(m.Call)
	if f == nil {
		f = ix.foldOf(m)
	}
	h := ix.pool.more(f, exchange{f: f, id: m.ID, call: number, answer: -1, sentAt: m.Time.UnixNano()})
	f.seen++
	if m.ID != 0 {
		ix.byID.put(m.ID, h)
	}
	return h
}

func (ix *index) answer(m *control.Message, number int) *exchange {
	var h *exchange
	if m.Parent != 0 {
		h = ix.byID.get(m.Parent)
	}
	if h == nil || h.answered {
		f := ix.byCall.get(m.Call)
		if f == nil {
			f = ix.newFold(m)
		}
		h = ix.pool.more(f, exchange{f: f, call: -1})
	}
	h.answer, h.answered, h.took, h.cancelled = number, true, m.Took, Cancelled(m)
	h.ended = m.Time.UnixNano()
	h.failed = m.Kind == control.MessageError && !h.cancelled
	if h.call >= 0 {
		h.arrived, h.began = handling(h.sentAt, m)
	}
	f := h.f
	f.answered++
	f.sum += m.Took
	f.max = max(f.max, m.Took)
	switch {
	case h.failed:
		f.failed++
	case h.cancelled:
		f.cancelled++
	}
	return h
}

// judge asks the filter about an exchange that has changed.
func (ix *index) judge(h *exchange) {
	was, before := h.matches, h.messages()
	if was {
		before-- // the message that has just come is not counted yet
		h.f.matched--
	} else {
		before = 0
	}
	h.matches = ix.match == nil || ix.match(h)
	after := 0
	if h.matches {
		h.f.matched++
		after = h.messages()
	}
	h.f.messages += after - before
	ix.shown += after - before
	if h.matches != was {
		ix.judged(h)
	}
}

// filter asks about every exchange anew.
func (ix *index) filter(match func(h *exchange) bool) {
	ix.match, ix.shown = match, 0
	for n := ix.First; n < ix.Next; n++ {
		f := ix.rec(n).h.f
		f.matched, f.messages = 0, 0
		f.changes++
	}
	for n := ix.First; n < ix.Next; n++ {
		h := ix.rec(n).h
		if h.call >= 0 && h.call != n { // its second message
			continue
		}
		h.matches = match == nil || match(h)
		if h.matches {
			h.f.matched++
			h.f.messages += h.messages()
			ix.shown += h.messages()
		}
	}
	ix.Version++
	ix.stale.all()
}

// evict forgets a message that has left the ring.
func (ix *index) evict(number int) {
	r := ix.rec(number)
	h, at := r.h, r.at
	f := h.f
	*r = record{}
	if h.matches {
		f.messages--
		ix.shown--
	}
	if h.call == number {
		h.call = -1
		f.kept--
		if h.id != 0 {
			ix.byID.drop(h.id, h)
		}
	} else {
		h.answer = -1
	}
	f.live--
	f.changes++
	if h.messages() == 0 && h.matches {
		f.matched--
	}
	ix.went(h, number, at)
	if f.live == 0 {
		ix.forget(f)
	} else if h.messages() == 0 {
		ix.pool.compact(f)
	}
}

// forget lets go of a fold of which nothing is left.
func (ix *index) forget(f *fold) {
	ix.live--
	for _, c := range f.calls {
		ix.byCall.drop(c, f)
	}
	if f.nth.parent != 0 && ix.byNth[f.nth] == f {
		delete(ix.byNth, f.nth)
	}
	if f.orphan != 0 {
		list := slices.DeleteFunc(ix.orphans[f.orphan], func(o *fold) bool { return o == f })
		if ix.orphans[f.orphan] = list; len(list) == 0 {
			delete(ix.orphans, f.orphan)
		}
	}
	ix.pool.dropAll(f)
}
