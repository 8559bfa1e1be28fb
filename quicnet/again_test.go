package quicnet

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// renewing has the workers of a world renew links that were lost, as the engine does when its directory says that the peer lives.
func (w *world) renewing(workers ...uint64) {
	for _, at := range workers {
		w.recs[at].mu.Lock()
		w.recs[at].onLink = func(ev LinkEvent) {
			if ev.Again {
				w.nodes[at].Renew(ev.Peer.Proc)
			}
		}
		w.recs[at].mu.Unlock()
	}
}

// numbered sends one message from a worker to another, and reports whether it was taken.
func (w *world) numbered(from, to, id uint64) error {
	return w.nodes[from].Send(w.t.Context(), to, LaneCalls, call(from, to, id, nil))
}

// has reports whether a message has come.
func (r *recorder) has(from, id uint64) bool {
	for _, f := range r.frames {
		if f.from.Proc == from && f.env.ID == id {
			return true
		}
	}
	return false
}

// TestTwoWorkersThatLoseEachOtherFindEachOtherAgain holds INV-7: what was sent over the lost link does not come over the new one.
// The controller says all the time that both live. Whichever way is cut, whoever of the two is the first to give up, and whoever
// speaks first afterwards.
func TestTwoWorkersThatLoseEachOtherFindEachOtherAgain(t *testing.T) {
	for ways, cut := range []string{"both ways", "one way", "the other way"} {
		for _, slow := range []uint64{0, 1, 2} { // who gives up late; 0: nobody
			for _, first := range []uint64{1, 2} {
				t.Run(fmt.Sprintf("%s, late %d, first %d", cut, slow, first), func(t *testing.T) {
					inWorld(t, 2, func(proc uint64, c *Config) {
						if proc == slow && slow > 0 {
							c.Timing.Lost = time.Minute
						}
					}, func(t *testing.T, w *world) {
						if err := errors.Join(w.numbered(1, 2, 1), w.numbered(2, 1, 1)); err != nil {
							t.Fatal(err)
						}
						for _, at := range []int{1, 2} {
							w.recs[at].until(t, time.Minute, "the first message", func() bool { return w.recs[at].has(uint64(3-at), 1) })
						}
						w.renewing(1, 2)
						for way := range 2 {
							if ways == 0 || ways == 1+way {
								w.net.oneWay(uint64(1+way), uint64(2-way), true)
							}
						}
						time.Sleep(2 * time.Second)
						_ = w.numbered(1, 2, 2) // lost with the link, if one of the two gives up
						time.Sleep(11 * time.Second)
						lost := w.recs[1].had(2, LinkLost) || w.recs[2].had(1, LinkLost)
						if !lost {
							t.Fatal("nobody has lost anybody")
						}
						w.net.both(1, 2, false)
						time.Sleep(3 * time.Second)
						second := 3 - first
						for _, from := range []uint64{first, second} {
							id := uint64(3)
							eventuallySent(t, w, from, 3-from, &id)
							w.recs[3-from].until(t, 15*time.Second, "a message over the new link", func() bool { return w.recs[3-from].has(from, id) })
						}
						synctest.Wait()
						w.recs[2].mu.Lock()
						defer w.recs[2].mu.Unlock()
						if ways != 2 && w.recs[2].has(1, 2) {
							t.Error("a message of the lost link came")
						}
						if w.recs[0].had(1, LinkLost) || w.recs[0].had(2, LinkLost) {
							t.Error("the controller has lost somebody")
						}
					})
				})
			}
		}
	}
}

// eventuallySent sends until a message is taken and nothing ends the link in the next seconds: whoever finds out late that the
// other has given up loses the link then.
func eventuallySent(t *testing.T, w *world, from, to uint64, id *uint64) {
	t.Helper()
	for range 100 {
		err := w.numbered(from, to, *id)
		time.Sleep(200 * time.Millisecond)
		w.recs[to].mu.Lock()
		came := w.recs[to].has(from, *id)
		w.recs[to].mu.Unlock()
		if came {
			return
		}
		if err == nil {
			*id++
		}
	}
	t.Fatalf("from %d to %d nothing gets through: %v %v", from, to, w.recs[from].told(), w.recs[to].told())
}

// A peer that was forgotten while the directory was asked stays forgotten.
func TestWhoHasEndedIsNotRenewed(t *testing.T) {
	inWorld(t, 2, nil, func(t *testing.T, w *world) {
		if err := w.numbered(1, 2, 1); err != nil {
			t.Fatal(err)
		}
		w.recs[2].until(t, time.Minute, "the first message", func() bool { return w.recs[2].has(1, 1) })
		w.net.both(1, 2, true)
		w.recs[1].until(t, time.Minute, "lost", func() bool { return w.recs[1].saw(2, LinkLost) })
		if ev := w.recs[1].got(2, LinkLost); !ev.Again {
			t.Errorf("a link that was lost by silence cannot be renewed: %+v", ev)
		}
		w.nodes[1].Forget(2, "it was killed")
		w.nodes[1].Renew(2)
		if err := w.numbered(1, 2, 2); !errors.Is(err, ErrGone) || err.Error() != "proc 2 is gone: it was killed" {
			t.Errorf("a send to a process that has ended: %v", err)
		}
	})
}

// The controller and a worker never renew: who is lost there is to end.
func TestNobodyRenewsTheControllersLinks(t *testing.T) {
	inWorld(t, 1, nil, func(t *testing.T, w *world) {
		w.net.both(0, 1, true)
		w.recs[0].until(t, time.Minute, "lost", func() bool { return w.recs[0].saw(1, LinkLost) })
		if ev := w.recs[0].got(1, LinkLost); ev.Again {
			t.Errorf("%+v", ev)
		}
		w.nodes[0].Renew(1)
		if err := w.nodes[0].Send(t.Context(), 1, LaneCalls, call(0, 1, 1, nil)); !errors.Is(err, ErrGone) {
			t.Errorf("a send to a worker that was lost: %v", err)
		}
	})
}

// The look at links may find a connection between attach and run, while a body of the one before has not come.
func TestALinkThatWasDialledAgainIsNotTakenForSlow(t *testing.T) {
	const deadline = 500 * time.Millisecond
	ctl := newSession(t, Config{Handler: newRecorder(), Limits: Limits{FrameDeadline: deadline}})
	newRogue(t, ctl, ID{1, 1})
	var p *peer
	for p == nil {
		if v, ok := ctl.fast.Load(uint64(1)); ok {
			p = v.(*peer)
		}
	}
	for time.Since(ctl.started) < 2*deadline {
		time.Sleep(10 * time.Millisecond)
	}
	p.mu.Lock()
	old, nonce := p.conn, p.peerNonce
	p.mu.Unlock()
	c := &conn{p: p, q: old.q, streams: old.streams, peerFrames: old.peerFrames, peerBytes: old.peerBytes}
	p.in[LaneCalls].seen.Store(1)
	if why := p.attach(c, 1, nonce, [2]uint64{}, time.Now(), bootTime()); why != nil {
		t.Fatal(why)
	}
	if why := c.stuck(time.Now()); why != nil {
		t.Error(why)
	}
}
