package tui

import (
	"fmt"
	"os"
	"os/exec"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/logs"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// copyHere copies what the cursor is on.
func (m *Model) copyHere() tea.Cmd {
	t := m.panes.tab(m.focus)
	text := ""
	if v, ok := t.body.(texter); ok {
		text = v.Text()
	}
	return m.copy("the "+t.item, text)
}

// pageHere shows the pane as text in a pager.
func (m *Model) pageHere() tea.Cmd {
	b := m.focused()
	if v, ok := b.(pageTexter); ok {
		return m.pager(v.PageText())
	}
	w := max(80, m.w)
	s := paint.New(w, 2000)
	b.Draw(s, m.world, false)
	return m.pager(strings.TrimRight(s.Plain(), "\n") + "\n")
}

// tellLog tells where the log file is.
func (m *Model) tellLog() {
	if f := logs.File(m.world); f != "" {
		m.say(sayGood, "the session's log: "+f)
		return
	}
	m.say(sayWarn, "this session has no run folder, so no log file")
}

// maxCopy is what terminals take over OSC 52: tmux and others cut longer texts without a word.
const maxCopy = 74_000

// copy puts text on the clipboard of the terminal, also over ssh; what is too long for that goes to a file.
func (m *Model) copy(what, text string) tea.Cmd {
	if strings.TrimSpace(text) == "" {
		m.say(sayWarn, "there is nothing to copy here")
		return nil
	}
	if len(text) > maxCopy {
		f, err := os.CreateTemp("", "monarch-tui-*.txt")
		if err == nil {
			_, err = f.WriteString(text)
			_ = f.Close()
		}
		if err != nil {
			m.say(sayError, "copy: "+short(err).Error())
			return nil
		}
		m.say(sayGood, fmt.Sprintf("%s is too long for the clipboard (%s): it is in %s", what, paint.Bytes(uint64(len(text))), f.Name()))
		return nil
	}
	m.say(sayGood, fmt.Sprintf("copied %s, %s", what, paint.Bytes(uint64(len(text)))))
	return tea.SetClipboard(text)
}

// pagerDone says that the pager has been left.
type pagerDone struct {
	file string
	err  error
}

func (d pagerDone) apply(m *Model) tea.Cmd {
	_ = os.Remove(d.file)
	if d.err != nil {
		m.say(sayError, "the pager: "+d.err.Error())
	}
	return nil
}

// pager shows text in $PAGER, or less, and comes back.
func (m *Model) pager(text string) tea.Cmd {
	f, err := os.CreateTemp("", "monarch-tui-*.txt")
	if err == nil {
		_, err = f.WriteString(text)
		_ = f.Close()
	}
	if err != nil {
		m.say(sayError, "open in a pager: "+short(err).Error())
		return nil
	}
	words := strings.Fields(os.Getenv("PAGER"))
	if len(words) == 0 {
		words = []string{"less"}
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		_ = os.Remove(f.Name())
		m.say(sayError, fmt.Sprintf("there is no %s here: set PAGER to a program that shows a file", words[0]))
		return nil
	}
	name := f.Name()
	cmd := exec.Command(words[0], append(words[1:], name)...) //nolint:gosec // the pager is the person's own
	return tea.ExecProcess(cmd, func(err error) tea.Msg { return pagerDone{name, err} })
}
