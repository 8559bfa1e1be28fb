package breaks

import (
	"cmp"
	"fmt"
	"math"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Widths of parts.
const (
	signWide  = 2 // glyph and a blank
	hitsWide  = 6
	whereMost = 30
	ranksMost = 18
	offWide   = 4
	withKeys  = 50 // cells from which on the frame tells the keys
	headLeast = 5  // rows from which on the columns are named
)

// Draw draws the inside of the frame: the table, and below it all about the breakpoint under the cursor.
func (p *Pane) Draw(s *paint.Surface, w *world.World, focus bool) {
	width, height := s.Size()
	if width <= 0 || height <= 0 {
		return
	}
	p.wide = width
	p.sync(w)
	if p.total() == 0 {
		stream.DrawNothing(s, p.keys,
			stream.Hint{Text: "No breakpoints."},
			stream.Hint{Action: "break", Text: "sets one on what the cursor is on: an actor stops before it handles a message, and the others go on"},
			stream.Hint{Action: "pause", Text: "pauses what is selected"})
		return
	}
	detail := p.detail(width - 2)
	p.bodyY = 0
	if height >= headLeast {
		p.bodyY = 1
	}
	rows := min(p.total(), max(1, height-len(detail)-1-p.bodyY), height-p.bodyY)
	p.win.Fit(p.total(), rows)
	id, where, ranks := p.columns(width)
	if p.bodyY > 0 {
		st := paint.Style{Fg: paint.Muted}
		s.TextRight(signWide+1+id, 0, st, "#")
		s.TextIn(signWide+id+2, 0, where, st, "where")
		s.TextIn(signWide+id+where+3, 0, ranks, st, "ranks")
		s.TextRight(width-1, 0, st, "hits")
	}
	from, to := p.win.Visible()
	for i := from; i < to; i++ {
		y := p.bodyY + i - from
		p.drawRow(s, y, width, p.at(i), id, where, ranks)
		if i == p.win.Cursor && focus {
			s.Restyle(paint.Rect{Y: y, W: width, H: 1}, func(st paint.Style) paint.Style { return st.On(paint.Cursor) })
		}
	}
	y := p.bodyY + rows
	if y+1+min(len(detail), 1) < height { // a blank row, where there is room
		y++
	}
	for _, line := range detail {
		if y >= height {
			break
		}
		s.Line(1, y, line...)
		y++
	}
}

// columns are the widths of the number, the place and the ranks.
func (p *Pane) columns(width int) (id, where, ranks int) {
	id, where, ranks = 1, 5, 5
	from, to := p.win.Visible()
	for i := from; i < min(to, p.total()); i++ {
		r := p.at(i)
		id = max(id, paint.Width(fmt.Sprint(r.ID)))
		where = max(where, min(whereMost, paint.Width(Where(r.Breakpoint))))
		ranks = max(ranks, min(ranksMost, paint.Width(orWord(r.Ranks))))
	}
	room := width - signWide - id - hitsWide - 4
	if where+ranks > room {
		ranks = min(ranks, max(0, room-where))
	}
	if ranks < 3 {
		ranks = 0
	}
	return id, max(0, min(where, room-ranks)), ranks
}

func orWord(ranks string) string { return cmp.Or(ranks, "all") }

func (p *Pane) drawRow(s *paint.Surface, y, width int, r *row, id, where, ranks int) {
	glyph, word, role := r.state()
	text := paint.Style{Fg: paint.Text}
	if word == "off" {
		text.Fg = paint.Muted
	}
	s.Text(1, y, paint.Style{Fg: role}, glyph)
	s.TextRight(signWide+1+id, y, text, fmt.Sprint(r.ID))
	s.Text(signWide+id+2, y, text, paint.FitMiddle(Where(r.Breakpoint), where))
	if ranks > 0 {
		s.TextIn(signWide+id+where+3, y, ranks, text, paint.Fit(orWord(r.Ranks), ranks))
	}
	hits := paint.Count(int(min(r.Hits, math.MaxInt64)))
	x := s.TextRight(width-1, y, text, hits)
	if word == "off" && signWide+id+where+ranks+4+offWide < x {
		s.TextRight(x-1, y, paint.Style{Fg: paint.Muted}, "off")
	}
}

// detail is all about the breakpoint under the cursor, in lines of a width.
func (p *Pane) detail(w int) (out [][]paint.Seg) {
	r := p.current()
	if r == nil {
		return nil
	}
	add := func(role paint.Role, text string) {
		for i, l := range paint.Wrap(text, w) {
			if i == 3 { // what is longer is copied whole
				break
			}
			out = append(out, []paint.Seg{{Style: paint.Style{Fg: role}, Text: l}})
		}
	}
	glyph, word, role := r.state()
	head := fmt.Sprintf("bp %d  %s", r.ID, When(r.Breakpoint))
	if r.If != "" {
		head += " if " + paint.OneLine(r.If)
	}
	add(paint.Text, head)
	add(role, glyph+" "+word+r.bound())
	if why := cmp.Or(r.Why, lastError(r.Breakpoint)); why != "" {
		add(paint.Warning, "▲ "+paint.OneLine(why))
	}
	if p.Kept[r.ID] {
		add(paint.Muted, "kept from last time"+p.keys.Hint("; %s forgets it", "describe"))
	}
	add(paint.Muted, r.then())
	add(paint.Muted, r.counts())
	return out
}

func lastError(b *control.Breakpoint) string {
	if b.Errors == 0 {
		return ""
	}
	return fmt.Sprintf("%s of its condition: %s", paint.Plural(int(min(b.Errors, math.MaxInt32)), "error"), b.LastError)
}

// bound is to how many actors it is bound.
func (r *row) bound() string {
	text := ""
	if r.stands > 0 {
		text = fmt.Sprintf(", %s there", map[bool]string{true: "1 stands", false: fmt.Sprintf("%d stand", r.stands)}[r.stands == 1])
	}
	if r.Bound > 0 {
		text += " · bound to " + paint.Plural(r.Bound, "actor")
	}
	if r.By != "" {
		text += " · set by " + paint.OneLine(r.By)
	}
	return text
}

// then is what it does.
func (r *row) then() string {
	text := "then " + cmp.Or(r.Then, control.ThenPause)
	switch r.Then {
	case control.ThenPrint:
		text += " " + paint.OneLine(r.Print)
	case "", control.ThenPause:
		switch r.Scope {
		case control.ScopeRank:
			text += ", the other actors of the process too"
		case control.ScopeMesh:
			text += ", the other ranks of the mesh too"
		default:
			text += "; the others go on"
		}
	}
	if r.Once {
		text += " · once"
	}
	return text
}

// counts is how often it was reached.
func (r *row) counts() string {
	text := "hit " + paint.Exact(int(min(r.Hits, math.MaxInt64))) + ", skipped " + paint.Exact(int(min(r.Skipped, math.MaxInt64)))
	if r.Hit != "" {
		each := "each rank counts its own"
		if r.Total {
			each = "over all ranks"
		}
		text += " · stops at hit " + r.Hit + ", " + each
	}
	return text
}

// Need is the room for all rows, and what is told of one.
func (p *Pane) Need(_, _ int) (cols, rows int) {
	if p.total() == 0 {
		return 0, 0
	}
	id, where, ranks := p.columns(math.MaxInt16)
	return signWide + id + where + ranks + hitsWide + offWide + 5, p.total() + 8
}
