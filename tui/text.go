package tui

import (
	"fmt"
	"os"
	"os/exec"
	"strings"

	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

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

// openEntry shows a command with everything it gave.
func (m *Model) openEntry(e *entry) {
	b := &dialog.TextBox{Title: e.line, Live: func() bool { return !e.done }}
	b.Lines = func() []paint.Seg { return m.entryLines(e) }
	if !e.done {
		b.Keys = []dialog.Key{{Key: "ctrl+x", Hint: "cancel", Do: func() tea.Cmd { m.cancelEntry(e); return nil }}}
	}
	if e.mesh != "" {
		b.Keys = append(b.Keys, dialog.Key{Key: "enter", Hint: "to the ranks", Do: func() tea.Cmd { return m.toAnswers(e, b) }})
	}
	b.Keys = append(b.Keys, m.boundKeys("repeat", "repeat", func() tea.Cmd { m.drop(b); return m.commandWithin(e.line, e.within) })...)
	if m.input == nil && len(m.overlays) == 0 {
		b.Keys = append(b.Keys, m.boundKeys("command", "command", func() tea.Cmd { m.drop(b); m.openCommand(""); return nil })...)
	}
	m.pushText(b)
}

func (m *Model) entryLines(e *entry) (out []paint.Seg) {
	add := func(r paint.Role, text string) { out = append(out, paint.Seg{Style: paint.Style{Fg: r}, Text: text}) }
	sign, role := m.sign(e)
	add(role, sign+" ")
	add(paint.Text, e.line+"\n")
	when := "began " + e.began.Format("15:04:05.000")
	if e.done {
		when += ", took " + paint.Duration(e.took)
	} else {
		when += ", runs for " + paint.Duration(m.now().Sub(e.began).Truncate(100*time.Millisecond))
	}
	if e.within > 0 {
		when += ", given up after " + paint.Duration(e.within)
	}
	add(paint.Muted, when+"\n")
	if groups, n, slow := e.answers.list(); n > 0 {
		add(paint.Muted, fmt.Sprintf("\n%s, the slowest after %s\n", paint.Plural(n, "answer"), paint.Duration(slow)))
		width := 4
		for _, g := range groups {
			width = max(width, paint.Width(g.who()))
		}
		for _, g := range groups {
			r, arrow := paint.Text, " → "
			if !g.ok {
				r, arrow = paint.Failed, " ✕ "
			}
			add(paint.Muted, paint.PadLeft(g.who(), width))
			add(r, arrow+g.text+"\n")
			if len(g.ranks) > 1 {
				add(paint.Muted, strings.Repeat(" ", width+3)+"ranks "+ranksText(g.ranks)+"\n")
			}
			if g.more != "" {
				add(paint.Muted, indent(g.more, "       ")+"\n")
			}
		}
	} else if len(e.text) > 0 {
		add(paint.Text, "\n"+strings.Join(e.text, "\n")+"\n")
	}
	if e.err != "" {
		add(paint.Failed, "\n"+e.err+"\n")
	}
	return out
}

func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+by)
}
