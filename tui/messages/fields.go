package messages

import (
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Keys are what a filter of messages may judge.
func Keys() []filter.Key {
	return []filter.Key{
		filter.Text, filter.From, filter.To, filter.Endpoint, filter.Mesh, filter.State, filter.Kind, filter.Rank, filter.Call,
		filter.Family, filter.Took,
	}
}

// sight is what a filter needs of an exchange, with room that is used again for each.
type sight struct {
	fields filter.Fields
	mesh   [2]string
	rank   [2]int
	text   []byte
}

// of fills in the fields of an exchange.
func (s *sight) of(w *world.World, src *ring, h *exchange, f *filter.Filter) *filter.Fields {
	out := &s.fields
	*out = filter.Fields{Kind: "call", State: "waiting", Mesh: s.mesh[:0], Rank: s.rank[:0], Family: h.f.trace}
	if h.f.broadcast {
		out.State = "sent"
	}
	m := h.message(src)
	from, to := ends(m)
	out.From, out.To, out.Endpoint, out.Call = world.Name(from), world.Name(to), m.Endpoint, m.Call
	if f.Uses(filter.Mesh) || f.Uses(filter.Rank) {
		for _, party := range [2]string{from, to} {
			if mesh, rank, ok := world.SplitName(party); ok {
				out.Mesh, out.Rank = append(out.Mesh, mesh), append(out.Rank, rank)
			}
		}
	}
	if h.answered {
		out.Kind, out.State, out.Took, out.HasTook = "call reply", "replied", h.took, true
		switch {
		case h.failed:
			out.Kind, out.State = "call error", "failed"
		case h.cancelled:
			out.Kind, out.State = "call cancelled", "cancelled"
		}
	}
	if f.Uses(filter.Word) {
		out.Text = s.words(w, src, h, out)
	}
	return out
}

// words is all that is shown of an exchange.
func (s *sight) words(w *world.World, src *ring, h *exchange, f *filter.Fields) string {
	b := append(s.text[:0], f.From...)
	b = append(append(b, ' '), f.To...)
	if h.call >= 0 {
		b = append(append(b, ' '), Call(w, src.At(h.call))...)
	} else {
		b = append(append(b, ' '), f.Endpoint...)
	}
	if h.answer >= 0 {
		b = append(append(b, ' '), Answer(w, src.At(h.answer))...)
	}
	s.text = b
	return string(b)
}

// message is the call of an exchange, or its answer where only that is kept.
func (h *exchange) message(src *ring) *control.Message {
	if h.call >= 0 {
		return src.At(h.call)
	}
	return src.At(h.answer)
}

// ends are who called whom.
func ends(m *control.Message) (from, to string) {
	if m.IsAnswer() {
		return m.To, m.From
	}
	return m.From, m.To
}
