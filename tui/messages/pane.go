package messages

import (
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/filter"
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
	tab      Tab
	unfolded bool
	filter   *filter.Filter

	w        *world.World
	src      *ring // the world's, or what it was when the view began to hold
	ix       *index
	sight    sight
	failures []*failure

	lastFailure control.Failure
	anyFailure  bool

	view    *stream.View[control.Message, row]
	built   built
	pass    uint64
	version uint64 // of what the person changed

	focusMesh  string
	focusRanks []int
	flow       flow
	cols       columns
	why        string // a jump was not made
	w0, h0     int    // of the last drawing
	bodyY      int
}

// built is what the rows were made of.
type built struct{ index, version uint64 }

// New makes a pane that follows what comes.
func New() *Pane {
	return &Pane{ix: newIndex(), view: stream.New[control.Message, row]()}
}

// sync brings the rows up to date with the world.
func (p *Pane) sync(w *world.World) {
	p.w, p.src = w, p.view.Source(&w.Messages)
	p.ix.sync(p.src)
	if !p.view.Holds() {
		p.syncFailures(w)
	}
	if now := (built{p.ix.version, p.version}); now != p.built || !p.view.Made() {
		p.built = now
		p.view.Make(p.build)
	}
	p.view.Look()
}

func (p *Pane) refresh() {
	if p.w != nil {
		p.sync(p.w)
	}
}

// change notes that the person changed what is shown.
func (p *Pane) change() {
	p.version++
	p.refresh()
}

// SetTab opens a tab.
func (p *Pane) SetTab(t Tab) {
	if t == p.tab {
		return
	}
	cur, ok := p.view.Current()
	p.tab = t
	p.change()
	if ok && !p.view.Following() {
		p.show(cur.f, cur.h)
	}
}

// Tab is the open tab.
func (p *Pane) Tab() Tab { return p.tab }

// Filter is the text of the filter.
func (p *Pane) Filter() string { return p.filter.String() }

// SetFilter shows only what the filter lets through. A text that is no filter changes nothing; the error, a
// *filter.Error, says why.
func (p *Pane) SetFilter(text string) error {
	f, err := filter.Parse(text, Keys()...)
	if err != nil {
		return err
	}
	p.setFilter(f)
	return nil
}

func (p *Pane) setFilter(f *filter.Filter) {
	p.filter = f
	for _, fail := range p.failures {
		fail.matches = f.Match(fail.fields())
	}
	p.refresh()
	if f.Empty() {
		p.ix.filter(nil)
	} else {
		p.ix.filter(func(h *hop) bool { return f.Match(p.sight.of(p.w, p.src, h, f)) })
	}
	p.change()
}

// ClearLast takes the last term of the filter away; false when there is none.
func (p *Pane) ClearLast() bool {
	n := len(p.filter.Terms())
	if n == 0 {
		return false
	}
	p.setFilter(p.filter.Without(n - 1))
	return true
}

// SetFocus tells which actors come first in the flow: the selection.
func (p *Pane) SetFocus(mesh string, ranks []int) {
	if mesh == p.focusMesh && slices.Equal(ranks, p.focusRanks) {
		return
	}
	p.focusMesh, p.focusRanks = mesh, slices.Clone(ranks)
	p.flow.stale = true
}

// ToggleFold shows each message by itself, or folds them again.
func (p *Pane) ToggleFold() {
	p.unfolded = !p.unfolded
	p.change()
}

// Freeze holds the view, or lets it go on. The actors know nothing of it.
func (p *Pane) Freeze() {
	p.refresh()
	p.view.Freeze()
	p.refresh()
}

// Frozen reports whether the view is held by Freeze.
func (p *Pane) Frozen() bool { return p.view.Frozen() }

// Following reports whether the newest message stays in sight.
func (p *Pane) Following() bool { return p.view.Following() }

// Up moves the cursor, and stops following.
func (p *Pane) Up(n int) {
	p.refresh()
	p.view.Up(n)
}

// Down moves the cursor.
func (p *Pane) Down(n int) {
	p.refresh()
	if p.view.Down(n) {
		p.refresh()
		p.view.Down(n)
	}
}

// Page moves by n half screens.
func (p *Pane) Page(n int) {
	p.refresh()
	p.view.Page(n)
}

// Home goes to the oldest message.
func (p *Pane) Home() {
	p.refresh()
	p.view.Home()
	p.refresh()
}

// End goes to the newest message and follows.
func (p *Pane) End() {
	p.view.End()
	p.refresh()
}

// Enter opens the fold under the cursor, or closes it. It is false where there is nothing to open: then Open has what
// there is.
func (p *Pane) Enter() bool {
	cur, ok := p.view.Current()
	if !ok || cur.f == nil || !cur.f.opens() || cur.part == oneHop || cur.part == sending || cur.part == coming {
		return false
	}
	p.view.Stay()
	cur.f.open = !cur.f.open
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

// show moves the cursor to a fold, or to a hop of it where hops are shown; false when it is hidden.
func (p *Pane) show(f *fold, h *hop) bool {
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

// Wheel scrolls; down is positive.
func (p *Pane) Wheel(lines int) {
	p.refresh()
	p.view.Wheel(lines)
}

// Frame is the pane's frame.
func (p *Pane) Frame(w *world.World) paint.Frame {
	p.sync(w)
	from, to := p.view.Visible()
	f := paint.Frame{
		Title: "Messages", Tabs: []string{"List", "Flow"}, Tab: int(p.tab), Right: p.lostText(w), Foot: p.view.Foot(),
		At: from, Shown: to - from, Total: len(p.view.Rows),
	}
	if p.w0 < 46 && p.w0 > 0 {
		f.Right = ""
		if n := w.Dropped.Data; n > 0 {
			f.FootLeft = paint.Count(n) + " dropped"
		}
	} else if p.unfolded && p.tab == List {
		f.FootLeft = "unfolded"
	}
	return f
}

// lostText counts what is not here.
func (p *Pane) lostText(w *world.World) string {
	text := paint.Exact(w.Dropped.Data) + " dropped"
	if gone := w.Messages.First(); gone > 0 && p.w0 >= 60 {
		text += " · " + paint.Count(gone) + " older let go"
	}
	return text
}
