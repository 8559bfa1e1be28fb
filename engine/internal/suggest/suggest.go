// Package suggest names what a person probably meant. Every "unknown name" error of the project ends with it.
package suggest

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

const (
	maxListed = 12 // names listed before "and n more"
	maxWord   = 64 // runes; longer words are no typing mistakes, and the distance is quadratic
)

// Suffix returns " (did you mean X?)" when a name of from is near to word, else " (have a, b, c)", else "".
func Suffix(word string, from []string) string {
	if near := Near(word, from); near != "" || len(from) == 0 {
		return near
	}
	names := slices.Clone(from)
	slices.Sort(names)
	names = slices.Compact(names)
	more := ""
	if len(names) > maxListed {
		more = ", …"
		names = names[:maxListed]
	}
	return " (have " + strings.Join(names, ", ") + more + ")"
}

// Near returns " (did you mean X?)" when a name of from is near to word, else "".
func Near(word string, from []string) string {
	if near := Nearest(word, from); near != "" {
		return " (did you mean " + near + "?)"
	}
	return ""
}

// Nearest returns the name of from that word most likely stands for, or "" when none is near.
// Case is ignored, and a word that begins or is begun by a name counts as one mistake.
func Nearest(word string, from []string) string {
	w := fold(word)
	if len(w) == 0 || len(w) > maxWord {
		return ""
	}
	limit := max(1, len(w)/3)
	type scored struct {
		name  string
		d     int
		alike int // letters at the beginning that are the same: hands err less there
	}
	var best []scored
	for _, name := range from {
		n := fold(name)
		if len(n) == 0 || len(n) > maxWord {
			continue
		}
		d := distance(w, n)
		if d > 1 && len(w) >= 2 && (hasPrefix(n, w) || hasPrefix(w, n) && len(n) >= 3) {
			d = 1
		}
		if d <= limit && d < max(len(w), len(n)) {
			best = append(best, scored{name, d, alike(w, n)})
		}
	}
	if len(best) == 0 {
		return ""
	}
	return slices.MinFunc(best, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.d, b.d), cmp.Compare(b.alike, a.alike), cmp.Compare(a.name, b.name))
	}).name
}

func fold(s string) []rune {
	out := make([]rune, 0, min(len(s), maxWord+1))
	for _, r := range s {
		if len(out) > maxWord {
			break
		}
		out = append(out, unicode.ToLower(r))
	}
	return out
}

func hasPrefix(s, prefix []rune) bool {
	return len(s) >= len(prefix) && slices.Equal(s[:len(prefix)], prefix)
}

func alike(a, b []rune) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// distance is the optimal string alignment distance: insertions, deletions, substitutions, and swaps of neighbours.
func distance(a, b []rune) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
