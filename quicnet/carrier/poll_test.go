package carrier

import (
	"testing"
	"time"
)

// machine is a system in virtual time: each look takes a microsecond, and more when somebody takes the core.
type machine struct {
	t       time.Duration
	stall   time.Duration // the next look takes this long, because the core is taken
	own     time.Duration // the next look takes this long, because our own goroutines run
	n       int64
	looks   int
	yields  int
	comesAt time.Duration // when something can be read
}

func (m *machine) poller(budget time.Duration) *poller {
	p := &poller{}
	p.init(budget)
	p.sys = system{
		now: func() time.Duration { return m.t },
		pass: func() {
			m.t += time.Microsecond + m.stall + m.own
			if m.stall > 0 {
				m.n++
			}
			m.stall, m.own = 0, 0
		},
		yield: func() { m.yields++ },
		taken: func() int64 { return m.n },
	}
	return p
}

func (m *machine) try() bool {
	m.looks++
	return m.t >= m.comesAt
}

// wait is one wait of a reader for what comes after d: a poll, and a park where that found nothing. It returns whether the poll did.
func (m *machine) wait(p *poller, d time.Duration) bool {
	m.comesAt = m.t + d
	if p.poll(m.try) {
		return true
	}
	m.t = max(m.t, m.comesAt) + 30*time.Microsecond // to wake up
	p.woke()
	return false
}

// TestPollingComesBackToAPeerThatSleeps: both have given up, so a wait takes as long as it takes to wake the peer.
func TestPollingComesBackToAPeerThatSleeps(t *testing.T) {
	for _, d := range []time.Duration{60, 90, 120, 160} {
		m := &machine{}
		p := m.poller(50 * time.Microsecond)
		for range offAfter {
			m.wait(p, time.Millisecond)
		}
		n := 0
		for !m.wait(p, d*time.Microsecond) {
			if n++; n > 4*maxBackoff {
				t.Fatalf("waits of %dµs do not bring polling back", d)
			}
		}
		for i := range 20 { // until the peer has made its own try
			if !m.wait(p, d*time.Microsecond) {
				t.Fatalf("wait %d of %dµs after polling came back is a park: the two never poll at the same time", i, d)
			}
		}
	}
}

const (
	soon  = 10 * time.Microsecond
	never = time.Hour
)

// TestIdleCostsOneBudget holds INV-4: nothing comes, and the reader parks after one budget.
func TestIdleCostsOneBudget(t *testing.T) {
	m := &machine{}
	p := m.poller(50 * time.Microsecond)
	m.comesAt = never
	if p.poll(m.try) {
		t.Fatal("a poll found something where nothing came")
	}
	if m.t < 50*time.Microsecond || m.t > 60*time.Microsecond {
		t.Errorf("the poll took %v, want one budget of 50µs", m.t)
	}
	if s := p.stats(); s.Misses != 1 || s.Hits != 0 {
		t.Errorf("counted %+v, want one miss", s)
	}
}

// TestSlowTrafficIsNotPolledFor holds INV-5.
func TestSlowTrafficIsNotPolledFor(t *testing.T) {
	m := &machine{}
	p := m.poller(50 * time.Microsecond)
	for range offAfter {
		m.wait(p, 10*time.Millisecond)
	}
	m.looks = 0
	for range 1000 {
		m.wait(p, 10*time.Millisecond)
	}
	if m.looks != 0 || !p.stats().Off {
		t.Errorf("a reader that waits 10 ms each time has looked %d times, off: %v", m.looks, p.stats().Off)
	}
}

// TestAReaderThatHoldsOffPollsOnceItsParksAreShort holds INV-5 for the first packets of a process.
func TestAReaderThatHoldsOffPollsOnceItsParksAreShort(t *testing.T) {
	m := &machine{}
	p := m.poller(50 * time.Microsecond)
	p.holdOff()
	for range 100 {
		m.wait(p, time.Millisecond)
	}
	for range firstTry {
		m.wait(p, soon)
	}
	if m.looks != 0 || !p.stats().Off {
		t.Errorf("it has looked %d times before its parks were known to be short, off: %v", m.looks, p.stats().Off)
	}
	for i := range 100 {
		if !m.wait(p, soon) {
			t.Fatalf("wait %d after %d short parks is a park", i, firstTry)
		}
	}
	if p.stats().Off {
		t.Error("it says that polling is given up")
	}
}

// TestPollingComesBack: short waits bring it back, with rare tries as long as they fail.
func TestPollingComesBack(t *testing.T) {
	m := &machine{}
	p := m.poller(50 * time.Microsecond)
	for range 4 * maxBackoff {
		m.comesAt = never // the peer has no core as long as we poll
		if p.poll(m.try) {
			t.Fatal("a poll found something where nothing came")
		}
		m.t += 60 * time.Microsecond
		p.woke()
	}
	if n := p.stats().Misses; n > offAfter+12 {
		t.Errorf("%d polls that found nothing in %d waits: the tries do not get rarer", n, 4*maxBackoff)
	}
	n := 0
	for !m.wait(p, soon) {
		if n++; n > 2*maxBackoff {
			t.Fatal("polling does not come back though it would find something")
		}
	}
	for i := range 100 {
		if !m.wait(p, soon) {
			t.Fatalf("wait %d after the first hit is a park again", i)
		}
	}
	if p.stats().Off {
		t.Error("it says that polling is given up")
	}
}

// TestALuckyTryProvesNothing: two processes on one core, where a poll finds something once in a while.
func TestALuckyTryProvesNothing(t *testing.T) {
	m := &machine{}
	p := m.poller(50 * time.Microsecond)
	polled := time.Duration(0)
	for i := range 20_000 {
		at := m.t
		m.comesAt = never
		if i%50 == 0 {
			m.comesAt = m.t + soon
		}
		hit := p.poll(m.try)
		polled += m.t - at
		if !hit {
			m.t += 60 * time.Microsecond
			p.woke()
		}
	}
	if share := float64(polled) / float64(m.t); share > 0.05 {
		t.Errorf("%.0f %% of the time went to polls of which hardly any finds something", 100*share)
	}
}

// TestABusyMachineIsNotPolledOn holds INV-5: where each few milliseconds of polling cost as many without the core, it is
// given up for all but a hundredth of the time.
func TestABusyMachineIsNotPolledOn(t *testing.T) {
	m := &machine{}
	p := m.poller(50 * time.Microsecond)
	lost := time.Duration(0)
	ran := time.Duration(0) // since the core was taken last
	for m.t < 20*time.Second {
		at := m.t
		if ran > 3*time.Millisecond {
			m.stall = 3 * time.Millisecond
			lost += m.stall
			ran = 0
		}
		if m.wait(p, soon) {
			ran += m.t - at
		} else {
			m.stall, ran = 0, 0 // it has slept: its share is saved
		}
	}
	if share := float64(lost) / float64(m.t); share > 0.02 {
		t.Errorf("%.1f %% of the time went to others while we polled", 100*share)
	}
	if p.stats().Lost == 0 {
		t.Error("no loss was counted")
	}
}

func TestOneStallCostsMilliseconds(t *testing.T) {
	m := &machine{}
	p := m.poller(50 * time.Microsecond)
	for range 1000 {
		m.wait(p, soon)
	}
	m.stall = 4 * time.Millisecond
	m.wait(p, soon)
	if !p.stats().Off {
		t.Error("after a loss it does not say that polling is given up")
	}
	at := m.t
	for !m.wait(p, soon) {
	}
	if d := m.t - at; d > 33*time.Millisecond {
		t.Errorf("after a stall of 4 ms it was %v until polling came back, want about %d times as long", d, cleanAfter)
	}
}

func TestTheCoreIsNotOfferedToWhoTakesIt(t *testing.T) {
	m := &machine{}
	p := m.poller(50 * time.Microsecond)
	m.wait(p, soon)
	if m.yields == 0 {
		t.Fatal("with one P the core is not offered at all")
	}
	m.stall = 4 * time.Millisecond
	m.wait(p, soon)
	for !m.wait(p, soon) { // the pause
	}
	m.yields = 0
	for range 100 {
		m.wait(p, soon)
	}
	if m.yields > 0 {
		t.Errorf("the core was offered %d times after somebody had taken it", m.yields)
	}
	m.t += forgetAfter
	m.wait(p, soon)
	m.wait(p, soon)
	if m.yields == 0 {
		t.Error("one loss is never forgotten")
	}
}

func TestOurOwnWorkIsNoLoss(t *testing.T) {
	m := &machine{}
	p := m.poller(50 * time.Microsecond)
	for range 100 {
		m.wait(p, soon)
		m.own = 5 * time.Millisecond
		m.wait(p, 20*time.Microsecond)
		for range 10 {
			m.wait(p, soon)
		}
	}
	if n := p.stats().Lost; n != 0 {
		t.Errorf("%d looks that ran goroutines of our own count as lost to others", n)
	}
}

func TestPollingCanBeSwitched(t *testing.T) {
	m := &machine{}
	p := m.poller(-1)
	if m.wait(p, soon) || m.looks > 0 {
		t.Error("a negative budget polls")
	}
	p = m.poller(0)
	if p.budget != DefaultPoll || !m.wait(p, soon) {
		t.Errorf("the zero budget is %v, want %v", p.budget, DefaultPoll)
	}
	p.enabled.Store(false)
	if m.wait(p, soon) {
		t.Error("a poller that is switched off polls")
	}
}
