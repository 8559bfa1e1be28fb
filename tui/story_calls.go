package tui

import (
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// maxWatched bounds the calls that a task remembers.
const maxWatched = 1000

// callWatch gathers the calls that the session's messages tell of, from one message on.
type callWatch struct {
	at   int // number of the next message
	list []*watchedCall
	byID map[uint64]*watchedCall
}

// watchedCall is a call as its messages tell of it.
type watchedCall struct {
	from, mesh, endpoint string
	adverb               control.Adverb
	ranks                []int // that were called so far
	want                 int   // how many there are
	good, bad            int   // answers
	body                 []byte
	cut                  bool // body is not all of it
}

func newCallWatch(at int) *callWatch { return &callWatch{at: at, byID: map[uint64]*watchedCall{}} }

// read takes the messages that have come.
func (c *callWatch) read(w *world.World) {
	ring := &w.Messages
	for c.at = max(c.at, ring.First()); c.at < ring.Total(); c.at++ {
		x := ring.At(c.at)
		call := c.byID[x.Call]
		switch {
		case x.Kind == control.MessageCall:
			mesh, rank, ok := actorOf(x.To)
			if !ok {
				continue
			}
			if call == nil {
				if len(c.list) >= maxWatched {
					continue
				}
				call = &watchedCall{from: x.From, mesh: mesh, endpoint: x.Endpoint, adverb: x.Adverb, want: x.Ranks, body: x.Body, cut: x.Cut}
				c.byID[x.Call], c.list = call, append(c.list, call)
			}
			call.ranks = append(call.ranks, rank)
		case call == nil:
		case x.Outcome == control.OutcomeReply:
			call.good++
		default:
			call.bad++
		}
	}
}

// actorOf reads "@mesh[rank]".
func actorOf(who string) (mesh string, rank int, ok bool) {
	name, rest, ok := strings.Cut(strings.TrimPrefix(who, "@"), "[")
	rank, err := strconv.Atoi(strings.TrimSuffix(rest, "]"))
	return name, rank, ok && err == nil && strings.HasPrefix(who, "@")
}

// by reports whether somebody made the call: an actor of a mesh, or, without one, a person.
func (c *watchedCall) by(mesh string) bool {
	from, _, isActor := actorOf(c.from)
	if mesh != "" {
		return isActor && from == mesh
	}
	return !isActor && c.from != "main" && !strings.Contains(c.from, "[") // main is the demo; procs[0] is code of a worker
}

// answered reports whether all went well.
func (c *watchedCall) answered() bool {
	return len(c.ranks) == c.want && c.bad == 0 && (c.good == c.want || c.adverb == control.AdverbBroadcast)
}

// covers reports whether calls have reached all ranks that a command would call, and no others. Several calls together
// will do, for a person may call one rank after the other.
func (c *callWatch) covers(w *world.World, mesh *control.Mesh, a script.CallArgs, caller string) bool {
	want, err := mesh.Ref.Ranks(a.Target.Choice)
	if err != nil {
		return false
	}
	reached := map[int]bool{}
	for _, call := range c.list {
		one := a.Adverb == control.AdverbCallOne && call.adverb != a.Adverb
		if one || call.mesh != mesh.Ref.Name || call.endpoint != a.Target.Endpoint || !call.by(caller) || !call.answered() || !sameHandle(w, mesh, a, call) {
			continue
		}
		if slices.ContainsFunc(call.ranks, func(r int) bool { return !slices.Contains(want, r) }) {
			continue
		}
		for _, r := range call.ranks {
			reached[r] = true
		}
	}
	return len(reached) == len(want)
}

// sameHandle reports whether a call brought the handle that a command would bring. Any other argument is the person's
// own to choose.
func sameHandle(w *world.World, mesh *control.Mesh, a script.CallArgs, call *watchedCall) bool {
	if call.cut || !strings.HasPrefix(a.Literal.Text, "@") {
		return true
	}
	t, ok := w.Type(mesh.Ref.Type)
	if !ok {
		return true
	}
	for _, ep := range t.Endpoints {
		if ep.Name == a.Target.Endpoint && ep.Arg != nil {
			return schema.Format(w.Named, ep.Arg, call.body) == a.Literal.Text
		}
	}
	return true
}
