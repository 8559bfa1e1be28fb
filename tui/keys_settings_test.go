package tui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

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

func TestSuspendingIsRefusedWithTheReason(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Suspend = func() string { return "nobody wakes us" } })
	if cmd := m.key(tea.KeyPressMsg{Code: 'z', Mod: tea.ModCtrl}); cmd != nil || !strings.Contains(screen(t, m), "suspend; fg comes back: nobody wakes us") {
		t.Errorf("it suspends, or does not say why not:\n%s", screen(t, m))
	}
}
