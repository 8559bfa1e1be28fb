package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Reply is one rank's answer.
type Reply[R any] struct {
	Rank  int   // of the mesh
	Point Point // in the slice that was called
	Value R
}

// Future is a call that has been sent. It can be waited on more than once and by several goroutines; a wait that times
// out consumes nothing.
type Future[R any] struct{ c *call }

// Each yields replies in arrival order. A failed rank yields a *RankError and the loop goes on; when ctx ends before the
// last answer it yields ctx's error and stops.
func (f *Future[R]) Each(ctx context.Context) iter.Seq2[Reply[R], error] {
	return func(yield func(Reply[R], error) bool) {
		for a, err := range f.c.each(ctx) {
			if err != nil {
				yield(Reply[R]{}, err)
				return
			}
			r, rank := decodeReply[R](f.c, a)
			if rank != nil {
				err = rank
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// stream is Each under the call's own context: when that ends, every rank without an answer is cancelled and yields its
// error, so no rank is left out.
func (f *Future[R]) stream() iter.Seq2[Reply[R], error] { return f.Each(context.Background()) }

func decodeReply[R any](c *call, a answer) (Reply[R], *RankError) {
	r := Reply[R]{Rank: c.ref.View.RankAt(a.index), Point: c.ref.pointAt(a.index)}
	return r, decodeValue(c, &a, &r.Value)
}

// decodeValue decodes the value of an answer into one that is zero.
func decodeValue[R any](c *call, a *answer, to *R) *RankError {
	if a.err != nil {
		return c.rankError(*a)
	}
	if len(a.body) == 0 || bodies.DecodeCommon(a.body, to) { // which leaves to where it is
		return nil
	}
	return decodeAny(c, *a, to)
}

// decodeAny is decodeValue for what is not common.
func decodeAny[R any](c *call, a answer, to *R) *RankError {
	v := new(R)
	if err := bodies.Decode(a.body, v); err != nil {
		a.err = &wireError{Outcome: control.OutcomeError, Type: "decode", Msg: fmt.Sprintf("the result does not decode into %T: %v", *v, err)}
		return c.rankError(a)
	}
	*to = *v
	return nil
}

// All waits for every rank. The error is a *MeshError when ranks failed; the values of the others are in the ValueMesh.
// When ctx ends first the missing ranks are in the *MeshError as ErrDeadline or ErrCancelled, and a later wait can
// still get them.
func (f *Future[R]) All(ctx context.Context) (ValueMesh[R], error) {
	defer f.c.taken()
	if f.c.err() != nil {
		return ValueMesh[R]{}, f.c.err()
	}
	vm := newValueMesh[R](f.c.ref.MeshRef)
	answers, missing := f.c.collect(ctx)
	for _, a := range answers {
		if r, err := decodeReply[R](f.c, a); err != nil {
			vm.fail(err)
		} else {
			vm.set(r)
		}
	}
	for _, rank := range missing {
		vm.fail(rank)
	}
	return vm, vm.meshError(f.c)
}

// One waits for the only reply of a call to one rank.
func (f *Future[R]) One(ctx context.Context) (R, error) {
	var zero R
	defer f.c.taken()
	if f.c.err() != nil {
		return zero, f.c.err()
	}
	if f.c.n != 1 {
		return zero, f.c.notOne()
	}
	answers, failed := f.c.collect(ctx)
	if len(answers) == 1 {
		err := decodeValue(f.c, &answers[0], &zero)
		if err == nil {
			return zero, nil
		}
		failed = []*RankError{err}
	}
	var none R
	return none, f.c.oneFailed(failed)
}

func (c *call) notOne() error {
	return fmt.Errorf("One on a call of %d ranks; use All or Each", c.n)
}

func (c *call) oneFailed(failed []*RankError) error {
	return &MeshError{Endpoint: c.endpoint.name, Mesh: c.ref.Name, Ranks: 1, Failed: failed}
}

// Done is closed when every rank has an outcome.
func (f *Future[R]) Done() <-chan struct{} { return f.c.done }

func (f *Future[R]) wait(ctx context.Context) error {
	_, err := f.All(ctx)
	return err
}

// Waiter is a Future of any type.
type Waiter interface {
	wait(ctx context.Context) error
}

// Wait waits for futures of any types and joins their errors; values are read from each afterwards.
func Wait(ctx context.Context, futures ...Waiter) error {
	var errs []error
	for _, f := range futures {
		if err := f.wait(ctx); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// each yields answers in arrival order, and ctx's error when it ends first.
func (c *call) each(ctx context.Context) iter.Seq2[answer, error] {
	return func(yield func(answer, error) bool) {
		if c.err() != nil {
			yield(answer{}, c.err())
			return
		}
		c.beginWait()
		defer c.endWait()
		for i := range c.n {
			a, err := c.next(ctx, i)
			if err == nil {
				c.arrived()
			}
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
		if c.more.wake == nil {
			c.more.wake = make(chan struct{})
		}
		wake := c.more.wake
		c.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			c.mu.Lock()
			late := i < len(c.answers)
			c.mu.Unlock()
			if !late { // it came while ctx ended: it counts
				return answer{}, ctx.Err()
			}
		}
	}
}

// A goroutine that waits for an answer or the end of a context stands in two queues. In that of a context which a thousand calls
// have it has many neighbours, and to step in and out costs as much as a tenth of a call. So one goroutine waits for the end of a
// context that many calls in a row have had, for all of them.
type endWatch struct {
	watched atomic.Pointer[(<-chan struct{})] // the end of the context that is watched

	mu    sync.Mutex
	last  <-chan struct{} // of the call before, where it is not the watched one
	times int
	count int // goroutines
}

const (
	watchAfter = 32 // calls in a row
	maxWatches = 16 // contexts that end with the process only have a goroutine each for good
)

// sees gives the end of ctx where that is watched, else nil. Calls that rely on it are on the table before they look whether it
// has come.
func (w *endWatch) sees(n *node, ctx context.Context) <-chan struct{} {
	end := ctx.Done()
	if end == nil {
		return nil
	}
	if x := w.watched.Load(); x != nil && *x == end || w.begins(n, ctx, end) {
		return end
	}
	return nil
}

// begins counts a call with an end that is not watched, and reports whether that is watched from now on.
func (w *endWatch) begins(n *node, ctx context.Context, end <-chan struct{}) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last != end {
		w.last, w.times = end, 0
	}
	if w.times++; w.times < watchAfter || w.count == maxWatches || n.closed.Load() {
		return false
	}
	w.count++
	w.last, w.times = nil, 0
	n.wg.Go(func() {
		select {
		case <-end:
			n.calls.each(func(c *call) {
				if c.ends == end {
					c.cancel(ctx)
				}
			})
		case <-n.closing: // which ends every call
		}
		w.mu.Lock()
		w.count--
		w.mu.Unlock()
	})
	watched := end // which goes to the heap here, and nowhere before
	w.watched.Store(&watched)
	return true
}

// hook cancels the call when its context ends.
func (c *call) hook(ctx context.Context) {
	if c.err() != nil || ctx.Done() == nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { c.cancel(ctx) })
	c.mu.Lock()
	finished := len(c.answers) == c.n
	c.more.unhook, c.more.hooked = stop, true
	c.mu.Unlock()
	if finished {
		stop()
	}
}

// taken ends the call of somebody who does not hand it on.
func (c *call) taken() {
	if c.last != nil {
		c.free()
	}
}

// await waits for the outcome of a call of one rank that nobody else waits for.
func (c *call) await(ctx context.Context) *call {
	if c.err() != nil {
		return c
	}
	if c.ends != nil { // whoever watches its end cancels the call
		<-c.last
	} else {
		c.complete(ctx)
	}
	if c.caller != nil {
		c.arrived()
	}
	return c
}

// one gives the only reply of a call that await has waited for, and ends it.
func one[R any](c *call) (R, error) {
	var value, none R
	defer c.taken()
	if c.err() != nil {
		return none, c.err()
	}
	if err := decodeValue(c, &c.answers[0], &value); err != nil {
		return none, c.oneFailed([]*RankError{err})
	}
	return value, nil
}

// collect waits for every rank, or for ctx to end, and gives the answers there are and the outcome of the ranks without.
func (c *call) collect(ctx context.Context) (answers []answer, missing []*RankError) {
	c.beginWait()
	defer c.endWait()
	if c.complete(ctx) {
		c.arrived()
		return c.answers, nil // nobody changes them any more
	}
	return c.soFar(ctx)
}

// soFar is collect after the end of ctx.
func (c *call) soFar(ctx context.Context) (answers []answer, missing []*RankError) {
	c.mu.Lock()
	answers = slices.Clip(c.answers)
	var open []int
	for i := range c.ranks {
		if c.ranks[i].phase.Load() != phaseAnswered {
			open = append(open, i)
		}
	}
	c.mu.Unlock()
	c.arrived()
	for _, i := range open {
		missing = append(missing, c.rankError(answer{index: i, err: endOf(ctx)}))
	}
	return answers, missing
}

// complete waits until every rank has an outcome, or for ctx to end. It cancels a call that has no end of its own then, and such
// a call is over for its only user.
func (c *call) complete(ctx context.Context) bool {
	if c.ends != nil { // whoever watches its end cancels the call
		<-c.last
		return true
	}
	all := c.done
	if all == nil {
		all = c.last
	}
	select {
	case <-all:
		return true
	case <-ctx.Done():
	}
	if c.last != nil || !c.more.hooked && c.adverb != adverbStart {
		c.cancel(ctx)
	}
	if c.last != nil { // which may be another's to tell, who brings an answer just now
		<-c.last
		return true
	}
	return false
}

// awaited reports whether somebody waits for answers.
func (c *call) awaited() bool { return c.last != nil || c.more.waiters.Load() > 0 }

// beginWait counts a wait. The first wait on a Start sends the notices that its messages could not carry.
func (c *call) beginWait() {
	if c.last != nil { // it is its only wait
		return
	}
	if c.more.implicitWait.CompareAndSwap(true, false) {
		return
	}
	c.more.waiters.Add(1)
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
	if c.last != nil {
		return
	}
	c.more.waiters.Add(-1)
	if c.caller == nil {
		return
	}
	if seq, last := c.caller.endAwait(c); last {
		c.notifyLater(nil, seq)
	}
}
