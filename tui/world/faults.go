package world

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// Mark is what is known of an actor besides the records of it and of its process.
type Mark struct {
	Stopped bool // a frame of it stands at a site
	Faulty  bool // a fault that was injected acts on it, or on its process
}

// Marks are those of the ranks of a mesh.
type Marks struct {
	stopped, faulty map[int]bool
	procs           map[uint64]bool
}

// MarksOf are the marks of the ranks of a mesh.
func (w *World) MarksOf(m *control.Mesh) Marks {
	k := Marks{stopped: w.StoppedRanks(m), procs: w.faultyProcs}
	if !m.Gone {
		k.faulty = w.faultyRanks[m.Ref.ID]
	}
	return k
}

// At is the mark of a rank, whose process is nil when it is not known.
func (k *Marks) At(rank int, p *control.Proc) Mark {
	return Mark{Stopped: k.stopped[rank], Faulty: k.faulty[rank] || p != nil && k.procs[p.ID]}
}

// ProcWord is the state of a process in the screens' vocabulary, with the faults that act on it.
func (w *World) ProcWord(p *control.Proc) string {
	word := ProcWord(p)
	if word == "idle" && w.faultyProcs[p.ID] {
		return "fault"
	}
	return word
}

// noteFaults keeps whom the faults that act are on.
func (w *World) noteFaults(u control.Update) {
	if u.Snapshot == nil && !slices.ContainsFunc(u.Events, func(ev *control.Event) bool { return ev.Fault != nil }) {
		return
	}
	w.faultList = slices.Clone(w.Faults)
	slices.SortFunc(w.faultList, func(a, b control.Fault) int { return cmp.Compare(a.ID, b.ID) })
	w.faultyProcs, w.faultyRanks = nil, nil
	for i := range w.faultList {
		f := &w.faultList[i]
		if f.OnMessages() {
			if w.faultyRanks == nil {
				w.faultyRanks = map[uint64]map[int]bool{}
			}
			if w.faultyRanks[f.Of] == nil {
				w.faultyRanks[f.Of] = map[int]bool{}
			}
			for _, rank := range f.Ranks {
				w.faultyRanks[f.Of][rank] = true
			}
			continue
		}
		if w.faultyProcs == nil {
			w.faultyProcs = map[uint64]bool{}
		}
		for _, proc := range w.faultProcs(f) {
			w.faultyProcs[proc] = true
		}
	}
}

// faultProcs are the processes at both ends of a fault on links.
func (w *World) faultProcs(f *control.Fault) (procs []uint64) {
	add := func(mesh uint64, ranks []int) {
		for i := range w.ProcMeshes {
			for _, rank := range ranks {
				if w.ProcMeshes[i].ID == mesh {
					procs = append(procs, w.ProcMeshes[i].FirstProc+uint64(rank))
				}
			}
		}
	}
	add(f.Of, f.Ranks)
	if f.To != "" {
		add(f.ToOf, f.ToRanks)
	}
	return procs
}

// FaultList are the faults that act, by number. It is to be read only.
func (w *World) FaultList() []control.Fault { return w.faultList }

// FaultsOn are the faults on a rank of an actor mesh and on its process; either may be 0 for none.
func (w *World) FaultsOn(mesh uint64, rank int, proc uint64) (out []*control.Fault) {
	for i := range w.faultList {
		f := &w.faultList[i]
		if f.OnMessages() && f.Of == mesh && slices.Contains(f.Ranks, rank) || !f.OnMessages() && proc != 0 && slices.Contains(w.faultProcs(f), proc) {
			out = append(out, f)
		}
	}
	return out
}

// FaultText is a fault in few words, without whom it is on: delay 50ms.
func FaultText(f *control.Fault) string {
	text := f.Kind
	if m := f.Measure(); m != "" {
		text += " " + m
	}
	if f.Way != "" {
		text += " " + f.Way
	}
	return text
}

// FaultsText is FaultText of the first of some faults, and how many others there are.
func FaultsText(list []*control.Fault) string {
	if len(list) == 0 {
		return ""
	}
	text := FaultText(list[0])
	if len(list) > 1 {
		text += " +" + strconv.Itoa(len(list)-1)
	}
	return text
}

// FaultLeft is how long a fault has, "" for one that has no end of its own.
func (w *World) FaultLeft(f *control.Fault) string {
	if f.Until.IsZero() {
		return ""
	}
	return paint.Duration(max(0, f.Until.Sub(w.Now)).Truncate(100*time.Millisecond)) + " left"
}

// FaultDid is what a fault has done, "" for nothing yet.
func FaultDid(f *control.Fault) string {
	what := "packets"
	if f.OnMessages() {
		what = "messages"
	}
	switch {
	case f.Dropped > 0:
		return paint.Count(int(f.Dropped)) + " of " + paint.Count(int(f.Seen)) + " " + what + " dropped"
	case f.Delayed > 0:
		return paint.Count(int(f.Delayed)) + " of " + paint.Count(int(f.Seen)) + " " + what + " delayed"
	case f.Kind == control.FaultPause:
		return ""
	}
	return "no " + what + " yet"
}
