package quicnet

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

func TestLargeMemoryFitsWhatItIsFor(t *testing.T) {
	for size := leastLarge; size <= mostLarge; size += 4093 {
		class, room := largeClass(size)
		if class < 0 || class >= len(larges) || room < size || room > size+size/4+2*largeSlack {
			t.Fatalf("%d bytes: class %d of %d with room for %d", size, class, len(larges), room)
		}
		if c, r := largeClass(room); c != class || r != room {
			t.Fatalf("a piece of class %d has room for %d bytes, which are of class %d with %d", class, room, c, r)
		}
	}
	for _, size := range []int{0, leastLarge - 1, mostLarge + 1, 1 << 40} {
		if l := NewLarge(size); l != nil {
			t.Errorf("for %d bytes there is a piece of %d", size, cap(l.B))
		}
	}
	for _, size := range []int{leastLarge, 1 << 20, 1<<20 + 5, mostLarge} {
		if l := NewLarge(size); len(l.B) != 0 || cap(l.B) < size {
			t.Errorf("for %d bytes there are %d, %d of them used", size, cap(l.B), len(l.B))
		}
	}
}

func TestLargeMemoryStaysAsLongAsSomebodyUsesIt(t *testing.T) {
	l := NewLarge(leastLarge)
	l.B = append(l.B, "body"...)
	b := l.B
	l.Keep().Free()
	if string(b) != "body" {
		t.Errorf("it was given back by one of two: %q", b)
	}
	l.Free()
	if all := b[:cap(b)]; Poison && bytes.Count(all, []byte{poisoned}) != len(all) {
		t.Errorf("nobody would see that it was given back: %q", b)
	}
	defer func() {
		if recover() == nil {
			t.Error("it was given back twice, and nobody said so")
		}
	}()
	l.Free()
}

func TestNoLargeMemoryIsNobodys(*testing.T) {
	var l *Large
	l.Keep().Free()
	l.Free()
}

func TestACloneSharesALargeBody(t *testing.T) {
	l := NewLarge(leastLarge)
	l.B = append(l.B, "body"...)
	e := NewEnvelope()
	e.Kind, e.Body, e.Large = KindCall, l.B, l
	c := e.Clone()
	e.Free()
	if string(c.Body) != "body" || c.Large != l || l.users.Load() != 1 {
		t.Errorf("%q in %p, of which there are %d users", c.Body, c.Large, l.users.Load())
	}
	c.Free()
	if l.users.Load() != 0 {
		t.Errorf("%d users are left", l.users.Load())
	}
}

// TestALargeBodyArrivesThoughItsSenderIsDone: who sends gives its memory back at once and takes it again for the next body, as
// the reader does, while earlier bodies are on their way.
func TestALargeBodyArrivesThoughItsSenderIsDone(t *testing.T) {
	const bodies = 30
	size := func(id uint64) int { return 70<<10 + int(id)*37<<10 } // to more than what one read makes room for
	fill := func(b []byte, id uint64) []byte { return append(b, bytes.Repeat([]byte{byte(id)}, size(id))...) }
	bad := make(chan error, bodies)
	rec := newRecorder()
	rec.onGet = func(_ ID, _ Lane, env *Envelope) {
		var err error
		if len(env.Body) != size(env.ID) || bytes.Count(env.Body, []byte{byte(env.ID)}) != len(env.Body) {
			err = errors.New("it is another one")
		}
		if env.Large == nil {
			err = errors.New("its memory is not taken again")
		}
		env.Free()
		bad <- err
	}
	rec.forget = true
	ctl := newSession(t, Config{Handler: rec})
	w := join(t, ctl, ID{1, 1}, Config{Handler: newRecorder()})
	for id := range uint64(bodies) {
		l := NewLarge(size(id))
		l.B = fill(l.B, id)
		env := call(1, 0, id, l.B)
		env.Large = l
		if err := w.Send(t.Context(), Controller, LaneCalls, env); err != nil {
			t.Fatal(err)
		}
		l.Free()
	}
	for i := range bodies {
		select {
		case err := <-bad:
			if err != nil {
				t.Errorf("body %d: %v", i, err)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("only %d bodies came", i)
		}
	}
}
