package tui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/reloads"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// reloadTab tells of reloads. Its errors are opened in an editor.
type reloadTab struct {
	*reloads.Pane
	m *Model
}

var (
	_ activator  = reloadTab{}
	_ noter      = reloadTab{}
	_ texter     = reloadTab{}
	_ pageTexter = reloadTab{}
	_ clearer    = reloadTab{}
	_ opened     = reloadTab{}
	_ marker     = reloadTab{}
	_ editable   = reloadTab{}
)

// tabReload is the place of the reloads among the tabs of their slot.
const tabReload = 2

// Activate opens the place of an error, goes to the ranks that a row is about, or shows another reload.
func (t reloadTab) Activate() tea.Cmd {
	m := t.m
	if cmd, ok := t.Edit(); ok {
		return cmd
	}
	if t.Enter() {
		m.touch()
		return nil
	}
	name, ranks, ok := t.Ranks(m.world)
	if ok && (m.panes.showMesh(m.world, name) || m.panes.showProcs(m.world, name)) {
		m.panes.grid.SetCursor(ranks[0])
		_ = m.panes.grid.SetSelection(ranksText(ranks))
		m.setFocus(Ranks)
		return m.cursorMoved()
	}
	return nil
}

// Edit opens the place under the cursor in the editor; false where the cursor is on none.
func (t reloadTab) Edit() (tea.Cmd, bool) {
	e, folder, ok := t.Place(t.m.world)
	if !ok {
		return nil, false
	}
	return t.m.edit(folder, e), true
}

// ClearLast shows the newest reload again.
func (t reloadTab) ClearLast() bool { return t.Back() }

// Opened notes that a person has turned to it: it goes back by itself only where it came by itself.
func (t reloadTab) Opened() { t.m.reload.came = false }

// Mark is the sign beside its name while another tab is seen.
func (t reloadTab) Mark(w *world.World) (string, paint.Role) { return t.Note(w) }

// reloadLook is how far the screen has followed the reloads.
type reloadLook struct {
	id    uint64 // the newest that was seen
	over  bool   // its end was seen
	came  bool   // the tab came to the front by itself
	was   int    // the tab that was seen before
	fresh bool   // there was a first look: what was before that is no news
}

// noteReloads follows the reloads: what fails comes to the front, without the focus, and goes when it is repaired.
func (m *Model) noteReloads() tea.Cmd {
	m.followWatch()
	look := &m.reload
	r, ok := m.world.Reload()
	first := !look.fresh && m.world.Loaded
	look.fresh = look.fresh || m.world.Loaded
	if !ok {
		return nil
	}
	if r.ID != look.id {
		look.id, look.over = r.ID, false
	}
	if !r.Over() {
		return m.animate()
	}
	if look.over {
		return nil
	}
	look.over = true
	m.panes.inspect.Refresh() // the state may have other fields now
	switch {
	case first: // it was before us
	case r.State == control.ReloadFailed:
		m.say(sayError, "reload: "+reloads.Summary(r))
		m.showReload()
	default:
		m.leaveReload()
		if m.askedReload() {
			break
		}
		text := "reloaded: " + reloads.Summary(r)
		if reloads.SameBuild(r) {
			text = "nothing to reload: the build is the same"
		}
		if note := reloads.Noted(m.world, r); note != "" { // state that was lost is nothing to find out by looking
			m.say(sayWarn, text+", but "+note)
			break
		}
		m.say(sayGood, text)
	}
	return m.wantState()
}

// askedReload reports whether a reload of ours runs, or has just ended: the status tells of it.
func (m *Model) askedReload() bool {
	return slices.ContainsFunc(m.commands[max(0, len(m.commands)-3):], func(e *entry) bool {
		_, is := e.args.(script.ReloadArgs)
		return is && (!e.done || m.now().Sub(e.began.Add(e.took)) < time.Second)
	})
}

// showReload turns the slot of the logs to the reloads, unless somebody is there: keys would mean something else then.
func (m *Model) showReload() {
	s := &m.panes.slots[Logs]
	if m.focus == Logs || s.open == tabReload {
		return
	}
	m.reload.came, m.reload.was = true, s.open
	s.open = tabReload
	m.touch()
}

// leaveReload turns back to what was seen before the reloads came to the front by themselves.
func (m *Model) leaveReload() {
	s := &m.panes.slots[Logs]
	if !m.reload.came || s.open != tabReload || m.focus == Logs {
		return
	}
	m.reload.came = false
	s.open = m.reload.was
	m.touch()
}

// watching follows what is told of the watching of the source.
func (m *Model) watching() tea.Cmd {
	if m.cfg.Watching == nil {
		return nil
	}
	told, ctx := m.cfg.Watching, m.ctx
	return m.task(func() tea.Msg {
		select {
		case w, ok := <-told:
			if ok {
				return watchMsg(w)
			}
		case <-ctx.Done():
		}
		return nil
	})
}

// watchMsg is what is told of the watching.
type watchMsg Watch

func (w watchMsg) apply(m *Model) tea.Cmd {
	switch was := m.watch; {
	case w.Why != "" && w.Why != was.Why:
		m.say(sayWarn, "watch: "+w.Why)
	case w.Why == "" && was.Files == 0 && w.Files > 0:
		m.say(sayGood, "watching "+paint.Plural(w.Files, "file")+": what is saved is reloaded")
	}
	m.watch = Watch(w)
	m.followWatch()
	return m.watching()
}

// followWatch tells the pane of the watching, while the session is shown whose program is watched.
func (m *Model) followWatch() {
	w := Watch{}
	if m.dialer.own {
		w = m.watch
	}
	if m.panes.reloads.Watch() != w {
		m.panes.reloads.SetWatch(w)
		m.touch()
	}
}
