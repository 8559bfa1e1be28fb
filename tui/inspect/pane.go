package inspect

import (
	"slices"
	"strconv"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/list"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// kind is what is shown.
type kind uint8

const (
	nothing kind = iota
	actor
	mesh
	procs
	proc
	host
)

// thing is what is shown: of an actor the mesh and the rank, else an id.
type thing struct {
	kind kind
	id   uint64
	rank int
}

// The tabs of an actor and of a mesh.
const (
	tabState = iota
	tabMailbox
	tabCalls
	tabFrame // these three while a frame of the actor stands at a site
	tabStack
	tabEnv

	tabMesh      = 0
	tabEndpoints = 1
)

// Pane is the inspector. Its methods are for one goroutine.
type Pane struct {
	keys   keys.Of
	thing  thing
	tabs   [host + 1]int
	win    list.Window
	cursor string // identity of the line under the cursor
	spots  map[thing]string
	turned map[string]bool // paths of the state that a person has opened or closed
	types  bool
	filter *filter.Filter
	sifted sifted
	snaps  []*snapshot  // the newest first
	stop   control.Stop // of the actor that is shown; ID 0: it is not stopped
	stands int          // frames of it that stand
	choice uint64       // the stop that a person has chosen, by its id
	look   look         // at that stop
	box    box          // what waits for the actor
	watch  []watched
	beside *beside // the rank that is compared with

	title []paint.Seg // the first line, which does not scroll; nil where there is nothing
	lines []line
	homes struct {
		id   uint64
		text string
	}
	built   builtFrom
	version int
	calls   callList
	w, h    int
}

type builtFrom struct {
	ok         bool
	rev        uint64
	version, w int
	second     int64
	thing      thing
	tab        int
}

// New makes a pane that shows nothing.
func New(of keys.Of) *Pane {
	return &Pane{keys: of, turned: map[string]bool{}, spots: map[thing]string{}}
}

// ShowActor shows an actor.
func (p *Pane) ShowActor(meshID uint64, rank int) { p.show(thing{actor, meshID, rank}) }

// ShowMesh shows an actor mesh.
func (p *Pane) ShowMesh(id uint64) { p.show(thing{kind: mesh, id: id}) }

// ShowProcs shows a proc mesh.
func (p *Pane) ShowProcs(id uint64) { p.show(thing{kind: procs, id: id}) }

// ShowProc shows a process.
func (p *Pane) ShowProc(id uint64) { p.show(thing{kind: proc, id: id}) }

// maxSpots bounds for how many things the place of the cursor is remembered.
const maxSpots = 1000

func (p *Pane) show(t thing) {
	if t == p.thing {
		return
	}
	if len(p.spots) > maxSpots {
		clear(p.spots)
	}
	p.spots[p.thing] = p.cursor
	if t.kind != p.thing.kind {
		p.win = list.Window{}
	}
	p.thing = t
	if spot, ok := p.spots[t]; ok {
		p.cursor = spot
	}
	p.version++
}

// tab is the open tab. One that an actor has only while it is stopped is open again when it stops the next time.
func (p *Pane) tab() int {
	t := p.tabs[p.thing.kind]
	if p.thing.kind == actor && !slices.Contains(p.tabsNow(), t) {
		return tabState
	}
	return t
}

// tabsNow are the tabs of what is shown, in their order.
func (p *Pane) tabsNow() []int {
	switch {
	case p.thing.kind != actor:
		all := make([]int, len(tabNames(p.thing.kind)))
		for i := range all {
			all[i] = i
		}
		return all
	case p.stop.ID != 0:
		return []int{tabState, tabFrame, tabStack, tabMailbox, tabEnv, tabCalls}
	}
	return []int{tabState, tabMailbox, tabCalls}
}

// tabNames are the tabs of a kind.
func tabNames(k kind) []string {
	switch k {
	case actor:
		return []string{tabState: "State", tabMailbox: "Mailbox", tabCalls: "Calls", tabFrame: "Frame", tabStack: "Stack", tabEnv: "Env"}
	case mesh:
		return []string{"Mesh", "Endpoints"}
	case procs:
		return []string{"Procs"}
	case proc:
		return []string{"Process"}
	case host:
		return []string{"Host"}
	case nothing:
	}
	return nil
}

// NextTab opens the n-th tab after the open one.
func (p *Pane) NextTab(n int) {
	if all := p.tabsNow(); len(all) > 1 {
		at := slices.Index(all, p.tab()) + n
		p.SetTab(all[(at%len(all)+len(all))%len(all)])
	}
}

// SetTab opens a tab: of an actor 0 State, 1 Mailbox, 2 Calls, and of one that is stopped 3 Frame, 4 Stack, 5 Env; of an actor
// mesh 0 Mesh, 1 Endpoints.
func (p *Pane) SetTab(tab int) {
	if tab >= 0 && tab < len(tabNames(p.thing.kind)) && tab != p.tab() {
		p.tabs[p.thing.kind] = tab
		p.win, p.cursor = list.Window{}, ""
		p.version++
	}
}

// ToggleTypes shows or hides the types of fields.
func (p *Pane) ToggleTypes() {
	p.types = !p.types
	p.version++
}

// Frame is the box around the pane: the tabs, and which line the cursor is on.
func (p *Pane) Frame(w *world.World) paint.Frame {
	p.sync(w)
	f := paint.Frame{Title: "Inspect", At: p.win.Top, Shown: p.win.Size, Total: p.win.Total}
	if all := p.tabsNow(); len(all) > 1 {
		names := tabNames(p.thing.kind)
		for _, t := range all {
			f.Tabs = append(f.Tabs, names[t])
		}
		f.Tab = slices.Index(all, p.tab())
	}
	if p.types && p.thing.kind == actor && p.tab() == tabState {
		f.FootLeft = "types"
	}
	if p.win.Total > p.win.Size && p.win.Size > 0 {
		f.Foot = strconv.Itoa(p.win.Cursor+1) + " of " + paint.Exact(p.win.Total)
	}
	return f
}

// Up moves the cursor by n lines.
func (p *Pane) Up(n int) { p.move(-n) }

// Down moves the cursor by n lines.
func (p *Pane) Down(n int) { p.move(n) }

// Home moves to the first line.
func (p *Pane) Home() { p.move(-len(p.lines)) }

// End moves to the last line.
func (p *Pane) End() { p.move(len(p.lines)) }

// Page moves by n half heights.
func (p *Pane) Page(n int) { p.move(n * max(1, p.win.Size/2)) }

// move moves the cursor, not onto a blank line.
func (p *Pane) move(n int) {
	p.win.Move(n)
	step := 1
	if n < 0 {
		step = -1
	}
	for at := p.win.Cursor; at >= 0 && at < len(p.lines); at += step {
		if !p.lines[at].blank() {
			p.win.To(at)
			break
		}
	}
	p.mark()
}

// Wheel scrolls by lines.
func (p *Pane) Wheel(lines int) {
	p.win.Scroll(lines)
	p.mark()
}

func (p *Pane) mark() {
	p.cursor = ""
	if p.win.Cursor < len(p.lines) {
		p.cursor = p.lines[p.win.Cursor].key
	}
}

// Click moves the cursor, and opens or closes a value whose sign is clicked.
func (p *Pane) Click(x, y int) {
	at := p.win.RowAt(y)
	if at < 0 {
		return
	}
	p.win.To(at)
	p.mark()
	if l := &p.lines[at]; l.node != nil && (l.more || x >= l.sign && x <= l.sign+1 && l.node.Len > 0) {
		p.Enter()
	}
}

// here is the line under the cursor.
func (p *Pane) here() *line {
	if p.win.Cursor >= len(p.lines) {
		return &line{}
	}
	return &p.lines[p.win.Cursor]
}

// Enter opens or closes the value under the cursor, or shows more of it. It reports whether there was one.
func (p *Pane) Enter() bool {
	l := p.here()
	switch {
	case l.node == nil:
		return false
	case l.more:
		p.Expand(l.node.Path)
		return true
	case l.node.Len == 0:
		return false
	}
	p.win.Unfold()
	p.turn(l.node, !p.shows(l.node))
	return true
}

// Expand shows the next page of the parts of a value, and opens it where it is closed.
func (p *Pane) Expand(path string) {
	if p.thing.kind != actor {
		return
	}
	n := p.snap().byPath[path]
	if n == nil {
		return
	}
	if p.isOpen(n) {
		n.want = len(n.kids) + 1
	} else {
		p.turn(n, true)
	}
	n.error = ""
	p.version++
}

// Right opens the value under the cursor.
func (p *Pane) Right() {
	switch l := p.here(); {
	case l.node == nil || l.node.Len == 0:
	case l.more:
		p.Expand(l.node.Path)
	case !p.shows(l.node):
		p.turn(l.node, true)
	default:
		p.move(1)
	}
}

// Left closes the value under the cursor, or goes to the one that it is in.
func (p *Pane) Left() {
	l := p.here()
	if l.node == nil {
		return
	}
	if !l.more && l.node.Len > 0 && p.shows(l.node) {
		p.turn(l.node, false)
		return
	}
	for i := p.win.Cursor - 1; i >= 0; i-- {
		if o := &p.lines[i]; o.node != nil && !o.more && o.depth < l.depth {
			p.win.To(i)
			break
		}
	}
	p.mark()
}

// maxTurned bounds how many values are remembered as opened or closed.
const maxTurned = 10_000

func (p *Pane) turn(n *node, open bool) {
	if len(p.turned) > maxTurned {
		clear(p.turned)
	}
	p.turned[p.openKey(n)] = open
	p.version++
}

// isOpen tells whether the parts of a value are shown: those of the actor itself are, unless they were closed. What is
// opened in one actor of a mesh is open in all.
func (p *Pane) isOpen(n *node) bool {
	if open, ok := p.turned[p.openKey(n)]; ok {
		return open
	}
	return n.Path == "" || n.root
}

func (p *Pane) openKey(n *node) string { return strconv.FormatUint(p.thing.id, 10) + " " + n.Path }

// Text is the line under the cursor as it is copied: of a value its path and its text.
func (p *Pane) Text() string { return p.here().copied }

// rankOf is the actor that is shown, and its mesh.
func (p *Pane) rankOf(w *world.World) (*control.Mesh, *control.RankState) {
	return rankOf(w, p.thing.id, p.thing.rank)
}

// rankOf is an actor and its mesh, nil where it is not known.
func rankOf(w *world.World, mesh uint64, rank int) (*control.Mesh, *control.RankState) {
	m, ok := w.MeshByID(mesh)
	if !ok || rank < 0 || rank >= len(m.Ranks) {
		return nil, nil
	}
	return m, &m.Ranks[rank]
}
