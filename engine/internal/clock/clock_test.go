package clock

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestNothingRunsWhileTheClockIsHeld holds INV-STILL.
func TestNothingRunsWhileTheClockIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Clock
		ran := false
		c.AfterFunc(time.Second, func() { ran = true })
		ctx, cancel := c.WithTimeout(t.Context(), time.Second)
		defer cancel()
		time.Sleep(999 * time.Millisecond)
		c.Hold()
		c.Hold()
		late, cancelLate := c.WithTimeout(t.Context(), time.Second) // begun while it is held
		defer cancelLate()
		time.Sleep(time.Hour)
		synctest.Wait()
		if ran || ctx.Err() != nil || late.Err() != nil || !c.Held() {
			t.Errorf("an hour later: ran %v, %v, %v, held %v", ran, ctx.Err(), late.Err(), c.Held())
		}
		c.Release()
		time.Sleep(time.Hour) // one holder is left
		synctest.Wait()
		if ran || ctx.Err() != nil {
			t.Errorf("with a holder left: ran %v, %v", ran, ctx.Err())
		}
		c.Release()
	})
}

// TestWhatWasHeldHasTheRestOfItsTime holds INV-REST.
func TestWhatWasHeldHasTheRestOfItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Clock
		start := time.Now()
		var ran time.Duration
		c.AfterFunc(time.Second, func() { ran = time.Since(start) })
		ctx, cancel := c.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		for range 3 { // the standard timer comes too early each time
			time.Sleep(200 * time.Millisecond)
			c.Hold()
			time.Sleep(time.Minute)
			c.Release()
		}
		if d, ok := ctx.Deadline(); !ok || d.Sub(start) != 3*time.Minute+2*time.Second {
			t.Errorf("its deadline is %v after the start", d.Sub(start))
		}
		<-ctx.Done()
		synctest.Wait()
		if got := time.Since(start); got != 3*time.Minute+2*time.Second || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.Errorf("it ended after %v with %v", got, ctx.Err())
		}
		if ran != 3*time.Minute+time.Second {
			t.Errorf("the function ran after %v", ran)
		}
	})
}

// TestOfAHoldAndAnExpiryTheFirstWins holds INV-ONCE: over many races each timer runs once, at once or after the release.
func TestOfAHoldAndAnExpiryTheFirstWins(t *testing.T) {
	var c Clock
	for range 500 {
		var mu sync.Mutex
		runs := 0
		done := make(chan struct{})
		c.AfterFunc(time.Microsecond, func() {
			mu.Lock()
			runs++
			mu.Unlock()
			close(done)
		})
		c.Hold()
		c.Release()
		<-done
		mu.Lock()
		if runs != 1 {
			t.Fatalf("it ran %d times", runs)
		}
		mu.Unlock()
	}
}

func TestAContextEndsWithItsParentAndWhenStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Clock
		parent, end := context.WithCancelCause(t.Context())
		a, cancelA := c.WithTimeout(parent, time.Hour)
		defer cancelA()
		b, cancelB := c.WithTimeout(parent, time.Hour)
		child, cancelChild := context.WithCancel(b)
		defer cancelChild()
		cancelB()
		synctest.Wait()
		if !errors.Is(b.Err(), context.Canceled) || child.Err() == nil {
			t.Errorf("after cancel: %v, its child %v", b.Err(), child.Err())
		}
		end(errors.New("why"))
		synctest.Wait()
		if !errors.Is(a.Err(), context.Canceled) || context.Cause(a).Error() != "why" {
			t.Errorf("after its parent: %v because %v", a.Err(), context.Cause(a))
		}
		over, cancelOver := c.WithTimeout(parent, time.Hour)
		defer cancelOver()
		if over.Err() == nil {
			t.Error("a context of an ended one has not ended")
		}
	})
}

func BenchmarkWithTimeout(b *testing.B) {
	var c Clock
	for b.Loop() {
		_, cancel := c.WithTimeout(context.Background(), time.Hour)
		cancel()
	}
}

// TestWhoAsksWhileAContextEndsIsTold: whether the question or the end is first.
func TestWhoAsksWhileAContextEndsIsTold(t *testing.T) {
	for range 1000 {
		x := new(Context)
		x.Begin(t.Context(), new(Clock), 0)
		ran := make(chan struct{})
		go x.End(context.Canceled)
		x.AfterFunc(func() { close(ran) })
		<-x.Done()
		<-ran
		if err := x.Err(); !errors.Is(err, context.Canceled) {
			t.Fatalf("it has ended with %v", err)
		}
	}
}

// TestAContextEndsAsItsParentDid: also with an error that is none of package context's.
func TestAContextEndsAsItsParentDid(t *testing.T) {
	odd := errors.New("odd")
	x := new(Context)
	x.Begin(oddContext{t.Context(), odd}, new(Clock), time.Hour)
	x.End(context.Canceled)
	if <-x.Done(); x.Err() != odd { //nolint:errorlint // it itself
		t.Errorf("it has ended with %v, want %v", x.Err(), odd)
	}
}

// oddContext has ended with an error of its own.
type oddContext struct {
	context.Context
	err error
}

func (c oddContext) Err() error { return c.err }
