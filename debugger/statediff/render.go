package statediff

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// minWidth is the narrowest text: below it nothing could be read.
const minWidth = 20

// Lines are the comparison as text, at most rows places: for two trees old → new, for more who has what. The last line is
// the verdict. No line is longer than width characters, 20 at least.
func (c *Comparison) Lines(width, rows int) []string {
	width, rows = max(width, minWidth), max(rows, 1)
	shown := c.Rows[:min(rows, len(c.Rows))]
	column := 0
	for _, r := range shown {
		column = max(column, utf8.RuneCountInString(r.Path))
	}
	gaps := c.Gaps[:min(rows, len(c.Gaps))]
	for _, g := range gaps {
		column = max(column, utf8.RuneCountInString(name(g.Path)))
	}
	column = min(column, width/3)
	var out []string
	if len(c.Ranks) == 2 {
		short := Comparison{Ranks: c.Ranks, Rows: shown}
		for _, ch := range short.Changes() {
			out = append(out, ch.line(column, width))
		}
	} else {
		for _, r := range shown {
			out = append(out, "~ "+pad(name(r.Path), column)+"  "+c.whoHas(r))
		}
	}
	if left := len(c.Rows) - len(shown) + c.MoreRows; left > 0 {
		out = append(out, fmt.Sprintf("  … %d more", left))
	}
	for _, g := range gaps {
		out = append(out, "? "+pad(name(g.Path), column)+"  "+g.Why)
	}
	if left := len(c.Gaps) - len(gaps) + c.MoreGaps; left > 0 {
		out = append(out, fmt.Sprintf("  … %d more places that were not read whole", left))
	}
	out = append(out, c.summary())
	for i, line := range out {
		out[i] = fit(clean.Line(clean.Clip(line, 8*width)), width)
	}
	return out
}

func (ch *Change) line(column, width int) string {
	where := pad(name(ch.Path), column) + "  "
	switch ch.Kind {
	case Added:
		return "+ " + where + ch.New
	case Removed:
		return "- " + where + ch.Old
	case Changed:
	}
	before, after := clean.Line(clean.Clip(ch.Old, 8*width)), clean.Line(clean.Clip(ch.New, 8*width))
	room := max(width-len("~ ")-utf8.RuneCountInString(where)-3, 2)
	if b, a := utf8.RuneCountInString(before), utf8.RuneCountInString(after); a+b > room { // neither may hide the other
		half := room / 2
		before, after = fit(before, max(half, room-a)), fit(after, max(room-half, room-b))
	}
	return "~ " + where + before + " → " + after
}

// whoHas folds the ranks with one text: 0-4: 0.5 | 5: NaN.
func (c *Comparison) whoHas(r Row) string {
	var order []string
	ranks := map[string][]int{}
	for i, cell := range r.Cells {
		text := cell.Text
		switch cell.State {
		case Absent:
			text = "(not there)"
		case Unread:
			text = "(not read)"
		case Present:
		}
		if _, known := ranks[text]; !known {
			order = append(order, text)
		}
		ranks[text] = append(ranks[text], c.Ranks[i])
	}
	parts := make([]string, len(order))
	for i, text := range order {
		parts[i] = shape.FormatRanks(ranks[text]) + ": " + text
	}
	return strings.Join(parts, " | ")
}

// summary is the verdict in words.
func (c *Comparison) summary() string {
	places := len(c.Rows) + c.MoreRows
	switch v := c.Verdict(); {
	case v == Same:
		return "the same, and all of it was read"
	case v == Unknown:
		return "no difference in what was read, which is not all of it"
	case len(c.Gaps) > 0:
		return counted(places) + "; not all of it was read, so there may be more"
	}
	return counted(places)
}

func counted(n int) string {
	if n == 1 {
		return "1 difference"
	}
	return fmt.Sprintf("%d differences", n)
}

// name is a path as a person reads it.
func name(path string) string {
	if path == "" {
		return "(the whole)"
	}
	return path
}

func pad(s string, width int) string {
	if n := utf8.RuneCountInString(s); n < width {
		return s + strings.Repeat(" ", width-n)
	}
	return s
}

func fit(s string, width int) string {
	if len(s) <= width || utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}
