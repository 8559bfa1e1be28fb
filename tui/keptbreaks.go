package tui

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/kept"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

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
