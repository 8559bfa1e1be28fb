package watch

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Config says what to watch, and what is done when it changes.
type Config struct {
	Files  func(context.Context) (map[string]Stamp, error) // what there is now
	Every  time.Duration                                   // between two looks; 0: 300 ms
	Reload func(context.Context) (control.Reload, error)
	Tell   func(control.Reload, error) // what came of it
}

// Stamp tells a version of a file from others.
type Stamp struct {
	Time time.Time
	Size int64
}

const (
	lookEvery = 300 * time.Millisecond
	listTime  = time.Minute
	maxFiles  = 100_000
)

// Loop reloads each time that files have changed, and have not changed any more from one look to the next, until ctx ends. What
// cannot be listed is an error at the beginning; later it is a change that is not over yet.
func Loop(ctx context.Context, cfg Config) error {
	if cfg.Every <= 0 {
		cfg.Every = lookEvery
	}
	known, err := cfg.Files(ctx)
	if err != nil {
		return err
	}
	tick := time.NewTicker(cfg.Every)
	defer tick.Stop()
	last := known
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := cfg.Files(ctx)
		if err != nil {
			continue
		}
		settled := maps.Equal(now, last)
		last = now
		if !settled || maps.Equal(now, known) {
			continue
		}
		known = now
		rec, err := cfg.Reload(ctx)
		if ctx.Err() != nil {
			return nil
		}
		cfg.Tell(rec, err)
	}
}

// Program gives the files of the package that a program was built from, and of the packages of its module that it uses. They are
// found by the go command in the working folder, again where a folder of them has changed.
func Program(path string) func(context.Context) (map[string]Stamp, error) {
	var folders []string
	var seen map[string]Stamp
	return func(ctx context.Context) (map[string]Stamp, error) {
		now, err := look(folders)
		if err == nil && folders != nil && maps.Equal(now, seen) {
			return now, nil
		}
		next, err := list(ctx, path)
		switch {
		case err != nil && folders == nil:
			return nil, err
		case err == nil:
			folders = next
		} // else what is there does not hang together for now: its old folders are looked at
		if seen, err = look(folders); err != nil {
			return nil, err
		}
		return seen, nil
	}
}

// list names the folders of the packages.
func list(ctx context.Context, path string) ([]string, error) {
	bi, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if bi.Path == "" || bi.Path == "command-line-arguments" {
		return nil, fmt.Errorf("%s was built from files, not from a package: nothing says what to watch", path)
	}
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.Dir}}{{end}}{{end}}", bi.Path)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("where is the source of %s? Run this in the folder of its module. %s: %w", bi.Path, clean.OneLine(said.String(), 300), err)
	}
	var folders []string
	for line := range strings.Lines(string(out)) {
		if dir := strings.TrimSpace(line); dir != "" {
			folders = append(folders, dir)
		}
	}
	if len(folders) == 0 {
		return nil, fmt.Errorf("%s is no package of the module in this folder: run this there", bi.Path)
	}
	return slices.Compact(slices.Sorted(slices.Values(folders))), nil
}

// look gives the stamps of the Go files in folders, and of what the go command reads besides.
func look(folders []string) (map[string]Stamp, error) {
	out := map[string]Stamp{}
	for _, dir := range folders {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			name := e.Name()
			if e.IsDir() || strings.HasSuffix(name, "_test.go") || filepath.Ext(name) != ".go" && name != "go.mod" && name != "go.sum" {
				continue
			}
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) { // it has gone since
				continue
			}
			if err != nil {
				return nil, err
			}
			if len(out) == maxFiles {
				return nil, fmt.Errorf("more than %d files to watch", maxFiles)
			}
			out[filepath.Join(dir, name)] = Stamp{info.ModTime(), info.Size()}
		}
	}
	return out, nil
}
