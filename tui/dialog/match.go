package dialog

import (
	"slices"
	"strings"
	"unicode"

	"github.com/sahilm/fuzzy"
)

// match finds the texts that have the letters of q in their order: those in which it is a word before those in which one begins
// with it, these before those that merely hold it, and what has it in pieces last; among equals the better score of fuzzy, which
// by itself prefers a short row to the word that was typed.
func match(q string, texts []string) fuzzy.Matches {
	found := fuzzy.Find(q, texts)
	at := make([]int, len(texts)) // where it stands as a whole, -1: nowhere
	class := make([]int, len(texts))
	for _, f := range found {
		at[f.Index], class[f.Index] = wordIn(strings.ToLower(f.Str), strings.ToLower(q))
	}
	slices.SortStableFunc(found, func(a, b fuzzy.Match) int { return class[a.Index] - class[b.Index] })
	for i, f := range found {
		if from := at[f.Index]; from >= 0 {
			found[i].MatchedIndexes = indexes(from, len(q))
		}
	}
	return found
}

// The classes of a match, best first.
const (
	firstWord = iota
	oneWord
	beginsWord
	within
	inPieces
)

// wordIn finds the best place of q in text.
func wordIn(text, q string) (at, class int) {
	at, class = -1, inPieces
	for from := 0; ; {
		i := strings.Index(text[from:], q)
		if i < 0 {
			return at, class
		}
		i += from
		if c := classAt(text, i, i+len(q)); c < class {
			at, class = i, c
		}
		from = i + 1
	}
}

func classAt(text string, from, to int) int {
	before, after := []rune(text[:from]), []rune(text[to:])
	begins := len(before) == 0 || !letter(before[len(before)-1])
	ends := len(after) == 0 || !letter(after[0])
	switch {
	case begins && ends && len(before) == 0:
		return firstWord
	case begins && ends:
		return oneWord
	case begins:
		return beginsWord
	}
	return within
}

func letter(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// indexes are n bytes from one on.
func indexes(from, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = from + i
	}
	return out
}
