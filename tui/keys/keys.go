// Package keys reads the names of keys, as settings, tests and the docs write them: x, enter, shift+tab, ctrl+p.
package keys

import (
	"fmt"
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
)

// Parse is the message of a key: one character, or a name such as enter, shift+tab, ctrl+p.
func Parse(name string) (tea.KeyPressMsg, error) {
	var k tea.Key
	rest := name
	for {
		mod, after, ok := strings.Cut(rest, "+")
		if !ok || after == "" {
			break
		}
		switch mod {
		case "ctrl":
			k.Mod |= tea.ModCtrl
		case "alt":
			k.Mod |= tea.ModAlt
		case "shift":
			k.Mod |= tea.ModShift
		default:
			return tea.KeyPressMsg{}, fmt.Errorf("key %q: there is no modifier %q", name, mod)
		}
		rest = after
	}
	switch rest {
	case "enter":
		k.Code = tea.KeyEnter
	case "esc":
		k.Code = tea.KeyEscape
	case "tab":
		k.Code = tea.KeyTab
	case "space":
		k.Code, k.Text = tea.KeySpace, " "
	case "backspace":
		k.Code = tea.KeyBackspace
	case "delete":
		k.Code = tea.KeyDelete
	case "up":
		k.Code = tea.KeyUp
	case "down":
		k.Code = tea.KeyDown
	case "left":
		k.Code = tea.KeyLeft
	case "right":
		k.Code = tea.KeyRight
	case "home":
		k.Code = tea.KeyHome
	case "end":
		k.Code = tea.KeyEnd
	case "pgup":
		k.Code = tea.KeyPgUp
	case "pgdown":
		k.Code = tea.KeyPgDown
	default:
		r, n := utf8.DecodeRuneInString(rest)
		if n != len(rest) || n == 0 {
			return tea.KeyPressMsg{}, fmt.Errorf("there is no key %q", name)
		}
		k.Code = r
		if k.Mod&(tea.ModCtrl|tea.ModAlt) == 0 {
			k.Text = rest
		}
	}
	return tea.KeyPressMsg(k), nil
}
