//go:build linux

package hosts

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// TestFilesAreBroughtAsFarAsTheyDiffer: what ranks read again is what was changed here.
func TestFilesAreBroughtAsFarAsTheyDiffer(t *testing.T) {
	here, there := t.TempDir(), t.TempDir()
	t.Chdir(here)
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("conf/rate.txt", "0.1")
	write("conf/big.bin", strings.Repeat("weights ", 400_000)) // more than three parts
	write("conf/.secret", "not to be brought")
	write("notes.txt", "not asked for")
	e := start(t)
	ctx := e.Context()
	procs, mesh := spawn(ctx, t, "p", engine.Hosts("n1", "n2"), engine.Via("ssh", "ssh", login(t), "dir", there))
	front := control.InProcess(e.Backend(), control.ClientInfo{Name: "test"})
	sync := func(want string) {
		t.Helper()
		got, err := front.Sync(ctx, control.SyncReq{Procs: "p", Paths: []string{"conf"}})
		if err != nil || got.String() != want {
			t.Errorf("%q, %v; want %q", got.String(), err, want)
		}
	}
	read := func(want string) {
		t.Helper()
		got, err := engine.Method(mesh, (*Guest).Read).Call(ctx, "conf/rate.txt")
		for i, text := range values(t, got, err) {
			if text != want {
				t.Errorf("rank %d reads %q, want %q", i, text, want)
			}
		}
	}
	if err := procs.Sync(ctx, "conf"); err != nil {
		t.Fatal(err)
	}
	read("0.1")
	if b, err := os.ReadFile(filepath.Join(there, "conf/big.bin")); err != nil || len(b) != 3_200_000 {
		t.Errorf("the large file has %d bytes, %v", len(b), err)
	}
	for _, name := range []string{"conf/.secret", "notes.txt"} {
		if _, err := os.Stat(filepath.Join(there, name)); err == nil {
			t.Errorf("%s was brought", name)
		}
	}
	sync("2 files on 2 hosts looked at, 0 differed: 0 bytes sent")
	write("conf/rate.txt", "0.01")
	if err := procs.Sync(ctx, "conf/rate.txt"); err != nil {
		t.Fatal(err)
	}
	read("0.01")
	if err := procs.Sync(ctx, "../x"); err == nil || !strings.Contains(err.Error(), "is not within") {
		t.Errorf("a path outside: %v", err)
	}
	if err := procs.Sync(ctx, "nowhere"); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a path that is not there: %v", err)
	}
}

// TestWhatCannotBeBroughtIsSaid: what, and why.
func TestWhatCannotBeBroughtIsSaid(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"dangling", "loop", "up/down", "fifo"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Symlink("nowhere", "dangling/x"), os.Symlink("x", "loop/x"), os.Symlink("..", "up/down/x"), syscall.Mkfifo("fifo/x", 0o600)); err != nil {
		t.Fatal(err)
	}
	ctx := session(t)
	procs, _ := spawn(ctx, t, "p", engine.Dim("hosts", 1)) // it is looked at before anything is sent
	for path, want := range map[string]string{
		"dangling": "dangling/x is a link that leads nowhere (no such file or directory): ",
		"loop":     "loop/x is a link that leads nowhere (too many levels of symbolic links): ",
		"up":       "up/down/x is a link to a folder, and those are not followed: ",
		"fifo":     "fifo/x is no file but a pipe, a socket or a device: ",
		"missing":  "there is no missing in ",
	} {
		if err := procs.Sync(ctx, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	want := "4 of these cannot be brought, and nothing was sent: name what is to be brought, or move it away\n" +
		"dangling/x is a link that leads nowhere (no such file or directory)\n" +
		"fifo/x is no file but a pipe, a socket or a device\n" +
		"loop/x is a link that leads nowhere (too many levels of symbolic links)\n" +
		"up/down/x is a link to a folder, and those are not followed"
	if err := procs.Sync(ctx); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("all: %v, want %q", err, want)
	}
}

// TestAllHostsAreNamedThatHaveNotGotAll: not only the first.
func TestAllHostsAreNamedThatHaveNotGotAll(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("rate.txt", []byte("0.1"), 0o600); err != nil {
		t.Fatal(err)
	}
	there := t.TempDir()
	if err := os.Mkdir(filepath.Join(there, "rate.txt"), 0o700); err != nil { // it stands where the file is to be
		t.Fatal(err)
	}
	ctx := session(t)
	procs, _ := spawn(ctx, t, "p", engine.Hosts("n1", "n2"), engine.Via("ssh", "ssh", login(t), "dir", there))
	err := procs.Sync(ctx)
	if err == nil || !strings.Contains(err.Error(), "host n1: rate.txt: ") || !strings.Contains(err.Error(), "host n2: rate.txt: ") {
		t.Errorf("%v; want both hosts", err)
	}
}

// TestAHostThatIsLostWhileFilesAreBroughtIsNamed: the words are not those of a call to an actor.
func TestAHostThatIsLostWhileFilesAreBroughtIsNamed(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("big", bytes.Repeat([]byte("12345678"), 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := session(t)
	procs, mesh := spawn(ctx, t, "p", engine.Hosts("n1"), engine.Via("ssh", "ssh", login(t), "dir", t.TempDir()))
	agent := where(ctx, t, mesh)[0][1]
	done := make(chan error, 1)
	if err := syscall.Kill(agent, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	go func() { done <- procs.Sync(ctx, "big") }()
	time.AfterFunc(time.Second, func() { _ = syscall.Kill(agent, syscall.SIGKILL) })
	if err := <-done; err == nil || !strings.Contains(err.Error(), "its host n1 is lost: ") || strings.Contains(err.Error(), "the rank") {
		t.Errorf("%v; want that the host is lost", err)
	}
}
