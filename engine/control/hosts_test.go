package control

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/shape"
)

func chosen(t *testing.T, ref MeshRef, text string) []int {
	t.Helper()
	sel, err := shape.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	ranks, err := ref.Ranks(sel)
	if err != nil {
		t.Errorf("%s of @%s: %v", text, ref.Name, err)
	}
	return ranks
}

// TestAHostIsWhereItsRanksAre: wherever the dimension stands, and whichever processes the actors are on.
func TestAHostIsWhereItsRanksAre(t *testing.T) {
	pm := ProcMesh{Name: "p", Extent: shape.Extent{{Name: "pp", Size: 2}, {Name: "hosts", Size: 3}, {Name: "gpus", Size: 2}}, FirstProc: 10}
	pm.Hosts = NewHosts(pm.Extent, "n1", "n2", "n3")
	if got := chosen(t, pm.Grid(), "hosts=n2"); !slices.Equal(got, []int{2, 3, 8, 9}) {
		t.Errorf("n2 has the processes %v", got)
	}
	home, err := pm.Grid().Slice(shape.OnHosts("n2", "n3"), shape.At("pp", 1))
	if err != nil {
		t.Fatal(err)
	}
	ref := MeshRef{Name: "m", First: pm.FirstProc, Home: home, View: shape.RegionOf(home.Extent()), Hosts: pm.Hosts}
	if got := chosen(t, ref, "hosts=n3,gpus=0"); !slices.Equal(got, []int{2}) {
		t.Errorf("n3 has the actors %v", got)
	}
	if ref.View, err = ref.Slice(shape.At("gpus", 1)); err != nil {
		t.Fatal(err)
	}
	if got := chosen(t, ref, "hosts=n2"); !slices.Equal(got, []int{1}) {
		t.Errorf("of the slice n2 has the actors %v", got)
	}
	if _, err := ref.Slice(shape.OnHosts("n1")); err == nil || !strings.Contains(err.Error(), "it has n2, n3") {
		t.Errorf("a host without actors: %v", err)
	}
	one := ProcMesh{Name: "q", Extent: shape.Extent{{Name: "gpus", Size: 2}}, Hosts: NewHosts(shape.Extent{{Name: "gpus", Size: 2}}, "n1")}
	if on := one.Grid().HostOf(); on(1) != "n1" {
		t.Errorf("a mesh without the dimension is on %q", on(1))
	}
}

func TestHostsTravelWithAReference(t *testing.T) {
	all := shape.RegionOf(shape.Extent{{Name: "hosts", Size: 2}})
	r := MeshRef{ID: 3, Name: "m", Type: "x.T", First: 7, Home: all, View: all, Hosts: NewHosts(all.Extent(), "n1", "n2")}
	for _, r := range []MeshRef{r, r.WithLife(1, 4)} {
		b, err := r.MarshalCBOR()
		if err != nil || b[0] != 0x88 {
			t.Fatalf("%x, %v", b, err)
		}
		var back MeshRef
		if err := back.UnmarshalCBOR(b); err != nil || back.Life(1) != r.Life(1) || !slices.Equal(chosen(t, back, "hosts=n2"), []int{1}) {
			t.Errorf("%+v came back as %+v, %v", r, back, err)
		}
	}
}

func TestHostsFromOutsideAreJudged(t *testing.T) {
	all := shape.RegionOf(shape.Extent{{Name: "hosts", Size: 2}})
	for want, h := range map[string]*Hosts{
		"0 names":   {Stride: 1},
		"0 ranks":   {Names: []string{"a"}},
		"-3 ranks":  {Names: []string{"a"}, Stride: -3},
		"300 bytes": {Names: []string{strings.Repeat("a", 300)}, Stride: 1},
		"65537":     {Names: make([]string, 65537), Stride: 1},
	} {
		if err := h.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		ref := MeshRef{Name: "m", Home: all, View: all, Hosts: h}
		if _, err := ref.Slice(shape.OnHosts("a")); err == nil {
			t.Errorf("hosts with %s were used", want)
		}
	}
	if err := (*Hosts)(nil).Check(); err != nil {
		t.Error(err)
	}
	far := NewHosts(all.Extent(), "a", "b") // fewer than the reference's ranks need: it is some host all the same
	ref := MeshRef{Home: shape.RegionOf(shape.Extent{{Name: "hosts", Size: 5}}), View: shape.RegionOf(shape.Extent{{Name: "hosts", Size: 5}}), Hosts: far}
	if got := chosen(t, ref, "hosts=b"); fmt.Sprint(got) != "[1 3]" {
		t.Error(got)
	}
}
