package tui

import (
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// TestEverySizeDrawsWithinItsBoundsINV_SIZE draws each pane at many sizes, at 0×0 first.
// It holds INV-SIZE.
func TestEverySizeDrawsWithinItsBoundsINV_SIZE(t *testing.T) {
	for _, of := range []func(testing.TB) *worldtest.Builder{worldtest.Pingpong, worldtest.Stopped} {
		everySize(t, still(t, of(t), 0, 0))
	}
}

func everySize(t *testing.T, m *Model) {
	t.Helper()
	m.View()
	widths := []int{0, 1, 2, 7, 18, 29, 30, 31, 40, 59, 60, 61, 79, 80, 100, 109, 110, 120, 160, 200}
	heights := []int{0, 1, 5, 7, 8, 9, 10, 11, 12, 15, 16, 17, 24, 40, 70}
	for _, w := range widths {
		for _, h := range heights {
			for p := Mesh; p < panes; p++ {
				m.focus = p
				m.Update(tea.WindowSizeMsg{Width: w, Height: h})
				if w > 0 && h > 0 {
					screen(t, m)
				} else {
					m.View()
				}
			}
		}
	}
}

// TestAVoiceMarkThatIsPastedTakesACell is what random keys have found: Unicode counts the mark to the ":" before it, and
// terminals give it a cell.
func TestAVoiceMarkThatIsPastedTakesACell(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 30, 8)
	m.Update(tea.PasteMsg{Content: "ﾞ"})
	if got := screen(t, m); !strings.Contains(got, ":ﾞ") {
		t.Error(got)
	}
}

// TestRandomKeysAndClicksKeepTheInvariants presses what there is to press, at sizes that change.
func TestRandomKeysAndClicksKeepTheInvariants(t *testing.T) {
	var names []string
	for _, a := range actions() {
		names = append(names, a.Keys...)
	}
	names = append(names, "a", "1", "0", "=", ",", "(", ")", "\"", "enter", "esc", "tab", "backspace", "space", "ctrl+e", "ctrl+r", "ctrl+y", "left", "right", "down")
	for _, k := range []string{"ctrl+c", "ctrl+z", "q", "o"} { // they leave, or start another program
		names = slices.DeleteFunc(names, func(x string) bool { return x == k })
	}
	rapid.Check(t, func(rt *rapid.T) {
		of := rapid.SampledFrom([]func(testing.TB) *worldtest.Builder{worldtest.Pingpong, worldtest.Stopped}).Draw(rt, "world")
		m := still(t, of(t), rapid.IntRange(1, 160).Draw(rt, "w"), rapid.IntRange(1, 50).Draw(rt, "h"))
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			switch rapid.IntRange(0, 10).Draw(rt, "what") {
			case 10: // what was asked for comes, and one more stops, or goes on
				looked(m)
				id := rapid.Uint64Range(5, 12).Draw(rt, "stop")
				stopping(m, stopEvent(id, int(id)), &control.Event{Stop: &control.StopEvent{Stop: control.Stop{ID: id - 1}, Gone: true}})
			case 0:
				m.Update(tea.WindowSizeMsg{Width: rapid.IntRange(1, 160).Draw(rt, "w"), Height: rapid.IntRange(1, 50).Draw(rt, "h")})
			case 1, 2:
				x, y := rapid.IntRange(0, 160).Draw(rt, "x"), rapid.IntRange(0, 50).Draw(rt, "y")
				m.Update(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
				m.Update(tea.MouseMotionMsg{X: y, Y: x / 3, Button: tea.MouseLeft})
				m.Update(tea.MouseReleaseMsg{X: x, Y: y, Button: tea.MouseLeft})
				m.Update(tea.MouseWheelMsg{X: x, Y: y, Button: tea.MouseWheelDown})
			case 3:
				m.Update(tea.PasteMsg{Content: rapid.StringN(0, 40, 80).Draw(rt, "paste")})
			default:
				k := rapid.SampledFrom(names).Draw(rt, "key")
				msg, err := keys.Parse(k)
				if err != nil {
					rt.Fatal(err)
				}
				m.Update(msg)
			}
			screen(rt, m)
			if m.focus <= None || m.focus >= panes {
				rt.Fatalf("focus %d", m.focus)
			}
		}
	})
}
