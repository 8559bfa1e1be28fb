package script

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Step is a statement after it ran.
type Step struct {
	Stmt     *Stmt
	Skipped  string   // why it did not run, "" when it did
	Code     int      // ExitOK, or the kind of what went wrong
	Err      string   // of the command; may have several lines
	ErrPos   Pos      // of a mistake in a literal; zero for none
	Failures []Broken // expectations that did not hold
	Text     []string // what it showed: values folded by rank, or a listing
	MS       float64
}

// Broken is an expectation that did not hold.
type Broken struct {
	Pos
	Clause string   // as written
	Why    []string // values folded by rank
}

// OK reports whether the command and all its expectations held.
func (s *Step) OK() bool { return s.Code == ExitOK }

// Exec runs one statement. A source statement runs the statements of its file and returns one Step for all.
func (s *Session) Exec(ctx context.Context, st *Stmt) *Step {
	step := &Step{Stmt: st, Skipped: s.guarded(st)}
	if step.Skipped != "" {
		return step
	}
	start, ticket, before := time.Now(), s.rec.begin(st), s.last
	s.judge(ctx, st, step)
	step.MS = float64(time.Since(start).Microseconds()) / 1000
	res := s.last
	if res == before { // it gave nothing
		res = nil
	}
	s.rec.end(ticket, res, step)
	return step
}

// guarded says which guard keeps the statement from running, "" for none.
func (s *Session) guarded(st *Stmt) string {
	for _, g := range st.Guards {
		if s.guard(g.Cond) == g.Not {
			not := map[bool]string{true: "!"}[g.Not]
			return fmt.Sprintf("[%s%s] does not hold here", not, g.Cond)
		}
	}
	return ""
}

func (s *Session) judge(ctx context.Context, st *Stmt, step *Step) {
	s.limit = cmp.Or(st.Timeout, s.ownLimit(st), s.opt.Timeout)
	cmdCtx, cancel := s.patient(ctx, s.limit)
	defer cancel()
	began := time.Now()
	err := s.catchUp(cmdCtx)
	if err == nil && st.Include != nil {
		s.inner(ctx, st, step)
		return
	}
	if err == nil && st.Cmd.Verb.Name != expectWord {
		var r *result
		r, err = s.run(cmdCtx, st.Cmd, st)
		if r != nil {
			s.last = r
			step.Text = r.shown()
		}
	}
	if cmdCtx.Err() == nil { // whoever has waited too long, it was not the command
		s.limit = max(time.Since(began).Round(time.Second), time.Second)
	}
	if step.Code, step.Err, step.ErrPos = s.verdict(ctx, st, err); step.Code != ExitOK {
		return
	}
	if err != nil { // a failure that was wanted is worth reading too
		step.Text = append(step.Text, strings.Split("as wanted: "+clean(withoutPIDs(err.Error())), "\n")...)
	}
	if st.Capture != "" {
		s.vars[st.Capture] = s.last.captured()
	}
	for _, c := range st.Expect {
		if why := s.expect(ctx, c); why != nil {
			step.Code = max(step.Code, ExitExpect)
			step.Failures = append(step.Failures, Broken{c.Pos, c.Text, why})
		}
		if ctx.Err() != nil {
			step.Code = codeOf(ctx.Err())
			return
		}
	}
}

// ownLimit is what a command is given that may take longer than others, 0 for one that is as they are.
func (s *Session) ownLimit(st *Stmt) time.Duration {
	if st.Cmd == nil {
		return 0
	}
	a, ok := st.Cmd.Args.(limited)
	if ok && len(st.Cmd.vars) > 0 {
		if filled, err := s.fill(st.Cmd); err == nil { // what is wrong with it is told when it runs
			a, ok = filled.Args.(limited)
		}
	}
	if !ok {
		return 0
	}
	return a.limit(s.opt)
}

// alive reports whether the session goes on: what its end makes of a command says nothing about the command.
func (s *Session) alive() bool {
	select {
	case <-s.c.Done():
		return false
	default:
		return true
	}
}

// verdict turns a command's error into an exit code. ! wants a failure; a hang or an interrupt is none that it could want.
func (s *Session) verdict(ctx context.Context, st *Stmt, err error) (int, string, Pos) {
	if ctx.Err() != nil {
		return codeOf(ctx.Err()), stopText(ctx.Err()), Pos{}
	}
	if err == nil {
		if st.MustFail {
			return ExitExpect, "want a failure (!), and the command succeeded", Pos{}
		}
		return ExitOK, "", Pos{}
	}
	code, pos := codeOf(err), Pos{}
	msg := err.Error()
	if re, ok := errors.AsType[*runError](err); ok {
		code, pos = re.code, re.pos
	} else if errors.Is(err, context.DeadlineExceeded) {
		took := fmt.Sprintf("%s took more than %s", st.Cmd.Verb.Name, s.limit)
		if what := late(msg); what != "" {
			took += ": " + what
		}
		msg = took
	}
	if st.MustFail && code == ExitCommand && s.alive() { // that the session ended is never what it wants
		return ExitOK, "", Pos{}
	}
	return code, clean(msg), pos
}

// late is what an error says of something that took too long, besides that.
func late(msg string) string {
	return strings.TrimSuffix(strings.TrimSuffix(msg, context.DeadlineExceeded.Error()), ": ")
}

var pidForm = regexp.MustCompile(` \(pid \d+\)`)

// withoutPIDs takes out what differs between two runs that went equally well (INV-FOLD).
func withoutPIDs(s string) string { return pidForm.ReplaceAllString(s, "") }

func codeOf(err error) int {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return ExitTimeout
	case errors.Is(err, context.Canceled):
		return ExitInterrupt
	default:
		return ExitCommand
	}
}

func stopText(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "the time for the whole file is over"
	}
	return "interrupted"
}

// inner runs the statements of a source statement.
func (s *Session) inner(ctx context.Context, st *Stmt, step *Step) {
	step.Code = s.Run(ctx, st.Include, func(in *Step) {
		if !in.OK() {
			step.Err = in.Stmt.Pos.String() + ": " + in.Stmt.Describe() + "\n" + in.Err
			step.Failures = append(step.Failures, in.Failures...)
		}
	})
}

// Run runs a script, telling each step, until one fails or quit; what it sources comes as steps of their own. It
// returns the exit code.
func (s *Session) Run(ctx context.Context, sc *Script, tell func(*Step)) int {
	code := ExitOK
	for _, st := range sc.Stmts {
		switch {
		case s.quit:
			tell(&Step{Stmt: st, Skipped: "after quit"})
		case code != ExitOK:
			tell(&Step{Stmt: st, Skipped: "after a failure"})
		case st.Include != nil && s.guarded(st) == "":
			tell(&Step{Stmt: st})
			code = s.Run(ctx, st.Include, tell)
		default:
			step := s.Exec(ctx, st)
			tell(step)
			code = step.Code
		}
	}
	return code
}

func (s *Session) guard(cond string) bool {
	if c, ok := strings.CutPrefix(cond, "cap:"); ok {
		return slices.Contains(s.c.Info().Capabilities, c) || s.opt.Conds[cond]
	}
	switch cond {
	case "short":
		return s.opt.Short
	case "unix":
		return runtime.GOOS != "windows"
	case runtime.GOOS, runtime.GOARCH:
		return true
	}
	return s.opt.Conds[cond]
}

// run runs a command.
func (s *Session) run(ctx context.Context, cmd *Command, st *Stmt) (*result, error) {
	if len(cmd.vars) > 0 {
		var err error
		if cmd, err = s.fill(cmd); err != nil {
			return nil, err
		}
	}
	v := cmd.Verb
	switch {
	case v.Screen:
		return nil, fmt.Errorf("%s needs a terminal", v.Name)
	case v.Lacks != "":
		return nil, fmt.Errorf("%s: this build has no %s yet", v.Name, v.Lacks)
	}
	if v.run == nil {
		return nil, &runError{code: ExitInternal, msg: fmt.Sprintf("no code for %s", v.Name)}
	}
	return v.run(ctx, s, cmd.Args, st)
}

// shown is what a report prints below a command that held.
func (r *result) shown() []string {
	if n := r.let; n != nil {
		if n.expr == n.value { // the command says it already
			return nil
		}
		return []string{n.name + " = " + n.value}
	}
	var f fold
	for _, x := range r.ranks {
		if x.text != "" {
			f.add(x.rank, x.text)
		}
	}
	out := slices.Clone(r.text)
	for i := range out {
		out[i] = clean(out[i])
	}
	return append(out, f.lines()...)
}

// on runs a command with its target as the focus.
func (s *Session) on(ctx context.Context, a OnArgs, st *Stmt) (*result, error) {
	set, err := s.resolve(a.Target)
	if err != nil {
		return nil, err
	}
	outer := s.focus
	s.focus = &set
	defer func() { s.focus = outer }()
	return s.run(ctx, a.Cmd, st)
}
