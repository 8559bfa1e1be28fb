package script

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// stopped are the stops that a command is about, sorted: those of a target, the one with a number, the attached one, or the
// only one. text tells of ranks of the target that are not stopped.
func (s *Session) stopped(t *Target, n uint64) (stops []control.Stop, text []string, err error) {
	var all []control.Stop
	s.picture(func(p *control.Replica) { all = slices.Clone(p.Stops) })
	switch {
	case n != 0:
		st, err := debugger.Numbered(all, n)
		return []control.Stop{st}, nil, err
	case t == nil:
		st, err := debugger.Which(all, s.Attached())
		return []control.Stop{st}, nil, err
	}
	set, err := s.resolve(t)
	if err != nil {
		return nil, nil, err
	}
	here, absent, err := debugger.Among(all, set.ref.Name, set.ranks)
	if err == nil && len(absent) > 0 {
		text = []string{fmt.Sprintf("not stopped: @%s[%s]", set.ref.Name, shape.FormatRanks(absent))}
	}
	return here, text, err
}

// letGo lets stopped frames go on. Words that stop them again wait for that a little while, so that the next word is about
// where they are then.
func (s *Session) letGo(ctx context.Context, a GoArgs, r *result) error {
	req := control.ResumeReq{How: a.How}
	switch a.How {
	case control.GoReturn:
		req.Value = a.Text
	case control.GoFail:
		req.Text = a.Text
	}
	var stops []control.Stop
	if a.How == control.GoContinue && a.N == 0 && a.Target == nil && s.Attached().Mesh == "" {
		s.picture(func(p *control.Replica) { stops = debugger.Sorted(p.Stops) })
		if len(stops) == 0 {
			r.text = []string{"nothing is stopped"}
			return nil
		}
	} else {
		var err error
		if a.How == control.GoContinue && a.Target != nil {
			if r.text, err = s.takeBack(ctx, a.Target); err != nil {
				return err
			}
		}
		back := r.text
		if stops, r.text, err = s.stopped(a.Target, a.N); err != nil && len(back) == 0 {
			return err
		}
		if r.text = append(back, r.text...); err != nil {
			return nil //nolint:nilerr // nobody was stopped, but somebody was to be
		}
	}
	for _, st := range stops {
		req.Stops = append(req.Stops, control.StopRef{ID: st.ID, Gen: st.Gen})
	}
	before := s.before(stops)
	done, err := s.c.Resume(ctx, req)
	if err != nil {
		return err
	}
	var errs []error
	var went []control.Stop
	for i, d := range done {
		if d.Error != "" {
			errs = append(errs, errors.New(debugger.Actor(&stops[i])+": "+d.Error))
			continue
		}
		went = append(went, stops[i])
	}
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	to := s.Attached()
	at := slices.IndexFunc(went, func(st control.Stop) bool { return st.Mesh == to.Mesh && st.Rank == to.Rank })
	switch {
	case movesOn(a.How):
		s.arrive(ctx, a.How, went, before)
	case at >= 0:
		s.arrive(ctx, a.How, went[at:at+1], before)
	}
	r.text = append(r.text, s.whereNow(went, a.How, before)...)
	if at >= 0 && s.ran(&went[at], before) {
		r.text = append(r.text, fmt.Sprintf("detached from debug session for %s %d (%s): the endpoint has ended", went[at].Mesh, went[at].Rank, s.host(&went[at])))
		s.attachTo(debugger.Attached{})
	}
	return errors.Join(errs...)
}

// takeBack takes the pauses back that have not stopped ranks of a target yet, and says of whom.
func (s *Session) takeBack(ctx context.Context, t *Target) ([]string, error) {
	set, err := s.resolve(t)
	if err != nil {
		return nil, err
	}
	var ranks []int
	s.picture(func(p *control.Replica) {
		m, _ := p.Mesh(set.ref.Name)
		for _, rank := range set.ranks {
			if m != nil && rank < len(m.Ranks) && m.Ranks[rank].Pause != "" {
				ranks = append(ranks, rank)
			}
		}
	})
	if len(ranks) == 0 {
		return nil, nil
	}
	if err := s.c.Pause(ctx, control.PauseReq{Mesh: set.ref.Name, Ranks: ranks, Undo: true}); err != nil {
		return nil, err
	}
	s.until(ctx, showing, func(p *control.Replica) bool {
		m, ok := p.Mesh(set.ref.Name)
		return !ok || !slices.ContainsFunc(toStop(m), func(r int) bool { return slices.Contains(ranks, r) })
	})
	return []string{fmt.Sprintf("@%s[%s] %s at the next site", set.ref.Name, shape.FormatRanks(ranks), map[bool]string{true: "no longer stops", false: "no longer stop"}[len(ranks) == 1])}, nil
}

// movesOn reports whether a way to go on means to stop again.
func movesOn(how string) bool {
	switch how {
	case control.GoStep, control.GoNext, control.GoInto, control.GoFinish, control.GoFollow:
		return true
	}
	return false
}

// standing is who stood where before frames were let go.
type standing struct {
	handled map[string]uint64 // messages, by actor
	stops   map[control.StopRef]bool
}

// isNew reports whether a stop is one that came since.
func (b *standing) isNew(st *control.Stop) bool { return !b.stops[refOf(st)] }

func (s *Session) before(stops []control.Stop) *standing {
	b := &standing{handled: make(map[string]uint64, len(stops)), stops: map[control.StopRef]bool{}}
	s.picture(func(p *control.Replica) {
		for i := range stops {
			if m, ok := p.Mesh(stops[i].Mesh); ok && stops[i].Rank < len(m.Ranks) {
				b.handled[debugger.Actor(&stops[i])] = m.Ranks[stops[i].Rank].Handled
			}
		}
		for i := range p.Stops {
			b.stops[refOf(&p.Stops[i])] = true
		}
	})
	return b
}

// led reports whether a stop that came since is one that a frame which went on led to: its own, or one of its call family.
func (b *standing) led(was, st *control.Stop) bool {
	return b.isNew(st) && (st.Mesh == was.Mesh && st.Rank == was.Rank || st.Trace == was.Trace)
}

// arriving bounds how long a word that moves frames on waits for them to stop again. What a handler computes until then may
// take any time: who waits longer than this sees it in stops when it comes.
const arriving = 2 * time.Second

// arrive waits until each frame that went on has stopped again, or its actor is idle, which may be for ever.
func (s *Session) arrive(ctx context.Context, how string, went []control.Stop, before *standing) {
	s.until(ctx, arriving, func(p *control.Replica) bool {
		return !slices.ContainsFunc(went, func(st control.Stop) bool { return !arrived(p, how, &st, before) })
	})
}

// until waits until something is so in the session, it ends, or the time is over.
func (s *Session) until(ctx context.Context, limit time.Duration, done func(p *control.Replica) bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		s.mu.Lock()
		changed, over := s.changed, done(&s.pic) || s.ended != nil
		s.mu.Unlock()
		if over {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func arrived(p *control.Replica, how string, was *control.Stop, before *standing) bool {
	elsewhere := how == control.GoInto || how == control.GoFollow || how == control.GoFinish // it may be another actor that stops
	for i := range p.Stops {
		st := &p.Stops[i]
		if before.led(was, st) && (elsewhere || st.Mesh == was.Mesh && st.Rank == was.Rank) {
			return true
		}
	}
	m, ok := p.Mesh(was.Mesh)
	if !ok || m.Gone || was.Rank >= len(m.Ranks) || m.Ranks[was.Rank].Over() {
		return true
	}
	st := &m.Ranks[was.Rank]
	return !elsewhere && st.State == "idle" && st.Queue == 0 && st.Handled > before.handled[debugger.Actor(was)]
}

// ran reports whether the message of a frame that went on has been handled, and its actor is not stopped at the next.
func (s *Session) ran(was *control.Stop, before *standing) (ran bool) {
	s.picture(func(p *control.Replica) {
		if slices.ContainsFunc(p.Stops, func(st control.Stop) bool { return st.Mesh == was.Mesh && st.Rank == was.Rank }) {
			return
		}
		m, ok := p.Mesh(was.Mesh)
		ran = !ok || m.Gone || was.Rank >= len(m.Ranks) || m.Ranks[was.Rank].Over() || m.Ranks[was.Rank].Handled > before.handled[debugger.Actor(was)]
	})
	return ran
}

func (s *Session) host(st *control.Stop) (host string) {
	s.picture(func(p *control.Replica) { host = debugger.Host(p, st) })
	return host
}

// whereNow tells what became of frames that went on.
func (s *Session) whereNow(went []control.Stop, how string, before *standing) (out []string) {
	var now []control.Stop
	s.picture(func(p *control.Replica) { now = debugger.Sorted(p.Stops) })
	var on []control.Stop
	shown := map[uint64]bool{}
	for i := range went {
		was := &went[i]
		at := slices.IndexFunc(now, func(st control.Stop) bool { return before.isNew(&st) && st.Mesh == was.Mesh && st.Rank == was.Rank })
		if at < 0 {
			on = append(on, *was)
			continue
		}
		out, shown[now[at].ID] = append(out, debugger.Line(&now[at])), true
	}
	for i := range now { // what they led to, elsewhere
		led := func(was control.Stop) bool { return before.led(&was, &now[i]) }
		if movesOn(how) && !shown[now[i].ID] && slices.ContainsFunc(went, led) {
			out = append(out, debugger.Line(&now[i]))
		}
	}
	if len(on) > 0 {
		verb := " goes on"
		if len(on) > 1 {
			verb = " go on"
		}
		out = append(out, debugger.Folded(on)+verb)
	}
	return out
}

func (s *Session) pauseActors(ctx context.Context, a RanksArgs, r *result) error {
	set, err := s.resolve(a.Target)
	if err != nil {
		return err
	}
	if len(set.ranks) == 0 {
		return fmt.Errorf("pause: %s holds no ranks", a.Target)
	}
	req := control.PauseReq{Mesh: set.ref.Name}
	if !set.all() {
		req.Ranks = set.ranks
	}
	r.set = set
	if err := s.c.Pause(ctx, req); err != nil {
		still := ""
		s.picture(func(p *control.Replica) { still = stillOf(&p.Snapshot, set.ref.Name, set.ranks) })
		if still != "" {
			return fmt.Errorf("pause: @%s%s", set.ref.Name, still)
		}
		return err
	}
	s.until(ctx, showing, func(p *control.Replica) bool { return isPaused(p, set.ref.Name, set.ranks) }) // so that continue finds it
	r.text = []string{fmt.Sprintf("%s: %s at the next site, an idle one when its next message comes", set, map[bool]string{true: "it stops", false: "each stops"}[len(set.ranks) == 1])}
	return nil
}

// showing bounds how long pause waits until it is shown: an older engine says nothing of who is to stop.
const showing = 500 * time.Millisecond

// isPaused reports whether all ranks stand, are to stop, or are over.
func isPaused(p *control.Replica, mesh string, ranks []int) bool {
	m, ok := p.Mesh(mesh)
	if !ok {
		return true
	}
	stands := map[int]bool{}
	for i := range p.Stops {
		if p.Stops[i].Mesh == mesh {
			stands[p.Stops[i].Rank] = true
		}
	}
	return !slices.ContainsFunc(ranks, func(r int) bool {
		return r < len(m.Ranks) && m.Ranks[r].Pause == "" && !m.Ranks[r].Over() && !stands[r]
	})
}

// toStop are the ranks of a mesh that a pause has not stopped yet.
func toStop(m *control.Mesh) (ranks []int) {
	for i := range m.Ranks {
		if m.Ranks[i].Pause != "" {
			ranks = append(ranks, i)
		}
	}
	return ranks
}

func (s *Session) listStops(_ context.Context, _ NoArgs, r *result) error {
	s.picture(func(p *control.Replica) {
		rows := [][]string{debugger.StopHeads()}
		for _, st := range debugger.Sorted(p.Stops) {
			rows = append(rows, debugger.StopRow(&st))
		}
		if r.text = table(rows); len(rows) == 1 {
			r.text = []string{"nothing is stopped"}
		}
		for i := range p.Meshes {
			if m := &p.Meshes[i]; !m.Gone {
				if ranks := toStop(m); len(ranks) > 0 {
					r.text = append(r.text, fmt.Sprintf("@%s[%s] is to stop at the next site", m.Ref.Name, shape.FormatRanks(ranks)))
				}
			}
		}
		r.value = stopValues(p)
	})
	return nil
}

// stopValues are the stops as the name stops has them.
func stopValues(p *control.Replica) []any {
	out := []any{}
	for _, place := range debugger.Places(p.Stops) {
		out = append(out, place)
	}
	return out
}

func (s *Session) list(_ context.Context, a ListArgs, r *result) error {
	if a.Name != "" {
		if _, err := s.mesh(a.Name); err != nil {
			return err
		}
	}
	s.picture(func(p *control.Replica) {
		rows := [][]string{debugger.ListHeads()}
		at := map[string]bool{}
		for _, st := range debugger.Sorted(p.Stops) {
			if a.Name == "" || st.Mesh == a.Name {
				rows = append(rows, debugger.ListRow(p, &st))
				at[debugger.Actor(&st)] = true
			}
		}
		if a.All {
			rows = append(rows, running(p, a.Name, at)...)
		}
		if r.text = table(rows); len(rows) == 1 {
			r.text = append(r.text, "nothing is stopped")
		}
	})
	return nil
}

// running are rows for the actors that are not stopped, in the form of list.
func running(p *control.Replica, name string, at map[string]bool) (rows [][]string) {
	for i := range p.Meshes {
		m := &p.Meshes[i]
		if m.Gone || name != "" && m.Ref.Name != name {
			continue
		}
		ext := m.Ref.Home.Extent()
		for rank, st := range m.Ranks {
			as := control.Stop{Mesh: m.Ref.Name, Rank: rank, Point: ext.Point(rank), Proc: m.Ref.First + uint64(m.Ref.Home.RankAt(rank))}
			if at[debugger.Actor(&as)] {
				continue
			}
			row := debugger.ListRow(p, &as)
			row[4] = strings.Join(append([]string{st.State}, st.Running...), " ")
			rows = append(rows, row)
		}
	}
	return rows
}

// attach chooses the frame that words without a target are about.
func (s *Session) attach(_ context.Context, a AttachArgs, r *result) error {
	if a.Session != "" {
		return fmt.Errorf("attach NAME RANK chooses a stopped frame; the session %s is for the explorer: monarch-tui attach %s", a.Session, a.Session)
	}
	var st control.Stop
	var err error
	s.picture(func(p *control.Replica) {
		if st, err = debugger.Attach(p, a.Name, a.Rank); err == nil {
			r.text = []string{fmt.Sprintf("attached to debug session for %s %d (%s)", st.Mesh, st.Rank, debugger.Host(p, &st)), debugger.Line(&st)}
		}
	})
	if err != nil {
		return err
	}
	s.attachTo(debugger.To(&st))
	return nil
}

func (s *Session) detach(_ context.Context, _ NoArgs, r *result) error {
	to := s.Attached()
	if to.Mesh == "" {
		return errors.New("you are attached to no frame (attach NAME RANK)")
	}
	var host string
	s.picture(func(p *control.Replica) {
		host = "local"
		if st, err := debugger.Which(p.Stops, to); err == nil {
			host = debugger.Host(p, &st)
		}
	})
	r.text = []string{fmt.Sprintf("detached from debug session for %s %d (%s)", to.Mesh, to.Rank, host)}
	s.attachTo(debugger.Attached{})
	return nil
}

func (s *Session) policy(ctx context.Context, a PolicyArgs, r *result) error {
	d, err := s.c.Policy(ctx, control.PolicyReq{Policy: a.Policy, Grace: a.Grace})
	if err != nil {
		return err
	}
	line := map[string]string{
		control.PolicyContinue: "when the last front end has left, stopped frames go on after %v",
		control.PolicyStay:     "when the last front end has left, stopped frames stay stopped",
		control.PolicyAbort:    "when the last front end has left, the calls of stopped frames fail after %v",
	}[d.Policy]
	if strings.Contains(line, "%v") {
		line = fmt.Sprintf(line, d.Grace)
	}
	r.text, r.value = []string{d.Policy + ": " + line}, d.Policy
	return nil
}

func (s *Session) hold(ctx context.Context, a SleepArgs, _ *result) error {
	return s.c.Hold(ctx, a.For)
}
