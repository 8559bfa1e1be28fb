package carrier

import (
	"runtime"
	"sync/atomic"
	"time"
)

// poller lets a reader look again for a while before it parks. It belongs to one reader at a time.
//
// It gives itself up in two ways, because polling can fail in two ways:
//
//   - Nothing comes in time (misses). After offAfter misses in a row readers park at once, which costs nothing on slow
//     traffic. Once parks turn out short, one longer poll is tried; it spans the waking of a peer that has given up too.
//     Each failed try doubles the number of short parks before the next. A try that finds something switches polling on
//     again, but the failed ones are forgotten only after a run of hits: one may be chance.
//   - Another process takes the core (losses). A process that waits by polling uses up its share of a busy core; one that
//     sleeps saves its share, and the kernel lets it run the moment its packet comes. So after a loss readers park for
//     cleanAfter times as long as it took, which doubles with each loss that follows soon, up to maxPause. It is a time
//     and not a number of parks, so that one stall on a quiet machine costs milliseconds and not a pair of processes
//     that stay parked.
//
// With one P the core is offered to another process (sched_yield) between two looks, because the peer may be waiting for
// this very core. On a busy machine that is the worst thing to do. Linux moves the deadline of a process that yields back by
// a slice (yield_task_fair in kernel/sched/fair.c), so that it gets the core again when the others have had theirs, while
// one that has slept is let in at once. Measured on Linux 6.18, with a thread that works 20 µs at a time beside another that
// never stops: a sched_yield takes 0.25 ms in the median and 4 ms or more in a tenth of all cases, a sleep of 50 µs takes
// 0.1 ms. Two processes at GOMAXPROCS=1, on two cores that two others keep busy (BenchmarkRoundTrip/busy-1P), made 0.4
// thousand round trips a second with yields, 14 thousand without, and 9 to 20 with the plain carrier. So the core is offered
// only as long as nobody has taken it.
type poller struct {
	budget  time.Duration
	enabled atomic.Bool
	sys     system

	miss    int  // misses in a row
	off     bool // by misses
	backoff int  // short parks from one try to the next
	left    int  // of them, until the next try
	good    int  // hits since a try has brought polling back
	parked  time.Duration

	losses int           // that followed each other soon
	until  time.Duration // no poll before that
	taken  int64         // what sys.taken said last

	hits, late, misses, lost atomic.Uint64
	given                    atomic.Bool // polling is given up for now, for Stats
}

// system is what a poller sees of the machine.
type system struct {
	now   func() time.Duration // since some moment
	pass  func()               // lets other goroutines run
	yield func()               // lets other processes run; nil: this process has more than one P
	taken func() int64         // how often another process has been given this one's core
}

const (
	offAfter   = 8   // misses in a row
	offAgain   = 4   // the same after a try has brought polling back, until it is proven
	proven     = 32  // hits
	firstTry   = 16  // short parks of a reader that holds off, until it polls
	maxBackoff = 512 // short parks
	// tryFactor is how many budgets a poll lasts until polling is proven again, and what a short park is shorter than. Both must
	// span a round trip in which the peer sleeps as well: 80 to 160 µs where cores have to be woken by interrupts.
	tryFactor = 4
	maxPause  = 512 * time.Millisecond
	// maxDoublings of the shortest pause are beyond maxPause.
	maxDoublings = 10
	// lossAfter is how many budgets one look may take before it is asked whether somebody took the core.
	lossAfter = 4
	// cleanAfter is how many times as long as a loss polling must have gone well for the loss to count as the first one:
	// polling may lose an eighth of its time.
	cleanAfter = 8
	// forgetAfter is how long polling must have gone well for losses to be forgotten.
	forgetAfter = time.Second
)

func (p *poller) init(budget time.Duration) {
	if budget == 0 {
		budget = DefaultPoll
	}
	p.budget = budget
	p.enabled.Store(budget > 0)
	begin := time.Now()
	p.sys = system{now: func() time.Duration { return time.Since(begin) }, pass: runtime.Gosched, taken: taken}
	if runtime.GOMAXPROCS(0) == 1 { // with more Ps it would hand the core to this process's own idle threads
		p.sys.yield = yield
	}
}

// holdOff has the reader begin as if polling had been given up: it polls when parks have turned out short.
func (p *poller) holdOff() {
	p.off, p.backoff, p.left = true, 1, firstTry
	p.given.Store(true)
}

func (p *poller) stats() Stats {
	return Stats{Hits: p.hits.Load(), Late: p.late.Load(), Misses: p.misses.Load(), Lost: p.lost.Load(), Off: p.given.Load()}
}

// poll calls try until it reports true or the budget is spent. False means: park now.
func (p *poller) poll(try func() bool) bool {
	if !p.enabled.Load() {
		return false
	}
	begin := p.sys.now()
	if p.off && p.left > 0 || begin < p.until {
		p.parked = begin
		return false
	}
	if begin-p.until > forgetAfter {
		p.losses = 0
	}
	budget := p.budget
	if p.backoff > 0 { // the peer may be off still
		budget *= tryFactor
	}
	for last := begin; ; {
		ok := p.look(try)
		now := p.sys.now()
		if now-last > lossAfter*p.budget {
			p.judge(now, now-last)
		}
		last = now
		late := now-begin > budget
		switch {
		case ok && !late:
			p.hit()
			return true
		case ok: // it came, but a park would have been cheaper
			p.late.Add(1)
			p.fail()
			return true
		case late || begin < p.until:
			p.misses.Add(1)
			p.fail()
			p.parked = now
			return false
		}
	}
}

// look lets the other goroutines run, and tries. It does so twice before it offers the core, so that a writer which itself
// lets others run once, to gather a batch, has sent the batch by then.
func (p *poller) look(try func() bool) bool {
	for range 2 {
		p.sys.pass()
		if try() {
			return true
		}
	}
	if p.sys.yield == nil || p.losses > 0 {
		return false
	}
	p.sys.yield()
	return try()
}

// judge says whether a look that took as long as gap lost the core to another process, or to a goroutine of our own.
func (p *poller) judge(now, gap time.Duration) {
	n := p.sys.taken()
	if n == p.taken {
		return
	}
	p.taken = n
	p.lost.Add(1)
	if now-p.until > cleanAfter*gap {
		p.losses = 0
	}
	p.losses = min(p.losses+1, maxDoublings)
	p.until = now + min(cleanAfter*min(gap, maxPause)<<(p.losses-1), maxPause)
	p.given.Store(true)
}

func (p *poller) hit() {
	p.hits.Add(1)
	p.miss, p.off = 0, false
	if p.backoff > 0 {
		if p.good++; p.good >= proven {
			p.good, p.backoff = 0, 0
		}
	}
	if p.given.Load() && p.sys.now() >= p.until {
		p.given.Store(false)
	}
}

func (p *poller) fail() {
	p.miss++
	if p.off || p.miss >= offAfter || p.backoff > 0 && p.miss >= offAgain {
		p.off = true
		p.given.Store(true)
		p.backoff = min(2*p.backoff+1, maxBackoff)
		p.left, p.good = p.backoff, 0
	}
}

// woke is called when something has arrived after a park.
func (p *poller) woke() {
	if p.off && p.left > 0 && p.sys.now()-p.parked < tryFactor*p.budget {
		p.left--
	}
}

// Poller gives readers of other things than sockets the rules by which a socket's reader polls before it parks. It belongs to one
// reader.
type Poller struct{ p poller }

// NewPoller makes a poller of the budget that Options.Poll names; nil where that says not at all.
func NewPoller(budget time.Duration) *Poller {
	if budget < 0 {
		return nil
	}
	p := &Poller{}
	p.p.init(budget)
	return p
}

// SetPoll switches polling on or off, at any time.
func (p *Poller) SetPoll(on bool) { p.p.enabled.Store(on) }

// Poll calls try until it reports true or polling costs more than it brings. False means: park now.
func (p *Poller) Poll(try func() bool) bool { return p.p.poll(try) }

// Woke is to be called when something has come after a park.
func (p *Poller) Woke() { p.p.woke() }
