package script

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/shape"
)

const (
	maxShown = 400 // characters of a value in a report
	maxLines = 50  // folded lines in a report
)

// show renders a value for a person: texts quoted, maps in the order of their keys, long ones cut with a count.
func show(v any) string {
	var b strings.Builder
	writeValue(&b, v, 0)
	return clean(shorten(b.String()))
}

// shorten cuts a long text, with a count.
func shorten(s string) string {
	if len(s) <= maxShown {
		return s
	}
	r := []rune(s)
	if len(r) <= maxShown {
		return s
	}
	return string(r[:maxShown]) + fmt.Sprintf("… (%d characters)", len(r))
}

func writeValue(b *strings.Builder, v any, depth int) {
	if depth > 32 || b.Len() > 8*maxShown {
		b.WriteString("…")
		return
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("nil")
	case string:
		b.WriteString(strconv.Quote(v))
	case []byte:
		fmt.Fprintf(b, "h'%x'", v)
	case time.Time:
		b.WriteString(v.Format(time.RFC3339Nano))
	case time.Duration:
		b.WriteString(v.String())
	case []any:
		writeList(b, len(v), func(i int) { writeValue(b, v[i], depth+1) })
	case []string:
		writeList(b, len(v), func(i int) { b.WriteString(strconv.Quote(v[i])) })
	case map[string]any:
		b.WriteByte('{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(k + ": ")
			writeValue(b, v[k], depth+1)
		}
		b.WriteByte('}')
	default:
		fmt.Fprint(b, v)
	}
}

func writeList(b *strings.Builder, n int, item func(int)) {
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > 8*maxShown {
			fmt.Fprintf(b, "… %d more", n-i)
			break
		}
		item(i)
	}
	b.WriteByte(']')
}

// fold says once what several ranks have in common: "[0-2,5] text", by first rank (INV-FOLD).
type fold struct {
	ranks map[string][]int
}

func (f *fold) add(rank int, text string) {
	if f.ranks == nil {
		f.ranks = make(map[string][]int)
	}
	f.ranks[text] = append(f.ranks[text], rank)
}

func (f *fold) lines() []string {
	texts := slices.SortedFunc(maps.Keys(f.ranks), func(a, b string) int {
		return slices.Compare(f.ranks[a], f.ranks[b])
	})
	var out []string
	for i, t := range texts {
		if i == maxLines {
			return append(out, fmt.Sprintf("… and %d more", len(texts)-i))
		}
		head := "[" + shape.FormatRanks(f.ranks[t]) + "] "
		for j, l := range strings.Split(t, "\n") {
			if j > 0 {
				head = strings.Repeat(" ", len(head))
			}
			out = append(out, head+clean(l))
		}
	}
	return out
}

// foldLines folds lines of several ranks: equal lines once, in the order in which the first rank that has them printed
// them.
func foldLines(byRank map[int][]string) []string {
	type line struct {
		first, index int
		text         string
		ranks        []int
	}
	type key struct {
		text string
		nth  int // the same text again on one rank is a line of its own
	}
	seen := map[key]*line{}
	for _, r := range slices.Sorted(maps.Keys(byRank)) {
		nth := map[string]int{}
		for i, t := range byRank[r] {
			k := key{t, nth[t]}
			nth[t]++
			if l := seen[k]; l != nil {
				l.ranks = append(l.ranks, r)
				continue
			}
			seen[k] = &line{r, i, t, []int{r}}
		}
	}
	all := slices.Collect(maps.Values(seen))
	slices.SortFunc(all, func(a, b *line) int {
		if a.first != b.first {
			return a.first - b.first
		}
		return a.index - b.index
	})
	out := make([]string, 0, len(all))
	for _, l := range all {
		out = append(out, "["+shape.FormatRanks(l.ranks)+"] "+clean(l.text))
	}
	return out
}

// natural turns what schema.Value gives into what expressions like: int instead of int64, all the way down.
func natural(v any) any {
	switch v := v.(type) {
	case int64:
		return int(v)
	case []any:
		for i := range v {
			v[i] = natural(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = natural(v[k])
		}
	}
	return v
}
