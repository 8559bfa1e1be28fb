package warn

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

func TestHostsThatNeedSomebodyAreToldOf(t *testing.T) {
	b := worldtest.Cluster(t)
	b.Host("train", 1, func(h *control.Host) { h.Loss = 0.06 })
	golden.RequireEqual(t, text(New(Config{}).List(b.World)))
}

// TestWhatIsToldOfAHostIsNotToldOfItsProcesses: one thing that is wrong is one line, whoever looks.
func TestWhatIsToldOfAHostIsNotToldOfItsProcesses(t *testing.T) {
	b := worldtest.Cluster(t)
	names := func(off ...string) (out []string) {
		for _, w := range New(Config{Off: off}).List(b.World) {
			out = append(out, w.Line)
		}
		return out
	}
	if got := names(); slices.ContainsFunc(got, func(l string) bool { return strings.Contains(l, "proc") }) || len(got) != 5 {
		t.Errorf("%q", got)
	}
	if got := names("host"); !slices.Contains(got, "4 procs of train lost") || !slices.Contains(got, "4 procs of train silent") {
		t.Errorf("without the rule for hosts: %q", got)
	}
	b.Proc("train", 0, "killed", "signal: killed") // on a host that is well
	if got := names(); !slices.Contains(got, "1 proc of train lost") {
		t.Errorf("%q", got)
	}
}

func TestAQueueIsAWarningWhenItLasts(t *testing.T) {
	b := worldtest.Queued(t)
	c := New(Config{})
	if list := c.List(b.World); len(list) != 0 {
		t.Errorf("after two minutes: %s", text(list))
	}
	b.Tick(8 * time.Minute)
	list := c.List(b.World)
	if len(list) != 1 || list[0].Line != "4 hosts of big queued > 10m" || list[0].Severe || len(list[0].Ranks) != 32 || len(list[0].Hosts) != 4 {
		t.Errorf("after ten minutes: %s", text(list))
	}
	b.EditProcs("big", func(pm *control.ProcMesh) { pm.State = "stopping" })
	if list := c.List(b.World); len(list) != 0 {
		t.Errorf("while it is cancelled: %s", text(list))
	}
}
