package tui

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// update is the flag of the golden package: it writes anew what the tests compare.
func update() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

// fresh compares a generated file of the docs with what is generated now.
func fresh(t *testing.T, name, want, make string) {
	t.Helper()
	if update() {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(name)
	if err != nil || string(got) != want {
		t.Errorf("%s is out of date (%s writes it anew): %v", filepath.Base(name), make, err)
	}
}

func TestTheKeysPageIsFresh(t *testing.T) {
	fresh(t, filepath.Join("..", "docs", "keys.md"), KeysMarkdown(), "make docs")
}

// TestThePicturesAreFresh draws the pictures of the docs from the screens that the tests hold.
func TestThePicturesAreFresh(t *testing.T) {
	for name, shot := range map[string]struct {
		scene, theme string
		w, h         int
	}{
		"ranks.svg":    {"ranks", "dark", 120, 40},
		"composer.svg": {"composer", "dark", 100, 30},
		"debugger.svg": {"stopped frame", "dark", 120, 40},
		"reload.svg":   {"reload rolling", "dark", 120, 40},
		"demo.svg":     {"story", "dark", 120, 40},
		"light.svg":    {"messages", "light", 120, 40},
	} {
		i := slices.IndexFunc(scenes, func(s scene) bool { return s.name == shot.scene })
		m := still(t, scenes[i].world(t), shot.w, shot.h, func(c *Config) { c.Settings.Theme = shot.theme })
		scenes[i].do(t, m)
		screen(t, m)
		svg := m.screen.SVG(m.theme, "monarch-tui: "+shot.scene)
		if !strings.Contains(svg, "</svg>") {
			t.Fatal("no picture")
		}
		fresh(t, filepath.Join("..", "docs", "img", name), svg, "make shots")
	}
}

// TestOneKeyHasOneMeaningINV_KEYS holds INV-KEYS: in one place, and across panes for the verbs that do something.
func TestOneKeyHasOneMeaningINV_KEYS(t *testing.T) {
	if _, err := newRegistry(actions(), nil); err != nil {
		t.Fatal(err)
	}
	byKey := map[string]*Action{}
	names := map[string]bool{}
	for _, a := range actions() {
		if names[a.Name] {
			t.Errorf("two actions are called %q", a.Name)
		}
		names[a.Name] = true
		if a.run == nil || a.Title == "" || a.Group == "" {
			t.Errorf("%q does nothing, or does not say what", a.Name)
		}
		for _, k := range a.Keys {
			if other := byKey[k]; other != nil {
				t.Errorf("%q is %q in one pane and %q in another", k, a.Title, other.Title)
			}
			byKey[k] = a
		}
	}
}

func TestARemapThatCannotBeIsRefusedInWords(t *testing.T) {
	for _, c := range []struct {
		keys map[string][]string
		want string
	}{
		{map[string][]string{"cal": {"x"}}, `there is no action "cal" (did you mean call?)`},
		{map[string][]string{"call": {"q"}}, `"q" is both`},
	} {
		if _, err := newRegistry(actions(), c.keys); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.keys, err, c.want)
		}
	}
}

func TestEveryActionHasKeysThatArrive(t *testing.T) {
	for _, a := range actions() {
		for _, k := range a.Keys {
			if _, err := keys.Bindable(k); err != nil {
				t.Errorf("%s: %v", a.Name, err)
			}
		}
	}
}

func TestASettingWithAKeyThatNeverArrivesIsRefused(t *testing.T) {
	for key, want := range map[string]string{"alt+C": `config:2: call: key "alt+C": terminals send it as "alt+shift+c": write that`, "ctrl+i": `"tab"`} {
		for _, value := range []string{`"` + key + `"`, `["f5", "` + key + `"]`} {
			if _, err := parseSettings("config", []byte("[keys]\ncall = "+value+"\n")); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", value, err)
			}
		}
	}
}

func TestBreakpointsAreKeptUnlessTheSettingsSayOtherwise(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "keep",
		`breakpoints = "keep"`:      "keep",
		`breakpoints = "forget"`:    "forget",
		`breakpoints = "forgett"`:   `config:1: breakpoints = "forgett": want "keep" or "forget" (did you mean forget?)`,
		"\nbreakpoints = false":     `config:2:15: breakpoints: want text in quotes, not a boolean`,
		`breakpiont = "forget"`:     `there is no setting "breakpiont" (did you mean breakpoints?)`,
		SettingsTemplate():          "keep",
		"# here\nbreakpoints = 'x'": "config:2: ",
	} {
		set, err := parseSettings("config", []byte(text))
		got := map[bool]string{false: "keep", true: "forget"}[set.ForgetBreaks]
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestSuspendingIsRefusedWithTheReason(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Suspend = func() string { return "nobody wakes us" } })
	if cmd := m.key(tea.KeyPressMsg{Code: 'z', Mod: tea.ModCtrl}); cmd != nil || !strings.Contains(screen(t, m), "▲ suspend: nobody wakes us") {
		t.Errorf("it suspends, or does not say why not:\n%s", screen(t, m))
	}
}
