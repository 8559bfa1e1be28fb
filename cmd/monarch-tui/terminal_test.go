//go:build linux

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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
	scr  *vt.SafeEmulator
	read sync.WaitGroup

	mu   sync.Mutex
	raw  bytes.Buffer // everything that was put out
	err  error        // of the program, once gone is closed
	gone chan struct{}
}

// open starts the program on a terminal of w×h cells, with a home and a run folder of its own.
func open(t *testing.T, home string, w, h uint16, args ...string) *terminal {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return launch(t, exec.Command(exe, args...), home, w, h)
}

// openShell starts the program as a job of a shell on a terminal.
func openShell(t *testing.T, home string, w, h uint16) *terminal {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	term := launch(t, exec.Command("bash", "--norc", "-i"), home, w, h)
	_, _ = io.WriteString(term.tty, exe+"\n")
	return term
}

func launch(t *testing.T, cmd *exec.Cmd, home string, w, h uint16) *terminal {
	t.Helper()
	term := &terminal{t: t, cmd: cmd, scr: vt.NewSafeEmulator(int(w), int(h)), gone: make(chan struct{})}
	term.cmd.Env = append(os.Environ(), "MONARCH_TEST_MAIN=1", "TERM=xterm-256color", "COLORTERM=truecolor", "HOME="+home, "XDG_RUNTIME_DIR="+filepath.Join(home, "run"),
		"XDG_STATE_HOME="+filepath.Join(home, "state"), "XDG_CONFIG_HOME="+filepath.Join(home, "config"))
	var err error
	if term.tty, err = pty.StartWithSize(term.cmd, &pty.Winsize{Cols: w, Rows: h}); err != nil {
		t.Fatal(err)
	}
	term.read.Go(func() { // what the program draws
		b := make([]byte, 32<<10)
		for {
			n, err := term.tty.Read(b)
			term.mu.Lock()
			term.raw.Write(b[:n])
			term.mu.Unlock()
			_, _ = term.scr.Write(b[:n])
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
		_ = term.scr.Close()
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
		c.wait("shows "+want, func() bool { return strings.Contains(c.scr.String(), want) })
	}
	return c
}

// wait waits for something to become true.
func (c *terminal) wait(what string, good func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(40 * time.Second); !good(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("it never %s; the screen:\n%s", what, c.scr.String())
		}
	}
}

// ends waits until the program has ended, and gives its exit code and what it printed after the screen was restored.
func (c *terminal) ends() (code int, after string) {
	c.t.Helper()
	select {
	case <-c.gone:
	case <-time.After(40 * time.Second):
		c.t.Fatalf("it does not end; the screen:\n%s", c.scr.String())
	}
	c.wait("restored the terminal", func() bool { return strings.Contains(c.text(), leaveAlt) })
	if e, ok := errors.AsType[*exec.ExitError](c.err); ok {
		code = e.ExitCode()
		if s, ok := e.Sys().(syscall.WaitStatus); ok && s.Signaled() {
			code = 128 + int(s.Signal())
		}
	}
	text := c.text()
	return code, text[strings.LastIndex(text, leaveAlt)+len(leaveAlt):]
}

// leaveAlt is what gives the terminal its own screen back.
const leaveAlt = "\x1b[?1049l"

func (c *terminal) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}

// children are the processes that the program has started, by pid.
func children(t *testing.T, pid int) []int {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, d := range dirs {
		b, err := os.ReadFile(d)
		if err != nil {
			continue // it has ended meanwhile
		}
		at := bytes.LastIndexByte(b, ')')
		fields := strings.Fields(string(b[at+1:]))
		if len(fields) > 1 && fields[0] != "Z" && fields[1] == itoa(pid) {
			out = append(out, atoi(filepath.Base(filepath.Dir(d))))
		}
	}
	return out
}
