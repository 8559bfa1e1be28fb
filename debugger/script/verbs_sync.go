package script

import (
	"context"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// SyncArgs are the arguments of sync.
type SyncArgs struct {
	Procs string
	Paths []string
}

// maxSyncPaths bounds what one line names.
const maxSyncPaths = 256

func syncVerb() *Verb {
	return &Verb{
		Name: "sync", Usage: "sync PROCS [PATH…]", Summary: "bring files of the program's folder to the same place on the mesh's hosts, as far as they differ; without paths all that are not hidden",
		Changes: true, Forkable: true, completes: []word{{kind: wordProcs}}, body: shows(syncArgs, (*Session).sync),
	}
}

func syncArgs(p *parser, c *cursor, v *Verb) (a SyncArgs, err error) {
	at := c.at()
	t, err := p.procMesh(c)
	if err != nil {
		return a, fail(atOf(err, c.at()), "%s (usage: %s)", err, v.Usage)
	}
	if t.Sel != "" {
		return a, fail(at, "sync is about all hosts of a mesh: want sync %s", t.Mesh)
	}
	a.Procs = t.Mesh
	for !c.done() {
		path, err := c.file("a file or a folder")
		if err != nil {
			return a, err
		}
		if a.Paths = append(a.Paths, path); len(a.Paths) > maxSyncPaths {
			return a, fail(c.at(), "more than %d paths: name the folder that they are in", maxSyncPaths)
		}
	}
	return a, nil
}

func (s *Session) sync(ctx context.Context, a SyncArgs, r *result) error {
	pm, err := s.procMesh(a.Procs)
	if err != nil {
		return err
	}
	got, err := s.c.Sync(ctx, control.SyncReq{Procs: pm.Name, ID: pm.ID, Paths: a.Paths})
	if err != nil {
		return err
	}
	r.text = append(r.text, got.String())
	return nil
}
