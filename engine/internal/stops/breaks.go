package stops

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe"
)

// MaxBreaks is how many breakpoints a session has at most: each actor looks through those of its mesh.
const MaxBreaks = 1000

const (
	maxText      = 8192 // bytes of a condition or a template
	defaultLimit = 1000 // lines of a breakpoint that prints
	defaultRate  = 100  // a second
)

// Check completes a breakpoint that a client sets, or says what is wrong with it.
func Check(b *control.Breakpoint) error {
	b.Site, b.Then, b.Scope = cmp.Or(b.Site, control.SiteRecv), cmp.Or(b.Then, control.ThenPause), cmp.Or(b.Scope, control.ScopeActor)
	for _, c := range []struct {
		what, have string
		want       []string
	}{
		{"site", b.Site, control.Sites()},
		{"action", b.Then, []string{control.ThenPause, control.ThenPrint, control.ThenCount}},
		{"scope", b.Scope, []string{control.ScopeActor, control.ScopeRank, control.ScopeMesh}},
	} {
		if !slices.Contains(c.want, c.have) {
			return fmt.Errorf("%s %.40q: want %s", c.what, c.have, strings.Join(c.want, ", "))
		}
	}
	for _, text := range []string{b.Mesh, b.Ranks, b.Endpoint, b.If, b.Print, b.Hit} {
		if len(text) > maxText {
			return fmt.Errorf("a text of %d bytes is over the limit of %d", len(text), maxText)
		}
	}
	if _, err := probe.NewSelector(b); err != nil {
		return fmt.Errorf("ranks %q: %w", b.Ranks, err)
	}
	if _, err := probe.ParseHits(b.Hit); err != nil {
		return err
	}
	if (b.Total || b.Once) && b.Then != control.ThenPause {
		return fmt.Errorf("hits over all ranks, and once, are for breakpoints that pause, not %s", b.Then)
	}
	if b.Limit < 0 || b.Rate < 0 {
		return fmt.Errorf("a limit of %d lines and %d a second: want numbers from 1, or 0 for %d and %d", b.Limit, b.Rate, defaultLimit, defaultRate)
	}
	if b.Then == control.ThenPrint {
		b.Limit, b.Rate = cmp.Or(b.Limit, defaultLimit), cmp.Or(b.Rate, defaultRate)
	}
	b.By, b.State, b.Why, b.LastError = "", "", "", ""
	b.Bound, b.Hits, b.Skipped, b.Errors = 0, 0, 0, 0
	return nil
}

// Set enters a breakpoint that was checked, or replaces the one with its ID.
func (b *Book) Set(spec control.Breakpoint, by string) (control.Breakpoint, error) {
	switch old := b.breaks[spec.ID]; {
	case spec.ID != 0 && old == nil:
		return spec, b.noBreak(spec.ID)
	case spec.ID == 0 && len(b.breaks) >= MaxBreaks:
		return spec, fmt.Errorf("there are %d breakpoints already, which is the limit: remove one first, or use a pattern for several", MaxBreaks)
	case spec.ID == 0:
		b.nextBreak++
		spec.ID = b.nextBreak
	}
	spec.By = by
	b.breaks[spec.ID] = &spec
	delete(b.hitsOf, spec.ID)
	return spec, nil
}

func (b *Book) noBreak(id uint64) error {
	ids := slices.Sorted(maps.Keys(b.breaks))
	if len(ids) == 0 {
		return fmt.Errorf("there is no breakpoint %d: none is set", id)
	}
	if len(ids) > 8 {
		return fmt.Errorf("there is no breakpoint %d: there are %d, from %d to %d", id, len(ids), ids[0], ids[len(ids)-1])
	}
	return fmt.Errorf("there is no breakpoint %d: there are %v", id, ids)
}

// Break gives a breakpoint for changes, or an error that says which there are.
func (b *Book) Break(id uint64) (*control.Breakpoint, error) {
	if p := b.breaks[id]; p != nil {
		return p, nil
	}
	return nil, b.noBreak(id)
}

// Remove takes a breakpoint off.
func (b *Book) Remove(id uint64) (control.Breakpoint, error) {
	p, err := b.Break(id)
	if err != nil {
		return control.Breakpoint{}, err
	}
	delete(b.breaks, id)
	delete(b.hitsOf, id)
	return *p, nil
}

// Breaks lists the breakpoints by number.
func (b *Book) Breaks() []control.Breakpoint {
	out := make([]control.Breakpoint, 0, len(b.breaks))
	for _, id := range slices.Sorted(maps.Keys(b.breaks)) {
		out = append(out, *b.breaks[id])
	}
	return out
}

// wants reports whether a breakpoint that a frame was stopped by still wants that: it is there, and where it counts over all
// ranks, it is one of the times that it wants. One that wants only one is off the table then.
func (b *Book) wants(id uint64) bool {
	p := b.breaks[id]
	if p == nil || p.Off {
		return false
	}
	if p.Total {
		b.hitsOf[id]++
		if hits, err := probe.ParseHits(p.Hit); err != nil || !hits.Wants(b.hitsOf[id]) {
			p.Skipped++
			return false
		}
		p.Hits++
	}
	return true
}
