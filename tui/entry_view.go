package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// openEntry shows a command with everything it gave.
func (m *Model) openEntry(e *entry) {
	b := &dialog.TextBox{Title: e.line, Live: func() bool { return !e.done }}
	b.Lines = func() []paint.Seg { return m.entryLines(e) }
	if !e.done {
		b.Keys = []dialog.Key{{Key: "ctrl+x", Hint: "cancel", Do: func() tea.Cmd { return m.cancelEntry(e) }}}
	}
	if e.mesh != "" {
		b.Keys = append(b.Keys, dialog.Key{Key: "enter", Hint: "to the ranks", Do: func() tea.Cmd { return m.toAnswers(e, b) }})
	}
	b.Keys = append(b.Keys, m.boundKeys("repeat", "repeat", func() tea.Cmd { m.drop(b); return m.command(e.line) })...)
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
	if e.cancelled {
		add(paint.Muted, "\n"+e.err+"\n")
	} else if e.err != "" {
		add(paint.Failed, "\n"+e.err+"\n")
	}
	return out
}

func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+by)
}
