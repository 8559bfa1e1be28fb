package messages

import "github.com/monarch-tui/monarch-tui/engine/control"

// foldOf opens a fold for a call, or finds the one of the same call made in another rank.
func (ix *index) foldOf(m *control.Message) *fold {
	var parent *exchange
	if m.Parent != 0 {
		parent = ix.byID.get(m.Parent)
	}
	if parent == nil {
		f := ix.newFold(m)
		if m.Parent != 0 {
			f.orphan = m.Parent
			ix.orphans[m.Parent] = append(ix.orphans[m.Parent], f)
		}
		return f
	}
	if parent.f.ranks == 1 {
		return ix.newFold(m)
	}
	key := keyOf(parent, m)
	f := ix.byNth[key]
	if f == nil {
		f = ix.newFold(m)
		f.nth, ix.byNth[key] = key, f
		return f
	}
	ix.byCall.put(m.Call, f)
	f.calls, f.senders = append(f.calls, m.Call), true
	f.ranks += max(1, m.Ranks)
	if ix.flow { // of what was between its messages it tells where they are of one rank
		ix.stale.tail(f.oldest)
	}
	return f
}

// keyOf is what calls have in common that the handlers of one fold made, each in its rank.
func keyOf(parent *exchange, m *control.Message) nth {
	to := group(m.To)
	return nth{parent.f.number, group(m.From), to, m.Endpoint, m.Adverb, parent.count(m.Endpoint, to)}
}

// adopt folds the calls that a handler made, now that the call has come that it handles.
func (ix *index) adopt(src *ring, h *exchange) {
	if h.id == 0 || len(ix.orphans) == 0 {
		return
	}
	list := ix.orphans[h.id]
	delete(ix.orphans, h.id)
	for _, f := range list {
		f.orphan = 0
		one := f.one()
		if h.f.ranks == 1 || f == h.f || one.call < 0 {
			continue
		}
		key := keyOf(h, src.At(one.call))
		if into := ix.byNth[key]; into != nil {
			ix.merge(f, into)
		} else {
			f.nth, ix.byNth[key] = key, f
		}
	}
}

// merge makes one fold of two.
func (ix *index) merge(f, into *fold) {
	for _, h := range f.exchanges {
		h.f, h.gist = into, gist{}
	}
	for _, c := range f.calls {
		ix.byCall.put(c, into)
	}
	into.exchanges, into.calls = append(into.exchanges, f.exchanges...), append(into.calls, f.calls...)
	into.senders, into.open = true, into.open || f.open
	into.gone += f.gone
	into.live += f.live
	into.kept += f.kept
	into.oldest, into.newest = min(into.oldest, f.oldest), max(into.newest, f.newest)
	into.changes++
	ix.stale.tail(into.oldest)
	into.ranks += f.ranks
	into.seen += f.seen
	into.answered += f.answered
	into.failed += f.failed
	into.cancelled += f.cancelled
	into.sum += f.sum
	into.max = max(into.max, f.max)
	into.matched += f.matched
	into.messages += f.messages
	for _, h := range f.exchanges {
		if h.answer >= 0 {
			ix.latest(h, h.answer)
		}
	}
	into.memo = nil
	f.into = into
	ix.live--
}

// now is the fold that a fold has become.
func (f *fold) now() *fold {
	for f != nil && f.into != nil {
		f = f.into
	}
	return f
}

func (h *exchange) count(endpoint, to string) int {
	for i := range h.sent {
		if s := &h.sent[i]; s.endpoint == endpoint && s.to == to {
			s.n++
			return s.n
		}
	}
	h.sent = append(h.sent, sent{endpoint, to, 1})
	return 1
}

func (ix *index) newFold(m *control.Message) *fold {
	ix.folds++
	ix.live++
	f := ix.pool.fold()
	f.number, f.trace, f.ranks = ix.folds, m.Trace, max(1, m.Ranks)
	f.broadcast, f.lastGood, f.lastBad, f.stands = m.Adverb == control.AdverbBroadcast && !m.IsAnswer(), -1, -1, -1
	f.firstCall[0] = m.Call
	f.calls = f.firstCall[:]
	if f.trace == 0 {
		f.trace = m.Call
	}
	ix.byCall.put(m.Call, f)
	return f
}
