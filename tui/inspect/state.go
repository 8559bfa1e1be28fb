package inspect

import (
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Ask is a question about the state of an actor: what control.StateReq wants to know.
type Ask struct {
	Mesh  uint64 // id
	Rank  int
	Path  string // "" for all of it
	Start int    // first child
}

// node is a value of an actor's state, with the parts of it that are known.
type node struct {
	control.StateNode
	kids    []*node
	have    int    // kids that are as new as the rest
	want    int    // kids that a person wants to see; 0: the first page
	old     string // text before the last change; "" without one
	changed bool   // it or something in it has changed
	error   string // why its parts could not be read
	root    bool   // of an argument, or a result: its parts are shown until they are closed
}

// snapshot is the state of one actor as far as it is known.
type snapshot struct {
	mesh    uint64
	rank    int
	root    *node
	byPath  map[string]*node
	read    time.Time // when root was read; zero: never
	handled uint64    // messages that the actor had handled when it was asked
	asked   uint64    // the same, of the question that is under way
	tried   time.Time
	error   string            // why it could not be read the last time
	busy    bool              // the actor had no time for it: it was busy with a message
	again   bool              // a person asked for it
	raw     control.StateNode // root as it came
	stop    control.StopRef   // at which root was read; zero: the actor was not stopped
	asking  control.StopRef   // the same, of the question that is under way
	atStop  *node             // root as it was read at a stop, the last time
	before  *node             // and at the stop before that: what has changed is told since then
}

// Times between two questions: an actor that is busy with messages changes all the time, and one that could not be read
// may be readable soon.
const (
	readAgain = 500 * time.Millisecond
	tryAgain  = 2 * time.Second
)

// maxSnapshots bounds how many actors' states are kept.
const maxSnapshots = 8

// snap is the snapshot of the actor that is shown, made where there is none.
func (p *Pane) snap() *snapshot {
	for i, s := range p.snaps {
		if s.mesh == p.thing.id && s.rank == p.thing.rank {
			copy(p.snaps[1:i+1], p.snaps[:i])
			p.snaps[0] = s
			return s
		}
	}
	s := &snapshot{mesh: p.thing.id, rank: p.thing.rank, byPath: map[string]*node{}}
	p.snaps = append([]*snapshot{s}, p.snaps[:min(len(p.snaps), maxSnapshots-1)]...)
	return s
}

// Want is the next question about the actor that is shown, if there is one to ask now: its state where that is not known
// or may have changed, else a part of it that was opened. The answer goes to SetState; it may be asked again until then.
func (p *Pane) Want(w *world.World) (Ask, bool) {
	if p.thing.kind != actor || p.tab() != tabState {
		return Ask{}, false
	}
	m, r := p.rankOf(w)
	if m == nil || m.Gone {
		return Ask{}, false
	}
	if r.State == "gone" || r.State == "stopped" || r.State == "starting" {
		return Ask{}, false
	}
	s := p.snap()
	since := w.Now.Sub(s.tried)
	p.syncStop(w)
	ref := control.StopRef{ID: p.stop.ID, Gen: p.stop.Gen}
	stale := s.read.IsZero() || s.error != "" || r.Handled != s.handled
	fresh := p.stop.ID != 0 && ref != s.stop && s.asking != ref // it has come to a stop since
	patience := readAgain
	if s.error != "" {
		patience = tryAgain
	}
	if s.again || fresh || s.tried.IsZero() || stale && (since >= patience || since < 0) {
		s.asked, s.asking = r.Handled, ref
		return Ask{Mesh: s.mesh, Rank: s.rank}, true
	}
	if n := p.missing(s.root); n != nil && s.error == "" {
		return Ask{Mesh: s.mesh, Rank: s.rank, Path: n.Path, Start: n.have}, true
	}
	return Ask{}, false
}

// Refresh asks for the state again, also where nothing seems to have changed.
func (p *Pane) Refresh() {
	if p.thing.kind == actor {
		p.snap().again = true
	}
}

// missing finds a value that is open and of which parts are not known, or are older than the rest.
func (p *Pane) missing(n *node) *node {
	if n == nil || !p.isOpen(n) {
		return nil
	}
	if n.error == "" && n.have < n.Len && n.have < max(n.want, 1) {
		return n
	}
	for _, kid := range n.kids {
		if found := p.missing(kid); found != nil {
			return found
		}
	}
	return nil
}

// SetState takes the answer to a question of Want: what control.Client.State returned.
func (p *Pane) SetState(w *world.World, ask Ask, nodes []control.StateNode, err error) {
	p.version++
	var s *snapshot
	for _, have := range p.snaps {
		if have.mesh == ask.Mesh && have.rank == ask.Rank {
			s = have
		}
	}
	if s == nil {
		return // it is shown no more
	}
	reason := ""
	switch {
	case err != nil:
		reason = err.Error()
	case len(nodes) == 0:
		reason = "the session sent no answer"
	case nodes[0].Error != "":
		reason = nodes[0].Error
	}
	if ask.Path != "" || ask.Start > 0 {
		s.part(ask, nodes, reason)
		return
	}
	_, r := rankOf(w, ask.Mesh, ask.Rank)
	s.tried, s.again, s.error = w.Now, false, reason
	s.busy = err == nil && len(nodes) > 0 && nodes[0].Error != "" && inMessage(r)
	if reason != "" {
		return
	}
	s.read, s.handled, s.raw = w.Now, s.asked, nodes[0]
	base := s.root
	if s.asking.ID != 0 {
		if s.asking != s.stop {
			s.before = s.atStop
		}
		if s.before != nil {
			base = s.before
		}
	}
	s.root, s.stop = merge(base, nodes[0]), s.asking
	if s.stop.ID != 0 {
		s.atStop = s.root
	}
	s.index()
}

// inMessage reports whether an actor handles a message now: its state is read between two.
func inMessage(r *control.RankState) bool {
	return r != nil && r.State == "busy" && len(r.Running) > 0
}

// part takes a part of the state.
func (s *snapshot) part(ask Ask, nodes []control.StateNode, reason string) {
	n := s.byPath[ask.Path]
	switch {
	case n == nil:
		return
	case reason != "":
		n.error = reason
		return
	case len(nodes[0].Nodes) == 0: // it has become shorter
		n.Len, n.have = ask.Start, ask.Start
		n.kids = n.kids[:min(len(n.kids), ask.Start)]
		return
	case ask.Start > len(n.kids):
		return
	}
	n.Len = nodes[0].Len
	for i, kid := range nodes[0].Nodes {
		at := ask.Start + i
		if at < len(n.kids) {
			n.kids[at] = merge(n.kids[at], kid)
		} else {
			n.kids = append(n.kids, merge(nil, kid))
		}
		n.changed = n.changed || n.kids[at].changed
	}
	n.have = ask.Start + len(nodes[0].Nodes)
	n.kids = n.kids[:min(len(n.kids), max(n.have, n.Len))]
	s.index()
}

// merge is the new value, with what of the old one is not in it and with what has changed. Of parts that were not sent
// the old ones stay until they are asked for.
func merge(old *node, now control.StateNode) *node {
	n := &node{StateNode: now, have: len(now.Nodes)}
	n.Nodes = nil
	if old == nil {
		for _, kid := range now.Nodes {
			n.kids = append(n.kids, merge(nil, kid))
		}
		return n
	}
	n.want = old.want
	if now.Text != old.Text && len(now.Nodes) == 0 && len(old.kids) == 0 || now.Kind != old.Kind {
		n.old, n.changed = old.Text, true
	}
	byName := map[string]*node{}
	for _, kid := range old.kids {
		byName[kid.Name] = kid
	}
	for _, kid := range now.Nodes {
		merged := merge(byName[kid.Name], kid)
		if byName[kid.Name] == nil {
			merged.changed = true
		}
		n.changed = n.changed || merged.changed
		n.kids = append(n.kids, merged)
	}
	n.changed = n.changed || now.Len != old.Len
	if n.have < now.Len && now.Kind == old.Kind {
		for _, kid := range old.kids[min(n.have, len(old.kids)):min(len(old.kids), now.Len)] {
			kid.settle()
			n.kids = append(n.kids, kid)
		}
	}
	return n
}

// settle forgets what has changed.
func (n *node) settle() {
	n.changed, n.old, n.have = false, "", 0
	for _, kid := range n.kids {
		kid.settle()
	}
}

func (s *snapshot) index() {
	clear(s.byPath)
	var add func(n *node)
	add = func(n *node) {
		if n != s.root || n.Path == "" {
			s.byPath[n.Path] = n
		}
		for _, kid := range n.kids {
			add(kid)
		}
	}
	if s.root != nil {
		add(s.root)
	}
}
