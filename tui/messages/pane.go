package messages

import (
	"hash/maphash"
	"math"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Tab is what the pane shows.
type Tab int

// The tabs.
const (
	List Tab = iota
	Flow
)

// Pane shows the messages of a world.
type Pane struct {
	stream.Nav[control.Message, row]

	keys keys.Of
	tab  Tab

	w        *world.World
	src      *ring // the world's, or what it was when the view began to hold
	ix       *index
	sight    sight
	failures []*failure

	stood    []*stood       // who stands at a site, and who stood there
	stopList []control.Stop // of the world, when it was last looked at

	lastFailure control.Failure
	anyFailure  bool

	view    *stream.View[control.Message, row]
	rows    rows
	made    int // texts of folds so far
	courses int // of folds so far
	gists   int // messages that were read for a gist so far

	digests   digests
	durations []time.Duration // of one fold; to be used again, as
	results   map[uint64]int  // the digests of what came back, and numbers of messages that brought it,
	errors    map[uint64]bool // and of errors

	spans []span // to be used again

	focusMesh  string
	focusRanks []int
	flow       flow
	cols       columns
	why        string // a jump was not made
	w0, h0     int    // of the last drawing
	bodyY      int
	wants      int // columns of the widest row that was drawn last
}

// New makes a pane that follows what comes.
func New(of keys.Of) *Pane {
	p := &Pane{
		keys: of, ix: newIndex(), digests: digests(maphash.MakeSeed()), results: map[uint64]int{}, errors: map[uint64]bool{},
		view: stream.New[control.Message, row](),
	}
	p.Nav = stream.NewNav(p.view, stream.Hooks{Keys: Keys(), Refresh: p.refresh, Change: p.change, Refilter: p.refilter})
	return p
}

// sync brings the rows up to date with the world.
func (p *Pane) sync(w *world.World) {
	p.w, p.src = w, p.view.Source(&w.Messages)
	p.ix.sync(p.src)
	if !p.view.Holds() {
		p.syncFailures(w)
		p.syncStops(w)
	}
	p.view.Bring(p.ix.Version, p.build)
	p.ix.pool.bury()
}

func (p *Pane) refresh() {
	if p.w != nil {
		p.sync(p.w)
	}
}

// change notes that the person changed what is shown.
func (p *Pane) change() {
	p.view.Changed()
	p.ix.stale.all()
	p.refresh()
}

// SetTab opens a tab.
func (p *Pane) SetTab(t Tab) {
	if t == p.tab {
		return
	}
	cur, ok := p.view.Current()
	p.tab, p.ix.flow = t, t == Flow
	p.change()
	if ok && !p.view.Following() {
		p.show(cur.f, cur.h)
	}
}

// Tab is the open tab.
func (p *Pane) Tab() Tab { return p.tab }

// refilter applies the filter, which has changed.
func (p *Pane) refilter() {
	f := p.Through()
	for _, fail := range p.failures {
		fail.matches = f.Match(fail.fields())
	}
	if f.Empty() {
		p.ix.filter(nil)
	} else {
		p.ix.filter(func(h *exchange) bool { return f.Match(p.sight.of(p.w, p.src, h, f)) })
	}
}

// SetFocus tells which actors come first in the flow: the selection.
func (p *Pane) SetFocus(mesh string, ranks []int) {
	if mesh == p.focusMesh && slices.Equal(ranks, p.focusRanks) {
		return
	}
	p.focusMesh, p.focusRanks = mesh, slices.Clone(ranks)
	p.flow.stale = true
}

// Enter opens the fold under the cursor, or closes it. It is false where there is nothing to open: then Open has what
// there is.
func (p *Pane) Enter() bool {
	cur, ok := p.view.Current()
	if !ok || cur.f == nil || !cur.f.opens() || cur.part == oneExchange || cur.part == sending || cur.part == coming || cur.part >= arriving {
		return false
	}
	p.view.Stay()
	if cur.f.open = !cur.f.open; cur.f.open {
		p.view.Unfold()
	}
	p.change()
	return true
}

// Right opens the fold under the cursor.
func (p *Pane) Right() {
	if cur, ok := p.view.Current(); ok && cur.f != nil && !cur.f.open {
		p.Enter()
	}
}

// Left closes the fold that the cursor is in.
func (p *Pane) Left() {
	cur, ok := p.view.Current()
	if !ok || cur.f == nil || !cur.f.open {
		return
	}
	cur.f.open = false
	p.change()
	p.show(cur.f, nil)
}

// show moves the cursor to a fold, or to an exchange of it where exchanges are shown; false when it is hidden.
func (p *Pane) show(f *fold, h *exchange) bool {
	best := -1
	for i, r := range p.view.Rows {
		if r.f != f || f == nil {
			continue
		}
		if best < 0 {
			best = i
		}
		if h != nil && r.h == h {
			best = i
			break
		}
	}
	if best < 0 {
		return false
	}
	p.view.To(best)
	return true
}

// Click moves the cursor; on the sign of a fold it opens and closes it.
func (p *Pane) Click(x, y int) {
	p.refresh()
	at := p.view.RowAt(y - p.bodyY)
	if at < 0 {
		return
	}
	p.view.To(at)
	if x < 2 && p.tab == List {
		p.Enter()
	}
}

// Drag does what Click does: there is nothing to be drawn.
func (p *Pane) Drag(_, y int) { p.Click(2, y) }

// dropped tells how many events, messages and lines, never came.
func dropped(n uint64) stream.Lost {
	if n == 0 {
		return stream.Lost{Long: "0 dropped"}
	}
	return stream.Lost{Long: paint.Plural(int(n), "event") + " dropped", Short: paint.Count(n) + " dropped"}
}

// legendWidth is the width from which on the flow tells what its lines mean.
const legendWidth = 72

// Frame is the pane's frame.
func (p *Pane) Frame(w *world.World) paint.Frame {
	p.sync(w)
	f := p.Box(dropped(w.Dropped.Data), w.Messages.First()+int(min(w.Older, math.MaxInt32)), p.w0)
	f.Title, f.Tabs, f.Tab = "Messages", []string{"List", "Flow"}, int(p.tab)
	if p.Unfolded() && p.tab == Flow && f.Right != "" {
		f.FootLeft = "" // the flow is always folded
	}
	if p.tab == Flow && f.FootLeft == "" && p.w0 >= legendWidth {
		f.FootLeft = "┃ handles  ┊ waits  ╎ under way"
	}
	return f
}
