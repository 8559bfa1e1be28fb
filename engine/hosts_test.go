package engine

import (
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// TestReferencesWithHostileHostsDoNotDecode: slices divide by what they say.
func TestReferencesWithHostileHostsDoNotDecode(t *testing.T) {
	registerTarget()
	home := shape.RegionOf(shape.Extent{{Name: "hosts", Size: 2}})
	for want, hosts := range map[string]*control.Hosts{
		"":            control.NewHosts(home.Extent(), "n1", "n2"),
		"0 names":     {Stride: 1},
		"0 ranks":     {Names: []string{"n1"}},
		"65537 names": {Names: make([]string, 65537), Stride: 1},
	} {
		ref := control.MeshRef{Name: "m", Type: "github.com/monarch-tui/monarch-tui/engine.Target", Home: home, View: home, Hosts: hosts}
		for what, from := range map[string]any{"mesh": ref, "procs": procRef{Name: "p", Extent: home.Extent(), View: home, Hosts: hosts}} {
			b, err := quicnet.Enc().Marshal(from)
			if err != nil {
				t.Fatal(err)
			}
			if what == "mesh" {
				err = new(Mesh[Target]).UnmarshalCBOR(b)
			} else {
				err = new(ProcMesh).UnmarshalCBOR(b)
			}
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", what, err, want)
			}
		}
	}
}
