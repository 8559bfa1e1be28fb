package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/build"
)

// program is an executable that workers are started from.
type program struct {
	path string // of a copy that nobody builds over; "": what this process runs
	id   string // what tells its content from others
}

// programs are the executables of a session.
type programs struct {
	mu   sync.Mutex
	dir  string              // "" until one is kept
	byID map[string]*program // that are kept
	next *program            // what proc meshes that are made from now on run; nil: the controller's; guarded by hub.mu
	own  *program            // the controller's

	ownID func() string // of the controller's executable; "" where it cannot be read
}

func newPrograms() programs {
	return programs{own: &program{}, ownID: sync.OnceValue(func() string {
		id, _ := build.ID(runningExecutable()) //nolint:errcheck // then nothing is told
		return id
	})}
}

// runningExecutable is what this process runs, even where another file has its path by now.
func runningExecutable() string {
	self := fmt.Sprintf("/proc/%d/exe", os.Getpid())
	if _, err := os.Stat(self); err == nil {
		return self
	}
	path, _ := os.Executable() //nolint:errcheck // Start has asked already
	return path
}

// ownPath is the path at which what this process runs can be started: its own, while that is what is there, for ps shows it.
func ownPath(path string) string {
	self := runningExecutable()
	a, err := os.Stat(path)
	b, err2 := os.Stat(self)
	if err == nil && err2 == nil && os.SameFile(a, b) {
		return path
	}
	return self
}

// keep copies an executable into the session, or moves it there where it is ours to move. Of one content there is one.
func (s *programs) keep(ctx context.Context, path, base string, ours bool) (*program, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "monarch-builds-")
		if err != nil {
			return nil, fmt.Errorf("make a folder for the builds of this session: %w", err)
		}
		s.dir = dir
	}
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() || st.Mode()&0o111 == 0 {
		return nil, cmpErr(err, fmt.Errorf("%s is no file that can be executed", path))
	}
	if !ours {
		to := filepath.Join(s.dir, "new")
		defer os.Remove(to) // it is not there any more where all went well
		if err := copyFile(to, path); err != nil {
			return nil, err
		}
		path = to
	}
	id, err := build.ID(path)
	if err != nil {
		return nil, err
	}
	switch known := s.byID[id]; {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case known != nil:
		return known, nil
	case id == s.ownID():
		return s.own, nil
	}
	p := &program{id: id}
	p.path = filepath.Join(s.dir, p.id, base)
	if err := os.Mkdir(filepath.Dir(p.path), 0o700); err != nil {
		return nil, err
	}
	if err := os.Rename(path, p.path); err != nil {
		return nil, err
	}
	put(&s.byID, p.id, p)
	return p, nil
}

func copyFile(to, path string) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
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
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.program == nil && p.epoch == 1 {
		p.program = h.builds.next
	}
	if p.program == nil || p.program == h.builds.own {
		return ownPath(h.opts.executable)
	}
	return p.program.path
}

// buildOf is the build id of a worker: what it says of itself, and the content of its executable, which tells two builds of one
// revision apart.
func (h *hub) buildOf(p *proc, said string) string {
	return joinBuild(said, h.idOf(p.program))
}

// idOf is the id of a program; nil is the controller's.
func (h *hub) idOf(p *program) string {
	if p == nil || p == h.builds.own {
		return h.builds.ownID()
	}
	return p.id
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
