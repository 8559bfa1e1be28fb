package quicnet

const (
	smallFrame = 64 // bytes of a frame that lies in the queue, at most,
	smallBody  = 24 // and of its body: appendRest adds 40 at most where there is no chain
)

// outFrame is one frame from Send until the peer acknowledged it, as the queue of its lane has it: a line of a processor's cache, as long
// as nothing is added.
type outFrame struct {
	seq    uint64
	kind   Kind
	fields uint8
	bytes  uint8 // of a small frame, which lie in the queue

	route          *outRoute // nil: the frame is whole. The others are those of the envelope, which its connection makes differences of
	id, clock      uint64
	index, answers uint64

	larger *largerFrame // nil: the frame is small
}

// size is what a frame counts for.
func (f *outFrame) size() int {
	if f.larger != nil {
		return f.larger.size()
	}
	return int(f.bytes)
}

// pair is who sends the frame, and to whom.
func (f *outFrame) pair() pair {
	if f.larger != nil {
		return f.larger.pair
	}
	return pair{f.route.key.from, f.route.key.to}
}

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

// content is what the i-th frame says: fields of the envelope after the prefix, and the body or its size; of a routed frame the rest
// (appendRest).
func (q *frameQueue) content(i int) []byte {
	slot := q.index(i)
	if l := q.ring[slot].larger; l != nil {
		return l.b
	}
	return q.room(slot)[:q.ring[slot].bytes]
}

// room is where the small frame of a slot lies.
func (q *frameQueue) room(slot int) []byte {
	return q.small[slot*smallFrame : slot*smallFrame : (slot+1)*smallFrame]
}

// push gives the frame that comes last, a small one of no bytes, with room for them. What it says of an earlier frame is the caller's to
// write over.
func (q *frameQueue) push() (f *outFrame, room []byte) {
	if q.n == len(q.ring) {
		q.grow(max(4, 2*q.n))
	}
	slot := q.index(q.n)
	q.n++
	f = &q.ring[slot]
	f.bytes, f.larger = 0, nil
	return f, q.room(slot)
}

// take is push for a larger frame, which the queue gives back.
func (q *frameQueue) take(l *largerFrame) *outFrame {
	f, _ := q.push()
	*f = l.outFrame
	f.larger = l
	return f
}

func (q *frameQueue) grow(size int) {
	old := *q
	q.ring, q.small, q.head = make([]outFrame, size), make([]byte, size*smallFrame), 0
	for i := range q.n {
		if q.ring[i] = *old.at(i); q.ring[i].larger == nil {
			copy(q.small[i*smallFrame:], old.content(i))
		}
	}
}

// pop takes the oldest frame out, and gives its size.
func (q *frameQueue) pop() (size int) {
	f := &q.ring[q.head]
	size = f.size()
	if f.larger != nil {
		f.larger.free()
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
