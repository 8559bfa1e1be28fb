package engine

import (
	"fmt"
	"sync"

	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/recent"
)

// peers is what a process knows of the others: the link to them, and which have ended.
type peers struct {
	linked chan struct{} // closed when there is a link

	mu   sync.Mutex
	link link
	gone *recent.Map[uint64, goneBody] // processes that ended; of what ended with them nothing is kept here
	lead *recent.Map[uint64, uint32]   // epochs of processes that were started again

	still *recent.Map[uint64, stillBody] // what was last told of a process that stands still, or stood
}

// maxGone is for how many ended processes the reason is remembered. Calls to older ones get a less exact error.
const maxGone = 4096

// errProcEnded is that error.
var errProcEnded = fmt.Errorf("its process has ended: %w", ErrLost)

func newPeers() *peers {
	return &peers{linked: make(chan struct{}), gone: recent.New[uint64, goneBody](maxGone), lead: recent.New[uint64, uint32](maxGone),
		still: recent.New[uint64, stillBody](maxGone)}
}

// newest takes news of a process that stands still, or goes on, and gives the newest there is: two ways lead here, and the older
// may come later.
func (p *peers) newest(b stillBody) stillBody {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, _ := p.still.Get(b.Proc)
	if b.Turn <= known.Turn {
		return known
	}
	p.still.Put(b.Proc, b)
	return b
}

// connect sets the link, once.
func (p *peers) connect(l link) {
	p.mu.Lock()
	p.link = l
	p.mu.Unlock()
	close(p.linked)
}

// current is the link; nil before connect.
func (p *peers) current() link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link
}

// linkTo is the link to a process that has not ended, as far as is known. Before connect it waits: the controller may
// talk to a worker before Join has returned there.
func (p *peers) linkTo(proc uint64, closing <-chan struct{}) (link, error) {
	p.mu.Lock()
	why, gone := p.gone.Get(proc)
	lk := p.link
	p.mu.Unlock()
	switch {
	case gone:
		return nil, fmt.Errorf("%s: %w", why.Reason, ErrLost)
	case lk != nil:
		return lk, nil
	}
	select {
	case <-p.linked:
		return p.current(), nil
	case <-closing:
		return nil, ErrStopped
	}
}

// whyGone says why a process has ended, if it is known to.
func (p *peers) whyGone(proc uint64) (goneBody, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone.Get(proc)
}

// noteGone keeps why processes have ended.
func (p *peers) noteGone(b goneBody) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, proc := range b.Procs {
		p.still.Delete(proc)                                       // the next epoch of it moves
		if old, _ := p.gone.Get(proc); !old.Ordered || b.Ordered { // the link tells of its end too, and knows no more than that
			p.gone.Put(proc, goneBody{Reason: b.Reason, Ordered: b.Ordered})
		}
	}
}

// back takes a process for one that lives, in its next epoch.
func (p *peers) back(id quicnet.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, _ := p.lead.Get(id.Proc); known < id.Epoch {
		p.lead.Put(id.Proc, id.Epoch)
		p.gone.Delete(id.Proc)
	}
}

// epochOf is the epoch that a process is known to be in, or 0.
func (p *peers) epochOf(proc uint64) uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	epoch, _ := p.lead.Get(proc)
	return epoch
}

// lostError is what a request to a process that has ended returns.
func (p *peers) lostError(proc uint64) error {
	g, ok := p.whyGone(proc)
	if !ok {
		return errProcEnded
	}
	return fmt.Errorf("%s: %w", g.Reason, ErrLost)
}

// wayOf is wayTo for who has the window of a receiver there, which keeps it.
func (n *node) wayOf(w *window, to uint64) quicnet.Sender {
	if way := w.way.Load(); way != nil {
		return *way
	}
	way := n.wayTo(to)
	if way != nil {
		w.way.Store(&way)
	}
	return way
}

// wayTo is the way to a process that send would take; nil where each frame has to find its own.
func (n *node) wayTo(to uint64) quicnet.Sender {
	if to == n.id || to&inProcessBit != 0 && n.local == nil || to&inProcessBit == 0 && to != 0 && n.id&inProcessBit != 0 {
		return nil
	}
	lk, err := n.peers.linkTo(to, n.closing)
	if err != nil {
		return nil
	}
	var way quicnet.Sender
	if mem, ok := lk.(interface {
		way(from, to uint64) (quicnet.Sender, error)
	}); ok {
		way, err = mem.way(n.id, to)
	} else {
		way, err = lk.Sender(to)
	}
	if err != nil {
		return nil
	}
	return way
}
