package quicnet

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// Where answers go back all the time they take the acknowledgements along, and nothing is sent for these alone.
func TestAnswersTakeAcknowledgementsAlong(t *testing.T) {
	rec := newRecorder()
	ctl := newSession(t, Config{Handler: rec})
	rec.forget = true
	rec.onGet = func(from ID, lane Lane, env *Envelope) {
		answer := call(0, from.Proc, env.ID, nil)
		answer.Call = 0
		time.AfterFunc(time.Millisecond, func() { _ = ctl.Send(context.Background(), from.Proc, lane, answer) }) // as an actor would: later
	}
	r := newRogue(t, ctl, ID{1, 1})
	var answers, acks atomic.Int64
	go func() {
		s, err := r.q.AcceptUniStream(context.Background())
		if err != nil {
			return
		}
		in := newFrameReader(s, 1<<20)
		for {
			f, err := in.one()
			switch {
			case err != nil:
				return
			case frameKind(f) == linkAck:
				acks.Add(1)
			default:
				answers.Add(1)
			}
		}
	}()
	const calls = 200
	for range calls {
		r.write(LaneCalls, r.env(LaneCalls, nil))
		time.Sleep(5 * time.Millisecond) // the pace of the traffic: 20 times AckDelay in all
	}
	for late := time.Now().Add(10 * time.Second); answers.Load() < calls; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("%d answers", answers.Load())
		}
	}
	if n := acks.Load(); n > 3 {
		t.Errorf("%d acknowledgements of their own beside %d answers", n, calls)
	}
}
