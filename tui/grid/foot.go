package grid

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// drawHead tells which dimension lies where, the pages, and the keys that change it.
func (p *Pane) drawHead(s *paint.Surface, l *layout) {
	gap := "  "
	if p.w >= wideFrom {
		gap = "   "
	}
	segs := headSegs(p.headParts(l), gap, true)
	if paint.SegsWidth(segs) > p.w-2 {
		segs = headSegs(p.headParts(l), "  ", false)
	}
	x := 1
	for _, seg := range segs {
		x = s.TextIn(x, 0, p.w-1-x, seg.Style, seg.Text)
	}
	right := p.w - 1
	for _, hint := range p.headHints(l) {
		n := paint.Width(hint.name) + paint.Width(hint.value) + 1
		if right-n < x+3 {
			break
		}
		right -= n
		s.Line(right, 0, paint.Seg{Style: paint.Style{Fg: paint.Muted}, Text: hint.name + " "}, paint.Seg{Style: paint.Style{Fg: paint.Accent}, Text: hint.value})
		right -= 2
	}
}

// headSegs are the parts with their names, or without those that can be guessed.
func headSegs(parts []part, gap string, names bool) []paint.Seg {
	var out []paint.Seg
	for i, q := range parts {
		if i > 0 {
			out = append(out, paint.Seg{Text: gap})
		}
		if names || !q.guess {
			out = append(out, paint.Seg{Style: paint.Style{Fg: paint.Muted}, Text: q.name})
		}
		out = append(out, paint.Seg{Style: paint.Style{Fg: paint.Text}, Text: q.value})
	}
	return out
}

type part struct {
	name, value string
	guess       bool // the name can be left out
}

// headParts are such as rows dp=8, cols tp=8, pp 2/4.
func (p *Pane) headParts(l *layout) []part {
	v := p.at.view()
	full := func(q piece) string { return v.dims[q.dim].name + "=" + strconv.Itoa(v.dims[q.dim].size) }
	var out []part
	switch {
	case l.col.dim < 0:
		return []part{{name: "one rank"}}
	case l.col.dim == l.row.dim && l.density != Heat:
		out = append(out, part{name: "", value: full(l.col)})
		if l.row.n > 1 {
			out = append(out, part{name: "in rows of ", value: strconv.Itoa(l.col.n)})
		}
	case l.col.dim == l.row.dim:
		out = append(out, part{name: "", value: full(l.col)})
	default:
		out = append(out, part{"rows ", full(l.row), true}, part{"cols ", full(l.col), true})
	}
	if l.density == Heat {
		return append(out, part{name: "groups of ", value: paint.Exact(l.group)})
	}
	if l.across.dim >= 0 && l.across.dim != l.row.dim {
		tiles := full(l.across)
		if l.down.dim >= 0 && l.down.dim != l.across.dim { // as with rows and cols, what goes down comes first
			tiles = full(l.down) + " " + tiles
		}
		out = append(out, part{name: "tiles ", value: tiles})
	}
	for _, dim := range l.pages {
		a := v.dims[dim]
		out = append(out, part{name: a.name + " ", value: strconv.Itoa(v.coord(v.index(p.at.cursor), dim)+1) + "/" + strconv.Itoa(a.size)})
	}
	return out
}

// headHints are keys that change what is seen, the most telling first: it stands at the right, and goes last.
func (p *Pane) headHints(l *layout) []part {
	var out []part
	add := func(what string, actions ...string) {
		var keys strings.Builder
		for _, action := range actions {
			keys.WriteString(p.keys(action))
		}
		if keys.Len() > 0 {
			out = append(out, part{name: what, value: keys.String()})
		}
	}
	if len(l.pages) > 0 {
		add("page", "prev.tab", "next.tab")
	}
	if l.density == Heat && l.group > 1 {
		add("zoom", "open")
	}
	if len(p.at.views) > 1 {
		add("back", "back")
	}
	if l.row.dim >= 0 && l.row.dim != l.col.dim {
		add("axis", "transpose")
	}
	add("size", "denser")
	return out
}

// drawFoot writes what is selected, what the signs mean, and what is under the cursor.
func (p *Pane) drawFoot(s *paint.Surface, w *world.World, a around, y int) {
	if a.air > 0 {
		y++
	}
	if a.slice {
		p.shown.slice = y
		y = p.drawSlice(s, a, y)
	}
	if a.air > 1 {
		y++
	}
	p.shown.legend = y
	if a.legend > 0 {
		if p.now.measure != States {
			p.drawScale(s, y, a.legend)
		} else {
			p.drawLegend(s, y)
		}
		y += a.legend
	}
	if a.cursor {
		p.drawCursorLine(s, w, y)
	}
}

// drawSlice writes the selection: its text, how many ranks, and how many slices they take.
func (p *Pane) drawSlice(s *paint.Surface, a around, y int) int {
	wide := p.w >= wideFrom
	x := 1
	if wide {
		x = s.Text(x, y, paint.Style{Fg: paint.Muted}, "slice  ")
	}
	n := strconv.Itoa(p.at.sel.n)
	count := paint.Exact(p.at.sel.n) + " of " + paint.Exact(p.at.n)
	if p.at.sel.n == 0 {
		s.TextIn(x, y, p.w-x-1, paint.Style{Fg: paint.Muted}, "nothing selected")
		if a.count && !a.brief {
			y++
			hint := strings.TrimPrefix(p.keys.Hint("%s selects", "select")+p.keys.Hint(" · %s rectangle", "rectangle")+p.keys.Hint(" · %s edit", "slice"), " · ")
			if !wide {
				hint = strings.TrimPrefix(p.keys.Hint("%s selects", "select")+p.keys.Hint(" · %s edits", "slice"), " · ")
			}
			if paint.Width(hint) < p.w-x {
				s.Text(x, y, paint.Style{Fg: paint.Muted}, hint)
			}
		}
		return y + 1
	}
	t := p.at.texts()
	if a.brief || !a.count {
		x = s.Text(x, y, paint.Style{Fg: paint.Muted}, n+" · ")
		s.TextIn(x, y, p.w-x-1, paint.Style{Fg: paint.Text}, shortened(t.display, p.w-x-1))
		return y + 1
	}
	s.TextIn(x, y, p.w-x-1, paint.Style{Fg: paint.Text}, shortened(t.display, p.w-x-1))
	y++
	slices := t.slicesLong
	if !wide {
		slices = t.slicesShort
	}
	s.TextIn(x, y, p.w-x-1, paint.Style{Fg: paint.Muted}, count+" · "+slices)
	return y + 1
}

// shortened is the text of a selection; where it is too long it ends between two of its parts, with how many are left
// out.
func shortened(text string, room int) string {
	if paint.Width(text) <= room {
		return text
	}
	unit := " more runs"
	if strings.ContainsRune(text, '=') {
		unit = " more"
	}
	out, left := text, strings.Count(text, ",")
	for i := 0; i < min(len(text), room); i++ {
		if text[i] != ',' {
			continue
		}
		if short := text[:i] + ", … " + paint.Exact(left) + unit; paint.Width(short) <= room {
			out = short
		}
		left--
	}
	return out
}

// drawLegend writes what the signs mean; states that no rank is in stand back.
func (p *Pane) drawLegend(s *paint.Surface, y int) {
	lines := p.legendLines(p.w)
	some := func(word string) bool { return p.now.count[world.Severity(word)] > 0 }
	for _, line := range lines {
		for j := range line {
			if line[j].word == "gone" && some("starting") && !some("gone") {
				line[j] = legendItem{"starting", "starting"} // rare, and never for long
			}
		}
	}
	gap := legendGap(lines, p.w)
	for i, line := range lines {
		x := 1
		for j, item := range line {
			if j > 0 {
				x += gap
			}
			from := x
			code := world.Severity(item.word)
			x = s.Text(x, y+i, paint.Style{Fg: roles[code]}, paint.Glyph(item.word)+" ")
			st := paint.Style{Fg: paint.Muted}
			if p.now.count[code] > 0 {
				st.Fg = paint.Text
			}
			x = s.Text(x, y+i, st, item.text)
			p.shown.states = append(p.shown.states, legendSpot{paint.Rect{X: from, Y: y + i, W: x - from, H: 1}, item.word})
		}
	}
}

// drawCursorLine tells all of the rank under the cursor: its number, coordinates, place, name and state.
func (p *Pane) drawCursorLine(s *paint.Surface, w *world.World, y int) {
	pl, v := p.at, p.at.view()
	rank := pl.cursor
	code := p.now.codes[rank]
	muted, text := paint.Style{Fg: paint.Muted}, paint.Style{Fg: paint.Text}
	if l := &p.shown.layout; l.density == Heat && l.group > 1 {
		gx, gy := l.cell(v, v.index(rank))
		if g := p.count(l)[gy*l.cols()+gx]; g.n > 1 {
			x := 1
			if p.w >= wideFrom {
				x = s.Text(x, y, muted, "cursor ")
			}
			if where := l.groupText(v, v.index(rank)); where != "" {
				x = s.Text(x, y, muted, where+"  ")
			}
			s.TextIn(x, y, p.w-x-1, text, p.groupStates(&g))
			return
		}
	}
	number := "rank " + strconv.Itoa(rank)
	if i := v.index(rank); i != rank {
		number += ", in the slice " + strconv.Itoa(i)
	}
	r, proc := p.holds(w, rank)
	state := p.called(int(code))
	if words[code] == "failed" {
		state = cmp.Or(world.RankCause(&r, proc), state)
	}
	state = paint.Glyph(words[code]) + " " + state + p.measured(rank)
	switch {
	case r.Restarts > 0:
		state += " " + paint.Restarted + strconv.Itoa(r.Restarts)
	case proc != nil && proc.Restarts > 0:
		state += " " + paint.Restarted + strconv.Itoa(proc.Restarts)
	}
	if p.now.other[int32(rank)] && proc != nil {
		state += " " + paint.OtherBuild + world.ShortBuild(proc.Build)
	}
	segs := []paint.Seg{
		{Style: muted, Text: "cursor "}, {Style: text, Text: number}, {Style: muted, Text: pl.coords(rank)}, {Style: muted, Text: where(proc)},
		{Style: muted, Text: pl.nameOf(rank)}, {Style: paint.Style{Fg: roles[code]}, Text: state},
	}
	if segs[3].Text == segs[4].Text {
		segs[4].Text = ""
	}
	for _, drop := range []int{0, 4, 3, 2} { // what can be told from the rest goes first
		if spacedWidth(segs) <= p.w-2 {
			break
		}
		segs[drop].Text = ""
	}
	x := 1
	for i, seg := range segs {
		if seg.Text == "" {
			continue
		}
		x = s.TextIn(x, y, p.w-x-1, seg.Style, seg.Text)
		if i > 0 {
			x += 2
		}
	}
}

// spacedWidth is the width of segments that are drawn with two cells between them.
func spacedWidth(segs []paint.Seg) int {
	n := 0
	for i, seg := range segs {
		if seg.Text != "" {
			n += paint.Width(seg.Text)
			if i > 0 && i < len(segs)-1 {
				n += 2
			}
		}
	}
	return n
}

// coords are the coordinates of a rank in the mesh: dp=1 tp=1.
func (pl *place) coords(rank int) string {
	i, ok := pl.region.IndexOf(rank)
	if !ok {
		return ""
	}
	return strings.ReplaceAll(pl.region.Point(i).String(), ",", " ")
}

// holds is what a rank holds: the state of its actor, which is zero in a proc mesh, and its process, nil where it is not
// known.
func (p *Pane) holds(w *world.World, rank int) (actor control.RankState, proc *control.Proc) {
	s, ok := find(w, p.at.key)
	switch {
	case !ok || rank >= s.n:
	case s.procs != nil:
		proc, _ = w.Proc(s.procs.FirstProc + uint64(rank))
	default:
		actor = s.mesh.Ranks[rank]
		if s.mesh.Ref.Home.Validate() == nil && rank < s.mesh.Ref.Home.Len() {
			proc, _ = w.ProcOf(s.mesh, rank)
		}
	}
	return actor, proc
}

// where is the place of a process: gpu-1@host-0.
func where(proc *control.Proc) string {
	if proc == nil {
		return ""
	}
	return world.ProcName(proc)
}
