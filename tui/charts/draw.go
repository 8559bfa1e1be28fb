package charts

import (
	"math"
	"strconv"
	"strings"

	"github.com/guptarohit/asciigraph"

	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// mostRows is how many figures are listed above the curve; the others are scrolled to.
const mostRows = 4

// Draw draws the inside of the frame.
func (p *Pane) Draw(s *paint.Surface, _ *world.World, focus bool) {
	w, h := s.Size()
	if w <= 0 || h <= 0 {
		return
	}
	if len(p.figures) == 0 {
		if p.why != "" {
			stream.DrawNothing(s, p.keys, stream.Hint{Text: p.why})
			return
		}
		stream.DrawNothing(s, p.keys, stream.Hint{Text: "No actor has reported a figure yet."}, stream.Hint{Text: "engine.Metric(ctx, \"loss\", step, loss) draws one here."})
		return
	}
	p.win.Fit(len(p.figures), max(1, min(len(p.figures), mostRows, h-4)))
	from, to := p.win.Visible()
	for i := from; i < to; i++ {
		p.drawRow(s, i, i-from, w, focus)
	}
	if room := h - (to - from); room >= 1 {
		p.drawCurve(s.In(paint.Rect{Y: to - from, W: w, H: room}), p.current())
	}
}

// drawRow draws the row of a figure.
func (p *Pane) drawRow(s *paint.Surface, i, y, w int, focus bool) {
	f := &p.figures[i]
	x := s.TextIn(1, y, w-2, paint.Style{Fg: paint.Text, Attr: paint.Bold}, f.name)
	x = s.TextIn(x+1, y, w-x-2, paint.Style{Fg: paint.Muted}, f.of())
	s.TextIn(x+2, y, w-x-3, paint.Style{Fg: paint.Text}, f.spread())
	if i == p.win.Cursor && len(p.figures) > 1 {
		ground := paint.Selection
		if focus {
			ground = paint.Cursor
		}
		s.Restyle(paint.Rect{Y: y, W: w, H: 1}, func(st paint.Style) paint.Style { return st.On(ground) })
	}
}

// drawn is a curve as text: it is made anew only where the figures or the room have changed.
type drawn struct {
	of    id
	rev   int
	w, h  int
	lines []string
}

// drawCurve draws a figure: its axis is muted, the curve stands out.
func (p *Pane) drawCurve(s *paint.Surface, f *figure) {
	w, h := s.Size()
	if f == nil {
		return
	}
	if d := &p.drawn; d.of != f.id || d.rev != p.rev || d.w != w || d.h != h {
		*d = drawn{f.id, p.rev, w, h, curve(f, w, h)}
	}
	plot := len(p.drawn.lines) - axisRows
	if plot < 1 { // a line of bars
		plot = len(p.drawn.lines)
	}
	for y, line := range p.drawn.lines {
		axis := strings.IndexAny(line, "┤┼")
		switch {
		case y >= plot:
			s.TextIn(1, y, w-2, paint.Style{Fg: paint.Muted}, line)
		case axis < 0:
			s.TextIn(1, y, w-2, paint.Style{Fg: paint.Accent}, line)
		default:
			axis += len("┤")
			x := s.TextIn(1, y, w-2, paint.Style{Fg: paint.Muted}, line[:axis])
			s.TextIn(x, y, w-1-x, paint.Style{Fg: paint.Accent}, line[axis:])
		}
	}
}

// axisRows are those below a curve: the axis, and what is written at it.
const axisRows = 2

// curve draws the mean in so many columns and rows: with axes, or where there is no room for them as a line of bars.
func curve(f *figure, w, h int) []string {
	low, high := f.mean[0], f.mean[0]
	for _, v := range f.mean {
		low, high = min(low, v), max(high, v)
	}
	if low == high { // a line in the middle, not a division by nothing
		pad := max(math.Abs(low)/10, 1e-9)
		low, high = low-pad, high+pad
	}
	rows, cols := h-axisRows-1, w-2
	if rows < 2 || cols < 24 {
		return []string{bars(f.mean, low, high, max(0, cols))}
	}
	text := plot(f, low, high, cols-12, rows)
	widest := 0
	for _, l := range text {
		widest = max(widest, paint.Width(l))
	}
	if room := cols - 12 + cols - widest; room != cols-12 && room >= 8 { // the labels at the left are as wide as they are
		text = plot(f, low, high, room, rows)
	}
	return text
}

// plot is a curve of so many columns, beside its labels.
func plot(f *figure, low, high float64, cols, rows int) []string {
	mean := f.mean
	if len(mean) == 1 {
		mean = []float64{mean[0], mean[0]}
	}
	x0, x1 := f.x[0], f.x[len(f.x)-1]
	return strings.Split(asciigraph.Plot(mean,
		asciigraph.Width(cols), asciigraph.Height(rows), asciigraph.LowerBound(low), asciigraph.UpperBound(high),
		asciigraph.YAxisValueFormatter(onScale(low, high)), asciigraph.XAxisRange(x0, x1), asciigraph.XAxisTickCount(max(2, min(6, cols/12))),
		asciigraph.XAxisValueFormatter(onScale(x0, x1))), "\n")
}

// onScale writes numbers with as many decimals as tell those of a scale apart.
func onScale(low, high float64) func(float64) string {
	span := high - low
	if math.IsInf(span, 0) || span >= 1e7 || span < 1e-6 || math.Max(math.Abs(low), math.Abs(high)) >= 1e9 {
		return number
	}
	decimals := max(0, 1-int(math.Floor(math.Log10(span))))
	return func(v float64) string { return strconv.FormatFloat(v, 'f', decimals, 64) }
}

// bars is a curve in one row: the mean of what falls into each column.
func bars(mean []float64, low, high float64, cols int) string {
	const levels = "▁▂▃▄▅▆▇█"
	signs := []rune(levels)
	cols = min(cols, len(mean))
	var b strings.Builder
	for c := range cols {
		from, to := c*len(mean)/cols, max(c*len(mean)/cols+1, (c+1)*len(mean)/cols)
		var sum float64
		for _, v := range mean[from:to] {
			sum += v / float64(to-from)
		}
		at := int((sum/2 - low/2) / (high/2 - low/2) * float64(len(signs))) // halves: the span of huge numbers is no number
		b.WriteRune(signs[min(max(at, 0), len(signs)-1)])
	}
	return b.String()
}
