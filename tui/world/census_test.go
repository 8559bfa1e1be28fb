package world

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// counted is how many ranks of a mesh have ended, by looking at each of them.
func counted(w *World, m *control.Mesh) (n int) {
	for rank := range m.Ranks {
		if word := w.Word(m, rank); word == "failed" || word == "gone" {
			n++
		}
	}
	return n
}

// TestACensusIsWhatACountWouldGive holds that what follows the updates one by one is what looking at all ranks would give,
// whatever comes: ranks and processes that end and come back, meshes that are told anew, end, and leave their name to another
// one, and a new snapshot.
func TestACensusIsWhatACountWouldGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := New()
		home := shape.RegionOf(shape.Extent{{Name: "a", Size: 3}, {Name: "b", Size: 4}})
		odd := shape.Region{Labels: []string{"a", "b"}, Offset: 1, Sizes: []int{3, 2}, Strides: []int{4, 2}}
		mesh := func(id uint64, name string, home shape.Region) *control.Mesh {
			return &control.Mesh{Ref: control.MeshRef{ID: id, Name: name, First: 1, Home: home, View: home}, Procs: "p", State: "running", Ranks: make([]control.RankState, home.Len())}
		}
		states := rapid.SampledFrom([]string{"idle", "busy", "failed", "gone", "stopped", "starting"})
		procs := rapid.SampledFrom([]string{"ready", "suspect", "killed", "stopping", "exited"})
		snapshot := &control.Snapshot{Meshes: []control.Mesh{*mesh(100, "m", home), *mesh(101, "n", odd)}}
		w.Apply(control.Update{Snapshot: snapshot})
		versions := map[uint64]uint64{}
		before := map[uint64]string{}
		ended := func(m *control.Mesh) string {
			out := make([]byte, len(m.Ranks))
			for rank := range m.Ranks {
				out[rank] = '.'
				if w.HasEnded(m, rank) {
					out[rank] = 'x'
				}
			}
			return string(out)
		}
		next := uint64(102)
		for range rapid.IntRange(1, 30).Draw(t, "updates") {
			var u control.Update
			for range rapid.IntRange(0, 4).Draw(t, "events") {
				name := rapid.SampledFrom([]string{"m", "n"}).Draw(t, "mesh")
				switch rapid.IntRange(0, 9).Draw(t, "what") {
				case 0:
					u.Snapshot = snapshot
				case 1:
					if m, ok := w.Mesh(name); ok {
						gone := *m
						gone.Gone = true
						again := mesh(next, name, home)
						next++
						u.Events = append(u.Events, &control.Event{Mesh: &gone}, &control.Event{Mesh: again})
					}
				case 2: // it is told anew, with other states
					if m, ok := w.Mesh(name); ok {
						again := *m
						again.Ranks = slices.Clone(m.Ranks)
						for rank := range again.Ranks {
							again.Ranks[rank].State = states.Draw(t, "state")
						}
						u.Events = append(u.Events, &control.Event{Mesh: &again})
					}
				case 3, 4:
					p := &control.Proc{ID: uint64(rapid.IntRange(0, 14).Draw(t, "proc")), Mesh: "p", State: procs.Draw(t, "state"), Ordered: rapid.Bool().Draw(t, "ordered")}
					u.Events = append(u.Events, &control.Event{Proc: p})
				default:
					rank := &control.RankEvent{Mesh: name, Rank: rapid.IntRange(-1, 13).Draw(t, "rank"), State: control.RankState{State: states.Draw(t, "state")}}
					u.Events = append(u.Events, &control.Event{Rank: rank})
				}
			}
			w.Apply(u)
			for i := range w.Meshes {
				m := &w.Meshes[i]
				if m.Gone { // nobody tells of its ranks any more
					continue
				}
				n, version := w.Ended(m)
				if want := counted(w, m); n != want {
					t.Fatalf("of @%s %d ranks are said to have ended, and %d have", m.Ref.Name, n, want)
				}
				now := ended(m)
				if was, known := before[m.Ref.ID]; known && was != now && versions[m.Ref.ID] == version {
					t.Fatalf("of @%s were %s, are %s, at an equal version", m.Ref.Name, was, now)
				}
				before[m.Ref.ID], versions[m.Ref.ID] = now, version
			}
		}
	})
}

// TestACountOfManyRanksCostsWhatHasChanged holds that a census looks at all ranks once, and then at those that are told of.
func TestACountOfManyRanksCostsWhatHasChanged(t *testing.T) {
	const n = 65536
	w := New()
	home := shape.RegionOf(shape.Extent{{Name: "rank", Size: n}})
	m := control.Mesh{Ref: control.MeshRef{ID: 7, Name: "m", First: 1, Home: home, View: home}, Procs: "p", State: "running", Ranks: make([]control.RankState, n)}
	for rank := range m.Ranks {
		m.Ranks[rank].State = "idle"
	}
	w.Apply(control.Update{Events: []*control.Event{{Mesh: &m}}})
	if _, alive := w.Alive(); alive != n {
		t.Fatalf("%d actors live, want %d", alive, n)
	}
	before := w.looked
	for rank := range 100 {
		w.Apply(control.Update{Events: []*control.Event{{Rank: &control.RankEvent{Mesh: "m", Rank: rank, State: control.RankState{State: "gone"}}}, {Message: &control.Message{ID: 1}}}})
		if _, alive := w.Alive(); alive != n-rank-1 {
			t.Fatalf("%d actors live after %d have ended", alive, rank+1)
		}
	}
	if looked := w.looked - before; looked != 100 {
		t.Errorf("%d states were looked at for 100 that have changed", looked)
	}
}

// TestMessagesLeaveTheStatesAlone holds that what was computed of states is not computed anew for messages and lines.
func TestMessagesLeaveTheStatesAlone(t *testing.T) {
	w := New()
	w.Apply(control.Update{Snapshot: &control.Snapshot{}})
	at, states := w.Revision(), w.StateRevision()
	w.Apply(control.Update{Events: []*control.Event{{Message: &control.Message{ID: 1}}, {Log: &control.Log{Text: "a"}}}})
	if w.Revision() == at || w.StateRevision() != states {
		t.Errorf("after a message and a line: revision %d from %d, of states %d from %d", w.Revision(), at, w.StateRevision(), states)
	}
	for name, ev := range map[string]*control.Event{"a process": {Proc: &control.Proc{ID: 1}}, "a loss": {Dropped: &control.Dropped{State: 1}}} {
		states = w.StateRevision()
		w.Apply(control.Update{Events: []*control.Event{{Message: &control.Message{ID: 2}}, ev}})
		if w.StateRevision() == states {
			t.Errorf("%s leaves the revision of states as it was", name)
		}
	}
}
