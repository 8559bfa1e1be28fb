package script

import (
	"maps"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Fork makes a session that runs beside this one: it knows the names and groups of now, records to the same script and
// follows the same picture. What it names itself stays its own. It must not outlive s, and needs no Close.
func (s *Session) Fork() *Session {
	return &Session{
		follower: s.follower, c: s.c, opt: s.opt, rec: s.rec, answer: s.answer, forked: true,
		vars: maps.Clone(s.vars), groups: maps.Clone(s.groups), jobs: map[string]*pendingCall{}, last: s.last,
	}
}

// Answer is one rank's answer to a call, as text.
type Answer struct {
	Rank    int
	Outcome control.Outcome
	Value   string // as a literal, "" where there is none
	Err     string
	Stack   string // of a panic
	Took    time.Duration
}

// Listen has f called with each answer as it comes, before Exec returns, by one goroutine at a time. Only calls that
// are sent afterwards are heard.
func (s *Session) Listen(f func(Answer)) { s.answer = f }

// tell tells the listener what comes back.
func (s *Session) tell(p *pendingCall) {
	if s.answer == nil {
		return
	}
	for _, h := range p.handles {
		p.told.Go(func() {
			for r := range h.Replies() {
				x := p.rankResult(r)
				p.telling.Lock()
				s.answer(Answer{Rank: x.rank, Outcome: x.outcome, Value: x.text, Err: x.err, Stack: x.stack, Took: r.Took})
				p.telling.Unlock()
			}
		})
	}
}

// Given is what a command gave: what an expectation on a line of its own judges. It equals only itself.
type Given struct{ r *result }

// Last is what the last command of the session gave, as long as none runs on it.
func (s *Session) Last() Given { return Given{s.last} }

// TakeOver has the next command look back at what a command gave that ran on another session of the same fork family.
// Names, groups and jobs of that session stay its own. It is for the goroutine that runs the commands of s.
func (s *Session) TakeOver(g Given) {
	if g.r != nil {
		s.last = g.r
	}
}

// Forkable reports whether a fork may run a statement without the session missing anything: it names nothing, it does
// not look back, and its verb leaves nothing in the session.
func (st *Stmt) Forkable() bool {
	return st.Cmd != nil && st.Cmd.Verb.Forkable && st.Capture == "" && st.Background == "" && st.Include == nil &&
		len(st.Expect) == 0 && len(st.Cmd.vars) == 0
}

// LooksBack reports whether a statement of the script depends on what the commands before the script gave, so that it
// must not begin before they have ended: expect, let and save do, and every command with a ${…}.
func (sc *Script) LooksBack() bool { return slices.ContainsFunc(sc.Stmts, (*Stmt).looksBack) }

func (st *Stmt) looksBack() bool {
	switch {
	case st.Include != nil:
		return st.Include.LooksBack()
	case st.Cmd == nil:
		return false
	}
	return st.Cmd.Verb.looksBack || len(st.Cmd.vars) > 0
}

// Changes reports whether a statement changes the session. Of one that reads a file, or stands before another, the
// session judges: it refuses viewers.
func (st *Stmt) Changes() bool { return st.Cmd != nil && st.Cmd.Verb.Changes }
