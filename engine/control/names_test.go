package control

import (
	"regexp"
	"strings"
	"testing"
)

func TestANameThatTheLanguageCannotSayIsRefusedWithOneThatItCan(t *testing.T) {
	for name, says := range map[string]string{
		"toy": "", "_a-b_9": "", strings.Repeat("n", 63): "",
		"model.v2": `a dot begins the name of an endpoint, as in @model_v2.Get; write model_v2`,
		"":         "actor mesh: the name is empty: want a letter or _", "a\n": `actor mesh name "a\n": want`, "\n": `name "\n": want`, "a\u202eb": `"a\u202eb"`, "9lives": "want a letter", "a b": "want a letter", "größe": "want a letter", "a.b c": "want a letter",
		strings.Repeat("n", 64): "63 at most",
	} {
		err := CheckName("actor mesh", name)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", name, err, says)
		}
	}
}

// TestANameIsWhatTheRuleSays compares with the rule as a regular expression.
func TestANameIsWhatTheRuleSays(t *testing.T) {
	rule := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,62}$`)
	names := []string{"", "a", "Z9", "_", "-a", "9a", "a.b", "a\n", "é", "aé", strings.Repeat("x", 63), strings.Repeat("x", 64)}
	for c := range 256 {
		names = append(names, string([]byte{byte(c)}), string([]byte{'a', byte(c)}), string([]byte{'a', byte(c), 'b'}))
	}
	for _, name := range names {
		if got, want := isName(name), rule.MatchString(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}
