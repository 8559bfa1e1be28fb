package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/agent"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// Names of the messages that carry files to hosts.
const (
	sysShip = "ship" // request: controller → agent, a part of a program
	sysSync = "sync" // request: controller → agent, a part of a file of the workspace
)

const (
	maxSyncFiles = 20_000
	maxSyncBytes = 4 << 30
	syncAtOnce   = 16 // files on their way to one host
)

// Sync brings files and folders, by their paths within this program's folder, to the folder of the ranks on each host of the mesh, as
// far as their content differs there; without paths all of it. A rank that reads them again sees them: configuration, data, scripts.
// Files that are only there stay. Ranks of this machine have the same folder, so there is nothing to do for them.
//
// Hidden files and folders, whose names begin with a dot, are left out where a folder is brought as a whole. Where anything else cannot
// be brought, such as a pipe or a link to nowhere, the error names all of that and nothing is sent.
func (p ProcMesh) Sync(ctx context.Context, paths ...string) error {
	if err := p.whole("sync"); err != nil {
		return err
	}
	n, err := nodeOf(ctx)
	if err != nil {
		return fmt.Errorf("sync %s: %w", p.r.Name, err)
	}
	_, err = n.verb(ctx, verbBody{Sync: &control.SyncReq{Procs: p.r.Name, ID: p.r.ID, Paths: paths}})
	if err != nil {
		return fmt.Errorf("sync %s: %w", p.r.Name, err)
	}
	return nil
}

// sync executes the verb. The error is that of all hosts that have not got all.
func (h *hub) sync(ctx context.Context, own owner, req control.SyncReq) (control.Synced, error) {
	began := time.Now()
	pm, err := h.findProcs(req.Procs, req.ID)
	if err != nil {
		return control.Synced{}, err
	}
	if err := mayEnd("proc mesh "+req.Procs, own, pm.owner); err != nil {
		return control.Synced{}, err
	}
	files, size, err := workspace(workDir(), req.Paths)
	if err != nil {
		return control.Synced{}, err
	}
	out := control.Synced{Files: len(files), Bytes: size}
	if pm.fleet == nil {
		out.Took = time.Since(began)
		return out, nil
	}
	out.Hosts = make([]control.SyncedHost, len(pm.fleet.machines))
	errs := make([]error, len(pm.fleet.machines))
	var wg sync.WaitGroup
	for i, m := range pm.fleet.machines {
		wg.Go(func() {
			out.Hosts[i], errs[i] = h.syncHost(ctx, m, files)
		})
	}
	wg.Wait()
	out.Took = time.Since(began)
	for i, err := range errs {
		if err != nil {
			errs[i] = fmt.Errorf("host %s: %w", out.Hosts[i].Name, err)
		}
	}
	return out, errors.Join(errs...)
}

// syncHost brings files to one host.
func (h *hub) syncHost(ctx context.Context, m *machine, files []string) (control.SyncedHost, error) {
	h.mu.Lock()
	out := control.SyncedHost{Name: m.shown()}
	over, fate := m.rec.Over(), m.fate()
	h.mu.Unlock()
	if over {
		out.Error = fate
		return out, errors.New(fate)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var first error
	turns := make(chan struct{}, syncAtOnce)
	for _, f := range files {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			_, sent, err := agent.Send(filepath.Join(workDir(), f), filepath.ToSlash(f), h.parts(ctx, m, sysSync))
			mu.Lock()
			defer mu.Unlock()
			if sent > 0 {
				out.Files++
				out.Bytes += sent
			}
			if err != nil && first == nil {
				first = fmt.Errorf("%s: %w", f, err)
			}
		})
		mu.Lock()
		failed := first != nil
		mu.Unlock()
		if failed {
			break
		}
	}
	wg.Wait()
	if h.mu.Lock(); first != nil && m.rec.Over() { // what was sent found no agent any more
		first = errors.New(m.fate())
	}
	h.mu.Unlock()
	if first != nil {
		out.Error = clip(first.Error(), maxErrorText)
	}
	return out, first
}

// parts asks an agent to take the parts of files.
func (h *hub) parts(ctx context.Context, m *machine, name string) func(agent.Part) (agent.Kept, error) {
	return func(p agent.Part) (got agent.Kept, err error) {
		err = h.node.request(ctx, quicnet.Addr{Proc: m.rec.ID}, name, p, &got)
		return got, err
	}
}

// shipment is a program on its way to a host, or there.
type shipment struct {
	done chan struct{}
	at   string
	err  error
}

// ship brings a program to a host, once for all its ranks, and says where it is there.
func (h *hub) ship(ctx context.Context, m *machine, path, name string) (string, error) {
	h.mu.Lock()
	s := m.shipped[path]
	if s == nil || s.failed() {
		s = &shipment{done: make(chan struct{})}
		put(&m.shipped, path, s)
		h.mu.Unlock()
		var sent int64
		s.at, sent, s.err = agent.Send(path, name, h.parts(ctx, m, sysShip))
		h.mu.Lock()
		m.rec.Shipped += sent
		h.tellHost(m, "", m.rec.Reason)
		h.mu.Unlock()
		close(s.done)
	} else {
		h.mu.Unlock()
	}
	select {
	case <-s.done:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if s.err != nil {
		return "", fmt.Errorf("copy the program to host %s: %w", m.rec.Name, s.err)
	}
	return s.at, nil
}

// shipTo brings what the next epoch of a process runs to its host, and says where it is there; "": it is what the agent runs.
func (h *hub) shipTo(ctx context.Context, p *proc) (string, error) {
	run := h.programOf(p)
	if run == nil || run == h.builds.Own {
		return "", nil
	}
	return h.ship(ctx, p.on, run.Path, filepath.Base(run.Path))
}

// failed reports whether it has ended without success.
func (s *shipment) failed() bool {
	select {
	case <-s.done:
		return s.err != nil
	default:
		return false
	}
}

// workspace lists the regular files of paths within a folder, sorted, and how many bytes they have. The error tells of all that cannot
// be brought.
func workspace(dir string, paths []string) (files []string, size int64, err error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	seen := map[string]bool{}
	var wrong []string
	for _, p := range paths {
		local, err := within(dir, p)
		if err != nil {
			return nil, 0, err
		}
		err = filepath.WalkDir(filepath.Join(dir, local), func(path string, d fs.DirEntry, err error) error {
			rel, fault := filepath.Rel(dir, path)
			switch {
			case fault != nil:
				return fault
			case errors.Is(err, fs.ErrNotExist) && rel == local:
				return fmt.Errorf("there is no %s in %s, the folder of this program", p, dir)
			case err != nil:
				wrong = append(wrong, fmt.Sprintf("%s cannot be looked at (%v)", rel, errorText(err)))
				return nil
			}
			hidden := strings.HasPrefix(d.Name(), ".") && rel != local && rel != "."
			switch {
			case hidden && d.IsDir():
				return fs.SkipDir
			case hidden || d.IsDir() || seen[rel]:
				return nil
			}
			seen[rel] = true
			st, err := os.Stat(path) // what a link leads to is brought, not the link
			if why := cannotBring(path, d, st, err); why != "" {
				wrong = append(wrong, rel+" "+why)
				return nil
			}
			files, size = append(files, rel), size+st.Size()
			switch {
			case len(files) > maxSyncFiles:
				return fmt.Errorf("there are more than %d files in %s: name those that are to be brought", maxSyncFiles, p)
			case size > maxSyncBytes:
				return fmt.Errorf("the files have more than %d bytes: put what is large on a file system that the hosts share", int64(maxSyncBytes))
			}
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	if len(wrong) > 0 {
		return nil, 0, cannotBringAll(wrong)
	}
	slices.Sort(files)
	return files, size, nil
}

// cannotBringAll is the error of what cannot be brought, the first of which it tells one by one.
func cannotBringAll(wrong []string) error {
	const advice, most = "name what is to be brought, or move it away", 20
	if len(wrong) == 1 {
		return fmt.Errorf("%s: %s", wrong[0], advice)
	}
	said := wrong[:min(len(wrong), most)]
	if more := len(wrong) - len(said); more > 0 {
		said = append(slices.Clone(said), fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%d of these cannot be brought, and nothing was sent: %s\n%s", len(wrong), advice, strings.Join(said, "\n"))
}

// cannotBring says why what is at a path cannot be brought to a host; "": it can.
func cannotBring(path string, d fs.DirEntry, st fs.FileInfo, err error) string {
	switch {
	case err != nil && d.Type()&fs.ModeSymlink != 0:
		return fmt.Sprintf("is a link that leads nowhere (%v)", errorText(err))
	case err != nil:
		return fmt.Sprintf("cannot be looked at (%v)", errorText(err))
	case st.IsDir():
		return "is a link to a folder, and those are not followed"
	case !st.Mode().IsRegular():
		return "is no file but a pipe, a socket or a device"
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Sprintf("cannot be read (%v)", errorText(err))
	}
	_ = f.Close()
	return ""
}

// errorText is an error of a file without its path.
func errorText(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

// within is a path as it is within a folder.
func within(dir, path string) (string, error) {
	local := filepath.Clean(path)
	if filepath.IsAbs(local) {
		rel, err := filepath.Rel(dir, local)
		if err != nil {
			return "", err
		}
		local = rel
	}
	if !filepath.IsLocal(local) {
		return "", fmt.Errorf("%s is not within %s, the folder of this program: what is brought to a host has the same path within its folder there", path, dir)
	}
	return local, nil
}
