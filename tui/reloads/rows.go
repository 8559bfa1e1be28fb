package reloads

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// row is one line.
type row struct {
	id          string // identity; "": the cursor is never on it
	goesOn      bool   // it belongs to the row above
	left, right []paint.Seg
	copied      string
	place       *control.CompileError // nil: it is no error of the compiler
	name        string                // of the mesh of ranks
	ranks       []int                 // whom it is about
	reload      uint64                // that enter shows
}

// How long texts may be, in lines.
const (
	errorLines  = 3
	reasonLines = 4
	noteLines   = 3
	tailLines   = 8
	keyWidth    = 8
)

func seg(role paint.Role, text string) paint.Seg {
	return paint.Seg{Style: paint.Style{Fg: role}, Text: text}
}

func bold(role paint.Role, text string) paint.Seg {
	return paint.Seg{Style: paint.Style{Fg: role, Attr: paint.Bold}, Text: text}
}

func (p *Pane) add(r row) { p.rows = append(p.rows, r) }

func (p *Pane) line(left ...paint.Seg) { p.add(row{left: left}) }

// room is how many cells a row has.
func (p *Pane) room() int { return max(8, p.wide-2) }

// field is a row with a name.
func (p *Pane) field(name string, segs ...paint.Seg) {
	p.line(append([]paint.Seg{seg(paint.Muted, paint.Pad(name, keyWidth))}, segs...)...)
}

// wrapped adds a text below a row, in at most so many lines.
func (p *Pane) wrapped(role paint.Role, indent, most int, text string) {
	lines := paint.Wrap(text, max(8, p.room()-indent))
	if len(lines) > most {
		lines = append(lines[:most-1:most-1], paint.Fit(strings.Join(lines[most-1:], " "), max(8, p.room()-indent)))
	}
	for _, l := range lines {
		p.add(row{goesOn: true, left: []paint.Seg{seg(role, strings.Repeat(" ", indent)+l)}})
	}
}

// space is a blank row.
func (p *Pane) space() {
	if n := len(p.rows); n > 0 && len(p.rows[n-1].left) > 0 {
		p.add(row{})
	}
}

// build makes the rows of a reload.
func (p *Pane) build(w *world.World, r *control.Reload) {
	p.buildHead(w, r)
	p.buildErrors(r)
	if troubled := slices.ContainsFunc(r.Ranks, func(x control.ReloadRank) bool { return x.Error != "" }); r.State == control.ReloadFailed && len(r.Errors) == 0 && !troubled {
		p.wrapped(paint.Failed, 2, reasonLines, paint.OneLine(r.Reason))
	}
	p.space()
	p.buildBuild(r)
	p.buildStrips(r)
	p.buildBy(r)
	p.buildTrouble(w, r)
	p.buildNotes(w, r)
	p.buildEarlier(w, r)
}

// buildHead tells how far it is, and since when.
func (p *Pane) buildHead(w *world.World, r *control.Reload) {
	sign, role := Sign(r)
	text := Progress(r)
	switch r.State {
	case control.ReloadDone:
		text += " in " + Took(r.Took)
	case control.ReloadFailed:
		text += " after " + Took(r.Took)
	default:
		text += "  " + Took(w.ReloadTook(r))
	}
	head := row{left: []paint.Seg{bold(role, sign+" "+text)}, right: []paint.Seg{seg(paint.Muted, r.Time.Format(time.TimeOnly))}}
	if p.watch.Reload == r.ID && p.watch.Delay > 0 && r.State == control.ReloadDone {
		head.left = append(head.left, seg(paint.Muted, " · "+Took(r.Took+p.watch.Delay)+" from save"))
	}
	if n := len(r.Errors); n > 0 {
		more := seg(paint.Muted, " · "+paint.Plural(n, "error"))
		if paint.SegsWidth(head.left)+paint.Width(more.Text)+paint.SegsWidth(head.right)+2 <= p.room() {
			head.left = append(head.left, more)
		}
	}
	head.id, head.copied = fmt.Sprint("head ", r.ID), paint.OneLine(sign+" "+text+" "+cmp.Or(r.Reason, Summary(r)))
	p.add(head)
	if p.watch.Why != "" {
		p.wrapped(paint.Warning, 2, noteLines, "▲ "+paint.OneLine(p.watch.Why))
	}
}

// buildErrors lists what the compiler says.
func (p *Pane) buildErrors(r *control.Reload) {
	for i := range r.Errors {
		e := &r.Errors[i]
		at := control.CompileError{File: e.File, Line: e.Line, Col: e.Col}
		where := strings.TrimSuffix(at.String(), ": ")
		x := row{id: fmt.Sprint("error ", r.ID, " ", i), place: e, copied: e.String()}
		text := paint.OneLine(e.Text)
		switch {
		case e.File == "":
			x.left = []paint.Seg{seg(paint.Text, paint.Fit(text, p.room()))}
			p.add(x)
		case paint.Width(where)+2+paint.Width(text) <= p.room():
			x.left = []paint.Seg{seg(paint.Accent, where), seg(paint.Text, "  "+text)}
			p.add(x)
		default:
			x.left = []paint.Seg{seg(paint.Accent, paint.FitMiddle(where, p.room()))}
			p.add(x)
			p.wrapped(paint.Text, 2, errorLines, text)
		}
	}
}

// buildBuild tells the builds.
func (p *Pane) buildBuild(r *control.Reload) {
	segs := []paint.Seg{seg(paint.Text, from(r))}
	switch {
	case SameBuild(r):
		segs = append(segs, seg(paint.Muted, "  nothing has changed"))
	case r.Build != "":
		segs = append(segs, seg(paint.Muted, " → "), seg(paint.Text, world.ShortBuild(r.Build)))
	case r.State == control.ReloadBuilding:
		segs = append(segs, seg(paint.Muted, " → "), seg(paint.Starting, "…"))
	}
	if took := seg(paint.Muted, "  built in "+Took(r.Built)); r.Built > 0 && keyWidth+paint.SegsWidth(segs)+paint.Width(took.Text) <= p.room() {
		segs = append(segs, took)
	}
	p.field("build", segs...)
}

// buildBy tells who asked for it, how, and for how long a rank took no messages.
func (p *Pane) buildBy(r *control.Reload) {
	var parts []string
	if r.By != "" {
		by := paint.OneLine(r.By)
		if p.watch.Reload == r.ID {
			by += " on save"
		}
		parts = append(parts, by)
	}
	if r.Policy != "" {
		parts = append(parts, r.Policy)
	}
	longest := time.Duration(0)
	for i := range r.Ranks {
		longest = max(longest, r.Ranks[i].Away)
	}
	if longest > 0 {
		parts = append(parts, "away for "+paint.Duration(longest)+" at most")
	}
	for len(parts) > 1 && keyWidth+paint.Width(strings.Join(parts, " · ")) > p.room() {
		parts = parts[:len(parts)-1]
	}
	if len(parts) > 0 {
		p.field("by", seg(paint.Muted, strings.Join(parts, " · ")))
	}
}

// group is what is told of several ranks at once.
type group struct {
	name, state, text string
	ranks             []int
	tail              []string
}

func addTo(list []group, name, state, text string, rank int, tail []string) []group {
	for i := range list {
		if g := &list[i]; g.name == name && g.state == state && g.text == text {
			g.ranks = append(g.ranks, rank)
			return list
		}
	}
	return append(list, group{name: name, state: state, text: text, ranks: []int{rank}, tail: tail})
}

// maxGroups bounds how many different things are told apart.
const maxGroups = 200

// buildTrouble tells who has not moved, and why.
func (p *Pane) buildTrouble(w *world.World, r *control.Reload) {
	var list []group
	for i := range r.Ranks {
		if x := &r.Ranks[i]; x.Error != "" && len(list) < maxGroups {
			list = addTo(list, x.Procs, x.State, paint.OneLine(x.Error), x.Rank, x.Tail)
		}
	}
	slices.SortStableFunc(list, func(a, b group) int { return cmp.Compare(lookOf(a.state), lookOf(b.state)) })
	for i := range list {
		g := &list[i]
		l := looks[lookOf(g.state)]
		p.space()
		p.add(row{
			id: fmt.Sprint("rank ", r.ID, " ", g.name, " ", g.state, " ", g.text), name: g.name, ranks: g.ranks, copied: w.RanksName(g.name, g.ranks) + " " + g.state + ": " + g.text,
			left: []paint.Seg{seg(l.role, l.sign+" "), seg(paint.Text, w.RanksName(g.name, g.ranks)), seg(l.role, " "+g.state)},
		})
		p.wrapped(paint.Text, 2, reasonLines, g.text)
		for _, t := range g.tail[max(0, len(g.tail)-tailLines):] {
			p.add(row{goesOn: true, left: []paint.Seg{seg(paint.Faint, "  │ "), seg(paint.Muted, strings.ReplaceAll(t, "\t", "  "))}})
		}
	}
}

// notes are what did not fit, each with the ranks of which it is so.
func notes(r *control.Reload) (list []group) {
	for i := range r.Ranks {
		x := &r.Ranks[i]
		for _, n := range x.Notes {
			if name, text := noteOf(x, n); len(list) < maxGroups {
				list = addTo(list, name, "", text, x.Rank, nil)
			}
		}
	}
	for i := range list {
		slices.Sort(list[i].ranks)
		list[i].ranks = slices.Compact(list[i].ranks)
	}
	return list
}

// buildNotes tells what did not fit, once for all ranks of which it is so.
func (p *Pane) buildNotes(w *world.World, r *control.Reload) {
	list := notes(r)
	if len(list)+len(r.Notes) == 0 {
		return
	}
	p.space()
	p.line(bold(paint.Text, "To be known"))
	for i := range list {
		g := &list[i]
		name := w.RanksName(g.name, g.ranks)
		x := row{id: fmt.Sprint("note ", r.ID, " ", g.name, " ", g.text), name: g.name, ranks: g.ranks, copied: name + " " + g.text}
		x.left = []paint.Seg{seg(paint.Muted, "· "), seg(paint.Text, name)}
		if paint.Width(name)+3+paint.Width(g.text) <= p.room() {
			x.left = append(x.left, seg(paint.Muted, " "+g.text))
			p.add(x)
			continue
		}
		p.add(x)
		p.wrapped(paint.Muted, 2, noteLines, g.text)
	}
	for i, n := range r.Notes {
		n = paint.OneLine(n)
		lines := paint.Wrap(n, p.room()-2)
		p.add(row{id: fmt.Sprint("about ", r.ID, " ", i), copied: n, left: []paint.Seg{seg(paint.Muted, "· "+lines[0])}})
		p.wrapped(paint.Muted, 2, noteLines, strings.Join(lines[1:], " "))
		if len(lines) == 1 {
			p.rows = p.rows[:len(p.rows)-1]
		}
	}
}

// buildEarlier lists the reloads of the session, where there are several.
func (p *Pane) buildEarlier(w *world.World, shown *control.Reload) {
	if len(w.Reloads) < 2 {
		return
	}
	p.space()
	p.line(bold(paint.Text, "Reloads"))
	for i := range slices.Backward(w.Reloads) {
		r := &w.Reloads[i]
		sign, role := Sign(r)
		mark, text := "  ", seg(paint.Muted, Summary(r))
		if r == shown {
			mark = "▸ "
		}
		p.add(row{
			id: fmt.Sprint("reload ", r.ID), reload: r.ID, copied: r.Time.Format(time.TimeOnly) + " " + Summary(r),
			left: []paint.Seg{seg(paint.Muted, mark), seg(role, sign+" "), seg(paint.Muted, r.Time.Format(time.TimeOnly)+"  "), text},
		})
	}
}

// byMesh are the ranks of a reload by proc mesh, in its order.
func byMesh(r *control.Reload) (names []string, states map[string][]uint8) {
	states = map[string][]uint8{}
	for i := range r.Ranks {
		x := &r.Ranks[i]
		if states[x.Procs] == nil {
			names = append(names, x.Procs)
		}
		states[x.Procs] = append(states[x.Procs], uint8(lookOf(x.State)))
	}
	return names, states
}

// ranksOf are the ranks of a proc mesh in a reload, as one text.
func ranksOf(r *control.Reload, name string) string {
	var ranks []int
	for i := range r.Ranks {
		if r.Ranks[i].Procs == name {
			ranks = append(ranks, r.Ranks[i].Rank)
		}
	}
	return shape.FormatRanks(ranks)
}
