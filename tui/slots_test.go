package tui

import (
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// TestEveryTabTellsWhatItsPaneCanDo holds the table of slots to the panes: a text that is missing there would be an empty
// hint, title or message on the screen.
func TestEveryTabTellsWhatItsPaneCanDo(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	for p := Mesh; p < panes; p++ {
		s := &m.panes.slots[p]
		if s.name == "" || len(s.tabs) == 0 {
			t.Fatalf("slot %d has the name %q and %d tabs", p, s.name, len(s.tabs))
		}
		for i := range s.tabs {
			tab := &s.tabs[i]
			need := func(what, text string, has bool) {
				if has && text == "" {
					t.Errorf("tab %d of slot %s has no %s", i, s.name, what)
				}
			}
			need("name", tab.name, len(s.tabs) > 1)
			_, copies := tab.body.(texter)
			need("item", tab.item, copies)
			_, filters := tab.body.(filterer)
			need("hint about its filter", tab.filter, filters)
			_, opens := tab.body.(opener)
			need("title of its box", tab.box, opens)
			if _, turns := tab.body.(turner); turns != tab.pages {
				t.Errorf("tab %d of slot %s: its pane turns pages: %v, the table says %v", i, s.name, turns, tab.pages)
			}
		}
	}
}

func TestTheTabsOfASlotComeRoundInBothDirections(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	for p := Mesh; p < panes; p++ {
		s := &m.panes.slots[p]
		for _, by := range []int{1, -1} {
			for range s.tabs {
				s.turn(by)
			}
			if s.open != 0 {
				t.Errorf("slot %s: %d turns by %d lead to tab %d", s.name, len(s.tabs), by, s.open)
			}
		}
	}
}

func TestATabThatHasNoMessagesTellsTheWayToThem(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40)
	if press(t, m, "4", "["); noStream(m) != "these are the open calls; ] goes to the messages" {
		t.Errorf("the tab of the calls says %q", noStream(m))
	}
	for p := Mesh; p < panes; p++ {
		for i, tab := range m.panes.slots[p].tabs {
			if tab.other == "" {
				continue
			}
			m.setFocus(p)
			m.panes.slots[p].open = i
			turn := m.panes.slots[p].toFirst()
			if got := noStream(m); !strings.HasPrefix(got, tab.other) || turn != "" && !strings.Contains(got, "; "+m.keyOf(turn)+" goes to") {
				t.Errorf("tab %s: %q, want %q and the way back by %q", tab.name, got, tab.other, turn)
			}
			if turn == "" {
				continue
			}
			if press(t, m, m.reg.named(turn).Keys[0]); noStream(m) != "" {
				t.Errorf("after the way back from tab %s it says %q", tab.name, noStream(m))
			}
		}
	}
	s := slot{tabs: make([]tab, 3)}
	for open, want := range []string{"", "prev.tab", "next.tab"} {
		if s.open = open; s.toFirst() != want {
			t.Errorf("from tab %d of 3 %q leads to the first, want %q", open, s.toFirst(), want)
		}
	}
}
