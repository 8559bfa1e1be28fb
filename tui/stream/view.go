package stream

import (
	"strconv"

	"github.com/monarch-tui/monarch-tui/tui/list"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Row is a row of a view.
type Row[R any] interface {
	Number() int // of the value of the ring where the row stands; rows are in this order
	Is(R) bool   // whether it is the same row, wherever it stands
}

// margin is how near to being let go a row may come while a person looks at it, in values: more than come in one
// update.
const margin = 5000

// View is a window on the rows of a ring.
type View[T any, R Row[R]] struct {
	Rows   []R
	win    list.Window
	live   *world.Ring[T]
	src    *world.Ring[T] // live, or a copy of it while the view holds
	frozen bool           // by a person
	held   bool           // because what is looked at would go
	upTo   int            // values that there were when the end was last in sight
	made   bool
	of     uint64 // version of what the rows were made of
	stale  bool   // a person has changed what is shown
}

// New makes a view that follows.
func New[T any, R Row[R]]() *View[T, R] {
	return &View[T, R]{win: list.Window{Follow: true}}
}

// Source is where rows are to be made of: the ring, or what it was when the view began to hold.
func (v *View[T, R]) Source(live *world.Ring[T]) *world.Ring[T] {
	if v.live != live {
		v.live, v.frozen, v.held, v.made = live, false, false, false
	}
	if !v.Holds() {
		v.src = live
		if !v.win.Follow && v.nearlyGone() {
			v.src, v.held = live.Clone(), true
		}
	}
	return v.src
}

// nearlyGone reports whether what is in the window is about to leave the ring.
func (v *View[T, R]) nearlyGone() bool {
	top := v.win.Top
	return top < len(v.Rows) && v.Rows[top].Number()+v.src.Size()-v.src.Total() < margin
}

// Unfold says that the row under the cursor is unfolded: what comes below it is brought into sight.
func (v *View[T, R]) Unfold() { v.win.Unfold() }

// Changed says that a person has changed what is shown: the rows have to be made anew.
func (v *View[T, R]) Changed() { v.stale = true }

// Bring brings the rows up to date: they are made anew where what they are made of has another version, where a person
// has changed what is shown, or where the ring is another one.
func (v *View[T, R]) Bring(version uint64, build func(room []R) []R) {
	if version != v.of || v.stale || !v.made {
		v.of, v.stale = version, false
		v.Make(build)
	}
	v.Look()
}

// Make has the rows made anew, with room to use again. The row under the cursor keeps the cursor and its place on the
// screen.
func (v *View[T, R]) Make(build func(room []R) []R) {
	cur, ok := v.Current()
	v.Rows, v.made = build(v.Rows[:0]), true
	if ok && !v.win.Follow {
		line := v.win.Cursor - v.win.Top
		at := v.find(cur)
		v.win.Total = len(v.Rows)
		v.win.Cursor, v.win.Top = at, at-line
	}
	v.win.Fit(len(v.Rows), v.win.Size)
}

// find is where a row is now, or where it would be.
func (v *View[T, R]) find(r R) int {
	at, n := len(v.Rows), r.Number()
	for i := range v.Rows {
		if v.Rows[i].Is(r) {
			return i
		}
		if at == len(v.Rows) && v.Rows[i].Number() >= n {
			at = i
		}
	}
	return at
}

// Fit tells how many rows are shown.
func (v *View[T, R]) Fit(size int) { v.win.Fit(len(v.Rows), size) }

// Look notes that the rows are on the screen: what is not below them is no longer new.
func (v *View[T, R]) Look() {
	if _, to := v.win.Visible(); !v.Holds() && to == len(v.Rows) {
		v.upTo = v.src.Total()
	}
}

// Current is the row under the cursor.
func (v *View[T, R]) Current() (r R, ok bool) {
	if v.win.Cursor < 0 || v.win.Cursor >= len(v.Rows) {
		return r, false
	}
	return v.Rows[v.win.Cursor], true
}

// Cursor is the number of the row under the cursor.
func (v *View[T, R]) Cursor() int { return v.win.Cursor }

// Visible is the half-open range of rows in the window.
func (v *View[T, R]) Visible() (from, to int) { return v.win.Visible() }

// RowAt is the row at a line of the window, -1 where there is none.
func (v *View[T, R]) RowAt(line int) int { return v.win.RowAt(line) }

// Holds reports whether what comes is kept out of sight.
func (v *View[T, R]) Holds() bool { return v.frozen || v.held }

// Frozen reports whether a person holds the view.
func (v *View[T, R]) Frozen() bool { return v.frozen }

// Following reports whether the newest row stays in sight.
func (v *View[T, R]) Following() bool { return v.win.Follow && !v.frozen }

// Freeze holds the view, or lets it go on.
func (v *View[T, R]) Freeze() {
	if v.frozen || v.live == nil {
		v.frozen, v.held = false, false
		return
	}
	if !v.held {
		v.upTo = v.live.Total()
		v.src = v.live.Clone()
	}
	v.frozen, v.held = true, false
}

// Up moves the cursor, and stops following.
func (v *View[T, R]) Up(n int) { v.win.Move(-n) }

// Down moves the cursor. At the end of what is held because of where the cursor was it lets go, and is true: the rows
// have to be made anew.
func (v *View[T, R]) Down(n int) (freed bool) {
	if v.held && v.win.Cursor == len(v.Rows)-1 {
		v.held = false
		return true
	}
	v.win.Move(n)
	return false
}

// Page moves by n half windows.
func (v *View[T, R]) Page(n int) { v.win.Page(n) }

// Home goes to the first row.
func (v *View[T, R]) Home() { v.To(0) }

// To goes to a row, and stops following.
func (v *View[T, R]) To(row int) {
	v.win.Follow = false
	v.win.To(row)
}

// Stay stops following.
func (v *View[T, R]) Stay() { v.win.Follow = false }

// End lets the view go on and follow. The rows have to be made anew.
func (v *View[T, R]) End() {
	v.frozen, v.held = false, false
	v.win.End()
}

// Wheel scrolls.
func (v *View[T, R]) Wheel(lines int) { v.win.Scroll(lines) }

// below is how many rows under the window have come since its end was last in sight. A row may stand for many values, and
// those that a filter keeps out have none.
func (v *View[T, R]) below() (n int) {
	if v.Following() || v.Holds() {
		return 0
	}
	_, to := v.win.Visible()
	for i := to; i < len(v.Rows); i++ {
		if v.Rows[i].Number() >= v.upTo {
			n++
		}
	}
	return n
}

// Foot says where in the stream the view stands.
func (v *View[T, R]) Foot() string {
	news := ""
	if n := v.below(); n > 0 {
		news = "▼ " + paint.Exact(n) + " new"
	}
	if v.Holds() {
		if n := v.live.Total() - v.upTo; n > 0 { // no rows were made of them
			news = "▼ " + paint.Exact(n) + " came since"
		}
	}
	switch {
	case v.frozen && news != "":
		return "frozen · " + news
	case v.frozen:
		return "frozen"
	case len(v.Rows) == 0:
		return ""
	case v.win.Follow:
		return "following ▼"
	}
	at := strconv.Itoa(v.win.Cursor+1) + " of " + paint.Exact(len(v.Rows))
	if news != "" {
		at += " · " + news
	}
	return at
}
