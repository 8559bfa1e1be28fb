package probe

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// parked is a frame that stands at a site.
type parked struct {
	frame   *Frame
	site    Site
	gen     uint64
	resumed chan struct{} // closed when it may go on
	going   bool          // it may; guarded by agent.mu
	verdict *Verdict
	stack   string     // of its goroutine
	look    sync.Mutex // held by who looks at it: it goes on after that
}

// park stops the frame at a site until it is resumed or its actor ends.
func (a *Agent) park(f *Frame, s Site, why *control.Stop) *Verdict {
	a.mu.Lock()
	if a.orders.Quiet {
		a.mu.Unlock()
		return nil
	}
	id, gen, by := a.number(f)
	f.stepLocked(0) // whatever it was stepping for, it stops here
	f.into.Store(0)
	p := &parked{frame: f, site: s, gen: gen, resumed: make(chan struct{}), stack: stackHere()}
	a.parked[id] = p
	a.mu.Unlock()
	st := f.act.About(s)
	from, _ := f.act.Sender()
	st.ID, st.Gen, st.Site, st.Since = id, gen, s.String(), time.Now()
	st.Break, st.Reason, st.By = why.Break, why.Reason, by
	if why.By != "" {
		st.By = why.By
	}
	a.clock.Hold()
	a.tell(News{Stop: &st, From: from, Count: a.TakeCounts()})
	ended := f.act.Park(p.resumed)
	a.clock.Release()
	a.mu.Lock()
	going := p.going
	p.going = true // nobody begins to look any more
	delete(a.parked, id)
	v := p.verdict
	a.mu.Unlock()
	p.look.Lock()   // who looks has seen
	p.look.Unlock() //nolint:staticcheck // it is only waited for
	if ended == "" || going {
		return v
	}
	a.tell(News{Gone: &Gone{ID: id, Gen: gen, Why: ended}})
	return &Verdict{How: Ended, Text: ended}
}

// number gives a frame that is about to park its number: the one it had when it stopped before, unless another goroutine of
// its handler stands under that now. The caller holds a.mu.
func (a *Agent) number(f *Frame) (id, gen uint64, by string) {
	p := f.known()
	if p.id == 0 {
		a.next++
		p.id = a.next
	}
	if a.parked[p.id] != nil {
		a.next++
		return a.next, 1, ""
	}
	p.gen++
	return p.id, p.gen, p.by
}

// settle lets a parked frame go on because nobody may stop any more. It reports whether the caller, who holds agent.mu, is
// to close resumed.
func (p *parked) settle(a *Agent, abort bool) bool {
	if p.going {
		return false
	}
	p.going = true
	if abort {
		p.verdict = &Verdict{How: control.GoFail, Text: "it was stopped by the debugger, and the last front end left"}
	}
	return true
}

// find is a parked frame that has not been let go.
func (a *Agent) find(id, gen uint64) (*parked, error) {
	p := a.parked[id]
	switch {
	case p == nil || p.going:
		return nil, fmt.Errorf("it is not stopped any more")
	case p.gen != gen:
		return nil, fmt.Errorf("it has gone on and stopped again since")
	}
	return p, nil
}

// Look runs fn on a frame that is parked, which stays so until fn returns; an error says why it is not parked. fn is to be
// short, and runs on the goroutine of the caller.
func (a *Agent) Look(id, gen uint64, fn func(act Activation, s Site, stack string) error) error {
	a.mu.Lock()
	p, err := a.find(id, gen)
	a.mu.Unlock()
	if err != nil {
		return err
	}
	p.look.Lock()
	defer p.look.Unlock()
	a.mu.Lock()
	_, err = a.find(id, gen) // it may have gone on while another one looked
	a.mu.Unlock()
	if err != nil {
		return err
	}
	return fn(p.frame.act, p.site, p.stack)
}

// maxStack bounds the stack of a frame.
const maxStack = 64 << 10

func stackHere() string {
	b := make([]byte, maxStack)
	return string(b[:runtime.Stack(b, false)])
}

// Resume lets a parked frame go on. v is nil where it simply goes on.
func (a *Agent) Resume(id, gen uint64, how, by string, v *Verdict) error {
	a.mu.Lock()
	p, err := a.find(id, gen)
	if err != nil {
		a.mu.Unlock()
		return err
	}
	f, x := p.frame, p.frame.actor
	last := p.site == Reply || p.site == Error || p.site == Panic
	switch how {
	case control.GoStep:
		x.step = by
	case control.GoNext:
		f.stepLocked(every &^ Recv)
		if last {
			x.step = by
		}
	case control.GoInto:
		f.into.Store(uint32(TokenStop))
	case control.GoFollow:
		f.into.Store(uint32(TokenFollow))
	case control.GoFinish:
		to := finishing | Reply | Error
		if p.site == Reply || p.site == Error {
			to = finishing
		}
		f.stepLocked(to)
	}
	x.refresh()
	f.known().by = by
	p.going, p.verdict = true, v
	a.mu.Unlock()
	close(p.resumed)
	return nil
}
