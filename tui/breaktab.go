package tui

import (
	"context"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/breaks"
	"github.com/monarch-tui/monarch-tui/tui/paint"
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

// breaksVerb changes breakpoints.
func (m *Model) breaksVerb(line string, req control.BreaksReq, then func(m *Model)) tea.Cmd {
	return m.debugDo(line, func(ctx context.Context, c *control.Client) (string, error) {
		_, err := c.Breaks(ctx, req)
		return "", err
	}, then)
}

// deleteBreak removes the breakpoint under the cursor; undo sets it again.
func (m *Model) deleteBreak() tea.Cmd {
	b, ok := m.onBreak()
	if !ok {
		return nil
	}
	const most = 100
	return m.breaksVerb(fmt.Sprintf("delete %d", b.ID), control.BreaksReq{Remove: []uint64{b.ID}}, func(m *Model) {
		m.removed = append(m.removed[max(0, len(m.removed)-most+1):], b)
		m.say(sayGood, "breakpoint "+paint.Exact(int(min(b.ID, 1<<40)))+" is deleted"+m.keyHint("; %s brings it back", "undo"))
	})
}

// undeleteBreak sets the breakpoint again that was deleted last.
func (m *Model) undeleteBreak() tea.Cmd {
	n := len(m.removed)
	if n == 0 {
		return nil
	}
	b := m.removed[n-1]
	m.removed = m.removed[:n-1]
	b.ID = 0
	return m.setBreak(&b, breaks.Line(&b))
}

// toggleBreak has the breakpoint under the cursor off, or on.
func (m *Model) toggleBreak() tea.Cmd {
	b, ok := m.onBreak()
	if !ok {
		return nil
	}
	if b.Off {
		return m.breaksVerb(fmt.Sprintf("enable %d", b.ID), control.BreaksReq{On: []uint64{b.ID}}, nil)
	}
	return m.breaksVerb(fmt.Sprintf("disable %d", b.ID), control.BreaksReq{Off: []uint64{b.ID}}, nil)
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
		return m.breaksVerb("enable"+numbers(off), control.BreaksReq{On: off}, nil)
	}
	return m.breaksVerb("disable"+numbers(on), control.BreaksReq{Off: on}, nil)
}

// numbers are ids as the arguments of a command; of many the first.
func numbers(ids []uint64) (text string) {
	for i, id := range ids {
		if i == 20 {
			return text + " …"
		}
		text += fmt.Sprintf(" %d", id)
	}
	return text
}
