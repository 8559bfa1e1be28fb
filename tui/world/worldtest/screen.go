package worldtest

import (
	"strconv"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Pane is what a pane is to its screens.
type Pane interface {
	Frame(w *world.World) paint.Frame
	Draw(s *paint.Surface, w *world.World, focus bool)
}

// Screen is a pane in its frame as text, the inside w×h, with its key. It is drawn twice: a frame tells of the size that
// was drawn last.
func (b *Builder) Screen(p Pane, key int, focus bool, w, h int) string {
	s := paint.New(w+2, h+2)
	for range 2 {
		f := p.Frame(b.World)
		f.Key, f.Focus = strconv.Itoa(key), focus
		p.Draw(f.Draw(s), b.World, focus)
	}
	return s.Plain() + "\n"
}

// Has fails the test where a screen does not hold a text.
func Has(t testing.TB, screen, want string) {
	t.Helper()
	if !strings.Contains(screen, want) {
		t.Errorf("there is no %q in\n%s", want, screen)
	}
}

// Trainers is a world at rest: procs trainers with dp=8 tp=8 on hosts of 8 GPUs, and on them the meshes ponger and
// loader.
func Trainers(t testing.TB) *Builder {
	t.Helper()
	b := New(t)
	b.Procs("trainers", shape.Extent{{Name: "dp", Size: 8}, {Name: "tp", Size: 8}}, Opts{PerHost: 8})
	b.Mesh("ponger", "trainers", "demo.Ponger")
	b.Mesh("loader", "trainers", "demo.Loader")
	return b
}
