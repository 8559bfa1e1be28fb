package debugger_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

func at(id uint64, mesh string, rank int) control.Stop {
	return control.Stop{ID: id, Mesh: mesh, Rank: rank, Endpoint: "Do", Site: control.SiteRecv}
}

// TestACommandIsAboutOneFrame holds INV-ONE and INV-TOLD.
func TestACommandIsAboutOneFrame(t *testing.T) {
	one := []control.Stop{at(7, "w", 1)}
	three := []control.Stop{at(9, "w", 3), at(7, "w", 1), at(8, "a", 0)}
	twice := []control.Stop{at(9, "w", 1), at(7, "w", 1)}
	for name, c := range map[string]struct {
		stops []control.Stop
		to    debugger.Attached
		id    uint64
		err   string
	}{
		"nobody is stopped":                   {nil, debugger.Attached{}, 0, "nothing is stopped"},
		"the only one":                        {one, debugger.Attached{}, 7, ""},
		"one of several is no guess":          {three, debugger.Attached{}, 0, "3 frames are stopped: say which, with attach NAME RANK or a target (@a[0].Do, @w[1,3].Do)"},
		"the one that somebody attached to":   {three, debugger.Attached{Mesh: "w", Rank: 3}, 9, ""},
		"of two frames of an actor that one":  {twice, debugger.Attached{Mesh: "w", Rank: 1, Stop: 9}, 9, ""},
		"the actor's next stop":               {one, debugger.Attached{Mesh: "w", Rank: 1, Stop: 3}, 7, ""},
		"attached, and it runs":               {three, debugger.Attached{Mesh: "w", Rank: 2}, 0, "you are attached to it, and @w[2] is not stopped; of @w are @w[1,3].Do (detach leaves it)"},
		"attached, and nobody of it stopped":  {one, debugger.Attached{Mesh: "a", Rank: 0}, 0, "nobody of @a is: pause @a[0] stops it at its next site"},
		"attached, where another one is only": {one, debugger.Attached{Mesh: "w", Rank: 0}, 0, "@w[0] is not stopped"},
	} {
		st, err := debugger.Which(c.stops, c.to)
		switch {
		case c.err == "" && (err != nil || st.ID != c.id):
			t.Errorf("%s: stop %d, %v; want %d", name, st.ID, err, c.id)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: stop %d, %v; want an error with %q", name, st.ID, err, c.err)
		}
	}
	if _, err := debugger.Numbered(three, 4); err == nil || !strings.Contains(err.Error(), "there is no stop 4: there are 8 @a[0].Do, 7 @w[1].Do, 9 @w[3].Do") {
		t.Errorf("an unknown number: %v", err)
	}
	here, absent, err := debugger.Among(three, "w", []int{0, 1, 2, 3})
	if err != nil || len(here) != 2 || here[0].ID != 7 || !slices.Equal(absent, []int{0, 2}) {
		t.Errorf("among: %v, %v, %v", here, absent, err)
	}
}

// TestListsOfStopsHaveOneOrder holds INV-ORDER, whatever order stops happened in.
func TestListsOfStopsHaveOneOrder(t *testing.T) {
	want := []string{"@a[2].Do", "@w[1].Do", "@w[10].Do"}
	stops := []control.Stop{at(1, "w", 10), at(2, "w", 1), at(3, "a", 2)}
	for range 3 {
		if got := debugger.Places(stops); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		stops = append(stops[1:], stops[0])
	}
	if got := debugger.Folded(append(stops, at(4, "w", 2), at(5, "w", 3))); got != "@a[2].Do, @w[1-3,10].Do" {
		t.Error(got)
	}
}

func TestHoldsAreFoldedByTheirReason(t *testing.T) {
	two := func(id uint64, rank int) control.Stop {
		st := at(id, "w", rank)
		st.Break = 2
		return st
	}
	asked := at(9, "a", 0)
	asked.Reason = "paused by ada"
	for want, stops := range map[string][]control.Stop{
		"": nil,
		"held by stop 3 (breakpoint 2 at @w[1].Do)":                                                  {two(3, 1)},
		"held by stop 9 (paused by ada at @a[0].Do), held by 3 stops (breakpoint 2 at @w[0-1,3].Do)": {two(3, 1), two(4, 0), asked, two(5, 3)},
	} {
		if got := debugger.Holds(stops); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWhatABreakpointSaysCanBeTyped(t *testing.T) {
	for want, b := range map[string]control.Breakpoint{
		"error":                  {Site: control.SiteError},
		"@toy":                   {Mesh: "toy"},
		"@toy[gpus=1].Hel*@send": {Mesh: "toy", Ranks: "gpus=1", Endpoint: "Hel*", Site: control.SiteSend},
		"@*.Do":                  {Endpoint: "Do", Site: control.SiteRecv},
	} {
		if got := debugger.BreakPlace(&b); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	row := strings.Join(debugger.BreakRow(&control.Breakpoint{
		ID: 3, Mesh: "w", If: "arg > 1", Hit: ">=3", Total: true, Once: true, Scope: control.ScopeMesh, State: control.BreakOff, Why: "ten failures", LastError: "no field x", Hits: 5, Skipped: 6, Errors: 7, Bound: 8,
	}), "|")
	if row != "3|@w|off|8|5|6|7|if arg > 1 hit >=3 total once stop mesh (ten failures) (last error: no field x)" {
		t.Error(row)
	}
}
