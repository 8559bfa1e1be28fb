package script

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/schema"
)

func (s *Session) call(ctx context.Context, a CallArgs, st *Stmt) (*result, error) {
	p, err := s.send(a)
	if err != nil {
		return nil, err
	}
	if st.Background == "" {
		return s.finish(ctx, p)
	}
	if s.jobs[st.Background] != nil {
		p.cancel()
		return nil, fmt.Errorf("&%s is taken by a call that has not been waited for", st.Background)
	}
	p.stmt = st
	for _, other := range s.jobs { // what runs side by side prints side by side: out begins with the first of them
		p.mark = min(p.mark, other.mark)
	}
	s.jobs[st.Background] = p
	return &result{mark: p.mark}, nil
}

// wait waits for a job, or for all of them.
func (s *Session) wait(ctx context.Context, a JobArgs, _ *Stmt) (*result, error) {
	if a.Name == "" {
		return s.waitAll(ctx)
	}
	p, err := s.job(a.Name)
	if err != nil {
		return nil, err
	}
	delete(s.jobs, a.Name)
	return s.finish(ctx, p)
}

// cancelJob gives up on a job. What it had given by then is the result; wait takes it once more, and tells its failure.
func (s *Session) cancelJob(ctx context.Context, a JobArgs, _ *Stmt) (*result, error) {
	p, err := s.job(a.Name)
	if err != nil {
		return nil, err
	}
	p.cancel()
	got, err := s.finish(ctx, p)
	if ctx.Err() != nil {
		return got, err
	}
	return got, nil
}

func (s *Session) job(name string) (*pendingCall, error) {
	p := s.jobs[name]
	if p == nil {
		return nil, fmt.Errorf("no job &%s%s", name, schema.Suggest(name, s.jobNames()))
	}
	return p, nil
}

func (s *Session) jobNames() []string {
	var out []string
	for n := range s.jobs {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// waitAll waits for every job, in the order of their names, and shows what each gave. The failure of one that was
// cancelled before is none.
func (s *Session) waitAll(ctx context.Context) (*result, error) {
	r := &result{mark: s.logMark()}
	for _, p := range s.jobs {
		r.mark = min(r.mark, p.mark)
	}
	var errs []error
	for _, n := range s.jobNames() {
		p := s.jobs[n]
		delete(s.jobs, n)
		given := p.cancelled // finish cancels what takes too long: that is a failure
		got, err := s.finish(ctx, p)
		for _, l := range got.shown() {
			r.text = append(r.text, "&"+n+" "+l)
		}
		if err != nil && !given {
			errs = append(errs, fmt.Errorf("&%s: %w", n, err))
		}
	}
	return r, worst(errs)
}

// worst joins errors into one that has the highest exit code among them.
func worst(errs []error) error {
	if len(errs) < 2 {
		return errors.Join(errs...)
	}
	all := &runError{code: ExitOK, msg: errors.Join(errs...).Error()}
	for _, err := range errs {
		code := codeOf(err)
		if re, ok := errors.AsType[*runError](err); ok {
			code = re.code
		}
		all.code = max(all.code, code)
	}
	return all
}
