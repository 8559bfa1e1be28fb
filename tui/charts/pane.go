package charts

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/list"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Pane shows figures: a row for each, and the curve of the one under the cursor.
type Pane struct {
	keys    keys.Of
	why     string // there are no figures because of this
	figures []figure
	win     list.Window
	cur     id
	drawn   drawn // the curve, as it was drawn last
	rev     int   // of the figures
}

// id is what a figure is known by.
type id struct{ mesh, name string }

// figure is one figure of all ranks of a mesh.
type figure struct {
	id
	x, mean   []float64
	ranks     int
	low, high float64 // in the last step, of those that have reported it
	lowRank   int
	highRank  int
}

// New makes a pane.
func New(of keys.Of) *Pane { return &Pane{keys: of} }

// Set gives it the figures, or why there are none. The cursor stays on its figure (INV-ROW).
func (p *Pane) Set(all []control.Series, err error) {
	p.why = ""
	if err != nil {
		p.why = err.Error()
	}
	p.figures = p.figures[:0]
	p.rev++
	for len(all) > 0 { // they come by mesh and name
		n := 1
		for n < len(all) && all[n].Mesh == all[0].Mesh && all[n].Name == all[0].Name {
			n++
		}
		if f, ok := figureOf(all[:n]); ok {
			p.figures = append(p.figures, f)
		}
		all = all[n:]
	}
	at := slices.IndexFunc(p.figures, func(f figure) bool { return f.id == p.cur })
	p.win.Fit(len(p.figures), max(1, p.win.Size))
	p.win.To(max(0, at))
	p.keep()
}

// figureOf puts the series of ranks together.
func figureOf(ranks []control.Series) (f figure, ok bool) {
	f.id, f.ranks = id{ranks[0].Mesh, ranks[0].Name}, len(ranks)
	for _, s := range ranks {
		f.x = append(f.x, s.X...)
	}
	slices.Sort(f.x)
	if f.x = slices.Compact(f.x); len(f.x) == 0 {
		return f, false
	}
	sum, n := make([]float64, len(f.x)), make([]int, len(f.x))
	last := f.x[len(f.x)-1]
	f.low, f.high = math.Inf(1), math.Inf(-1)
	for _, s := range ranks {
		for i, x := range s.X[:min(len(s.X), len(s.Y))] {
			at, _ := slices.BinarySearch(f.x, x)
			sum[at] += s.Y[i]
			n[at]++
			if x == last && s.Y[i] < f.low {
				f.low, f.lowRank = s.Y[i], s.Rank
			}
			if x == last && s.Y[i] > f.high {
				f.high, f.highRank = s.Y[i], s.Rank
			}
		}
	}
	for i := range sum {
		f.mean = append(f.mean, sum[i]/float64(n[i]))
	}
	return f, true
}

// number is a figure in a few characters.
func number(v float64) string {
	if a := math.Abs(v); a != 0 && (a < 1e-3 || a >= 1e6) {
		return strconv.FormatFloat(v, 'e', 2, 64)
	}
	text := strconv.FormatFloat(v, 'f', 4, 64)
	if strings.ContainsRune(text, '.') {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// of is whose figure it is.
func (f *figure) of() string {
	if f.mesh == "" {
		return "main"
	}
	return "@" + f.mesh
}

// spread tells of the last step: its mean, and who is lowest and highest.
func (f *figure) spread() string {
	last := len(f.x) - 1
	text := fmt.Sprintf("at %s  mean %s", number(f.x[last]), number(f.mean[last]))
	if f.ranks > 1 && !math.IsInf(f.low, 0) {
		text += fmt.Sprintf("  min %s [%d]  max %s [%d]  %s", number(f.low), f.lowRank, number(f.high), f.highRank, paint.Plural(f.ranks, "rank"))
	}
	return text
}

func (p *Pane) keep() {
	p.cur = id{}
	if f := p.current(); f != nil {
		p.cur = f.id
	}
}

func (p *Pane) current() *figure {
	if p.win.Cursor < 0 || p.win.Cursor >= len(p.figures) {
		return nil
	}
	return &p.figures[p.win.Cursor]
}

func (p *Pane) move(by func()) {
	by()
	p.keep()
}

// Up moves the cursor.
func (p *Pane) Up(n int) { p.move(func() { p.win.Move(-n) }) }

// Down moves the cursor.
func (p *Pane) Down(n int) { p.move(func() { p.win.Move(n) }) }

// Page moves by n half screens.
func (p *Pane) Page(n int) { p.move(func() { p.win.Page(n) }) }

// Home goes to the first figure.
func (p *Pane) Home() { p.move(func() { p.win.To(0) }) }

// End goes to the last figure.
func (p *Pane) End() { p.move(func() { p.win.To(len(p.figures) - 1) }) }

// Wheel scrolls; down is positive.
func (p *Pane) Wheel(lines int) { p.move(func() { p.win.Move(lines) }) }

// Click moves the cursor.
func (p *Pane) Click(_, y int) {
	if at := p.win.RowAt(y); at >= 0 {
		p.move(func() { p.win.To(at) })
	}
}

// Text is the figure under the cursor as a table, for copying.
func (p *Pane) Text() string {
	f := p.current()
	if f == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s of %s, mean of %s\n", f.name, f.of(), paint.Plural(f.ranks, "rank"))
	for i := range f.x {
		fmt.Fprintf(&b, "%v\t%v\n", f.x[i], f.mean[i])
	}
	return b.String()
}

// Frame is the pane's frame.
func (p *Pane) Frame(*world.World) paint.Frame {
	f := paint.Frame{Title: "Charts"}
	if cur := p.current(); cur != nil {
		f.Right = cur.name + " of " + cur.of()
	}
	return f
}
