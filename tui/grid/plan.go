package grid

import (
	"slices"

	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// planned is a layout and what is drawn around it, for one size.
type planned struct {
	key    planKey
	layout layout
	around around
}

type planKey struct {
	w, h     int
	noColor  bool
	view     *view
	density  Density
	row, col string
}

// around is which lines are drawn around the cells.
type around struct {
	head         bool // axes and hints
	air          int  // blank lines, 0 to 2
	slice, count bool
	legend       int // lines
	cursor       bool
	brief        bool // slice and count on one line
}

func (a around) lines() int {
	n := a.air + a.legend
	for _, on := range []bool{a.head, a.slice, a.count && !a.brief, a.cursor} {
		if on {
			n++
		}
	}
	return n
}

// wideFrom is the width from which labels have room.
const wideFrom = 44

// frills are what may be drawn around the cells, from all of it to nothing.
func (p *Pane) frills(w int) []around {
	legend := len(p.legendLines(w))
	out := []around{
		{head: true, air: 2, slice: true, count: true, legend: legend, cursor: true},
		{head: true, air: 1, slice: true, count: true, legend: legend, cursor: true},
		{head: true, air: 0, slice: true, count: true, legend: legend, cursor: true},
		{head: true, air: 0, slice: true, count: true, cursor: true},
		{head: true, air: 0, slice: true, count: true, cursor: true, brief: true},
		{head: true, air: 0, cursor: true},
		{air: 0, cursor: true},
		{},
	}
	if w < wideFrom { // narrow panes are short of lines: the signs are worth more than the coordinates
		out[1] = around{head: true, air: 2, slice: true, count: true, legend: legend}
		out[2] = around{head: true, air: 1, slice: true, count: true, legend: legend}
	}
	return out
}

// plenty is how many of frills leave what a person needs while selecting.
const plenty = 5

// fit plans for the size of the pane.
func (p *Pane) fit(w, h int) *planned {
	pl := p.at
	k := planKey{w, h, p.NoColor, pl.view(), pl.density, pl.row, pl.col}
	if pl.plan.key == k {
		return &pl.plan
	}
	l, a := p.plan(w, h)
	pl.plan = planned{k, l, a}
	pl.top, pl.left = 0, 0
	pl.reveal()
	return &pl.plan
}

func (p *Pane) plan(w, h int) (layout, around) {
	pl, v := p.at, p.at.view()
	frills := p.frills(w)
	q := request{w: w, row: pl.row, col: pl.col, wide: w >= wideFrom, maxRank: pl.n - 1, hosts: p.now.hosts}
	density := pl.density
	if density == Half && p.NoColor {
		density = Heat
	}
	for _, some := range [][]around{frills[:plenty], frills[plenty:]} {
		if l, a, whole := p.largest(density, some, h, q); whole {
			return l, a
		}
	}
	if density == Auto || density == Heat {
		for _, a := range frills {
			q.h = h - a.lines()
			if l, whole := v.heat(q); whole && (q.h >= h/2 || a.lines() <= 3) {
				return l, a
			}
		}
		density = Heat
	}
	if density != Heat { // a page at least is seen as a whole
		for _, a := range frills[:plenty] {
			q.h = h - a.lines()
			for _, pitch := range pitches(density, q.wide) {
				if l, _ := v.dense(density, pitch, q); l.colsShown == l.col.n && l.rowsShown == l.row.n {
					return l, a
				}
			}
		}
	}
	// Not even that: the cells get two thirds of the height.
	a := frills[len(frills)-1]
	for _, f := range frills {
		if f.lines() <= h/3 {
			a = f
			break
		}
	}
	q.h = h - a.lines()
	if density == Heat {
		l, _ := v.heat(q)
		return l, a
	}
	var l layout
	for _, pitch := range pitches(density, q.wide) {
		l, _ = v.dense(density, pitch, q)
		if l.colsShown == l.col.n {
			break
		}
	}
	return l, a
}

// largest is the largest cell, of a density or of those to choose from, in which all ranks are seen at once with some of
// the frills.
func (p *Pane) largest(density Density, frills []around, h int, q request) (l layout, a around, whole bool) {
	for _, d := range [...]Density{Label, Dot, Half} {
		if density != d && (density != Auto || !p.takes(d, q.w)) {
			continue
		}
		for _, a = range frills {
			q.h = h - a.lines()
			for _, pitch := range pitches(d, q.wide) {
				if l, whole = p.at.view().dense(d, pitch, q); whole {
					return l, a, true
				}
			}
		}
	}
	return l, a, false
}

// roomyFrom is the width from which there is more room than a grid of signs needs.
const roomyFrom = 80

// takes tells whether a density is considered where none was picked. LABEL adds little to two axes that are labelled, so
// that beyond 32 ranks it is for meshes of one dimension and for wide panes.
func (p *Pane) takes(d Density, w int) bool {
	v := p.at.view()
	n := v.len()
	switch d {
	case Label:
		return n <= 32 || n <= 64 && (len(v.axes("", "")) < 2 || w >= roomyFrom)
	case Dot:
		return n <= 1024
	case Half:
		return n <= 4096 && !p.NoColor
	case Auto, Heat:
	}
	return false
}

// Need is the room in which the grid looks as it does in one of wide×tall, which it has when it is all that is shown of more.
func (p *Pane) Need(wide, tall int) (cols, rows int) {
	if p.at == nil || !p.now.known || wide <= 0 || tall <= 0 {
		return 0, 0
	}
	l, a := p.plan(wide, tall)
	if l.density == Heat || len(l.pages) > 0 || !l.tiled() && (l.colsShown < l.col.n || l.rowsShown < l.row.n) {
		return wide, tall
	}
	rows = a.lines() + l.stepY()*l.down.n - l.gapY
	cols = max(wideFrom, l.label+l.stepX()*l.across.n-l.gapX, legendWidth(p.legendItems(), 2)+1, p.headWidth(&l), cursorWide) + 1
	for _, cols := range []int{cols, max(cols, roomyFrom)} {
		if cols >= wide {
			break
		}
		if less, b := p.plan(cols, tall); less.density == l.density && less.pitch == l.pitch && b.lines() <= a.lines() && less.row.n == l.row.n {
			return cols, rows
		}
	}
	return wide, rows
}

// cursorWide is the room for the line of the cursor: rank, point, process and actor.
const cursorWide = 58

// headWidth is the room for the line above the cells.
func (p *Pane) headWidth(l *layout) int {
	n := 1 + paint.SegsWidth(headSegs(p.headParts(l), "   ", true)) + 3
	for _, hint := range p.headHints(l) {
		n += paint.Width(hint.name) + paint.Width(hint.value) + 3
	}
	return n
}

func pitches(d Density, wide bool) []int {
	switch {
	case d == Half:
		return []int{1}
	case d == Label: // besides the digits
		return []int{3, 2}
	case wide:
		return []int{4, 3, 2}
	}
	return []int{3, 2}
}

// SetDensity picks a density, or lets the pane choose again with Auto.
func (p *Pane) SetDensity(d Density) {
	if p.at != nil && d <= Heat {
		p.EndRectangle()
		p.at.density = d
	}
}

// Density is the density that is drawn, and whether a person picked it.
func (p *Pane) Density() (d Density, picked bool) {
	if p.at == nil {
		return Auto, false
	}
	return p.fit(p.w, p.h).layout.density, p.at.density != Auto
}

// Denser goes n densities on, to smaller cells, or back with a negative n; beyond the ends the pane chooses itself.
func (p *Pane) Denser(n int) {
	if p.at == nil {
		return
	}
	list := []Density{Auto, Label, Dot, Half, Heat}
	if p.NoColor {
		list = []Density{Auto, Label, Dot, Heat}
	}
	from, _ := p.Density()
	at := 0
	for i, d := range list {
		if d == from {
			at = i
		}
	}
	next := at + n
	if next < 1 || next >= len(list) {
		next = 0
	}
	p.SetDensity(list[next])
}

// legendItem is a state and what it is called in the legend.
type legendItem struct {
	word, text string
}

// legendItems are the states in the order of the legend.
func (p *Pane) legendItems() []legendItem {
	var out []legendItem
	list := []string{"idle", "busy", "paused", "warning", "failed", "gone"}
	if p.now.count[world.Severity("fault")] > 0 { // ordered by somebody, for a while
		list = append(list, "fault")
		if p.now.count[world.Gone] == 0 {
			list = slices.Delete(list, 5, 6)
		}
	}
	for _, word := range list {
		out = append(out, legendItem{word, p.called(world.Severity(word))})
	}
	return out
}

// called is what a state is called here: what a warning warns of.
func (p *Pane) called(code int) string {
	switch {
	case words[code] != "warning":
		return words[code]
	case p.at.key.procs:
		return "silent"
	}
	return "backlog"
}

// legendLines breaks the legend into lines of at most w columns, about as many states on each.
func (p *Pane) legendLines(w int) [][]legendItem {
	items := p.legendItems()
	for lines := 1; ; lines++ {
		per := (len(items) + lines - 1) / lines
		var out [][]legendItem
		fits := true
		for from := 0; from < len(items); from += per {
			line := items[from:min(from+per, len(items))]
			out = append(out, line)
			fits = fits && legendWidth(line, 1) <= w
		}
		if fits || per == 1 {
			return out
		}
	}
}

// legendGap is how many blanks are between the states of a legend.
func legendGap(lines [][]legendItem, w int) int {
	for _, line := range lines {
		if w < wideFrom || legendWidth(line, 2) > w {
			return 1
		}
	}
	return 2
}

func legendWidth(line []legendItem, gap int) int {
	n := 1 - gap
	for _, item := range line {
		n += gap + 2 + paint.Width(item.text)
	}
	return n
}
