package script

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// leaveStops does at the end of a script what the session's policy says about stopped frames, and tells of it. Where others
// are there who could act, it is about what the script's own breakpoints stopped: the rest is theirs. left are the actors
// that stay stopped.
func (s *Session) leaveStops(ctx context.Context) (text []string, left []control.Stop, err error) {
	if err := s.catchUp(ctx); err != nil {
		return nil, nil, nil //nolint:nilerr // the session itself is gone, and nobody is stopped in it
	}
	var state control.DebugState
	s.picture(func(p *control.Replica) { state, left = p.Debug, debugger.Sorted(p.Stops) })
	how, done := onward(state)
	if how == nil {
		if len(left) > 0 {
			text = []string{fmt.Sprintf("stopped are %s; the policy is stay: they stay stopped, and their meshes stay", debugger.Folded(left))}
		}
		return text, left, nil
	}
	if err := s.clearOwn(ctx); err != nil {
		return nil, nil, err
	}
	mine := s.mine()
	if len(mine) == 0 {
		return nil, nil, nil
	}
	text = []string{fmt.Sprintf("stopped were %s; the policy is %s: the breakpoints are removed, %s", debugger.Folded(mine), state.Policy, done)}
	return text, nil, s.resumeAll(ctx, how, mine)
}

// onward is how the session's policy has frames go on: nil where they stay.
func onward(state control.DebugState) (how *control.ResumeReq, done string) {
	switch state.Policy {
	case control.PolicyStay:
		return nil, ""
	case control.PolicyAbort:
		return &control.ResumeReq{How: control.GoFail, Text: "the script has ended"}, "their calls fail"
	}
	return &control.ResumeReq{How: control.GoContinue}, "they go on"
}

func (s *Session) resumeAll(ctx context.Context, how *control.ResumeReq, stops []control.Stop) error {
	req := *how
	for i := range stops {
		req.Stops = append(req.Stops, refOf(&stops[i]))
	}
	_, err := s.c.Resume(ctx, req)
	return err
}

// keepGoing does what the policy says about frames that stop while the script ends, as those of calls that it waits for. The
// function that it returns ends that.
func (s *Session) keepGoing(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for ctx.Err() == nil {
			var how *control.ResumeReq
			s.mu.Lock()
			changed, ended := s.changed, s.ended
			how, _ = onward(s.pic.Debug)
			s.mu.Unlock()
			if ended != nil {
				return
			}
			if mine := s.mine(); len(mine) > 0 && how != nil {
				_ = s.resumeAll(ctx, how, mine) // what cannot go on is told by who waits for it
			}
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	}()
	return func() {
		cancel()
		<-over
	}
}

// clearOwn removes the breakpoints of the script, and all there are where nobody else could.
func (s *Session) clearOwn(ctx context.Context) error {
	var ids []uint64
	s.picture(func(p *control.Replica) {
		alone := debugger.Acting(p.Clients, s.c.Info().Client.ID) == 0
		for i := range p.Breaks {
			if id := p.Breaks[i].ID; s.own[id] || alone && len(p.Stops) > 0 {
				ids = append(ids, id)
			}
		}
	})
	if len(ids) == 0 {
		return nil
	}
	_, err := s.c.Breaks(ctx, control.BreaksReq{Remove: ids})
	return err
}

// mine are the stops that the script is to end: of its breakpoints, or all where nobody else could act.
func (s *Session) mine() (out []control.Stop) {
	s.picture(func(p *control.Replica) {
		alone := debugger.Acting(p.Clients, s.c.Info().Client.ID) == 0
		for _, st := range debugger.Sorted(p.Stops) {
			if alone || s.own[st.Break] {
				out = append(out, st)
			}
		}
	})
	return out
}

// holdsUp says which stops hold up ranks of a mesh that have not answered, "" where none does. Where none of them is itself
// stopped it is whom they wait for. Where no stop does, it says which of their processes a signal has stopped.
func holdsUp(snap *control.Snapshot, mesh string, missing []int) string {
	var direct, far []control.Stop
	waited := map[string]bool{}
	for _, e := range snap.Waits {
		waited[e.To] = true
	}
	for _, st := range debugger.Sorted(snap.Stops) {
		switch {
		case st.Mesh == mesh && slices.Contains(missing, st.Rank):
			direct = append(direct, st)
		case waited[debugger.Actor(&st)]:
			far = append(far, st)
		}
	}
	if len(direct) == 0 {
		direct = far
	}
	return cmp.Or(debugger.Holds(direct), stillOf(snap, mesh, missing))
}

// stillOf says which ranks of a mesh that have not answered are in processes that a signal has stopped, "" where none is.
func stillOf(snap *control.Snapshot, mesh string, missing []int) string {
	still := debugger.Still(snap)
	var ranks []int
	last := ""
	for _, rank := range missing {
		if where := still[fmt.Sprintf("@%s[%d]", mesh, rank)]; where != "" {
			ranks, last = append(ranks, rank), where
		}
	}
	switch len(ranks) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("[%d] is in %s, which a signal has stopped; SIGCONT has it go on", ranks[0], clean(last))
	}
	return fmt.Sprintf("[%s] are in processes that signals have stopped; SIGCONT has them go on", shape.FormatRanks(ranks))
}

// keep takes off the list of what the script ends the meshes that have actors which stay stopped.
func (s *Session) keep(left []control.Stop) {
	for _, st := range left {
		s.picture(func(p *control.Replica) {
			if m, ok := p.Mesh(st.Mesh); ok {
				s.procs = without(s.procs, m.Procs)
			}
		})
		s.meshes = without(s.meshes, st.Mesh)
	}
}
