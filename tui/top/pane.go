package top

import (
	"fmt"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/list"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Keys are what a filter of the table may judge.
func Keys() []filter.Key {
	return []filter.Key{filter.Text, filter.Mesh, filter.Rank, filter.State}
}

// Pane is the table. Its methods are for one goroutine.
type Pane struct {
	keys   keys.Of
	w      *world.World
	rates  rates
	second int64
	dirty  bool
	frozen bool
	fold   bool // a row for each mesh
	by     Column
	filter *filter.Filter
	rows   []row
	spare  []row
	total  int // rows without the filter
	sum    summary
	win    list.Window
	cur    id
	moved  bool // the cursor is where a person put it
	heads  []head
	w0     int
	bodyY  int
}

// summary is what the frame tells.
type summary struct{ answers int }

// New makes a table that is ordered by messages a second.
func New(of keys.Of) *Pane { return &Pane{keys: of, by: Rate} }

// Sample notes what the actors have done so far. It is called once a second, whether the table is in sight or not, so that
// it has figures when it is opened.
func (p *Pane) Sample(w *world.World) { p.rates.look(w) }

// sync brings the rows up to date, once a second.
func (p *Pane) sync(w *world.World) {
	second := w.Now.Unix()
	if p.w == w && !p.dirty && (p.frozen || p.second == second) {
		return
	}
	p.rates.look(w)
	p.w, p.second, p.dirty = w, second, false
	rows, total := p.makeRows(w, timesOf(w))
	p.rows, p.spare, p.total = rows, p.rows, total
	p.find()
}

// find puts the cursor on its row. Until a person has moved it it is on the first.
func (p *Pane) find() {
	line, was := p.win.Cursor-p.win.Top, p.win.Cursor
	at := 0
	if p.moved {
		if at = slices.IndexFunc(p.rows, func(r row) bool { return r.id == p.cur }); at < 0 {
			at = min(was, len(p.rows)-1)
		}
	}
	p.win.Fit(len(p.rows), p.win.Size)
	p.win.Cursor, p.win.Top = at, at-line
	if !p.moved {
		p.win.Top = 0
	}
	p.win.Fit(len(p.rows), p.win.Size)
	p.keep()
}

func (p *Pane) keep() {
	p.cur = id{}
	if r, ok := p.current(); ok {
		p.cur = r.id
	}
}

func (p *Pane) current() (*row, bool) {
	if p.win.Cursor < 0 || p.win.Cursor >= len(p.rows) {
		return nil, false
	}
	return &p.rows[p.win.Cursor], true
}

// change has the rows made anew: a person wants to see others, or in another order.
func (p *Pane) change() {
	p.dirty = true
	if p.w != nil {
		p.sync(p.w)
	}
}

func (p *Pane) move(by func()) {
	by()
	p.moved = true
	p.keep()
}

// Up moves the cursor.
func (p *Pane) Up(n int) { p.move(func() { p.win.Move(-n) }) }

// Down moves the cursor.
func (p *Pane) Down(n int) { p.move(func() { p.win.Move(n) }) }

// Page moves by n half screens.
func (p *Pane) Page(n int) { p.move(func() { p.win.Page(n) }) }

// Home goes to the first row, and stays there whoever it is about.
func (p *Pane) Home() {
	p.move(func() { p.win.To(0) })
	p.moved = false
}

// End goes to the last row.
func (p *Pane) End() { p.move(func() { p.win.To(len(p.rows) - 1) }) }

// Wheel scrolls; down is positive.
func (p *Pane) Wheel(lines int) { p.move(func() { p.win.Scroll(lines) }) }

// Click moves the cursor; on the head of a column it orders by it.
func (p *Pane) Click(x, y int) {
	if y < p.bodyY {
		for _, h := range p.heads {
			if x >= h.x-1 && x < h.x+h.w {
				p.Sort(h.col)
			}
		}
		return
	}
	if at := p.win.RowAt(y - p.bodyY); at >= 0 {
		p.move(func() { p.win.To(at) })
	}
}

// Left orders by the column before.
func (p *Pane) Left() { p.Sort((p.by + columns - 1) % columns) }

// Right orders by the next column.
func (p *Pane) Right() { p.CycleSort() }

// CycleSort orders by the next column, and after the last by the first.
func (p *Pane) CycleSort() { p.Sort((p.by + 1) % columns) }

// Sort orders by a column.
func (p *Pane) Sort(c Column) {
	p.by = c
	if p.frozen { // the figures stay
		p.order(p.rows)
		p.find()
		return
	}
	p.change()
}

// Freeze holds the figures, or lets them go on.
func (p *Pane) Freeze() {
	p.frozen = !p.frozen
	p.dirty = !p.frozen
}

// ToggleFold shows a row for each mesh, or one for each actor.
func (p *Pane) ToggleFold() {
	p.fold = !p.fold
	p.moved = false
	p.change()
}

// Filter is the text of the filter.
func (p *Pane) Filter() string { return p.filter.String() }

// SetFilter shows only what the filter lets through. A text that is no filter changes nothing; the error, a
// *filter.Error, says why.
func (p *Pane) SetFilter(text string) error {
	f, err := filter.Parse(text, Keys()...)
	if err == nil {
		p.filter = f
		p.change()
	}
	return err
}

// ClearLast takes the last term of the filter away; false when there is none.
func (p *Pane) ClearLast() bool {
	n := len(p.filter.Terms())
	if n == 0 {
		return false
	}
	p.filter = p.filter.Without(n - 1)
	p.change()
	return true
}

// Selection is what the row under the cursor is about.
type Selection struct {
	Mesh uint64
	Name string // of the mesh
	Rank int    // -1: all of the mesh
}

// Selected is what the row under the cursor is about.
func (p *Pane) Selected() (Selection, bool) {
	r, ok := p.current()
	if !ok {
		return Selection{}, false
	}
	return Selection{r.mesh, r.name, r.rank}, true
}

// Text is the row under the cursor, for copying.
func (p *Pane) Text() string {
	r, ok := p.current()
	if !ok {
		return ""
	}
	parts := []string{r.label(), r.figure(State)}
	for c := Rate; c < columns; c++ {
		parts = append(parts, c.String()+" "+r.figure(c))
	}
	return strings.Join(parts, "  ")
}

// PageText is the whole table.
func (p *Pane) PageText() string {
	var b strings.Builder
	wide := 5
	for i := range p.rows {
		wide = max(wide, paint.Width(p.rows[i].label()))
	}
	line := func(name, word string, of func(c Column) string) {
		fmt.Fprintf(&b, "%s  %s", paint.Pad(name, wide), paint.Pad(word, stateWide))
		for c := Rate; c < columns; c++ {
			b.WriteString("  " + paint.PadLeft(of(c), c.wide()))
		}
		b.WriteByte('\n')
	}
	line(p.head(Name), State.String(), Column.String)
	for i := range p.rows {
		line(p.rows[i].label(), p.rows[i].figure(State), p.rows[i].figure)
	}
	return b.String()
}

// Frame is the pane's frame.
func (p *Pane) Frame(w *world.World) paint.Frame {
	p.sync(w)
	from, to := p.win.Visible()
	f := paint.Frame{Title: "Top", At: from, Shown: to - from, Total: len(p.rows)}
	if len(p.rows) == 0 {
		return f
	}
	f.Foot = fmt.Sprintf("%d of %s", p.win.Cursor+1, paint.Exact(len(p.rows)))
	if p.frozen {
		f.Foot = "frozen · " + f.Foot
	}
	if p.w0 == 0 || p.w0 >= withSpan { // of what the figures are
		f.Right = fmt.Sprintf("last %.0fs", window.Seconds())
		if n := p.sum.answers; n == 0 {
			f.Right += " · no answers in 1 min"
		} else {
			f.Right += " · p50, p99 of " + paint.Plural(n, "answer")
		}
	}
	return f
}
