package filter

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// wordy is the width from which the line of a filter has words.
const wordy = 44

// Draw draws the filter as a line: its terms, and how many rows of all it lets through.
func (f *Filter) Draw(s *paint.Surface, shown, total int) {
	w, _ := s.Size()
	muted := paint.Style{Fg: paint.Muted}
	count := fmt.Sprintf("%s of %s shown", paint.Exact(shown), paint.Exact(total))
	if w < wordy {
		count = fmt.Sprintf("%s/%s", paint.Count(shown), paint.Count(total))
	}
	end := w
	if w-paint.Width(count) >= 8 {
		end = s.TextRight(w-1, 0, muted, count) - 1
	}
	x := 1
	if w >= wordy {
		x = s.Text(x, 0, muted, "filter") + 1
	}
	for _, t := range f.Terms() {
		room := end - x
		if room < 4 {
			s.Text(x, 0, muted, paint.Fit("…", room))
			return
		}
		x = s.Text(x, 0, paint.Style{Fg: paint.Text, Bg: paint.Bar}, " "+paint.Fit(t.String(), room-2)+" ") + 1
	}
}
