package inspect

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// From here on a figure of a GPU is hot.
const (
	fullMemory = 95 // percent
	hotCelsius = 85 // where current ones begin to slow down
)

// buildGPU tells of the device of a rank. What changes is told while the process lives.
func (p *Pane) buildGPU(g *control.GPU, lives bool) {
	p.field("uuid", g.UUID, paint.Text)
	place := []string{"GPU " + strconv.Itoa(g.Index)}
	if g.Parent != "" {
		place = []string{"an instance of GPU " + strconv.Itoa(g.Index)}
	}
	if g.Bus != "" {
		place = append(place, "at "+g.Bus)
	}
	if g.Node >= 0 {
		place = append(place, "NUMA node "+strconv.Itoa(g.Node))
	}
	p.field("device", strings.Join(place, " · "), paint.Text)
	switch {
	case g.Foreign:
		p.field("shared", "with another mesh, which has claimed it", paint.Warning)
	case g.Sharing > 1:
		p.field("shared", fmt.Sprintf("by %d ranks of this mesh", g.Sharing), paint.Text)
	}
	if !lives {
		return
	}
	if g.Total > 0 && g.Measured() {
		percent := int(100 * (float64(g.Used) / float64(g.Total)))
		p.field("gpu mem", fmt.Sprintf("%s %d %% · %s of %s", bar(percent), percent, paint.Bytes(g.Used), paint.Bytes(g.Total)), hot(percent >= fullMemory))
	} else if g.Total > 0 {
		p.field("gpu mem", paint.Bytes(g.Total), paint.Text)
	}
	if g.Busy >= 0 {
		p.field("load", fmt.Sprintf("%s %d %%", bar(g.Busy), g.Busy), paint.Text)
	}
	if g.Celsius >= 0 {
		p.field("temp", strconv.Itoa(g.Celsius)+"°C", hot(g.Celsius >= hotCelsius))
	}
	if g.Watts >= 0 {
		p.field("power", strconv.FormatFloat(g.Watts, 'f', 0, 64)+" W", paint.Text)
	}
	if g.ECC > 0 {
		p.field("ecc", paint.Plural(int(min(g.ECC, 1<<31)), "uncorrected error")+" of memory", paint.Warning)
	}
	if g.Xid > 0 {
		p.field("xid", strconv.FormatUint(g.Xid, 10)+": a critical error of its driver", paint.Failed)
	}
	p.field("trouble", g.Problem, paint.Warning)
}

// briefGPU is what is measured of a device, in one line.
func briefGPU(g *control.GPU) string {
	var parts []string
	if g.Busy >= 0 {
		parts = append(parts, strconv.Itoa(g.Busy)+" %")
	}
	if g.Total > 0 && g.Measured() {
		parts = append(parts, paint.Bytes(g.Used))
	}
	if g.Celsius >= 0 {
		parts = append(parts, strconv.Itoa(g.Celsius)+"°C")
	}
	if g.Watts >= 0 {
		parts = append(parts, strconv.FormatFloat(g.Watts, 'f', 0, 64)+" W")
	}
	if parts == nil {
		return "not measured"
	}
	return strings.Join(parts, " · ")
}

// briefSegs is briefGPU, with what is wrong.
func briefSegs(g *control.GPU) []paint.Seg {
	switch {
	case g.Xid > 0:
		return []paint.Seg{seg(paint.Failed, "Xid "+strconv.FormatUint(g.Xid, 10)+" · "), seg(paint.Text, briefGPU(g))}
	case g.Problem != "" || g.ECC > 0:
		return []paint.Seg{seg(paint.Warning, "in trouble · "), seg(paint.Text, briefGPU(g))}
	}
	return []paint.Seg{seg(paint.Text, briefGPU(g))}
}

func hot(is bool) paint.Role {
	if is {
		return paint.Warning
	}
	return paint.Text
}

// bar shows percent in ten cells.
func bar(percent int) string {
	full := max(0, min(10, (percent+5)/10))
	return strings.Repeat("█", full) + strings.Repeat("·", 10-full)
}
