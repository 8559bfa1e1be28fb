package tui

import (
	"slices"

	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// PaneID names a pane by its jump key.
type PaneID int

// The panes. None is no pane.
const (
	None PaneID = iota
	Mesh
	Ranks
	Inspect
	Messages
	Logs
	panes
)

// The smallest screen on which something is drawn, and the widths at which the layout changes.
const (
	minWidth, minHeight = 30, 8
	wideWidth           = 110 // three columns from here on
	pairWidth           = 80  // two panes and tabs
	squashWidth         = 60  // below: one pane, the others a line each
	squashHeight        = 16
	titlesHeight        = 12 // below: the others are only in the row of tabs
)

// Zoom is how much of the screen the focused pane gets.
type Zoom int

// The steps of zooming.
const (
	Normal Zoom = iota
	Half        // its row, or its column
	Full
	zooms
)

// Layout says where things are. A rectangle that is empty is not drawn.
type Layout struct {
	Small  bool // too small: one line says so
	Wide   bool // three columns
	Squash bool
	Header paint.Rect
	Tabs   paint.Rect        // the row that names the panes
	Panes  [panes]paint.Rect // with their borders
	Titles [panes]paint.Rect // of panes that are only a title line
	Story  paint.Rect        // narration of a demo
	Bar    paint.Rect        // who is paused, and the keys that let them go on
	Status paint.Rect        // what the last command gave
	Input  paint.Rect        // the ':' line, filters, modes
	Hints  paint.Rect
}

// Need is the room in which a pane shows all that it has, with its border; 0 is not known.
type Need struct{ W, H int }

// Needs are what the panes need. Those that have more give to those that have less.
type Needs [panes]Need

// Arrange lays the screen out. It is a pure function, used for drawing and for clicks alike. side widens the focused
// column by that many cells; bar: somebody is paused.
func Arrange(w, h int, focus PaneID, zoom Zoom, story, bar bool, side int, need Needs) Layout {
	l := Layout{}
	if w < minWidth || h < minHeight {
		l.Small = true
		return l
	}
	l.Squash = w < squashWidth || h < squashHeight || story && h < storyHeight
	l.Wide = w >= wideWidth && !l.Squash
	rows := paint.Rect{X: 0, Y: 0, W: w, H: h}
	top := func() paint.Rect { r := paint.Rect{X: 0, Y: rows.Y, W: w, H: 1}; rows.Y++; rows.H--; return r }
	bottom := func() paint.Rect { rows.H--; return paint.Rect{X: 0, Y: rows.Y + rows.H, W: w, H: 1} }
	l.Header, l.Hints = top(), bottom()
	if h >= squashHeight {
		l.Input = bottom()
	}
	if h >= squashHeight || h >= titlesHeight && story {
		l.Status = bottom()
	}
	if bar && (!story || h > minHeight) { // of the smallest screen with a demo nothing is left
		l.Bar = bottom()
	}
	if story {
		n := storyRows(w, h, l.Squash)
		rows.H -= n
		l.Story = paint.Rect{X: 0, Y: rows.Y + rows.H, W: w, H: n}
	}
	switch {
	case l.Squash && (h < titlesHeight || story && h < squashHeight), !l.Wide && !l.Squash, zoom == Full && !l.Squash:
		l.Tabs = top()
	}
	switch {
	case zoom == Full || l.Squash && !l.Tabs.Empty():
		l.Panes[focus] = rows
	case l.Squash:
		l.squash(rows, focus)
	case l.Wide:
		if zoom != Normal {
			need = Needs{}
		}
		l.wide(rows, focus, zoom, side, need)
	case w >= pairWidth && zoom == Normal:
		l.pair(rows, focus, side, need)
	default:
		l.Panes[focus] = rows
	}
	return l
}

// squash gives each pane without focus one line.
func (l *Layout) squash(r paint.Rect, focus PaneID) {
	for p := Mesh; p < panes; p++ {
		height := 1
		if p == focus {
			height = r.H - int(panes) + 2
			l.Panes[p] = paint.Rect{X: r.X, Y: r.Y, W: r.W, H: height}
		} else {
			l.Titles[p] = paint.Rect{X: r.X, Y: r.Y, W: r.W, H: 1}
		}
		r.Y += height
	}
}

// The least that a pane keeps of its width and of its height when it gives room to others.
const (
	leastSide, leastGrid, leastLine = 28, 46, 44
	leastHigh, leastLow             = 10, 8
	leastStacked                    = 7 // of messages above logs
)

// share moves cells from those that have more than they need to those that have less; the first in the list come first.
func share(have []*int, need, least []int) {
	for i := range have {
		for j := range have {
			if i == j || need[i] == 0 || need[j] == 0 {
				continue
			}
			if n := min(need[i]-*have[i], *have[j]-max(need[j], least[j])); n > 0 {
				*have[i] += n
				*have[j] -= n
			}
		}
	}
}

// most is the largest need of several, 0 where one of them is not known.
func most(needs ...int) int {
	if slices.Contains(needs, 0) {
		return 0
	}
	return slices.Max(needs)
}

// wide is the layout of three columns above two. Where both of the lower ones have lines, cut some of them, and the upper three
// leave rows enough, the lower ones stand above each other.
func (l *Layout) wide(r paint.Rect, focus PaneID, zoom Zoom, side int, need Needs) {
	low := max(8, r.H*36/100)
	high := r.H - low
	top := most(need[Mesh].H, need[Ranks].H, need[Inspect].H)
	share([]*int{&high, &low}, []int{top, max(need[Messages].H, need[Logs].H)}, []int{leastHigh, leastLow})
	logs := r.W / 3
	msgs := r.W - logs
	share([]*int{&msgs, &logs}, []int{need[Messages].W, need[Logs].W}, []int{leastLine, leastSide})
	free := r.H - max(top, leastHigh)
	stack := top > 0 && free >= 2*leastStacked && min(need[Messages].H, need[Logs].H) > 0 && (need[Messages].W > msgs || need[Logs].W > logs)
	if stack {
		low = clamp(need[Messages].H+need[Logs].H, max(low, 2*leastStacked), free)
		high = r.H - low
	}
	if zoom == Half {
		if focus >= Messages {
			high = max(6, r.H/4)
		} else {
			high = r.H - 6
		}
	}
	left, right := clamp(r.W/4, 28, 44), clamp(r.W*29/100, 32, 60)
	mid := r.W - left - right
	share([]*int{&mid, &right, &left}, []int{need[Ranks].W, need[Inspect].W, need[Mesh].W}, []int{leastGrid, leastSide, leastSide})
	switch { // what a person wants comes on top
	case side == 0:
	case focus == Mesh:
		left = clamp(left+side, 20, r.W-right-30)
	case focus == Inspect:
		right = clamp(right+side, 24, r.W-left-30)
	case focus == Ranks:
		left = clamp(left-side/2, 20, r.W/3)
		right = clamp(right-side/2, 24, r.W/3)
	}
	if zoom == Half && focus < Messages {
		switch focus {
		case Mesh:
			left = r.W / 2
		case Inspect:
			right = r.W / 2
		case Ranks:
			left, right = min(left, 24), min(right, 28)
		default:
		}
		if rest := r.W - left - right; rest < 24 { // the pane that is not looked at gives way first
			if focus == Mesh {
				right = r.W - left - 24
			} else {
				left = max(18, r.W-right-24)
			}
		}
	}
	l.Panes[Mesh] = paint.Rect{X: r.X, Y: r.Y, W: left, H: high}
	l.Panes[Ranks] = paint.Rect{X: r.X + left, Y: r.Y, W: r.W - left - right, H: high}
	l.Panes[Inspect] = paint.Rect{X: r.X + r.W - right, Y: r.Y, W: right, H: high}
	if stack {
		upper := (r.H - high) / 2
		lower := r.H - high - upper
		share([]*int{&upper, &lower}, []int{need[Messages].H, need[Logs].H}, []int{leastStacked, leastStacked})
		if focus == Logs {
			side = -side
		}
		if focus >= Messages {
			upper = clamp(upper+side/2, leastStacked, r.H-high-leastStacked)
		}
		l.Panes[Messages] = paint.Rect{X: r.X, Y: r.Y + high, W: r.W, H: upper}
		l.Panes[Logs] = paint.Rect{X: r.X, Y: r.Y + high + upper, W: r.W, H: r.H - high - upper}
		return
	}
	if focus == Logs {
		logs = clamp(logs+side, 24, r.W-40)
		if zoom == Half {
			logs = r.W * 2 / 3
		}
	}
	if focus == Messages {
		logs = clamp(logs-side, 24, r.W-40)
	}
	l.Panes[Messages] = paint.Rect{X: r.X, Y: r.Y + high, W: r.W - logs, H: r.H - high}
	l.Panes[Logs] = paint.Rect{X: r.X + r.W - logs, Y: r.Y + high, W: logs, H: r.H - high}
}

// pair shows two panes: the focused one and the one that goes best with it.
func (l *Layout) pair(r paint.Rect, focus PaneID, side int, need Needs) {
	first, second := Ranks, Inspect
	switch focus {
	case Mesh:
		first, second = Mesh, Ranks
	case Messages, Logs: // lines are long: one above the other
		high := clamp(r.H*62/100, 6, r.H-6)
		if focus == Logs {
			high = r.H - high
		}
		low := r.H - high
		share([]*int{&high, &low}, []int{need[Messages].H, need[Logs].H}, []int{6, 6})
		if focus == Logs {
			side = -side
		}
		high = clamp(high+side, 6, r.H-6)
		l.Panes[Messages] = paint.Rect{X: r.X, Y: r.Y, W: r.W, H: high}
		l.Panes[Logs] = paint.Rect{X: r.X, Y: r.Y + high, W: r.W, H: r.H - high}
		return
	default:
	}
	left := r.W * 45 / 100
	right := r.W - left
	share([]*int{&left, &right}, []int{need[first].W, need[second].W}, []int{leastSide, leastSide})
	if focus == second {
		side = -side
	}
	left = clamp(left+side, 24, r.W-24)
	l.Panes[first] = paint.Rect{X: r.X, Y: r.Y, W: left, H: r.H}
	l.Panes[second] = paint.Rect{X: r.X + left, Y: r.Y, W: r.W - left, H: r.H}
}

// At is the pane whose box or title line is at a place, None between them.
func (l *Layout) At(x, y int) PaneID {
	for p := Mesh; p < panes; p++ {
		if l.Panes[p].Contains(x, y) || l.Titles[p].Contains(x, y) {
			return p
		}
	}
	return None
}

func clamp(v, lo, hi int) int { return max(lo, min(v, hi)) }

// needer is a tab that knows how much room it needs, inside its border, to show all that it has. wide and tall is what it
// would have if nobody gave or took.
type needer interface {
	Need(wide, tall int) (cols, rows int)
}

// learned is what the panes need, as of the last look at them.
type learned struct {
	needs  Needs
	world  *world.World
	w, h   int
	second int64
}

// learn looks at what the panes need, once a second at most: panes are to stay where they are. What one needed it keeps until
// the screen has another size. It reports whether anything has changed.
func (m *Model) learn() bool {
	k := &m.learned
	second := m.now().Unix()
	if k.world != m.world || k.w != m.w || k.h != m.h {
		*k = learned{world: m.world, w: m.w, h: m.h}
	} else if k.second == second {
		return false
	}
	k.second = second
	return m.measure()
}

// measure asks the panes that are in sight what they need.
func (m *Model) measure() bool {
	k := &m.learned
	if m.zoom != Normal || m.layout.Small || m.layout.Squash || len(m.overlays) > 0 || !m.world.Loaded {
		return false
	}
	plain := Arrange(m.w, m.h, m.focus, m.zoom, m.story != nil, m.isPaused(), m.side, Needs{})
	before := k.needs
	for p := Mesh; p < panes; p++ {
		v, ok := m.panes.tab(p).body.(needer)
		if !ok || m.layout.Panes[p].Empty() || plain.Panes[p].Empty() {
			continue
		}
		cols, rows := v.Need(plain.Panes[p].W-2, plain.Panes[p].H-2)
		n := &k.needs[p]
		if cols > 0 {
			n.W = max(n.W, cols+2)
		}
		if rows > 0 {
			n.H = max(n.H, rows+2)
		}
	}
	return k.needs != before
}
