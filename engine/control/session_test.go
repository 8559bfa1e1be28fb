//go:build unix

package control

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runtimeDir gives the test a short run folder of its own and returns it.
func runtimeDir(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp("", "mt") //nolint:usetesting // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	t.Setenv("XDG_RUNTIME_DIR", base)
	return filepath.Join(base, runFolder)
}

func open(t *testing.T, name string) *SessionDir {
	t.Helper()
	s, err := OpenSession(name, "prog")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestASessionIsPrivateAndCanBeFoundByNamePidAndPath(t *testing.T) {
	run := runtimeDir(t)
	s := open(t, "trainer")
	if s.Dir != filepath.Join(run, "trainer") || s.Name != "trainer" {
		t.Errorf("session = %+v", s.SessionInfo)
	}
	for path, want := range map[string]os.FileMode{run: 0o700 | os.ModeDir, s.Dir: 0o700 | os.ModeDir, s.Socket(): 0o600 | os.ModeSocket} {
		fi, err := os.Lstat(path)
		if err != nil || fi.Mode() != want {
			t.Errorf("%s has mode %v, %v, want %v", path, fi.Mode(), err, want)
		}
	}
	all, err := ListSessions()
	if err != nil || len(all) != 1 || all[0].PID != os.Getpid() || all[0].Program != "prog" || time.Since(all[0].Started) > time.Minute {
		t.Errorf("ListSessions = %+v, %v", all, err)
	}
	for _, addr := range []string{"trainer", fmt.Sprint(os.Getpid()), s.Dir, s.Socket()} {
		if path, err := Resolve(addr); err != nil || path != s.Socket() {
			t.Errorf("Resolve(%s) = %s, %v", addr, path, err)
		}
	}
	server := NewServer(ServerConfig{Backend: newFake()})
	done := make(chan error, 1)
	go func() { done <- server.Serve(s.Listener()) }()
	c, err := Dial(t.Context(), "trainer", ClientInfo{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	server.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(s.Dir); err == nil {
		t.Error("the folder is still there after Close")
	}
}

func TestAProgramsNameLeadsToItsOneSession(t *testing.T) {
	runtimeDir(t)
	one := open(t, "trainer-4400")
	open(t, "trainer-eval-1")
	open(t, "x-1")
	for _, addr := range []string{"trainer", "trainer-4400"} {
		if path, err := Resolve(addr); err != nil || path != one.Socket() {
			t.Errorf("Resolve(%s) = %s, %v", addr, path, err)
		}
	}
	for _, addr := range []string{"train", "trainer-", "trainer-44", "-4400"} {
		if path, err := Resolve(addr); err == nil {
			t.Errorf("Resolve(%s) = %s, want none", addr, path)
		}
	}
	open(t, "trainer-501")
	if _, err := Resolve("trainer"); err == nil || !strings.Contains(err.Error(), "attach trainer: these sessions are meant by it: trainer-4400, trainer-501; write one of them") {
		t.Errorf("two of that name: %v", err)
	}
	own := open(t, "trainer")
	if path, err := Resolve("trainer"); err != nil || path != own.Socket() {
		t.Errorf("the name itself comes first: %s, %v", path, err)
	}
}

func TestANameThatIsTakenGetsANumber(t *testing.T) {
	runtimeDir(t)
	var names []string
	for range 3 {
		names = append(names, open(t, "x").Name)
	}
	if got := strings.Join(names, " "); got != "x x-2 x-3" {
		t.Errorf("names = %s", got)
	}
}

func TestWhatAKilledProgramLeftIsRemovedAndItsNameFree(t *testing.T) {
	run := runtimeDir(t)
	s := open(t, "x")
	s.lock.Close() // as the kernel does when a program is killed
	s.listener.Close()
	if err := os.Mkdir(filepath.Join(run, ".123"), 0o700); err != nil { // killed while it made the folder: too early to have a lock
		t.Fatal(err)
	}
	if all, err := ListSessions(); err != nil || len(all) != 0 {
		t.Errorf("ListSessions = %v, %v", all, err)
	}
	if _, err := os.Lstat(s.Dir); err == nil {
		t.Error("the left-over is still there")
	}
	again := open(t, "x")
	if again.Name != "x" {
		t.Errorf("name = %s, want x again", again.Name)
	}
	again.lock.Close()
	if third := open(t, "x"); third.Name != "x" {
		t.Errorf("name = %s, want x: opening removes a left-over too", third.Name)
	}
}

// TestAnUnsafeRunFolderIsRefusedInWords holds INV-OWNER.
func TestAnUnsafeRunFolderIsRefusedInWords(t *testing.T) {
	cases := map[string]struct {
		make func(t *testing.T, run string) error
		want string
	}{
		"others may write":  {func(t *testing.T, run string) error { _ = os.Mkdir(run, 0o700); return os.Chmod(run, 0o777) }, "its mode 0777 lets others write to it (chmod 700"},
		"a group may write": {func(t *testing.T, run string) error { _ = os.Mkdir(run, 0o700); return os.Chmod(run, 0o770) }, "its mode 0770 lets others write"},
		"a symbolic link":   {func(t *testing.T, run string) error { return os.Symlink(filepath.Dir(run), run) }, "it is a symbolic link"},
		"a file":            {func(t *testing.T, run string) error { return os.WriteFile(run, nil, 0o600) }, "it is not a folder"},
		"another's folder": {func(t *testing.T, run string) error {
			if os.Getuid() != 0 {
				t.Skip("only root can give a folder away")
			}
			_ = os.Mkdir(run, 0o700)
			return os.Chown(run, 12345, 12345)
		}, "it belongs to uid 12345 and you are 0"},
		"a parent nobody can write to": {func(t *testing.T, run string) error {
			t.Setenv("XDG_RUNTIME_DIR", "/proc/self") // not even for root
			return nil
		}, "make the run folder: mkdir /proc/self/monarch-tui"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			run := runtimeDir(t)
			if err := c.make(t, run); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(c.want, "/proc") {
				if _, err := os.Stat("/proc/self"); err != nil {
					t.Skip("no /proc here")
				}
			}
			for what, f := range map[string]func() error{
				"OpenSession":  func() error { _, err := OpenSession("x", "p"); return err },
				"ListSessions": func() error { _, err := ListSessions(); return err },
				"Resolve":      func() error { _, err := Resolve("x"); return err },
			} {
				if err := f(); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: %v, want %q", what, err, c.want)
				}
			}
		})
	}
}

func TestTheRunFolderFallsBackToOneForEachUser(t *testing.T) {
	base := t.TempDir()
	t.Setenv("TMPDIR", base)
	for _, xdg := range []string{"", "relative", filepath.Join(base, "not there")} {
		t.Setenv("XDG_RUNTIME_DIR", xdg)
		if dir, err := RunDir(); err != nil || dir != filepath.Join(base, fmt.Sprintf("monarch-tui-%d", os.Getuid())) {
			t.Errorf("XDG_RUNTIME_DIR=%q: RunDir = %s, %v", xdg, dir, err)
		}
	}
}

func TestBadSessionNamesAndAddressesAreRefusedInWords(t *testing.T) {
	runtimeDir(t)
	for _, name := range []string{"", "a/b", "..", "-x", "a b", strings.Repeat("x", 41), "ü"} {
		if _, err := OpenSession(name, ""); err == nil || !strings.Contains(err.Error(), "want 1 to 40 letters") {
			t.Errorf("OpenSession(%q) = %v", name, err)
		}
	}
	for addr, want := range map[string]string{
		"":        "want a session's name, a pid or the path of a socket",
		"trainer": "no session is running",
		"99":      "no running session has pid 99",
		"/no/way": "no such file",
		"/":       "the folder holds no session",
	} {
		if _, err := Resolve(addr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Resolve(%q) = %v, want %q", addr, err, want)
		}
	}
	open(t, "trainer")
	if _, err := Resolve("trianer"); err == nil || !strings.Contains(err.Error(), "trainer") {
		t.Errorf("a slip of the finger = %v, want a suggestion", err)
	}
}

func TestAPathThatIsTooLongForASocketIsRefusedInWords(t *testing.T) {
	base := filepath.Join(t.TempDir(), strings.Repeat("d", 100))
	if err := os.Mkdir(base, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", base)
	if _, err := OpenSession("x", "p"); err == nil || !strings.Contains(err.Error(), "longer than the") {
		t.Errorf("err = %v", err)
	}
	if left, _ := os.ReadDir(filepath.Join(base, runFolder)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestTheOtherEndsUserIsChecked holds INV-OWNER.
func TestTheOtherEndsUserIsChecked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if uid, err := peerUID(conn.(*net.UnixConn)); err != nil || uid != os.Getuid() {
		t.Errorf("peerUID = %d, %v", uid, err)
	}
	if err := judgeUID(1001, 1000); err == nil || !strings.Contains(err.Error(), "belongs to uid 1001; only uid 1000") {
		t.Errorf("judgeUID = %v", err)
	}
}

func TestAFolderWithoutASensibleDescriptionIsNoSession(t *testing.T) {
	run := runtimeDir(t)
	s := open(t, "x")
	_ = os.WriteFile(filepath.Join(s.Dir, aboutFile), []byte("{"), 0o600)
	_ = os.WriteFile(filepath.Join(run, "stray"), nil, 0o600)
	if all, err := ListSessions(); err != nil || len(all) != 0 {
		t.Errorf("ListSessions = %v, %v", all, err)
	}
	b, _ := json.Marshal(SessionInfo{Name: "y", PID: 7})
	_ = os.WriteFile(filepath.Join(s.Dir, aboutFile), b, 0o600)
	if all, err := ListSessions(); err != nil || len(all) != 1 || all[0].Name != "x" {
		t.Errorf("ListSessions = %v, %v: the folder's name is the session's", all, err)
	}
}
