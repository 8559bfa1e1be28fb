package debugger

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// Actor is the actor that a stop is of, as commands name it: @toy[1].
func Actor(st *control.Stop) string { return fmt.Sprintf("@%s[%d]", st.Mesh, st.Rank) }

// Place is the actor of a stop and its endpoint: @toy[1].HelloWorld.
func Place(st *control.Stop) string {
	if st.Endpoint == "" {
		return Actor(st)
	}
	return Actor(st) + "." + st.Endpoint
}

// Sorted are stops by mesh, rank and number (INV-ORDER).
func Sorted(stops []control.Stop) []control.Stop {
	out := slices.Clone(stops)
	slices.SortFunc(out, func(a, b control.Stop) int {
		return cmp.Or(cmp.Compare(a.Mesh, b.Mesh), cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Places are the places of stops, sorted: what the name stops is in expectations.
func Places(stops []control.Stop) []string {
	out := make([]string, 0, len(stops))
	for _, st := range Sorted(stops) {
		out = append(out, Place(&st))
	}
	return out
}

// Folded are the places of stops in one text, the ranks of a mesh folded: @toy[0-3,7].HelloWorld, @ring[2].Pass.
func Folded(stops []control.Stop) string {
	type place struct{ mesh, endpoint string }
	ranks := map[place][]int{}
	var order []place
	for _, st := range Sorted(stops) {
		p := place{st.Mesh, st.Endpoint}
		if ranks[p] == nil {
			order = append(order, p)
		}
		ranks[p] = append(ranks[p], st.Rank)
	}
	var out []string
	for i, p := range order {
		if i == 8 {
			out = append(out, fmt.Sprintf("and %d more", len(order)-i))
			break
		}
		text := "@" + p.mesh + "[" + shape.FormatRanks(slices.Compact(ranks[p])) + "]"
		if p.endpoint != "" {
			text += "." + p.endpoint
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// errNothing is that of a command about a stopped frame where there is none.
var errNothing = errors.New("nothing is stopped: break @MESH.Endpoint stops who receives it next, pause @MESH[sel] who runs")

// Attached is the actor whose stopped frame words without a target are about. The zero value is none.
type Attached struct {
	Mesh string
	Rank int
	Stop uint64 // of several frames of the actor this one
}

// String is the actor: @toy[1].
func (a Attached) String() string { return fmt.Sprintf("@%s[%d]", a.Mesh, a.Rank) }

// To is who is attached to a stop.
func To(st *control.Stop) Attached { return Attached{Mesh: st.Mesh, Rank: st.Rank, Stop: st.ID} }

// Which is the stop that a command without a target is about: that of the actor somebody is attached to, or else the only
// one (INV-ONE).
func Which(stops []control.Stop, a Attached) (control.Stop, error) {
	if a.Mesh != "" {
		of, _, err := Among(stops, a.Mesh, []int{a.Rank})
		if err != nil {
			return control.Stop{}, fmt.Errorf("you are attached to it, and %w (detach leaves it)", err)
		}
		if i := slices.IndexFunc(of, func(st control.Stop) bool { return st.ID == a.Stop }); i >= 0 {
			return of[i], nil
		}
		return of[0], nil
	}
	switch len(stops) {
	case 0:
		return control.Stop{}, errNothing
	case 1:
		return stops[0], nil
	}
	return control.Stop{}, fmt.Errorf("%d frames are stopped: say which, with attach NAME RANK or a target (%s)", len(stops), Folded(stops))
}

// Numbered is the stop with a number.
func Numbered(stops []control.Stop, id uint64) (control.Stop, error) {
	if i := slices.IndexFunc(stops, func(st control.Stop) bool { return st.ID == id }); i >= 0 {
		return stops[i], nil
	}
	if len(stops) == 0 {
		return control.Stop{}, fmt.Errorf("there is no stop %d: nothing is stopped", id)
	}
	ids := make([]string, 0, len(stops))
	for _, st := range Sorted(stops) {
		if len(ids) == 8 {
			ids = append(ids, "…")
			break
		}
		ids = append(ids, fmt.Sprintf("%d %s", st.ID, Place(&st)))
	}
	return control.Stop{}, fmt.Errorf("there is no stop %d: there are %s", id, strings.Join(ids, ", "))
}

// Among are the stops of some ranks of a mesh, and the ranks of them where nobody is stopped. Where none of them is, that is
// an error that says who is (INV-TOLD).
func Among(stops []control.Stop, mesh string, ranks []int) (here []control.Stop, absent []int, err error) {
	var of []control.Stop
	for _, st := range Sorted(stops) {
		if st.Mesh == mesh {
			of = append(of, st)
		}
	}
	for _, r := range ranks {
		found := false
		for _, st := range of {
			if st.Rank == r {
				here, found = append(here, st), true
			}
		}
		if !found {
			absent = append(absent, r)
		}
	}
	if len(here) > 0 {
		return here, absent, nil
	}
	name := "@" + mesh + "[" + shape.FormatRanks(ranks) + "]"
	if len(of) == 0 {
		return nil, absent, fmt.Errorf("%s is not stopped, nobody of @%s is: pause %s stops it at its next site", name, mesh, name)
	}
	return nil, absent, fmt.Errorf("%s is not stopped; of @%s are %s", name, mesh, Folded(of))
}

// Attach is the stop of an actor by its name and rank, in the words of Monarch's debugger where there is none. Of several
// frames of one actor it is the first that stopped.
func Attach(p *control.Replica, name string, rank int) (control.Stop, error) {
	var of []control.Stop
	for _, st := range Sorted(p.Stops) {
		if st.Mesh != name {
			continue
		}
		if st.Rank == rank {
			return st, nil
		}
		of = append(of, st)
	}
	if len(of) > 0 {
		return control.Stop{}, fmt.Errorf("no debug session for rank %d for actor %s: stopped are %s", rank, name, Folded(of))
	}
	m, ok := p.Mesh(name)
	switch {
	case !ok || m.Gone:
		var have []string
		for i := range p.Meshes {
			if !p.Meshes[i].Gone {
				have = append(have, p.Meshes[i].Ref.Name)
			}
		}
		slices.Sort(have)
		return control.Stop{}, fmt.Errorf("no debug sessions for actor %s: there is no mesh @%s%s", name, name, schema.Suggest(name, have))
	case rank >= len(m.Ranks):
		return control.Stop{}, fmt.Errorf("no debug session for rank %d for actor %s: it has the ranks 0-%d", rank, name, len(m.Ranks)-1)
	}
	return control.Stop{}, fmt.Errorf("no debug sessions for actor %s: it is not stopped (pause @%s[%d] stops it at its next site)", name, name, rank)
}

// Holds says which stops hold somebody up, for the errors of who waits: held by stop 2 (breakpoint 1 at @toy[1].HelloWorld),
// or of several that stopped for one reason: held by 4 stops (breakpoint 1 at @toy[0-3].HelloWorld). It is "" for none.
func Holds(stops []control.Stop) string {
	const most = 3
	byWhy := map[string][]control.Stop{}
	var order []string
	for _, st := range Sorted(stops) {
		why := cmp.Or(st.Reason, st.Site)
		if st.Break != 0 {
			why = fmt.Sprintf("breakpoint %d", st.Break)
		}
		if byWhy[why] == nil {
			order = append(order, why)
		}
		byWhy[why] = append(byWhy[why], st)
	}
	var out []string
	for i, why := range order {
		if i == most {
			out = append(out, fmt.Sprintf("and %d more", len(order)-i))
			break
		}
		of := byWhy[why]
		which := fmt.Sprintf("stop %d", of[0].ID)
		if len(of) > 1 {
			which = fmt.Sprintf("%d stops", len(of))
		}
		out = append(out, fmt.Sprintf("held by %s (%s at %s)", which, why, Folded(of)))
	}
	return strings.Join(out, ", ")
}

// Acting counts the other clients that could let a stopped frame go on.
func Acting(clients []control.ClientInfo, me uint64) (n int) {
	for _, c := range clients {
		if c.ID != me && c.Role != control.RoleViewer {
			n++
		}
	}
	return n
}
