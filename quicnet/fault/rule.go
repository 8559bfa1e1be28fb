package fault

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// Rule is one fault on the packets of one direction of one path.
type Rule struct {
	ID     uint64        // whose counts it adds to
	Seed   uint64        // what is drawn follows from it
	Stream uint64        // and from this: two directions with one seed do not lose the same packets
	Delay  time.Duration // each packet is held up for so long
	Jitter time.Duration // and for up to so much more or less
	Loss   float64       // the part of the packets that is lost, from 0 to 1
	Rate   int64         // bytes that pass in a second; 0: any number
}

// Path says what is done to the packets of one peer.
type Path struct {
	Addr netip.AddrPort
	Out  []Rule // to those that leave
	In   []Rule // to those that come
}

// Count is what the rules of one ID have done.
type Count struct {
	ID      uint64
	Seen    uint64 // packets that they judged
	Dropped uint64 // of these: lost
	Delayed uint64 // held up
}

// What may be held at a time by one socket. Beyond it packets are lost.
const (
	MaxHeld      = 8192
	MaxHeldBytes = 16 << 20
)

// state is a rule with what it has drawn so far.
type state struct {
	Rule
	rng  *rand.Rand
	free time.Time // when the bytes before are through; with a Rate only
}

func newState(r Rule) *state {
	return &state{Rule: r, rng: rand.New(rand.NewPCG(r.Seed, r.Stream))} //nolint:gosec // it has to be the same in every run
}

// draw says what becomes of the next packet. It draws the same number of times for each.
func (s *state) draw(now time.Time, size int) (lost bool, wait time.Duration) {
	lost = s.rng.Float64() < s.Loss
	wait = s.Delay
	if shift := s.rng.Float64(); s.Jitter > 0 {
		wait = max(0, wait+time.Duration((2*shift-1)*float64(s.Jitter)))
	}
	if s.Rate > 0 && !lost {
		if s.free.Before(now) {
			s.free = now
		}
		s.free = s.free.Add(time.Duration(float64(size) / float64(s.Rate) * float64(time.Second)))
		wait += s.free.Sub(now)
	}
	return lost, wait
}

// Sum adds up the counts of two sockets, by ID.
func Sum(a, b []Count) []Count {
	if len(a) == 0 {
		return b
	}
	for _, c := range b {
		i := slices.IndexFunc(a, func(o Count) bool { return o.ID == c.ID })
		if i < 0 {
			a = append(a, c)
			continue
		}
		a[i].Seen += c.Seen
		a[i].Dropped += c.Dropped
		a[i].Delayed += c.Delayed
	}
	return a
}
