package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// program is an executable that workers are started from: a copy of ours, which nobody builds over, under a folder named by the
// hash of its content.
type program struct {
	path string
	id   string // what tells its content from others: the beginning of its SHA-256
}

// programs are the executables of a session.
type programs struct {
	mu   sync.Mutex
	dir  string              // "" until one is kept
	byID map[string]*program // that are kept
	own  *program            // the controller's, once it is kept
	next *program            // what proc meshes that are made from now on run; nil: the controller's; guarded by hub.mu

	ownID func() string // of the controller's executable; "" where it cannot be read
}

// shortID is how much of a hash a person reads.
const shortID = 12

func newPrograms() programs {
	return programs{ownID: sync.OnceValue(func() string {
		id, err := hashFile(ownExecutable())
		if err != nil {
			return ""
		}
		return id
	})}
}

// ownExecutable is what this process runs, even where another file has its path by now.
func ownExecutable() string {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); err == nil {
		return self
	}
	path, _ := os.Executable() //nolint:errcheck // Start has asked already
	return path
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil))[:shortID], nil
}

// keep copies an executable into the session. Of one content there is one.
func (s *programs) keep(ctx context.Context, path, base string) (*program, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "monarch-builds-")
		if err != nil {
			return nil, fmt.Errorf("make a folder for the builds of this session: %w", err)
		}
		s.dir = dir
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() || st.Mode()&0o111 == 0 {
		return nil, errors.Join(err, fmt.Errorf("%s is no file that can be executed", path))
	}
	to, err := os.CreateTemp(s.dir, "new-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(to.Name()) // it is not there any more where all went well
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(to, sum), f)
	if err = errors.Join(err, to.Chmod(0o700), to.Close(), ctx.Err()); err != nil {
		return nil, fmt.Errorf("copy %s: %w", path, err)
	}
	p := &program{id: hex.EncodeToString(sum.Sum(nil))[:shortID]}
	if known := s.byID[p.id]; known != nil {
		return known, nil
	}
	if err := os.Mkdir(filepath.Join(s.dir, p.id), 0o700); err != nil {
		return nil, err
	}
	p.path = filepath.Join(s.dir, p.id, base)
	if err := os.Rename(to.Name(), p.path); err != nil {
		return nil, err
	}
	put(&s.byID, p.id, p)
	return p, nil
}

// keepOwn keeps what this process runs, so that a rank can go back to it whatever becomes of the file.
func (s *programs) keepOwn(ctx context.Context, base string) (*program, error) {
	if s.own != nil {
		return s.own, nil
	}
	p, err := s.keep(ctx, ownExecutable(), base)
	if err != nil {
		return nil, fmt.Errorf("keep the build that runs now: %w", err)
	}
	s.own = p
	return p, nil
}

// close removes what was kept.
func (s *programs) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir != "" {
		_ = os.RemoveAll(s.dir) // the system empties its folder for temporary files
	}
}

// executableOf is the file that the next epoch of a process is started from, on the machine where it is to run. It is the one place
// that decides that: a process of another host needs the file there, so what ships it there gives the path there.
func (h *hub) executableOf(p *proc) string {
	h.wg.Go(func() { h.builds.ownID() }) // beside the start of the process; admit needs it
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.program == nil && p.epoch == 1 {
		p.program = h.builds.next
	}
	if p.program == nil {
		return h.opts.executable
	}
	return p.program.path
}

// buildOf is the build id of a worker: what it says of itself, and the content of its executable, which tells two builds of one
// revision apart.
func (h *hub) buildOf(p *proc, said string) string {
	id := ""
	if p.program != nil {
		id = p.program.id
	} else {
		id = h.builds.ownID()
	}
	return joinBuild(said, id)
}

func joinBuild(said, id string) string {
	switch {
	case id == "":
		return said
	case said == "":
		return id
	}
	return id + " " + said
}

// tellOwnBuild puts the content of the controller's executable into the session's record, once it is known. The caller holds h.mu.
func (h *hub) tellOwnBuild() {
	build := joinBuild(buildID(), h.builds.ownID())
	if h.session.Build == build {
		return
	}
	h.session.Build = build
	rec := h.session
	h.publish(control.Event{Session: &rec})
}
