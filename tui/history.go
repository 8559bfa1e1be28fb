package tui

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/dialog"
)

// maxHistory bounds the lines that are remembered from session to session.
const maxHistory = 500

func (m *Model) historyFile() string {
	if m.cfg.Dir == "" {
		return ""
	}
	return filepath.Join(m.cfg.Dir, "history")
}

// loadHistory reads the lines of earlier sessions; a file that cannot be read is none.
func (m *Model) loadHistory() []string {
	name := m.historyFile()
	if name == "" {
		return nil
	}
	b, err := os.ReadFile(name)
	if err != nil || len(b) > 1<<20 {
		return nil
	}
	lines := strings.FieldsFunc(string(b), func(r rune) bool { return r == '\n' })
	return lines[max(0, len(lines)-maxHistory):]
}

// remember adds a line to the history, in memory and in the file. Another explorer may have added to the file since it
// was read: what it has stays.
func (m *Model) remember(line string) {
	line = strings.TrimSpace(line)
	if line == "" || strings.ContainsAny(line, "\n\r") {
		return
	}
	m.history = withLast(m.history, line)
	name := m.historyFile()
	if name == "" {
		return
	}
	lines := m.history
	if kept := m.loadHistory(); len(kept) > 0 {
		lines = withLast(kept, line)
	}
	if err := writeFile(name, strings.Join(lines, "\n")+"\n"); err != nil {
		m.say(sayWarn, fmt.Sprintf("the history is not kept: %v", err))
	}
}

// withLast is the lines of a history with one more, or with one of them moved to the end.
func withLast(lines []string, line string) []string {
	lines = append(slices.DeleteFunc(lines, func(l string) bool { return l == line }), line)
	return lines[max(0, len(lines)-maxHistory):]
}

// writeFile replaces a file as a whole.
func writeFile(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return short(err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return short(err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return short(err)
}

// short is an error of the file system with the last part of the path only.
func short(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return fmt.Errorf("%s: %w", filepath.Base(e.Path), e.Err)
	}
	return err
}

// recalled puts a line of the history into the ':' line.
func (m *Model) recalled(line string) tea.Cmd {
	if m.input == nil {
		m.openCommand(line)
	}
	m.input.field.SetValue(line)
	m.input.field.CursorEnd()
	m.input.comp = nil
	return m.inputChanged()
}

// openHistory lists the lines to choose from, those that have what was typed; the newest comes first.
func (m *Model) openHistory(typed string) {
	rows := make([]dialog.Choice, 0, len(m.history))
	for _, line := range slices.Backward(m.history) {
		rows = append(rows, dialog.Choice{Text: line, Do: func() tea.Cmd { return m.recalled(line) }})
	}
	p := dialog.NewPicker("History", rows)
	p.Empty = "no commands yet"
	p.SetFilter(typed)
	m.push(p)
}
