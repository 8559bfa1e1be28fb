package stream

import (
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// Hint is a sentence for a pane that has no rows; with the name of an action it tells what the key of the action does.
type Hint struct{ Action, Text string }

// DrawNothing tells in a pane without rows what would be here, and how it comes. What does not fit as a whole is left
// out, the last hints first, and so are actions that have no key.
func DrawNothing(s *paint.Surface, of keys.Of, hints ...Hint) {
	w, h := s.Size()
	var lines [][]paint.Seg
	for _, hint := range hints {
		key := ""
		if hint.Action != "" {
			if key = of(hint.Action); key == "" {
				continue
			}
		}
		more := hint.lines(key, w-2)
		if len(lines)+len(more) > h {
			break
		}
		lines = append(lines, more...)
	}
	y := min(1, h-len(lines))
	for i, line := range lines {
		s.Line(1, y+i, line...)
	}
}

// lines are a hint in at most w cells: the key once, and the text beside it.
func (h Hint) lines(key string, w int) (out [][]paint.Seg) {
	indent := paint.Width(key)
	if indent > 0 {
		indent += 2
	}
	for i, text := range paint.Wrap(h.Text, w-indent) {
		if i > 0 {
			key = ""
		}
		out = append(out, []paint.Seg{{Style: paint.Style{Fg: paint.Accent}, Text: paint.Pad(key, indent)}, {Style: paint.Style{Fg: paint.Muted}, Text: text}})
	}
	return out
}
