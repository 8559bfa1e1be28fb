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
	contact  time.Time
	lease    time.Time // like contact, but time in which we stood still counts
	boot     time.Duration
	beat     uint64        // number of the last heartbeat sent
	answered uint64        // the highest that was answered,
	took     time.Duration // after this time
	sent     [beatsKept]time.Time
	booted   [beatsKept]time.Duration // the same by the clock that counts sleep
	sentOn   *conn
	beside   bool      // the last one went beside QUIC
	misses   int       // how many of these were lost in a row,
	missed   time.Time // and when the last of them
	asked    time.Time // when one last went by the stream
	frames   uint64    // of the link, at the last look
	expired  bool      // LinkLease was sent
	held     bool

	heard hearing
}

// cameKept is how many heartbeats of the peer are remembered. It says with each which one it has the answer of: mostly the one before.
const cameKept = 4

// hearing is what the side that dialled knows of the peer's heartbeats.
type hearing struct {
	last     uint64 // the highest that came
	came     [cameKept]beatCame
	presumed bool      // the peer has the answer to the one before the last: contact is when the last came, as long as it rests
	proven   time.Time // contact without this
}

type beatCame struct {
	n    uint64
	at   time.Time
	boot time.Duration
}

func (h *hearing) note(n uint64, now time.Time) {
	h.came[n%cameKept] = beatCame{n, now, bootTime()}
	h.last = max(h.last, n)
}

// attached notes a new connection. at is when our Hello was sent (a lease must not count from later
// than that), or when the peer's came.
func (v *liveness) attached(at time.Time, boot time.Duration) {
	v.contact, v.lease, v.boot, v.expired = at, at, boot, false
	v.beside, v.misses, v.heard = false, 0, hearing{proven: at}
}

// follows reports whether this side of the link sends no heartbeats, and takes the peer's for contact: a worker that is tied to its
// controller by other means than silence. One wake for each beat of the controller is all that it costs then. Who loses the other
// by silence, as a worker with a lease does, has to know that the other hears it: while the link rests, the other's heartbeats say so;
// else it asks itself.
func (p *peer) follows() bool { return p.proc == Controller && p.n.timing.Lease <= 0 }

// beaten takes heartbeat n of the peer, which came by the stream, and answers it.
func (p *peer) beaten(c *conn, n uint64) {
	p.out[LaneControl].post(c, func(l *outLane) { l.beatAck = n })
	if !c.dialled {
		return
	}
	now := time.Now()
	p.mu.Lock()
	if p.conn != c || p.gone != nil {
		p.mu.Unlock()
		return
	}
	v := &p.live
	v.heard.note(n, now)
	doubts := v.heard.presumed // the peer may not have heard us
	if p.follows() {
		v.contact = now
		p.contact("answering again")
	} else if doubts {
		v.heard.presumed, v.contact = false, v.heard.proven
	}
	p.mu.Unlock()
	p.beat(now, doubts)
}

// beatenBeside takes one that came beside QUIC; true means that it is to be answered.
func (p *peer) beatenBeside(c *conn, m besideBeat) bool {
	now := time.Now()
	p.mu.Lock()
	if p.conn != c || p.gone != nil {
		p.mu.Unlock()
		return false
	}
	v := &p.live
	if p.follows() {
		v.contact = now
	} else {
		v.confirmed(m, now)
	}
	v.heard.note(m.n, now)
	p.contact("answering again")
	p.mu.Unlock()
	p.beat(now, false)
	return true
}

// confirmed takes it that the peer has the answer to heartbeat m.heard: it has sent that one m.took or less before it came here.
func (v *liveness) confirmed(m besideBeat, now time.Time) {
	h := &v.heard
	if e := &h.came[m.heard%cameKept]; e.n == m.heard && m.heard != 0 {
		if at := e.at.Add(-m.took); at.After(v.lease) {
			v.lease, v.boot = at, e.boot-m.took
		}
		h.proven = later(h.proven, e.at.Add(-m.took))
	}
	h.presumed = m.heard == h.last && m.heard != 0
	v.contact = later(v.contact, h.proven)
	if h.presumed {
		v.contact = now
	}
}

// beat has the look at the links put off where the peer's heartbeat is all that has come, else done.
func (p *peer) beat(now time.Time, look bool) {
	p.mu.Lock()
	frames := p.live.frames
	p.mu.Unlock()
	switch {
	case look:
		p.n.alarm.hurry(now, 0)
	case p.frames() != frames:
		p.n.alarm.hurry(now, p.n.timing.Tick)
	default:
		p.n.alarm.putOff(now, p.patience())
	}
}

// patience is how long a link at rest is not looked at after a heartbeat of the peer: the next one comes before that.
func (p *peer) patience() time.Duration {
	if t := &p.n.timing; !p.follows() {
		return t.Rest + t.Tick
	}
	return p.n.timing.Suspect + p.n.timing.Tick/2
}

// rests reports whether there is nothing on the link to look at until the next heartbeat, or the end of the time in which
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

// beatAcked takes the answer to heartbeat n, which came by the stream or beside QUIC.
func (p *peer) beatAcked(c *conn, n uint64, beside bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := &p.live
	if p.conn != c || v.sentOn != c || n == 0 || n > v.beat || v.beat-n >= beatsKept {
		return // of another connection, or nonsense
	}
	at := v.sent[n%beatsKept]
	v.contact, v.heard.proven = later(v.contact, at), later(v.heard.proven, at)
	if at.After(v.lease) {
		v.lease, v.boot = at, v.booted[n%beatsKept]
	}
	if n > v.answered {
		v.answered, v.took = n, time.Since(at)
	}
	if beside {
		v.misses = 0
	}
	p.contact("answering again")
}

// due decides on a heartbeat: its number, 0 for none. p.mu is held.
func (p *peer) due(c *conn, now time.Time, rests bool) (n uint64, beside bool) {
	v, t := &p.live, &p.n.timing
	since, waits, ask := now.Sub(v.sent[v.beat%beatsKept]), v.answered < v.beat, now.Sub(v.asked) >= askQUIC
	early := t.Tick / 2 // than it should be
	switch {
	case p.follows():
		return 0, false
	case v.sentOn != c:
	case c.dialled && v.heard.presumed && rests && now.Sub(v.contact) < t.Rest+t.Tick:
		return 0, false
	case v.beside && (waits || ask && since < t.Rest-early): // the peer knows this one for what follows one that was not answered
		if since < early {
			return 0, false
		}
		if waits {
			v.misses, v.missed = v.misses+1, now
		}
	case rests && !waits && !c.dialled && v.carried(c, now):
		if since < t.Rest-early {
			return 0, false
		}
		beside = true
	case since < t.Heartbeat-early:
		return 0, false
	}
	if !beside {
		v.asked = now
	}
	v.beat++
	v.sent[v.beat%beatsKept], v.booted[v.beat%beatsKept], v.sentOn, v.beside = now, bootTime(), c, beside
	return v.beat, beside
}

// carried reports whether what goes beside QUIC gets through, as far as is known.
func (v *liveness) carried(c *conn, now time.Time) bool {
	return c.beside != nil && (v.misses < besideMisses || now.Sub(v.missed) >= askQUIC)
}

// tick looks at one link, and says when to look again. lag is how much too late the tick itself is: silence in that time says
// nothing about the peer (the Lifeguard rule of memberlist).
func (p *peer) tick(now time.Time, lag time.Duration) (next time.Duration) {
	t := &p.n.timing
	next = t.Tick
	frames := p.frames()
	p.mu.Lock()
	v := &p.live
	before := v.frames
	v.frames = frames
	p.mu.Unlock()
	rests := p.rests(before)
	p.mu.Lock()
	if p.gone != nil {
		p.mu.Unlock()
		return next
	}
	if v.held {
		v.contact, v.heard.proven = now, now
	}
	if lag > 0 {
		v.contact, v.heard.proven = earlier(v.contact.Add(lag), now), earlier(v.heard.proven.Add(lag), now)
	}
	silence := now.Sub(v.contact)
	c := p.conn
	p.lease(now)
	switch {
	case silence > t.Lost && p.losable():
		reason := p.lostReason(silence)
		p.mu.Unlock()
		p.n.terminate(p, LinkLost, reason, closeErrorf(CodeGone, "%s lost this process: %s", p.n.id, reason))
		return next
	case c != nil && silence > t.Unreachable:
		fault := fmt.Sprintf("no heartbeat was answered for %s", round(silence))
		p.down(fault)
		p.mu.Unlock()
		c.close(closeErrorf(CodeSilent, "%s", fault))
		return next
	case c != nil && p.state == LinkUp && silence > t.Suspect:
		p.set(LinkSuspect, fmt.Sprintf("silent for %s", round(silence)))
		rests = false
	}
	if c == nil {
		p.mu.Unlock()
		return next
	}
	n, beside := p.due(c, now, rests)
	if rests {
		next = p.rest(now)
	}
	m := besideBeat{n: n, heard: v.answered, took: v.took}
	p.mu.Unlock()
	switch {
	case beside:
		c.sendBeside(m)
	case n != 0:
		p.out[LaneControl].post(c, func(l *outLane) { l.beat = n })
	}
	if rests {
		for lane := range lanes {
			p.out[lane].rest()
		}
	}
	p.kick() // a handler that blocks in Frame may hold a cork
	if why := c.stuck(now); why != nil {
		c.close(why)
	}
	return next
}

// rest is how long a link at rest is not looked at. p.mu is held.
func (p *peer) rest(now time.Time) time.Duration {
	v, t := &p.live, &p.n.timing
	switch {
	case p.follows() || p.conn.dialled && v.heard.presumed:
		return max(v.contact.Add(p.patience()).Sub(now), t.Tick)
	case p.conn.dialled || v.answered < v.beat || v.beside && now.Sub(v.asked) >= askQUIC || !v.carried(p.conn, now):
		return t.Tick
	}
	return max(v.sent[v.beat%beatsKept].Add(t.Rest).Sub(now), t.Tick)
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

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
