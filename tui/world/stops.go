package world

import (
	"cmp"
	"path"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// noteStops keeps which ranks have a frame that stands at a site.
func (w *World) noteStops(u control.Update) {
	if u.Snapshot == nil && !slices.ContainsFunc(u.Events, func(ev *control.Event) bool { return ev.Stop != nil }) {
		return
	}
	w.stopped, w.stopList = nil, slices.Clone(w.Stops)
	slices.SortFunc(w.stopList, compareStops)
	for i := range w.Stops {
		if w.stopped == nil {
			w.stopped = map[string]map[int]bool{}
		}
		st := &w.Stops[i]
		if w.stopped[st.Mesh] == nil {
			w.stopped[st.Mesh] = map[int]bool{}
		}
		w.stopped[st.Mesh][st.Rank] = true
	}
}

// StoppedRanks are the ranks of a mesh with a frame that stands at a site; nil where there is none, and of a mesh that has
// ended: the stops are those of the one that has its name now.
func (w *World) StoppedRanks(m *control.Mesh) map[int]bool {
	if m.Gone {
		return nil
	}
	return w.stopped[m.Ref.Name]
}

// PausedActors is how many actors have a frame that stands at a site.
func (w *World) PausedActors() (n int) {
	for _, ranks := range w.stopped {
		n += len(ranks)
	}
	return n
}

// StopsIn are the stops of some ranks of a mesh, of all of them where ranks is empty, in the order of StopList.
func (w *World) StopsIn(mesh string, ranks []int) (out []control.Stop) {
	wanted := map[int]bool{}
	for _, rank := range ranks {
		wanted[rank] = true
	}
	for _, st := range w.stopList {
		if st.Mesh == mesh && (len(ranks) == 0 || wanted[st.Rank]) {
			out = append(out, st)
		}
	}
	return out
}

// StopAt is the stop of an actor: the one that has stood the longest, where several of its frames stand.
func (w *World) StopAt(mesh string, rank int) (control.Stop, bool) {
	if !w.stopped[mesh][rank] {
		return control.Stop{}, false
	}
	at, _ := slices.BinarySearchFunc(w.stopList, control.Stop{Mesh: mesh, Rank: rank}, compareStops)
	return w.stopList[at], true
}

// StopList are all stops by mesh, rank and id: the order in which a person walks through them. It is to be read only.
func (w *World) StopList() []control.Stop { return w.stopList }

// IsStopped reports whether a rank among some of a mesh, among all of them where ranks is empty, has a frame that stands.
func (w *World) IsStopped(mesh string, ranks []int) bool {
	if len(ranks) == 0 {
		return len(w.stopped[mesh]) > 0
	}
	return slices.ContainsFunc(ranks, func(rank int) bool { return w.stopped[mesh][rank] })
}

// ToStop reports whether everybody among some ranks of a mesh, or of all where ranks is empty, is to stop at the next site.
func (w *World) ToStop(mesh string, ranks []int) bool {
	m, ok := w.Mesh(mesh)
	if !ok || len(m.Ranks) == 0 {
		return false
	}
	if len(ranks) == 0 {
		return !slices.ContainsFunc(m.Ranks, func(r control.RankState) bool { return r.Pause == "" })
	}
	return !slices.ContainsFunc(ranks, func(r int) bool { return r >= len(m.Ranks) || m.Ranks[r].Pause == "" })
}

func compareStops(a, b control.Stop) int {
	return cmp.Or(cmp.Compare(a.Mesh, b.Mesh), cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.ID, b.ID))
}

// NextStop is the stop after one place, or before it where back is true, around the end. The place is an actor, and the
// stop of it that is looked at; 0 for the first. ok is false where nobody is stopped.
func (w *World) NextStop(mesh string, rank int, id uint64, back bool) (st control.Stop, ok bool) {
	list := w.StopList()
	if len(list) == 0 {
		return control.Stop{}, false
	}
	at, here := slices.BinarySearchFunc(list, control.Stop{Mesh: mesh, Rank: rank, ID: id}, compareStops)
	switch {
	case back:
		at--
	case here:
		at++
	}
	return list[(at+len(list))%len(list)], true
}

// SiteText is the site of a stop in plain words, with what stands there: before Pong({n: 3}).
func SiteText(st *control.Stop) string {
	with := func(text, value string) string {
		if value == "" {
			return text
		}
		return text + " " + value
	}
	switch st.Site {
	case control.SiteSend:
		return sends(st)
	case control.SiteResult:
		return with("in "+st.Endpoint+", with an answer of", Name(st.Target))
	case control.SiteReply:
		return with("after "+st.Endpoint+", which returns", st.Value)
	case control.SiteError:
		return with("after "+st.Endpoint+", which fails:", st.Value)
	case control.SitePanic:
		return with("in "+st.Endpoint+", which panics:", st.Value)
	case control.SiteBreak:
		if st.Func == "" {
			return "in " + st.Endpoint + ", at engine.Break"
		}
		return "in " + st.Endpoint + ", at engine.Break of " + path.Base(st.Func)
	}
	return "before " + st.Endpoint + "(" + st.Arg + ")"
}

func sends(st *control.Stop) string {
	if st.Target == "" {
		return "in " + st.Endpoint + " before it sends"
	}
	return "in " + st.Endpoint + " before it sends to " + Name(st.Target)
}
