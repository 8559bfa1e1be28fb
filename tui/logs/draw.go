package logs

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// sign is the room for the sign of a fold.
const sign = 2

// Widths at which columns come in.
const (
	wideTime   = 100
	someTime   = 60
	withSource = 44
)

// Draw draws the inside of the frame.
func (p *Pane) Draw(s *paint.Surface, w *world.World, focus bool) {
	width, height := s.Size()
	if width != p.w0 {
		p.w0, p.from = width, 0
	}
	if width <= 0 || height <= 0 {
		return
	}
	foot := 0
	if !p.Through().Empty() && height >= 2 {
		foot = 1
	}
	p.view.Fit(height - foot)
	p.sync(w)
	if foot > 0 {
		p.Through().Draw(s.In(paint.Rect{Y: height - 1, W: width, H: 1}), p.ix.shown, p.ix.Next-p.ix.First)
	}
	if len(p.view.Rows) == 0 {
		p.empty(s.In(paint.Rect{W: width, H: height - foot}))
		return
	}
	from, to := p.view.Visible()
	rows := p.view.Rows[from:to]
	for _, r := range rows {
		p.from = max(p.from, min(paint.Width(p.source(r)), max(9, width*20/100)))
	}
	p.lines, p.wants = p.lines[:0], 0
	for i := p.firstWrapped(rows, from, width, height-foot); i < len(rows) && len(p.lines) < height-foot; i++ {
		y := len(p.lines)
		h := min(p.height(rows[i], width), height-foot-y)
		p.drawRow(s.In(paint.Rect{W: width, H: y + h}), width, y, rows[i])
		if from+i == p.view.Cursor() && focus {
			s.Restyle(paint.Rect{Y: y, W: width, H: h}, func(st paint.Style) paint.Style { return st.On(paint.Cursor) })
		}
		for range h {
			p.lines = append(p.lines, from+i)
		}
	}
}

// mostNeeded is the widest that the lines ask to be; without lines it takes as much to say so.
const (
	mostNeeded = 132
	emptyWide  = 36
)

// Need is the room in which the lines in sight are shown whole.
func (p *Pane) Need(_, _ int) (cols, rows int) {
	if len(p.view.Rows) == 0 {
		return emptyWide, 0
	}
	return min(p.wants, mostNeeded), len(p.view.Rows)
}

// firstWrapped is the first of the rows to be drawn: where lines are wrapped not all of them fit, and the one under the
// cursor is to be seen.
func (p *Pane) firstWrapped(rows []row, from, width, height int) (first int) {
	if !p.wrap {
		return 0
	}
	room := height
	for i := min(p.view.Cursor()-from, len(rows)-1); i >= 0; i-- {
		if room -= p.height(rows[i], width); room < 0 {
			return min(i+1, max(0, p.view.Cursor()-from))
		}
	}
	return 0
}

// height is how many lines of the pane a row takes.
func (p *Pane) height(r row, width int) int {
	if !p.wrap {
		return 1
	}
	return max(1, len(p.wrapped(r, width)))
}

// wrapped is the text of a row as lines, beside which its count has room.
func (p *Pane) wrapped(r row, width int) []string {
	room := width - p.textAt(r, width)
	if count := p.count(r); count != "" {
		room -= paint.Width(count) + 1
	}
	return paint.Wrap(p.text(r), max(8, room))
}

// ToggleWrap shows lines whole, or cut at the edge.
func (p *Pane) ToggleWrap() (on bool) {
	p.wrap = !p.wrap
	return p.wrap
}

// ToggleTimes shows when each line was printed, or not.
func (p *Pane) ToggleTimes() (on bool) {
	on = !p.shows(p.w0)
	p.times, p.quiet = on, !on
	return on
}

// shows reports whether there are times in a pane of a width.
func (p *Pane) shows(width int) bool { return !p.quiet && (p.times || width >= someTime) }

// PageText is every line that the filter lets through, whole.
func (p *Pane) PageText() string {
	p.refresh()
	var b strings.Builder
	for n := p.ix.First; n < p.ix.Next; n++ {
		if rec := p.ix.rec(n); rec.matches {
			l := p.src.At(n)
			who := rec.source
			if l.Rank >= 0 {
				who = world.ActorName(rec.source, l.Rank)
			}
			fmt.Fprintf(&b, "%s  %s  %s\n", l.Time.Format("2006-01-02 15:04:05.000"), who, l.Text)
		}
	}
	return b.String()
}

// empty says what would be here, and how it comes.
func (p *Pane) empty(s *paint.Surface) {
	if p.ix.Next > p.ix.First {
		stream.DrawNothing(s, p.keys, stream.Hint{Text: "no line gets through the filter"}, stream.Hint{Action: "back", Text: "clears its last term"})
		return
	}
	hints := []stream.Hint{{Text: "Nothing was printed yet."}, {Text: "What workers print comes here."}}
	if p.w.Late {
		hints[0].Text = "Nothing was printed since you attached, and nothing is kept from before."
	}
	if File(p.w) != "" {
		hints = append(hints, stream.Hint{Action: "log.path", Text: "shows where the engine's log is"})
	}
	stream.DrawNothing(s, p.keys, hints...)
}

// source is who printed a row.
func (p *Pane) source(r row) string {
	l := p.src.At(r.n)
	source := p.ix.rec(r.n).source
	switch {
	case l.Rank < 0:
		return source
	case r.one && !p.Unfolded():
		return "├ " + world.ActorName(source, l.Rank)
	case r.one || len(r.f.ranks) < 2:
		return world.ActorName(source, l.Rank)
	}
	if r.f.whoCount != r.f.count {
		r.f.who, r.f.whoCount = p.w.RanksName(source, r.f.ranks), r.f.count
	}
	return r.f.who
}

// look is the style of a line, and its sign.
func look(l *control.Log, level Level) (st paint.Style, mark string, role paint.Role) {
	switch {
	case level == Error:
		return paint.Style{Fg: paint.Text}, "✕", paint.Failed
	case level == Warn:
		return paint.Style{Fg: paint.Text}, "▲", paint.Warning
	case l.Stream == "engine" || level == Debug:
		return paint.Style{Fg: paint.Muted}, "", paint.Muted
	}
	return paint.Style{Fg: paint.Text}, "", paint.Text
}

// text is what a row shows, without its count.
func (p *Pane) text(r row) string {
	l := p.src.At(r.n)
	if r.one || r.f.way != byRanks {
		return l.Text
	}
	if r.f.textCount != r.f.count || r.f.text == "" {
		r.f.text, r.f.textCount = folded(l.Text, l.Rank, r.f.ranks), r.f.count
	}
	return r.f.text
}

func (p *Pane) drawRow(s *paint.Surface, width, y int, r row) {
	l := p.src.At(r.n)
	muted := paint.Style{Fg: paint.Muted}
	if !r.one && len(r.f.lines) > 1 {
		mark := "▸"
		if r.f.open {
			mark = "▾"
		}
		s.Text(0, y, muted, mark)
	}
	x := sign
	switch {
	case !p.shows(width):
	case width >= wideTime:
		x = s.Text(x, y, muted, l.Time.Format("15:04:05.000")) + 2
	default:
		x = s.Text(x, y, muted, l.Time.Format(time.TimeOnly)) + 1
	}
	switch {
	case width >= withSource:
		s.Line(x, y, p.Through().Segs(filter.From, paint.FitMiddle(p.source(r), p.from), muted)...)
	case r.one && l.Rank >= 0: // lines of one fold are told apart by nothing else
		s.Text(x, y, muted, "["+strconv.Itoa(l.Rank)+"]")
	}
	st, mark, role := look(l, p.ix.rec(r.n).level)
	x = p.textAt(r, width)
	s.Text(x-2, y, paint.Style{Fg: role}, mark)
	count := p.count(r)
	room := width - x
	if count != "" {
		room -= paint.Width(count) + 2
	}
	text := p.text(r)
	p.wants = max(p.wants, x+paint.Width(text)+width-x-room)
	if p.wrap {
		if count != "" {
			s.TextRight(width, y, muted, count)
		}
		for i, l := range p.wrapped(r, width) {
			s.Line(x, y+i, p.Through().Segs(filter.Text, l, st)...)
		}
		return
	}
	x = s.Line(x, y, p.Through().Segs(filter.Text, paint.Fit(text, room), st)...)
	if count != "" {
		s.Text(x+2, y, muted, count)
	}
}

// textAt is the column at which the text of a row begins.
func (p *Pane) textAt(r row, width int) int {
	x := sign
	switch {
	case !p.shows(width):
	case width >= wideTime:
		x += len("15:04:05.000") + 2
	default:
		x += len(time.TimeOnly) + 1
	}
	switch {
	case width >= withSource:
		x += p.from + 1
	case r.one && p.src.At(r.n).Rank >= 0:
		x += len(strconv.Itoa(r.f.ranks[len(r.f.ranks)-1])) + 3
	}
	return x + 2
}

// count is how many lines a row stands for, "" for one.
func (p *Pane) count(r row) string {
	switch {
	case r.one || r.f.count < 2:
		return ""
	case r.f.matched < len(r.f.lines):
		return fmt.Sprintf("(×%s of %s)", paint.Exact(r.f.matched), paint.Exact(r.f.count))
	}
	return fmt.Sprintf("(×%s)", paint.Exact(r.f.count))
}

// Text is the row under the cursor as text, for copying: the line as it was printed, or each line of a fold.
func (p *Pane) Text() string {
	p.refresh()
	r, ok := p.view.Current()
	if !ok {
		return ""
	}
	if r.one || len(r.f.lines) == 1 {
		return p.src.At(r.n).Text
	}
	var b strings.Builder
	for _, n := range r.f.lines {
		b.WriteString(world.ActorName(p.ix.rec(n).source, p.src.At(n).Rank) + " " + p.src.At(n).Text + "\n")
	}
	return b.String()
}

// Open is all there is to know of the row under the cursor, as lines; nil where there is no row.
func (p *Pane) Open(w *world.World) [][]paint.Seg {
	p.sync(w)
	r, ok := p.view.Current()
	if !ok {
		return nil
	}
	l, rec := p.src.At(r.n), p.ix.rec(r.n)
	var out [][]paint.Seg
	add := func(label, text string) {
		out = append(out, []paint.Seg{{Style: paint.Style{Fg: paint.Muted}, Text: paint.Pad(label, 10)}, {Style: paint.Style{Fg: paint.Text}, Text: text}})
	}
	add("from", strings.TrimPrefix(p.source(r), "├ "))
	if pr, ok := w.Proc(l.Proc); ok {
		where := world.ProcName(pr)
		if pr.PID != 0 {
			where += fmt.Sprintf("  pid %d", pr.PID)
		}
		add("process", where)
	}
	add("when", l.Time.Format("15:04:05.000000"))
	add("stream", map[string]string{"out": "stdout", "err": "stderr", "engine": "the engine's own"}[l.Stream]+", "+rec.level.String())
	out = append(out, nil)
	if r.one || len(r.f.lines) == 1 {
		return append(out, []paint.Seg{{Style: paint.Style{Fg: paint.Text}, Text: l.Text}})
	}
	if gone := r.f.count - len(r.f.lines); gone > 0 {
		add("gone", paint.Plural(gone, "line")+" of it are no longer kept")
	}
	for _, n := range r.f.lines {
		line := p.src.At(n)
		out = append(out, []paint.Seg{
			{Style: paint.Style{Fg: paint.Muted}, Text: line.Time.Format("15:04:05.000") + "  " + world.ActorName(rec.source, line.Rank) + "  "},
			{Style: paint.Style{Fg: paint.Text}, Text: line.Text},
		})
	}
	return out
}
