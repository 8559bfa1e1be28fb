package script

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/debugger/group"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/eval"
)

// lineWidth is how wide the lines are that are made for a report.
const lineWidth = 120

func refOf(st *control.Stop) control.StopRef { return control.StopRef{ID: st.ID, Gen: st.Gen} }

// eachFrame has what a command is about shown stop by stop, each below its name where there are several.
func (s *Session) eachFrame(t *Target, r *result, show func(st *control.Stop) ([]string, error)) error {
	stops, text, err := s.stopped(t, 0)
	if err != nil {
		return err
	}
	var errs []error
	for i := range stops {
		lines, err := show(&stops[i])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", debugger.Actor(&stops[i]), err))
			continue
		}
		if len(stops) > 1 {
			r.text = append(r.text, debugger.Actor(&stops[i])+":")
			for j := range lines {
				lines[j] = "  " + lines[j]
			}
		}
		r.text = append(r.text, lines...)
	}
	r.text = append(r.text, text...)
	return errors.Join(errs...)
}

// where shows a frame and who waits for it, innermost first.
func (s *Session) where(ctx context.Context, a FrameArgs, r *result) error {
	return s.eachFrame(a.Target, r, func(st *control.Stop) ([]string, error) {
		v, err := s.c.Frame(ctx, refOf(st), control.FrameQuery{Depth: 1, Count: 1, Text: 64})
		if err != nil {
			return nil, err
		}
		out := []string{"#0 " + debugger.Line(st)}
		if st.Func != "" && st.Line > 0 {
			out[0] += fmt.Sprintf(", in %s at %s:%d", st.Func, st.File, st.Line)
		}
		for i, w := range slices.Backward(v.Chain) {
			line := fmt.Sprintf("#%d %s", len(v.Chain)-i, w.Actor)
			if w.Msg != 0 {
				line += fmt.Sprintf(", handling message %d", w.Msg)
			}
			out = append(out, line)
		}
		if v.Error != "" {
			out = append(out, st.Site+": "+v.Error)
		}
		if a.Go || st.Site == control.SitePanic || st.Site == control.SiteBreak {
			out = append(out, stackLines(v.Stack)...)
		}
		return out, nil
	})
}

// maxStack bounds the lines of one goroutine's stack that a report shows.
const maxStack = 200

// stackLines are a stack without the frames of the probe that stands at its top.
func stackLines(stack string) (out []string) {
	head, frames, _ := strings.Cut(stack, "\n")
	for strings.Contains(firstOf(frames), "/engine/probe.") {
		_, frames, _ = strings.Cut(frames, "\n") // the call
		_, frames, _ = strings.Cut(frames, "\n") // its place
	}
	stack = head + "\n" + frames
	for l := range strings.Lines(stack) {
		if len(out) == maxStack {
			return append(out, "…")
		}
		out = append(out, strings.ReplaceAll(strings.TrimRight(l, "\n"), "\t", "    "))
	}
	return out
}

func firstOf(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// frameView is how much of a frame args reads.
var frameView = control.FrameQuery{Path: "args", Count: stateCount, Depth: stateDepth, Text: stateText}

// showArgs shows the arguments of frames; where it is one frame they are the value too, by name.
func (s *Session) showArgs(ctx context.Context, a FrameArgs, r *result) error {
	return s.eachFrame(a.Target, r, func(st *control.Stop) (out []string, err error) {
		v, err := s.c.Frame(ctx, refOf(st), frameView)
		if err != nil {
			return nil, err
		}
		byName := map[string]any{}
		for _, n := range v.Args {
			x := plain(n, 0)
			byName[n.Name] = x
			out = append(out, n.Name+" = "+show(x))
		}
		if r.value = byName; len(out) == 0 {
			out = []string{st.Endpoint + " has no argument"}
		}
		return out, nil
	})
}

func (s *Session) showEnv(ctx context.Context, a FrameArgs, r *result) error {
	return s.eachFrame(a.Target, r, func(st *control.Stop) ([]string, error) {
		env, err := s.c.Env(ctx, refOf(st))
		slices.Sort(env)
		return env, err
	})
}

// print evaluates an expression at a frame, or over ranks.
func (s *Session) print(ctx context.Context, a PrintArgs, r *result) error {
	if a.Mistake != "" {
		return fmt.Errorf("%s is no command, and no expression: %s", quoted(a.Expr), a.Mistake)
	}
	var stops []control.Stop
	s.picture(func(p *control.Replica) { stops = debugger.Sorted(p.Stops) })
	t := a.Target
	if t == nil || a.Own {
		st, err := debugger.Which(stops, s.Attached())
		if err != nil {
			return err
		}
		if t == nil {
			return s.printAt(ctx, &st, a.Expr, r)
		}
		of := *t
		of.Mesh = st.Mesh
		t = &of
	}
	set, err := s.resolve(t)
	if err != nil {
		return err
	}
	if len(set.ranks) == 0 {
		return fmt.Errorf("print: %s holds no ranks", t)
	}
	vals, err := debugger.Over(ctx, s.c, stops, set.ref.Name, set.ranks, a.Expr)
	if err != nil {
		return err
	}
	return r.over(set, vals)
}

// over takes what ranks said to an expression.
func (r *result) over(set rankSet, vals []group.RankValue) error {
	var f fold
	failed := 0
	r.set = set
	for _, v := range vals {
		x := rankResult{rank: v.Rank, value: v.Value, err: v.Err, outcome: control.OutcomeReply}
		if v.Err != "" {
			x.outcome = control.OutcomeError
			failed++
			f.add(v.Rank, v.Err)
		}
		r.ranks = append(r.ranks, x)
	}
	slices.SortStableFunc(r.ranks, func(a, b rankResult) int { return a.rank - b.rank })
	if failed == len(vals) {
		return errors.New("no rank has a value:\n" + strings.Join(f.lines(), "\n"))
	}
	table := group.New(vals)
	r.text = table.Lines(lineWidth, 20)
	return nil
}

func (s *Session) printAt(ctx context.Context, st *control.Stop, expr string, r *result) error {
	v, err := s.c.EvalAt(ctx, refOf(st), expr)
	if err != nil {
		return err
	}
	x := debugger.Value(v)
	r.text, r.value, r.single = []string{eval.Show(x)}, x, true
	if ref, err := s.mesh(st.Mesh); err == nil { // so that an expectation may say value
		r.set = subset(ref, []int{st.Rank})
		r.ranks = []rankResult{{rank: st.Rank, value: x, outcome: control.OutcomeReply}}
	}
	return nil
}

// set changes what frames hold. Behind on, the state of an actor that is not stopped is changed between two messages.
func (s *Session) set(ctx context.Context, a SetArgs, r *result) error {
	reqs, names, err := s.setWhere(a)
	if err != nil {
		return err
	}
	var errs []error
	for i, req := range reqs {
		req.Path, req.Value = a.Path, a.Value.Text
		got, err := s.c.Edit(ctx, req)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", names[i], err))
			continue
		}
		was := "was " + got.Old + ", and"
		if got.Old == "" { // an entry that a map did not have, or that was beyond what is looked at
			was = "now"
		}
		r.text = append(r.text, fmt.Sprintf("%s: %s %s is %s", names[i], a.Path, was, got.New))
	}
	return errors.Join(errs...)
}

func (s *Session) setWhere(a SetArgs) (reqs []control.EditReq, names []string, err error) {
	if a.Target == nil || !strings.HasPrefix(a.Path, "state.") {
		stops, _, err := s.stopped(a.Target, 0)
		for i := range stops {
			reqs, names = append(reqs, control.EditReq{Stop: refOf(&stops[i])}), append(names, debugger.Actor(&stops[i]))
		}
		return reqs, names, err
	}
	set, err := s.resolve(a.Target)
	if err != nil {
		return nil, nil, err
	}
	for _, rank := range set.ranks {
		reqs, names = append(reqs, control.EditReq{Mesh: set.ref.Name, Rank: rank}), append(names, "@"+set.ref.Name+"["+strconv.Itoa(rank)+"]")
	}
	return reqs, names, nil
}

// actors are the ranks that words about mailboxes are about: a target's, or the actor of the frame that is chosen.
func (s *Session) actors(t *Target) (rankSet, error) {
	if t != nil {
		return s.resolve(t)
	}
	stops, _, err := s.stopped(nil, 0)
	if err != nil {
		return rankSet{}, err
	}
	ref, err := s.mesh(stops[0].Mesh)
	if err != nil {
		return rankSet{}, err
	}
	return subset(ref, []int{stops[0].Rank}), nil
}

func (s *Session) mailbox(ctx context.Context, a FrameArgs, r *result) error {
	set, err := s.actors(a.Target)
	if err != nil {
		return err
	}
	boxes, err := s.c.Mailboxes(ctx, set.ref.Name, set.ranks, control.MailboxQuery{})
	if err != nil {
		return err
	}
	r.set = set
	var errs []error
	rows := [][]string{{"actor", "message", "endpoint", "sender", "argument"}}
	for _, b := range boxes {
		name := fmt.Sprintf("@%s[%d]", set.ref.Name, b.Rank)
		if b.Error != "" {
			errs = append(errs, errors.New(name+": "+b.Error))
			continue
		}
		list := []any{}
		for _, m := range b.Answer.Messages {
			rows = append(rows, []string{name, strconv.FormatUint(m.Msg, 10), m.Endpoint, m.Sender, m.Arg})
			list = append(list, map[string]any{"msg": int(m.Msg), "endpoint": m.Endpoint, "sender": m.Sender, "arg": m.Arg, "bytes": m.Bytes})
		}
		if left := b.Answer.Total - len(b.Answer.Messages); left > 0 {
			rows = append(rows, []string{name, fmt.Sprintf("and %d more", left)})
		}
		r.ranks = append(r.ranks, rankResult{rank: b.Rank, value: list, outcome: control.OutcomeReply})
	}
	if r.text = table(rows); len(rows) == 1 {
		r.text = []string{"no message waits for " + set.String()}
	}
	return errors.Join(errs...)
}

func (s *Session) discard(ctx context.Context, a MessageArgs, r *result) error {
	return s.queued(ctx, a, "discard", "is discarded", r)
}

func (s *Session) redeliver(ctx context.Context, a MessageArgs, r *result) error {
	return s.queued(ctx, a, "redeliver", "is handled next", r)
}

// queued does something with a message of a mailbox.
func (s *Session) queued(ctx context.Context, a MessageArgs, op, did string, r *result) error {
	set, err := s.actors(a.Target)
	if err != nil {
		return err
	}
	if len(set.ranks) != 1 {
		return fmt.Errorf("%s: a message waits for one actor, and %s has %d ranks", op, set, len(set.ranks))
	}
	if _, err := s.c.Edit(ctx, control.EditReq{Mesh: set.ref.Name, Rank: set.ranks[0], Path: strconv.FormatUint(a.Msg, 10), Op: op, Value: a.Value.Text}); err != nil {
		return err
	}
	r.text = []string{fmt.Sprintf("message %d of %s %s", a.Msg, set, did)}
	return nil
}
