package paint

import (
	"image/color"
	"math"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/lucasb-eyer/go-colorful"
)

// Limit has the theme use no more colours than a terminal has: 256, or 16. It is called before anything is drawn.
func (t *Theme) Limit(n int) {
	t.few = n == 16
	for i, c := range t.colors {
		if c != nil && n == 256 {
			t.colors[i] = nearest256(c)
		}
	}
}

// nearest256 is the one of the fixed 240 colours of a terminal, a cube of 216 and 24 greys, that looks most like c. The measure is CIEDE2000:
// one of hue and saturation, as is used where a program does not choose, has a bluish grey become teal.
func nearest256(c color.Color) color.Color {
	want, _ := colorful.MakeColor(c)
	best, least := 0, math.Inf(1)
	for n := 16; n < 256; n++ {
		have, _ := colorful.MakeColor(lipgloss.ANSIColor(n))
		if d := want.DistanceCIEDE2000(have); d < least {
			best, least = n, d
		}
	}
	return lipgloss.ANSIColor(best)
}

// A terminal of 16 colours, such as xterm as most systems start it, has its own of each number. The nearest of them to a theme's colour is
// no choice: borders become cyan, and a key on the row under the cursor blue on blue. So there is a choice of ours, for dark and for light
// backgrounds, of colours that can be read there as xterm has them and as the console of Linux has.
var (
	dark16 = [roles]ansi.BasicColor{Text: 15, Muted: 7, Faint: 8, Accent: 13, Match: 11, Idle: 7, Busy: 14, Paused: 3, Warning: 11, Failed: 9,
		Gone: 7, Starting: 6, Fault: 13}
	light16 = [roles]ansi.BasicColor{Text: 0, Muted: 8, Faint: 7, Accent: 5, Match: 4, Idle: 8, Busy: 4, Paused: 5, Warning: 1, Failed: 1,
		Gone: 8, Starting: 4, Fault: 5}
)

// Few of the 16 can be read on another one, so that what stands on a ground of ours has one colour, or two.
const (
	onCursor, cursor16       = ansi.BasicColor(15), ansi.BasicColor(4)
	onSelection, selection16 = ansi.BasicColor(0), ansi.BasicColor(6)
	standsOut                = ansi.BasicColor(11) // on the ground of the cursor
)

// sixteen gives the colours of a style; nil is the terminal's own.
func (t *Theme) sixteen(st Style) (fg, bg color.Color) {
	of := &light16
	if t.Dark {
		of = &dark16
	}
	switch st.Bg {
	case Cursor:
		if st.Fg == Match || st.Fg == Warning || st.Fg == Failed {
			return standsOut, cursor16
		}
		return onCursor, cursor16
	case Selection:
		return onSelection, selection16
	case Default, Bar:
	default:
		bg = of[st.Bg]
	}
	if st.Fg != Default {
		fg = of[st.Fg]
	}
	return fg, bg
}
