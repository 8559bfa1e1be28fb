package messages

import "github.com/monarch-tui/monarch-tui/tui/paint"

// columns are where the columns of the list are. The two names grow with what is shown and do not shrink, so that rows
// don't jump.
type columns struct {
	w                        int // of the list they were made for
	time, from, to, msg, end column
	fromWide, toWide         int
}

// column is a place in a row; one without width is not shown.
type column struct{ x, w int }

// Widths of a list at which a column comes in.
const (
	wideTime  = 100
	someTime  = 64
	bothNames = 46
	oneName   = 28
)

// sign is the room for the sign of a fold.
const sign = 2

// fit makes room for names as wide as these.
func (c *columns) fit(w, from, to int) {
	if w != c.w {
		*c = columns{w: w}
	}
	most := max(7, (w-sign)*22/100)
	switch {
	case w < bothNames:
		most = 7
	case w < 90:
		most = max(9, (w-sign)*17/100)
	}
	c.fromWide, c.toWide = max(c.fromWide, min(from, most)), max(c.toWide, min(to, most))
	gap := 2
	if w < 90 {
		gap = 1
	}
	x := sign
	put := func(width int) column {
		at := column{x, width}
		if width > 0 {
			x += width + gap
		}
		return at
	}
	switch {
	case w >= wideTime:
		c.time = put(12)
	case w >= 90:
		c.time = put(10)
	case w >= someTime:
		c.time = put(6)
	default:
		c.time = column{}
	}
	c.from, c.to = column{}, column{}
	if w >= bothNames {
		c.from = put(max(4, c.fromWide))
	}
	if w >= oneName {
		c.to = put(max(4, c.toWide))
	}
	end := 6
	switch {
	case w >= wideTime:
		end = 22
	case w >= someTime:
		end = 16
	}
	if w < 20 {
		end = 0
	}
	c.end = column{w - end, end}
	c.msg = column{x, max(0, w-end-gap-x)}
	if end == 0 {
		c.msg.w = max(0, w-x)
	}
}

// header names the columns.
func (c *columns) header(s *paint.Surface, y int) {
	st := paint.Style{Fg: paint.Muted}
	for _, h := range []struct {
		at   column
		name string
	}{{c.time, "time"}, {c.from, "from"}, {c.to, "to"}, {c.msg, "message"}, {c.end, "  took"}} {
		s.TextIn(h.at.x, y, h.at.w, st, h.name)
	}
}
