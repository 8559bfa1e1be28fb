package suggest

import (
	"strings"
	"testing"
)

func TestAnUnknownNameSuggests(t *testing.T) {
	have := []string{"by", "tags", "HelloWorld", "gpus"}
	for _, tc := range []struct{ name, word, want string }{
		{"the name with one letter too many", "bye", " (did you mean by?)"},
		{"the name with two letters swapped", "gpsu", " (did you mean gpus?)"},
		{"the name in another case", "helloworld", " (did you mean HelloWorld?)"},
		{"the name it begins", "hello", " (did you mean HelloWorld?)"},
		{"the name without its plural", "gpu", " (did you mean gpus?)"},
		{"all names when none is near", "zzz", " (have HelloWorld, by, gpus, tags)"},
		{"all names for an empty word", "", " (have HelloWorld, by, gpus, tags)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Suffix(tc.word, have); got != tc.want {
				t.Errorf("Suffix(%q) = %q, want %q", tc.word, got, tc.want)
			}
		})
	}
	if got := Suffix("lost", []string{"host", "lost-proc"}); got != " (did you mean lost-proc?)" {
		t.Errorf("of two that are as near it is the one that begins alike, got %q", got)
	}
	if got := Suffix("x", nil); got != "" {
		t.Errorf("with nothing to choose from the suffix is empty, got %q", got)
	}
	if got := Suffix(strings.Repeat("x", 1<<20), have); !strings.HasPrefix(got, " (have") {
		t.Errorf("a huge word lists the names, got %q", got)
	}
	if got := Suffix("zzz", []string{"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b1", "b2", "b3", "b4"}); !strings.HasSuffix(got, "b3, …)") {
		t.Errorf("a long list is cut, got %q", got)
	}
}
