package calls

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/list"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/warn"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Pane shows the open calls of a world, the oldest first.
type Pane struct {
	keys  keys.Of
	w     *world.World
	rev   uint64
	calls []*control.Call // sorted; of the world's present revision
	rows  []row
	open  map[uint64]bool
	pace  *warn.Pace
	lost  map[uint64][]int // by call, as far as it was asked
	win   list.Window
	cur   row // under the cursor when the rows were made
	dirty bool
	bodyY int
	from  int // widths of columns, which grow only
	to    int
	w0    int
}

// row is a call, or a part of one that is open.
type row struct {
	call *control.Call
	id   uint64
	part int // -1: the call
	of   part
}

func (r row) is(o row) bool { return r.id == o.id && r.part == o.part }

// New makes a pane.
func New(of keys.Of) *Pane {
	return &Pane{keys: of, open: map[uint64]bool{}, pace: warn.NewPace(), lost: map[uint64][]int{}}
}

// sync brings the rows up to date with the world.
func (p *Pane) sync(w *world.World) {
	if p.w == w && p.rev == w.Revision() && !p.dirty {
		return
	}
	p.w, p.rev, p.dirty = w, w.Revision(), false
	p.pace.Look(w)
	clear(p.lost)
	p.calls = p.calls[:0]
	for i := range w.Calls {
		p.calls = append(p.calls, &w.Calls[i])
	}
	slices.SortFunc(p.calls, func(a, b *control.Call) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
	})
	rows, open := p.rows[:0], make(map[uint64]bool, len(p.open))
	cursor := 0
	add := func(r row) {
		if r.is(p.cur) || r.id == p.cur.id && r.part < 0 {
			cursor = len(rows)
		}
		rows = append(rows, r)
	}
	was := p.win.Cursor
	for _, c := range p.calls {
		add(row{c, c.ID, -1, part{}})
		if !p.open[c.ID] {
			continue
		}
		open[c.ID] = true
		for i, part := range partsOf(w, c, p.lostOf(c)) {
			add(row{c, c.ID, i, part})
		}
	}
	p.rows, p.open = rows, open // calls that have ended are forgotten
	if cursor == 0 && (len(rows) == 0 || rows[0].id != p.cur.id) {
		cursor = was // its call has ended: what comes after it takes its place
	}
	p.win.Fit(len(rows), p.win.Size)
	p.win.Top += cursor - was
	p.win.Cursor = cursor
	p.win.Fit(len(rows), p.win.Size)
	p.keep()
}

// keep notes what is under the cursor.
func (p *Pane) keep() {
	p.cur = row{part: -1}
	if r, ok := p.current(); ok {
		p.cur = row{id: r.id, part: r.part}
	}
}

func (p *Pane) refresh() {
	if p.w != nil {
		p.sync(p.w)
	}
}

func (p *Pane) current() (row, bool) {
	if p.win.Cursor < 0 || p.win.Cursor >= len(p.rows) {
		return row{}, false
	}
	return p.rows[p.win.Cursor], true
}

func (p *Pane) move(by func()) {
	p.refresh()
	by()
	p.keep()
}

// Up moves the cursor.
func (p *Pane) Up(n int) { p.move(func() { p.win.Move(-n) }) }

// Down moves the cursor.
func (p *Pane) Down(n int) { p.move(func() { p.win.Move(n) }) }

// Page moves by n half screens.
func (p *Pane) Page(n int) { p.move(func() { p.win.Page(n) }) }

// Home goes to the oldest call.
func (p *Pane) Home() { p.move(func() { p.win.To(0) }) }

// End goes to the newest call.
func (p *Pane) End() { p.move(func() { p.win.To(len(p.rows) - 1) }) }

// Wheel scrolls; down is positive.
func (p *Pane) Wheel(lines int) { p.move(func() { p.win.Scroll(lines) }) }

// Click moves the cursor; on the sign of a call it opens and closes it.
func (p *Pane) Click(x, y int) {
	p.move(func() {
		if at := p.win.RowAt(y - p.bodyY); at >= 0 {
			p.win.To(at)
			if p.keep(); x < sign {
				p.Enter()
			}
		}
	})
}

// Drag does what Click does: there is nothing to be drawn.
func (p *Pane) Drag(_, y int) { p.Click(sign, y) }

// Enter opens the call under the cursor, or closes it; false where there is none.
func (p *Pane) Enter() bool {
	r, ok := p.current()
	if !ok {
		return false
	}
	p.set(r.id, !p.open[r.id])
	return true
}

// Right opens the call under the cursor.
func (p *Pane) Right() {
	if r, ok := p.current(); ok {
		p.set(r.id, true)
	}
}

// Left closes the call that the cursor is in.
func (p *Pane) Left() {
	if r, ok := p.current(); ok {
		p.set(r.id, false)
	}
}

func (p *Pane) set(call uint64, open bool) {
	if p.open[call] == open {
		return
	}
	if p.open[call] = open; !open {
		p.cur = row{id: call, part: -1}
	}
	p.dirty = true
	p.refresh()
}

// Selection is what the row under the cursor is about.
type Selection struct {
	Call   uint64
	Client string // who called
	Mesh   string // who was called
	Ranks  []int  // of the part under the cursor, else those that have not answered
}

// Selected is the call under the cursor.
func (p *Pane) Selected() (Selection, bool) {
	p.refresh()
	r, ok := p.current()
	if !ok {
		return Selection{}, false
	}
	s := Selection{Call: r.id, Client: r.call.Client, Mesh: r.call.Mesh, Ranks: slices.Clone(r.call.Waiting)}
	if r.part >= 0 {
		s.Ranks = slices.Clone(r.of.ranks)
	}
	return s, true
}

// Text is the call under the cursor with its parts, for copying.
func (p *Pane) Text() string {
	p.refresh()
	r, ok := p.current()
	if !ok {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "call %s  %s → %s  %s  %s  open for %s\n", world.CallName(r.id), client(r.call), target(p.w, r.call), r.call.Adverb, p.progress(r.call),
		duration(p.w.Now.Sub(r.call.Started)))
	for _, part := range partsOf(p.w, r.call, p.lostOf(r.call)) {
		word, _, _ := part.kind.look()
		fmt.Fprintf(&b, "  %s  %d  %s\n", word, len(part.ranks), strings.TrimSpace(shape.FormatRanks(part.ranks)+"  "+part.note(p.w.Now)))
	}
	return b.String()
}

// Frame is the pane's frame.
func (p *Pane) Frame(w *world.World) paint.Frame {
	p.sync(w)
	from, to := p.win.Visible()
	f := paint.Frame{Title: "Calls", At: from, Shown: to - from, Total: len(p.rows)}
	if n := len(p.calls); n > 0 {
		f.Right = paint.Exact(n) + " open"
		if r, ok := p.current(); ok {
			at := slices.Index(p.calls, r.call) + 1
			f.Foot = fmt.Sprintf("%d of %s", at, paint.Exact(n))
		}
	}
	return f
}
