package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

func ranksText(ranks []int) string { return shape.FormatRanks(ranks) }

// openHelp lists what can be done here; a row does it. What cannot be done now stays, with the reason.
func (m *Model) openHelp() {
	var heads []string
	under := map[string][]dialog.Choice{}
	add := func(a *Action) {
		if under[a.Group] == nil {
			heads = append(heads, a.Group)
		}
		keys := make([]string, 0, len(a.Keys))
		for _, k := range a.Keys {
			keys = append(keys, keyName(k))
		}
		under[a.Group] = append(under[a.Group], dialog.Choice{Text: a.Title, Right: strings.Join(keys, " "), Why: m.whyNot(a), Do: func() tea.Cmd { return m.do(a) }})
	}
	for _, a := range m.reg.list { // what belongs to this pane comes first
		if a.Here(m.focus) && len(a.Panes) > 0 {
			add(a)
		}
	}
	for _, a := range m.reg.list {
		if len(a.Panes) == 0 {
			add(a)
		}
	}
	var rows []dialog.Choice
	for _, head := range heads {
		rows = append(append(rows, dialog.Choice{Head: head}), under[head]...)
	}
	p := dialog.NewPicker("Help · "+m.panes.slots[m.focus].name, rows)
	p.Enter = "do it"
	m.push(p)
}

// openPalette lists every action, what does something first, and every verb of the command language; last those that this
// build does not have yet, with that reason, so that who looks for one need not look elsewhere.
func (m *Model) openPalette() {
	var rows []dialog.Choice
	list := slices.Clone(m.reg.list)
	slices.SortStableFunc(list, func(a, b *Action) int {
		switch {
		case (a.Group == groupDo) == (b.Group == groupDo):
			return 0
		case a.Group == groupDo:
			return -1
		}
		return 1
	})
	for _, a := range list {
		why := m.whyNot(a)
		if why == "" && !a.Here(m.focus) {
			p := a.Panes[0]
			rows = append(rows, dialog.Choice{Text: a.Title, Right: a.Key(), Do: func() tea.Cmd { m.setFocus(p); return m.do(a) }})
			continue
		}
		rows = append(rows, dialog.Choice{Text: a.Title, Right: a.Key(), Why: why, Do: func() tea.Cmd { return m.do(a) }})
	}
	for _, v := range script.Verbs() {
		if v.Lacks == "" {
			rows = append(rows, dialog.Choice{Text: v.Name + "  " + v.Summary, Right: m.keyOf("command"), Do: func() tea.Cmd { m.openCommand(v.Name + " "); return nil }})
		}
	}
	for _, t := range themeNames() {
		rows = append(rows, dialog.Choice{Text: "theme " + t, Right: m.keyOf("command"), Do: func() tea.Cmd { return m.command("theme " + t) }})
	}
	for _, v := range script.Verbs() {
		if v.Lacks != "" {
			rows = append(rows, dialog.Choice{Text: strings.TrimSpace(v.Name + "  " + v.Summary), Why: "this build has no " + v.Lacks + " yet", Do: func() tea.Cmd { return nil }})
		}
	}
	p := dialog.NewPicker("Palette", rows)
	p.Enter = "do it"
	m.push(p)
}

// openDemos lists the demos.
func (m *Model) openDemos() {
	rows := make([]dialog.Choice, 0, len(m.cfg.Demos))
	for _, d := range m.cfg.Demos {
		rows = append(rows, dialog.Choice{Text: paint.Pad(d.Name, 10) + d.Title, Do: func() tea.Cmd { return m.command("demo " + d.Name) }})
	}
	m.push(dialog.NewPicker("Demos", rows))
}

// sessionsMsg is the sessions of this user that run.
type sessionsMsg struct {
	list  []control.SessionInfo
	still map[int]bool // by PID
	err   error
	p     *dialog.Picker
}

// openSessions lists the sessions to attach to.
func (m *Model) openSessions() tea.Cmd {
	p := dialog.NewPicker("Attach to a session", nil)
	p.Empty = "looking …"
	p.Enter = "attach to"
	p.Free = func(addr string) tea.Cmd { return m.command("attach \"" + addr + "\"") }
	m.push(p)
	return m.task(func() tea.Msg {
		list, err := control.ListSessions()
		still := map[int]bool{}
		for _, i := range list {
			still[i.PID] = i.Still()
		}
		return sessionsMsg{list, still, err, p}
	})
}

func (s sessionsMsg) apply(m *Model) tea.Cmd {
	if !slices.Contains(m.overlays, dialog.Dialog(s.p)) {
		return nil
	}
	if s.err != nil {
		s.p.Empty = "the sessions cannot be listed: " + s.err.Error()
		return nil
	}
	s.p.Empty = "no session is running here; type the address of one. A program that calls engine.Main opens one; so does monarch-tui. From another machine: ssh HOST monarch-tui attach --stdio"
	var rows []dialog.Choice
	for _, i := range s.list {
		age := paint.Duration(m.now().Sub(i.Started).Truncate(time.Second))
		why := ""
		if m.conn != nil && i.Name == m.world.Session.Name {
			why = "this is the session you see"
		}
		state := ""
		if s.still[i.PID] {
			state = "paused by a signal, " // first: on a small screen the rest is cut
		}
		text := fmt.Sprintf("%s  %s%s, pid %d", i.Name, state, i.Program, i.PID)
		rows = append(rows, dialog.Choice{Text: text, Right: age, Why: why, Do: func() tea.Cmd { return m.command("attach " + i.Name) }})
	}
	s.p.SetRows(rows)
	return nil
}

// openErrors lists what failed, the newest first.
func (m *Model) openErrors() {
	type row struct {
		at time.Time // as it is shown
		dialog.Choice
	}
	var found []row
	add := func(at time.Time, text string, open func()) {
		found = append(found, row{at, dialog.Choice{Text: text, Right: at.Format(time.TimeOnly), Do: func() tea.Cmd { open(); return nil }}})
	}
	for _, e := range slices.Backward(m.commands) {
		if e.done && !e.ok && !e.cancelled {
			first, _, _ := strings.Cut(e.err, "\n")
			add(e.began, e.line+" ✕ "+first, func() { m.openEntry(e) })
		}
	}
	for _, f := range slices.Backward(m.world.Failures) {
		add(f.Time, f.What, func() { m.openFailure(f) })
	}
	if f := m.unreached; f.What != "" {
		add(f.Time, f.What, func() { m.openFailure(f) })
	}
	slices.SortStableFunc(found, func(a, b row) int { return b.at.Compare(a.at) })
	rows := make([]dialog.Choice, 0, len(found))
	for _, r := range found {
		rows = append(rows, r.Choice)
	}
	p := dialog.NewPicker("Errors", rows)
	p.Empty = "nothing has failed so far"
	m.errors = 0
	m.push(p)
}

func (m *Model) openFailure(f control.Failure) {
	m.pushText(&dialog.TextBox{Title: "Failure", Lines: func() []paint.Seg {
		who := "nobody has handled it"
		if f == m.unreached {
			who = "before there was a session"
		}
		if f.Handled != "" {
			who = "handled by " + f.Handled
		}
		return []paint.Seg{
			{Style: paint.Style{Fg: paint.Failed}, Text: f.What + "\n"},
			{Style: paint.Style{Fg: paint.Muted}, Text: f.Time.Format("15:04:05.000") + ", " + who + "\n"},
			{Style: paint.Style{Fg: paint.Text}, Text: "\n" + f.Stack},
		}
	}})
}

// others tells who else is attached to the session, and what they run; "" for nobody.
func (m *Model) others() string {
	if m.conn == nil {
		return ""
	}
	me := m.conn.client.Info().Client
	var who []string
	for _, c := range m.world.Clients {
		if c.ID == me.ID {
			continue
		}
		var runs []string
		for _, call := range m.world.Calls {
			if call.Client == c.Name && c.Name != me.Name { // calls name their client only
				runs = append(runs, "@"+call.Mesh+"."+call.Endpoint)
			}
		}
		text := c.Name
		if slices.Sort(runs); len(runs) > 0 {
			text += " (runs " + strings.Join(slices.Compact(runs), ", ") + ")"
		}
		who = append(who, text)
	}
	switch len(who) {
	case 0:
		return ""
	case 1:
		return "Attached besides you: " + who[0] + "; its session ends too."
	}
	if len(who) > 4 {
		who = append(who[:3:3], fmt.Sprintf("%d more", len(who)-3))
	}
	return "Attached besides you: " + strings.Join(who, ", ") + "; their session ends too."
}

// quit leaves, after asking where the session ends with us while something runs.
func (m *Model) quit() tea.Cmd {
	procs, _ := m.world.Live()
	text := ""
	switch {
	case !m.cfg.Own:
	case !m.dialer.own && m.ownRuns > 0:
		text = fmt.Sprintf("The session you see goes on. monarch-tui's own session ends, and with it %s.", paint.Plural(m.ownRuns, "proc mesh"))
	case m.dialer.own && !m.lost && m.alive().procs > 0: // not for a mesh whose last rank has just ended
		text = fmt.Sprintf("%s with %s will be ended.", paint.Plural(len(procs), "proc mesh"), paint.Plural(m.alive().procs, "rank"))
	}
	if m.dialer.own && !m.lost {
		text = strings.TrimSpace(text + " " + m.others())
	}
	text = strings.TrimSpace(text + " " + m.leftPaused())
	if text == "" {
		return m.leaveProgram()
	}
	m.push(&dialog.Confirm{Title: "Leave monarch-tui?", Text: text, Do: m.leaveProgram})
	return nil
}

// openWarnings lists the warnings; enter goes to whom one is about.
func (m *Model) openWarnings() {
	reload := func() []dialog.Choice {
		var rows []dialog.Choice
		for _, f := range m.panes.warn.List(m.world) {
			key := fmt.Sprint(f.Name, " ", f.Mesh, " ", f.Procs, " ", f.Call)
			if f.Mesh == "" && f.Procs == "" {
				key += " " + f.Line
			} else { // of one mesh there may be several of a rule: lost, silent
				key += " " + f.Line[strings.LastIndexByte(f.Line, ' ')+1:]
			}
			rows = append(rows, dialog.Choice{Text: f.Line, Right: f.Name, Key: key, Do: func() tea.Cmd {
				if m.panes.showMesh(m.world, f.Mesh) || m.panes.showProcs(m.world, f.Procs) {
					m.setFocus(Ranks)
					if len(f.Ranks) > 0 {
						m.panes.grid.SetCursor(f.Ranks[0])
						_ = m.panes.grid.SetSelection(ranksText(f.Ranks))
					}
				}
				if len(f.Hosts) > 0 {
					m.setFocus(Mesh)
					m.panes.tree.GoHost(m.world, f.Hosts[0])
				}
				m.pushText(&dialog.TextBox{Title: f.Name, Lines: func() []paint.Seg {
					return []paint.Seg{{Style: paint.Style{Fg: paint.Text}, Text: f.Detail}}
				}})
				return m.cursorMoved()
			}})
		}
		return rows
	}
	p := dialog.NewPicker("Warnings", reload())
	p.Empty = "no warnings; settings switch rules off by name"
	p.Reload = reload
	p.Enter = "show whom"
	m.push(p)
}
