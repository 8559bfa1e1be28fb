package farlog

import (
	"sync"
	"time"
)

// queued is how many records wait in a process.
const queued = 256

// Queue holds records that wait to be taken away.
type Queue struct{ records chan Record }

// NewQueue makes an empty queue.
func NewQueue() *Queue { return &Queue{make(chan Record, queued)} }

// Put adds a record, if its gate lets it through and there is room. It never waits.
func (q *Queue) Put(r Record, g *Gate) {
	lost, ok := g.pass()
	if !ok {
		return
	}
	r.Lost += lost
	select {
	case q.records <- r:
	default:
		g.miss(r.Lost + 1)
	}
}

// Run takes the records away, one after the other, until done is closed; then those that are there, too.
func (q *Queue) Run(done <-chan struct{}, take func(Record)) {
	for {
		select {
		case r := <-q.records:
			take(r)
		case <-done:
			for {
				select {
				case r := <-q.records:
					take(r)
				default:
					return
				}
			}
		}
	}
}

// Gate bounds how many records pass: so many at once, and so many a second on the average. It counts those that do not.
type Gate struct {
	burst, perSecond float64

	mu   sync.Mutex
	used float64 // of burst
	at   time.Time
	lost uint64
}

// OfProcess is the gate of a process on another machine.
func OfProcess() *Gate { return &Gate{burst: 500, perSecond: 100} }

// OfHost is the gate of all processes of a host, at the controller: a process may be of anybody's making.
func OfHost() *Gate { return &Gate{burst: 2000, perSecond: 500} }

// pass reports whether one more record passes, and how many before it have not.
func (g *Gate) pass() (lost uint64, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.used = max(0, g.used-now.Sub(g.at).Seconds()*g.perSecond)
	g.at = now
	if g.used+1 > g.burst {
		g.lost++
		return 0, false
	}
	g.used++
	lost, g.lost = g.lost, 0
	return lost, true
}

// miss counts records that have passed and were lost all the same.
func (g *Gate) miss(n uint64) {
	g.mu.Lock()
	g.lost += n
	g.mu.Unlock()
}
