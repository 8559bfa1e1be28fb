//go:build linux

package hosts

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

// Leaf is the actor of the tests of messages that go by agents.
type Leaf struct {
	last  int // number of the message that came last
	count int
	bad   error // what came out of order first
	gate  gate
}

// gate is what Wait waits for.
type gate struct {
	mu     sync.Mutex
	open   chan struct{}
	began  int
	causes []string
}

func (g *gate) opened() chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		g.open = make(chan struct{})
	}
	return g.open
}

// NextArg is a numbered message, and where its number goes as well.
type NextArg struct {
	N    int
	Port engine.Port[int]
}

// Next takes a message whose number is above that of the one before.
func (l *Leaf) Next(ctx context.Context, a NextArg) (int, error) {
	l.count++
	if a.N <= l.last {
		l.bad = cmp.Or(l.bad, fmt.Errorf("message %d came after %d", a.N, l.last))
		return 0, l.bad
	}
	l.last = a.N
	if !a.Port.IsZero() {
		if err := a.Port.Send(ctx, a.N); err != nil {
			return 0, err
		}
	}
	return a.N, nil
}

// Count is how many messages Next has taken. The error is that of one whose caller may have heard nothing of it.
func (l *Leaf) Count(context.Context) (int, error) { return l.count, l.bad }

// Wait waits at these ranks until it is released.
func (l *Leaf) Wait(ctx context.Context, ranks []int) (int, error) {
	for _, r := range ranks {
		if r != engine.Here(ctx).Rank {
			continue
		}
		l.gate.mu.Lock()
		l.gate.began++
		l.gate.mu.Unlock()
		select {
		case <-l.gate.opened():
		case <-ctx.Done():
			l.gate.mu.Lock()
			l.gate.causes = append(l.gate.causes, ctx.Err().Error())
			l.gate.mu.Unlock()
			return 0, ctx.Err()
		}
	}
	return engine.Here(ctx).Rank, nil
}

// Release has Wait go on.
func (l *Leaf) Release(context.Context) (int, error) {
	close(l.gate.opened())
	return 0, nil
}

// Began waits until a Wait waits.
func (l *Leaf) Began(ctx context.Context) (bool, error) {
	return true, l.gate.until(ctx, func() bool {
		l.gate.began--
		return l.gate.began >= 0
	}, func() { l.gate.began++ })
}

// Ended waits until a Wait has ended with its context, and says how.
func (l *Leaf) Ended(ctx context.Context) (why string, err error) {
	err = l.gate.until(ctx, func() bool {
		if len(l.gate.causes) == 0 {
			return false
		}
		why, l.gate.causes = l.gate.causes[0], l.gate.causes[1:]
		return true
	}, func() {})
	return why, err
}

// until waits until something is so; back undoes what a look has done that found it otherwise.
func (g *gate) until(ctx context.Context, so func() bool, back func()) error {
	for {
		g.mu.Lock()
		if so() {
			g.mu.Unlock()
			return nil
		}
		back()
		g.mu.Unlock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(time.Millisecond) // the handler of the other call has nobody to tell
	}
}

// Die kills the process of a rank, after it has answered the messages before.
func (l *Leaf) Die(ctx context.Context, rank int) (int, error) {
	if engine.Here(ctx).Rank == rank {
		for range 20 { // an answer waits a millisecond at most for the next one, and nobody tells a handler that it has left
			time.Sleep(time.Millisecond)
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return rank, nil
}

// Echo gives back what it got, rank by rank larger.
func (l *Leaf) Echo(ctx context.Context, b []byte) ([]byte, error) {
	return b[:len(b)*(1+engine.Here(ctx).Rank)/8], nil
}

// Size is how much it got.
func (l *Leaf) Size(_ context.Context, b []byte) (int, error) { return len(b), nil }

// Agent is its agent's process.
func (l *Leaf) Agent(context.Context) (int, error) { return os.Getppid(), nil }
