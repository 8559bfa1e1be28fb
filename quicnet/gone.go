package quicnet

import (
	"fmt"
	"time"
)

// maxGone is how many peers that ended are remembered. A Send to an older one dials it anew, and fails when that does.
const maxGone = 4096

// Connect begins to dial proc now, because the directory says so. If proc was gone, and not only the link to it, only a later
// epoch of it will do.
func (n *Node) Connect(proc uint64) {
	n.mu.Lock()
	gone, _ := n.gone.Get(proc)
	if gone != nil && !n.closing && proc != Controller {
		n.gone.Delete(proc)
		p := newPeer(n, proc, 0)
		p.least, _ = n.least.Get(proc)
		if !gone.again {
			p.least = gone.Peer.Epoch + 1
		}
		n.add(p)
		n.spawn(p.run)
	}
	n.mu.Unlock()
	if gone == nil {
		_, _ = n.peer(proc) // an error means that there is nothing to connect to
	}
}

// Renew says that a peer lives to which the link was lost (LinkEvent.Again): another link may be made. This side dials it at
// once where that is its part and the old link was up, else when somebody sends. Nothing of the old link comes over the new one,
// in either direction. A peer that was forgotten meanwhile stays so.
func (n *Node) Renew(proc uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	gone, _ := n.gone.Get(proc)
	if gone == nil || !gone.again || n.closing {
		return
	}
	n.gone.Delete(proc)
	if gone.Peer.Epoch == 0 || !dialling(n.id.Proc, proc) { // it never was up, or the peer dials
		return
	}
	p := newPeer(n, proc, 0)
	p.least, _ = n.least.Get(proc)
	n.add(p)
	n.spawn(p.run)
}

// Expect says that a process was started again: its link is made anew, to that epoch of it or a later one, when somebody sends
// to it or it dials. What an older epoch still has to say is refused.
func (n *Node) Expect(id ID) {
	n.mu.Lock()
	p := n.peers[id.Proc]
	n.mu.Unlock()
	if p != nil && p.epoch.Load() < id.Epoch {
		reason := fmt.Sprintf("epoch %d of it is being started", id.Epoch)
		n.terminate(p, LinkLost, reason, closeErrorf(CodeStaleEpoch, "%s", reason))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.peers[id.Proc] == nil {
		n.gone.Delete(id.Proc)
	}
	if known, _ := n.least.Get(id.Proc); known < id.Epoch {
		n.least.Put(id.Proc, id.Epoch)
	}
}

// Forget drops the link to a peer that is known to be dead: what is queued goes, later Sends fail
// with the reason, it is not dialled again, and a connection from it is refused.
func (n *Node) Forget(proc uint64, reason string) {
	n.mu.Lock()
	p := n.peers[proc]
	if known, _ := n.gone.Get(proc); p == nil && proc != n.id.Proc && (known == nil || known.again) {
		n.gone.Put(proc, &GoneError{Peer: ID{Proc: proc}, Reason: reason})
	}
	n.mu.Unlock()
	if p != nil {
		n.terminate(p, LinkClosed, reason, closeErrorf(CodeGone, "%s", reason))
	}
}

// Hold says that a peer is known to stand still (a debugger, SIGSTOP): while held, its silence is
// not counted.
func (n *Node) Hold(proc uint64, held bool) {
	n.mu.Lock()
	p := n.peers[proc]
	n.mu.Unlock()
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live.held = held
	p.live.contact = time.Now()
	p.live.heard.proven = p.live.contact
}

// terminate ends a link for good and tells the handler; the connection is closed with why, if given.
func (n *Node) terminate(p *peer, state LinkState, reason string, why *CloseError) {
	n.mu.Lock()
	p.mu.Lock()
	again := p.again(state, why)
	if n.peers[p.proc] == p {
		delete(n.peers, p.proc)
		n.fast.CompareAndDelete(p.proc, p)
		n.gone.Put(p.proc, &GoneError{p.id(), reason, again})
	}
	n.mu.Unlock()
	if p.gone != nil {
		p.mu.Unlock()
		return
	}
	p.gone = &GoneError{p.id(), reason, again}
	c := p.conn
	p.conn = nil
	for lane := range lanes {
		p.out[lane].end(p.gone)
	}
	p.state, p.since = state, time.Now()
	p.n.events.push(LinkEvent{Peer: p.id(), State: state, Reason: reason, Time: p.since, Again: again}, p)
	p.mu.Unlock()
	p.cancel()
	if old := p.leaves(nil); old != nil {
		old.close(&CloseError{Code: CodeReplaced})
	}
	if c != nil && why != nil && !why.Remote {
		c.close(why)
	}
}

// again reports whether a link that ends so may be made anew: both are workers, and it was silence that ended it, here or at the
// peer, which then knows nothing of it any more.
func (p *peer) again(state LinkState, why *CloseError) bool {
	if p.proc == Controller || p.n.id.Proc == Controller {
		return false
	}
	return state == LinkLost || why != nil && why.Remote && (why.Code == CodeGone || why.Code == CodeState)
}
