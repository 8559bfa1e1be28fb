package chaos

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/fault"
)

// Messages judges the messages that come to the actors of one process.
type Messages struct {
	mu    sync.Mutex
	rules map[uint64][]*messageState // by mesh
}

type messageState struct {
	MessageRule
	rng   *rand.Rand
	count fault.Count
}

// Verdict is what becomes of a message.
type Verdict struct {
	Dropped uint64        // the fault that drops it; 0: none does
	By      string        // who ordered that one
	Wait    time.Duration // for so long it is held up
	Held    []uint64      // the faults that hold it up
}

// NewMessages makes the judge of these rules; nil: there are none. A rule that old has goes on drawing and counting where it was.
func NewMessages(old *Messages, rules []MessageRule) *Messages {
	if len(rules) == 0 {
		return nil
	}
	if old != nil {
		old.mu.Lock()
		defer old.mu.Unlock()
	}
	m := &Messages{rules: map[uint64][]*messageState{}}
	for _, r := range rules {
		s := &messageState{MessageRule: r, rng: rand.New(rand.NewPCG(r.Seed, r.Stream)), count: fault.Count{ID: r.ID}} //nolint:gosec // it has to be the same in every run
		if old != nil {
			if at := slices.IndexFunc(old.rules[r.Mesh], func(x *messageState) bool { return x.MessageRule == r }); at >= 0 {
				was := old.rules[r.Mesh][at]
				s.rng, s.count = was.rng, was.count // old judges nothing more than what it has begun
			}
		}
		m.rules[r.Mesh] = append(m.rules[r.Mesh], s)
	}
	return m
}

// Judge draws what becomes of the next message for an endpoint of the actor of a mesh.
func (m *Messages) Judge(mesh uint64, endpoint string) (v Verdict) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.rules[mesh] {
		if s.Endpoint != "" && s.Endpoint != endpoint {
			continue
		}
		lost := s.rng.Float64() < s.Loss
		shift := s.rng.Float64() // drawn for each, so that the n-th message has the n-th numbers
		s.count.Seen++
		switch {
		case v.Dropped != 0:
		case lost:
			s.count.Dropped++
			v.Dropped, v.By = s.ID, s.By
		case s.Delay > 0:
			s.count.Delayed++
			v.Held = append(v.Held, s.ID)
			v.Wait += max(0, s.Delay+time.Duration((2*shift-1)*float64(s.Jitter)))
		}
	}
	return v
}

// Counts gives what the rules have done, by ID.
func (m *Messages) Counts() []fault.Count {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := map[uint64]fault.Count{}
	for _, list := range m.rules {
		for _, s := range list {
			sum[s.ID] = Add(sum[s.ID], s.count)
		}
	}
	return Sorted(sum)
}

// Add adds up two counts of one fault.
func Add(a, b fault.Count) fault.Count {
	return fault.Count{ID: b.ID, Seen: a.Seen + b.Seen, Dropped: a.Dropped + b.Dropped, Delayed: a.Delayed + b.Delayed}
}

// Sorted lists counts by ID.
func Sorted(sum map[uint64]fault.Count) []fault.Count {
	out := make([]fault.Count, 0, len(sum))
	for _, c := range sum {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b fault.Count) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
