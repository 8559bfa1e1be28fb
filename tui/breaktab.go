package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/kept"
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

// keeping is how the breakpoints of a session are kept for the next one.
type keeping struct {
	keeper  *kept.Keeper
	setting bool // the kept ones are being set: until then the session has fewer than are kept
}

// keepBreaks keeps the breakpoints of the session, and sets those of its program's last one where it has none. Who may only
// look does neither.
func (m *Model) keepBreaks(u control.Update) tea.Cmd {
	changed := u.Snapshot != nil || slices.ContainsFunc(u.Events, func(ev *control.Event) bool { return ev.Break != nil })
	if !changed || m.cfg.Kept == nil || m.cfg.Settings.ForgetBreaks || m.conn == nil || m.conn.viewer || !m.world.Loaded {
		return nil
	}
	if m.keeping == nil {
		return m.beginKeeping()
	}
	m.followBreaks(m.world.Breaks)
	return nil
}

// followBreaks brings what is kept up to date with what the session has.
func (m *Model) followBreaks(has []control.Breakpoint) {
	if m.keeping == nil || m.keeping.setting {
		return
	}
	if err := m.keeping.keeper.Follow(has); err != nil {
		m.say(sayWarn, short(err).Error())
	}
}

func (m *Model) beginKeeping() tea.Cmd {
	k := &keeping{keeper: m.cfg.Kept.Of(m.world.Session.Program)}
	m.keeping = k
	list, err := k.keeper.Begin(m.world.Breaks)
	if err != nil {
		m.say(sayWarn, err.Error())
	}
	if len(list) == 0 {
		return nil
	}
	k.setting = true
	c, outer := m.conn.client, m.ctx
	return m.task(func() tea.Msg {
		ctx, cancel := context.WithTimeout(outer, debugTime)
		defer cancel()
		set, err := kept.Set(ctx, c, list)
		return keptSet{k, set, err}
	})
}

// keptSet is what became of the kept breakpoints.
type keptSet struct {
	of  *keeping
	set []control.Breakpoint
	err error
}

func (k keptSet) apply(m *Model) tea.Cmd {
	k.of.setting = false
	if m.keeping != k.of { // of a session that is shown no more: INV-LATE
		return nil
	}
	m.followBreaks(k.set) // the world may not have them yet
	came := map[uint64]bool{}
	for i := range k.set {
		came[k.set[i].ID] = true
	}
	m.panes.breaks.Kept = came
	switch n := len(k.set); {
	case k.err != nil:
		m.say(sayWarn, k.err.Error())
	case n > 0:
		m.say(sayGood, paint.Plural(n, "breakpoint")+map[bool]string{true: " is", false: " are"}[n == 1]+" kept from last time"+m.keyHint(" (%s goes there)", jumpAction(Logs)))
	}
	if len(k.set) > 0 {
		m.showBreaks()
	}
	return nil
}
