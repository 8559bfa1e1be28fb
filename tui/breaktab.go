package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/breaks"
)

// breaksTab is the table of the breakpoints.
type breaksTab struct {
	*breaks.Pane
	m *Model
}

var (
	_ activator  = breaksTab{}
	_ noter      = breaksTab{}
	_ texter     = breaksTab{}
	_ pageTexter = breaksTab{}
	_ opened     = breaksTab{}
)

// tabBreaks is the place of the breakpoints among the tabs of their slot.
const tabBreaks = 1

// Opened notes that a person has looked at it: the tabs of the slot turn by themselves only before.
func (t breaksTab) Opened() { t.m.turned = true }

// Activate goes to who stands at the breakpoint, else it opens its form.
func (t breaksTab) Activate() tea.Cmd {
	b, ok := t.Selected(t.m.world)
	if !ok {
		return nil
	}
	list := t.m.world.StopList()
	if i := slices.IndexFunc(list, func(st control.Stop) bool { return st.Break == b.ID }); i >= 0 {
		return t.m.goStop(&list[i])
	}
	return t.m.editBreak()
}

// showBreaks turns the slot of the logs to the breakpoints when the first one comes, unless a person has turned it, or is
// there.
func (m *Model) showBreaks() {
	if s := &m.panes.slots[Logs]; !m.turned && s.open == 0 && m.focus != Logs {
		m.turned = true
		s.open = tabBreaks
		m.touch()
	}
}

// onBreak is the breakpoint under the cursor, where the breakpoints are what is looked at.
func (m *Model) onBreak() (control.Breakpoint, bool) {
	if t, ok := m.focused().(breaksTab); ok {
		return t.Selected(m.world)
	}
	return control.Breakpoint{}, false
}

func noBreaks(m *Model) string {
	if why := m.blocked(); why != "" {
		return why
	}
	if len(m.world.Breaks) == 0 {
		return "there are no breakpoints" + m.keyHint(" (%s sets one)", "break")
	}
	return ""
}

// onBreaks is why what works on breakpoints, too, does not work where the cursor is: else is why that does not.
func onBreaks(or func(m *Model) string) func(m *Model) string {
	return func(m *Model) string {
		if _, ok := m.focused().(breaksTab); ok {
			return noBreaks(m)
		}
		if or != nil {
			return or(m)
		}
		return ""
	}
}

// editBreak opens the form of the breakpoint under the cursor.
func (m *Model) editBreak() tea.Cmd {
	if b, ok := m.onBreak(); ok {
		m.openBreakForm(&b)
	}
	return nil
}

// removedBreak is a breakpoint that a person has deleted, with the command that did.
type removedBreak struct {
	b control.Breakpoint
	e *entry
}

// deleteBreak removes the breakpoint under the cursor; undo sets it again.
func (m *Model) deleteBreak() tea.Cmd {
	b, ok := m.onBreak()
	if !ok {
		return nil
	}
	const most = 100
	cmd := m.command(fmt.Sprintf("delete %d", b.ID))
	m.removed = append(m.removed[max(0, len(m.removed)-most+1):], removedBreak{b, m.shownEntry})
	return cmd
}

// undeleteBreak sets the breakpoint again that was deleted last.
func (m *Model) undeleteBreak() tea.Cmd {
	for n := len(m.removed); n > 0; n = len(m.removed) {
		last := m.removed[n-1]
		m.removed = m.removed[:n-1]
		if last.e.done && !last.e.ok { // it is there yet
			continue
		}
		last.b.ID = 0
		return m.setBreak(&last.b)
	}
	return nil
}

// toggleBreak has the breakpoint under the cursor off, or on.
func (m *Model) toggleBreak() tea.Cmd {
	b, ok := m.onBreak()
	if !ok {
		return nil
	}
	return m.command(fmt.Sprintf("%s %d", map[bool]string{true: "enable", false: "disable"}[b.Off], b.ID))
}

// toggleAllBreaks has all breakpoints off; where they are, on.
func (m *Model) toggleAllBreaks() tea.Cmd {
	var on, off []uint64
	for i := range m.world.Breaks {
		if b := &m.world.Breaks[i]; b.Off {
			off = append(off, b.ID)
		} else {
			on = append(on, b.ID)
		}
	}
	if len(on) == 0 {
		return m.command("enable" + numbers(off))
	}
	return m.command("disable" + numbers(on))
}

// numbers are ids as the arguments of a command.
func numbers(ids []uint64) string {
	var b strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&b, " %d", id)
	}
	return b.String()
}
