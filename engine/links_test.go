package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/hlc"
)

// TestFramesWithinAProcessKeepTheOrderOfTheirSender holds INV-ORDER where senders hand their frames over themselves, and leave them
// to a reader while another one does.
func TestFramesWithinAProcessKeepTheOrderOfTheirSender(t *testing.T) {
	const senders, frames = 8, 2000
	n, link := targetNode(t), newMemLink()
	link.attach(n)
	t.Cleanup(func() { _ = link.Close("the test ended") })
	st := &channelState{id: 99, wake: make(chan struct{}, 1)}
	n.ports.add(st)
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range frames {
				body := binary.BigEndian.AppendUint32([]byte{byte(s)}, uint32(i))
				env := &quicnet.Envelope{Kind: quicnet.KindPort, From: quicnet.Addr{Proc: 9}, To: quicnet.Addr{Proc: n.id}, Index: st.id, Body: body}
				if err := link.Send(t.Context(), n.id, quicnet.LaneCalls, env); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	got := 0
	link.behind([]*node{n}, func(*node) { // which is when all have been read
		var next [senders]uint32
		for _, b := range st.queue {
			if s, i := b[0], binary.BigEndian.Uint32(b[1:]); i != next[s] {
				t.Errorf("of sender %d came frame %d, want %d", s, i, next[s])
			}
			next[b[0]]++
		}
		got = len(st.queue)
	})
	if got != senders*frames {
		t.Errorf("%d frames came, want %d", got, senders*frames)
	}
}

func TestAFrameForARankThatWasForgottenIsRefused(t *testing.T) {
	n, link := targetNode(t), newMemLink()
	link.attach(n)
	t.Cleanup(func() { _ = link.Close("the test ended") })
	way, err := link.Sender(n.id)
	if err != nil {
		t.Fatal(err)
	}
	link.Forget(n.id, "it was forgotten")
	env := &quicnet.Envelope{Kind: quicnet.KindPort, To: quicnet.Addr{Proc: n.id}}
	if err := way.Send(t.Context(), quicnet.LaneCalls, env); !isError(err, ErrLost) {
		t.Errorf("a frame by a way that was known before: %v", err)
	}
	ran := false
	link.behind([]*node{n}, func(*node) { ran = true })
	if !ran {
		t.Error("what is behind the frames of a rank that has ended does not run")
	}
}

// TestTheWayToAnActorChangesOnlyWhileNothingIsOnIt holds INV-ORDER between a link and the detour by an agent: what was cancelled and
// not answered is on its way yet.
func TestTheWayToAnActorChangesOnlyWhileNothingIsOnIt(t *testing.T) {
	w := &window{detour: &detour{}}
	take := func(may, want bool) {
		t.Helper()
		if ok, gone, by := w.take(5, may); !ok || gone || by != want {
			t.Errorf("takes a place %v, gone %v, goes by the agent %v; want %v", ok, gone, by, want)
		}
	}
	one := takenBy(1, 5)
	take(true, true)
	take(false, true)
	w.give(one)
	take(false, true)
	w.give(one)
	w.give(one)
	take(false, false)
	take(true, false)
	w.give(one + doubt)
	w.give(one)
	if used := taken(w.used.Load()); used.messages() != 0 || used.bytes() != 0 || used&doubts != doubt {
		t.Errorf("%b is taken; want one doubt", used)
	}
	take(true, false)
	w.give(one)
	w.settle()
	w.settle() // nobody asked for that
	take(true, true)
	w.give(one + doubt)
	take(false, true)
	w.mark(shut)
	if ok, _, _ := w.take(5, false); ok {
		t.Error("it is shut, and takes a message")
	}
	if ok, by := w.takeFor(5, true); !ok || !by {
		t.Errorf("who is let in: %v, by the agent %v", ok, by)
	}
	w.give(one)
	w.give(one)
	w.mark(0)
	w.settle()
	if used := w.used.Load(); used != 0 {
		t.Errorf("%b is taken; want nothing", used)
	}
	for range 1 << placeBits { // more than are counted: then the way stays
		take(false, false)
		w.give(one + doubt)
	}
	w.settle()
	if used := taken(w.used.Load()); used&doubts != doubts || used.messages() != 0 || used >= shut || used < 0 {
		t.Errorf("%b is taken", used)
	}
}

// deadLink is a link whose other end is gone, which is all that is known.
type deadLink struct {
	link
	err error
}

func (l deadLink) Send(context.Context, uint64, quicnet.Lane, *quicnet.Envelope) error { return l.err }
func (deadLink) Close(string) error                                                    { return nil }

// TestALostLinkIsALostRank holds it for the time in which the controller is being asked whether the other end lives.
func TestALostLinkIsALostRank(t *testing.T) {
	n := targetNode(t)
	gone := &quicnet.GoneError{Peer: quicnet.ID{Proc: 8, Epoch: 1}, Reason: "no contact for 10s"}
	n.peers.link = deadLink{err: gone}
	env := quicnet.Envelope{Kind: quicnet.KindPort, From: quicnet.Addr{Proc: 5}, To: quicnet.Addr{Proc: 8}}
	if err := n.send(n.root, quicnet.LaneCalls, &env); !errors.Is(err, ErrLost) || !errors.Is(err, gone) {
		t.Errorf("a message to it is told %v", err)
	}
}

// slowBack is a way on which each answer waits for a second, or goes into a queue at once while a second passes elsewhere.
type slowBack struct {
	queues bool
	began  chan int64 // of the messages that are answered, in microseconds
}

func (b slowBack) Send(_ context.Context, _ quicnet.Lane, env *quicnet.Envelope) error {
	b.began <- hlc.Time(env.Began).UnixMicro()
	env.Queued = b.queues
	time.Sleep(time.Second)
	return nil
}

// TestAMessageBeginsWhenTheAnswerBeforeItHasLeft holds it for an answer that has to wait. One that is only queued takes no time, so that
// the clock is not read again: what this one pretends.
func TestAMessageBeginsWhenTheAnswerBeforeItHasLeft(t *testing.T) {
	for _, queues := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n := targetNode(t)
			a, first, _ := arrived(t, n, 1)
			back := slowBack{queues, make(chan int64, 3)}
			a.mu.Lock() // until all have come
			for id := range uint64(3) {
				env := first.Clone()
				env.ID, env.Back, env.Memo = id+1, back, first.Memo
				a.push(env)
			}
			a.rouse()
			a.mu.Unlock()
			var last int64
			for i := range 3 {
				began := <-back.began
				if passed := time.Duration(began-last) * time.Microsecond; i == 1 && queues != (passed < time.Second) || i == 2 && queues && passed < time.Second {
					t.Errorf("queues %v: message %d began %v after the one before", queues, i, passed)
				}
				last = began
			}
			n.close("the test ended")
		})
	}
}

// TestAPauseThatTheEndOfTheDebuggerTakesBackIsTold: a front end would show for ever that the actor is to stop.
func TestAPauseThatTheEndOfTheDebuggerTakesBackIsTold(t *testing.T) {
	n := targetNode(t)
	a := n.actors.get(1)
	a.probe.Pause("tui", false)
	if got := a.state().Pause; got != "tui" {
		t.Fatalf("its pause is %q", got)
	}
	n.dirty.Store(false) // it has been told
	n.obey(probe.Orders{Turn: 1})
	if n.dirty.Load() {
		t.Error("orders that change nothing are told")
	}
	n.obey(probe.Orders{Turn: 2, Quiet: true})
	if got := a.state().Pause; got != "" || !n.dirty.Load() {
		t.Errorf("its pause is %q, and there is a status to tell: %v", got, n.dirty.Load())
	}
}
