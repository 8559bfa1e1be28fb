package tui

import "github.com/monarch-tui/monarch-tui/tui/paint"

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
	Status paint.Rect        // what the last command gave
	Input  paint.Rect        // the ':' line, filters, modes
	Hints  paint.Rect
}

// Arrange lays the screen out. It is a pure function, used for drawing and for clicks alike. side widens the focused
// column by that many cells.
func Arrange(w, h int, focus PaneID, zoom Zoom, story bool, side int) Layout {
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
		l.wide(rows, focus, zoom, side)
	case w >= pairWidth && zoom == Normal:
		l.pair(rows, focus, side)
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

// wide is the layout of three columns above two.
func (l *Layout) wide(r paint.Rect, focus PaneID, zoom Zoom, side int) {
	low := max(8, r.H*36/100)
	high := r.H - low
	if zoom == Half {
		if focus >= Messages {
			high = max(6, r.H/4)
		} else {
			high = r.H - 6
		}
	}
	left, right := clamp(r.W/4, 28, 44), clamp(r.W*29/100, 32, 60)
	switch focus {
	case Mesh:
		left = clamp(left+side, 20, r.W-right-30)
	case Inspect:
		right = clamp(right+side, 24, r.W-left-30)
	case Ranks:
		left = clamp(left-side/2, 20, r.W/3)
		right = clamp(right-side/2, 24, r.W/3)
	default:
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
	logs := r.W / 3
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
func (l *Layout) pair(r paint.Rect, focus PaneID, side int) {
	first, second := Ranks, Inspect
	switch focus {
	case Mesh:
		first, second = Mesh, Ranks
	case Messages, Logs: // lines are long: one above the other
		high := clamp(r.H*62/100+side, 6, r.H-6)
		if focus == Logs {
			high = r.H - clamp(r.H*62/100+side, 6, r.H-6)
		}
		l.Panes[Messages] = paint.Rect{X: r.X, Y: r.Y, W: r.W, H: high}
		l.Panes[Logs] = paint.Rect{X: r.X, Y: r.Y + high, W: r.W, H: r.H - high}
		return
	default:
	}
	left := r.W * 45 / 100
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
