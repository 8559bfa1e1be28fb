package tui

import (
	"testing"

	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// TestEverySizeIsLaidOutWithoutOverlapINV_SIZE holds INV-SIZE for the layout.
func TestEverySizeIsLaidOutWithoutOverlapINV_SIZE(t *testing.T) {
	for w := range 201 {
		for h := range 71 {
			for focus := Mesh; focus < panes; focus++ {
				for zoom := range zooms {
					for _, story := range []bool{false, true} {
						for _, side := range []int{-200, 0, 7, 200} {
							check(t, w, h, Arrange(w, h, focus, zoom, story, side), focus)
						}
					}
				}
			}
		}
	}
}

func check(t *testing.T, w, h int, l Layout, focus PaneID) {
	t.Helper()
	if l.Small {
		if w >= minWidth && h >= minHeight {
			t.Fatalf("%d×%d is large enough", w, h)
		}
		return
	}
	rects := []paint.Rect{l.Header, l.Tabs, l.Story, l.Status, l.Input, l.Hints}
	rects = append(append(rects, l.Panes[:]...), l.Titles[:]...)
	area := 0
	for i, r := range rects {
		if r.Empty() {
			continue
		}
		if r.X < 0 || r.Y < 0 || r.X+r.W > w || r.Y+r.H > h {
			t.Fatalf("%d×%d focus %d: %+v is outside", w, h, focus, r)
		}
		for _, o := range rects[:i] {
			if !o.Intersect(r).Empty() {
				t.Fatalf("%d×%d focus %d: %+v and %+v overlap", w, h, focus, r, o)
			}
		}
		area += r.W * r.H
	}
	if area != w*h {
		t.Fatalf("%d×%d focus %d: %d of %d cells are laid out", w, h, focus, area, w*h)
	}
	if p := l.Panes[focus]; p.W < 18 || p.H < 3 {
		t.Fatalf("%d×%d: the focused pane %d has only %+v", w, h, focus, p)
	}
}
