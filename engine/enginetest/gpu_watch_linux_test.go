package enginetest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// TestDevicesAreMeasuredWhileSomebodyLooks changes what the driver says, until a front end shows it.
func TestDevicesAreMeasuredWhileSomebodyLooks(t *testing.T) {
	uuids, smi := machine(t, 2)
	e, err := engine.Start(context.Background(), engine.NoSession())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	spawned(e.Context(), t, engine.Dim("gpus", 2))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c := control.InProcess(e.Backend(), control.ClientInfo{Name: "test"})
	defer c.Close()
	w, err := c.Watch(ctx, control.TopicState)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var shown control.Replica
	until := func(what string, ok func(g *control.GPU) bool) {
		t.Helper()
		for {
			for i := range shown.Procs {
				if g := shown.Procs[i].GPU; g != nil && g.UUID == uuids[1] && ok(g) {
					return
				}
			}
			u, err := w.Next(ctx)
			if err != nil {
				t.Fatalf("the second device never has %s: %v; %+v", what, err, shown.Procs)
			}
			shown.Apply(u)
		}
	}
	until("its memory and power", func(g *control.GPU) bool { return g.Used == 4<<20 && g.Watts == 70.12 && g.Busy == 0 })
	rows := string(rowsOf(t, smi))
	answer(t, smi, strings.ReplaceAll(rows, "81559, 4, 0, 31, 70.12, 0", "81559, 9000, 88, 71, 402.10, 3"))
	until("its new figures", func(g *control.GPU) bool {
		return g.Used == 9000<<20 && g.Busy == 88 && g.Celsius == 71 && g.Watts == 402.1 && g.ECC == 3 && g.Problem == ""
	})
	answer(t, smi, strings.SplitAfter(rows, "\n")[0])
	until("a word that it is gone", func(g *control.GPU) bool { return g.Problem == "it is gone from the machine" })
	answer(t, smi, "Segmentation fault")
	until("a word that the driver says nonsense", func(g *control.GPU) bool {
		return strings.Contains(g.Problem, `nvidia-smi answered "Segmentation fault"`)
	})
	answer(t, smi, rows)
	until("its figures again", func(g *control.GPU) bool { return g.Used == 4<<20 && g.Problem == "" })
}
