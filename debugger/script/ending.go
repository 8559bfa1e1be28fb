package script

import (
	"context"
	"fmt"
	"slices"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/engine/control"
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
	if state.Policy == control.PolicyStay {
		if len(left) > 0 {
			text = []string{fmt.Sprintf("stopped are %s; the policy is stay: they stay stopped, and their meshes stay", debugger.Folded(left))}
		}
		return text, left, nil
	}
	if err := s.clearOwn(ctx); err != nil {
		return nil, left, err
	}
	how := control.ResumeReq{How: control.GoContinue}
	done := "they go on"
	if state.Policy == control.PolicyAbort {
		how, done = control.ResumeReq{How: control.GoFail, Text: "the script has ended"}, "their calls fail"
	}
	for told := false; ; told = true { // who goes on may be stopped once more by what it was told to do before
		mine := s.mine()
		if len(mine) == 0 || ctx.Err() != nil {
			return text, s.mine(), ctx.Err()
		}
		if !told {
			text = []string{fmt.Sprintf("stopped were %s; the policy is %s: the breakpoints are removed, %s", debugger.Folded(mine), state.Policy, done)}
		}
		how.Stops = nil
		for i := range mine {
			how.Stops = append(how.Stops, refOf(&mine[i]))
		}
		if _, err := s.c.Resume(ctx, how); err != nil {
			return text, mine, err
		}
		if err := s.catchUp(ctx); err != nil {
			return text, mine, err
		}
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
// stopped it is whom they wait for.
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
	return debugger.Holds(direct)
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
