//go:build linux

package hosts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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
