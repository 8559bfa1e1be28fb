package paint

import (
	"math"
	"testing"

	"github.com/charmbracelet/x/ansi"
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
// and on those of ours that it may stand on; and 4:1 where a terminal has 256 colours, which are far from each other.
func TestTextCanBeReadOnEveryBackground(t *testing.T) {
	for _, name := range Themes() {
		all, few := theme(t, name), theme(t, name)
		few.Limit(256)
		if !all.Mono {
			canBeRead(t, name, all, 4.5)
			canBeRead(t, name+" of 256", few, 4)
		}
	}
}

func canBeRead(t *testing.T, name string, th *Theme, least float64) {
	t.Helper()
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
			want := least
			if ground == Selection || ground == Cursor { // short, and its glyph tells it too
				want -= 1.5
			}
			c, _ := colorful.MakeColor(th.Color(r))
			if got := contrast(c, g); got < want {
				t.Errorf("%s: role %d (%s) on ground %d (%s) has %.2f, want %.1f", name, r, c.Hex(), ground, g.Hex(), got, want)
			}
		}
	}
}

// What the 16 colours are: in xterm (its resource file XTerm-col.ad), and on the console of Linux, which has those of VGA.
var terminals16 = map[string][16]string{
	"xterm": {"#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5", "#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"},
	"vga":   {"#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa", "#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff"},
}

// TestTextCanBeReadInSixteenColours wants 3:1 for each role that is text: who chose the colours knows nothing of these.
func TestTextCanBeReadInSixteenColours(t *testing.T) {
	for terminal, palette := range terminals16 {
		for _, name := range []string{"dark", "light"} {
			th := theme(t, name)
			th.Limit(16)
			own := map[bool]string{true: "#000000", false: "#ffffff"}[th.Dark]
			in := func(c any, otherwise string) colorful.Color {
				if n, ok := c.(ansi.BasicColor); ok {
					otherwise = palette[n]
				}
				out, _ := colorful.Hex(otherwise)
				return out
			}
			for _, ground := range []Role{Default, Selection, Cursor, Bar} {
				for r := Text; r < roles; r++ {
					if r == Faint || r == Selection || r == Cursor || r == Bar {
						continue
					}
					fg, bg := th.sixteen(Style{Fg: r, Bg: ground})
					if got := contrast(in(fg, ""), in(bg, own)); fg == nil || got < 3 {
						t.Errorf("%s, %s: role %d (%v) on ground %d (%v) has %.2f, want 3", terminal, name, r, fg, ground, bg, got)
					}
				}
			}
		}
	}
}
