package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
)

// interlude is something that is done to an actor between two of its messages, ahead of its mailbox.
type interlude struct {
	fn    func()
	alone bool // nor while a concurrent endpoint runs; those that arrive meanwhile wait for its end
	ran   chan struct{}
}

// at runs fn while the actor stands still: between two messages, or while its handler is parked at a site, and while no
// concurrent endpoint runs that is not parked too. What is read or written in it nobody else writes, but for goroutines that
// handlers have left behind, which are nobody's to stop. fn runs guarded, on a goroutine of its own: a panic in it is an
// error. When ctx ends first, fn does not run at all any more, unless it has begun.
func (a *actor) at(ctx context.Context, what string, fn func() error) error {
	var failed error
	if err := a.inBetween(ctx, true, func() {
		failed = guard(what, func() error {
			debug.SetPanicOnFault(true) // what a goroutine of a handler writes meanwhile must not end the process
			return fn()
		})
	}); err != nil {
		return &busyError{a.label(), a.state().Running, err}
	}
	return failed
}

// busyError is why an actor could not be looked at.
type busyError struct {
	label   string
	running []string
	err     error
}

func (e *busyError) Error() string {
	busy := e.label + " was busy until now"
	if len(e.running) > 0 {
		busy = fmt.Sprintf("%s is busy in %v", e.label, e.running)
	}
	return busy + "; its state is read while none of its endpoints runs"
}

func (e *busyError) Unwrap() error { return e.err }

// inBetween runs fn on the actor's goroutine between two messages. alone keeps concurrent endpoints away too, and takes a
// handler that is parked at a site for a place between two messages.
func (a *actor) inBetween(ctx context.Context, alone bool, fn func()) error {
	it := &interlude{fn: fn, alone: alone, ran: make(chan struct{})}
	a.mu.Lock()
	ended, failed := a.ended, a.failed
	if ended == nil {
		a.between = append(a.between, it)
	}
	a.mu.Unlock()
	switch {
	case failed: // its loop is over, or about to be
		return a.afterwards(ctx, fn)
	case ended != nil:
		return errors.New(ended.Msg)
	}
	a.wake()
	select {
	case <-it.ran:
		return nil
	case <-a.done:
		select {
		case <-it.ran: // and the actor ended before we looked
			return nil
		default:
			return fmt.Errorf("%s ended meanwhile", a.label())
		}
	case <-ctx.Done():
	}
	if a.withdraw(it) {
		return fmt.Errorf("%s is busy: %w", a.label(), ctx.Err())
	}
	<-it.ran // it has begun
	return nil
}

// withdraw takes back an interlude that has not begun.
func (a *actor) withdraw(it *interlude) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.Index(a.between, it)
	if i >= 0 {
		a.between = slices.Delete(a.between, i, i+1)
	}
	return i >= 0
}

// nextInterlude is the first one that may run now. The caller, which is the loop, holds a.mu and runs it. parked says that the
// loop stands in the middle of a handler.
func (a *actor) nextInterlude(parked bool) func() {
	i := slices.IndexFunc(a.between, func(it *interlude) bool { return it.alone && a.beside == 0 || !it.alone && !parked })
	if i < 0 {
		return nil
	}
	it := a.between[i]
	a.between = slices.Delete(a.between, i, i+1)
	if it.alone {
		a.reading = make(chan struct{})
	}
	return func() {
		defer close(it.ran)
		if it.alone {
			defer a.endReading()
		}
		it.fn()
	}
}

// afterwards runs fn on an actor that has failed, when nothing of it runs any more.
func (a *actor) afterwards(ctx context.Context, fn func()) error {
	select {
	case <-a.done:
	case <-ctx.Done():
		return fmt.Errorf("%s is busy: %w", a.label(), ctx.Err())
	}
	for {
		a.mu.Lock()
		if a.beside == 0 && a.reading == nil {
			a.reading = make(chan struct{})
			a.mu.Unlock()
			break
		}
		if a.calm == nil {
			a.calm = make(chan struct{})
		}
		calm := a.calm
		a.mu.Unlock()
		select {
		case <-calm:
		case <-ctx.Done():
			return fmt.Errorf("%s is busy: %w", a.label(), ctx.Err())
		}
	}
	defer a.endReading()
	fn()
	return nil
}

func (a *actor) endReading() {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.reading)
	a.reading = nil
	a.tellCalm()
}

// enterBeside counts a concurrent endpoint in, once nobody reads the actor's state.
func (a *actor) enterBeside() {
	for {
		a.mu.Lock()
		reading := a.reading
		if reading == nil {
			a.beside++
			a.mu.Unlock()
			return
		}
		a.mu.Unlock()
		<-reading
	}
}

func (a *actor) leaveBeside() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.beside--
	if a.beside == 0 && len(a.between) > 0 {
		a.rouse()
	}
	a.tellCalm()
}

// tellCalm wakes who waits for the actor to stand still. The caller holds a.mu.
func (a *actor) tellCalm() {
	if a.calm != nil && a.beside == 0 && a.reading == nil {
		close(a.calm)
		a.calm = nil
	}
}
