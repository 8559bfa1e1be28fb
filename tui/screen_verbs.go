package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
)

// screenVerbs are the commands that the explorer runs itself, by name: those that need a screen, and two that mean more
// here than in a script. Each takes the word that was typed and what stands behind it. handled is false where the session is to run it after all.
func screenVerbs() map[string]func(m *Model, e *entry, word, rest string) (cmd tea.Cmd, handled bool) {
	return map[string]func(m *Model, e *entry, word, rest string) (tea.Cmd, bool){
		"theme": (*Model).themeVerb,
		"write": (*Model).writeVerb,
		"demo":  func(m *Model, e *entry, _, rest string) (tea.Cmd, bool) { return m.demoVerb(e, rest), true },
		"attach": func(m *Model, e *entry, _, rest string) (tea.Cmd, bool) {
			if w := strings.Fields(rest); len(w) == 2 && strings.Trim(w[1], "0123456789") == "" && rest[0] != '"' { // a stopped frame
				return nil, false
			}
			if a, ok := strings.CutPrefix(rest, `"`); ok {
				rest = strings.TrimSuffix(a, `"`)
			}
			m.succeed(e)
			return m.attach(e, rest), true
		},
		"focus": (*Model).focusVerb,
		"quit": func(m *Model, e *entry, _, _ string) (tea.Cmd, bool) {
			m.succeed(e)
			return m.quit(), true
		},
		"help": (*Model).helpVerb,
	}
}

// screenVerb runs a command that the explorer runs itself; handled is false for every other.
func (m *Model) screenVerb(e *entry, st *script.Stmt) (cmd tea.Cmd, handled bool) {
	if st.Cmd == nil {
		return nil, false
	}
	run, ok := screenVerbs()[st.Cmd.Verb.Name]
	if !ok {
		return nil, false
	}
	word, rest, _ := strings.Cut(st.Cmd.Text, " ")
	return run(m, e, word, strings.TrimSpace(rest))
}

// ended ends a command of the screen with what came of it.
func (m *Model) ended(e *entry, err error, text ...string) {
	if err != nil {
		m.failed(e, err.Error())
		return
	}
	m.succeed(e, text...)
}

func (m *Model) themeVerb(e *entry, _, name string) (tea.Cmd, bool) {
	if name == "" {
		m.succeed(e, "theme "+m.theme.Name+"; have "+strings.Join(themeNames(), ", "))
		return nil, true
	}
	err := m.setTheme(name)
	m.themeFixed = m.themeFixed || err == nil
	m.ended(e, err)
	return nil, true
}

func (m *Model) writeVerb(e *entry, _, file string) (tea.Cmd, bool) {
	m.ended(e, m.writePicture(file), "wrote "+file)
	return nil, true
}

func (m *Model) focusVerb(e *entry, _, target string) (tea.Cmd, bool) {
	if err := m.focusTarget(target); err != nil {
		m.failed(e, err.Error())
		return nil, true
	}
	m.succeed(e)
	return m.cursorMoved(), true
}

// helpVerb opens the help of the screen. help COMMAND, and h as in Monarch's debugger, are answered in text.
func (m *Model) helpVerb(e *entry, word, about string) (tea.Cmd, bool) {
	if about != "" || word == "h" {
		return nil, false
	}
	m.succeed(e)
	m.openHelp()
	return nil, true
}
