package tui

import (
	"cmp"
	"errors"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// While a composer is open its ranks are judged with every update, 30 times a second, and there may be 65,536 of them. So
// what they are is found anew only when the text changes, and how many of them have ended only when one has.

// meaning is what a text of ranks means in a view. The zero meaning is none yet.
type meaning struct {
	known bool
	text  string
	view  shape.Region
	err   error
}

// endCount is how many of a composer's ranks have ended.
type endCount struct {
	known   bool
	version uint64 // of World.Ended
	n       int
	first   int // the first of them, where there is one
	walks   int // how often the ranks were walked through
}

// resolve finds which ranks a text means. Where it means none they stay as they were.
func (c *composer) resolve(text string, view shape.Region) error {
	if c.means.known && c.means.text == text && c.means.view.Equal(view) {
		return c.means.err
	}
	parts, err := resolve(text, view)
	c.means = meaning{true, text, view, err}
	if err != nil {
		return err
	}
	c.on, c.ranks, c.over.known = parts, 0, false
	for _, p := range parts {
		c.ranks += p.Len()
	}
	return nil
}

// resolve finds the regions that a selection means; "" and "all" mean all.
func resolve(text string, view shape.Region) ([]shape.Region, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "all" {
		return []shape.Region{view}, nil
	}
	if inner, ok := strings.CutPrefix(text, "ranks("); ok {
		sel, err := shape.ParseRanks(strings.TrimSuffix(inner, ")"))
		if e, ok := errors.AsType[*shape.ParseError](err); ok { // its place is in what stands in the parentheses
			e.Offset += len("ranks(")
		}
		if err != nil {
			return nil, err
		}
		return sel.Resolve(view)
	}
	sel, err := shape.Parse(text)
	if err != nil {
		return nil, err
	}
	return sel.Resolve(view)
}

// ended is how many of the ranks have ended or failed, and why the first of them did.
func (c *composer) ended(mesh *control.Mesh) (n int, why string) {
	w := c.m.world
	if _, version := w.Ended(mesh); !c.over.known || c.over.version != version {
		c.over.known, c.over.version = true, version
		c.countEnded(mesh)
	}
	if c.over.n == 0 {
		return 0, ""
	}
	proc, _ := w.ProcOf(mesh, c.over.first)
	return c.over.n, cmp.Or(world.RankWhy(&mesh.Ranks[c.over.first], proc), "ended")
}

func (c *composer) countEnded(mesh *control.Mesh) {
	c.over.walks++
	c.over.n = 0
	for _, part := range c.on {
		if part.Len() > len(mesh.Ranks) { // a session may say anything
			continue
		}
		for r := range part.Ranks() {
			if r >= len(mesh.Ranks) || !c.m.world.HasEnded(mesh, r) {
				continue
			}
			if c.over.n++; c.over.n == 1 {
				c.over.first = r
			}
		}
	}
}
