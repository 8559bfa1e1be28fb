package messages

import (
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

type ring = world.Ring[control.Message]

// exchange is one call to one rank, with its answer. The messages themselves stay in the ring.
type exchange struct {
	f            *fold
	id           uint64 // of the call; 0 when only the answer was seen
	call, answer int    // numbers of the messages, -1: not seen, or gone
	took         time.Duration
	arrived      int64 // when the call came into the mailbox, and
	began        int64 // when its handler began, as handling
	answered     bool
	failed       bool
	cancelled    bool   // its caller gave it up: that is no failure
	matches      bool   // gets through the filter
	slow         bool   // in the flow, it came in a row of its own
	sent         []sent // what its handler has called
}

// sent counts the calls that one handler made to one endpoint of one mesh, so that the second call of one rank is
// folded with the second calls of the others.
type sent struct {
	endpoint, to string
	n            int
}

// fold is a row: the exchanges of one call to several ranks.
type fold struct {
	number    uint64 // of the fold
	exchanges []*exchange
	gone      int // exchanges in exchanges that have left the ring
	live      int // messages that are in the ring
	calls     []uint64
	trace     uint64
	nth       nth    // its key in byNth, if it has one
	orphan    uint64 // the message that has caused it, while that has not come
	into      *fold  // it has become a part of another
	senders   bool   // several ranks called
	broadcast bool   // a broadcast: no answer follows
	ranks     int    // that were called, as the callers say
	seen      int    // calls, also those that have left the ring
	answered  int
	failed    int
	cancelled int
	sum, max  time.Duration
	matched   int // exchanges that get through the filter
	messages  int // in the ring, that get through
	open      bool
	mark      uint64 // of the pass that has shown it
	lastGood  int    // number of its last reply, -1
	lastBad   int    // and of its last answer that is none: an error, or that it was cancelled
	memo      *memo  // texts, as last drawn; nil: it has not been

	// Most calls are to one rank: its exchange, and what the lists hold then, need no memory of their own.
	first      exchange
	firstCall  [1]uint64
	firstWhole [1]*exchange
}

// one is an exchange that has a message in the ring.
func (f *fold) one() *exchange {
	for _, h := range f.exchanges {
		if h.messages() > 0 {
			return h
		}
	}
	return nil
}

// record says to which exchange a message of the ring belongs.
type record struct {
	h  *exchange
	f  *fold
	at int64 // when it was sent, in nanoseconds
}

// nth is the same call made by the handlers of one fold.
type nth struct {
	parent         uint64 // number of the fold
	from, to, name string
	adverb         control.Adverb
	n              int
}

// index finds the exchange and the fold of each message. Messages come in batches from many processes, so they are kept in
// the order of their times too, and a call may come after those that its handler made.
type index struct {
	stream.Index

	recs    []record
	order   []int              // numbers by time
	room    []int              // to be used again
	orphans map[uint64][]*fold // by the message that has caused them, which has not come yet
	byCall  map[uint64]*fold
	byID    map[uint64]*exchange
	byNth   map[nth]*fold
	folds   uint64
	live    int // folds
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
	ix.byCall, ix.byID, ix.byNth = map[uint64]*fold{}, map[uint64]*exchange{}, map[nth]*fold{}
	ix.orphans, ix.order = map[uint64][]*fold{}, ix.order[:0]
	ix.live, ix.shown = 0, 0
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
	h.f.live++
	*ix.rec(number) = record{h, h.f, m.Time.UnixNano()}
	if m.IsAnswer() {
		ix.latest(h, number)
	}
	ix.judge(h)
	if !m.IsAnswer() {
		ix.adopt(src, h)
	}
}

func (ix *index) call(m *control.Message, number int) *exchange {
	f := ix.byCall[m.Call]
	if f == nil {
		f = ix.foldOf(m)
	}
	h := f.more(exchange{f: f, id: m.ID, call: number, answer: -1})
	f.seen++
	if m.ID != 0 {
		ix.byID[m.ID] = h
	}
	return h
}

func (ix *index) answer(m *control.Message, number int) *exchange {
	h := ix.byID[m.Parent]
	if m.Parent == 0 || h == nil || h.answered {
		f := ix.byCall[m.Call]
		if f == nil {
			f = ix.newFold(m)
		}
		h = f.more(exchange{f: f, call: -1})
	}
	h.answer, h.answered, h.took, h.cancelled = number, true, m.Took, Cancelled(m)
	h.failed = m.Kind == control.MessageError && !h.cancelled
	if h.call >= 0 {
		h.arrived, h.began = handling(ix.rec(h.call).at, m)
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

// more adds an exchange to a fold.
func (f *fold) more(x exchange) *exchange {
	h := &f.first
	if h.f != nil { // it is taken
		h = new(exchange)
	}
	*h = x
	if f.exchanges == nil {
		f.exchanges = f.firstWhole[:0]
	}
	f.exchanges = append(f.exchanges, h)
	return h
}

// judge asks the filter about an exchange that has changed.
func (ix *index) judge(h *exchange) {
	before := h.messages()
	if h.matches {
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
}

// messages is how many messages of the exchange are in the ring.
func (h *exchange) messages() int {
	n := 0
	if h.call >= 0 {
		n++
	}
	if h.answer >= 0 {
		n++
	}
	return n
}

// filter asks about every exchange anew.
func (ix *index) filter(match func(h *exchange) bool) {
	ix.match, ix.shown = match, 0
	for n := ix.First; n < ix.Next; n++ {
		f := ix.rec(n).f
		f.matched, f.messages = 0, 0
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
}

// evict forgets a message that has left the ring.
func (ix *index) evict(number int) {
	r := ix.rec(number)
	h, f := r.h, r.f
	*r = record{}
	if h.matches {
		f.messages--
		ix.shown--
	}
	if h.call == number {
		h.call = -1
		if ix.byID[h.id] == h {
			delete(ix.byID, h.id)
		}
	} else {
		h.answer = -1
	}
	f.live--
	if h.messages() == 0 {
		if h.matches {
			f.matched--
		}
		if f.gone++; f.gone*2 > len(f.exchanges) {
			f.exchanges = slices.DeleteFunc(f.exchanges, func(h *exchange) bool { return h.messages() == 0 })
			f.gone = 0
		}
	}
	if f.live > 0 {
		return
	}
	ix.live--
	for _, c := range f.calls {
		if ix.byCall[c] == f {
			delete(ix.byCall, c)
		}
	}
	if ix.byNth[f.nth] == f {
		delete(ix.byNth, f.nth)
	}
	if f.orphan == 0 {
		return
	}
	list := slices.DeleteFunc(ix.orphans[f.orphan], func(o *fold) bool { return o == f })
	if ix.orphans[f.orphan] = list; len(list) == 0 {
		delete(ix.orphans, f.orphan)
	}
}
