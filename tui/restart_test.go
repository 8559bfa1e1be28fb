package tui

import (
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// R is about what has ended of what the cursor is on; what lives is left alone, in words.
func TestRestartIsForWhatHasEnded(t *testing.T) {
	b := worldtest.Pingpong(t)
	m := still(t, b, 120, 40)
	press(t, m, "2", "R")
	if !strings.Contains(m.toast.text, "lives: only what has ended begins anew (K kills it)") {
		t.Errorf("of a mesh that lives it says %q", m.toast.text)
	}
	mesh, _ := m.panes.here()
	name := ""
	for i := range m.world.Meshes {
		if m.world.Meshes[i].Ref.ID == mesh {
			name = m.world.Meshes[i].Ref.Name
		}
	}
	b.Rank(name, 0, "failed", 0)
	b.EditRank(name, 1, func(r *control.RankState) { r.Restarts = 2 })
	if got := m.endedOf(target{mesh: name, ranks: []int{0, 1}}); len(got) != 1 || got[0] != 0 {
		t.Errorf("ended: %v", got)
	}
	if got := nothingEnded(m); got != "" {
		t.Errorf("it refuses: %q", got)
	}
	if got := screen(t, m); !strings.Contains(got, "dp 0  [✕]  ↻ ") {
		t.Errorf("the grid does not show who is in another life:\n%s", got)
	}
}
