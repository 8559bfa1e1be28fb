package paint

import (
	"encoding/xml"
	"fmt"
	"image/color"
	"strings"
)

// Sizes of a picture, in SVG units: a cell, and the margin around the screen.
const (
	cellW, cellH = 8.4, 18.0
	margin       = 14.0
)

// SVG is the screen as a picture: one rectangle for each run of a background, one text for each run of a style. Colours
// are the theme's; the terminal's own are a plain dark or light.
func (s *Surface) SVG(t *Theme, title string) string {
	fg, bg := "#d7dae0", "#17181c"
	if !t.Dark {
		fg, bg = "#24272d", "#fdfdfd"
	}
	var b strings.Builder
	w, h := float64(s.origin.W)*cellW+2*margin, float64(s.origin.H)*cellH+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" font-family="'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="14">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, "<title>%s</title>\n", escape(title))
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", bg)
	for y := range s.origin.H {
		s.svgRow(&b, t, y, fg, bg)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (s *Surface) svgRow(b *strings.Builder, t *Theme, y int, fg, bg string) {
	row := s.c.cells[(s.origin.Y+y)*s.c.w+s.origin.X:][:s.origin.W]
	for from := 0; from < len(row); {
		to, text := from, ""
		for to < len(row) && row[to].style == row[from].style {
			if t.ASCII {
				text += ascii(row[to])
			} else {
				text += row[to].text
			}
			to++
		}
		st := row[from].style
		front, back := hex(t.colors[st.Fg], fg), hex(t.colors[st.Bg], "")
		attr := st.Attr
		if t.Mono && st.Bg != Default {
			attr ^= Reverse
		}
		if attr&Reverse != 0 {
			front, back = hex(t.colors[st.Bg], bg), front
		}
		x, top := margin+float64(from)*cellW, margin+float64(y)*cellH
		if back != "" {
			fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, top, float64(to-from)*cellW+.2, cellH+.2, back)
		}
		lead := len(text) - len(strings.TrimLeft(text, " "))
		if body := strings.TrimSpace(text); body != "" {
			fmt.Fprintf(b, `<text x="%.1f" y="%.1f" fill="%s"%s xml:space="preserve" textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n",
				x+float64(lead)*cellW, top+cellH*.74, front, svgAttrs(attr), float64(Width(body))*cellW, escape(body))
		}
		from = to
	}
}

func svgAttrs(a Attr) (out string) {
	if a&Bold != 0 {
		out += ` font-weight="bold"`
	}
	switch {
	case a&Underline != 0:
		out += ` text-decoration="underline"`
	case a&Strike != 0:
		out += ` text-decoration="line-through"`
	}
	return out
}

func hex(c color.Color, otherwise string) string {
	if c == nil {
		return otherwise
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
