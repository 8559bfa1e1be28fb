// Package keys reads the names of keys, as settings, tests and the docs write them: x, enter, shift+tab, ctrl+p.
package keys

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/schema"
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
	code, named := names()[rest]
	if !named {
		var n int
		if code, n = utf8.DecodeRuneInString(rest); n != len(rest) || n == 0 {
			return tea.KeyPressMsg{}, fmt.Errorf("there is no key %q%s", name, schema.Suggest(rest, slices.Collect(maps.Keys(names()))))
		}
	}
	k.Code = code
	switch {
	case rest == "space":
		k.Text = " "
	case !named && k.Mod&(tea.ModCtrl|tea.ModAlt) == 0:
		k.Text = rest
	}
	return tea.KeyPressMsg(k), nil
}

// names are the keys that have a name.
func names() map[string]rune {
	all := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "space": tea.KeySpace, "backspace": tea.KeyBackspace, "delete": tea.KeyDelete,
		"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
		"home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
	}
	for n := range 12 {
		all[fmt.Sprintf("f%d", n+1)] = tea.KeyF1 + rune(n)
	}
	return all
}

// Of is the key that is shown for an action, by the action's name; "" where the action has no key. Whatever tells of a
// key asks it, so that it tells the key that works: settings may give an action another one.
type Of func(action string) string

// Arrows is a name to ask Of for the keys that move up and down, as one text.
const Arrows = "arrows"

// Hint is the part of a text that tells the key of an action, which stands as %s in it; "" where the action has no key.
func (of Of) Hint(text, action string) string {
	if k := of(action); k != "" {
		return strings.Replace(text, "%s", k, 1)
	}
	return ""
}
