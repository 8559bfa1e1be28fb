package tui

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/debugger/script"
)

func TestEveryVerbThatNeedsAScreenIsRunByTheExplorer(t *testing.T) {
	have := screenVerbs()
	for _, v := range script.Verbs() {
		if v.Screen && have[v.Name] == nil {
			t.Errorf("%s needs a screen, and the explorer has no code for it", v.Name)
		}
	}
	for name := range have {
		if v, ok := script.VerbNamed(name); !ok || v.Name != name {
			t.Errorf("the explorer runs %s, which is no verb", name)
		}
	}
}
