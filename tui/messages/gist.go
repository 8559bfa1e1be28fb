package messages

import (
	"hash/maphash"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// gist is what the texts and the lifelines of a fold need of an exchange's messages. It is read of them once, when the fold
// comes into sight: of a fold of thousands, to which more come with each frame, only those that are new are looked at.
type gist struct {
	from, to int32 // the ranks of who called and of who was called, -1: it has none
	argument uint64
	answer   uint64 // of its value, or of its error
	read     bool   // the parties and the argument
	heard    bool   // the answer
	apart    bool   // its parties are of other groups than those of the first of its fold
}

// digests tells bodies from each other without keeping them.
type digests maphash.Seed

func (d digests) body(m *control.Message) uint64 {
	return maphash.Bytes(maphash.Seed(d), m.Body) ^ uint64(m.Bytes)*0x9e3779b97f4a7c15
}

// read brings the gist of an exchange that has a message up to date.
func (p *Pane) read(h *exchange) *gist {
	g := &h.gist
	if !g.read {
		g.read = true
		p.gists++
		m := h.message(p.src)
		from, to := ends(m)
		g.from, g.to = rankOf(from), rankOf(to)
		if f := h.f; !f.known {
			f.from, f.to, f.known = group(from), group(to), true
		} else {
			g.apart = f.from != group(from) || f.to != group(to)
		}
		if !m.IsAnswer() {
			g.argument = p.digests.body(m)
		}
	}
	if h.answer >= 0 && !g.heard {
		g.heard = true
		p.gists++
		m := p.src.At(h.answer)
		if g.answer = p.digests.body(m); h.failed {
			g.answer = maphash.String(maphash.Seed(p.digests), errorText(m))
		}
	}
	return g
}

func rankOf(party string) int32 {
	if _, rank, ok := world.SplitName(party); ok {
		return int32(rank) // 31 bits
	}
	return -1
}
