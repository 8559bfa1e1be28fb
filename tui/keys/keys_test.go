package keys

import (
	"fmt"
	"strings"
	"testing"
)

// TestANameIsReadAsTheTerminalSpellsIt reads names and has Bubble Tea spell the key: both must agree, or a remapped key
// would never be pressed.
func TestANameIsReadAsTheTerminalSpellsIt(t *testing.T) {
	for _, name := range []string{
		"x", "X", "?", "+", "é", "enter", "esc", "tab", "shift+tab", "space", "backspace", "delete", "up", "shift+down", "ctrl+left", "alt+right",
		"home", "end", "pgup", "pgdown", "ctrl+p", "alt+x",
	} {
		k, err := Parse(name)
		if err != nil || k.String() != name {
			t.Errorf("%q is read as %q, %v", name, k.String(), err)
		}
	}
	for _, name := range []string{"", "xx", "entr", "hyper+x", "ctrl+", "ctrl+xx"} {
		if k, err := Parse(name); err == nil {
			t.Errorf("%q is read as %q", name, k.String())
		}
	}
}

func TestAKeyThatNeverArrivesIsRefusedWithTheNameThatDoes(t *testing.T) {
	for name, want := range map[string]string{ // what Bubble Tea reports of what xterm sends
		"alt+C": "alt+shift+c", "shift+q": "Q", "ctrl+Q": "ctrl+q", "ctrl+shift+q": "ctrl+q", "ctrl+i": "tab", "ctrl+m": "enter", "ctrl+[": "esc",
		"ctrl+?": "backspace", "ctrl+@": "ctrl+space", "ctrl+/": "ctrl+_", "ctrl+alt+I": "alt+tab", "alt+ctrl+x": "ctrl+alt+x", "shift+alt+up": "alt+shift+up",
		"ctrl+enter": "enter", "shift+enter": "enter", "ctrl+tab": "tab", "shift+space": "space", " ": "space", "shift+Q": "Q", "ctrl+shift+tab": "shift+tab",
	} {
		if _, err := Bindable(name); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("as %q", want)) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	for _, name := range []string{"ctrl+1", "ctrl+é", "shift+1", "shift+?"} {
		if _, err := Bindable(name); err == nil || !strings.Contains(err.Error(), "do not send it") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{
		"q", "Q", "é", "É", "?", "+", "ctrl+q", "ctrl+h", "ctrl+j", "ctrl+]", "ctrl+space", "ctrl+alt+q", "alt+c", "alt+shift+c", "alt+1", "alt+!", "alt+É", "shift+tab",
		"alt+tab", "alt+enter", "shift+up", "ctrl+up", "ctrl+alt+up", "alt+shift+up", "ctrl+delete", "f1", "shift+f5", "space", "esc",
	} {
		if k, err := Bindable(name); err != nil || k.String() != name {
			t.Errorf("%s: %v, as %s", name, err, k)
		}
	}
}

func TestAKeyThatIsNoneNamesTheOneThatIs(t *testing.T) {
	for name, want := range map[string]string{
		"F5": `there is no key "F5" (did you mean f5?)`, "ctrl+entr": `there is no key "ctrl+entr" (did you mean enter?)`,
		"pagedown": `there is no key "pagedown" (did you mean pgdown?)`, "": `there is no key "" (have backspace, delete, down, end, enter, esc, f1, f10, f11, f12, f2, f3, …)`,
	} {
		if _, err := Parse(name); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
}
