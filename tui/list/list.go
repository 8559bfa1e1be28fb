// Package list is the arithmetic of a list of which a window is shown: cursor, scroll position, paging, following the
// end. It draws nothing and costs the same for ten rows and for a hundred thousand.
//
// INV-CURSOR: after each method, whatever the sizes, the cursor is on a row and in the window, and the window is full
// where there are rows enough.
package list

// Window is which rows of a list are shown and which one has the cursor. The zero Window is an empty list. Methods that
// move keep the cursor visible.
type Window struct {
	Total  int  // rows of the list
	Size   int  // rows that are shown
	Cursor int  // from 0
	Top    int  // first row shown
	Follow bool // the cursor stays on the last row while the list grows

	unfolding int // rows of the list, and one, when the row under the cursor was unfolded; 0: it was not
}

// Unfold tells that rows come below the cursor that belong to it: as soon as they are there, as many of them are shown
// as there is room for.
func (w *Window) Unfold() { w.unfolding = w.Total + 1 }

// Fit tells how many rows there are and how many are shown.
func (w *Window) Fit(total, size int) {
	more := max(0, total) + 1 - w.unfolding
	w.Total, w.Size = max(0, total), max(0, size)
	if w.Follow {
		w.Cursor = w.Total - 1
	}
	w.settle()
	if w.unfolding > 0 && more > 0 {
		w.unfolding = 0
		w.Top = max(w.Top, min(w.Cursor, w.Cursor+more+1-w.Size))
		w.settle()
	}
}

// Shift tells that n rows have gone from the top of the list: the cursor and the window stay on their rows.
func (w *Window) Shift(n int) {
	w.Cursor -= n
	w.Top -= n
	w.settle()
}

// Move moves the cursor by n rows. Moving up stops following.
func (w *Window) Move(n int) {
	w.unfolding = 0
	w.Cursor += n
	if n < 0 {
		w.Follow = false
	}
	w.settle()
}

// Page moves the cursor by n half windows.
func (w *Window) Page(n int) { w.Move(n * max(1, w.Size/2)) }

// To moves the cursor to a row.
func (w *Window) To(row int) { w.Move(row - w.Cursor) }

// End moves to the last row and follows it from now on.
func (w *Window) End() {
	w.Follow = true
	w.Cursor = w.Total - 1
	w.settle()
}

// Scroll moves the window by n rows; the cursor goes along only where it would leave the window.
func (w *Window) Scroll(n int) {
	w.unfolding = 0
	if n < 0 {
		w.Follow = false
	}
	w.Top = max(0, min(w.Top+n, w.Total-w.Size))
	w.Cursor = max(w.Top, min(w.Cursor, w.Top+max(1, w.Size)-1))
	w.settle()
}

// Visible is the half-open range of rows that are shown.
func (w *Window) Visible() (from, to int) { return w.Top, min(w.Total, w.Top+w.Size) }

// RowAt is the row at a line of the window, -1 below the last.
func (w *Window) RowAt(line int) int {
	if line < 0 || line >= w.Size || w.Top+line >= w.Total {
		return -1
	}
	return w.Top + line
}

func (w *Window) settle() {
	w.Cursor = max(0, min(w.Cursor, w.Total-1))
	if w.Cursor < w.Top {
		w.Top = w.Cursor
	}
	if w.Size > 0 && w.Cursor >= w.Top+w.Size {
		w.Top = w.Cursor - w.Size + 1
	}
	w.Top = max(0, min(w.Top, w.Total-w.Size))
}
