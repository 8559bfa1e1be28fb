package grid

import (
	"strconv"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Pane is the grid of one mesh at a time. Its methods are for one goroutine.
type Pane struct {
	NoColor bool // colours are not shown: HALF is left out
	NoDemos bool // there are none to be offered

	keys   keys.Of
	w, h   int // of the inside, when it was last drawn
	at     *place
	places map[key]*place
	now    states
	shown  drawn // where things were drawn
	groups groups
	cells  [5][nLooks]paint.Word // a sign with the blanks of its pitch
	half   [2]paint.Word         // a blank, and two ranks
	signs  [nLooks]string

	measure Measure // that a person picked
}

// key is a mesh: ids of actor meshes and of proc meshes are counted apart.
type key struct {
	id    uint64
	procs bool
}

// place is what is remembered of one mesh.
type place struct {
	key      key
	name     string
	region   shape.Region // all of the mesh, in its own ranks
	on       shape.HostOf // on which host each of them is
	n        int          // ranks
	views    []*view      // the whole mesh, and each part that was zoomed into
	cursor   int          // own rank
	sel      set
	version  int   // of sel
	past     []set // what Undo goes back to, the newest last
	stored   map[rune]set
	span     *span // a rectangle that follows the cursor
	density  Density
	row, col string // picked axes; "" for the usual ones
	top      int    // first row and column of cells that are shown, where not all are
	left     int
	text     texts
	plan     planned
}

// New makes a pane that shows no mesh.
func New(of keys.Of) *Pane {
	p := &Pane{keys: of, places: map[key]*place{}, half: [2]paint.Word{paint.Spell(" "), paint.Spell("▀")}, signs: signs()}
	for pitch := range p.cells {
		for code, glyph := range p.signs {
			p.cells[pitch][code] = inPitch(glyph, pitch)
		}
	}
	return p
}

// inPitch is a sign with the blanks of its pitch.
func inPitch(glyph string, pitch int) paint.Word {
	switch pitch {
	case 0, 1:
		return paint.Spell(glyph)
	case 2:
		return paint.Spell(glyph + " ")
	}
	return paint.Spell(" " + glyph + "  "[:pitch-2])
}

// maxPlaces bounds how many meshes are remembered; those that are gone from the world are forgotten first.
const maxPlaces = 64

// Show shows an actor mesh, with the selection and cursor it had, and reports whether the world has it.
func (p *Pane) Show(w *world.World, mesh uint64) bool { return p.show(w, key{id: mesh}) }

// ShowProcs shows the processes of a proc mesh.
func (p *Pane) ShowProcs(w *world.World, procs uint64) bool { return p.show(w, key{procs, true}) }

func (p *Pane) show(w *world.World, k key) bool {
	if p.at != nil && p.at.key == k {
		return p.sync(w)
	}
	p.EndRectangle()
	s, ok := find(w, k)
	if !ok {
		return false
	}
	pl := p.places[k]
	if pl == nil || pl.n != s.n {
		p.forget(w)
		pl = newPlace(k, s)
		p.places[k] = pl
	}
	p.at, p.now = pl, states{}
	return p.sync(w)
}

// Hide shows no mesh.
func (p *Pane) Hide() { p.at, p.now = nil, states{} }

func newPlace(k key, s source) *place {
	return &place{
		key: k, name: s.name, region: s.region, on: s.on, n: s.n, views: []*view{newView(s.region, s.region)}, sel: newSet(s.n), stored: map[rune]set{},
	}
}

// forget makes room for one more mesh.
func (p *Pane) forget(w *world.World) {
	if len(p.places) < maxPlaces {
		return
	}
	for k := range p.places {
		if _, ok := find(w, k); !ok {
			delete(p.places, k)
		}
	}
	for k, pl := range p.places {
		if len(p.places) < maxPlaces {
			return
		}
		if pl != p.at && pl.sel.n == 0 {
			delete(p.places, k)
		}
	}
}

// Mesh is the id of the mesh that is shown, whether it is a proc mesh, and whether there is one at all.
func (p *Pane) Mesh() (id uint64, procs, ok bool) {
	if p.at == nil {
		return 0, false, false
	}
	return p.at.key.id, p.at.key.procs, true
}

// Cursor is the rank under the cursor, -1 without a mesh.
func (p *Pane) Cursor() int {
	if p.at == nil {
		return -1
	}
	return p.at.cursor
}

// SetCursor moves the cursor to a rank of the mesh, out of a part that does not hold it. It is a jump: a rectangle ends, and what
// that holds stays selected.
func (p *Pane) SetCursor(rank int) {
	if p.at == nil || rank < 0 || rank >= p.at.n {
		return
	}
	for len(p.at.views) > 1 && !p.at.view().holds(rank) {
		p.at.pop()
	}
	p.EndRectangle()
	p.at.cursor = rank
	p.moved()
}

// Frame is the box around the grid: the mesh and its size, the mode, and how many are selected.
func (p *Pane) Frame(w *world.World) paint.Frame {
	f := paint.Frame{Title: "Ranks"}
	if !p.sync(w) {
		return f
	}
	pl := p.at
	f.Right = pl.name + pl.view().text + " · " + paint.Exact(pl.view().len())
	if len(pl.views) > 1 {
		f.Right += " of " + paint.Exact(pl.n)
	}
	if p.now.gone {
		f.Right += " · ended"
	}
	switch {
	case pl.span != nil:
		f.FootLeft = "rectangle"
	case p.now.measure != States:
		f.FootLeft = "by " + p.now.measure.String()
	case pl.density != Auto:
		f.FootLeft = pl.density.String()
	case len(p.now.other) > 0:
		f.FootLeft = paint.OtherBuild + " " + paint.Exact(len(p.now.other)) + " on another build"
	}
	if pl.sel.n > 0 {
		f.Foot = paint.Exact(pl.sel.n) + " selected"
	}
	if l := &p.shown.layout; p.shown.place == pl && l.rowsShown < l.row.n && !l.tiled() {
		f.At, f.Shown, f.Total = pl.top, l.rowsShown, l.row.n
	}
	return f
}

func (pl *place) view() *view { return pl.views[len(pl.views)-1] }

// pop goes back to the part that holds this one, or to all.
func (pl *place) pop() {
	pl.views = pl.views[:len(pl.views)-1]
	pl.top, pl.left = 0, 0
}

// nameOf is how one rank is called: ponger[9].
func (pl *place) nameOf(rank int) string { return pl.name + "[" + strconv.Itoa(rank) + "]" }
