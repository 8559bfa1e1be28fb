package tui

import (
	"runtime"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// inputs opens each place where text can be typed.
var inputs = map[string][]string{
	"command": {":"}, "filter": {"4", "/"}, "slice": {"2", "e"}, "stride": {"2", "%"}, "field": {"2", "x"}, "literal": {"2", "x", "ctrl+e"}, "picker": {"?"},
	"name": {"2", "K"}, "mesh": {"M"}, "history": {":", "ctrl+r"},
}

// work is how many bytes a function allocates, as a measure of steps: whoever works a whole text over for each of its
// characters copies it as often.
func work(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestAPasteOfAnyLengthIsTakenOrRefusedAtOnce(t *testing.T) {
	const most = 160 << 20 // one copy for each of 20,000 characters would be 800 MB
	for name, keys := range inputs {
		for _, unit := range []string{"x", "é ", "ｶﾞ", "1,", "a\n"} {
			for _, n := range []int{20_000, 1 << 20} {
				m := still(t, worldtest.Pingpong(t), 120, 40)
				press(t, m, keys...)
				text := strings.Repeat(unit, n/len([]rune(unit)))
				if got := work(func() {
					m.Update(tea.PasteMsg{Content: text})
					m.View()
					press(t, m, "left", "a", "backspace", "right")
					m.View()
				}); got > most {
					t.Errorf("%s: %d of %q cost %d MB", name, n, unit, got>>20)
				}
			}
		}
	}
}

func TestARefusedPasteNamesTheLimitAndLeavesTheInputAsItWas(t *testing.T) {
	for _, name := range []string{"command", "filter", "field", "picker"} {
		for n, want := range map[int]string{70_000: "a line takes 65,536 characters, and with this it has 70,002", 2 << 20: "a paste may have 1.0 MiB, and this has 2.0 MiB"} {
			m := still(t, worldtest.Pingpong(t), 120, 40)
			press(t, m, inputs[name]...)
			typeText(m, "ab")
			m.Update(tea.PasteMsg{Content: strings.Repeat("x", n)})
			if got := screen(t, m); !strings.Contains(m.toast.text, want) || !strings.Contains(got, "ab") || strings.Contains(got, "xxxx") {
				t.Errorf("%s, %d: %q\n%s", name, n, m.toast.text, got)
			}
		}
	}
}

func TestWhereTheCursorIsInALongLineIsSeen(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 80, 24)
	press(t, m, ":")
	m.Update(tea.PasteMsg{Content: strings.Repeat("日本 ", 2000) + "the end"})
	if got := screen(t, m); !strings.Contains(got, "the end") {
		t.Error(got)
	}
	press(t, m, "home")
	if got := screen(t, m); strings.Contains(got, "the end") || !strings.Contains(got, ":日本 日本") {
		t.Error(got)
	}
}
