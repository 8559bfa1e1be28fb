package engine_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Hog eats memory.
type Hog struct{ belly []byte }

// Eat eats n bytes and keeps them.
func (h *Hog) Eat(_ context.Context, n int) error {
	h.belly = make([]byte, n)
	for i := range h.belly {
		h.belly[i] = 1
	}
	return nil
}

func TestAWorkersMemoryIsShown(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is measured on Linux")
	}
	e, err := engine.Start(t.Context(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx := e.Context()
	hog := spawn(t, ctx, "hog", 2, Hog{})
	local, err := engine.SpawnProcs(ctx, engine.Name("here"), engine.Dim("gpus", 1), engine.InProcess())
	if err != nil {
		t.Fatal(err)
	}
	p := listen(t, frontEnd(t, e), control.TopicState)
	rss := func(mesh string, rank int) uint64 {
		for _, pr := range p.pic.Procs {
			if pr.Mesh == mesh && pr.Rank == rank {
				return pr.RSS
			}
		}
		return 0
	}
	p.until("the workers' memory", func() bool { return rss("p_hog", 0) > 1<<20 && rss("p_hog", 1) > 1<<20 })
	before := rss("p_hog", 1)
	const eats = 64 << 20
	if err := engine.Action(hog.Slice(at(1)), (*Hog).Eat).Call(ctx, eats); err != nil {
		t.Fatal(err)
	}
	p.until("what rank 1 has eaten", func() bool { return rss("p_hog", 1) >= before+eats })
	if rss(local.Name(), 0) != 0 {
		t.Errorf("an in-process rank has memory of its own: %d", rss(local.Name(), 0))
	}
}
