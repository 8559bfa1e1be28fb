package chaos

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/monarch-tui/monarch-tui/quicnet/fault"
)

// Socket is what an Agent does to packets by: a *quicnet.Node.
type Socket interface {
	SetFaults(paths []fault.Path, noted func()) error
	FaultCounts() []fault.Count
}

// Agent is the half of a process: it carries out orders, and counts. Its zero value has none.
type Agent struct {
	messages atomic.Pointer[Messages]
	links    atomic.Bool // there are rules for packets

	mu   sync.Mutex // held while orders are carried out
	turn uint64     // of those that hold
	told []fault.Count
}

// Messages judges the messages of this process's actors; nil: there is nothing to judge.
func (a *Agent) Messages() *Messages { return a.messages.Load() }

// Obey carries out orders, unless newer ones hold. wire may be nil; noted is called when counts have changed. It reports
// whether there were rules about messages before, of which some may have gone.
func (a *Agent) Obey(o Orders, wire Socket, noted func()) (relieved bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if o.Turn <= a.turn {
		return false, nil
	}
	a.turn = o.Turn
	old := a.messages.Load()
	a.messages.Store(NewMessages(old, o.Messages))
	a.links.Store(len(o.Links) > 0)
	if wire == nil {
		return old != nil, nil
	}
	paths := make([]fault.Path, 0, len(o.Links))
	for _, l := range o.Links {
		addr, err := netip.ParseAddrPort(l.Addr)
		if err != nil {
			return old != nil, fmt.Errorf("the address of process %d: %w", l.Proc, err)
		}
		paths = append(paths, fault.Path{Addr: addr, Out: l.Out, In: l.In})
	}
	return old != nil, wire.SetFaults(paths, noted)
}

// Active reports whether there were orders ever.
func (a *Agent) Active() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.turn > 0
}

// OnLinks reports whether faults act on packets of this process.
func (a *Agent) OnLinks() bool { return a.links.Load() }

// News gives what the faults in this process have done, where that has changed since it was asked last.
func (a *Agent) News(wire Socket) (counts []fault.Count, changed bool) {
	sum := map[uint64]fault.Count{}
	add := func(counts []fault.Count) {
		for _, c := range counts {
			sum[c.ID] = Add(sum[c.ID], c)
		}
	}
	if m := a.Messages(); m != nil {
		add(m.Counts())
	}
	if wire != nil {
		add(wire.FaultCounts())
	}
	counts = Sorted(sum)
	a.mu.Lock()
	defer a.mu.Unlock()
	changed = !slices.Equal(counts, a.told)
	a.told = counts
	return counts, changed
}
