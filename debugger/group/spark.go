package group

import (
	"math"
	"strings"
)

// bars are the heights of a cell, lowest first.
var bars = []rune("▁▂▃▄▅▆▇█")

const (
	noFinite = '!' // a value that is not finite, or none
	noNumber = '·' // a value that is not a number, where no rank of the cell has one
)

// Spark is a line of bars by rank, at most width of them: one for each rank, and where there are more ranks than places one
// for each few ranks that follow each other. Of such a few the one farthest from the median is shown, and ! where one has
// no value or none that is finite, so that a rank that stands out is seen. It is "" where no value is a number.
func (t *Table) Spark(width int) string {
	if t.Spread == nil || width < 1 {
		return ""
	}
	var b strings.Builder
	n := min(width, len(t.cells))
	for i := range n {
		from, to := i*len(t.cells)/n, (i+1)*len(t.cells)/n
		b.WriteRune(t.bar(from, to))
	}
	return b.String()
}

// bar is the cell of the ranks from…to-1 in order.
func (t *Table) bar(from, to int) rune {
	shown, any := 0.0, false
	for i := from; i < to; i++ {
		c := t.cells[i]
		switch {
		case t.sorted[i].Err != "" || c.number && !c.finite():
			return noFinite
		case !c.number:
		case !any || math.Abs(c.x/2-t.Spread.Median/2) > math.Abs(shown/2-t.Spread.Median/2):
			shown, any = c.x, true
		}
	}
	if !any {
		return noNumber
	}
	return t.height(shown)
}

func (t *Table) height(x float64) rune {
	lo, span := t.Spread.Min/2, t.Spread.Max/2-t.Spread.Min/2
	if span == 0 {
		return bars[len(bars)/2-1]
	}
	return bars[min(int((x/2-lo)/span*float64(len(bars))), len(bars)-1)]
}
