package quicnet

import (
	"fmt"
	"time"
)

// beatsKept is how many heartbeats may be on their way: at one each 500 ms more than Timing.Lost.
const beatsKept = 32

// liveness measures silence. Contact is when the last heartbeat that was answered had been *sent*:
// that needs both directions, so a one-way cut is seen as fast as a two-way one, and it is a time at
// which the peer was surely alive.
type liveness struct {
	contact time.Time
	lease   time.Time // like contact, but time in which we stood still counts
	boot    time.Duration
	beat    uint64 // number of the last heartbeat sent
	sent    [beatsKept]time.Time
	booted  [beatsKept]time.Duration // the same by the clock that counts sleep
	sentOn  *conn
	expired bool // LinkLease was sent
	held    bool
}

// attached notes a new connection. at is when our Hello was sent (a lease must not count from later
// than that), or when the peer's came.
func (v *liveness) attached(at time.Time, boot time.Duration) {
	v.contact, v.lease, v.boot, v.expired = at, at, boot, false
}

// follows reports whether this side of the link sends no heartbeats, and takes the peer's for contact: a worker that is tied to its
// controller by other means than silence. One wake for each beat of the controller is all that it costs then. Who loses the other
// by silence, as a worker with a lease does, has to know that the other hears it, and asks itself.
func (p *peer) follows() bool { return p.proc == Controller && p.n.timing.Lease <= 0 }

// beaten takes heartbeat n of the peer, and answers it.
func (p *peer) beaten(c *conn, n uint64) {
	p.out[LaneControl].post(c, func(l *outLane) { l.beatAck = n })
	if !p.follows() {
		return
	}
	p.mu.Lock()
	if p.conn == c && p.gone == nil {
		p.live.contact = time.Now()
		p.contact("answering again")
	}
	p.mu.Unlock()
	if p.n.resting.Load() { // this look saves one of our own
		select {
		case p.n.beat <- struct{}{}:
		default:
		}
	}
}

// rests reports whether there is nothing on the link to look at until the peer's next heartbeat, or the end of the time in which
// it should come: it is up, nothing came or went since frames, nothing waits to be sent, and nothing has begun to come.
func (p *peer) rests(frames uint64) bool {
	p.mu.Lock()
	c, up := p.conn, p.state == LinkUp
	p.mu.Unlock()
	if !up || c == nil || p.frames() != frames || c.bulkOpen.Load() > 0 {
		return false
	}
	for lane := range lanes {
		if queued, _ := p.out[lane].depth(); queued > 0 || c.began[lane].Load() != 0 || p.in[lane].lacksBody() {
			return false
		}
	}
	return true
}

// frames is how many frames came and went.
func (p *peer) frames() uint64 { return p.framesIn.Load() + p.framesOut.Load() }

// beatAcked takes the answer to heartbeat n.
func (p *peer) beatAcked(c *conn, n uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := &p.live
	if p.conn != c || v.sentOn != c || n == 0 || n > v.beat || v.beat-n >= beatsKept {
		return // of another connection, or nonsense
	}
	if at := v.sent[n%beatsKept]; at.After(v.contact) {
		v.contact = at
	}
	if at := v.sent[n%beatsKept]; at.After(v.lease) {
		v.lease, v.boot = at, v.booted[n%beatsKept]
	}
	p.contact("answering again")
}

// tick looks at one link. lag is how much too late the tick itself is: silence in that time says
// nothing about the peer (the Lifeguard rule of memberlist).
func (p *peer) tick(now time.Time, lag time.Duration) {
	t := &p.n.timing
	p.mu.Lock()
	if p.gone != nil {
		p.mu.Unlock()
		return
	}
	v := &p.live
	if v.held {
		v.contact = now
	}
	if lag > 0 {
		v.contact = earlier(v.contact.Add(lag), now)
	}
	silence := now.Sub(v.contact)
	c := p.conn
	p.lease(now)
	switch {
	case silence > t.Lost && p.losable():
		reason := p.lostReason(silence)
		p.mu.Unlock()
		p.n.terminate(p, LinkLost, reason, closeErrorf(CodeGone, "%s lost this process: %s", p.n.id, reason))
		return
	case c != nil && silence > t.Unreachable:
		fault := fmt.Sprintf("no heartbeat was answered for %s", round(silence))
		p.down(fault)
		p.mu.Unlock()
		c.close(closeErrorf(CodeSilent, "%s", fault))
		return
	case c != nil && p.state == LinkUp && silence > t.Suspect:
		p.set(LinkSuspect, fmt.Sprintf("silent for %s", round(silence)))
	}
	beat := uint64(0)
	if c != nil && !p.follows() && (v.sentOn != c || now.Sub(v.sent[v.beat%beatsKept]) >= t.Heartbeat-t.Tick/2) {
		v.beat++
		v.sent[v.beat%beatsKept], v.booted[v.beat%beatsKept], v.sentOn = now, bootTime(), c
		beat = v.beat
	}
	p.mu.Unlock()
	if c == nil {
		return
	}
	if beat != 0 {
		p.out[LaneControl].post(c, func(l *outLane) { l.beat = beat })
	}
	p.kick() // a handler that blocks in Frame may hold a cork
	if why := c.stuck(now); why != nil {
		c.close(why)
	}
}

// losable reports whether silence ends the link. A worker without a lease holds on to its controller:
// it is tied to it by other means, and a controller that stands in a debugger must lose nothing.
func (p *peer) losable() bool {
	return p.proc != Controller || p.n.timing.Lease > 0 && p.state != 0
}

func (p *peer) lostReason(silence time.Duration) string {
	switch {
	case p.state != 0 && p.fault != "":
		return fmt.Sprintf("no contact for %s (%s)", round(silence), p.fault)
	case p.state != 0:
		return fmt.Sprintf("no contact for %s", round(silence))
	case p.fault != "":
		return fmt.Sprintf("could not be reached within %s: %s", round(silence), p.fault)
	case p.dials:
		return fmt.Sprintf("could not be reached within %s", round(silence))
	}
	return fmt.Sprintf("did not dial within %s", round(silence))
}

// lease ends a worker's lease once. p.mu is held.
func (p *peer) lease(now time.Time) {
	v, lease := &p.live, p.n.timing.Lease
	if lease <= 0 || p.proc != Controller || p.state == 0 || v.expired {
		return
	}
	if past := max(now.Sub(v.lease), bootTime()-v.boot); past > lease {
		v.expired = true
		p.event(LinkLease, fmt.Sprintf("no contact with the controller for %s", round(past)))
	}
}

// stuck reports a frame that was begun and not ended in time, and an answer for which calls wait.
func (c *conn) stuck(now time.Time) *CloseError {
	lim := c.p.n.limits
	if at := c.memory.pausedAt.Load(); at != 0 { // what has begun there is held up by us
		if now.Sub(c.p.n.started.Add(time.Duration(at))) > lim.FrameDeadline {
			return closeErrorf(CodeSilent, "it did not answer within %s that it writes to memory no more", lim.FrameDeadline)
		}
		return nil
	}
	waiting := c.bulkOpen.Load() > 0
	for lane := range lanes {
		if at := c.began[lane].Load(); at != 0 && now.Sub(c.p.n.started.Add(time.Duration(at))) > lim.FrameDeadline {
			return closeErrorf(CodeSlow, "a frame on the %s lane did not end within %s", lane, lim.FrameDeadline)
		}
		waiting = waiting || c.p.in[lane].lacksBody()
	}
	if waiting && now.Sub(c.p.n.started.Add(time.Duration(c.moved.Load()))) > lim.FrameDeadline {
		return closeErrorf(CodeSlow, "a body did not move on for %s", lim.FrameDeadline)
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
