package script

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/eval"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// result is what a command gave.
type result struct {
	set    rankSet // of a call; no ranks for other commands
	ranks  []rankResult
	text   []string // what the command shows
	value  any      // what => captures, where it is not made of ranks
	mark   int      // log lines from this number on were printed since the command began
	ms     float64
	single bool     // one value, not a list of one
	let    *letText // of let
	named  schema.Types
	typ    *schema.Schema // of a call's values; nil where they have none
	ends   bool           // the end of a mesh was asked for: it ends, whether the command waits for that or not
}

// letText is what let named.
type letText struct{ name, expr, value string }

// rankResult is one rank's part of a call.
type rankResult struct {
	rank    int
	point   shape.Point // in the slice that was called, if that was one
	value   any
	text    string // the value as a literal; "" for none
	outcome control.Outcome
	err     string
	stack   string // of a panic
	ms      float64
}

func (r *result) of(rank int) (rankResult, bool) {
	for _, x := range r.ranks {
		if x.rank == rank {
			return x, true
		}
	}
	return rankResult{}, false
}

// values are the values by rank; nil where a rank failed.
func (r *result) values() []any {
	out := []any{}
	for _, x := range r.ranks {
		out = append(out, x.value)
	}
	return out
}

// captured is what => NAME names.
func (r *result) captured() any {
	switch {
	case r.value != nil:
		return r.value
	case len(r.ranks) > 0 && r.single:
		return r.ranks[0].value
	case len(r.ranks) > 0:
		return r.values()
	default:
		return strings.Join(r.text, "\n")
	}
}

// runError is a command's failure with its exit code.
type runError struct {
	code int
	msg  string // the first line says what; more may follow
	pos  Pos    // of a mistake in a literal
}

func (e *runError) Error() string { return e.msg }

// pendingCall is a call that was sent: one request of the protocol for each strided slice of the ranks.
type pendingCall struct {
	set       rankSet
	name      string // @toy.Hello
	ep        control.Endpoint
	named     schema.Types
	adverb    control.Adverb
	handles   []*control.CallHandle
	started   time.Time
	mark      int
	cancelled bool
	stmt      *Stmt // of a job
	told      sync.WaitGroup
	telling   sync.Mutex // held while the listener is told of one answer
}

// send checks a call against its schema and sends it.
func (s *Session) send(a CallArgs) (*pendingCall, error) {
	set, err := s.resolve(a.Target)
	if err != nil {
		return nil, err
	}
	p := &pendingCall{set: set, adverb: a.Adverb, name: set.String() + "." + a.Target.Endpoint}
	if p.ep, p.named, err = s.endpoint(set.ref, a.Target.Endpoint); err != nil {
		return nil, err
	}
	body, err := schema.ParseArg(p.ep.Param, p.named, p.ep.Arg, a.Literal.Text, s)
	if err != nil {
		return nil, literalError(p.name, a.Literal, err)
	}
	switch {
	case len(set.ranks) == 0:
		return nil, fmt.Errorf("%s: no ranks to call", p.name)
	case a.Adverb == control.AdverbCallOne && len(set.ranks) != 1:
		return nil, fmt.Errorf("one calls exactly 1 rank and %s has %d: pick one, such as @%s[%d].%s", set, len(set.ranks), set.ref.Name, set.ranks[0], p.ep.Name)
	case a.Adverb == control.AdverbChoose && len(set.parts) > 1:
		return nil, fmt.Errorf("choose needs ranks that form one regular slice, and %s needs %d: pick a range", set, len(set.parts))
	}
	p.started, p.mark = time.Now(), s.logMark()
	for _, part := range set.parts {
		h, err := s.c.Call(s.ctx, control.CallReq{Mesh: set.ref.Name, View: part, Endpoint: p.ep.Name, Adverb: a.Adverb, Body: body})
		if err != nil {
			p.cancel()
			return nil, err
		}
		p.handles = append(p.handles, h)
	}
	s.tell(p)
	return p, nil
}

func (p *pendingCall) cancel() {
	p.cancelled = true
	for _, h := range p.handles {
		h.Cancel()
	}
}

// giveUp ends what a context has run out for: its handlers are told whether that was its deadline.
func (p *pendingCall) giveUp(ctx context.Context) {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		p.cancel()
		return
	}
	p.cancelled = true
	for _, h := range p.handles {
		h.Expire()
	}
}

// endpoint finds an endpoint of the mesh's actor type.
func (s *Session) endpoint(ref control.MeshRef, name string) (ep control.Endpoint, named schema.Types, err error) {
	s.picture(func(p *control.Replica) {
		t, ok := p.Type(ref.Type)
		if !ok {
			err = fmt.Errorf("@%s is of type %s, which the program has not described", ref.Name, ref.Type)
			return
		}
		named = p.Named
		var have []string
		for _, e := range t.Endpoints {
			if e.Name == name {
				ep = e
				return
			}
			have = append(have, e.Name)
		}
		err = fmt.Errorf("%s has no endpoint %s%s", t.Name, quoted(name), schema.Suggest(name, have))
		for _, n := range t.NotCallable {
			if n.Name == name {
				err = fmt.Errorf("%s.%s is a method and no endpoint: %s", t.Name, name, n.Reason())
			}
		}
	})
	return ep, named, err
}

// literalError points at the place of a literal's mistake.
func literalError(what string, l Literal, err error) error {
	e := &runError{code: ExitCommand, msg: what + ": " + err.Error()}
	if le, ok := errors.AsType[*schema.LiteralError](err); ok {
		e.msg = what + ": " + le.Path + ": " + le.Msg
		if word, anything := strings.CutSuffix(e.msg, "; text needs quotes here"); anything && l.Line == 0 { // it was filled in
			e.msg = word + `: this place takes a value of any type, so a duration is not known there as one; between quotes, "${…}", it is text`
		}
		if e.pos = l.Pos; e.pos.Line > 0 {
			before := []rune(l.Text)
			before = before[:min(max(le.Column-1, 0), len(before))]
			for _, c := range before {
				e.pos.Column++
				if c == '\n' {
					e.pos.Line, e.pos.Column = e.pos.Line+1, 1
				}
			}
		} else {
			e.msg += fmt.Sprintf(" (column %d of %s)", le.Column, show(l.Text))
		}
	}
	return e
}

// finish waits for a call to end, or for ctx; a call that has not ended by then is cancelled and reported as a hang.
func (s *Session) finish(ctx context.Context, p *pendingCall) (*result, error) {
	for _, h := range p.handles {
		done := make(chan struct{})
		go func() { h.Wait(); close(done) }() //nolint:errcheck // gathered below; ends with the call, which hang or Close cancels
		select {
		case <-done:
		case <-ctx.Done():
			err := s.hang(ctx, p)
			p.giveUp(ctx)
			<-done
			p.told.Wait()
			return s.gather(p), err
		}
	}
	p.told.Wait()
	r := s.gather(p)
	for _, h := range p.handles {
		if _, err := h.Wait(); err != nil {
			return r, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return r, r.failure(p)
}

// gather sorts the replies by rank.
func (s *Session) gather(p *pendingCall) *result {
	r := &result{set: p.set, named: p.named, typ: p.ep.Result, mark: p.mark, ms: float64(time.Since(p.started).Microseconds()) / 1000, single: p.adverb == control.AdverbCallOne || p.adverb == control.AdverbChoose}
	for _, h := range p.handles {
		for _, reply := range h.Got() {
			r.ranks = append(r.ranks, p.rankResult(reply))
		}
	}
	slices.SortStableFunc(r.ranks, func(a, b rankResult) int { return a.rank - b.rank })
	if p.adverb == control.AdverbChoose && len(r.ranks) == 1 { // what it says about ranks is about the one it chose
		r.set = subset(p.set.ref, []int{r.ranks[0].rank})
	}
	return r
}

func (p *pendingCall) rankResult(reply control.Reply) rankResult {
	x := rankResult{rank: reply.Rank, outcome: reply.Outcome, ms: float64(reply.Took.Microseconds()) / 1000}
	if len(p.set.parts) == 1 {
		x.point = reply.Point
	}
	if reply.Outcome != control.OutcomeReply {
		if x.err, x.stack = reply.Error, reply.Stack; x.err == "" {
			x.err = string(reply.Outcome)
		}
		return x
	}
	if p.ep.Result == nil || len(reply.Body) == 0 {
		return x
	}
	v, err := schema.Value(p.named, p.ep.Result, reply.Body)
	if err != nil {
		x.outcome, x.err = control.OutcomeError, "the reply does not decode: "+err.Error()
		return x
	}
	x.value, x.text = eval.Canonical(v), schema.Format(p.named, p.ep.Result, reply.Body)
	return x
}

// failure folds the errors of a call into one.
func (r *result) failure(p *pendingCall) error {
	lines, failed, code := r.errors()
	if failed == 0 {
		return nil
	}
	alike := !slices.ContainsFunc(lines[1:], func(l string) bool { return strings.HasPrefix(l, "[") || strings.HasPrefix(l, "…") })
	if alike && failed == len(r.set.ranks) {
		return &runError{code: code, msg: fmt.Sprintf("%s failed: %s", p.name, strings.Join(lines, "\n"))}
	}
	return &runError{code: code, msg: fmt.Sprintf("%s failed on %d of %d ranks:\n%s", p.name, failed, len(r.set.ranks), strings.Join(lines, "\n"))}
}

// errors folds what the ranks that failed say.
func (r *result) errors() (lines []string, failed, code int) {
	var f fold
	code = ExitCommand
	for _, x := range r.ranks {
		if x.outcome == control.OutcomeReply {
			continue
		}
		failed++
		text := aboutRank(r.set.ref.Name, x.rank, x.err)
		if x.outcome != control.OutcomeError && x.err != string(x.outcome) {
			text = string(x.outcome) + ": " + text
		}
		for _, frame := range frames(x.stack) {
			text += "\n  " + frame
		}
		f.addAt(x.rank, x.point, text)
		if x.outcome == control.OutcomeDeadline {
			code = ExitTimeout
		}
	}
	return f.lines(), failed, code
}

// hang describes a call that takes too long: who has not answered, and what they wait for.
func (s *Session) hang(ctx context.Context, p *pendingCall) error {
	answered := map[int]bool{}
	for _, h := range p.handles {
		for _, r := range h.Got() {
			answered[r.Rank] = true
		}
	}
	var missing []int
	for _, r := range p.set.ranks {
		if !answered[r] {
			missing = append(missing, r)
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return &runError{code: ExitInterrupt, msg: "interrupted while " + p.name + " was running"}
	}
	late := time.Now() // the looks take their time
	lines := []string{fmt.Sprintf("%s: no answer from @%s[%s] within %s", p.name, p.set.ref.Name, shape.FormatRanks(missing), s.limit)}
	if p.adverb == control.AdverbChoose {
		lines[0] = fmt.Sprintf("%s: no answer within %s", p.name, s.limit)
	}
	failed, _, _ := s.gather(p).errors()
	for _, l := range failed {
		lines = append(lines, "  "+l)
	}
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if rep, snap, err := debugger.Verdict(look, s.c); err == nil {
		if held := holdsUp(snap, p.set.ref.Name, missing); held != "" {
			lines[0] += ": " + held
		}
		lines = append(lines, busy(snap)...)
		lines = append(lines, others(snap, p)...)
		if len(snap.Waits) > 0 {
			lines = append(lines, indentAll(rep.Lines(lineWidth, maxLines, late))...)
		}
	}
	lines = append(lines, s.hangStacks(look, p.set, missing)...)
	if s.flush(look, p.set) == nil {
		shown := map[int][]string{}
		for rank, out := range s.printed(p.set, p.mark) {
			shown[rank] = out.shown
		}
		if out := foldLines(shown); len(out) > 0 {
			lines = append(lines, "printed meanwhile:")
			for _, l := range out[max(0, len(out)-maxLines):] {
				lines = append(lines, "  "+l)
			}
		}
	}
	return &runError{code: ExitTimeout, msg: strings.Join(lines, "\n")}
}

// busy lists what ranks are doing, mesh by mesh.
func busy(snap *control.Snapshot) []string {
	var out []string
	for _, m := range snap.Meshes {
		if m.Gone {
			continue
		}
		var f fold
		for rank, st := range m.Ranks {
			switch {
			case len(st.Running) > 0 && st.Queue > 0:
				f.add(rank, fmt.Sprintf("is in %s, %d queued", strings.Join(st.Running, ", "), st.Queue))
			case len(st.Running) > 0:
				f.add(rank, "is in "+strings.Join(st.Running, ", "))
			case st.Queue > 0:
				f.add(rank, fmt.Sprintf("has %d queued", st.Queue))
			}
		}
		for _, l := range f.lines() {
			out = append(out, clean("  @"+m.Ref.Name)+l)
		}
	}
	slices.Sort(out)
	return cut(out)
}

// others lists the calls under way beside this one: what the missing ranks may be waiting for.
func others(snap *control.Snapshot, p *pendingCall) []string {
	var out []string
	for _, c := range snap.Calls {
		if c.Mesh == p.set.ref.Name && c.Endpoint == p.ep.Name || len(c.Waiting) == 0 {
			continue
		}
		out = append(out, "  "+callLine(c))
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) > 0 {
		out = append([]string{"other calls that have not ended:"}, cut(out)...)
	}
	return out
}

func cut(lines []string) []string {
	if len(lines) > maxLines {
		return append(lines[:maxLines:maxLines], fmt.Sprintf("  … and %d more", len(lines)-maxLines))
	}
	return lines
}

func callLine(c control.Call) string {
	return clean(fmt.Sprintf("%s: %s @%s.%s waits for ranks [%s], %d of %d", c.Client, c.Adverb, c.Mesh, c.Endpoint, shape.FormatRanks(c.Waiting), len(c.Waiting), c.Ranks))
}
