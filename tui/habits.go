package tui

import (
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// placeWords are the parts of the screen by the words that go there from the ':' line, as in k9s.
func placeWords() map[string]func(m *Model) {
	tab := func(p PaneID, n int) func(m *Model) {
		return func(m *Model) {
			if s := &m.panes.slots[p]; len(s.tabs) > 1 {
				s.turn(n - s.open)
			}
			m.setFocus(p)
		}
	}
	return map[string]func(m *Model){
		"procs": tab(Mesh, 0), "actors": tab(Mesh, 0), "ranks": tab(Ranks, 0), "inspect": tab(Inspect, 0),
		"messages": tab(Messages, 0), "flow": tab(Messages, 1), "top": tab(Messages, 2), "charts": tab(Messages, 3), "calls": tab(Messages, 4),
		"logs": tab(Logs, 0), "breakpoints": tab(Logs, tabBreaks), "reloads": tab(Logs, tabReload), "commands": tab(Logs, 3),
		"warnings": func(m *Model) { m.openWarnings() }, "config": (*Model).openConfig,
	}
}

// goToWord goes to the place of a word that stands alone; false where it is none. procs and calls are commands as well: with
// arguments, or in a script, they are meant.
func (m *Model) goToWord(line string) (tea.Cmd, bool) {
	to, ok := placeWords()[strings.TrimSpace(line)]
	if !ok {
		return nil, false
	}
	m.toast = toast{}
	to(m)
	return m.cursorMoved(), true
}

// describe goes to the inspector, which shows what the cursor is on; a breakpoint it deletes.
func (m *Model) describe() tea.Cmd {
	if _, ok := m.focused().(breaksTab); ok {
		if why := noBreaks(m); why != "" {
			m.say(sayWarn, why)
			return nil
		}
		return m.deleteBreak()
	}
	cmd := m.cursorMoved()
	m.setFocus(Inspect)
	return cmd
}

// openSave asks for the file of the script that this session makes; in the logs, of their lines; in the inspector, of what it
// shows.
func (m *Model) openSave() {
	if m.focus == Inspect {
		m.openWrite()
		return
	}
	if m.focus != Logs || m.panes.slots[Logs].open != 0 {
		m.openCommand("save ")
		return
	}
	m.openFile("lines to", "monarch-"+m.now().Format("20060102-150405")+".log", m.panes.logs.PageText)
}

// openWrite asks for the file of what the inspector shows.
func (m *Model) openWrite() {
	text, name := m.panes.inspect.All(m.world)
	if text == "" {
		m.say(sayWarn, "there is nothing to write here")
		return
	}
	m.openFile("JSON to", name+".json", func() string { return text })
}

// openFile asks for the name of a file, and writes a text to it.
func (m *Model) openFile(mark, name string, text func() string) {
	m.input = &input{mark: mark, field: dialog.NewEdit(name), hint: "a file", keys: []dialog.Key{{Key: "enter", Hint: "write"}, {Key: "esc", Hint: "back"}},
		done: func(m *Model, file string) tea.Cmd {
			if file = strings.TrimSpace(file); file != "" {
				m.writeLines(file, text())
			}
			return nil
		}}
	m.touch()
}

// writeLines writes a text to a new file; one that is there is left alone.
func (m *Model) writeLines(file, text string) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}
	switch {
	case os.IsExist(err):
		m.say(sayWarn, file+" is there already: choose another name")
	case err != nil:
		m.say(sayError, "write "+file+": "+short(err).Error())
	default:
		if at, err := filepath.Abs(file); err == nil {
			file = at
		}
		m.say(sayGood, paint.Plural(strings.Count(text, "\n"), "line")+" written to "+file)
	}
}

// openConfig tells where the settings are, and what can be set.
func (m *Model) openConfig() {
	file, _ := Paths()
	m.pushText(&dialog.TextBox{Title: "Settings", Lines: func() []paint.Seg {
		return []paint.Seg{{Style: paint.Style{Fg: paint.Muted}, Text: file + "  (read anew when it changes)\n\n"}, {Style: paint.Style{Fg: paint.Text}, Text: SettingsTemplate()}}
	}})
}

// habit answers a key that does nothing here and that hands know from programs like this one.
func (m *Model) habit(key string) {
	if key == "t" && m.focus == Logs {
		if text := m.keyHint("%s shows the times of lines, or hides them", "times"); text != "" {
			m.say(sayWarn, text)
		}
		return
	}
	for _, h := range []struct{ key, text, action string }{
		{"t", "%s exchanges rows and columns, on the grid", "transpose"},
		{"w", "%s wraps lines, in the logs", "wrap"},
		{"backspace", "%s goes one step back", "back"},
	} {
		if h.key == key {
			if text := m.keyHint(h.text, h.action); text != "" {
				m.say(sayWarn, text)
			}
		}
	}
}
