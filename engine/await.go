package engine

import (
	"context"
	"iter"
	"slices"
)

// each yields answers in arrival order, and ctx's error when it ends first.
func (c *call) each(ctx context.Context) iter.Seq2[answer, error] {
	return func(yield func(answer, error) bool) {
		if c.err != nil {
			yield(answer{}, c.err)
			return
		}
		c.beginWait()
		defer c.endWait()
		for i := range c.n {
			a, err := c.next(ctx, i)
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// next waits for the i-th answer.
func (c *call) next(ctx context.Context, i int) (answer, error) {
	for {
		c.mu.Lock()
		if i < len(c.answers) {
			a := c.answers[i]
			c.mu.Unlock()
			return a, nil
		}
		if c.wake == nil {
			c.wake = make(chan struct{})
		}
		wake := c.wake
		c.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			c.mu.Lock()
			late := i < len(c.answers)
			c.mu.Unlock()
			if !late { // an answer that is here is better than none
				return answer{}, ctx.Err()
			}
		}
	}
}

// collect waits for every rank, or for ctx to end, and gives the answers there are and the outcome of the ranks without.
func (c *call) collect(ctx context.Context) (answers []answer, missing []*RankError) {
	c.beginWait()
	defer c.endWait()
	select {
	case <-c.done:
	case <-ctx.Done():
		if !c.hooked && c.adverb != adverbStart {
			c.cancel(ctx)
		}
	}
	c.mu.Lock()
	answers = slices.Clip(c.answers)
	var open []int
	for i, p := range c.ranks {
		if p != phaseAnswered {
			open = append(open, i)
		}
	}
	c.mu.Unlock()
	for _, i := range open {
		missing = append(missing, c.rankError(answer{index: i, err: endOf(ctx)}))
	}
	return answers, missing
}

// beginWait counts a wait. The first wait on a Start sends the notices that its messages could not carry.
func (c *call) beginWait() {
	if c.rode.CompareAndSwap(true, false) {
		return
	}
	c.waiters.Add(1)
	if c.caller == nil {
		return
	}
	if chain, seq, first := c.caller.await(c); first {
		c.notify(chain, seq)
	}
}

// endWait takes a wait back. When the last one ended before the call did, the ranks without an answer learn that nobody
// waits for them: they may call back.
func (c *call) endWait() {
	c.waiters.Add(-1)
	if c.caller == nil {
		return
	}
	if seq, last := c.caller.release(c); last {
		c.notifyLater(nil, seq)
	}
}
