package tui

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/dialog"
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
	if v, ok := b.(editable); ok {
		if cmd, is := v.Edit(); is {
			return cmd
		}
	}
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
type pagerDone struct{ err error }

func (d pagerDone) apply(m *Model) tea.Cmd {
	if d.err != nil {
		m.say(sayError, "the pager: "+d.err.Error())
	}
	return nil
}

// pager shows text in $PAGER, or less, and comes back.
func (m *Model) pager(text string) tea.Cmd {
	words := strings.Fields(os.Getenv("PAGER"))
	if len(words) == 0 {
		words = []string{"less"}
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		m.say(sayError, fmt.Sprintf("there is no %s here: set PAGER to a program that shows a file", words[0]))
		return nil
	}
	f, err := os.CreateTemp("", "monarch-tui-*.txt")
	if err == nil {
		_, err = f.WriteString(text)
		_ = f.Close()
	}
	if err != nil {
		m.say(sayError, "open in a pager: "+short(err).Error())
		return nil
	}
	return tea.Exec(newPaging(m.ctx, append(words, f.Name()), f.Name(), m.cfg.KeepTerminal), func(err error) tea.Msg { return pagerDone{err} })
}

// paging is a pager, or an editor, that has the terminal. Bubble Tea does nothing else in the meantime, so it has to end when the explorer is to
// end, or nobody would leave.
type paging struct {
	*exec.Cmd
	ctx  context.Context
	file string // that is removed afterwards; "": none
	keep func() (putBack func())
}

var _ tea.ExecCommand = (*paging)(nil)

// pagerGrace is how long a pager has to end when it is told to; one that is stopped, or does not listen, is killed then.
const pagerGrace = time.Second

func newPaging(ctx context.Context, words []string, file string, keep func() (putBack func())) *paging {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...) //nolint:gosec // the pager is the person's own
	cmd.WaitDelay = pagerGrace
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil { // where there are no signals
			return cmd.Process.Kill()
		}
		return nil
	}
	return &paging{Cmd: cmd, ctx: ctx, file: file, keep: keep}
}

// SetStdin is where keys come from.
func (p *paging) SetStdin(r io.Reader) { p.Stdin = r }

// SetStdout is where the text goes.
func (p *paging) SetStdout(w io.Writer) { p.Stdout = w }

// SetStderr is where the pager complains.
func (p *paging) SetStderr(w io.Writer) { p.Stderr = w }

// freshKeys gives the arrow and number keys back their own meaning: pagers change it, and one that was killed did not undo that.
const freshKeys = "\x1b[?1l\x1b>"

// Run waits until the program is left or the explorer is to end, and removes the file.
func (p *paging) Run() error {
	if p.file != "" {
		defer func() { _ = os.Remove(p.file) }()
	}
	putBack := func() {}
	if p.keep != nil {
		putBack = p.keep()
	}
	err := p.Cmd.Run()
	if p.ctx.Err() != nil || p.ProcessState != nil && p.ProcessState.ExitCode() < 0 { // it may have left the terminal as it was
		putBack()
		_, _ = io.WriteString(p.Stdout, freshKeys)
	}
	return err
}

// pasted is what is left of a paste of several lines: each comes into the ':' line when the one before was taken. The
// zero pasted is none.
type pasted struct {
	rest []string
	of   int // lines that were pasted
}

// maxPasted bounds the lines of a paste; a longer text is a script, for source FILE.
const maxPasted = 1000

// note says which of the lines is shown, in few words where there are few cells.
func (p pasted) note(w int) string {
	switch {
	case p.of == 0:
		return ""
	case w < squashWidth:
		return fmt.Sprintf("%d/%d", p.of-len(p.rest), p.of)
	}
	return fmt.Sprintf("%d of %d pasted", p.of-len(p.rest), p.of)
}

// pasteLine puts a text into the open line. Of several lines the first comes into the ':' line and the others wait:
// nothing of it runs by itself.
func (m *Model) pasteLine(text string) tea.Cmd {
	i := m.input
	lines := []string(nil)
	before := *i
	if i.mark == ":" {
		lines = pastedLines(text)
		text = strings.Join(lines, " ")
	}
	if n := len(lines); n > maxPasted {
		m.say(sayWarn, fmt.Sprintf("%s are too many to paste: source FILE runs a script", paint.Plural(n, "line")))
		return nil
	}
	if n := len(lines); n > 1 {
		text = lines[0]
		rest := pasted{append(slices.Clone(lines[1:]), i.pasted.rest...), max(1, i.pasted.of) + n - 1}
		m.pastedInput(i, rest)
	}
	if refused := dialog.Insert(&i.field, joinedLines(text)); refused != "" {
		*i = before
		m.say(sayWarn, refused)
		return nil
	}
	i.comp = nil
	return m.inputChanged()
}

// openPasted opens the ':' line with the next line of a paste.
func (m *Model) openPasted(p pasted) {
	m.openCommand(p.rest[0])
	m.pastedInput(m.input, pasted{p.rest[1:], p.of})
}

// pastedInput makes an input one of a paste: what is taken runs after what was taken before, as in a script.
func (m *Model) pastedInput(i *input, p pasted) {
	i.pasted = p
	i.done = func(m *Model, text string) tea.Cmd { return m.typedLine(text, true) }
	i.keys = []dialog.Key{{Key: "enter", Hint: "run, then the next"}, {Key: "ctrl+u", Hint: "skip: empty it"}, {Key: "esc", Hint: "drop the rest"}}
	if len(p.rest) == 0 {
		i.keys = []dialog.Key{{Key: "enter", Hint: "run the last"}, {Key: "esc", Hint: "drop it"}}
	}
}

// pastedLines are the lines of a text that say something. An indented one is an expectation of the script that the text
// was part of, and says so itself here.
func pastedLines(text string) (out []string) {
	margin := -1 // of the least indented line
	indent := func(l string) int { return len(l) - len(strings.TrimLeft(l, " \t")) }
	lines := slices.DeleteFunc(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), func(l string) bool {
		l = strings.TrimSpace(l)
		return l == "" || l[0] == '#'
	})
	for _, l := range lines {
		if n := indent(l); margin < 0 || n < margin {
			margin = n
		}
	}
	for n, l := range lines {
		words := paint.OneLine(l)
		if n > 0 && indent(l) > margin {
			words = "expect " + words
		}
		out = append(out, words)
	}
	return out
}
