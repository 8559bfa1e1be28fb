package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

// folded is what a Fold has sent.
type folded struct {
	sizes  []int // frames of each batch
	bytes  []int
	asking []Asked
}

func newFolded(t *testing.T) (*folded, *Fold) {
	x := &folded{}
	return x, NewFold(func(b []byte, asking []Asked) {
		n := 0
		if err := Frames(b, func(*quicnet.Envelope) error { n++; return nil }); err != nil {
			t.Error(err)
		}
		x.sizes, x.bytes, x.asking = append(x.sizes, n), append(x.bytes, len(b)), append(x.asking, asking...)
	}, t.Context().Done())
}

// TestAnswersGoUpTogether when all are there, and after half a millisecond otherwise.
func TestAnswersGoUpTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, f := newFolded(t)
		for proc := range uint64(4) {
			f.Expect(proc)
		}
		for proc := range uint64(3) {
			f.Add(proc, frame(proc, "v"), true, proc == 1)
		}
		f.mu.Lock()
		if len(x.sizes) != 0 {
			t.Fatalf("%v went, and one is to come", x.sizes)
		}
		f.mu.Unlock()
		time.Sleep(foldTime)
		synctest.Wait()
		if len(x.sizes) != 1 || x.sizes[0] != 3 || len(x.asking) != 1 || x.asking[0] != (Asked{1, 1}) {
			t.Fatalf("%+v went; want three, of which one asked", x)
		}
		f.Add(3, frame(3, "v"), true, false)
		if len(x.sizes) != 2 || x.sizes[1] != 1 {
			t.Errorf("%v went; want the last one at once", x.sizes)
		}
		f.Expect(1)
		f.Expect(2)
		f.Add(1, frame(4, "v"), true, false)            // 2 is to come
		if n := f.End(2); n != 1 || len(x.sizes) != 3 { // nobody waits for it any more
			t.Errorf("%d frames of who has ended; %v went", n, x.sizes)
		}
		f.Add(1, frame(5, "v"), false, true)
		if x.asking[1] != (Asked{1, 3}) {
			t.Errorf("asked %+v", x.asking[1])
		}
		f.Expect(2)
		for range 2 { // it is waited for once, in vain
			f.Add(1, frame(6, "v"), false, false)
			time.Sleep(foldTime)
			synctest.Wait()
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(x.sizes) != 6 || f.opened != 0 || f.late {
			t.Errorf("%v went; %d are waited for", x.sizes, f.opened)
		}
	})
}

// TestABatchIsBounded, and so is what waits to go up: then the worker's link is read no more.
func TestABatchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, f := newFolded(t)
		f.Expect(1)
		big := frame(1, string(make([]byte, 16<<10)))
		done := false
		go func() {
			for range foldedMost/(16<<10) + 10 {
				f.Add(2, big, false, false)
			}
			done = true
		}()
		synctest.Wait()
		if held := f.Backlog(); done || held <= foldedMost {
			t.Errorf("all of it was taken, or %d bytes wait", held)
		}
		total := 0
		for _, n := range x.bytes {
			if total += n; n > foldBytes+17<<10 {
				t.Errorf("a batch of %d bytes", n)
			}
		}
		if total > foldedMost+foldBytes+32<<10 {
			t.Errorf("%d bytes wait", total)
		}
		for _, n := range x.bytes {
			f.Sent(make([]byte, n))
		}
		synctest.Wait()
		if !done {
			t.Error("there is room, and nobody goes on")
		}
		f.Flush()
		if held := f.Backlog(); held > 20*(17<<10) { // what came when there was room again
			t.Errorf("%d bytes wait", held)
		}
	})
}
