//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// terminal is the program on a real terminal device, and an emulator that shows what it draws.
type terminal struct {
	t    *testing.T
	cmd  *exec.Cmd
	tty  *os.File
	home string
	read sync.WaitGroup
	all  chan struct{} // closed when all that was put out has been read

	draws sync.Mutex
	scr   *vt.Emulator // under draws, but for its answers

	mu   sync.Mutex
	raw  bytes.Buffer // everything that was put out
	err  error        // of the program, once gone is closed
	gone chan struct{}
}

// open starts the program on a terminal of w×h cells, with a home and a run folder of its own.
func open(t *testing.T, home string, w, h uint16, args ...string) *terminal {
	t.Helper()
	return openWith(t, home, w, h, nil, args...)
}

// openWith is open with more in the environment.
func openWith(t *testing.T, home string, w, h uint16, env []string, args ...string) *terminal {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = env
	return launch(t, cmd, home, w, h)
}

// openIn starts the program in a folder, which is also its home.
func openIn(t *testing.T, dir string, args ...string) *terminal {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Dir = dir
	return launch(t, cmd, dir, 200, 24)
}

// openShell starts the program as a job of a shell on a terminal.
func openShell(t *testing.T, home string, w, h uint16) *terminal {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return openShellWith(t, home, w, h, exe)
}

// openShellWith runs a line in a shell.
func openShellWith(t *testing.T, home string, w, h uint16, line string) *terminal {
	t.Helper()
	term := launch(t, exec.Command("bash", "--norc", "-i"), home, w, h)
	_, _ = io.WriteString(term.tty, line+"\n")
	return term
}

func launch(t *testing.T, cmd *exec.Cmd, home string, w, h uint16) *terminal {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(home, "run"), 0o700); err != nil { // where it is missing, a folder that all share is used
		t.Fatal(err)
	}
	term := &terminal{t: t, cmd: cmd, home: home, scr: vt.NewEmulator(int(w), int(h)), gone: make(chan struct{}), all: make(chan struct{})}
	env := append(os.Environ(), "MONARCH_TEST_MAIN=1", "TERM=xterm-256color", "COLORTERM=truecolor", "HOME="+home, "XDG_RUNTIME_DIR="+filepath.Join(home, "run"),
		"XDG_STATE_HOME="+filepath.Join(home, "state"), "XDG_CONFIG_HOME="+filepath.Join(home, "config"), "GORACE=atexit_sleep_ms=0")
	term.cmd.Env = append(env, cmd.Env...)
	var err error
	if term.tty, err = pty.StartWithSize(term.cmd, &pty.Winsize{Cols: w, Rows: h}); err != nil {
		t.Fatal(err)
	}
	term.read.Go(func() { // what the program draws
		defer close(term.all)
		b := make([]byte, 32<<10)
		for {
			n, err := term.tty.Read(b)
			term.mu.Lock()
			term.raw.Write(b[:n])
			term.mu.Unlock()
			term.draws.Lock()
			_, _ = term.scr.Write(b[:n])
			term.draws.Unlock()
			if err != nil {
				return
			}
		}
	})
	term.read.Go(func() { _, _ = io.Copy(term.tty, term.scr) }) // what the terminal answers
	go func() {
		term.err = term.cmd.Wait()
		close(term.gone)
	}()
	t.Cleanup(func() {
		_ = term.cmd.Process.Kill()
		<-term.gone
		_ = term.tty.Close()
		if answers, ok := term.scr.InputPipe().(io.Closer); ok { // Close beside a Read would be a race
			_ = answers.Close()
		}
		term.read.Wait()
	})
	return term
}

// press sends keys: names for those that have no character.
func (c *terminal) press(keys ...string) *terminal {
	c.t.Helper()
	names := map[string]string{"enter": "\r", "esc": "\x1b", "tab": "\t", "space": " ", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "ctrl+c": "\x03", "ctrl+z": "\x1a", "ctrl+s": "\x13", "backspace": "\x7f"}
	for _, k := range keys {
		text, ok := names[k]
		if !ok {
			text = k
		}
		if _, err := io.WriteString(c.tty, text); err != nil {
			c.t.Fatal(err)
		}
	}
	return c
}

// see waits until the texts are on the screen.
func (c *terminal) see(texts ...string) *terminal {
	c.t.Helper()
	for _, want := range texts {
		c.wait("shows "+want, func() bool { return strings.Contains(c.screen(), want) })
	}
	return c
}

// loses waits until a text is no longer on the screen.
func (c *terminal) loses(text string) *terminal {
	c.t.Helper()
	c.wait("loses "+text, func() bool { return !strings.Contains(c.screen(), text) })
	return c
}

// wait waits for something to become true.
func (c *terminal) wait(what string, good func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(patience); !good(); time.Sleep(5 * time.Millisecond) { // another process's screen has no channel
		if time.Now().After(deadline) {
			c.t.Fatalf("it never %s; the screen:\n%s\n%s", what, c.screen(), c.logs())
		}
	}
}

// logs is what the engines of the terminal's sessions have noted.
func (c *terminal) logs() string {
	var all strings.Builder
	_ = filepath.WalkDir(filepath.Join(c.home, "run"), func(path string, _ fs.DirEntry, _ error) error { // what is gone meanwhile says nothing
		if filepath.Base(path) == "engine.log" {
			b, _ := os.ReadFile(path)
			fmt.Fprintf(&all, "%s:\n%s", path, b)
		}
		return nil
	})
	return all.String()
}

// exits waits until the program has ended, and gives its exit code.
func (c *terminal) exits() (code int) {
	c.t.Helper()
	select {
	case <-c.gone:
	case <-time.After(patience):
		c.t.Fatalf("it does not end; the screen:\n%s", c.screen())
	}
	if e, ok := errors.AsType[*exec.ExitError](c.err); ok {
		code = e.ExitCode()
		if s, ok := e.Sys().(syscall.WaitStatus); ok && s.Signaled() {
			code = 128 + int(s.Signal())
		}
	}
	return code
}

// ends waits until the program has ended and given the terminal back as it was. It gives the exit code, and what was
// printed after the screen was left.
func (c *terminal) ends() (code int, after string) {
	c.t.Helper()
	code = c.exits()
	select { // the device ends when nobody has it open any more, and what was written last comes before that
	case <-c.all:
	case <-time.After(patience):
		c.t.Fatal("somebody still has its terminal")
	}
	if !strings.Contains(c.text(), leaveAlt) {
		c.t.Fatalf("the terminal is not restored:\n%s", c.screen())
	}
	if left := modesLeft(c.text()); len(left) > 0 {
		c.t.Errorf("the terminal is left with the modes %v", left)
	}
	text := c.text()
	return code, text[strings.LastIndex(text, leaveAlt)+len(leaveAlt):]
}

// leaveAlt is what gives the terminal its own screen back.
const leaveAlt = "\x1b[?1049l"

var setsMode = regexp.MustCompile(`\x1b\[\?(\d+)([hl])`)

// modesLeft are the private modes that are not as a terminal has them when it is new, after all that was put out.
func modesLeft(raw string) (left []string) {
	now := map[string]string{}
	for _, m := range setsMode.FindAllStringSubmatch(raw, -1) {
		now[m[1]] = m[2]
	}
	for mode, state := range now {
		isNew := "l"
		if mode == "25" || mode == "7" { // the cursor is shown, lines wrap
			isNew = "h"
		}
		if state != isNew {
			left = append(left, mode+state)
		}
	}
	return left
}

// screen is what is on the screen.
func (c *terminal) screen() string {
	c.draws.Lock()
	defer c.draws.Unlock()
	return c.scr.String()
}

// rows are the lines of the screen.
func (c *terminal) rows() []string {
	return strings.Split(strings.TrimRight(c.screen(), "\n"), "\n")
}

// resize gives the terminal another size, as dragging a window's corner does.
func (c *terminal) resize(w, h uint16) *terminal {
	c.t.Helper()
	c.draws.Lock()
	c.scr.Resize(int(w), int(h))
	c.draws.Unlock()
	if err := pty.Setsize(c.tty, &pty.Winsize{Cols: w, Rows: h}); err != nil {
		c.t.Fatal(err)
	}
	return c
}

func (c *terminal) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}

// children are the processes that the program has started, by pid, but for the guard of its session, which may be about to begin: it
// has the words and the environment of the program then.
func children(t *testing.T, pid int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	program := wordsOf(pid)
	var out []int
	for _, f := range stats {
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if err != nil {
			t.Fatal(err)
		}
		if words := wordsOf(child); strings.HasPrefix(words, "monarch-guard\x00") || words == program {
			continue
		}
		if parent, alive := status(child); alive && parent == pid {
			out = append(out, child)
		}
	}
	return out
}

// wordsOf is what a process was started with, its environment included.
func wordsOf(pid int) string {
	cmd, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return string(cmd) + string(env)
}

// status tells who the parent of a process is, and whether it runs; what nobody has waited for yet does not.
func status(pid int) (parent int, alive bool) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 2 || fields[0] == "Z" {
		return 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return parent, err == nil
}

// allGone checks that nothing is left of these processes.
func allGone(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		if _, alive := status(pid); alive {
			t.Errorf("worker %d is left", pid)
		}
	}
}

// TestEveryStartSaysHowToRepairATerminal that a program has left without echo, when it was killed.
func TestEveryStartSaysHowToRepairATerminal(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"raw -echo", "sane"} {
		term := launch(t, exec.Command("bash", "-c", "stty "+state+`; exec "$0" demo list`, exe), t.TempDir(), 100, 30)
		<-term.all
		term.mu.Lock()
		said := strings.Contains(term.raw.String(), "Type  reset  and enter")
		term.mu.Unlock()
		if want := state != "sane"; said != want {
			t.Errorf("%s: told: %v, want %v\n%s", state, said, want, term.raw.String())
		}
	}
}
