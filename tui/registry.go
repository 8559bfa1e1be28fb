package tui

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/keys"
)

// Action is something a person can do. Keys, the palette, the help menu, the hints in the last row and docs/keys.md are
// all made of actions, so that they cannot disagree.
type Action struct {
	Name   string   // stable: settings remap keys by it
	Keys   []string // as Bubble Tea spells them; the first is shown
	Title  string   // what it does, as a row of the help menu
	Hint   string   // one or two words for the last row; "": not shown there
	HintIn []PaneID // panes in which the hint is shown; none: wherever the keys work
	Group  string   // heading
	Panes  []PaneID // where the keys work; none: everywhere
	Weight int      // of hints: the heavier stays when the row is short

	hinted   func(m *Model) bool // the hint is shown only then; nil: whenever it can be done
	anywhere bool                // in menus, forms and the open line, too, by keys that are not text

	disabledReason func(m *Model) string // why it cannot be done now, "" if it can
	run            func(m *Model) tea.Cmd
}

// Here reports whether the action's keys work in a pane.
func (a *Action) Here(p PaneID) bool { return len(a.Panes) == 0 || slices.Contains(a.Panes, p) }

// Key is the key that is shown for the action.
func (a *Action) Key() string {
	if len(a.Keys) == 0 {
		return ""
	}
	return keyName(a.Keys[0])
}

// called is the action in a word or two: before a reason why it cannot be done, which is what the row is for.
func (a *Action) called() string {
	if a.hinted != nil { // the hint is of where it is shown
		return a.Name
	}
	title, _, _ := strings.Cut(a.Title, ": ")
	title, _, _ = strings.Cut(title, "; ")
	return cmp.Or(a.Hint, title)
}

// keyName is a key as a person reads it.
func keyName(k string) string {
	switch k {
	case "up", "shift+up", "down", "shift+down", "left", "right", "shift+left", "shift+right", "ctrl+left", "ctrl+right", "alt+right", "alt+left":
		return strings.NewReplacer("up", "↑", "down", "↓", "left", "←", "right", "→").Replace(k)
	}
	return k
}

// Registry is all actions, by key.
type Registry struct {
	list  []*Action
	byKey map[string][]*Action
}

// newRegistry makes the registry; remap gives actions other keys. Two actions with one key in one place are refused.
func newRegistry(list []*Action, remap map[string][]string) (*Registry, error) {
	r := &Registry{byKey: map[string][]*Action{}}
	names := make([]string, 0, len(list))
	for _, a := range list {
		a := *a
		names = append(names, a.Name)
		if keys, ok := remap[a.Name]; ok {
			if a.Name == interruptAction {
				return nil, fmt.Errorf("keys: %q keeps its key %q: it is the way out", a.Name, interruptKey)
			}
			a.Keys = keys
		}
		r.list = append(r.list, &a)
	}
	for name := range remap {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("keys: there is no action %q%s", name, schema.Suggest(name, names))
		}
	}
	for _, a := range r.list {
		for _, k := range a.Keys {
			if k == interruptKey && a.Name != interruptAction {
				return nil, fmt.Errorf("keys: %q cannot be %q: it always interrupts, and leaves", k, a.Name)
			}
			for _, other := range r.byKey[k] {
				if overlap(a.Panes, other.Panes) {
					return nil, fmt.Errorf("keys: %q is both %q (%s) and %q (%s)", k, a.Name, a.Title, other.Name, other.Title)
				}
			}
			r.byKey[k] = append(r.byKey[k], a)
		}
	}
	return r, nil
}

func overlap(a, b []PaneID) bool {
	if len(a) == 0 || len(b) == 0 {
		return true
	}
	return slices.ContainsFunc(a, func(p PaneID) bool { return slices.Contains(b, p) })
}

// find is the action of a key in a pane.
func (r *Registry) find(key string, p PaneID) *Action {
	for _, a := range r.byKey[key] {
		if a.Here(p) {
			return a
		}
	}
	return nil
}

// named is the action of a name.
func (r *Registry) named(name string) *Action {
	for _, a := range r.list {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// keyOf is the key that is shown for an action, "" where it has none. Texts name keys by it: settings may change them.
func (m *Model) keyOf(action string) string {
	if action == keys.Arrows {
		return m.reg.arrows()
	}
	return m.reg.named(action).Key()
}

// keyHint is the part of a text that names the key of an action, as %s, and nothing where the action has no key.
func (m *Model) keyHint(text, action string) string {
	return keys.Of(m.keyOf).Hint(text, action)
}

// arrows are the keys that move up and down: the arrows, where they do.
func (r *Registry) arrows() string {
	up, down := r.named("up"), r.named("down")
	if slices.Contains(up.Keys, "up") && slices.Contains(down.Keys, "down") {
		return "↑ ↓"
	}
	return strings.TrimSpace(up.Key() + " " + down.Key())
}

// do runs an action, or says why it cannot be done.
func (m *Model) do(a *Action) tea.Cmd {
	if a == nil {
		return nil
	}
	if why := m.whyNot(a); why != "" {
		m.say(sayWarn, a.called()+": "+why)
		return nil
	}
	return a.run(m)
}

func (m *Model) whyNot(a *Action) string {
	if a.disabledReason == nil {
		return ""
	}
	return a.disabledReason(m)
}

// KeysMarkdown is docs/keys.md, made from the actions.
func KeysMarkdown() string {
	var b strings.Builder
	b.WriteString("# Keys\n\nGenerated from the explorer's actions; `make docs` writes it anew. One key means one thing wherever it works.\n" +
		"`?` in the program lists what applies where you are, and runs it. Settings may give an action other keys by its name.\n")
	group, table := "", slots()
	for _, a := range actions() {
		if a.Group != group {
			group = a.Group
			fmt.Fprintf(&b, "\n## %s\n\n| key | does | where | name |\n|---|---|---|---|\n", group)
		}
		names := make([]string, 0, len(a.Keys))
		for _, k := range a.Keys {
			names = append(names, "`"+strings.ReplaceAll(keyName(k), "|", "\\|")+"`")
		}
		where := make([]string, 0, len(a.Panes))
		for _, p := range a.Panes {
			where = append(where, table[p].name)
		}
		if len(where) == 0 {
			where = []string{"everywhere"}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | `%s` |\n", strings.Join(names, " "), a.Title, strings.Join(where, ", "), a.Name)
	}
	b.WriteString("\n## Places by their word\n\nOn the `:` line, one of these words goes there: ")
	for i, word := range slices.Sorted(maps.Keys(placeWords())) {
		b.WriteString(map[bool]string{true: ", "}[i > 0] + "`:" + word + "`")
	}
	b.WriteString(".\n")
	return b.String()
}
