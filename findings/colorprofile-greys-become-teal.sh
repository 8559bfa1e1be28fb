#!/usr/bin/env bash
# charmbracelet/colorprofile: for a terminal of 256 or 16 colours a bluish grey becomes teal, or navy, though greys are there that look like it.
#
# Version   github.com/charmbracelet/colorprofile v0.4.3, github.com/charmbracelet/x/ansi v0.11.9, Go 1.26. Both are below Bubble Tea 2.
# Guess     Where a terminal has fewer colours than a program uses, what writes to it gives each colour the nearest one there is. A slate grey
#           such as (154,160,171) is all but one of the 24 greys: (158,158,158), number 247, differs by a shade. With 16 colours it becomes
#           the light or the dark grey, 7 or 8.
# Happens   It becomes number 109, (135,175,175), which is teal and, by CIEDE2000, more than twice as far as the grey. With 16 colours it becomes 6,
#           cyan, and a grey a little darker becomes 4, navy: text of that colour on a black terminal cannot be read.
# Matters   A screen that is drawn in true colours is seen like that in every xterm, on the console of Linux, and by ssh to a machine that
#           is not told COLORTERM: monarch-tui's labels were teal, its borders cyan, and what was second on the row under the cursor stood
#           blue on blue. It has a choice of its own now for both kinds of terminals.
# Source    x/ansi color.go, Convert256 and Convert16: a candidate of the cube and one grey are compared by the distance in HSLuv, in which
#           hue counts for a colour that has nearly none.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOFLAGS=-mod=mod GOTOOLCHAIN=local
cat > go.mod <<'END'
module finding

go 1.26

require (
	github.com/charmbracelet/colorprofile v0.4.3
	github.com/charmbracelet/x/ansi v0.11.9
	github.com/lucasb-eyer/go-colorful v1.4.1
)
END
cat > main.go <<'END'
package main

import (
	"fmt"
	"image/color"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/lucasb-eyer/go-colorful"
)

func distance(a, b color.Color) float64 {
	x, _ := colorful.MakeColor(a)
	y, _ := colorful.MakeColor(b)
	return x.DistanceCIEDE2000(y) * 100
}

func main() {
	for _, grey := range []color.RGBA{{154, 160, 171, 255}, {141, 147, 158, 255}} {
		chosen := colorprofile.ANSI256.Convert(grey)
		least := 0
		for n := range 24 {
			if distance(grey, ansi.IndexedColor(232+n)) < distance(grey, ansi.IndexedColor(232+least)) {
				least = n
			}
		}
		nearest := ansi.IndexedColor(232 + least)
		fmt.Printf("(%d,%d,%d) becomes %v at a distance of %.0f; the grey %v is at %.0f; of 16 colours it becomes %v\n", grey.R, grey.G, grey.B,
			chosen, distance(grey, chosen), nearest, distance(grey, nearest), colorprofile.ANSI.Convert(grey))
	}
}
END
go run . 2>err > out || { cat err; exit 1; }
cat out
cat > want <<'END'
(154,160,171) becomes 109 at a distance of 14; the grey 247 is at 6; of 16 colours it becomes 6
(141,147,158) becomes 103 at a distance of 12; the grey 246 is at 6; of 16 colours it becomes 4
END
cmp -s want out || { echo "that has changed"; exit 1; }
