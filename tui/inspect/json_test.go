package inspect

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// inside is an actor whose state has a value of each kind.
func inside(t testing.TB) (*worldtest.Builder, *Pane) {
	b := worldtest.Pingpong(t)
	m, _ := b.Replica.Mesh("ponger")
	p := New(worldtest.Keys)
	p.ShowActor(m.Ref.ID, 1)
	p.Draw(paint.New(60, 40), b.World, true)
	ask, ok := p.Want(b.World)
	if !ok {
		t.Fatal("it does not ask for the state")
	}
	p.SetState(b.World, ask, []control.StateNode{{Rank: 1, Name: "Ponger", Type: "pingpong.Ponger", Kind: "struct", Len: 8, Nodes: []control.StateNode{
		{Name: "count", Path: "count", Kind: "int", Text: "1181"},
		{Name: "loss", Path: "loss", Kind: "float", Text: "NaN"},
		{Name: "tag", Path: "tag", Kind: "string", Text: `"a \"warm\" <one>"`},
		{Name: "next", Path: "next", Kind: "nil", Text: "nil"},
		{Name: "peer", Path: "peer", Kind: "mesh", Text: "@pinger[9]"},
		{Name: "seen", Path: "seen", Kind: "map", Len: 1, Text: "{…}", Nodes: []control.StateNode{{Name: `["x"]`, Path: `seen["x"]`, Kind: "bool", Text: "true"}}},
		{Name: "history", Path: "history", Kind: "list", Len: 256, Text: "[256]", Nodes: []control.StateNode{{Name: "0", Path: "history[0]", Kind: "int", Text: "7"}}},
		{Name: "none", Path: "none", Kind: "list", Text: "[]"},
	}}}, nil)
	p.Draw(paint.New(60, 40), b.World, true)
	return b, p
}

func TestAValueIsCopiedAsJSON(t *testing.T) {
	_, p := inside(t)
	for key, want := range map[string]string{
		"state count": "1181\n", "state tag": `"a \"warm\" <one>"` + "\n", "state history": "[\n  7,\n  \"… 255 more that were not read\"\n]\n",
		"state seen": "{\n  \"x\": true\n}\n", "state next": "null\n", "state none": "[]\n", "state loss": "\"NaN\"\n",
	} {
		found := false
		for i := range p.lines {
			if p.lines[i].key == key {
				found = true
				p.win.To(i)
				if got := p.JSON(); got != want {
					t.Errorf("%s is copied as %s, want %s", key, got, want)
				}
			}
		}
		if !found {
			t.Errorf("there is no line %s", key)
		}
	}
	p.Home()
	if p.here().node == nil && p.JSON() != "" {
		t.Errorf("a line that is no value is copied as %s", p.JSON())
	}
}

func TestAllThatIsShownIsWrittenAsJSON(t *testing.T) {
	b, p := inside(t)
	m, _ := b.Replica.Mesh("ponger")
	procs, _ := b.ProcMesh("trainers")
	for _, c := range []struct {
		show func()
		name string
		has  []string
	}{
		{func() {}, "ponger-1", []string{`"actor": "ponger[1]"`, `"count": 1181`, `"Queue": 0`, `"PID": 5002`}},
		{func() { p.ShowMesh(m.Ref.ID) }, "ponger", []string{`"Name": "ponger"`, `"Doc": "Ponger answers pings."`}},
		{func() { p.ShowProcs(procs.ID) }, "trainers", []string{`"Extent"`, `"PID": 5064`}},
		{func() { p.ShowProc(41) }, "trainers-40", []string{`"State": "killed"`, "NCCL WARN"}},
	} {
		c.show()
		text, name := p.All(b.World)
		if !json.Valid([]byte(text)) || name != c.name || !strings.HasSuffix(text, "}\n") {
			t.Errorf("%s: not JSON, or not the name %s:\n%s", name, c.name, text)
		}
		for _, has := range c.has {
			worldtest.Has(t, text, has)
		}
	}
	if text, name := New(worldtest.Keys).All(b.World); text != "" || name != "" {
		t.Errorf("of nothing there is %s", text)
	}
}
