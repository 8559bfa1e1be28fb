package via

import (
	"errors"
	"strings"
)

// splitWords cuts a line into words as a shell does: quotes hold words together, a backslash takes the next character as it is.
// Nothing is expanded.
func splitWords(s string) (words []string, err error) {
	var word strings.Builder
	open := false // a word has begun, perhaps an empty one
	var quoted rune
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			if quoted == '"' && !strings.ContainsRune("\"\\$`", r) {
				word.WriteByte('\\')
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quoted != '\'':
			escaped, open = true, true
		case quoted != 0:
			if r == quoted {
				quoted = 0
			} else {
				word.WriteRune(r)
			}
		case r == '\'' || r == '"':
			quoted, open = r, true
		case strings.ContainsRune(" \t\r\n", r):
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteRune(r)
			open = true
		}
	}
	switch {
	case quoted != 0:
		return nil, errors.New("a quote " + string(quoted) + " is not closed")
	case escaped:
		return nil, errors.New("a backslash at the end stands for nothing")
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}
