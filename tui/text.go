package tui

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/list"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// textBox is an overlay that shows text, scrolled and wrapped.
type textBox struct {
	title string
	lines func(m *Model) []paint.Seg // made anew for each drawing: it may go on changing; "\n" ends a line
	live  func(m *Model) bool
	keys  []boxKey
	win   list.Window
}

// boxKey is a key of one overlay only.
type boxKey struct {
	key, hint string
	do        func(m *Model) tea.Cmd
}

func (b *textBox) moves(m *Model) bool { return b.live != nil && b.live(m) }

func (b *textBox) rows(m *Model, w int) (rows [][]paint.Seg) {
	row := []paint.Seg{}
	for _, g := range b.lines(m) {
		for i, part := range strings.Split(g.Text, "\n") {
			if i > 0 {
				rows, row = append(rows, row), nil
			}
			room := w - segsWidth(row)
			if part == "" {
				continue
			}
			if paint.Width(part) <= room {
				row = append(row, paint.Seg{Style: g.Style, Text: part})
				continue
			}
			indent := segsWidth(row)
			for j, piece := range paint.Wrap(part, max(8, room)) {
				if j > 0 {
					rows, row = append(rows, row), []paint.Seg{{Text: strings.Repeat(" ", max(0, min(indent, w/2)))}}
				}
				row = append(row, paint.Seg{Style: g.Style, Text: piece})
			}
		}
	}
	if len(row) > 0 {
		rows = append(rows, row)
	}
	return rows
}

func (b *textBox) size(m *Model, w, h int) (int, int) {
	width := min(w, 96)
	return width, min(h, len(b.rows(m, width-4))+2)
}

func (b *textBox) draw(m *Model, s *paint.Surface) *tea.Cursor {
	w, h := s.Size()
	rows := b.rows(m, w-4)
	b.win.Fit(max(0, len(rows)-(h-2))+1, 1)
	in := paint.Frame{Title: b.title, Focus: true, At: b.win.Top, Shown: h - 2, Total: len(rows)}.Draw(s)
	for y := range h - 2 {
		if at := b.win.Cursor + y; at < len(rows) {
			in.Line(1, y, rows[at]...)
		}
	}
	return nil
}

// plain is the text, for copying and the pager.
func (b *textBox) plain(m *Model) string {
	var text strings.Builder
	for _, g := range b.lines(m) {
		text.WriteString(g.Text)
	}
	return text.String()
}

func (b *textBox) hints(*Model) []boxKey {
	return append(slices.Clone(b.keys), boxKey{key: "esc", hint: "back"}, boxKey{key: "y", hint: "copy"}, boxKey{key: "o", hint: "pager"}, boxKey{key: "j k", hint: "scroll"})
}

func (b *textBox) key(m *Model, msg tea.KeyPressMsg) tea.Cmd {
	k := msg.String()
	for _, bk := range b.keys {
		if bk.key == k {
			return bk.do(m)
		}
	}
	switch k {
	case "esc", "q", "enter":
		m.drop(b)
	case "up", "k":
		b.win.Move(-1)
	case "down", "j":
		b.win.Move(1)
	case "pgup", "ctrl+u":
		b.win.Move(-10)
	case "pgdown", "ctrl+d", "space":
		b.win.Move(10)
	case "g", "home":
		b.win.To(0)
	case "G", "end":
		b.win.To(b.win.Total - 1)
	case "y":
		return m.copy(b.title, b.plain(m))
	case "o":
		return m.pager(b.plain(m))
	}
	return nil
}

func (b *textBox) wheel(_ *Model, lines int) { b.win.Move(lines) }

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
	b := &textBox{title: e.line, live: func(*Model) bool { return !e.done }}
	b.lines = func(m *Model) []paint.Seg { return m.entryLines(e) }
	if !e.done {
		b.keys = []boxKey{{"ctrl+x", "cancel", func(m *Model) tea.Cmd { m.cancelEntry(e); return nil }}}
	}
	if e.mesh != "" {
		b.keys = append(b.keys, boxKey{"enter", "to the ranks", func(m *Model) tea.Cmd { return m.toAnswers(e, b) }})
	}
	b.keys = append(b.keys, boxKey{".", "repeat", func(m *Model) tea.Cmd { m.drop(b); return m.commandWithin(e.line, e.within) }})
	if m.input == nil && len(m.overlays) == 0 {
		b.keys = append(b.keys, boxKey{":", "command", func(m *Model) tea.Cmd { m.drop(b); m.openCommand(""); return nil }})
	}
	m.push(b)
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
