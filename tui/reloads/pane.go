package reloads

import (
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/list"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Watch is what is known of the watching of the source. The zero Watch is none.
type Watch struct {
	Files  int           // that are watched; 0: nobody watches
	Why    string        // why what has changed is not reloaded, "" while all is well
	Reload uint64        // the newest reload that it has asked for
	Delay  time.Duration // how long before that the file was saved
}

// Pane shows reloads. Its methods are for one goroutine.
type Pane struct {
	keys  keys.Of
	watch Watch
	pick  uint64 // the reload that a person looks at; 0: the newest
	last  uint64 // the newest when the rows were made
	made  made
	rows  []row
	win   list.Window
	cur   string // identity of the row under the cursor
	rev   int
	wide  int
}

// made is what rows were made of.
type made struct {
	w     *world.World
	id    uint64
	state string
	took  time.Duration
	n     int
	wide  int
	tick  int64 // of what goes on
	rev   int
}

// New makes a pane.
func New(of keys.Of) *Pane { return &Pane{keys: of} }

// SetWatch tells of the watching.
func (p *Pane) SetWatch(w Watch) {
	p.watch = w
	p.rev++
}

// Watch is what is known of the watching.
func (p *Pane) Watch() Watch { return p.watch }

// shown is the reload that is looked at.
func (p *Pane) shown(w *world.World) *control.Reload {
	i := slices.IndexFunc(w.Reloads, func(r control.Reload) bool { return r.ID == p.pick })
	if i < 0 {
		p.pick, i = 0, len(w.Reloads)-1
	}
	if i < 0 {
		return nil
	}
	return &w.Reloads[i]
}

// tick is how often what goes on is told anew.
const tick = 100 * time.Millisecond

// sync makes the rows anew where something has changed.
func (p *Pane) sync(w *world.World) {
	newest, _ := w.Reload()
	if newest != nil && newest.ID != p.last { // a new one is what matters
		p.last, p.pick = newest.ID, 0
	}
	at := made{w: w, wide: p.wide, n: len(w.Reloads), rev: p.rev}
	r := p.shown(w)
	if r != nil {
		at.id, at.state, at.took = r.ID, r.State, r.Took
		if !r.Over() {
			at.tick = w.Now.UnixMilli() / tick.Milliseconds()
		}
		if newest != r {
			at.took += newest.Took
		}
	}
	if p.made == at {
		return
	}
	p.made = at
	p.rows = p.rows[:0]
	if r != nil {
		p.build(w, r)
	}
	p.win.Fit(len(p.rows), p.win.Size)
	if i := slices.IndexFunc(p.rows, func(x row) bool { return x.id != "" && x.id == p.cur }); i >= 0 {
		p.win.To(i)
	} else {
		p.to(max(0, p.firstError()), 1)
	}
	p.keep()
}

// to moves the cursor to a row that can be picked, at a place or after it in a direction, else where there is one.
func (p *Pane) to(i, by int) {
	for ; i >= 0 && i < len(p.rows); i += by {
		if p.rows[i].id != "" {
			p.win.To(i)
			return
		}
	}
}

// firstError is the first row with a place in the source, -1 where there is none.
func (p *Pane) firstError() int {
	return slices.IndexFunc(p.rows, func(x row) bool { return x.place != nil })
}

func (p *Pane) keep() {
	p.cur = ""
	if r := p.current(); r != nil {
		p.cur = r.id
	}
}

func (p *Pane) current() *row {
	if i := p.win.Cursor; i >= 0 && i < len(p.rows) && p.rows[i].id != "" {
		return &p.rows[i]
	}
	return nil
}

func (p *Pane) move(n int) {
	by := 1
	if n < 0 {
		by = -1
	}
	for ; n != 0; n -= by {
		p.to(p.win.Cursor+by, by)
	}
	p.keep()
}

// Up moves the cursor.
func (p *Pane) Up(n int) { p.move(-n) }

// Down moves the cursor.
func (p *Pane) Down(n int) { p.move(n) }

// Home goes to the first row.
func (p *Pane) Home() {
	p.to(0, 1)
	p.keep()
}

// End goes to the last row.
func (p *Pane) End() {
	p.to(len(p.rows)-1, -1)
	p.keep()
}

// Page moves by n half screens.
func (p *Pane) Page(n int) { p.move(n * max(1, p.win.Size/2)) }

// Wheel scrolls; down is positive.
func (p *Pane) Wheel(lines int) {
	p.win.Scroll(lines)
	for by := range 2 { // a row that can be picked, in sight where there is one
		if p.current() == nil {
			p.pickNear(1 - 2*by)
		}
	}
	p.keep()
}

// pickNear moves the cursor to the next row in a direction that can be picked, as long as it is in sight.
func (p *Pane) pickNear(by int) {
	from, to := p.win.Visible()
	for i := p.win.Cursor; i >= from && i < to; i += by {
		if p.rows[i].id != "" {
			p.win.Cursor = i
			return
		}
	}
}

// Click moves the cursor.
func (p *Pane) Click(_, y int) {
	at := p.win.RowAt(y)
	for at > 0 && p.rows[at].id == "" && p.rows[at].goesOn {
		at--
	}
	if at >= 0 && p.rows[at].id != "" {
		p.win.To(at)
		p.keep()
	}
}

// Place is the place in the source that the cursor is on, and the folder that its file is named from.
func (p *Pane) Place(w *world.World) (e control.CompileError, folder string, ok bool) {
	p.sync(w)
	r := p.current()
	if r == nil || r.place == nil || r.place.File == "" {
		return e, "", false
	}
	return *r.place, p.shown(w).Folder, true
}

// Ranks are those that the row under the cursor is about: of an actor mesh, or of a proc mesh.
func (p *Pane) Ranks(w *world.World) (name string, ranks []int, ok bool) {
	p.sync(w)
	if r := p.current(); r != nil && len(r.ranks) > 0 {
		return r.name, r.ranks, true
	}
	return "", nil, false
}

// Enter shows the reload under the cursor instead, and reports whether there is one.
func (p *Pane) Enter() bool {
	r := p.current()
	if r == nil || r.reload == 0 {
		return false
	}
	if p.pick = r.reload; p.pick == p.last {
		p.pick = 0
	}
	p.rev++
	return true
}

// Back shows the newest reload again, and reports whether another one was shown.
func (p *Pane) Back() bool {
	was := p.pick != 0
	p.pick = 0
	p.rev++
	return was
}

// Text is the row under the cursor.
func (p *Pane) Text() string {
	if r := p.current(); r != nil {
		return r.copied
	}
	return ""
}

// PageText is all of it.
func (p *Pane) PageText() string {
	var b strings.Builder
	for i := range p.rows {
		r := &p.rows[i]
		for _, s := range append(slices.Clone(r.left), r.right...) {
			b.WriteString(s.Text + " ")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Note is the sign of what goes on or has failed, where the tab is not seen.
func (p *Pane) Note(w *world.World) (string, paint.Role) {
	r, ok := w.Reload()
	if !ok || r.State == control.ReloadDone {
		return "", paint.Default
	}
	sign, role := Sign(r)
	if n := len(r.Errors); n > 0 {
		sign += paint.Count(n)
	}
	return sign, role
}

// Frame is the pane's frame.
func (p *Pane) Frame(w *world.World) paint.Frame {
	p.sync(w)
	f := paint.Frame{Title: "Reload", At: p.win.Top, Shown: p.win.Size, Total: len(p.rows)}
	r := p.shown(w)
	if r == nil {
		return f
	}
	if p.pick != 0 {
		f.Right = "earlier" + p.keys.Hint(", %s back", "back")
	}
	if at := p.nthError(); at > 0 {
		f.Foot = paint.Exact(at) + " of " + paint.Exact(len(r.Errors))
	}
	if p.watch.Files > 0 {
		f.FootLeft = "watching " + paint.Plural(p.watch.Files, "file")
	}
	return f
}

// nthError is which of the errors the cursor is on, from 1; 0: none.
func (p *Pane) nthError() (n int) {
	if r := p.current(); r == nil || r.place == nil {
		return 0
	}
	for i := range p.rows[:p.win.Cursor+1] {
		if p.rows[i].place != nil {
			n++
		}
	}
	return n
}
