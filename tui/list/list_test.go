package list

import (
	"testing"

	"pgregory.net/rapid"
)

// TestTheCursorStaysInTheWindowINV_CURSOR holds INV-CURSOR.
func TestTheCursorStaysInTheWindowINV_CURSOR(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w Window
		n := rapid.IntRange(-1000, 1000)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0:
				w.Fit(rapid.IntRange(-1, 200).Draw(t, "total"), rapid.IntRange(-1, 40).Draw(t, "size"))
			case 1:
				w.Move(n.Draw(t, "move"))
			case 2:
				w.Page(rapid.IntRange(-3, 3).Draw(t, "page"))
			case 3:
				w.End()
			case 4:
				w.Scroll(n.Draw(t, "scroll"))
			case 5:
				w.To(n.Draw(t, "to"))
			case 6:
				w.Shift(rapid.IntRange(0, 50).Draw(t, "shift"))
			}
			from, to := w.Visible()
			if w.Total == 0 && (w.Cursor != 0 || from != 0 || to != 0) || w.Total > 0 && (w.Cursor < 0 || w.Cursor >= w.Total) {
				t.Fatalf("%+v", w)
			}
			if w.Total > 0 && w.Size > 0 && (w.Cursor < from || w.Cursor >= to || to-from != min(w.Size, w.Total)) {
				t.Fatalf("%+v shows %d to %d", w, from, to)
			}
		}
	})
}

func TestFollowingEndsWithAMoveUpAndBeginsAtTheEnd(t *testing.T) {
	var w Window
	w.Fit(10, 4)
	w.End()
	w.Fit(20, 4)
	if w.Cursor != 19 || w.Top != 16 {
		t.Fatalf("does not follow: %+v", w)
	}
	w.Move(-1)
	w.Fit(30, 4)
	if w.Cursor != 18 {
		t.Fatalf("follows still: %+v", w)
	}
}

func TestWhatIsUnfoldedComesIntoSight(t *testing.T) {
	for _, c := range []struct{ more, top int }{{3, 13}, {40, 19}, {0, 10}} {
		w := Window{}
		w.Fit(20, 10)
		w.To(19)
		w.Unfold()
		w.Fit(20+c.more, 10)
		if w.Top != c.top || w.Cursor != 19 {
			t.Errorf("%d rows more: from row %d on, the cursor on %d", c.more, w.Top, w.Cursor)
		}
	}
	w := Window{}
	w.Fit(20, 10)
	w.To(19)
	w.Unfold()
	w.Move(-1)
	if w.Fit(23, 10); w.Top != 10 {
		t.Error("who has moved on is moved")
	}
}
