package logs

import (
	"path/filepath"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/stream"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Keys are what a filter of lines may judge.
func Keys() []filter.Key {
	return []filter.Key{filter.Text, filter.From, filter.Mesh, filter.Rank, filter.Level, filter.Stream}
}

// Pane shows the lines of a world.
type Pane struct {
	stream.Nav[control.Log, row]

	keys  keys.Of
	w     *world.World
	src   *ring
	ix    *index
	view  *stream.View[control.Log, row]
	pass  uint64
	from  int // width of the column of sources; it grows only
	w0    int // of the last drawing
	bodyY int
	wrap  bool  // a line is shown whole, on as many rows as it takes
	times bool  // when each line was printed is shown, however narrow the pane
	quiet bool  // it is not, however wide
	lines []int // the row that each line of the pane shows
	wants int   // columns of the widest line that was drawn last
}

// row is a line of the pane: a fold, or one line of the ring.
type row struct {
	n   int
	f   *fold
	one bool // a line of a fold that is open, or unfolded
}

// Number is where the row stands.
func (r row) Number() int { return r.n }

// Is reports whether it is the same row, wherever it stands.
func (r row) Is(o row) bool { return r.f == o.f && r.one == o.one && (!r.one || r.n == o.n) }

// New makes a pane that follows what comes.
func New(of keys.Of) *Pane {
	p := &Pane{keys: of, ix: newIndex(), view: stream.New[control.Log, row]()}
	p.Nav = stream.NewNav(p.view, stream.Hooks{Keys: Keys(), Refresh: p.refresh, Change: p.change, Refilter: p.refilter})
	return p
}

// sync brings the rows up to date with the world.
func (p *Pane) sync(w *world.World) {
	p.w, p.src = w, p.view.Source(&w.Logs)
	p.ix.sync(w, p.src)
	p.view.Bring(p.ix.Version, p.build)
}

// build makes the rows by one pass over what is kept.
func (p *Pane) build(rows []row) []row {
	p.pass++
	for n := p.ix.First; n < p.ix.Next; n++ {
		r := p.ix.rec(n)
		switch {
		case p.Unfolded():
			if r.matches {
				rows = append(rows, row{n, r.f, true})
			}
		case r.f.mark != p.pass && r.f.matched > 0:
			r.f.mark = p.pass
			rows = append(rows, row{n, r.f, false})
			if r.f.open && len(r.f.lines) > 1 {
				for _, line := range r.f.lines {
					if p.ix.rec(line).matches {
						rows = append(rows, row{line, r.f, true})
					}
				}
			}
		}
	}
	return rows
}

func (p *Pane) refresh() {
	if p.w != nil {
		p.sync(p.w)
	}
}

func (p *Pane) change() {
	p.view.Changed()
	p.refresh()
}

// refilter applies the filter, which has changed.
func (p *Pane) refilter() { p.ix.setFilter(p.src, p.Through()) }

// Enter opens the fold under the cursor, or closes it; false where there is nothing to open: then Open has what there
// is.
func (p *Pane) Enter() bool {
	r, ok := p.view.Current()
	if !ok || r.one || len(r.f.lines) < 2 {
		return false
	}
	p.view.Stay()
	if r.f.open = !r.f.open; r.f.open {
		p.view.Unfold()
	}
	p.change()
	return true
}

// Right opens the fold under the cursor.
func (p *Pane) Right() {
	if r, ok := p.view.Current(); ok && !r.f.open {
		p.Enter()
	}
}

// Left closes the fold that the cursor is in.
func (p *Pane) Left() {
	r, ok := p.view.Current()
	if !ok || !r.f.open || p.Unfolded() {
		return
	}
	r.f.open = false
	p.change()
	for i, o := range p.view.Rows {
		if o.f == r.f {
			p.view.To(i)
			return
		}
	}
}

// Click moves the cursor; on the sign of a fold it opens and closes it.
func (p *Pane) Click(x, y int) {
	p.refresh()
	at := p.view.RowAt(y - p.bodyY)
	if line := y - p.bodyY; p.wrap && line >= 0 && line < len(p.lines) {
		at = p.lines[line]
	}
	if at < 0 {
		return
	}
	p.view.To(at)
	if x < sign {
		p.Enter()
	}
}

// Drag does what Click does: there is nothing to be drawn.
func (p *Pane) Drag(_, y int) { p.Click(sign, y) }

// Selection is who printed the row under the cursor.
type Selection struct {
	Mesh  string // an actor mesh, "" where only the process is known
	Procs string // the proc mesh, where Mesh is ""
	Ranks []int
	Proc  uint64 // of the first of them, 0 for the controller
}

// Selected is who printed the row under the cursor.
func (p *Pane) Selected() (Selection, bool) {
	p.refresh()
	r, ok := p.view.Current()
	if !ok {
		return Selection{}, false
	}
	l := p.src.At(r.n)
	s := Selection{Mesh: l.Mesh, Proc: l.Proc}
	if l.Rank < 0 {
		return s, true
	}
	if s.Mesh == "" {
		s.Procs = p.ix.rec(r.n).source
	}
	s.Ranks = append(s.Ranks, l.Rank)
	if !r.one {
		s.Ranks = append(s.Ranks[:0], r.f.ranks...)
	}
	return s, true
}

// File is the log file of a session, "" where it has none.
func File(w *world.World) string {
	if w.Session.Dir == "" {
		return ""
	}
	return filepath.Join(w.Session.Dir, "engine.log")
}

// lost tells that lines may have been dropped. A session counts them together with the messages, which are nearly all of
// it: the count is in the frame of the messages.
func lost(dropped uint64) stream.Lost {
	if dropped > 0 {
		return stream.Lost{Long: "may have gaps", Short: "may have gaps"}
	}
	return stream.Lost{Long: "0 dropped"}
}

// Frame is the pane's frame.
func (p *Pane) Frame(w *world.World) paint.Frame {
	p.sync(w)
	f := p.Box(lost(w.Dropped.Data), w.Logs.First(), p.w0)
	f.Title = "Logs"
	return f
}
