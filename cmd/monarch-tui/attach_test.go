//go:build linux

package main

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

func TestAnAddressThatLeadsNowhereIsToldBeforeTheScreenOpens(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(net.Conn) // nil: nobody listens
		args   []string
		want   []string
	}{
		"nothing runs": {args: []string{"attach", "trainer"}, want: []string{"attach trainer: no session is running"}},
		"a plain file": {args: []string{"attach", "./file"}, want: []string{"./file is not a socket"}},
		"nobody at it": {args: []string{"attach", "./dead.sock"}, want: []string{"connection refused", "lists the sessions"}},
		"somebody else": {answer: says([]byte("220 smtp.example.org ready\r\n")), args: []string{"attach", "./s.sock"}, want: []string{
			`attach ./s.sock: this is no monarch-tui session: it answered "220 smtp.example.org ready"; "monarch-tui attach" lists the sessions`, "malformed frame"}},
		"one that hangs up": {answer: says(nil), args: []string{"attach", "./s.sock"}, want: []string{"closed the connection without a welcome"}},
		"a newer program": {answer: says(bye(t, "version", "this program speaks protocol 7 to 9, you speak 1: use a newer monarch-tui")), args: []string{"attach", "./s.sock"},
			want: []string{"this program speaks protocol 7 to 9, you speak 1: use a newer monarch-tui"}},
		"a command that fails":        {args: []string{"attach", "--via", "echo no route to gpubox >&2; exit 255"}, want: []string{"it ended (exit status 255) without reaching a session", "no route to gpubox"}},
		"a command that says hello":   {args: []string{"attach", "--via", "head -c 1 >/dev/null; echo Welcome to gpubox, have a nice day"}, want: []string{`this is no monarch-tui session: it answered "Welcome to gpubox, have a nice day"`, "malformed frame"}},
		"a command that is not there": {args: []string{"attach", "--via", "nosuchcommand"}, want: []string{"exit status 127"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := shortDir(t)
			write(t, filepath.Join(dir, "file"), nil)
			listenAt(t, filepath.Join(dir, "s.sock"), tt.answer)
			dead, err := net.Listen("unix", filepath.Join(dir, "dead.sock"))
			if err != nil {
				t.Fatal(err)
			}
			dead.(*net.UnixListener).SetUnlinkOnClose(false)
			if err := dead.Close(); err != nil {
				t.Fatal(err)
			}
			term := openIn(t, dir, tt.args...)
			if code := term.exits(); code != exitCommand {
				t.Errorf("exit code %d, want %d", code, exitCommand)
			}
			for _, want := range tt.want {
				term.wait("says "+want, func() bool { return strings.Contains(term.text(), want) })
			}
			if strings.Contains(term.text(), leaveAlt) {
				t.Error("the screen was opened")
			}
		})
	}
}

// listenAt serves a socket with somebody who is no session of ours.
func listenAt(t *testing.T, path string, answer func(net.Conn)) {
	t.Helper()
	if answer == nil {
		return
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			answer(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
}

// says reads the greeting and answers with these bytes.
func says(b []byte) func(net.Conn) {
	return func(c net.Conn) {
		var size [4]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		_, _ = io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(size[:])))
		_, _ = c.Write(b)
	}
}

// bye is the frame with which a program turns a client away (engine/control/PROTOCOL.md).
func bye(t *testing.T, code, text string) []byte {
	t.Helper()
	b, err := cbor.Marshal(map[int]any{1: 3, 4: map[string]string{"Code": code, "Text": text}})
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

func TestASessionIsReachedThroughTheBytesOfAnotherProgram(t *testing.T) {
	home := shortDir(t)
	first := open(t, home, 100, 30)
	first.see("live").press(":").press("procs mine gpus=2").press("enter").see("2 procs")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(home, "run"))
	t.Setenv("MONARCH_TEST_MAIN", "1")
	line := "exec " + exe + " attach --stdio " + strconv.Itoa(first.cmd.Process.Pid)

	c, err := dialVia(t.Context(), line, control.ClientInfo{Name: "tester"}, true)
	if err != nil {
		t.Fatal(err)
	}
	watch, err := c.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Procs(t.Context(), control.ProcsReq{Name: "afar", Dims: shape.Extent{{Name: "gpus", Size: 1}}}); err != nil {
		t.Fatal(err)
	}
	first.see("afar", "3 procs")

	far := open(t, home, 100, 30, "attach", "--via", line)
	far.see("live", "mine", "afar")
	far.press(":").press("kill afar").press("enter")
	first.see("2 procs")

	first.press("q").see("Leave").press("y").ends()
	<-c.Done()
	if c.Err() == nil {
		t.Error("nobody says why the connection has ended")
	}
	watch.Close()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	far.see("looking for it").press("q")
	if code, _ := far.ends(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestAnExplorerWhoseSessionWasKilledStaysUsable(t *testing.T) {
	home := shortDir(t)
	first := open(t, home, 100, 30)
	first.see("live").press(":").press("procs mine gpus=2").press("enter").see("2 procs")
	second := open(t, home, 100, 30, "attach", "explorer")
	second.see("live", "mine")
	if err := syscall.Kill(first.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second.see("reconnecting", "as of", "mine")
	second.press("?").see("type to filter").press("esc").loses("type to filter")
	second.press("x").see("reconnecting").press("q")
	code, after := second.ends()
	if code != 0 || strings.Contains(after, "goes on") {
		t.Errorf("exit code %d, epilogue %q", code, after)
	}
}
