package tree

import (
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/list"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Kind is what a line stands for.
type Kind uint8

// The kinds of lines.
const (
	KindNone    Kind = iota
	KindSession      // the session
	KindProcs        // a proc mesh
	KindMesh         // an actor mesh
	KindState        // the ranks of an actor mesh that are in one state
	KindHost         // the processes of a proc mesh on one host
	KindRun          // processes side by side that are in one state
	KindProc         // a process
	KindActor        // one actor
	KindEnded        // how many things are hidden
	KindHint         // a way to begin, where there is nothing yet
)

// Order is the order of lines that are side by side.
type Order uint8

// The orders.
const (
	ByStart Order = iota
	ByName
	ByState // the worst first
)

// String is the order as the screen names it.
func (o Order) String() string {
	return [...]string{"by start", "by name", "by state"}[min(o, ByState)]
}

// key is the identity of a line. rank is a rank, the first of several, a state's code, or a hint's number.
type key struct {
	kind Kind
	id   uint64
	rank int32
	via  bool // an actor that is listed by its state, or a host by its own id
}

// Pane is the tree. Its methods are for one goroutine.
type Pane struct {
	keys    keys.Of
	win     list.Window
	cursor  key
	turned  map[key]bool // lines that a person has opened or closed
	hidden  bool         // show what has ended
	order   Order
	noDemos bool // none is offered as a way to begin
	filter  filter
	seek    bool // the filter is new: the cursor goes to what it finds

	rows    []row
	model   model
	live    bool // which lines there are depends on the states of actors
	seen    int  // lines that were looked at, by a filter too
	when    time.Time
	built   builtFrom
	owed    bool // states have changed since the lines were last looked at
	version int  // of what rows depend on besides the world
	w, h    int
	label   []byte
}

type builtFrom struct {
	ok      bool
	rev     uint64
	version int
	sig     uint64
}

// New makes a pane.
func New(of keys.Of) *Pane { return &Pane{keys: of, turned: map[key]bool{}} }

// sync builds the lines anew where the world or the pane has changed.
func (p *Pane) sync(w *world.World) {
	at := builtFrom{ok: true, rev: w.StateRevision(), version: p.version, sig: p.built.sig}
	rested := w.Now.Sub(p.when) >= patience || w.Now.Before(p.when)
	if p.built != at || p.owed && rested {
		p.model.read(w, p.hidden)
		p.model.sort(p.order)
		at.sig = p.model.signature()
		stale := p.live && (p.seen < manyLines || rested)
		p.owed = p.live && !stale
		if p.built.sig != at.sig || p.built.version != at.version || !p.built.ok || stale {
			p.build()
			p.keep()
			p.when = w.Now
		}
		p.built = at
	}
	p.win.Fit(len(p.rows), p.h)
}

// Where many lines may come and go with the states of actors, it is looked at which do only from time to time.
const (
	manyLines = 10_000
	patience  = 500 * time.Millisecond
)

// keep moves the cursor to where its line is now. A line that is gone leaves it to the one that took its place, or, under
// a new filter, to the first that was found.
func (p *Pane) keep() {
	p.win.Fit(len(p.rows), p.h)
	if at := p.win.Cursor; at < len(p.rows) && p.rows[at].key == p.cursor && !p.seek {
		return
	}
	found := -1
	for i := range p.rows {
		if p.rows[i].key == p.cursor && (!p.seek || p.rows[i].hit) {
			found = i
			break
		}
		if p.seek && found < 0 && p.rows[i].hit {
			found = i
		}
	}
	p.seek = false
	if found >= 0 {
		p.win.To(found)
	}
	p.mark()
}

// mark remembers the line under the cursor.
func (p *Pane) mark() {
	p.cursor = key{}
	if p.win.Cursor < len(p.rows) {
		p.cursor = p.rows[p.win.Cursor].key
	}
}

func (p *Pane) changed() { p.version++ }

// Up moves the cursor by n lines.
func (p *Pane) Up(n int) { p.move(-n) }

// Down moves the cursor by n lines.
func (p *Pane) Down(n int) { p.move(n) }

// Home moves to the first line.
func (p *Pane) Home() { p.move(-len(p.rows)) }

// End moves to the last line.
func (p *Pane) End() { p.move(len(p.rows)) }

// Page moves by n half heights.
func (p *Pane) Page(n int) {
	p.win.Page(n)
	p.mark()
}

func (p *Pane) move(n int) {
	p.win.Move(n)
	p.mark()
}

// Wheel scrolls by lines.
func (p *Pane) Wheel(lines int) {
	p.win.Scroll(lines)
	p.mark()
}

// Left closes the line under the cursor, or goes to the one that it belongs to.
func (p *Pane) Left() {
	at := p.win.Cursor
	if at >= len(p.rows) {
		return
	}
	if r := &p.rows[at]; r.foldable && r.open && p.filter.empty() {
		p.turn(r, false)
		return
	}
	for i := at - 1; i >= 0; i-- {
		if p.rows[i].depth < p.rows[at].depth {
			p.win.To(i)
			break
		}
	}
	p.mark()
}

// Right opens the line under the cursor, or goes to the first one in it.
func (p *Pane) Right() {
	at := p.win.Cursor
	if at >= len(p.rows) || !p.rows[at].foldable {
		return
	}
	if !p.rows[at].open {
		p.turn(&p.rows[at], true)
		return
	}
	p.move(1)
}

// Toggle opens or closes the line under the cursor, and reports whether it is one that opens.
func (p *Pane) Toggle() bool {
	at := p.win.Cursor
	if at >= len(p.rows) {
		return false
	}
	if p.rows[at].kind == KindEnded {
		p.ToggleHidden()
		return true
	}
	if !p.rows[at].foldable {
		return false
	}
	p.turn(&p.rows[at], !p.rows[at].open)
	return true
}

func (p *Pane) turn(r *row, open bool) {
	if len(p.turned) > maxTurned {
		clear(p.turned)
	}
	p.turned[r.key] = open
	p.changed()
}

// maxTurned bounds how many lines are remembered as opened or closed; meshes come and go.
const maxTurned = 50_000

// Click moves the cursor, and opens or closes a line whose sign is clicked.
func (p *Pane) Click(x, y int) {
	at := p.win.RowAt(y)
	if at < 0 {
		return
	}
	p.win.To(at)
	p.mark()
	if r := &p.rows[at]; r.foldable && x >= r.signAt() && x <= r.signAt()+1 || r.kind == KindEnded {
		p.Toggle()
	}
}

// ToggleHidden shows or hides what has ended.
func (p *Pane) ToggleHidden() {
	p.hidden = !p.hidden
	p.changed()
}

// CycleSort takes the next order.
func (p *Pane) CycleSort() {
	p.order = (p.order + 1) % (ByState + 1)
	p.changed()
}

// Order is the order of the lines.
func (p *Pane) Order() Order { return p.order }

// SetFilter shows only lines that hold each word of a text, and those that they belong to. An empty text shows all.
func (p *Pane) SetFilter(text string) {
	if f := newFilter(text); f.text != p.filter.text {
		p.filter, p.seek = f, !f.empty()
		p.changed()
	}
}

// Filter is the text of the filter.
func (p *Pane) Filter() string { return p.filter.text }

// Frame is the box around the tree: the position, the order and the filter.
func (p *Pane) Frame(w *world.World) paint.Frame {
	p.sync(w)
	f := paint.Frame{Title: "Mesh", At: p.win.Top, Shown: p.win.Size, Total: p.win.Total}
	if p.order != ByStart {
		f.Right = p.order.String()
	}
	if p.model.first {
		return f
	}
	if len(p.rows) > 0 {
		f.Foot = strconv.Itoa(p.win.Cursor+1) + " of " + paint.Exact(len(p.rows))
	}
	if !p.filter.empty() {
		f.FootLeft = "filter " + strings.TrimSpace(p.filter.text)
	}
	return f
}

// Item is what is under the cursor, or what another line stands for.
type Item struct {
	Kind   Kind
	Procs  uint64 // id of the proc mesh, 0 without
	Proc   uint64 // id of the process, 0 without one
	Mesh   uint64 // id of the actor mesh, 0 without one
	Name   string // of the actor mesh, else of the proc mesh; of a hint what it does: procs, demo or attach
	Host   string // of a host its name
	HostID uint64 // of a host that a launcher was asked for, 0 without
	Rank   int    // of the process or the actor, -1 without
	Ranks  []int  // of a state, a host or a run: all of its ranks
	State  string // of a state: the word
}

// Selected is what is under the cursor, of KindNone where there is nothing.
func (p *Pane) Selected(w *world.World) Item {
	p.sync(w)
	if p.win.Cursor >= len(p.rows) {
		return Item{Rank: -1}
	}
	return p.item(&p.rows[p.win.Cursor])
}

// Empty tells whether there is nothing but ways to begin.
func (p *Pane) Empty(w *world.World) bool {
	p.sync(w)
	return p.model.first
}

// Enter opens or closes the line under the cursor. It reports false where there is more to see elsewhere: the ranks of
// an actor mesh or of a state, an actor, a hint.
func (p *Pane) Enter() bool {
	if p.win.Cursor >= len(p.rows) {
		return false
	}
	switch r := &p.rows[p.win.Cursor]; r.kind {
	case KindSession, KindProcs, KindHost, KindRun, KindEnded:
		p.win.Unfold()
		return p.Toggle()
	case KindProc:
		p.win.Unfold()
		return r.foldable && p.Toggle()
	case KindNone, KindMesh, KindState, KindActor, KindHint:
	}
	return false
}

// GoMesh moves the cursor to an actor mesh, and opens what it lies in.
func (p *Pane) GoMesh(w *world.World, id uint64) {
	p.goTo(w, func(r *row) bool { return r.kind == KindMesh && r.id == id })
}

// GoProcs moves the cursor to a proc mesh.
func (p *Pane) GoProcs(w *world.World, id uint64) {
	p.goTo(w, func(r *row) bool { return r.kind == KindProcs && r.id == id })
}

// GoHost moves the cursor to a host that a launcher was asked for.
func (p *Pane) GoHost(w *world.World, id uint64) {
	p.goTo(w, func(r *row) bool { return r.kind == KindHost && r.via && r.id == id })
}

// GoActor moves the cursor to an actor where it is listed, else to its mesh.
func (p *Pane) GoActor(w *world.World, mesh uint64, rank int) {
	if !p.goTo(w, func(r *row) bool { return r.kind == KindActor && r.id == mesh && int(r.rank) == rank }) {
		p.GoMesh(w, mesh)
	}
}

func (p *Pane) goTo(w *world.World, is func(*row) bool) bool {
	for range 2 {
		p.sync(w)
		for i := range p.rows {
			if is(&p.rows[i]) {
				p.win.To(i)
				p.mark()
				return true
			}
		}
		// It may lie in something that was closed.
		closed := false
		for k, open := range p.turned {
			if !open && (k.kind == KindSession || k.kind == KindProcs) {
				delete(p.turned, k)
				closed = true
			}
		}
		if !closed {
			return false
		}
		p.changed()
	}
	return false
}
