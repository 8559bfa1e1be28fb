package quicnet

// frameQueue is a first-in-first-out queue of frames in a circular slice.
type frameQueue struct {
	ring []*outFrame // a power of two long, or nil
	head int
	n    int
}

func (q *frameQueue) at(i int) *outFrame { return q.ring[(q.head+i)&(len(q.ring)-1)] }

func (q *frameQueue) push(f *outFrame) {
	if q.n == len(q.ring) {
		bigger := make([]*outFrame, max(8, 2*q.n))
		for i := range q.n {
			bigger[i] = q.at(i)
		}
		q.ring, q.head = bigger, 0
	}
	q.ring[(q.head+q.n)&(len(q.ring)-1)] = f
	q.n++
}

func (q *frameQueue) pop() *outFrame {
	f := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
	return f
}
