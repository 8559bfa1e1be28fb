package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/calls"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// target is what a command from a key acts on: the selection, else what the cursor is on.
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

// askStop ends what the cursor is on in order; stopping is for whole meshes.
func (m *Model) askStop() tea.Cmd {
	t := m.target()
	text := ""
	if len(t.ranks) > 0 {
		text = "All of it, not only what is selected. "
	}
	t.ranks = nil
	line := "stop " + t.String()
	if m.launching(t) {
		m.push(&dialog.Confirm{Title: line + "?", Text: "Its machines are not all there yet: the launch is cancelled, also with the scheduler.", Do: m.ending(t, line)})
		return nil
	}
	m.push(&dialog.Confirm{Title: line + "?", Text: text + "It takes no new calls, finishes the running ones for up to 10 s, and ends.", Do: m.ending(t, line)})
	return nil
}

// launching reports whether a target is procs that wait for machines.
func (m *Model) launching(t target) bool {
	pm, ok := m.world.ProcMesh(t.procs)
	return ok && t.mesh == "" && pm.Via != "" && pm.State == "starting" && !pm.Gone
}

// askKill ends what the cursor is on at once, after its name was typed.
func (m *Model) askKill() tea.Cmd {
	t := m.target()
	line := "kill " + t.String()
	all, one := "its processes are killed; what they were doing is lost.", "its process is killed; what it was doing is lost."
	switch {
	case t.mesh != "":
		all = "what these actors are doing is abandoned at once; their processes stay: those are killed in the tree."
		one = "what this actor is doing is abandoned at once; its process stays: that is killed in the tree."
	case m.launching(t):
		all = "what of it is there is killed, and what is not is given up."
		one = all
	}
	what := strings.ToUpper(all[:1]) + all[1:]
	switch n := len(t.ranks); {
	case n == 1:
		what = "1 rank: " + one
	case n > 1:
		what = paint.Plural(n, "rank") + ": " + all
	}
	word := t.procs
	if t.mesh != "" {
		word = t.mesh
	}
	m.push(&dialog.Confirm{Title: line + "?", Text: what, Word: word, Do: m.ending(t, line)})
	return nil
}

// ending runs a command that ends what is asked about now. By then another one may have its name: that one is let be.
func (m *Model) ending(t target, line string) func() tea.Cmd {
	asked := m.idOf(t)
	return func() tea.Cmd {
		if now := m.idOf(t); now != 0 && now != asked {
			t.ranks = nil
			m.say(sayWarn, "nothing is ended: the "+t.String()+" you were asked about has ended, and this is another one of that name")
			return nil
		}
		return m.command(line)
	}
}

// idOf is the id of the mesh that has the target's name now; 0: none has.
func (m *Model) idOf(t target) uint64 {
	procs, meshes := m.world.Live()
	for _, p := range procs {
		if t.mesh == "" && p.Name == t.procs {
			return p.ID
		}
	}
	for _, x := range meshes {
		if t.mesh != "" && x.Ref.Name == t.mesh {
			return x.Ref.ID
		}
	}
	return 0
}

// cancelRunning gives up on the call under the cursor of the calls, else on the newest command that runs.
func (m *Model) cancelRunning() tea.Cmd {
	if sel, ok := m.selectedCall(); ok {
		return m.cancelCall(sel)
	} else if r := m.running(); len(r) > 0 {
		return m.cancelEntry(r[len(r)-1])
	}
	return nil
}

// cancelEntry gives up on a command that runs, or waits for its turn.
func (m *Model) cancelEntry(e *entry) tea.Cmd {
	switch {
	case e == nil || e.done:
		return nil
	case e.queued:
		m.waiting = slices.DeleteFunc(m.waiting, func(j job) bool { return j.e == e })
		e.done, e.queued, e.cancelled, e.err = true, false, true, "cancelled before its turn; it has not run"
	case e.cancel != nil:
		e.cancelled = true
		e.cancel()
	}
	m.say(sayGood, "cancelled "+e.line)
	return m.nextJobs() // it may have stood in the way
}

// selectedCall is the call under the cursor, where the calls are what is looked at.
func (m *Model) selectedCall() (calls.Selection, bool) {
	if p, ok := m.focused().(*calls.Pane); ok {
		return p.Selected()
	}
	return calls.Selection{}, false
}

// cancelCall cancels a call that a command of ours has sent; only its caller can cancel a call.
func (m *Model) cancelCall(sel calls.Selection) tea.Cmd {
	name := world.CallName(sel.Call)
	i := slices.IndexFunc(m.world.Calls, func(c control.Call) bool { return c.ID == sel.Call })
	if i < 0 {
		m.say(sayWarn, "call "+name+" has ended")
		return nil
	}
	call := &m.world.Calls[i]
	if why := m.offline(); why != "" {
		m.say(sayWarn, why)
		return nil
	}
	var ours *entry
	off := func(e *entry) time.Duration { return e.began.Sub(call.Started).Abs() }
	for _, e := range m.running() {
		if e.mesh == call.Mesh && e.ep == call.Endpoint && (ours == nil || off(e) < off(ours)) {
			ours = e
		}
	}
	switch who := call.Client; {
	case who != m.conn.client.Info().Client.Name:
		m.say(sayWarn, fmt.Sprintf("call %s is %s's: only its caller can cancel it", name, who))
	case ours == nil:
		m.say(sayWarn, fmt.Sprintf("call %s came from another %s: only its caller can cancel it", name, who))
	default:
		return m.cancelEntry(ours)
	}
	return nil
}

// repeatCall sends the last call once more.
func (m *Model) repeatCall() tea.Cmd {
	return m.command(m.lastCall().line)
}

// toggleMouse gives the mouse to the terminal, or takes it back.
func (m *Model) toggleMouse() {
	m.mouse = !m.mouse
	if m.mouse {
		m.say(sayGood, "the mouse is ours; shift+drag selects text")
	} else {
		m.say(sayGood, "the mouse is the terminal's: drag selects text"+m.keyHint("; %s takes it back", "mouse"))
	}
}

// interruptAction is the name of what its key does, which settings cannot move: whatever else they break, it leads out.
const (
	interruptAction = "interrupt"
	interruptKey    = "ctrl+c"
)

// twice is the time within which a second ctrl+c quits whatever the first one did. A hand that wants out presses it
// again within half a second; one that has read what the first one did takes longer.
const twice = time.Second

// interrupt is ctrl+c: it undoes the innermost thing that is under way, as shells do. What is typed or open is left,
// else what runs is cancelled, else the person wants to leave the program, which asks where something would end with it.
func (m *Model) interrupt() tea.Cmd {
	again := m.now().Sub(m.stopped) < twice
	m.stopped = m.now()
	switch o := m.top(); {
	case again:
		return m.leaveProgram()
	case o != nil:
		m.drop(o)
		if l, ok := o.(dialog.Leaver); ok {
			l.Leave()
		}
	case m.input != nil:
		m.leaveInput()
	case m.pending != "":
		m.pending = ""
	case len(m.running()) > 0:
		r := m.running()
		return m.cancelEntry(r[len(r)-1])
	default:
		return m.quit()
	}
	return nil
}

// leaveProgram ends the program.
func (m *Model) leaveProgram() tea.Cmd {
	m.quitting = true
	m.touch()
	return tea.Quit
}
