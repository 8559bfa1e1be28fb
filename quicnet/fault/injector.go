package fault

import (
	"cmp"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Injector does to the packets of one socket what its rules say.
type Injector struct {
	wake func() // packets have become due that are for the reader
	note func() // counts have changed

	sending sync.Mutex // held while packets that were held up are sent; before mu

	mu     sync.Mutex
	paths  map[netip.AddrPort]*path
	counts map[uint64]*Count
	held   []packet // by due, then by their order
	bytes  int      // of held
	due    []packet // for the reader
	timer  *time.Timer
	closed bool
}

// path is what is done to the packets of one peer, by direction.
type path struct{ out, in line }

type line struct {
	rules []*state
	last  time.Time // when the last packet that was held is due
	held  int       // how many are, until they have been sent or read
}

// Packet is one that came and was held up.
type Packet struct {
	Data []byte
	Addr net.Addr
}

type packet struct {
	Packet
	due  time.Time
	line *line
	send func([]byte) // nil: it is for the reader
}

// New makes an injector. wake is called when Due has packets, note when counts have changed; neither may block, and note is
// called with a lock held.
func New(wake, note func()) *Injector {
	return &Injector{wake: wake, note: note, paths: map[netip.AddrPort]*path{}, counts: map[uint64]*Count{}}
}

// Set replaces the rules. A rule that stays, by its ID and its stream, goes on drawing where it was. What was held goes on as it
// was to, or at once where its direction has no rule any more.
func (j *Injector) Set(paths []Path) {
	j.sending.Lock()
	defer j.sending.Unlock()
	j.mu.Lock()
	next := make(map[netip.AddrPort]*path, len(paths))
	used := map[uint64]bool{}
	for _, p := range paths {
		addr := plain(p.Addr)
		have := j.paths[addr]
		if have == nil {
			have = &path{}
		}
		have.out.set(p.Out)
		have.in.set(p.In)
		next[addr] = have
		for _, r := range slices.Concat(p.Out, p.In) {
			used[r.ID] = true
		}
	}
	for addr, old := range j.paths {
		if next[addr] == nil {
			old.out.rules, old.in.rules = nil, nil
		}
	}
	j.paths = next
	maps.DeleteFunc(j.counts, func(id uint64, _ *Count) bool { return !used[id] })
	out := j.take(func(p *packet) bool { return len(p.line.rules) == 0 })
	j.arm()
	ripe := len(j.due) > 0
	j.mu.Unlock()
	j.hand(out, ripe)
}

func (l *line) set(rules []Rule) {
	next := make([]*state, 0, len(rules))
	for _, r := range rules {
		at := slices.IndexFunc(l.rules, func(s *state) bool { return s.ID == r.ID && s.Stream == r.Stream && s.Seed == r.Seed })
		if at < 0 {
			next = append(next, newState(r))
			continue
		}
		l.rules[at].Rule = r
		next = append(next, l.rules[at])
	}
	l.rules = next
}

// plain is an address as it is compared: IPv4 as such, without a zone.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

func addrPort(a net.Addr) netip.AddrPort {
	if u, ok := a.(*net.UDPAddr); ok {
		return plain(u.AddrPort())
	}
	p, _ := netip.ParseAddrPort(a.String())
	return plain(p)
}

// Touches reports whether packets to addr are judged.
func (j *Injector) Touches(addr net.Addr) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := j.paths[addrPort(addr)]
	return p != nil && (len(p.out.rules) > 0 || p.out.held > 0)
}

// Out judges a packet that is to leave. True means that it was taken: it is lost, or send is called with a copy of it later. send
// may be called at any time until Close has returned.
func (j *Injector) Out(b []byte, addr net.Addr, send func([]byte)) (taken bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := j.paths[addrPort(addr)]
	return p != nil && j.judge(&p.out, b, addr, send)
}

// In judges a packet that has come. True means that it was taken: it is lost, or Due gives a copy of it later.
func (j *Injector) In(b []byte, addr net.Addr) (taken bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := j.paths[addrPort(addr)]
	return p != nil && j.judge(&p.in, b, addr, nil)
}

// judge draws what becomes of a packet, from every rule of its direction. The caller holds j.mu.
func (j *Injector) judge(l *line, b []byte, addr net.Addr, send func([]byte)) (taken bool) {
	if len(l.rules) == 0 && l.held == 0 || j.closed {
		return false
	}
	now := time.Now()
	lost, wait := false, time.Duration(0)
	for _, s := range l.rules {
		gone, more := s.draw(now, len(b))
		c := j.count(s.ID)
		c.Seen++
		switch {
		case gone && !lost:
			c.Dropped++
		case more > 0 && !lost && !gone:
			c.Delayed++
		}
		lost = lost || gone
		wait += more
	}
	due := now.Add(wait)
	if l.held > 0 && due.Before(l.last) { // those before it go first
		due = l.last
	}
	switch {
	case lost:
	case !due.After(now) && l.held == 0:
		return false
	case len(j.held) >= MaxHeld || j.bytes+len(b) > MaxHeldBytes:
		for _, s := range l.rules {
			j.count(s.ID).Dropped++
		}
	default:
		l.last = due
		l.held++
		p := packet{Packet: Packet{slices.Clone(b), addr}, due: due, line: l, send: send}
		at, _ := slices.BinarySearchFunc(j.held, due, func(x packet, t time.Time) int { // behind those of the same time
			return cmp.Or(x.due.Compare(t), -1)
		})
		j.held = slices.Insert(j.held, at, p)
		j.bytes += len(b)
		j.arm()
	}
	j.note()
	return true
}

func (j *Injector) count(id uint64) *Count {
	c := j.counts[id]
	if c == nil {
		c = &Count{ID: id}
		j.counts[id] = c
	}
	return c
}

// arm sets the timer to the first packet that is held. The caller holds j.mu.
func (j *Injector) arm() {
	switch {
	case j.closed || len(j.held) == 0:
		if j.timer != nil {
			j.timer.Stop()
		}
	case j.timer == nil:
		j.timer = time.AfterFunc(time.Until(j.held[0].due), j.ripen)
	default:
		j.timer.Reset(time.Until(j.held[0].due))
	}
}

// ripen lets go on what is due.
func (j *Injector) ripen() {
	j.sending.Lock()
	defer j.sending.Unlock()
	j.mu.Lock()
	now := time.Now()
	out := j.take(func(p *packet) bool { return !p.due.After(now) })
	j.arm()
	ripe := len(j.due) > 0
	j.mu.Unlock()
	j.hand(out, ripe)
}

// take takes what is meant out of what is held: what leaves it gives, what is for the reader is due. The caller holds j.mu.
func (j *Injector) take(meant func(*packet) bool) (out []packet) {
	left := j.held[:0]
	for i := range j.held {
		p := j.held[i]
		if !meant(&p) {
			left = append(left, p)
			continue
		}
		j.bytes -= len(p.Data)
		if p.send != nil {
			out = append(out, p)
		} else {
			j.due = append(j.due, p)
		}
	}
	clear(j.held[len(left):])
	j.held = left
	return out
}

// hand sends packets, and wakes the reader. The caller holds j.sending alone.
func (j *Injector) hand(out []packet, ripe bool) {
	for i := range out {
		out[i].send(out[i].Data)
	}
	if len(out) > 0 {
		j.mu.Lock()
		for i := range out { // from now on others of its direction may go by themselves
			out[i].line.held--
		}
		j.mu.Unlock()
	}
	if ripe {
		j.wake()
	}
}

// Due gives the next packet for the reader, if there is one. It is called by the reader alone, which calls In too.
func (j *Injector) Due() (p Packet, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.due) == 0 {
		return Packet{}, false
	}
	p = j.due[0].Packet
	j.due[0].line.held--
	j.due[0] = packet{}
	if j.due = j.due[1:]; len(j.due) == 0 {
		j.due = nil
	}
	return p, true
}

// Idle reports whether there is no rule, and nothing is held or due: the socket can do without.
func (j *Injector) Idle() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.paths)+len(j.held)+len(j.due) == 0
}

// Counts gives what the rules have done, by ID. Those of a rule go with its last path.
func (j *Injector) Counts() []Count {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]Count, 0, len(j.counts))
	for _, c := range j.counts {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// Close drops what is held, and judges nothing any more. It waits for what is being sent.
func (j *Injector) Close() {
	j.sending.Lock()
	defer j.sending.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	j.arm()
	j.held, j.due, j.bytes = nil, nil, 0
}
