package tui

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// editable is a tab with places in files, which an editor opens instead of the pager.
type editable interface {
	Edit() (cmd tea.Cmd, ok bool)
}

// edit opens a place in the person's editor, and comes back.
func (m *Model) edit(folder string, at control.CompileError) tea.Cmd {
	file := at.File
	if !filepath.IsAbs(file) {
		file = filepath.Join(folder, file)
	}
	if st, err := os.Stat(file); err != nil || !st.Mode().IsRegular() {
		m.say(sayWarn, at.File+" is not on this machine, or not in "+folder)
		return nil
	}
	words := editor(os.Getenv)
	if len(words) == 0 {
		m.say(sayWarn, "there is no editor here: set EDITOR to one")
		return nil
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		m.say(sayWarn, fmt.Sprintf("there is no %s here: set EDITOR to an editor", words[0]))
		return nil
	}
	return tea.Exec(newPaging(m.ctx, atPlace(words, file, at.Line, at.Col), "", m.cfg.KeepTerminal), func(err error) tea.Msg { return editorDone{err} })
}

// editorDone says that the editor has been left.
type editorDone struct{ err error }

func (d editorDone) apply(m *Model) tea.Cmd {
	if d.err != nil {
		m.say(sayError, "the editor: "+d.err.Error())
	}
	return nil
}

// editor is the person's editor with its arguments, else one that most machines have; none where there is none.
func editor(env func(string) string) []string {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if words := strings.Fields(env(name)); len(words) > 0 {
			return words
		}
	}
	for _, name := range []string{"nvim", "vim", "vi", "nano"} {
		if _, err := exec.LookPath(name); err == nil {
			return []string{name}
		}
	}
	return nil
}

// atPlace is a command line that opens a file at a line and a column, as the editor wants it; most take +LINE.
func atPlace(words []string, file string, line, col int) []string {
	words = slices.Clip(words)
	if line <= 0 {
		return append(words, file)
	}
	l, c := strconv.Itoa(line), strconv.Itoa(max(1, col))
	name, _, _ := strings.Cut(strings.ToLower(filepath.Base(words[0])), ".")
	switch name {
	case "code", "codium", "vscodium", "cursor", "windsurf", "code-insiders":
		return append(words, "--goto", file+":"+l+":"+c)
	case "hx", "helix", "subl", "sublime_text", "zed", "zeditor", "micro", "kate":
		if name == "micro" || name == "kate" {
			return append(words, "+"+l+":"+c, file)
		}
		return append(words, file+":"+l+":"+c)
	case "vi", "vim", "nvim", "gvim", "mvim", "view":
		return append(words, "+call cursor("+l+","+c+")", file)
	case "nano":
		return append(words, "+"+l+","+c, file)
	case "emacs", "emacsclient", "kak":
		return append(words, "+"+l+":"+c, file)
	case "idea", "goland":
		return append(words, "--line", l, "--column", c, file)
	}
	return append(words, "+"+l, file)
}
