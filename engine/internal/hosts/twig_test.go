//go:build linux

package hosts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

// Twig is the actor of the swarm behind agents. It counts what each sender has sent.
type Twig struct{ Seen map[string]tally }

// tally is what has come of a sender.
type tally struct {
	Last int // number of its newest message
	Must int // messages that must come
	Bad  string
}

// TwigArg is the N-th message of a sender. One that is not Must may have been given up by its caller.
type TwigArg struct {
	From string
	N    int
	Must bool
	Rest time.Duration // what it takes
	Pad  []byte
}

// TwigGot says what had come by then.
type TwigGot struct {
	N, Must, Life int
	Bad           string
	Pad           []byte
}

// Take takes a message, and remembers one that came twice or too late.
func (w *Twig) Take(ctx context.Context, a TwigArg) (TwigGot, error) {
	if w.Seen == nil {
		w.Seen = map[string]tally{}
	}
	s := w.Seen[a.From]
	if a.N <= s.Last && s.Bad == "" {
		s.Bad = fmt.Sprintf("message %d came after %d", a.N, s.Last)
	}
	s.Last = a.N
	if a.Must {
		s.Must++
	}
	w.Seen[a.From] = s
	if a.Rest > 0 {
		select {
		case <-ctx.Done():
			if !a.Must {
				return TwigGot{}, ctx.Err()
			}
		case <-time.After(a.Rest): // the work that it has
		}
	}
	return TwigGot{a.N, s.Must, engine.Life(ctx), s.Bad, a.Pad}, nil
}

// Pids are its process and its agent.
func (*Twig) Pids(context.Context) ([2]int, error) { return [2]int{os.Getpid(), os.Getppid()}, nil }

// Snapshot is what it has seen.
func (w *Twig) Snapshot() ([]byte, error) { return json.Marshal(w.Seen) }

// Restore goes on from there.
func (w *Twig) Restore(b []byte) error { return json.Unmarshal(b, &w.Seen) }

// hangTime is how long a message may take at most, whatever happens: links are lost after 10.5 s.
const hangTime = 40 * time.Second

// sender sends messages of all kinds, and knows what must have come.
type sender struct {
	*treeSwarm
	name  string
	rnd   *rand.Rand
	mesh  engine.Mesh[Twig]
	n     int
	must  [treeRanks]int // sent
	base  [treeRanks]int // what a rank counts beside them
	life  [treeRanks]int
	known [treeRanks]bool // base and life are
	stale bool            // a rank has failed
}

// took takes the outcome of a rank.
type took func(rank int, got TwigGot, err error)

// sent is a message on its way.
type sent struct {
	kind  string
	n     int
	must  bool
	to    []int
	want  [treeRanks]int
	pad   []byte
	reply func(took) // gives the outcomes
}

// sub is the mesh, or a part of it, and the ranks of that.
func (s *sender) sub() (engine.Mesh[Twig], []int) {
	all := s.all()
	switch k := s.rnd.IntN(6); k {
	case 0, 1:
		return s.mesh.Slice(engine.At("hosts", k)), all[k*treeRanks/2 : (k+1)*treeRanks/2]
	case 2:
		r := s.rnd.IntN(treeRanks)
		return s.mesh.Slice(engine.At("hosts", r/(treeRanks/2)), engine.At("gpus", r%(treeRanks/2))), all[r : r+1]
	}
	return s.mesh, all
}

// resolve has the sender call the lives that ranks have begun.
func (s *sender) resolve() {
	limit, cancel := context.WithTimeout(s.ctx, hangTime)
	defer cancel()
	now, err := s.mesh.Resolve(limit)
	if err != nil {
		s.complain("%s: resolve: %v", s.name, err)
		return
	}
	s.mesh, s.stale = now, false
}

// last calls all ranks, of which those live that nobody has killed for good.
func (s *sender) last() {
	s.resolve()
	limit, cancel := context.WithTimeout(s.ctx, hangTime)
	defer cancel()
	s.n++
	for r := range s.must {
		s.must[r]++
	}
	m := sent{kind: "the last call", n: s.n, must: true, to: s.all(), want: s.must}
	vm, err := engine.Method(s.mesh, (*Twig).Take).Call(limit, TwigArg{From: s.name, N: m.n, Must: true})
	m.reply = func(do took) { s.outcomes(m, vm, err, do) }
	s.judge(m)
	if n := failures(vm); n > treeRanks/2 || n > 0 && !s.cut.Load() {
		s.complain("%s: in the end %d ranks do not answer: %v", s.name, n, err)
	}
}

func (*sender) all() []int { return []int{0, 1, 2, 3, 4, 5, 6, 7} }

// batch sends some messages, then looks what became of them.
func (s *sender) batch() {
	if s.stale {
		s.resolve()
	}
	limit, cancel := context.WithTimeout(s.ctx, hangTime)
	defer cancel()
	var out []sent
	for range 1 + s.rnd.IntN(6) {
		out = append(out, s.send(limit))
	}
	for _, m := range out {
		s.judge(m)
	}
}

// send sends a message.
func (s *sender) send(ctx context.Context) sent {
	mesh, to := s.sub()
	s.n++
	kind := s.rnd.IntN(8)
	m := sent{n: s.n, must: kind > 1, to: to}
	arg := TwigArg{From: s.name, N: m.n, Must: m.must}
	if s.rnd.IntN(4) == 0 {
		arg.Rest = time.Duration(s.rnd.IntN(2000)) * time.Microsecond
	}
	if s.rnd.IntN(12) == 0 {
		m.pad = make([]byte, []int{1 << 10, 20 << 10, 100 << 10}[s.rnd.IntN(3)])
		m.pad[0] = byte(m.n)
		arg.Pad = m.pad
	}
	if m.must {
		for _, r := range to {
			s.must[r]++
		}
	}
	m.want = s.must
	take := engine.Method(mesh, (*Twig).Take)
	switch kind {
	case 0, 1:
		s.giveUp(ctx, take, arg, &m, kind == 1)
	case 2, 3:
		m.kind = "a broadcast"
		err := take.Broadcast(ctx, arg)
		m.to = nil // nobody answers
		m.reply = func(took) {
			s.outcomes(m, engine.ValueMesh[TwigGot]{}, err, func(rank int, _ TwigGot, err error) { s.failed(m, rank, err) })
		}
	case 4:
		m.kind = "a stream"
		var outcomes []func(took) // what was sent before is judged before
		for r, err := range take.Stream(ctx, arg) {
			outcomes = append(outcomes, func(do took) { each(r, err, do) })
		}
		m.reply = func(do took) {
			for _, o := range outcomes {
				o(do)
			}
		}
	case 5:
		m.kind = "a call"
		vm, err := take.Call(ctx, arg)
		m.reply = func(do took) { s.outcomes(m, vm, err, do) }
	default:
		m.kind = "a call that is waited for later"
		f := take.Start(ctx, arg)
		m.reply = func(do took) {
			for r, err := range f.Each(s.ctx) {
				each(r, err, do)
			}
		}
	}
	return m
}

// giveUp sends a message whose caller gives up before or after the answers, or while they come.
func (s *sender) giveUp(ctx context.Context, to engine.BoundMethod[TwigArg, TwigGot], arg TwigArg, m *sent, byTime bool) {
	m.kind = "a call that is cancelled"
	d, after := hangTime, time.Duration(s.rnd.IntN(2000)-500)*time.Microsecond
	if byTime {
		m.kind, d, after = "a call with little time", time.Duration(s.rnd.IntN(3000))*time.Microsecond, hangTime
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	f := to.Start(ctx, arg)
	if after < 0 {
		cancel()
	}
	m.reply = func(do took) {
		late := time.AfterFunc(after, cancel)
		defer cancel()
		defer late.Stop()
		for r, err := range f.Each(s.ctx) {
			each(r, err, do)
		}
	}
}

// each gives the outcome of a rank.
func each(r engine.Reply[TwigGot], err error, take took) {
	if rank, ok := errors.AsType[*engine.RankError](err); ok {
		r.Rank = rank.Rank
	} else if err != nil {
		r.Rank = -1
	}
	take(r.Rank, r.Value, err)
}

// outcomes gives those of a ValueMesh.
func (s *sender) outcomes(m sent, vm engine.ValueMesh[TwigGot], err error, take took) {
	for p, v := range vm.Items() {
		take(m.to[p.Rank], v, nil)
	}
	if failed, ok := errors.AsType[*engine.MeshError](err); ok {
		for _, e := range failed.Failed {
			take(e.Rank, TwigGot{}, e)
		}
	} else if err != nil {
		s.complain("%s: a call: %v", s.name, err)
	}
}

// judge looks whether each rank has had one outcome, and a right one.
func (s *sender) judge(m sent) {
	var had []int
	m.reply(func(rank int, got TwigGot, err error) {
		had = append(had, rank)
		switch {
		case rank < 0:
			s.complain("%s: message %d, %s, ended with %v", s.name, m.n, m.kind, err)
		case err != nil:
			s.failed(m, rank, err)
		default:
			s.answered(m, rank, got)
		}
	})
	if slices.Sort(had); !slices.Equal(had, m.to) {
		s.complain("%s: message %d, %s, to ranks %v has outcomes of %v", s.name, m.n, m.kind, m.to, had)
	}
}

// failed judges the error of a rank.
func (s *sender) failed(m sent, rank int, err error) {
	is := func(of ...error) bool {
		return slices.ContainsFunc(of, func(e error) bool { return errors.Is(err, e) })
	}
	switch {
	case !m.must && is(engine.ErrCancelled, engine.ErrDeadline, context.Canceled, context.DeadlineExceeded):
		s.counts[swarmGivenUp].Add(1)
	case s.mortal(rank) && is(engine.ErrLost, engine.ErrNotSent, engine.ErrStale, engine.ErrStopped):
		s.counts[swarmLost].Add(1)
		s.known[rank], s.stale = false, true
	default:
		s.complain("%s: message %d, %s, ended at rank %d with %v", s.name, m.n, m.kind, rank, err)
	}
}

// answered judges the answer of a rank: nothing before it was lost, none came twice or late.
func (s *sender) answered(m sent, rank int, got TwigGot) {
	s.counts[swarmAnswered].Add(1)
	if got.N != m.n || got.Bad != "" || !slices.Equal(got.Pad, m.pad) {
		s.complain("%s: to message %d, %s, rank %d answers to %d: %s", s.name, m.n, m.kind, rank, got.N, got.Bad)
	}
	switch {
	case s.known[rank] && got.Life < s.life[rank] || got.Life > 0 && !swarmMortal[rank]:
		s.complain("%s: rank %d is in life %d after %d", s.name, rank, got.Life, s.life[rank])
	case !s.known[rank] || got.Life > s.life[rank]: // what of the messages before came there nobody knows
		if s.base[rank] = got.Must - m.want[rank]; !swarmMortal[rank] && s.base[rank] != 0 {
			s.complain("%s: rank %d has had %d messages that must come, of %d", s.name, rank, got.Must, m.want[rank])
		}
		s.known[rank], s.life[rank] = true, got.Life
	case got.Must != s.base[rank]+m.want[rank]:
		s.complain("%s: at message %d, %s, rank %d has had %d messages that must come, of %d", s.name, m.n, m.kind, rank, got.Must-s.base[rank], m.want[rank])
	}
}
