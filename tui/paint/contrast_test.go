package paint

import (
	"math"
	"testing"

	"github.com/lucasb-eyer/go-colorful"
)

// luminance is the relative luminance of WCAG 2.1.
func luminance(c colorful.Color) float64 {
	r, g, b := c.LinearRgb()
	return 0.2126*r + 0.7152*g + 0.0722*b
}

func contrast(a, b colorful.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

// TestTextCanBeReadOnEveryBackground wants 4.5:1 (WCAG 2.1, AA) for each role that is text, on the terminal's background
// and on those of ours that it may stand on.
func TestTextCanBeReadOnEveryBackground(t *testing.T) {
	for _, name := range Themes() {
		th := theme(t, name)
		if th.Mono {
			continue
		}
		grounds := map[Role]colorful.Color{Default: colorful.Hcl(0, 0, 0.995)}
		if th.Dark {
			grounds[Default], _ = colorful.Hex("#1a1b1e")
		}
		for _, r := range []Role{Selection, Cursor, Bar} {
			grounds[r], _ = colorful.MakeColor(th.Color(r))
		}
		for ground, g := range grounds {
			for r := Text; r < roles; r++ {
				if r == Faint || r == Selection || r == Cursor || r == Bar {
					continue
				}
				want := 4.5
				if ground == Selection || ground == Cursor { // short, and its glyph tells it too
					want = 3
				}
				c, _ := colorful.MakeColor(th.Color(r))
				if got := contrast(c, g); got < want {
					t.Errorf("%s: role %d (%s) on ground %d (%s) has %.2f, want %.1f", name, r, c.Hex(), ground, g.Hex(), got, want)
				}
			}
		}
	}
}
