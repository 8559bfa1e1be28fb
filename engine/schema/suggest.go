package schema

import "github.com/monarch-tui/monarch-tui/engine/internal/suggest"

// Suggest ends the message of an unknown name: " (did you mean X?)" where one of from is near to word, else
// " (have a, b, c)", else "".
func Suggest(word string, from []string) string { return suggest.Suffix(word, from) }

// SuggestNear is Suggest where a list of all would mislead: "" where none of from is near to word.
func SuggestNear(word string, from []string) string { return suggest.Near(word, from) }
