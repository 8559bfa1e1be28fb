package logs

import (
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// way is how the lines of a fold are alike.
type way uint8

const (
	single  way = iota // one line so far
	equal              // the same text
	byRanks            // the same but for numbers that are the rank
)

// foldKeys are what lines that may be folded have in common.
type foldKeys struct{ equal, byRanks uint64 } // 0: in no way

// keyer makes keys.
type keyer struct{ hash maphash.Hash }

// of are the keys of a line of a rank.
func (k *keyer) of(source, stream, text string, rank int) foldKeys {
	var out foldKeys
	k.begin(source, stream)
	k.write(text)
	out.equal = k.sum()
	k.begin(source, stream)
	at := 0
	for from, to := range rankNumbers(text, rank) {
		k.write(text[at:from])
		k.hash.WriteByte(0)
		at = to
	}
	if at > 0 {
		k.write(text[at:])
		out.byRanks = k.sum()
	}
	return out
}

func (k *keyer) begin(source, stream string) {
	k.hash.Reset()
	k.write(source)
	k.hash.WriteByte(1)
	k.write(stream)
	k.hash.WriteByte(1)
}

func (k *keyer) write(s string) { k.hash.WriteString(s) }

func (k *keyer) sum() uint64 { return k.hash.Sum64() | 1 }

// rankNumbers yields where a text has the rank as a number of its own: not as a part of a fraction or of a date.
func rankNumbers(text string, rank int) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		for i := 0; i < len(text); {
			if !digit(text[i]) {
				i++
				continue
			}
			from := i
			for i < len(text) && digit(text[i]) {
				i++
			}
			if i-from > 9 || joined(text, from, i) {
				continue
			}
			if n, err := strconv.Atoi(text[from:i]); err == nil && n == rank && !yield(from, i) {
				return
			}
		}
	}
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// joined reports whether a number has another one beside it, with only a point, a dash or a colon between: 0.3, 12:30.
func joined(text string, from, to int) bool {
	between := func(i, next int) bool {
		return i >= 0 && i < len(text) && strings.IndexByte(".:-,/", text[i]) >= 0 && next >= 0 && next < len(text) && digit(text[next])
	}
	return between(from-1, from-2) || between(to, to+1)
}

// folded is the text of a fold: the text of one rank with all ranks in its place.
func folded(text string, rank int, ranks []int) string {
	all := shape.FormatRanks(ranks)
	if len(all) > 16 {
		all = strconv.Itoa(ranks[0]) + "…" + strconv.Itoa(ranks[len(ranks)-1])
	}
	var b strings.Builder
	at := 0
	for from, to := range rankNumbers(text, rank) {
		b.WriteString(text[at:from])
		if inBrackets(text[:from]) {
			b.WriteString(all)
		} else {
			b.WriteString("[" + all + "]")
		}
		at = to
	}
	b.WriteString(text[at:])
	return b.String()
}

// inBrackets reports whether a bracket is open at the end of a text.
func inBrackets(text string) bool {
	return strings.LastIndexAny(text, "[(") > strings.LastIndexAny(text, "])")
}

// insert puts a rank into a sorted list; false when it is there.
func insert(ranks []int, rank int) ([]int, bool) {
	at, found := slices.BinarySearch(ranks, rank)
	if found {
		return ranks, false
	}
	return slices.Insert(ranks, at, rank), true
}
