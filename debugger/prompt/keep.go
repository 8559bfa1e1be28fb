package prompt

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/kept"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Keep has the breakpoints of the session kept for the next session of its program, and sets those that are kept where the
// session has none. What does not work is told; the prompt does without.
func (p *Prompt) Keep(ctx context.Context, store *kept.Store) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var k *kept.Keeper
	var have []control.Breakpoint
	p.s.Look(func(r *control.Replica) {
		k, have = store.Of(r.Session.Program), slices.Clone(r.Breaks)
	})
	list, err := k.Begin(have)
	if err != nil {
		p.show(err.Error())
	}
	if p.kept = k; len(list) == 0 {
		return
	}
	set, err := kept.Set(ctx, p.c, list)
	if err != nil {
		p.show(err.Error())
	}
	if err := k.Follow(set); err != nil { // the session may not tell of them yet
		p.show(err.Error())
	}
	switch n := len(set); n {
	case 0:
	case 1:
		p.show("1 breakpoint is kept from last time; clear forgets it")
	default:
		p.show(fmt.Sprintf("%d breakpoints are kept from last time; clear forgets them", n))
	}
}

// keepUp keeps what the session has now. p.mu is held.
func (p *Prompt) keepUp() {
	if p.kept == nil {
		return
	}
	var now []control.Breakpoint
	p.s.Look(func(r *control.Replica) { now = slices.Clone(r.Breaks) })
	if err := p.kept.Follow(now); err != nil {
		p.show(err.Error())
	}
}

// lastLook is how long a session may take to say what it has, when the prompt is left.
const lastLook = 2 * time.Second

// keepLast keeps what the session has when the prompt is left: what the last line did may not have been told yet.
func (p *Prompt) keepLast() {
	if p.kept == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastLook)
	defer cancel()
	s, err := p.c.Snapshot(ctx)
	if err != nil { // the session has ended
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.kept.Follow(s.Breaks); err != nil {
		p.show(err.Error())
	}
}
