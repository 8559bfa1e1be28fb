package dialog

import (
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/tui/paint"
)

func TestARowOfATableThatDoesNotFitIsBrokenBetweenItsCells(t *testing.T) {
	for _, c := range []struct {
		text string
		w    int
		want []string
	}{
		{"debugee     0     {'hosts': 0, 'gpus': 0}  local", 60, []string{"debugee     0     {'hosts': 0, 'gpus': 0}  local"}},
		{"debugee     0     {'hosts': 0, 'gpus': 0}  local", 42, []string{"debugee     0     {'hosts': 0, 'gpus': 0}", "    local"}},
		{"a  one two three four five six  b", 16, []string{"a", "    one two", "    three four", "    five six  b"}},
		{"only words that are a sentence", 16, []string{"only words that", "are a sentence"}},
		{"two  cells only, as in prose", 16, []string{"two cells only,", "as in prose"}},
		{"  a  b  c", 4, []string{"a b", "c"}},
		{"a  b  " + strings.Repeat("世", 20), 16, []string{"a  b", "    " + strings.Repeat("世", 6), "    " + strings.Repeat("世", 6), "    " + strings.Repeat("世", 6), "    世世"}},
	} {
		if got := wrapped(c.text, c.w); !slices.Equal(got, c.want) {
			t.Errorf("%q in %d cells is %q, want %q", c.text, c.w, got, c.want)
		}
		for _, line := range wrapped(c.text, c.w) {
			if paint.Width(line) > c.w {
				t.Errorf("%q is wider than %d", line, c.w)
			}
		}
	}
}

// A table has the room that it needs, where there is as much; prose stays as wide as it reads well.
func TestATextBoxIsAsWideAsItsTable(t *testing.T) {
	row := func(n int) string { return strings.Repeat("a", n-10) + "  b  " + strings.Repeat("c", 5) }
	for _, c := range []struct {
		text    string
		w, want int
	}{
		{row(100), 120, 104}, {row(100) + "\n" + strings.Repeat("word ", 60), 120, 104}, {row(100), 104, 104}, {row(100), 103, 96}, {row(100), 80, 80},
		{row(40), 120, 96}, {strings.Repeat("word ", 60), 120, 96}, {"two  cells " + strings.Repeat("x", 90), 120, 96},
	} {
		b := &TextBox{Lines: func() []paint.Seg { return []paint.Seg{{Text: c.text}} }}
		if got, _ := b.Size(c.w, 40); got != c.want {
			t.Errorf("%q: %d of %d cells, want %d", c.text, got, c.w, c.want)
		}
	}
}
