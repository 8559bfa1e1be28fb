package quicnet

import (
	"context"
	"encoding/binary"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// holder sends numbered frames from process 0 to process 1 of a world.
type holder struct {
	*world
	next uint64
}

// send sends k frames with so large a body; more says that others follow each.
func (h *holder) send(k, size int, more bool) {
	h.t.Helper()
	for range k {
		e := call(0, 1, h.next, binary.BigEndian.AppendUint64(make([]byte, 0, size), h.next)[:max(size, 8)])
		e.More = more
		if err := h.nodes[0].Send(h.t.Context(), 1, LaneCalls, e); err != nil {
			h.t.Fatal(err)
		}
		h.next++
	}
	synctest.Wait()
}

// out checks how many frames have been written.
func (h *holder) out(when string, want uint64) {
	h.t.Helper()
	if got := h.written(0, 1); got != want {
		h.t.Errorf("%s %d frames have been written, want %d", when, got, want)
	}
}

func held(t *testing.T, f func(h *holder)) {
	t.Helper()
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		h := &holder{world: w}
		time.Sleep(100 * time.Millisecond) // nothing of the join is under way
		f(h)
		w.received(1, 0, LaneCalls, int(h.next))
	})
}

func TestHeldFramesGoOutWithTheLastOfTheirSender(t *testing.T) {
	held(t, func(h *holder) {
		h.send(10, 100, true)
		h.out("while more is to come", 0)
		h.send(1, 100, false)
		h.out("after the last", 11)
		h.send(1, 100, true)
		h.out("with another to come", 11)
		h.send(1, 100, false)
		h.out("after that", 13)
	})
}

func TestHeldFramesGoOutWhenTheyAreMany(t *testing.T) {
	held(t, func(h *holder) {
		h.send(corkFrames-1, 8, true)
		h.out("one short of the most", 0)
		h.send(1, 8, true)
		h.out("with the last that can be held", corkFrames)
		h.send(corkFrames-1, 8, true)
		h.out("one short of the most again", corkFrames)
	})
}

func TestHeldFramesGoOutWhenTheyAreLarge(t *testing.T) {
	held(t, func(h *holder) {
		const size = 10 << 10
		h.send(20, size, false) // 200 KiB that are on their way are no reason to write others at once
		time.Sleep(time.Millisecond)
		synctest.Wait()
		h.out("before", 20)
		h.send(batchBytes/size, size, true)
		h.out("under a batch", 20)
		h.send(1, size, true)
		h.out("over a batch", 20+batchBytes/size+1)
	})
}

func TestHeldFramesGoOutInTime(t *testing.T) {
	held(t, func(h *holder) {
		for round := range uint64(3) { // the timer is used again
			h.send(2, 100, true)
			time.Sleep(holdTime - time.Microsecond)
			synctest.Wait()
			h.out("before their time", round*3)
			time.Sleep(2 * time.Microsecond)
			synctest.Wait()
			h.out("in their time", round*3+2)
			h.send(1, 100, false)
			time.Sleep(20 * time.Millisecond)
		}
	})
}

// TestAConnectionThatBreaksLosesNothingThatIsHeld holds INV-1 and INV-2 for frames that wait for others.
func TestAConnectionThatBreaksLosesNothingThatIsHeld(t *testing.T) {
	held(t, func(h *holder) {
		for range 3 {
			h.send(5, 100, true)
			h.breakOff()
			h.send(5, 100, true) // while there is no connection
			time.Sleep(time.Second)
			synctest.Wait()
			h.out("after a new connection", h.next)
			h.send(5, 100, true)
			h.send(1, 100, false)
			h.out("on the new connection", h.next)
		}
		if n := h.stats(0, 1).Redials + h.stats(1, 0).Redials; n < 3 {
			h.t.Errorf("the link was dialled again %d times, want 3", n)
		}
	})
}

// breakOff ends the connection of 0 and 1 in a way that is no end of their link.
func (h *holder) breakOff() {
	p := h.nodes[0].peers[1]
	p.mu.Lock()
	c := p.conn
	p.mu.Unlock()
	c.close(&CloseError{Code: CodeReplaced})
	synctest.Wait()
}

// TestRoomThatIsMadeWhileASenderFlushesIsSeen: a sender that finds the lane full writes what is there, and the peer may have
// acknowledged all of it before the sender begins to wait.
func TestRoomThatIsMadeWhileASenderFlushesIsSeen(t *testing.T) {
	ctl := newSession(t, Config{Handler: newRecorder()})
	join(t, ctl, ID{1, 1}, Config{Handler: newRecorder()})
	way, err := ctl.Sender(1)
	if err != nil {
		t.Fatal(err)
	}
	l := &way.(*peer).out[LaneCalls] //nolint:forcetypeassert // it is a Node's
	late, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for round := range uint64(2000) {
		e := call(0, 1, round, nil)
		e.More = true
		if err := way.Send(t.Context(), LaneCalls, e); err != nil {
			t.Fatal(err)
		}
		var acks sync.WaitGroup
		acks.Go(func() {
			for done := false; !done && late.Err() == nil; {
				l.mu.Lock()
				if done = l.queue.n == 0; !done && l.unsent == l.queue.n {
					l.ackedLocked(l.top)
				}
				l.mu.Unlock()
			}
		})
		l.mu.Lock()
		if l.queue.n > 0 {
			err = l.await(late)
		}
		l.mu.Unlock()
		acks.Wait()
		if err != nil {
			t.Fatalf("round %d: the sender still waits for room: %v", round, err)
		}
	}
}
