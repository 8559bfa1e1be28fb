package messages

import (
	"slices"

	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Selection is what the row under the cursor is about.
type Selection struct {
	Mesh     string // that was called, "" for a client
	Ranks    []int  // of Mesh
	Endpoint string
	Call     uint64 // 0 where the row is no message
	Family   uint64
	Proc     uint64 // of a process that was lost
}

// Selected is what the row under the cursor is about.
func (p *Pane) Selected() (Selection, bool) {
	p.refresh()
	r, ok := p.view.Current()
	if !ok {
		return Selection{}, false
	}
	if r.part == lost {
		s := Selection{Mesh: r.fail.Mesh, Proc: r.fail.Proc}
		if s.Mesh != "" {
			s.Ranks = []int{r.fail.Rank}
		}
		return s, true
	}
	h := r.exchange()
	m := h.message(p.src)
	_, to := ends(m)
	s := Selection{Call: m.Call, Family: r.f.trace, Endpoint: m.Endpoint}
	if mesh, rank, ok := world.SplitName(to); ok {
		s.Mesh, s.Ranks = mesh, []int{rank}
		if r.h == nil {
			s.Ranks = slices.Clone(p.texts(r.f).ranks)
		}
	}
	return s, true
}

// exchange is the exchange that a row shows, or the first of its fold.
func (r row) exchange() *exchange {
	if r.h != nil {
		return r.h
	}
	return r.f.one()
}

// Why says why the last Cause, Effect or Family could not be shown; "" where it could.
func (p *Pane) Why() string { return p.why }

// Cause moves the cursor to the message whose handler sent the one under the cursor. Where it cannot, Why says why.
func (p *Pane) Cause() bool {
	p.why = p.cause()
	return p.why == ""
}

// Effect moves the cursor to the first message that a handler of the one under the cursor has sent. Where it cannot,
// Why says why.
func (p *Pane) Effect() bool {
	p.why = p.effect()
	return p.why == ""
}

// Family shows only what belongs to the call under the cursor: all that it led to and what led to it. A second time it
// shows everything again. Where it cannot, Why says why.
func (p *Pane) Family() bool {
	p.why = p.family()
	return p.why == ""
}

func (p *Pane) cause() string {
	p.refresh()
	r, ok := p.view.Current()
	if !ok || r.f == nil {
		return "there is no message under the cursor"
	}
	h := r.exchange()
	m := h.message(p.src)
	if m.IsAnswer() && r.part == coming && h.call >= 0 {
		m = p.src.At(h.call)
	}
	switch {
	case m.IsAnswer():
		return "the call of this answer is no longer kept"
	case m.Parent == 0:
		return "nothing: it was not sent by a handler"
	}
	cause := p.ix.byID.get(m.Parent)
	if cause == nil {
		return "its cause, message " + world.CallName(m.Parent) + ", is not kept"
	}
	return p.jump(cause)
}

func (p *Pane) effect() string {
	p.refresh()
	r, ok := p.view.Current()
	if !ok || r.f == nil {
		return "there is no message under the cursor"
	}
	for n := p.ix.First; n < p.ix.Next; n++ {
		m := p.src.At(n)
		if m.IsAnswer() || m.Parent == 0 {
			continue
		}
		if cause := p.ix.byID.get(m.Parent); cause != nil && cause.f == r.f && (r.h == nil || r.h == cause) {
			return p.jump(p.ix.rec(n).h)
		}
	}
	return "its handler has sent nothing that is kept"
}

func (p *Pane) jump(h *exchange) string {
	if !p.show(h.f, h) {
		return "the filter hides it" + p.keys.Hint("; %s clears its last term", "back")
	}
	return ""
}

func (p *Pane) family() string {
	p.refresh()
	terms := p.Through().Terms()
	for i, t := range terms {
		if t.Key == filter.Family {
			p.Clear(i)
			return ""
		}
	}
	r, ok := p.view.Current()
	if !ok || r.f == nil {
		return "there is no message under the cursor"
	}
	text := p.Through().String() + " family:" + world.CallName(r.f.trace)
	if err := p.SetFilter(text); err != nil {
		return err.Error()
	}
	p.show(r.f, r.h)
	return ""
}
