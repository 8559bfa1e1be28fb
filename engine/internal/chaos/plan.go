package chaos

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet/fault"
)

// Orders are what one process has to do for the faults that act.
type Orders struct {
	Turn     uint64 // of two orders that which is newer holds
	Links    []Link
	Messages []MessageRule
}

// Link is what a process does to the packets between it and another one.
type Link struct {
	Proc    uint64 // the other end
	Addr    string // where it is
	Out, In []fault.Rule
}

// MessageRule is a fault on the messages of one actor.
type MessageRule struct {
	ID, Seed, Stream uint64
	Mesh             uint64 // id of the actor mesh
	Endpoint         string // "" for any
	Delay, Jitter    time.Duration
	Loss             float64
	By               string // the client that ordered it
}

// Scope is a fault with the processes that it is on.
type Scope struct {
	Fault *control.Fault
	Procs []uint64 // in order of Fault.Ranks
	To    []uint64 // the other ends
}

// Plan says what each process has to do. Processes that have nothing to do are not in it. addr says where a process is, "" where
// that is not known: then there are no packets to it yet.
func Plan(scopes []Scope, addr func(proc uint64) string) map[uint64]*Orders {
	p := plan{addr: addr, orders: map[uint64]*Orders{}, links: map[[2]uint64]*Link{}}
	for i := range scopes {
		s := &scopes[i]
		switch {
		case s.Fault.OnMessages():
			p.messages(s)
		case s.Fault.Kind != control.FaultPause:
			p.packets(s)
		}
	}
	for ends, l := range p.links {
		if l.Addr = addr(l.Proc); l.Addr != "" {
			o := p.of(ends[0])
			o.Links = append(o.Links, *l)
		}
	}
	for _, o := range p.orders {
		slices.SortFunc(o.Links, func(a, b Link) int { return cmp.Compare(a.Proc, b.Proc) })
	}
	maps.DeleteFunc(p.orders, func(_ uint64, o *Orders) bool { return len(o.Links)+len(o.Messages) == 0 })
	return p.orders
}

type plan struct {
	addr   func(uint64) string
	orders map[uint64]*Orders
	links  map[[2]uint64]*Link // by who judges, and the other end
}

func (p *plan) of(proc uint64) *Orders {
	if p.orders[proc] == nil {
		p.orders[proc] = &Orders{}
	}
	return p.orders[proc]
}

func (p *plan) messages(s *Scope) {
	f := s.Fault
	for i, proc := range s.Procs {
		p.of(proc).Messages = append(p.of(proc).Messages, MessageRule{
			ID: f.ID, Seed: f.Seed, Stream: uint64(f.Ranks[i]), Mesh: f.Of, Endpoint: f.Endpoint, Delay: f.Delay, Jitter: f.Jitter,
			Loss: f.Percent / 100, By: f.By,
		})
	}
}

// packets enters a fault on links: each direction of each pair of ends once.
func (p *plan) packets(s *Scope) {
	seen := map[[2]uint64]bool{}
	enter := func(from, to uint64) {
		if from == to || seen[[2]uint64{from, to}] {
			return
		}
		seen[[2]uint64{from, to}] = true
		r := ruleOf(s.Fault, from, to)
		if to == 0 { // the controller judges what comes to it itself
			l := p.link(0, from)
			l.In = append(l.In, r)
			return
		}
		l := p.link(from, to)
		l.Out = append(l.Out, r)
	}
	for _, a := range s.Procs {
		for _, b := range s.To {
			if s.Fault.Way != control.WayIn {
				enter(a, b)
			}
			if s.Fault.Way != control.WayOut {
				enter(b, a)
			}
		}
	}
}

func (p *plan) link(judge, other uint64) *Link {
	key := [2]uint64{judge, other}
	if p.links[key] == nil {
		p.links[key] = &Link{Proc: other}
	}
	return p.links[key]
}

// ruleOf is what a fault does to the packets from one process to another.
func ruleOf(f *control.Fault, from, to uint64) fault.Rule {
	r := fault.Rule{ID: f.ID, Seed: f.Seed, Stream: from<<32 | to}
	switch f.Kind {
	case control.FaultDelay:
		r.Delay, r.Jitter = f.Delay, f.Jitter
	case control.FaultDrop:
		r.Loss = f.Percent / 100
	case control.FaultRate:
		r.Rate = f.Rate
	case control.FaultPartition:
		r.Loss = 1
	}
	return r
}
