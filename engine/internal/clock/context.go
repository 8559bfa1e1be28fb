package clock

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Context is a context that ends once, with what comes first: its time is over by its clock (context.DeadlineExceeded), or
// somebody ends it. Package context attaches what is made of it without a goroutine, through AfterFunc. It does not follow
// its parent by itself: who makes it ends it with the parent, or uses WithTimeout.
type Context struct {
	context.Context // values, and the cause of its end

	clock    *Clock
	deadline time.Time     // by the clock; zero: none
	state    atomic.Uint32 // mu guards what becomes of one that is watched

	mu    sync.Mutex
	watch *watch // made when somebody is to be told of the end
}

// The states of a context. Most go from the first to an end at one step, with nobody to be told.
const (
	running uint32 = iota
	watched        // it runs, and somebody is to be told of its end
	cancelled
	exceeded
	otherwise // watch.err says how
)

// watch is who is to be told of the end of a context, and what tells it.
type watch struct {
	timer *Timer         // of the deadline
	done  chan struct{}  // made when it is asked for
	after map[int]func() // what AfterFunc was given, by number
	last  int
	err   error
}

// stateOf is the state of a context that ends with an error.
func stateOf(err error) uint32 {
	switch err { //nolint:errorlint // these two, and nothing that wraps them
	case context.Canceled:
		return cancelled
	case context.DeadlineExceeded:
		return exceeded
	default:
		return otherwise
	}
}

// Begin makes c the context of a parent with so much time; 0: without a limit. It is called once, before c is used.
func (c *Context) Begin(parent context.Context, clock *Clock, d time.Duration) {
	c.Context, c.clock = parent, clock
	if d > 0 {
		c.deadline = clock.Now().Add(d)
	}
	if err := parent.Err(); err != nil {
		c.End(err)
	}
}

// WithTimeout is context.WithTimeout on this clock.
func (c *Clock) WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	x := new(Context)
	x.Begin(parent, c, max(d, 1))
	stop := context.AfterFunc(parent, func() { x.End(parent.Err()) })
	return x, func() { stop(); x.End(context.Canceled) }
}

// End ends the context, if it has not ended yet.
func (c *Context) End(err error) {
	to := stateOf(err)
	if to != otherwise && c.state.CompareAndSwap(running, to) {
		return
	}
	c.mu.Lock()
	w := c.watching()
	if c.state.Load() != watched {
		c.mu.Unlock()
		return
	}
	w.err = err
	c.state.Store(to)
	if w.done != nil {
		close(w.done)
	}
	timer, after := w.timer, w.after
	w.after = nil
	c.mu.Unlock()
	if timer != nil {
		timer.Stop()
	}
	for _, f := range after {
		f()
	}
}

// Deadline is when its time is over, if the clock is not held any more from now on.
func (c *Context) Deadline() (time.Time, bool) {
	own, ok := time.Time{}, !c.deadline.IsZero()
	if ok {
		own = c.clock.Wall(c.deadline)
	}
	if outer, has := c.Context.Deadline(); has && (!ok || outer.Before(own)) {
		return outer, true
	}
	return own, ok
}

// Err is nil, context.DeadlineExceeded or context.Canceled.
func (c *Context) Err() error {
	switch c.state.Load() {
	case running: // no timer looks at the deadline
		if c.deadline.IsZero() || c.clock.Now().Before(c.deadline) {
			return nil
		}
		c.End(context.DeadlineExceeded)
		return c.Err()
	case watched:
		return nil
	case cancelled:
		return context.Canceled
	case exceeded:
		return context.DeadlineExceeded
	default:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.watch.err
	}
}

// watching gives the watch, and sets the timer of the deadline where the context runs. Most contexts end without either. The
// caller holds c.mu.
func (c *Context) watching() *watch {
	if c.watch == nil {
		c.watch = &watch{}
	}
	if c.state.CompareAndSwap(running, watched) && !c.deadline.IsZero() {
		c.watch.timer = c.clock.at(c.deadline, func() { c.End(context.DeadlineExceeded) })
	}
	return c.watch
}

// Done is closed when the context ends.
func (c *Context) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.watching()
	if w.done == nil {
		w.done = make(chan struct{})
		if c.state.Load() != watched {
			close(w.done)
		}
	}
	return w.done
}

// AfterFunc is how package context attaches contexts that are made of this one without a goroutine for each. f must not
// block.
func (c *Context) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.watching()
	if c.state.Load() != watched {
		go f() // the caller may hold what f locks
		return func() bool { return false }
	}
	if w.after == nil {
		w.after = map[int]func(){}
	}
	w.last++
	key := w.last
	w.after[key] = f
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waits := w.after[key]
		delete(w.after, key)
		return waits
	}
}
