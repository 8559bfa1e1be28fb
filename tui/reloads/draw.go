package reloads

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Draw draws the inside of the frame.
func (p *Pane) Draw(s *paint.Surface, w *world.World, focus bool) {
	width, height := s.Size()
	if width <= 0 || height <= 0 {
		return
	}
	p.wide = width
	p.sync(w)
	if len(p.rows) == 0 {
		p.drawNothing(s)
		return
	}
	p.win.Fit(len(p.rows), height)
	from, to := p.win.Visible()
	for i := from; i < to; i++ {
		r, y, end := &p.rows[i], i-from, width-1
		if n := paint.SegsWidth(r.right); n > 0 && n+paint.SegsWidth(r.left)+2 <= width-2 {
			s.Line(end-n, y, r.right...)
			end -= n + 1
		}
		x := 1
		for _, g := range r.left {
			x = s.TextIn(x, y, end-x, g.Style, g.Text)
		}
		if i == p.win.Cursor && r.id != "" && focus {
			s.Restyle(paint.Rect{Y: y, W: width, H: 1}, func(st paint.Style) paint.Style { return st.On(paint.Cursor) })
		}
	}
}

// drawNothing tells how a reload comes.
func (p *Pane) drawNothing(s *paint.Surface) {
	hints := []stream.Hint{{Text: "Nothing was reloaded yet."}}
	if p.watch.Why != "" {
		hints = append(hints, stream.Hint{Text: "▲ " + p.watch.Why})
	}
	hints = append(hints, stream.Hint{Action: "reload", Text: "builds the program anew, and moves the ranks of what the cursor is on to it, with their state"})
	if p.watch.Files > 0 {
		hints = append(hints, stream.Hint{Text: "Whatever is saved of the files that are watched is reloaded by itself."})
	} else {
		hints = append(hints, stream.Hint{Text: "-p PROGRAM --watch does so whenever its source is saved."})
	}
	stream.DrawNothing(s, p.keys, hints...)
}

// stripRows is how many rows the signs of a proc mesh have at most.
const stripRows = 3

// maxStrips is of how many proc meshes the ranks are drawn.
const maxStrips = 8

// buildStrips draws a sign for each rank, and tells what they mean.
func (p *Pane) buildStrips(r *control.Reload) {
	names, states := byMesh(r)
	var count [8]int
	for i := range r.Ranks {
		count[lookOf(r.Ranks[i].State)]++
	}
	each := 1
	for i, name := range names {
		if i == maxStrips {
			p.field("", seg(paint.Muted, fmt.Sprintf("… and of %d proc meshes more", len(names)-i)))
			break
		}
		if len(names) > 1 {
			p.field("ranks", seg(paint.Text, name), seg(paint.Muted, "["+ranksOf(r, name)+"]"))
			each = max(each, p.strip("", states[name]))
			continue
		}
		each = max(each, p.strip("ranks", states[name]))
	}
	p.legend(count[:], r.Over())
	if each > 1 {
		p.field("", seg(paint.Muted, fmt.Sprintf("a sign is %d ranks, and the gravest of them", each)))
	}
}

// strip adds the signs of ranks, and gives how many one stands for.
func (p *Pane) strip(label string, states []uint8) (each int) {
	cols := max(8, p.room()-keyWidth)
	each = max(1, (len(states)+cols*stripRows-1)/(cols*stripRows))
	var segs []paint.Seg
	n := 0
	flush := func() {
		if n > 0 {
			p.field(label, segs...)
		}
		label, segs, n = "", nil, 0
	}
	for i := 0; i < len(states); i += each {
		worst := states[i]
		for _, s := range states[i:min(len(states), i+each)] {
			worst = min(worst, s)
		}
		l := looks[worst]
		if k := len(segs) - 1; k >= 0 && segs[k].Style.Fg == l.role {
			segs[k].Text += l.sign
		} else {
			segs = append(segs, seg(l.role, l.sign))
		}
		if n++; n == cols {
			flush()
		}
	}
	flush()
	return each
}

// legend tells how many ranks are in which state, on as many rows as it takes.
func (p *Pane) legend(count []int, over bool) {
	var segs []paint.Seg
	x := keyWidth
	for _, i := range [...]int{5, 3, 4, 2, 1, 0} { // as they come, then from bad to grave
		if count[i] == 0 {
			continue
		}
		text := looks[i].counted(count[i], over)
		n := 2 + paint.Width(text)
		if x > keyWidth && x+2+n > p.room() {
			p.field("", segs...)
			segs, x = nil, keyWidth
		}
		if len(segs) > 0 {
			segs = append(segs, seg(paint.Default, "  "))
			x += 2
		}
		segs = append(segs, seg(looks[i].role, looks[i].sign+" "), seg(paint.Text, text))
		x += n
	}
	if len(segs) > 0 {
		p.field("", segs...)
	}
}
