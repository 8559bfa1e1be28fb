package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// below are the lines under the fields: what would be sent, and what came back.
func (c *composer) below(m *Model, w int) (out [][]paint.Seg) {
	label := func(s string) paint.Seg {
		return paint.Seg{Style: paint.Style{Fg: paint.Muted}, Text: paint.Pad(s, 10)}
	}
	line := func(l string, st paint.Style, text string) {
		out = append(out, []paint.Seg{label(l), {Style: st, Text: paint.Fit(text, max(0, w-10))}})
	}
	if c.ep.Doc != "" {
		first, _, _ := strings.Cut(c.ep.Doc, "\n")
		line("", paint.Style{Fg: paint.Muted}, first)
	}
	if c.gone != "" {
		line("cannot", paint.Style{Fg: paint.Failed}, c.gone)
		return out
	}
	line("command", paint.Style{Fg: paint.Text}, c.line())
	if size, ok := c.bytes(); ok {
		casts := "1 cast"
		if c.parts > 1 {
			casts = fmt.Sprintf("%d casts", c.parts)
		}
		line("", paint.Style{Fg: paint.Muted}, fmt.Sprintf("%s, %s, %s each", casts, paint.Plural(c.ranks, "message"), paint.Bytes(uint64(size))))
	}
	if c.sent == nil {
		return out
	}
	out = append(out, nil)
	groups, n, slow := c.sent.answers.list()
	switch {
	case !c.sent.done:
		line("answers", paint.Style{Fg: paint.Busy}, fmt.Sprintf("%s %d of %d  %s", m.spinner(), n, c.ranks, paint.Duration(m.now().Sub(c.sent.began).Truncate(100*time.Millisecond))))
	case n == 0 && c.sent.ok:
		line("sent", paint.Style{Fg: paint.Busy}, "✓ no answer is waited for")
	case n == 0:
		line("failed", paint.Style{Fg: paint.Failed}, "✕ "+strings.ReplaceAll(c.sent.err, "\n", " "))
	default:
		line("answers", paint.Style{Fg: paint.Text}, fmt.Sprintf("%d, the slowest after %s", n, paint.Duration(slow)))
	}
	for i, g := range groups {
		if i == 5 {
			line("", paint.Style{Fg: paint.Muted}, fmt.Sprintf("%d more (ctrl+o)", len(groups)-i))
			break
		}
		st, arrow := paint.Style{Fg: paint.Text}, "→"
		if !g.ok {
			st, arrow = paint.Style{Fg: paint.Failed}, "✕"
		}
		text, _, _ := strings.Cut(g.text, "\n")
		line("", st, fmt.Sprintf("%4d %s %s  [%s]", len(g.ranks), arrow, paint.Fit(text, max(8, w-30)), ranksText(g.ranks)))
	}
	return out
}

// bytes is how long the encoded argument is.
func (c *composer) bytes() (int, bool) {
	for _, f := range c.args() {
		if f.err != "" {
			return 0, false
		}
	}
	b, err := schema.ParseArg(c.ep.Param, c.m.world.Named, c.ep.Arg, c.literal(), c.refs())
	return len(b), err == nil
}
