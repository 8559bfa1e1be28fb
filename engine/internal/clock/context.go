package clock

import (
	"context"
	"sync"
	"time"
)

// Context is a context that ends once, with what comes first: its time is over by its clock (context.DeadlineExceeded), or
// somebody ends it. Package context attaches what is made of it without a goroutine, through AfterFunc. It does not follow
// its parent by itself: who makes it ends it with the parent, or uses WithTimeout.
type Context struct {
	context.Context // values, and the cause of its end

	clock    *Clock
	deadline time.Time // by the clock; zero: none

	mu    sync.Mutex
	timer *Timer        // made when somebody waits for the end
	done  chan struct{} // made when it is asked for
	err   error
	after map[int]func() // what AfterFunc was given, by number
	last  int
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
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	if c.done != nil {
		close(c.done)
	}
	timer, after := c.timer, c.after
	c.after = nil
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
	c.mu.Lock()
	err, unwatched := c.err, c.timer == nil && !c.deadline.IsZero()
	c.mu.Unlock()
	if err == nil && unwatched && !c.clock.Now().Before(c.deadline) {
		c.End(context.DeadlineExceeded)
		return c.Err()
	}
	return err
}

// watch sets the timer of the deadline, which most contexts end without. The caller holds c.mu.
func (c *Context) watch() {
	if c.timer == nil && c.err == nil && !c.deadline.IsZero() {
		c.timer = c.clock.at(c.deadline, func() { c.End(context.DeadlineExceeded) })
	}
}

// Done is closed when the context ends.
func (c *Context) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
		c.watch()
	}
	return c.done
}

// AfterFunc is how package context attaches contexts that are made of this one without a goroutine for each. f must not
// block.
func (c *Context) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		go f() // the caller may hold what f locks
		return func() bool { return false }
	}
	c.watch()
	if c.after == nil {
		c.after = map[int]func(){}
	}
	c.last++
	key := c.last
	c.after[key] = f
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waits := c.after[key]
		delete(c.after, key)
		return waits
	}
}
