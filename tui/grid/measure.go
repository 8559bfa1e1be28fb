package grid

import (
	"math"
	"strconv"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// Measure is what the cells tell of ranks: what they do, or a figure of their processes and GPUs.
type Measure uint8

// The measures. A mesh that lacks the picked one shows states.
const (
	States      Measure = iota
	Memory              // of the GPU, in percent of what it has
	Load                // of the GPU, percent of the time
	Temperature         // of the GPU, °C
	Power               // of the GPU, watts
	Resident            // memory of the process, bytes
	nMeasures
)

// String is the measure as the screen names it.
func (m Measure) String() string {
	return [...]string{"state", "GPU memory", "GPU load", "GPU temperature", "GPU power", "process memory"}[min(m, Resident)]
}

// of is the figure of a process, NaN where it has none.
func (m Measure) of(proc *control.Proc) float64 {
	none := math.NaN()
	switch {
	case m == States || proc == nil || proc.Over():
		return none
	case m == Resident:
		if proc.RSS > 0 {
			return float64(proc.RSS)
		}
		return none
	case proc.GPU == nil:
		return none
	}
	figure := none
	switch g := proc.GPU; m {
	case Memory:
		if g.Total > 0 && g.Measured() {
			figure = 100 * float64(g.Used) / float64(g.Total)
		}
	case Load:
		figure = float64(g.Busy)
	case Temperature:
		figure = float64(g.Celsius)
	case Power:
		figure = g.Watts
	case States, Resident, nMeasures:
	}
	if figure < 0 {
		return none
	}
	return figure
}

// top is where the scale ends that begins at 0: percent and °C at 100, and else at the largest figure.
func (m Measure) top(largest float64) float64 {
	switch m {
	case Memory, Load, Temperature:
		return 100
	case States, Power, Resident, nMeasures:
	}
	return max(largest, math.SmallestNonzeroFloat64)
}

// text is a figure with its unit.
func (m Measure) text(figure float64) string {
	switch m {
	case Temperature:
		return m.number(figure) + "°C"
	case Power:
		return m.number(figure) + " W"
	case Memory, Load:
		return m.number(figure) + " %"
	case States, Resident, nMeasures:
	}
	return m.number(figure)
}

// number is a figure where its unit is told elsewhere.
func (m Measure) number(figure float64) string {
	if m == Resident { // its unit changes with it
		return paint.Bytes(uint64(figure))
	}
	return strconv.Itoa(int(min(figure, 1<<40) + 0.5))
}

// isNone reports whether a figure is none.
func isNone(v float32) bool { return math.IsNaN(float64(v)) }

// nLevels is into how many steps a scale is cut: each has a sign and, two by two, a colour.
const nLevels = 8

// A look is how a cell is drawn: as a state, at a level, without a figure, or as idle in another life than the first, or on another
// build than the most.
const (
	lookLevel   = nStates
	lookUnknown = nStates + nLevels
	lookAgain   = lookUnknown + 1
	lookOther   = lookAgain + 1
	nLooks      = lookOther + 1
)

// signs are those of the looks.
func signs() (out [nLooks]string) {
	for code, word := range words {
		out[code] = paint.Glyph(word)
	}
	copy(out[lookLevel:], []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"})
	out[lookUnknown], out[lookAgain], out[lookOther] = "·", paint.Restarted, paint.OtherBuild
	return out
}

// roles are the colours of the looks. Levels go from what is calm to what is hot.
var roles = [nLooks]paint.Role{
	paint.Idle, paint.Busy, paint.Fault, paint.Starting, paint.Gone, paint.Paused, paint.Warning, paint.Failed,
	paint.Idle, paint.Idle, paint.Busy, paint.Busy, paint.Warning, paint.Warning, paint.Paused, paint.Failed, paint.Muted, paint.Idle, paint.Starting,
}

// figures are the figures of all ranks of the mesh that is shown.
type figures struct {
	measure        Measure // that is shown: the picked one, if the mesh has it
	of             []float32
	n              int // ranks that have one
	low, high, sum float64
}

// begin forgets the figures, for a measure.
func (st *states) begin(m Measure) {
	st.has = [nMeasures]bool{States: true}
	st.figures = figures{measure: m, of: st.of}
	if m != States && len(st.of) != len(st.codes) {
		st.of = make([]float32, len(st.codes))
	}
}

// note takes the figure of a rank.
func (st *states) note(rank int, proc *control.Proc) {
	if proc == nil {
		proc = &control.Proc{}
	}
	for m := Memory; m < nMeasures; m++ {
		if !st.has[m] && (m == Resident || proc.GPU != nil) {
			st.has[m] = !math.IsNaN(m.of(proc))
		}
	}
	if st.measure != States {
		st.read(rank, proc)
	}
}

// read takes the figure of a rank; those that are not running have none.
func (f *figures) read(rank int, proc *control.Proc) {
	v := f.measure.of(proc)
	f.of[rank] = float32(v)
	if math.IsNaN(v) {
		return
	}
	if f.n == 0 || v < f.low {
		f.low = v
	}
	f.high = max(f.high, v)
	f.sum += v
	f.n++
}

// level is the level of a figure.
func (f *figures) level(v float32) uint8 {
	at := float64(v) / f.measure.top(f.high) * nLevels
	return lookLevel + uint8(max(0, min(nLevels-1, at)))
}

// notRunning reports whether a state is that of a rank of which nothing can be measured.
func notRunning(code int) bool {
	return words[code] == "failed" || words[code] == "gone" || words[code] == "starting"
}

// look is how a rank is drawn. A rank that is not running shows that, whatever is measured.
func (p *Pane) look(rank int32) uint8 {
	code := p.now.codes[rank]
	f := &p.now.figures
	if code == 0 && f.measure == States && p.now.other[rank] {
		return lookOther
	}
	if code == 0 && f.measure == States && p.now.again[rank] {
		return lookAgain
	}
	if f.measure == States || notRunning(int(code)) {
		return code
	}
	if v := f.of[rank]; !isNone(v) {
		return f.level(v)
	}
	return lookUnknown
}

// Measured reports whether there is anything to show of the ranks but their states.
func (p *Pane) Measured() bool {
	for _, has := range p.now.has[Memory:] {
		if has {
			return p.at != nil
		}
	}
	return false
}

// NextMeasure shows the next measure that the mesh has, and after the last one states again. It returns what is shown, and
// whether there is anything but states.
func (p *Pane) NextMeasure() (m Measure, ok bool) {
	if !p.Measured() {
		return States, false
	}
	m = (p.now.measure + 1) % nMeasures
	for !p.now.has[m] {
		m = (m + 1) % nMeasures
	}
	p.measure = m
	p.now.known = false
	return m, true
}

// drawScale tells what the levels mean, and where the figures are.
func (p *Pane) drawScale(s *paint.Surface, y, lines int) {
	f := &p.now.figures
	muted, text := paint.Style{Fg: paint.Muted}, paint.Style{Fg: paint.Text}
	x := s.TextIn(1, y, p.w-2, text, f.measure.String()) + 2
	if lines > 1 {
		y, x = y+1, 1
	}
	scale := []paint.Seg{{Style: muted, Text: "0 "}}
	for level := lookLevel; level < lookUnknown; level++ {
		scale = append(scale, paint.Seg{Style: paint.Style{Fg: roles[level]}, Text: p.signs[level]})
	}
	scale = append(scale, paint.Seg{Style: muted, Text: " " + f.measure.text(f.measure.top(f.high))})
	spread := ""
	if f.n > 0 {
		spread = "  " + f.measure.number(f.low) + " to " + f.measure.number(f.high) + ", mean " + f.measure.text(f.sum/float64(f.n))
	}
	if x+paint.SegsWidth(scale) > p.w-1 {
		return
	}
	x = s.Line(x, y, scale...)
	if x+paint.Width(spread) < p.w-1 {
		s.Text(x, y, muted, spread)
	}
}

// measured is what is measured of a rank, with what goes before it in the line of the cursor.
func (p *Pane) measured(rank int) string {
	f := &p.now.figures
	if f.measure == States {
		return ""
	}
	if v := f.of[rank]; !isNone(v) {
		return " · " + f.measure.text(float64(v))
	}
	return " · not measured"
}
