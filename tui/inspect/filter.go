package inspect

import (
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/tui/filter"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// sifted is how many lines the filter has found, of how many.
type sifted struct{ found, all int }

// Filter is the text of the filter.
func (p *Pane) Filter() string { return p.filter.String() }

// SetFilter shows only the lines with what a filter looks for in their names and values, and those that they belong to.
// Values that are closed are looked into as far as they are known. An empty text shows all. A text that is no filter
// changes nothing; the error, a *filter.Error, says why.
func (p *Pane) SetFilter(text string) error {
	f, err := filter.Parse(text, filter.Text)
	if err != nil {
		return err
	}
	p.setFilter(f)
	return nil
}

// ClearLast takes the last term of the filter away; false when there is none.
func (p *Pane) ClearLast() bool {
	n := len(p.filter.Terms())
	if n == 0 {
		return false
	}
	p.setFilter(p.filter.Without(n - 1))
	return true
}

func (p *Pane) setFilter(f *filter.Filter) {
	p.filter = f
	p.version++
}

// shows tells whether the parts of a value are on the screen: where it is open, and while a filter looks into it.
func (p *Pane) shows(n *node) bool {
	if open, ok := p.turned[p.openKey(n)]; ok {
		return open
	}
	return p.isOpen(n) || !p.filter.Empty() && len(n.kids) > 0
}

// sift leaves the lines that get through the filter, with what they belong to: the heads of their sections, and the
// values that they are parts of.
func (p *Pane) sift() {
	p.sifted = sifted{}
	if p.filter.Empty() {
		return
	}
	keep := make([]bool, len(p.lines))
	for i := range p.lines {
		l := &p.lines[i]
		if l.blank() {
			continue
		}
		p.sifted.all++
		text := strings.Join([]string{l.name, plain(l.left), plain(l.right), l.copied}, " ")
		if keep[i] = p.filter.Match(&filter.Fields{Text: text}); keep[i] {
			p.sifted.found++
		}
	}
	p.keepWhole(keep)
	kept := p.lines[:0]
	for i, l := range p.lines {
		if keep[i] && (len(kept) > 0 || !l.blank()) {
			kept = append(kept, l)
		}
	}
	p.lines = kept
	guide(p.lines)
	for i := range p.lines {
		l := &p.lines[i]
		l.left, l.right = p.marked(l.left), p.marked(l.right)
	}
}

// guide draws the branches anew of what is left of the values.
func guide(lines []line) {
	var below uint64 // bit d: a part of depth d follows that belongs to the same value
	for i := range slices.Backward(lines) {
		l := &lines[i]
		if l.node == nil || l.depth > 60 {
			below = 0
			continue
		}
		bit := uint64(1) << l.depth
		if l.depth > 0 {
			var text strings.Builder
			for d := 1; d < l.depth; d++ {
				text.WriteString(branch(below>>d&1 == 1, "│ ", "  "))
			}
			text.WriteString(branch(below&bit != 0, "├", "└"))
			l.left[0].Text = text.String() + l.left[0].Text[len(strings.TrimRight(l.left[0].Text, " ")):]
		}
		below = (below | bit) & (bit<<1 - 1)
	}
}

func branch(more bool, goesOn, ends string) string {
	if more {
		return goesOn
	}
	return ends
}

// keepWhole keeps what kept lines belong to. It goes up from the last line: what a part belongs to stands above it.
func (p *Pane) keepWhole(keep []bool) {
	const none = -1
	inside, some := none, false // the depth of the last part that was kept, and whether the section holds any line
	for i := len(p.lines) - 1; i >= 0; i-- {
		l := &p.lines[i]
		switch {
		case l.blank():
			keep[i] = i+1 < len(keep) && keep[i+1] && p.lines[i+1].isHead()
			continue
		case l.isHead():
			keep[i] = keep[i] || some
			inside, some = none, false
			continue
		case l.node != nil && inside > l.depth:
			keep[i] = true
		}
		if keep[i] {
			some = true
			if l.node != nil {
				inside = l.depth
			}
		}
	}
}

func (l *line) isHead() bool { return strings.HasPrefix(l.key, headKey) }

// marked are segments with what the filter has found in them marked.
func (p *Pane) marked(segs []paint.Seg) []paint.Seg {
	var out []paint.Seg
	for _, s := range segs {
		out = append(out, p.filter.Segs(filter.Text, s.Text, s.Style)...)
	}
	return out
}

// filterLines is how many lines the filter takes at the foot.
func (p *Pane) filterLines() int {
	if p.filter.Empty() || p.h < 3 {
		return 0
	}
	return 1
}

// drawFilter draws the filter at the foot, and says where nothing gets through it.
func (p *Pane) drawFilter(s *paint.Surface) {
	if p.filterLines() > 0 {
		p.filter.Draw(s.In(paint.Rect{Y: p.h - 1, W: p.w, H: 1}), p.sifted.found, p.sifted.all)
	}
	if len(p.lines) == 0 && !p.filter.Empty() {
		s.TextIn(1, 1, p.w-2, paint.Style{Fg: paint.Muted}, "nothing gets through the filter")
	}
}
