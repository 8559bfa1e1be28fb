package script

import (
	"context"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger"
)

// patience is a context with a limit that stands still while the engine's clock does and somebody else is there who could let
// it run again: a person who looks at a stopped actor is no hang. Where this session's client is alone the limit runs on, or
// a script would wait for ever for what only it could continue.
type patience struct {
	context.Context // that it ends with too

	done chan struct{}
	mu   sync.Mutex
	err  error
	left time.Duration // from since on
	at   time.Time     // when left was so much; zero: it stands still
}

var _ context.Context = (*patience)(nil)

// patient is ctx with a limit of this kind. What is returned must be called; it waits for what watches the clock.
func (s *Session) patient(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	p := &patience{Context: ctx, done: make(chan struct{}), left: limit, at: time.Now()}
	quit, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		p.end(p.watch(s, quit))
	}()
	var once sync.Once
	return p, func() {
		once.Do(func() { close(quit) })
		<-over
	}
}

// watch waits for the end, and says what it is.
func (p *patience) watch(s *Session, quit <-chan struct{}) error {
	timer := time.NewTimer(p.remaining())
	defer timer.Stop()
	standing := false
	for {
		s.mu.Lock()
		changed, still := s.changed, s.ended == nil && s.standsStill()
		if s.ended != nil {
			changed = nil
		}
		s.mu.Unlock()
		switch {
		case still && !standing:
			timer.Stop()
			p.stand()
		case !still && standing:
			timer.Reset(p.run())
		}
		standing = still
		select {
		case <-timer.C:
			return context.DeadlineExceeded
		case <-p.Context.Done():
			return p.Context.Err()
		case <-quit:
			return context.Canceled
		case <-changed:
		}
	}
}

// standsStill reports whether limits stand still. s.mu is held.
func (s *Session) standsStill() bool {
	return s.pic.Debug.Held && (s.opt.Person || debugger.Acting(s.pic.Clients, s.c.Info().Client.ID) > 0)
}

func (p *patience) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
	close(p.done)
}

// stand has the limit stand still.
func (p *patience) stand() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left, p.at = p.left-time.Since(p.at), time.Time{}
}

// run has it run again, and says how long.
func (p *patience) run() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = time.Now()
	return max(p.left, 0)
}

func (p *patience) remaining() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at.IsZero() {
		return p.left
	}
	return p.left - time.Since(p.at)
}

// Deadline is when the limit would end if the clock ran on from now.
func (p *patience) Deadline() (time.Time, bool) {
	end := time.Now().Add(p.remaining())
	if outer, ok := p.Context.Deadline(); ok && outer.Before(end) {
		return outer, true
	}
	return end, true
}

// Done is closed at the end.
func (p *patience) Done() <-chan struct{} { return p.done }

// Err is context.DeadlineExceeded where the limit was reached.
func (p *patience) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
