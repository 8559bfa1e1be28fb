package quicnet

const (
	smallFrame = 64 // bytes of a frame that lies in the queue, at most,
	smallBody  = 24 // and of its body: appendRest adds 40 at most where there is no chain
)

// frameQueue is a first-in-first-out queue of frames in a circular slice. A small frame lies in it whole, and what it says in small, beside
// those of its neighbours: of a thousand frames that wait for their acknowledgement none is in the processor's cache any more, but what is
// read in the order in which it lies is fetched ahead.
type frameQueue struct {
	ring  []outFrame // a power of two long, or nil
	small []byte     // smallFrame of them for each
	head  int
	n     int
}

func (q *frameQueue) index(i int) int { return (q.head + i) & (len(q.ring) - 1) }

// at gives the i-th frame, which is good until the next push.
func (q *frameQueue) at(i int) *outFrame { return &q.ring[q.index(i)] }

// room is where the small frame of a slot lies.
func (q *frameQueue) room(slot int) []byte {
	return q.small[slot*smallFrame : slot*smallFrame : (slot+1)*smallFrame]
}

// push gives the slot of the frame that comes last, with room for a small one. What it says of an earlier frame is the caller's to write
// over.
func (q *frameQueue) push() *outFrame {
	if q.n == len(q.ring) {
		q.grow(max(4, 2*q.n))
	}
	slot := q.index(q.n)
	q.n++
	f := &q.ring[slot]
	f.b = q.room(slot)
	return f
}

// take is push for a frame of the pool, which the queue gives back.
func (q *frameQueue) take(f *outFrame) *outFrame {
	last := q.push()
	*last = *f
	last.own = f
	return last
}

func (q *frameQueue) grow(size int) {
	old := *q
	q.ring, q.small, q.head = make([]outFrame, size), make([]byte, size*smallFrame), 0
	for i := range q.n {
		q.ring[i] = *old.at(i)
		if f := &q.ring[i]; f.own == nil {
			f.b = append(q.room(i), f.b...)
		}
	}
}

// pop takes the oldest frame out, and gives its size.
func (q *frameQueue) pop() (size int) {
	f := &q.ring[q.head]
	size = f.size()
	if f.own != nil {
		f.own.free()
		*f = outFrame{}
	}
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
	return size
}

// rest gives the memory of a queue back through which nothing has gone for a while.
func (q *frameQueue) rest() {
	if q.n == 0 {
		*q = frameQueue{}
	}
}
