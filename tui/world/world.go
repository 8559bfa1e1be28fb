package world

import (
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// How much of the past is kept.
const (
	MaxMessages = 20_000
	MaxLogs     = 20_000
	rateSeconds = 60
)

// World is what the explorer knows of a session.
type World struct {
	control.Replica
	Now      time.Time // of the frame; all ages are counted from it
	AsOf     time.Time // not zero: the connection is lost, and what is shown is as of then
	Messages Ring[control.Message]
	Logs     Ring[control.Log]
	Loaded   bool   // a first snapshot has come
	Late     bool   // the session had been running when it came: what was before is known only in part
	Older    uint64 // messages from before that the session does not keep

	rate   [rateSeconds]int // messages in each of the last seconds
	second int64
	rev    uint64
	state  uint64 // revision of all but messages and lines

	censuses map[uint64]*census // of actor meshes, by id
	versions uint64             // the newest version of a census
	looked   int                // states of ranks that were looked at for them
	aliveOf  map[uint64]int     // processes that live, by proc mesh; made anew when one of them changes

	hosts *hostIndex // made anew when one of them changes

	begun map[uint64]time.Time // when actor meshes began, by id

	stopped  map[string]map[int]bool // ranks with a frame that stands at a site, by mesh
	stopList []control.Stop          // by mesh, rank and id

	builds     map[uint64]*Builds // by proc mesh, as they are asked for; made anew when a process changes
	reloadOf   uint64             // the reload that was last told of
	reloadSeen time.Time          // and when

	faultList   []control.Fault         // by number
	faultyProcs map[uint64]bool         // processes that a fault acts on
	faultyRanks map[uint64]map[int]bool // ranks of actor meshes, by id, whose messages a fault acts on
}

// New makes a world that knows nothing yet.
func New() *World {
	return &World{Messages: NewRing[control.Message](MaxMessages), Logs: NewRing[control.Log](MaxLogs)}
}

// Apply brings the world up to date. Now must be set before.
func (w *World) Apply(u control.Update) {
	if u.Snapshot != nil && !w.Loaded {
		w.Loaded, w.Late = true, late(u.Snapshot, w.Now)
	}
	w.noteBegins(u)
	w.noteBuilds(u)
	w.Replica.Apply(u)
	w.noteStops(u)
	w.noteFaults(u)
	w.noteStates(u)
	w.noteHosts(u)
	w.noteReloads(u)
	w.tick()
	for _, ev := range u.Events {
		switch {
		case ev.Message != nil:
			w.Messages.Add(*ev.Message)
			if u.Snapshot == nil || ev.Seq > u.Snapshot.Seq { // not of before
				w.rate[w.second%rateSeconds]++
			}
		case ev.Log != nil:
			w.Logs.Add(*ev.Log)
		}
	}
	w.rev++
	if u.Snapshot != nil || slices.ContainsFunc(u.Events, func(ev *control.Event) bool { return !ev.IsData() }) {
		w.state = w.rev
	}
}

// maxBegun is of how many actor meshes it is remembered when they began.
const maxBegun = 4096

// noteBegins keeps when the actor meshes begin that u brings.
func (w *World) noteBegins(u control.Update) {
	for _, ev := range u.Events {
		if ev.Mesh == nil || ev.Mesh.Gone {
			continue
		}
		if _, known := w.MeshByID(ev.Mesh.Ref.ID); known {
			continue
		}
		if w.begun == nil || len(w.begun) > maxBegun {
			w.begun = map[uint64]time.Time{}
		}
		if _, known := w.begun[ev.Mesh.Ref.ID]; !known {
			w.begun[ev.Mesh.Ref.ID] = ev.Time
		}
	}
}

// Begun is when an actor mesh began, zero where it was there before.
func (w *World) Begun(mesh uint64) time.Time { return w.begun[mesh] }

// lateBy is how much older than its first snapshot a session is that was there before: our own is seen at once.
const lateBy = 3 * time.Second

// late reports whether a session has a past. The clock that it tells its start by may be another machine's.
func late(s *control.Snapshot, now time.Time) bool {
	worked := slices.ContainsFunc(s.Meshes, func(m control.Mesh) bool {
		return slices.ContainsFunc(m.Ranks, func(r control.RankState) bool { return r.Handled > 0 })
	})
	return worked || len(s.ProcMeshes) > 0 && now.Sub(s.Session.Started) > lateBy
}

// Revision changes whenever the world does: what was computed at an equal revision still holds, but for ages.
func (w *World) Revision() uint64 { return w.rev }

// StateRevision changes with everything but messages and lines. While tens of thousands of those come in a second, what was
// computed of states still holds.
func (w *World) StateRevision() uint64 { return w.state }

// tick turns the counts of messages on to the present second.
func (w *World) tick() {
	now := w.Now.Unix()
	if now-w.second > rateSeconds {
		w.second = now - rateSeconds
	}
	for w.second < now {
		w.second++
		w.rate[w.second%rateSeconds] = 0
	}
}

// Rate is how many messages were seen in each of the last n full seconds, oldest first.
func (w *World) Rate(n int) []int {
	w.tick()
	out := make([]int, 0, n)
	for i := min(n, rateSeconds-1); i > 0; i-- {
		out = append(out, w.rate[(w.second-int64(i)+2*rateSeconds)%rateSeconds])
	}
	return out
}

// Live yields the meshes and proc meshes that have not ended.
func (w *World) Live() (procs []*control.ProcMesh, meshes []*control.Mesh) {
	for i := range w.ProcMeshes {
		if !w.ProcMeshes[i].Gone {
			procs = append(procs, &w.ProcMeshes[i])
		}
	}
	for i := range w.Meshes {
		if !w.Meshes[i].Gone {
			meshes = append(meshes, &w.Meshes[i])
		}
	}
	return procs, meshes
}

// MeshByID finds an actor mesh, also one that has ended.
func (w *World) MeshByID(id uint64) (*control.Mesh, bool) {
	for i := range w.Meshes {
		if w.Meshes[i].Ref.ID == id {
			return &w.Meshes[i], true
		}
	}
	return nil, false
}

// ProcOf is the process of a rank of a mesh.
func (w *World) ProcOf(m *control.Mesh, rank int) (*control.Proc, bool) {
	return w.Proc(m.Ref.First + uint64(m.Ref.Home.RankAt(rank)))
}

// Alive is how many processes and actors there are that have not ended or failed, of meshes that have not ended. A process
// that is not known yet is on its way.
func (w *World) Alive() (procs, actors int) {
	list, meshes := w.Live()
	for _, p := range list {
		procs += w.AliveOf(p)
	}
	for _, m := range meshes {
		ended, _ := w.Ended(m)
		actors += len(m.Ranks) - ended
	}
	return procs, actors
}

// AliveOf is how many processes of a proc mesh have not ended.
func (w *World) AliveOf(pm *control.ProcMesh) (n int) {
	if pm.Gone {
		return 0
	}
	if n, ok := w.aliveOf[pm.ID]; ok {
		return n
	}
	if w.aliveOf == nil {
		w.aliveOf = map[uint64]int{}
	}
	defer func() { w.aliveOf[pm.ID] = n }()
	for rank := range pm.Extent.Len() {
		if p, ok := w.Proc(pm.FirstProc + uint64(rank)); !ok || !p.Over() {
			n++
		}
	}
	return n
}

// Word is the state of a rank in the screens' vocabulary (package paint): its actor's, or its process's where that is
// worse.
func (w *World) Word(m *control.Mesh, rank int) string {
	p, _ := w.ProcOf(m, rank)
	marks := w.MarksOf(m)
	return RankWord(&m.Ranks[rank], p, marks.At(rank, p))
}

// Backlog is how many messages may wait in a mailbox before it is a warning.
const Backlog = 100

// ProcWord is the state of a process in the screens' vocabulary.
func ProcWord(p *control.Proc) string {
	switch {
	case p.Held || p.Paused:
		return "paused"
	case p.Ordered:
		return "gone"
	}
	switch p.State {
	case "requested", "launching", "joining":
		return "starting"
	case "ready":
		return "idle"
	case "suspect", "unreachable":
		return "warning"
	case "stopping":
		return "busy" // it is there until it has ended
	}
	return "failed" // failed, lost, exited, killed, oom, fenced
}
