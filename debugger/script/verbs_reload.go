package script

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// reloadVerbs are the words that change what ranks run.
func reloadVerbs() []*Verb {
	return []*Verb{{
		Name: "reload", Usage: "reload [PROCS[sel]] [drain|fail] [program=FILE | package=DIR] [batch=n]",
		Summary: "build the program anew and move the ranks to it one after the other, with their state; drain: who calls one that moves waits; fail: is told at once",
		Changes: true, Forkable: true, completes: append([]word{{kind: wordProcs}}, words(control.ReloadDrain, control.ReloadFail, "program=", "package=", "batch=")...),
		body: shows(reloadArgs, (*Session).reload),
	}}
}

// ReloadArgs are the arguments of reload.
type ReloadArgs struct {
	Procs *Target // nil: all
	Req   control.ReloadReq
}

// limit is longer than what the engine gives the build (control.ReloadReq.Build): a first one compiles all that the program imports.
func (ReloadArgs) limit(opt Options) time.Duration { return max(buildTime, opt.Timeout) }

const buildTime = 6 * time.Minute

func reloadArgs(p *parser, c *cursor, v *Verb) (a ReloadArgs, err error) {
	options := []string{control.ReloadDrain, control.ReloadFail, "program", "package", "batch"}
	for first := true; !c.done(); first = false {
		c.space()
		at := c.at()
		switch {
		case c.keyword(control.ReloadDrain):
			err = a.policy(at, control.ReloadDrain)
		case c.keyword(control.ReloadFail):
			err = a.policy(at, control.ReloadFail)
		case strings.HasPrefix(c.rest(), "program="):
			err = a.source(c, "program=", &a.Req.Program, "the executable")
		case strings.HasPrefix(c.rest(), "package="):
			err = a.source(c, "package=", &a.Req.Package, "the folder of a package")
		case strings.HasPrefix(c.rest(), "batch="):
			err = a.batch(c)
		case first:
			a.Procs, err = p.procMesh(c)
		default:
			w := c.word()
			return a, fail(at, "want %s, not %s%s", strings.Join(options, ", "), quoted(w), schema.SuggestNear(w, options))
		}
		if err != nil {
			return a, err
		}
	}
	return a, nil
}

func (a *ReloadArgs) policy(at int, name string) error {
	if a.Req.Policy != "" {
		return fail(at, "%s is there already", quoted(a.Req.Policy))
	}
	a.Req.Policy = name
	return nil
}

// source reads where the new build comes from.
func (a *ReloadArgs) source(c *cursor, word string, to *string, what string) (err error) {
	if a.Req.Program != "" || a.Req.Package != "" {
		return fail(c.at(), "a program or a package, and one of them")
	}
	c.pos += len(word)
	*to, err = c.file(what)
	return err
}

func (a *ReloadArgs) batch(c *cursor) (err error) {
	if a.Req.Batch > 0 {
		return fail(c.at(), "%s is there already", quoted(fmt.Sprint("batch=", a.Req.Batch)))
	}
	c.pos += len("batch=")
	at := c.at()
	if a.Req.Batch, err = c.number("how many ranks move beside each other", control.MaxReloadBatch); err == nil && a.Req.Batch == 0 {
		return fail(at, "batch=0: want 1 to %d", control.MaxReloadBatch)
	}
	return err
}

// reload moves ranks to another build. What it prints is the same in two runs: no ids and no times.
func (s *Session) reload(ctx context.Context, a ReloadArgs, r *result) error {
	req := a.Req
	if a.Procs != nil {
		pm, err := s.procMesh(a.Procs.Mesh)
		if err != nil {
			return err
		}
		req.Procs = []string{pm.Name}
		if !a.Procs.Choice.IsAll() {
			if req.Ranks, err = pm.Grid().Ranks(a.Procs.Choice); err != nil {
				return fmt.Errorf("%s: %w", pm.Name, err)
			}
		}
	}
	rec, err := s.c.Reload(ctx, req)
	if err != nil {
		return err
	}
	for _, line := range ReloadText(&rec) {
		r.text = append(r.text, withoutPIDs(line))
	}
	if rec.State != control.ReloadDone {
		return errors.New(rec.Reason)
	}
	return nil
}

// ReloadText says what a reload came to, in lines.
func ReloadText(rec *control.Reload) (lines []string) {
	for _, e := range rec.Errors {
		lines = append(lines, e.String())
	}
	lines = append(lines, rec.Notes...)
	for i := range rec.Ranks {
		x := &rec.Ranks[i]
		if x.Error != "" {
			lines = append(lines, fmt.Sprintf("%s[%d] %s: %s", x.Procs, x.Rank, x.State, x.Error))
		}
		for _, l := range x.Tail {
			lines = append(lines, "  "+l)
		}
		lines = append(lines, x.Notes...)
	}
	if len(rec.Ranks) > 0 && (rec.State == control.ReloadDone || rec.Moved > 0) {
		lines = append(lines, fmt.Sprintf("%d of %d ranks run the new build", rec.Moved, len(rec.Ranks)))
	}
	return lines
}

// ReloadTimes says how long a reload took.
func ReloadTimes(rec *control.Reload) string {
	built := ""
	if rec.Built > 0 {
		built = fmt.Sprintf(", %v of it to build", rec.Built.Round(10*time.Millisecond))
	}
	return fmt.Sprintf("%v%s", rec.Took.Round(10*time.Millisecond), built)
}

// buildValues are the builds that the ranks of proc meshes run, as the name builds has it: each build once, by how it was first met.
func buildValues(p *control.Replica) []any {
	seen := map[string]int{}
	out := []any{}
	for i := range p.Procs {
		proc := &p.Procs[i]
		if proc.PID == 0 || proc.Over() {
			continue
		}
		id := proc.Build
		if _, ok := seen[id]; !ok {
			seen[id] = len(seen)
			out = append(out, id)
		}
	}
	return out
}
