package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// Program is an executable that workers are started from.
type Program struct {
	Path string // of a copy that nobody builds over; "": what this process runs
	ID   string // what tells its content from others
}

// Store keeps the executables of a session.
type Store struct {
	mu   sync.Mutex
	dir  string              // "" until one is kept
	byID map[string]*Program // that are kept

	Own   *Program      // what this process runs; it has no path
	ownID func() string // "" where it cannot be read
}

// NewStore makes an empty one.
func NewStore() *Store {
	return &Store{Own: &Program{}, ownID: sync.OnceValue(func() string {
		id, _ := ID(Running())
		return id
	})}
}

// Running is what this process runs, even where another file has its path by now.
func Running() string {
	self := fmt.Sprintf("/proc/%d/exe", os.Getpid())
	if _, err := os.Stat(self); err == nil {
		return self
	}
	path, _ := os.Executable() // Start has asked already
	return path
}

// OwnPath is the path at which what this process runs can be started: its own, while that is what is there, for ps shows it.
func OwnPath(path string) string {
	self := Running()
	a, err := os.Stat(path)
	b, err2 := os.Stat(self)
	if err == nil && err2 == nil && os.SameFile(a, b) {
		return path
	}
	return self
}

// Keep copies an executable into the session, or moves it there where it is ours to move. Of one content there is one.
func (s *Store) Keep(ctx context.Context, path, base string, ours bool) (*Program, error) {
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
		return nil, cmp.Or(err, fmt.Errorf("%s is no file that can be executed", path))
	}
	if !ours {
		to := filepath.Join(s.dir, "new")
		defer os.Remove(to) // it is not there any more where all went well
		if err := copyFile(to, path); err != nil {
			return nil, err
		}
		path = to
	}
	id, err := ID(path)
	if err != nil {
		return nil, err
	}
	switch known := s.byID[id]; {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case known != nil:
		return known, nil
	case id == s.ownID():
		return s.Own, nil
	}
	p := &Program{ID: id}
	p.Path = filepath.Join(s.dir, p.ID, base)
	if err := os.Mkdir(filepath.Dir(p.Path), 0o700); err != nil {
		return nil, err
	}
	if err := os.Rename(path, p.Path); err != nil {
		return nil, err
	}
	put(&s.byID, p.ID, p)
	return p, nil
}

func copyFile(to, path string) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o700) //nolint:gosec // it is a program
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}

// Close removes what was kept.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir != "" {
		_ = os.RemoveAll(s.dir) // the system empties its folder for temporary files
	}
}

// IDOf is the id of a program; nil is what this process runs.
func (s *Store) IDOf(p *Program) string {
	if p == nil || p == s.Own {
		return s.ownID()
	}
	return p.ID
}

// PathOf is where a program can be started; nil is what this process runs, whose path is own.
func (s *Store) PathOf(p *Program, own string) string {
	if p == nil || p == s.Own {
		return OwnPath(own)
	}
	return p.Path
}

func put[K comparable, V any](m *map[K]V, k K, v V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[k] = v
}
