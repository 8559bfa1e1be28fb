package quicnet

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
)

// Bodies are written in pieces, and give way to small frames: those come first wherever this process decides, but what it has
// handed over stands before them in the queues of the network and of the receiver.
const (
	wayPiece = 64 << 10
	wayTime  = 2 * time.Millisecond   // after a small frame, bodies give way for so long
	wayQueue = 100 * time.Microsecond // what a round trip may take longer than the shortest one: else there is a queue
	wayPause = time.Millisecond       // bodies pause for so long at most: with others to give way to, 64 MB/s is left of them
)

// way is the right of way that the small frames of a connection have over the bodies that it carries. Its lock is the last.
type way struct {
	asked   atomic.Int64 // when a small frame last had it, as time since the node started
	carried atomic.Int32 // bodies
	turn    sync.Mutex   // of who writes a piece while bodies give way

	mu     sync.Mutex
	bodies map[pair]int // that are queued or being written
}

func (w *way) begin(p pair) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bodies == nil {
		w.bodies = map[pair]int{}
	}
	w.bodies[p]++
	w.carried.Add(1)
}

func (w *way) end(p pair) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bodies[p]--; w.bodies[p] == 0 {
		delete(w.bodies, p)
	}
	w.carried.Add(-1)
}

// small notes that a small frame is sent. One that waits for the bodies of its pair (INV-1) is not helped by slower ones.
func (w *way) small(f *outFrame, started time.Time) {
	if w.carried.Load() == 0 {
		return
	}
	p := f.pair()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bodies[p] == 0 {
		w.asked.Store(int64(time.Since(started)))
	}
}

// given reports whether bodies give way now, as time since the node started.
func (w *way) given(now time.Duration) bool {
	asked := w.asked.Load()
	return asked != 0 && now-time.Duration(asked) < wayTime
}

// pause is how long a body waits after a piece, by the latest round trip and the shortest: until the queue that it has made is
// likely to be gone.
func pause(latest, shortest time.Duration) time.Duration {
	if queue := latest - shortest; queue > wayQueue {
		return min(queue, wayPause)
	}
	return 0
}

// writeBody writes a body.
func (c *conn) writeBody(s *quic.SendStream, body []byte) error {
	for len(body) > 0 {
		piece := body[:min(len(body), wayPiece)]
		if err := c.writePiece(s, piece); err != nil {
			return err
		}
		body = body[len(piece):]
	}
	return nil
}

func (c *conn) writePiece(s *quic.SendStream, piece []byte) error {
	if !c.way.given(time.Since(c.p.n.started)) {
		_, err := s.Write(piece)
		return err
	}
	c.way.turn.Lock()
	defer c.way.turn.Unlock()
	_, err := s.Write(piece)
	if err == nil {
		st := c.q.ConnectionStats()
		time.Sleep(pause(st.LatestRTT, st.MinRTT))
	}
	return err
}
