package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// doc is the first line about the endpoint.
func (c *composer) doc() string {
	first, _, _ := strings.Cut(c.ep.Doc, "\n")
	return first
}

// below is what would be sent.
func (c *composer) below(w int) (out [][]paint.Seg) {
	if c.gone != "" {
		return nil
	}
	out = append(out, c.f.Labelled("command", paint.Text, c.line(), w))
	if size, ok := c.bytes(); ok {
		casts := "1 cast"
		if len(c.on) > 1 {
			casts = fmt.Sprintf("%d casts", len(c.on))
		}
		text := fmt.Sprintf("%s, %s, %s each", casts, paint.Plural(c.ranks, "message"), paint.Bytes(uint64(size)))
		if d := c.within(); d > 0 {
			text += ", given up after " + paint.Duration(d)
		}
		out = append(out, c.f.Labelled("", paint.Muted, text, w))
	}
	return out
}

// result is why it cannot be sent, or what came back.
func (c *composer) result(w int) (out [][]paint.Seg) {
	m := c.m
	line := func(label string, role paint.Role, text string) {
		out = append(out, c.f.Labelled(label, role, text, w))
	}
	if c.gone != "" {
		line("cannot", paint.Failed, c.gone)
		return out
	}
	if c.sent == nil {
		return nil
	}
	groups, n, slow := c.sent.answers.list()
	first, _, _ := strings.Cut(c.sent.err, "\n")
	switch {
	case !c.sent.done:
		line("answers", paint.Busy, fmt.Sprintf("%s %s  %s", m.spinner(), paint.Of(n, c.asked), paint.Duration(m.now().Sub(c.sent.began).Truncate(100*time.Millisecond))))
	case n == 0 && c.sent.ok:
		line("sent", paint.Busy, "✓ no answer is waited for")
	case n == 0 || c.sent.late:
		line("failed", paint.Failed, "✕ "+first)
	default:
		line("answers", paint.Text, fmt.Sprintf("%d, the slowest after %s", n, paint.Duration(slow)))
	}
	for i, g := range groups {
		if i == 5 {
			line("", paint.Muted, fmt.Sprintf("%d more (ctrl+o)", len(groups)-i))
			break
		}
		arrow, role := g.look()
		text, _, _ := strings.Cut(g.text, "\n")
		row := fmt.Sprintf("%s %s %s", paint.PadLeft(g.who(), 4), arrow, paint.Fit(text, max(8, w-30)))
		if len(g.ranks) > 1 {
			row += "  [" + ranksText(g.ranks) + "]"
		}
		line("", role, row)
	}
	return out
}

// bytes is how long the encoded argument is.
func (c *composer) bytes() (int, bool) {
	for _, f := range c.args() {
		if f.Err() != "" {
			return 0, false
		}
	}
	b, err := schema.ParseArg(c.ep.Param, c.named, c.ep.Arg, c.literal(), c.refs())
	return len(b), err == nil
}

// openComposer opens the form for a call on what is selected, else on what the cursor is on, as every verb does: in the
// tree that may be a mesh, on the grid it is a rank. From a process, or a proc
// mesh, it goes to the actors on it; where several meshes stand there, a person picks one.
func (m *Model) openComposer() tea.Cmd {
	t := m.target()
	if t.procs != "" {
		return m.composeOn(t)
	}
	on, _ := m.panes.grid.Target()
	mesh, ok := m.world.MeshByID(on.Mesh)
	if !ok || on.Procs {
		m.say(sayWarn, "put the cursor on an actor mesh first")
		return nil
	}
	sel := ""
	switch {
	case on.Selected || m.focus != Mesh:
		_, sel, _ = strings.Cut(on.Selector, "[")
		sel = strings.TrimSuffix(sel, "]")
	case t.mesh == mesh.Ref.Name && len(t.ranks) > 0: // an actor of the tree
		sel = ranksText(t.ranks)
	}
	return m.compose(mesh, sel)
}

// composeOn opens the form for the actors on processes.
func (m *Model) composeOn(t target) tea.Cmd {
	pm, ok := m.world.ProcMesh(t.procs)
	if !ok {
		m.say(sayWarn, "procs "+t.procs+" have ended")
		return nil
	}
	var rows []dialog.Choice
	_, meshes := m.world.Live()
	for _, x := range meshes {
		if x.Ref.First != pm.FirstProc {
			continue
		}
		ranks := actorsOn(x, t.ranks)
		if len(ranks) == 0 {
			continue
		}
		sel := ranksText(ranks)
		if len(ranks) == len(x.Ranks) {
			sel = ""
		}
		id := x.Ref.ID
		rows = append(rows, dialog.Choice{
			Text: "@" + x.Ref.Name + "  " + schema.ShortType(x.Ref.Type), Right: paint.Plural(len(ranks), "actor"),
			Do: func() tea.Cmd {
				if x, ok := m.world.MeshByID(id); ok {
					return m.compose(x, sel)
				}
				return nil
			},
		})
	}
	switch len(rows) {
	case 0:
		m.say(sayWarn, fmt.Sprintf("no actors stand on %s; %s spawns some", t, m.reg.named("spawn").Key()))
		return nil
	case 1:
		return rows[0].Do()
	}
	p := dialog.NewPicker("Call which actors on "+t.String()+"?", rows)
	p.Enter = "call"
	m.push(p)
	return nil
}

// actorsOn are the actors of a mesh that stand on these ranks of its proc mesh; none: on all.
func actorsOn(x *control.Mesh, procs []int) (out []int) {
	if len(procs) == 0 {
		for r := range x.Ranks {
			out = append(out, r)
		}
		return out
	}
	for _, p := range procs {
		if r, ok := x.Ref.Home.IndexOf(p); ok && r < len(x.Ranks) {
			out = append(out, r)
		}
	}
	return out
}

// compose opens the form for a call on ranks of a mesh; "" is all.
func (m *Model) compose(mesh *control.Mesh, sel string) tea.Cmd {
	t, ok := m.world.Type(mesh.Ref.Type)
	if !ok || len(t.Endpoints) == 0 {
		m.say(sayWarn, fmt.Sprintf("%s has no endpoints", schema.ShortType(mesh.Ref.Type)))
		return nil
	}
	m.push(newComposer(m, mesh, t, strings.TrimSpace(sel)).f)
	return nil
}
