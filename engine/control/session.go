package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// Names of the files of a session's folder.
const (
	socketFile = "control.sock"
	aboutFile  = "session.json"
	lockFile   = "lock" // locked while the session lives: how a left-over of a killed program is told
	runFolder  = "monarch-tui"
)

// ErrPlatform is why there are no sessions to attach to on this system.
var ErrPlatform = errors.New("sessions that front ends attach to need Linux or macOS")

// SessionInfo is what the run folder tells about a session without connecting to it.
type SessionInfo struct {
	Name    string    `json:"name"`
	PID     int       `json:"pid"` // of the controller
	Program string    `json:"program"`
	Started time.Time `json:"started"`
	Dir     string    `json:"-"`
}

// Socket is the path of the session's socket.
func (s SessionInfo) Socket() string { return filepath.Join(s.Dir, socketFile) }

// Still reports whether a signal has stopped the controller, as SIGSTOP does: who attaches to it is not answered. false where the
// system does not tell (/proc).
func (s SessionInfo) Still() bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.PID))
	if err != nil {
		return false
	}
	at := bytes.LastIndexByte(b, ')') // the name before it may hold anything
	return at >= 0 && at+2 < len(b) && (b[at+2] == 'T' || b[at+2] == 't')
}

// SessionDir is the folder of a running session: nobody but its user may enter it.
type SessionDir struct {
	SessionInfo
	listener net.Listener
	lock     *os.File
}

// Listener accepts the session's clients.
func (s *SessionDir) Listener() net.Listener { return s.listener }

// Close stops listening and removes the folder.
func (s *SessionDir) Close() error {
	err := s.listener.Close()
	if errors.Is(err, net.ErrClosed) { // the server that listened on it has closed it
		err = nil
	}
	err = errors.Join(err, os.RemoveAll(s.Dir), s.lock.Close())
	if err != nil {
		return fmt.Errorf("remove the session's folder: %w", err)
	}
	return nil
}

// RunDir is the folder that holds one folder per session: $XDG_RUNTIME_DIR/monarch-tui, else monarch-tui-<uid> in the
// folder for temporary files. It is made if need be, and refused when somebody else owns it or could write to it.
func RunDir() (string, error) {
	dir, how := runDirPath()
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make the run folder: %w (%s)", err, how)
	}
	if err := checkPrivate(dir); err != nil {
		return "", fmt.Errorf("the run folder %s is not safe: %w", dir, err)
	}
	return dir, nil
}

func runDirPath() (dir, how string) {
	if base := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(base) {
		if _, err := os.Stat(base); !errors.Is(err, fs.ErrNotExist) { //nolint:gosec // the user's own environment; checkPrivate judges the folder
			return filepath.Join(base, runFolder), "set XDG_RUNTIME_DIR to a folder that you may write to"
		}
	}
	return filepath.Join(os.TempDir(), runFolder+"-"+strconv.Itoa(os.Getuid())), "set XDG_RUNTIME_DIR or TMPDIR to a folder that you may write to"
}

// OpenSession makes the folder and the socket of a new session and listens. name is the wish; a running session of
// that name makes it name-2, name-3, …. Only the session that has the folder's lock lives there, so a program that was
// killed leaves nothing that could be mistaken for it.
func OpenSession(name, program string) (*SessionDir, error) {
	if err := checkSessionName(name); err != nil {
		return nil, err
	}
	run, err := RunDir()
	if err != nil {
		return nil, err
	}
	s, draft, err := draftSession(run, SessionInfo{PID: os.Getpid(), Program: program, Started: time.Now()}, name)
	if err != nil {
		return nil, fmt.Errorf("open session %s: %w", name, err)
	}
	if err := s.publish(run, draft, name); err != nil {
		s.listener.Close()
		s.lock.Close()
		os.RemoveAll(draft)
		return nil, fmt.Errorf("open session %s: %w", name, err)
	}
	return s, nil
}

func checkSessionName(name string) error {
	ok := name != "" && len(name) <= 40 && name[0] != '.' && name[0] != '-'
	for _, c := range name {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c))
	}
	if !ok {
		return fmt.Errorf("session name %q: want 1 to 40 letters, digits, '.', '_' or '-', not beginning with '.' or '-'", name)
	}
	return nil
}

// draftSession makes a complete folder under a hidden name: what publish renames is never half done.
func draftSession(run string, about SessionInfo, name string) (_ *SessionDir, _ string, err error) {
	draft, err := os.MkdirTemp(run, ".")
	if err != nil {
		return nil, "", err
	}
	s := &SessionDir{SessionInfo: about}
	defer func() {
		if err != nil {
			if s.lock != nil {
				s.lock.Close()
			}
			os.RemoveAll(draft)
		}
	}()
	if s.lock, err = os.OpenFile(filepath.Join(draft, lockFile), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err != nil {
		return nil, "", err
	}
	if err = lock(s.lock); err != nil {
		return nil, "", err
	}
	path := filepath.Join(draft, socketFile)
	if most := maxSocketPath(); max(len(path), len(filepath.Join(run, name+"-999", socketFile))) > most {
		return nil, "", fmt.Errorf("the socket's path would be longer than the %d bytes that the system allows: %s (set XDG_RUNTIME_DIR to a shorter folder)", most, path)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, "", err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // the folder moves, and goes as a whole
	s.listener = l
	if err = os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, "", err
	}
	return s, draft, nil
}

// maxSocketPath is the length of sun_path less its terminator.
func maxSocketPath() int {
	if runtime.GOOS == "linux" {
		return 107
	}
	return 103
}

// publish gives the folder the first free name.
func (s *SessionDir) publish(run, draft, wish string) error {
	name := wish
	for n := 2; n < 1000; n++ {
		s.Name, s.Dir = name, filepath.Join(run, name)
		b, err := json.Marshal(s.SessionInfo)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(draft, aboutFile), b, 0o600); err != nil {
			return err
		}
		removeStale(run, name)
		err = os.Rename(draft, s.Dir) // fails where a folder that is not empty has the name
		if err == nil {
			return nil
		}
		if _, exists := os.Lstat(s.Dir); exists != nil {
			return err
		}
		name = fmt.Sprintf("%s-%d", wish, n)
	}
	return fmt.Errorf("%s to %s-999 are all taken", wish, wish)
}

// removeStale removes the folder of a session that has ended without cleaning up: its lock is free.
func removeStale(run, name string) (stale bool) {
	dir := filepath.Join(run, name)
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	if lock(f) != nil {
		return false
	}
	// The name may have changed hands since: remove only the folder whose lock this is.
	ours, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(filepath.Join(dir, lockFile))
	if err != nil || !os.SameFile(ours, now) {
		return false
	}
	return os.RemoveAll(dir) == nil
}

// ListSessions lists the running sessions of this user by name, and removes what killed programs left behind.
func ListSessions() ([]SessionInfo, error) {
	run, err := RunDir()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(run)
	if err != nil {
		return nil, fmt.Errorf("list the sessions: %w", err)
	}
	var all []SessionInfo
	for _, e := range entries {
		if !e.IsDir() || removeStale(run, e.Name()) || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if about, err := readAbout(filepath.Join(run, e.Name())); err == nil {
			all = append(all, about)
		}
	}
	slices.SortFunc(all, func(a, b SessionInfo) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func readAbout(dir string) (SessionInfo, error) {
	b, err := os.ReadFile(filepath.Join(dir, aboutFile))
	if err != nil {
		return SessionInfo{}, err
	}
	var about SessionInfo
	if err := json.Unmarshal(b, &about); err != nil {
		return SessionInfo{}, err
	}
	about.Name, about.Dir = filepath.Base(dir), dir
	return about, nil
}

// numbered reports whether the session's name is this one with a number behind it: a program's own name is given the
// pid, so that it may run twice.
func (s SessionInfo) numbered(name string) bool {
	number, ok := strings.CutPrefix(s.Name, name+"-")
	_, err := strconv.ParseUint(number, 10, 64)
	return ok && err == nil
}

// Resolve finds the socket that an address means: the path of a socket or of a session's folder (it holds a
// separator), the name of a running session, the pid of its controller, or the name without the number at its end where
// that leads to one session.
func Resolve(addr string) (string, error) {
	if addr == "" {
		return "", errors.New("attach: want a session's name, a pid or the path of a socket")
	}
	if strings.ContainsRune(addr, filepath.Separator) {
		return resolvePath(addr)
	}
	sessions, err := ListSessions()
	if err != nil {
		return "", err
	}
	names := make([]string, 0, len(sessions))
	var programs []SessionInfo
	for _, s := range sessions {
		if s.Name == addr {
			return s.Socket(), nil
		}
		if s.numbered(addr) {
			programs = append(programs, s)
		}
		names = append(names, s.Name)
	}
	if pid, err := strconv.Atoi(addr); err == nil {
		for _, s := range sessions {
			if s.PID == pid {
				return s.Socket(), nil
			}
		}
		return "", fmt.Errorf("attach %s: no running session has pid %d%s", addr, pid, schema.Suggest(addr, names))
	}
	switch len(programs) {
	case 0:
	case 1:
		return programs[0].Socket(), nil
	default:
		names = names[:0]
		for _, s := range programs {
			names = append(names, s.Name)
		}
		return "", fmt.Errorf("attach %s: these sessions are meant by it: %s; write one of them", addr, strings.Join(names, ", "))
	}
	if len(names) == 0 {
		return "", fmt.Errorf("attach %s: no session is running (a program that calls engine.Main opens one)", addr)
	}
	return "", fmt.Errorf("attach %s: no running session has this name%s", addr, schema.Suggest(addr, names))
}

func resolvePath(path string) (string, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("attach: %w", err)
	}
	if fi.IsDir() {
		path = filepath.Join(path, socketFile)
		if fi, err = os.Stat(path); err != nil {
			return "", fmt.Errorf("attach: the folder holds no session: %w", err)
		}
	}
	if fi.Mode().Type() != fs.ModeSocket {
		return "", fmt.Errorf("attach: %s is not a socket", path)
	}
	return path, nil
}
