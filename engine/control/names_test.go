package control

import (
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
