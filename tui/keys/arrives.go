package keys

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
)

// Bindable is the key of a name, or an error where no terminal sends a key that is reported under that name: a key that
// is bound to it would never work. The error says which name arrives instead, where one does.
//
// What terminals send is what xterm does: ctrl keeps the lower five bits of a character, so that ctrl+i is a tab; shift is
// part of the character; only keys that are sent as sequences, such as the arrows, keep every modifier.
func Bindable(name string) (tea.KeyPressMsg, error) {
	k, err := Parse(name)
	if err != nil {
		return k, err
	}
	switch arrives := arrives(k); arrives {
	case name:
		return k, nil
	case "":
		return k, fmt.Errorf("key %q: terminals do not send it", name)
	default:
		return k, fmt.Errorf("key %q: terminals send it as %q: write that", name, arrives)
	}
}

// arrives is the name under which a key that is pressed is reported, "" for none.
func arrives(k tea.KeyPressMsg) string {
	ctrl, alt, shift := k.Mod&tea.ModCtrl != 0, k.Mod&tea.ModAlt != 0, k.Mod&tea.ModShift != 0
	name := string(k.Code)
	for n, code := range names() {
		if code == k.Code {
			name = n
		}
	}
	switch sends := characters()[name]; {
	case utf8.RuneCountInString(name) > 1 && sends == nil: // a sequence
	case sends != nil:
		for mod, on := range map[string]bool{"ctrl": ctrl, "shift": shift} {
			if on && !slices.Contains(sends, mod) {
				ctrl, shift = ctrl && mod != "ctrl", shift && mod != "shift"
			}
		}
	case ctrl:
		shift = false
		lower := strings.ToLower(name)
		switch same := map[string]string{"i": "tab", "m": "enter", "[": "esc", "?": "backspace"}[lower]; {
		case same != "":
			name, ctrl = same, false
		case lower == "@":
			name = "space"
		case lower == "/":
			name = "_"
		case len(lower) == 1 && (lower[0] >= 'a' && lower[0] <= 'z' || strings.Contains(`\]^_`, lower)):
			name = lower
		default:
			return ""
		}
	case isLower(name) && shift && !alt:
		name, shift = strings.ToUpper(name), false
	case isLower(strings.ToLower(name)) && alt:
		shift = shift || !isLower(name)
		name = strings.ToLower(name)
	case shift && strings.ToUpper(name) == name: // shift and a character that is shifted, or has no shift
		if !isLower(strings.ToLower(name)) {
			return ""
		}
		shift = false
	}
	for _, m := range []struct {
		name string
		on   bool
	}{{"shift", shift}, {"alt", alt}, {"ctrl", ctrl}} {
		if m.on {
			name = m.name + "+" + name
		}
	}
	return name
}

func isLower(name string) bool { return len(name) == 1 && name[0] >= 'a' && name[0] <= 'z' }

// characters are the named keys that terminals send as a character, with the modifiers beside alt that it can have.
func characters() map[string][]string {
	return map[string][]string{"enter": {}, "esc": {}, "backspace": {}, "tab": {"shift"}, "space": {"ctrl"}}
}
