package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// doc is the first line about the endpoint.
func (c *composer) doc() string {
	first, _, _ := strings.Cut(c.ep.Doc, "\n")
	return first
}

// below is what would be sent.
func (c *composer) below(w int) (out [][]paint.Seg) {
	if c.gone != "" {
		return nil
	}
	out = append(out, c.f.Labelled("command", paint.Text, c.line(), w))
	if size, ok := c.bytes(); ok {
		casts := "1 cast"
		if len(c.on) > 1 {
			casts = fmt.Sprintf("%d casts", len(c.on))
		}
		text := fmt.Sprintf("%s, %s, %s each", casts, paint.Plural(c.ranks, "message"), paint.Bytes(uint64(size)))
		if d := c.within(); d > 0 {
			text += ", given up after " + paint.Duration(d)
		}
		out = append(out, c.f.Labelled("", paint.Muted, text, w))
	}
	return out
}

// result is why it cannot be sent, or what came back.
func (c *composer) result(w int) (out [][]paint.Seg) {
	m := c.m
	line := func(label string, role paint.Role, text string) {
		out = append(out, c.f.Labelled(label, role, text, w))
	}
	if c.gone != "" {
		line("cannot", paint.Failed, c.gone)
		return out
	}
	if c.sent == nil {
		return nil
	}
	groups, n, slow := c.sent.answers.list()
	first, _, _ := strings.Cut(c.sent.err, "\n")
	switch {
	case !c.sent.done:
		line("answers", paint.Busy, fmt.Sprintf("%s %d of %d  %s", m.spinner(), n, c.asked, paint.Duration(m.now().Sub(c.sent.began).Truncate(100*time.Millisecond))))
	case n == 0 && c.sent.ok:
		line("sent", paint.Busy, "✓ no answer is waited for")
	case n == 0 || c.sent.late:
		line("failed", paint.Failed, "✕ "+first)
	default:
		line("answers", paint.Text, fmt.Sprintf("%d, the slowest after %s", n, paint.Duration(slow)))
	}
	for i, g := range groups {
		if i == 5 {
			line("", paint.Muted, fmt.Sprintf("%d more (ctrl+o)", len(groups)-i))
			break
		}
		arrow, role := g.look()
		text, _, _ := strings.Cut(g.text, "\n")
		row := fmt.Sprintf("%s %s %s", paint.PadLeft(g.who(), 4), arrow, paint.Fit(text, max(8, w-30)))
		if len(g.ranks) > 1 {
			row += "  [" + ranksText(g.ranks) + "]"
		}
		line("", role, row)
	}
	return out
}

// bytes is how long the encoded argument is.
func (c *composer) bytes() (int, bool) {
	for _, f := range c.args() {
		if f.Err() != "" {
			return 0, false
		}
	}
	b, err := schema.ParseArg(c.ep.Param, c.named, c.ep.Arg, c.literal(), c.refs())
	return len(b), err == nil
}
