package worldtest

import "github.com/monarch-tui/monarch-tui/tui/keys"

// Keys are the keys of actions as they are without settings, for panes that tell of them. An action that is not known here
// fails the test by its name on the screen.
func Keys(action string) string {
	key, ok := map[string]string{
		keys.Arrows: "↑ ↓", "attach": "A", "back": "esc", "beside": "&", "break": "b", "call": "x", "denser": "z", "describe": "d", "discard": "X", "help": "?", "hidden": "H", "log.path": "L", "next.paused": "n", "next.tab": "]", "open": "enter", "pause": "P",
		"pane.1": "1", "pane.2": "2", "pane.4": "4", "prev.tab": "[", "procs": "M", "rectangle": "v", "reload": "r", "select": "space", "slice": "e", "spawn": "a", "stop": "delete", "transpose": "t",
	}[action]
	if !ok {
		return "no action " + action
	}
	return key
}
