package script

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// Options are the settings of a session. The zero value of a field means its default.
type Options struct {
	Timeout     time.Duration   // a command; 30 s
	FileTimeout time.Duration   // a whole file; 10 min
	Short       bool            // the guard [short]
	Conds       map[string]bool // more guards: gpu, …
	Seed        int             // the name seed in expressions
	Launches    Launches        // what via= means besides the launchers themselves
	Person      bool            // a person types the commands: limits stand still while the clock does, whoever else is there
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.FileTimeout <= 0 {
		o.FileTimeout = 10 * time.Minute
	}
	return o
}

// maxLog bounds the lines that a session keeps; the oldest go first.
const maxLog = 200_000

// Session runs statements, one after the other, on one client. It is for one goroutine at a time; Fork makes another
// that may run beside it.
type Session struct {
	*follower
	c   *control.Client
	opt Options

	vars   map[string]any
	jobs   map[string]*pendingCall
	groups map[string]rankSet
	focus  *rankSet
	limit  time.Duration // of the command that runs
	last   *result
	rec    *Recorder
	answer func(Answer) // Listen
	forked bool
	procs  []made // what this session made, in order
	meshes []made
	quit   bool
}

// follower is what a session and its forks know of the engine.
type follower struct {
	watch  *control.Watch
	ctx    context.Context // of jobs and of the watcher
	cancel context.CancelFunc
	wg     sync.WaitGroup // the watcher

	virtual atomic.Bool // that GPU slots are virtual was told

	mu      sync.Mutex
	pic     control.Replica
	logs    []control.Log
	first   int // number of logs[0]: lines are numbered from 0
	lostAt  int // number of the line before which data events were dropped last
	sync    uint64
	synced  uint64
	changed chan struct{} // closed and replaced at every update
	ended   error         // why the watcher ended

	own      map[uint64]bool   // breakpoints that this session and its forks have set
	attached debugger.Attached // what words without a target are about
}

// NewSession begins a session on a client, which stays the caller's. Close ends it.
func NewSession(ctx context.Context, c *control.Client, opt Options) (*Session, error) {
	w, err := c.Watch(ctx, control.TopicState, control.TopicLogs)
	if err != nil {
		return nil, fmt.Errorf("watch the session: %w", err)
	}
	s := &Session{
		follower: &follower{watch: w, changed: make(chan struct{}), own: map[uint64]bool{}},
		c:        c, opt: opt.withDefaults(), rec: &Recorder{},
		vars: map[string]any{}, jobs: map[string]*pendingCall{}, groups: map[string]rankSet{}, last: &result{},
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.wg.Go(s.follow)
	return s, s.catchUp(ctx)
}

// Close ends the session without stopping anything; Finish does that.
func (s *Session) Close() error {
	if s.forked {
		return nil
	}
	err := s.rec.close()
	s.cancel()
	s.watch.Close()
	s.wg.Wait()
	return err
}

// follow keeps the picture and the lines up to date until the session ends.
func (s *follower) follow() {
	for {
		u, err := s.watch.Next(s.ctx)
		s.mu.Lock()
		if err != nil {
			s.ended = err
		} else {
			before := s.pic.Dropped.Data
			s.pic.Apply(u)
			if s.pic.Dropped.Data > before {
				s.lostAt = s.first + len(s.logs)
			}
			for _, ev := range u.Events {
				if ev.Log != nil {
					s.logs = append(s.logs, *ev.Log)
				}
			}
			if over := len(s.logs) - maxLog; over > 0 {
				s.logs, s.first = slices.Clone(s.logs[over:]), s.first+over
			}
			s.synced = max(s.synced, u.Sync)
		}
		close(s.changed)
		s.changed = make(chan struct{})
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// catchUp waits until everything that has happened by now is in the picture.
func (s *follower) catchUp(ctx context.Context) error {
	s.mu.Lock()
	s.sync++
	token := s.sync
	s.mu.Unlock()
	s.watch.Sync(token)
	for {
		s.mu.Lock()
		done, ended, changed := s.synced >= token, s.ended, s.changed
		s.mu.Unlock()
		if done {
			return nil
		}
		if ended != nil {
			return ended
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// logMark is the number of the next line.
func (s *follower) logMark() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first + len(s.logs)
}

// picture calls f with the session as it is; f keeps nothing of it.
func (s *follower) picture(f func(p *control.Replica)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.pic)
}

// Look calls f with the session as it is; f keeps nothing of it, and calls nothing of the session.
func (s *Session) Look(f func(p *control.Replica)) { s.picture(f) }

// Changed is closed when the next update of the session has come, or the session has ended.
func (s *Session) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Attached is what commands without a target are about.
func (s *Session) Attached() debugger.Attached {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attached
}

// attachTo chooses what commands without a target are about, for the forks of the session too.
func (s *Session) attachTo(a debugger.Attached) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attached = a
}

// rankSet is a mesh with some of its ranks.
type rankSet struct {
	ref   control.MeshRef
	ranks []int // of the mesh, in order
	parts []shape.Region
	whole bool
}

// endedError is that of a name whose mesh has ended.
type endedError struct {
	that string // it has
	how  string
}

func (e endedError) Error() string { return e.how }

// end is how something ended that was ended by order, from the reason that the engine gives.
func end(reason string) string {
	switch {
	case reason == "":
		return "stopped"
	case reason == "killed", strings.HasPrefix(reason, "stopped"):
		return reason
	default:
		return "stopped: " + reason
	}
}

// mesh finds a running mesh.
func (s *Session) mesh(name string) (control.MeshRef, error) {
	var ref control.MeshRef
	var err error
	s.picture(func(p *control.Replica) {
		m, ok := p.Mesh(name)
		if ok && !m.Gone {
			ref = m.Ref
			return
		}
		if ok {
			err = endedError{"@" + name + " has ended", "@" + name + " was " + end(m.Reason)}
			return
		}
		var have []string
		for _, m := range p.Meshes {
			if !m.Gone {
				have = append(have, "@"+m.Ref.Name)
			}
		}
		slices.Sort(have)
		if len(have) == 0 {
			err = fmt.Errorf("no mesh @%s: nothing has been spawned (spawn @%s on PROCS Type)", name, name)
			return
		}
		err = fmt.Errorf("no mesh @%s%s", name, schema.Suggest("@"+name, have))
	})
	return ref, err
}

// procMesh finds a running proc mesh.
func (s *Session) procMesh(name string) (control.ProcMesh, error) {
	var pm control.ProcMesh
	var err error
	s.picture(func(p *control.Replica) {
		m, ok := p.ProcMesh(name)
		if ok && !m.Gone {
			pm = *m
			return
		}
		var have []string
		for _, m := range p.ProcMeshes {
			if !m.Gone {
				have = append(have, m.Name)
			}
		}
		slices.Sort(have)
		switch {
		case ok:
			err = endedError{"procs " + name + " have ended", "procs " + name + " were " + end(m.Reason)}
		case len(have) == 0:
			err = fmt.Errorf("no proc mesh %s: none has been made (procs %s gpus=2)", name, name)
		default:
			err = fmt.Errorf("no proc mesh %s%s", name, schema.Suggest(name, have))
		}
	})
	return pm, err
}

// resolve finds the ranks that a target means.
func (s *Session) resolve(t *Target) (rankSet, error) {
	switch {
	case t.Focus && s.focus == nil:
		return rankSet{}, fmt.Errorf("\".\" needs an enclosing on: on @mesh COMMAND")
	case t.Focus:
		return *s.focus, nil
	case t.Group != "":
		g, ok := s.groups[t.Group]
		if !ok {
			return rankSet{}, fmt.Errorf("no group %%%s%s", t.Group, schema.Suggest(t.Group, slices.Sorted(maps.Keys(s.groups))))
		}
		return g, nil
	}
	ref, err := s.mesh(t.Mesh)
	if err != nil {
		return rankSet{}, err
	}
	parts, err := ref.Resolve(t.Choice)
	if err != nil {
		return rankSet{}, fmt.Errorf("%s: %w", (&Target{Mesh: t.Mesh, Sel: t.Sel}).String(), err)
	}
	set := rankSet{ref: ref, parts: parts, whole: t.Choice.IsAll()}
	for _, p := range parts {
		for r := range p.Ranks() {
			set.ranks = append(set.ranks, r)
		}
	}
	slices.Sort(set.ranks)
	return set, nil
}

// subset is some ranks of a mesh as a set that can be called.
func subset(ref control.MeshRef, ranks []int) rankSet {
	return rankSet{ref: ref, ranks: ranks, parts: shape.Cover(ref.View, ranks)}
}

// all reports whether the set is the whole mesh.
func (r rankSet) all() bool { return r.whole || len(r.ranks) == r.ref.View.Len() }

// String is the set as a target.
func (r rankSet) String() string {
	if r.all() {
		return "@" + r.ref.Name
	}
	return "@" + r.ref.Name + "[" + shape.FormatRanks(r.ranks) + "]"
}

// proc is the process that a rank of the mesh runs on.
func (r rankSet) proc(rank int) uint64 { return r.ref.First + uint64(r.ref.Home.RankAt(rank)) }

// coords fills in the dims of a rank.
func (r rankSet) coords(rank int, env map[string]any) {
	i, ok := r.ref.View.IndexOf(rank)
	if !ok {
		return
	}
	p := r.ref.View.Point(i)
	for _, d := range p.Extent.Names() {
		if c, ok := p.Coord(d); ok {
			env[d] = c
		}
	}
}

// Ref implements schema.Refs: literals name meshes of the session.
func (s *Session) Ref(name, sel string) ([]byte, string, error) {
	ref, err := s.mesh(name)
	if err != nil {
		return nil, "", err
	}
	choice, err := shape.Parse(sel)
	if sel == "" {
		err = nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("@%s[%s]: %w", name, sel, err)
	}
	if sel != "" && !choice.IsAll() {
		if ref.View, err = ref.Slice(choice); err != nil {
			return nil, "", fmt.Errorf("@%s[%s]: %w", name, sel, err)
		}
	}
	b, err := ref.Encode()
	return b, ref.Type, err
}

var _ schema.Refs = (*Session)(nil)
