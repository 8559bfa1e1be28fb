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
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

func ranksText(ranks []int) string { return shape.FormatRanks(ranks) }

// openHelp lists what can be done here; a row does it. What cannot be done now stays, with the reason.
func (m *Model) openHelp() {
	var heads []string
	under := map[string][]choice{}
	add := func(a *Action) {
		if under[a.Group] == nil {
			heads = append(heads, a.Group)
		}
		keys := make([]string, 0, len(a.Keys))
		for _, k := range a.Keys {
			keys = append(keys, keyName(k))
		}
		under[a.Group] = append(under[a.Group], choice{text: a.Title, right: strings.Join(keys, " "), why: m.whyNot(a), do: func(m *Model) tea.Cmd { return m.do(a) }})
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
	var rows []choice
	for _, head := range heads {
		rows = append(append(rows, choice{head: head}), under[head]...)
	}
	p := newPicker("Help · "+paneNames[m.focus], rows)
	p.verb = "do it"
	m.push(p)
}

// openPalette lists every action, what does something first, and every verb of the command language.
func (m *Model) openPalette() {
	var rows []choice
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
			rows = append(rows, choice{text: a.Title, right: a.Key(), do: func(m *Model) tea.Cmd { m.setFocus(p); return m.do(a) }})
			continue
		}
		rows = append(rows, choice{text: a.Title, right: a.Key(), why: why, do: func(m *Model) tea.Cmd { return m.do(a) }})
	}
	for _, v := range script.Verbs() {
		if v.Lacks == "" {
			rows = append(rows, choice{text: v.Name + "  " + v.Summary, right: ":", do: func(m *Model) tea.Cmd { m.openCommand(v.Name + " "); return nil }})
		}
	}
	for _, t := range themeNames() {
		rows = append(rows, choice{text: "theme " + t, right: ":", do: func(m *Model) tea.Cmd { return m.command("theme " + t) }})
	}
	p := newPicker("Palette", rows)
	p.verb = "do it"
	m.push(p)
}

// openDemos lists the demos.
func (m *Model) openDemos() {
	rows := make([]choice, 0, len(m.cfg.Demos))
	for _, d := range m.cfg.Demos {
		rows = append(rows, choice{text: paint.Pad(d.Name, 10) + d.Title, do: func(m *Model) tea.Cmd { return m.command("demo " + d.Name) }})
	}
	m.push(newPicker("Demos", rows))
}

// sessionsMsg is the sessions of this user that run.
type sessionsMsg struct {
	list []control.SessionInfo
	err  error
	p    *picker
}

// openSessions lists the sessions to attach to.
func (m *Model) openSessions() tea.Cmd {
	p := newPicker("Attach to a session", nil)
	p.empty = "looking …"
	p.verb = "attach to"
	p.free = func(m *Model, addr string) tea.Cmd { return m.command("attach \"" + addr + "\"") }
	m.push(p)
	return m.task(func() tea.Msg {
		list, err := control.ListSessions()
		return sessionsMsg{list, err, p}
	})
}

func (s sessionsMsg) apply(m *Model) tea.Cmd {
	if !slices.Contains(m.overlays, overlay(s.p)) {
		return nil
	}
	if s.err != nil {
		s.p.empty = "the sessions cannot be listed: " + s.err.Error()
		return nil
	}
	s.p.empty = "no session is running here; type the address of one. A program that calls engine.Main opens one; so does monarch-tui. From another machine: ssh HOST monarch-tui attach --stdio"
	for _, i := range s.list {
		age := paint.Duration(m.now().Sub(i.Started).Truncate(time.Second))
		why := ""
		if m.conn != nil && i.Name == m.world.Session.Name {
			why = "this is the session you see"
		}
		s.p.rows = append(s.p.rows, choice{text: fmt.Sprintf("%s  %s, pid %d", i.Name, i.Program, i.PID), right: age, why: why, do: func(m *Model) tea.Cmd { return m.command("attach " + i.Name) }})
	}
	s.p.apply()
	return nil
}

// openErrors lists what failed, the newest first.
func (m *Model) openErrors() {
	var rows []choice
	for _, e := range slices.Backward(m.commands) {
		if e.done && !e.ok {
			first, _, _ := strings.Cut(e.err, "\n")
			rows = append(rows, choice{text: e.line + " ✕ " + first, right: e.began.Format(time.TimeOnly), do: func(m *Model) tea.Cmd { m.openEntry(e); return nil }})
		}
	}
	for _, f := range slices.Backward(m.world.Failures) {
		rows = append(rows, choice{text: f.What, right: f.Time.Format(time.TimeOnly), do: func(m *Model) tea.Cmd { m.openFailure(f); return nil }})
	}
	p := newPicker("Errors", rows)
	p.empty = "nothing has failed so far"
	m.errors = 0
	m.push(p)
}

func (m *Model) openFailure(f control.Failure) {
	m.push(&textBox{title: "Failure", lines: func(*Model) []paint.Seg {
		who := "nobody has handled it"
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

// confirm asks before something that cannot be undone: a key, or a name that has to be typed.
type confirm struct {
	title string
	text  string
	word  string // must be typed; "": y is enough
	field typed
	do    func(m *Model) tea.Cmd
}

// typed is what has been typed so far.
type typed struct{ text string }

func (c *confirm) size(_ *Model, w, _ int) (int, int) {
	width := min(w, 64)
	lines := len(paint.Wrap(c.text, width-4))
	if c.word != "" {
		lines += 2
	}
	return width, lines + 4
}

func (c *confirm) draw(_ *Model, s *paint.Surface) *tea.Cursor {
	w, _ := s.Size()
	in := paint.Frame{Title: c.title, Focus: true, Accent: paint.Warning}.Draw(s)
	y := 1
	for _, l := range paint.Wrap(c.text, w-4) {
		in.Text(1, y, paint.Style{Fg: paint.Text}, l)
		y++
	}
	if c.word == "" {
		return nil
	}
	x := in.Text(1, y+1, paint.Style{Fg: paint.Muted}, "type "+c.word+" to do it: ")
	role := paint.Text
	if !strings.HasPrefix(c.word, c.field.text) {
		role = paint.Failed
	}
	x = in.TextIn(x, y+1, w-x-3, paint.Style{Fg: role, Attr: paint.Bold}, c.field.text)
	return cursorAt(in, x, y+1)
}

func (c *confirm) hints(*Model) []boxKey {
	if c.word != "" {
		return []boxKey{{key: "enter", hint: "do it, once the name stands there"}, {key: "esc", hint: "no"}}
	}
	return []boxKey{{key: "y", hint: "yes"}, {key: "esc", hint: "no"}}
}

func (c *confirm) key(m *Model, msg tea.KeyPressMsg) tea.Cmd {
	k := msg.String()
	switch {
	case k == "esc", c.word == "" && (k == "n" || k == "q"):
		m.drop(c)
	case c.word == "" && k == "y", c.word != "" && k == "enter" && c.field.text == c.word:
		m.drop(c)
		return c.do(m)
	case c.word == "":
	case k == "backspace":
		if r := []rune(c.field.text); len(r) > 0 {
			c.field.text = string(r[:len(r)-1])
		}
	case k == "ctrl+u":
		c.field.text = ""
	case msg.Text != "" && len(c.field.text) < 100:
		c.field.text += msg.Text
	}
	return nil
}

// quit leaves, after asking where the session ends with us while something runs.
func (m *Model) quit() tea.Cmd {
	leave := func(m *Model) tea.Cmd { m.quitting = true; return tea.Quit }
	procs, _ := m.world.Live()
	text := ""
	switch {
	case !m.cfg.Own:
	case !m.dialer.own && m.ownRuns > 0:
		text = fmt.Sprintf("The session you see goes on. monarch-tui's own session ends, and with it %s.", paint.Plural(m.ownRuns, "proc mesh"))
	case m.dialer.own && !m.lost && len(procs) > 0:
		text = fmt.Sprintf("%s with %s will be ended.", paint.Plural(len(procs), "proc mesh"), paint.Plural(m.alive().procs, "rank"))
	}
	if text == "" {
		return leave(m)
	}
	m.push(&confirm{title: "Leave monarch-tui?", text: text, do: leave})
	return nil
}
