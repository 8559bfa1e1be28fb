package group

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/eval"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// minWidth is the narrowest table: below it nothing could be read.
const minWidth = 20

// Lines are the table as text: at most rows groups, each on a line, then what the numbers say. No line is longer than width
// characters, 20 at least. The text is clean. It is for a screen or a report: what is cut is marked with ….
func (t *Table) Lines(width, rows int) []string {
	width, rows = max(width, minWidth), max(rows, 1)
	if len(t.sorted) == 0 {
		return []string{"no ranks"}
	}
	out := []string{fmt.Sprintf("%s, %s", count(len(t.sorted), "rank"), count(len(t.Groups), "value"))}
	out = append(out, t.groupLines(width, rows)...)
	if t.Spread != nil {
		out = append(out, t.Spread.String())
		if len(t.cells) > 1 {
			out = append(out, t.sparkLines(width)...)
		}
	}
	out = append(out, t.outlierLines(rows)...)
	for i, line := range out {
		out[i] = fit(clean.Line(line), width)
	}
	return out
}

func (t *Table) groupLines(width, rows int) []string {
	shown := t.Groups[:min(rows, len(t.Groups))]
	names := make([]string, len(shown))
	longest := 0
	for i, g := range shown {
		names[i] = fit(folded(g.Ranks), width/3)
		longest = max(longest, utf8.RuneCountInString(names[i]))
	}
	longest = max(longest, len("ranks"))
	row := func(n, name, text string) string {
		pad := strings.Repeat(" ", longest-utf8.RuneCountInString(name))
		return fmt.Sprintf("  %5s  %s%s  %s", n, name, pad, text)
	}
	out := []string{row("count", "ranks", "value")}
	for i, g := range shown {
		out = append(out, row(strconv.Itoa(len(g.Ranks)), names[i], g.Text()))
	}
	if left := t.Groups[len(shown):]; len(left) > 0 {
		n := 0
		for _, g := range left {
			n += len(g.Ranks)
		}
		out = append(out, fmt.Sprintf("  … %s more on %s", count(len(left), "value"), count(n, "rank")))
	}
	return out
}

// Text is what the ranks of the group said. It may hold what a terminal acts on.
func (g *Group) Text() string {
	switch {
	case g.Err != "":
		return "error: " + eval.Shorten(g.Err)
	case g.Cut:
		return eval.Show(g.Value) + " (cut: the rest may differ)"
	}
	return eval.Show(g.Value)
}

// String is the spread as one line.
func (s *Spread) String() string {
	return fmt.Sprintf("min %s  mean %s  median %s  max %s", s.show(s.Min), s.show(s.Mean), s.show(s.Median), s.show(s.Max))
}

// show writes a number with six digits, which is what a person compares.
func (s *Spread) show(x float64) string {
	if !s.Durations || math.Abs(x) > math.MaxInt64/2 {
		return strconv.FormatFloat(x, 'g', 6, 64)
	}
	d := time.Duration(math.Round(x))
	for unit := time.Duration(1); unit < time.Hour; unit *= 10 {
		if d.Abs()/unit < 1_000_000 {
			return d.Round(unit).String()
		}
	}
	return d.Round(time.Hour).String()
}

// sparkLines are the bars, and below them the first and the last rank.
func (t *Table) sparkLines(width int) []string {
	bars := t.Spark(width)
	first, last := strconv.Itoa(t.sorted[0].Rank), strconv.Itoa(t.sorted[len(t.sorted)-1].Rank)
	gap := max(utf8.RuneCountInString(bars)-len(first)-len(last), 1)
	return []string{bars, first + strings.Repeat(" ", gap) + last}
}

func (t *Table) outlierLines(rows int) []string {
	if len(t.Outliers) == 0 {
		return nil
	}
	byWhy := map[string][]int{}
	var order []string
	for _, o := range t.Outliers {
		if _, known := byWhy[o.Why]; !known {
			order = append(order, o.Why)
		}
		byWhy[o.Why] = append(byWhy[o.Why], o.Rank)
	}
	out := []string{fmt.Sprintf("%s out:", verb(len(t.Outliers), "rank stands", "ranks stand"))}
	for i, why := range order {
		if i == rows {
			out = append(out, fmt.Sprintf("  … %s more", count(len(order)-i, "reason")))
			break
		}
		out = append(out, fmt.Sprintf("  %s: %s", folded(byWhy[why]), why))
	}
	return out
}

// folded is sorted ranks as text. Many that make no runs are cut before they are written.
func folded(ranks []int) string {
	const most = 256
	if len(ranks) <= most || ranks[len(ranks)-1]-ranks[0] == len(ranks)-1 {
		return shape.FormatRanks(ranks)
	}
	text := shape.FormatRanks(ranks)
	if len(text) > most {
		return text[:strings.LastIndexByte(text[:most], ',')+1] + "…"
	}
	return text
}

func count(n int, what string) string { return verb(n, what, what+"s") }

func verb(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + more
}

// fit cuts a text to a width.
func fit(s string, width int) string {
	if len(s) <= width || utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}
