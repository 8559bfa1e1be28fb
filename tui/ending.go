package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// target is what a verb is about: the selection, else what the cursor is on.
type target struct {
	procs string // a proc mesh
	mesh  string // an actor mesh
	ranks []int  // of it; none: all
}

func (t target) none() bool { return t.procs == "" && t.mesh == "" }

// String is the target as the command language writes it.
func (t target) String() string {
	name := t.procs
	if t.mesh != "" {
		name = "@" + t.mesh
	}
	if len(t.ranks) > 0 {
		name += "[" + shape.FormatRanks(t.ranks) + "]"
	}
	return name
}

// regionOf is all ranks of a proc mesh.
func regionOf(p *control.ProcMesh) shape.Region { return shape.RegionOf(p.Extent) }

// askStop ends what the cursor is on in order; stopping is for whole meshes.
func (m *Model) askStop() tea.Cmd {
	t := m.target()
	t.ranks = nil
	line := "stop " + t.String()
	m.push(&confirm{title: line + "?", text: "It takes no new calls, finishes the running ones for up to 10 s, and ends.", do: func(m *Model) tea.Cmd { return m.command(line) }})
	return nil
}

// askKill ends what the cursor is on at once, after its name was typed.
func (m *Model) askKill() tea.Cmd {
	t := m.target()
	line := "kill " + t.String()
	what := "Its processes are killed; what they were doing is lost."
	if t.mesh != "" {
		what = "What these actors are doing is abandoned at once; their processes stay."
	}
	if n := len(t.ranks); n > 0 {
		what = fmt.Sprintf("%s: %s", paint.Plural(n, "rank"), strings.ToLower(what[:1])+what[1:])
	}
	word := t.procs
	if t.mesh != "" {
		word = t.mesh
	}
	m.push(&confirm{title: line + "?", text: what, word: word, do: func(m *Model) tea.Cmd { return m.command(line) }})
	return nil
}

// cancelRunning gives up on the newest command that runs.
func (m *Model) cancelRunning() tea.Cmd {
	if r := m.running(); len(r) > 0 {
		e := r[len(r)-1]
		if e.cancel != nil {
			e.cancel()
			m.say(sayGood, "cancelled "+e.line)
		}
	}
	return nil
}

// repeatCall sends the last call once more.
func (m *Model) repeatCall() tea.Cmd {
	m.stats.calls++
	return m.command(m.lastCall().line)
}

// toggleMouse gives the mouse to the terminal, or takes it back.
func (m *Model) toggleMouse() {
	m.mouse = !m.mouse
	if m.mouse {
		m.say(sayGood, "the mouse is ours; shift+drag selects text")
	} else {
		m.say(sayGood, "the mouse is the terminal's: drag selects text; m takes it back")
	}
}
