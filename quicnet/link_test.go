package quicnet

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

func TestFramesTravelBothWaysOverLoopback(t *testing.T) {
	cr, wr := newRecorder(), newRecorder()
	ctl := newSession(t, Config{Handler: cr, Admit: func(id ID, hello []byte) ([]byte, error) {
		return append([]byte("welcome "), hello...), nil
	}})
	ticket, err := ctl.Ticket(ID{1, 1}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	w, welcome, err := Join(t.Context(), ticket, Config{Handler: wr, Hello: func(string) []byte { return []byte("pid 7") }})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close("done")
	if string(welcome) != "welcome pid 7" {
		t.Errorf("welcome %q", welcome)
	}
	cr.until(t, 5*time.Second, "up", func() bool { return cr.saw(1, LinkUp) })
	for i := range uint64(100) {
		if err := ctl.Send(t.Context(), 1, LaneCalls, call(0, 1, i, bytes.Repeat([]byte{1}, int(i)*1500))); err != nil {
			t.Fatal(err)
		}
		if err := w.Send(t.Context(), 0, LaneControl, call(1, 0, i, []byte{byte(i)})); err != nil {
			t.Fatal(err)
		}
	}
	wr.until(t, 5*time.Second, "calls", func() bool { return len(wr.frames) == 100 })
	cr.until(t, 5*time.Second, "control", func() bool { return len(cr.frames) == 100 })
	for i := range uint64(100) {
		if got := wr.frames[i]; got.env.ID != i || got.from != (ID{0, 1}) || len(got.env.Body) != int(i)*1500 {
			t.Fatalf("frame %d: %+v", i, got.env.ID)
		}
		if got := cr.frames[i]; got.env.ID != i || got.env.Body[0] != byte(i) || got.lane != LaneControl {
			t.Fatalf("frame %d: %+v", i, got.env)
		}
	}
	ctl.Forget(1, "killed")
	wr.until(t, 5*time.Second, "closed", func() bool { return wr.saw(0, LinkClosed) })
	if err := ctl.Send(t.Context(), 1, LaneCalls, call(0, 1, 1, nil)); !errors.Is(err, ErrGone) || err.Error() != "proc 1 is gone: killed" {
		t.Errorf("send to a forgotten peer: %v", err)
	}
}
