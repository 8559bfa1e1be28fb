package messages

import (
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// exchange is one call to one rank, with its answer. The messages themselves stay in the ring.
type exchange struct {
	f            *fold
	id           uint64 // of the call; 0 when only the answer was seen
	call, answer int    // numbers of the messages, -1: not seen, or gone
	took         time.Duration
	sentAt       int64 // when the call was sent, in nanoseconds,
	arrived      int64 // when it came into the mailbox,
	began        int64 // when its handler began, as handling,
	ended        int64 // and when the answer was there
	answered     bool
	failed       bool
	cancelled    bool   // its caller gave it up: that is no failure
	matches      bool   // gets through the filter
	slow         bool   // in the flow, it came in a row of its own
	own          bool   // it is no part of a fold, of its memory
	sent         []sent // what its handler has called
	gist         gist
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
	live      int // messages that are in the ring,
	kept      int // and how many of them are calls
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
	changes   uint64 // counts what has come and gone
	oldest    int64  // all its messages are of this time, in nanoseconds,
	newest    int64  // to this one
	stands    int    // number of the message where its row stands, -1: it has none
	displaced bool   // its row needs another message to stand at
	lastGood  int    // number of its last reply, -1
	lastBad   int    // and of its last answer that is none: an error, or that it was cancelled
	from, to  string // the groups of who called, and of who was called, as of the first of its exchanges that was read,
	known     bool   // if one was
	course    *course
	memo      *memo // texts, as last drawn; nil: it has not been

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

// nth is the same call made by the handlers of one fold.
type nth struct {
	parent         uint64 // number of the fold
	from, to, name string
	adverb         control.Adverb
	n              int
}

// smallFold is up to how many exchanges the list of a fold is used again.
const smallFold = 64

// pool holds folds and exchanges that have left the ring, so that new ones need no memory. Rows may hold them yet: they are
// used again when rows have been made without them.
type pool struct {
	folds, deadFolds []*fold
	exchanges, dead  []*exchange
	made             int // that were none of the pool's
}

// fold is a fold with nothing in it.
func (p *pool) fold() *fold {
	n := len(p.folds)
	if n == 0 {
		p.made++
		return new(fold)
	}
	f := p.folds[n-1]
	p.folds = p.folds[:n-1]
	exchanges, sent := f.exchanges[:0], f.first.sent[:0]
	if cap(exchanges) > smallFold {
		exchanges = nil
	}
	*f = fold{exchanges: exchanges}
	f.first.sent = sent
	return f
}

// more adds an exchange to a fold.
func (p *pool) more(f *fold, x exchange) *exchange {
	h := &f.first
	if h.f != nil { // it is taken
		if n := len(p.exchanges); n > 0 {
			h, p.exchanges = p.exchanges[n-1], p.exchanges[:n-1]
		} else {
			h = new(exchange)
			p.made++
		}
	}
	x.sent, x.own = h.sent[:0], h != &f.first
	*h = x
	if f.exchanges == nil {
		f.exchanges = f.firstWhole[:0]
	}
	f.exchanges = append(f.exchanges, h)
	return h
}

// drop takes an exchange, of which nothing is left, for later.
func (p *pool) drop(h *exchange) {
	if h.own { // the others go with their fold
		p.dead = append(p.dead, h)
	}
}

// dropAll takes a fold, of which nothing is left, for later. One that has become a part of another is not used again: the other
// has its exchange.
func (p *pool) dropAll(f *fold) {
	for _, h := range f.exchanges {
		p.drop(h)
	}
	p.deadFolds = append(p.deadFolds, f)
}

// bury lets what was taken be used again.
func (p *pool) bury() {
	p.folds, p.deadFolds = append(p.folds, p.deadFolds...), p.deadFolds[:0]
	p.exchanges, p.dead = append(p.exchanges, p.dead...), p.dead[:0]
}

// compact lets go of exchanges that have left the ring, once they are the most.
func (p *pool) compact(f *fold) {
	if f.gone++; f.gone*2 <= len(f.exchanges) {
		return
	}
	f.exchanges = slices.DeleteFunc(f.exchanges, func(h *exchange) bool {
		gone := h.messages() == 0
		if gone {
			p.drop(h)
		}
		return gone
	})
	f.gone = 0
}
