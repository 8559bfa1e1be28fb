package keys

import "testing"

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
