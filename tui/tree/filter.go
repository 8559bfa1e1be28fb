package tree

import "strings"

// filter is words that a line must hold, each as a part of its text or, from three letters on, with others between its
// letters.
type filter struct {
	text  string
	words []string
}

func newFilter(text string) filter {
	return filter{text: text, words: strings.Fields(strings.ToLower(text))}
}

func (f *filter) empty() bool { return len(f.words) == 0 }

// match reports whether a text holds all words.
func (f *filter) match(text []byte) bool {
	for _, word := range f.words {
		if find(text, word) < 0 && !loosely(text, word, nil) {
			return false
		}
	}
	return true
}

// spots marks the bytes of a text that words were found in.
func (f *filter) spots(text []byte) []bool {
	if f.empty() {
		return nil
	}
	out := make([]bool, len(text))
	for _, word := range f.words {
		if at := find(text, word); at >= 0 {
			for i := range len(word) {
				out[at+i] = true
			}
		} else {
			loosely(text, word, out)
		}
	}
	return out
}

// find is where a lower-case word begins in a text of any case, -1 where it does not.
func find(text []byte, word string) int {
	for at := 0; at+len(word) <= len(text); at++ {
		i := 0
		for i < len(word) && lower(text[at+i]) == word[i] {
			i++
		}
		if i == len(word) {
			return at
		}
	}
	return -1
}

// loosely finds the letters of a word in order, with others between them, and marks them in spots where all are found.
func loosely(text []byte, word string, spots []bool) bool {
	if len(word) < 3 {
		return false
	}
	i := 0
	for _, c := range text {
		if i < len(word) && lower(c) == word[i] {
			i++
		}
	}
	if i < len(word) {
		return false
	}
	i = 0
	for at, c := range text {
		if i < len(word) && lower(c) == word[i] {
			i++
			if spots != nil {
				spots[at] = true
			}
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
