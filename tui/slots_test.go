package tui

import (
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
	for _, c := range []struct {
		keys []string
		want string
	}{
		{[]string{"4", "["}, "these are the open calls; ] goes to the messages"},
		{[]string{"5", "]"}, "these are the commands; ] goes to the logs"},
	} {
		press(t, m, c.keys...)
		if got := noStream(m); got != c.want {
			t.Errorf("after %v: %q, want %q", c.keys, got, c.want)
		}
		if press(t, m, "]"); noStream(m) != "" {
			t.Errorf("after %v and ] it says %q", c.keys, noStream(m))
		}
	}
	s := slot{tabs: make([]tab, 3)}
	for open, want := range []string{"", "prev.tab", "next.tab"} {
		if s.open = open; s.toFirst() != want {
			t.Errorf("from tab %d of 3 %q leads to the first, want %q", open, s.toFirst(), want)
		}
	}
}
