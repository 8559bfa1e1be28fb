//go:build linux

package faults

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// smallDisk is a file system of 128 KiB on which sessions keep their files.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mt") //nolint:usetesting // t.TempDir is too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=128k,mode=0700"); err != nil {
		t.Skip("no small file system can be mounted here: ", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// fill writes until the file system has no room left.
func fill(dir string) error {
	f, err := os.Create(filepath.Join(dir, "filler"))
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	return err
}

// Front ends are told that the log lacks lines, and why (E5, row 29).
func TestAFullDiskIsTold(t *testing.T) {
	dir := smallDisk(t)
	t.Setenv("XDG_RUNTIME_DIR", dir)
	e, err := engine.Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	if err := e.OpenSession(); err != nil {
		t.Fatal(err)
	}
	told := make(chan control.Session, 64)
	snap, stop := e.Backend().Subscribe(func(ev *control.Event) {
		if ev.Session != nil {
			told <- *ev.Session
		}
	})
	t.Cleanup(stop)
	if why := snap.Session.LogLost; why != "" {
		t.Fatalf("the log already lacks lines: %s", why)
	}
	_, mesh := spawn(t, e.Context(), "v", 1)
	n := pid(t, e.Context(), mesh, 0)
	t.Logf("the disk: %v", fill(dir))
	log := filepath.Join(snap.Session.Dir, "engine.log")
	at, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(log, (at.Size()+4095)/4096*4096); err != nil { // what is left of its last page would take the line
		t.Fatal(err)
	}
	if err := unix.Kill(n, unix.SIGKILL); err != nil { // nobody handles it: the log gets a line, which does not fit
		t.Fatal(err)
	}
	late := time.After(10 * time.Second)
	for {
		select {
		case s := <-told:
			if s.LogLost == "" {
				continue
			}
			if want := unix.ENOSPC.Error(); s.LogLost != want {
				t.Errorf("the log lacks lines because of %q, want %q", s.LogLost, want)
			}
			return
		case <-late:
			t.Fatal("nobody was told in 10 s")
		}
	}
}
