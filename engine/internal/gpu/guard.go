package gpu

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	askTime  = 3 * time.Second        // one question to a source; a driver without persistence takes one or two to answer
	askGrace = 500 * time.Millisecond // for what was told to end
)

// guard keeps a source from holding anybody up. A driver that is stuck keeps its caller, be it a thread or a process that cannot
// even be killed: he is left behind, and as long as he is there the source is not asked again.
type guard struct {
	busy chan struct{} // holds one value while the source is asked
	late error
}

func newGuard(what string) *guard {
	return &guard{busy: make(chan struct{}, 1), late: fmt.Errorf("%s %w within %v", what, errLate, askTime)}
}

var errLate = errors.New("did not answer")

// within asks, and returns in little more than askTime, or when ctx has ended, whatever the source does.
func within[T any](ctx context.Context, g *guard, ask func(context.Context) (T, error)) (none T, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, askTime, g.late)
	defer cancel()
	select {
	case g.busy <- struct{}{}:
	case <-ctx.Done():
		return none, fmt.Errorf("%w: an earlier question has no answer yet; is it stuck in the driver?", context.Cause(ctx))
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-g.busy }()
		v, err := ask(ctx)
		done <- result{v, err}
	}()
	var late <-chan time.Time
	ended := ctx.Done()
	for {
		select {
		case r := <-done:
			if cause := context.Cause(ctx); cause != nil && r.err != nil {
				return none, cause
			}
			return r.value, r.err
		case <-ended:
			ended, late = nil, time.After(2*askGrace)
		case <-late:
			return none, context.Cause(ctx)
		}
	}
}
