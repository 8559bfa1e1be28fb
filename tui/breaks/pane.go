package breaks

import (
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/list"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Pane is the table of the breakpoints. Its methods are for one goroutine.
type Pane struct {
	Kept map[uint64]bool // those that were set again from an earlier session, by their ids

	keys   keys.Of
	rev    uint64
	w      *world.World
	stands map[uint64]int // frames that stand at a breakpoint, by its id
	win    list.Window
	cur    uint64 // id of the breakpoint under the cursor
	after  uint64 // the last one there was when the next was asked for
	next   bool   // go to the next one that comes
	wide   int
	bodyY  int
}

// row is a breakpoint with the frames that stand at it.
type row struct {
	*control.Breakpoint
	stands int
	asleep bool // nobody stops anywhere until a front end comes
}

// New makes a pane without breakpoints.
func New(of keys.Of) *Pane { return &Pane{keys: of} }

// sync brings the rows up to date.
func (p *Pane) sync(w *world.World) {
	if p.w == w && p.rev == w.Revision() && w.Revision() > 0 {
		return
	}
	p.w, p.rev = w, w.Revision()
	p.stands = map[uint64]int{}
	for i := range w.Stops {
		p.stands[w.Stops[i].Break]++
	}
	p.win.Fit(len(w.Breaks), p.win.Size)
	if n := len(w.Breaks); p.next && n > 0 && w.Breaks[n-1].ID > p.after {
		p.next, p.cur = false, w.Breaks[n-1].ID
	}
	if at := slices.IndexFunc(w.Breaks, func(b control.Breakpoint) bool { return b.ID == p.cur }); at >= 0 {
		p.win.To(at)
	}
	p.keep()
}

// keep notes which breakpoint the cursor is on.
func (p *Pane) keep() {
	p.cur = 0
	if r := p.current(); r != nil {
		p.cur = r.ID
	}
}

func (p *Pane) current() *row {
	if p.w == nil || p.win.Cursor < 0 || p.win.Cursor >= len(p.w.Breaks) {
		return nil
	}
	return p.at(p.win.Cursor)
}

// at is a row of the table: the session tells its breakpoints by their ids.
func (p *Pane) at(i int) *row {
	b := &p.w.Breaks[i]
	return &row{b, p.stands[b.ID], p.w.Debug.Asleep}
}

func (p *Pane) total() int {
	if p.w == nil {
		return 0
	}
	return len(p.w.Breaks)
}

// Selected is the breakpoint under the cursor.
func (p *Pane) Selected(w *world.World) (control.Breakpoint, bool) {
	p.sync(w)
	if r := p.current(); r != nil {
		return *r.Breakpoint, true
	}
	return control.Breakpoint{}, false
}

// GoNext puts the cursor on the breakpoint that comes next.
func (p *Pane) GoNext() {
	p.after, p.next = 0, true
	if n := p.total(); n > 0 {
		p.after = p.w.Breaks[n-1].ID
	}
}

func (p *Pane) move(by func()) {
	by()
	p.keep()
}

// Up moves the cursor.
func (p *Pane) Up(n int) { p.move(func() { p.win.Move(-n) }) }

// Down moves the cursor.
func (p *Pane) Down(n int) { p.move(func() { p.win.Move(n) }) }

// Home goes to the first breakpoint.
func (p *Pane) Home() { p.move(func() { p.win.To(0) }) }

// End goes to the last one.
func (p *Pane) End() { p.move(func() { p.win.To(p.total() - 1) }) }

// Page moves by n half screens.
func (p *Pane) Page(n int) { p.move(func() { p.win.Page(n) }) }

// Wheel scrolls; down is positive.
func (p *Pane) Wheel(lines int) { p.move(func() { p.win.Scroll(lines) }) }

// Click moves the cursor.
func (p *Pane) Click(_, y int) {
	if at := p.win.RowAt(y - p.bodyY); at >= 0 {
		p.move(func() { p.win.To(at) })
	}
}

// Text is the breakpoint under the cursor as the command that sets it.
func (p *Pane) Text() string {
	if r := p.current(); r != nil {
		return Line(r.Breakpoint)
	}
	return ""
}

// PageText is all of them, as the commands that set them.
func (p *Pane) PageText() string {
	var b strings.Builder
	for i := range p.total() {
		b.WriteString(Line(&p.w.Breaks[i]) + "\n")
	}
	return b.String()
}

// Note is how many are there, and whether somebody stands at one.
func (p *Pane) Note(w *world.World) (string, paint.Role) {
	switch {
	case len(w.Stops) > 0:
		return "◆" + paint.Count(w.PausedActors()), paint.Paused
	case len(w.Breaks) > 0:
		return paint.Count(len(w.Breaks)), paint.Muted
	}
	return "", paint.Default
}

// Frame is the pane's frame.
func (p *Pane) Frame(w *world.World) paint.Frame {
	p.sync(w)
	from, to := p.win.Visible()
	f := paint.Frame{Title: "Breakpoints", At: from, Shown: to - from, Total: p.total()}
	if p.total() > 0 {
		f.Foot = strconv.Itoa(p.win.Cursor+1) + " of " + paint.Exact(p.total())
	}
	if p.wide >= withKeys && p.total() > 0 {
		f.FootLeft = strings.TrimPrefix(p.keys.Hint(" · %s on or off", "select")+p.keys.Hint(" · %s edit", "slice")+p.keys.Hint(" · %s delete", "describe"), " · ")
	}
	f.Right = p.keys.Hint("%s add", "break")
	return f
}
