package stream

import (
	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// Hooks are what a Nav needs of the pane that it is a part of.
type Hooks struct {
	Keys     []filter.Key // what a filter may judge
	Refresh  func()       // brings the rows up to date
	Change   func()       // the same, after a person changed what is shown
	Refilter func()       // applies the filter, which has changed
}

// Nav is what the panes of streams have in common: how a person moves in them, holds them, folds and filters their
// rows. A pane embeds it, so that its methods are the pane's.
type Nav[T any, R Row[R]] struct {
	view     *View[T, R]
	pane     Hooks
	filter   *filter.Filter
	unfolded bool
}

// NewNav makes the Nav of a pane that shows a view.
func NewNav[T any, R Row[R]](view *View[T, R], pane Hooks) Nav[T, R] {
	return Nav[T, R]{view: view, pane: pane}
}

// Filter is the text of the filter.
func (n *Nav[T, R]) Filter() string { return n.filter.String() }

// Through is the filter itself.
func (n *Nav[T, R]) Through() *filter.Filter { return n.filter }

// SetFilter shows only what the filter lets through. A text that is no filter changes nothing; the error, a
// *filter.Error, says why.
func (n *Nav[T, R]) SetFilter(text string) error {
	f, err := filter.Parse(text, n.pane.Keys...)
	if err != nil {
		return err
	}
	n.setFilter(f)
	return nil
}

// ClearLast takes the last term of the filter away; false when there is none.
func (n *Nav[T, R]) ClearLast() bool { return n.Clear(len(n.filter.Terms()) - 1) }

// Clear takes a term of the filter away; false when there is none.
func (n *Nav[T, R]) Clear(term int) bool {
	if term < 0 || term >= len(n.filter.Terms()) {
		return false
	}
	n.setFilter(n.filter.Without(term))
	return true
}

func (n *Nav[T, R]) setFilter(f *filter.Filter) {
	n.filter = f
	n.pane.Refresh()
	n.pane.Refilter()
	n.pane.Change()
}

// Unfolded reports whether each message or line is shown by itself.
func (n *Nav[T, R]) Unfolded() bool { return n.unfolded }

// ToggleFold shows each message or line by itself, or folds them again.
func (n *Nav[T, R]) ToggleFold() {
	n.unfolded = !n.unfolded
	n.pane.Change()
}

// Freeze holds the view, or lets it go on. What is shown knows nothing of it.
func (n *Nav[T, R]) Freeze() {
	n.pane.Refresh()
	n.view.Freeze()
	n.pane.Refresh()
}

// Frozen reports whether the view is held by Freeze.
func (n *Nav[T, R]) Frozen() bool { return n.view.Frozen() }

// Following reports whether the newest row stays in sight.
func (n *Nav[T, R]) Following() bool { return n.view.Following() }

// Up moves the cursor, and stops following.
func (n *Nav[T, R]) Up(rows int) {
	n.pane.Refresh()
	n.view.Up(rows)
}

// Down moves the cursor.
func (n *Nav[T, R]) Down(rows int) {
	n.pane.Refresh()
	if n.view.Down(rows) {
		n.pane.Refresh()
		n.view.Down(rows)
	}
}

// Page moves by half screens.
func (n *Nav[T, R]) Page(halves int) {
	n.pane.Refresh()
	n.view.Page(halves)
}

// Home goes to the oldest row.
func (n *Nav[T, R]) Home() {
	n.pane.Refresh()
	n.view.Home()
	n.pane.Refresh()
}

// End goes to the newest row and follows.
func (n *Nav[T, R]) End() {
	n.view.End()
	n.pane.Refresh()
}

// Wheel scrolls; down is positive.
func (n *Nav[T, R]) Wheel(lines int) {
	n.pane.Refresh()
	n.view.Wheel(lines)
}

// Widths of a pane, inside, at which its frame tells of what is not here, and of all of it.
const (
	withLost = 46
	withGone = 60
)

// Lost is what a frame says of what never came: as a whole, and where there is little room.
type Lost struct{ Long, Short string }

// Box is the frame of the pane, but for its title. gone is how many values were let go, width how wide the pane was
// drawn last.
func (n *Nav[T, R]) Box(lost Lost, gone, width int) paint.Frame {
	from, to := n.view.Visible()
	f := paint.Frame{Foot: n.view.Foot(), At: from, Shown: to - from, Total: len(n.view.Rows)}
	if width > 0 && width < withLost {
		f.FootLeft = lost.Short
		return f
	}
	f.Right = lost.Long
	if gone > 0 && width >= withGone {
		f.Right += " · " + paint.Count(gone) + " older let go"
	}
	if n.unfolded {
		f.FootLeft = "unfolded"
	}
	return f
}
