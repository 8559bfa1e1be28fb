package script

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"go.uber.org/goleak"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a small engine in memory: enough of one for the runner's logic. Its one actor type is Toy.
type world struct {
	mu      sync.Mutex
	seq     uint64
	subs    map[int]func(*control.Event)
	nextSub int
	snap    control.Snapshot
	actors  map[string][]*toy
	logs    []control.Log
	calls   uint64
	gate    chan struct{} // Gate waits for it
	flushes int
	cut     bool    // Flush fails
	ends    []error // of the contexts of calls that were given up
	stuck   bool    // actors are busy in Wait, and no stop ends
	over    []int   // ranks that have ended as soon as they are there
	still   []int   // processes that a signal has stopped by then
	done    []string
	asked   []control.ProcsReq
	killed  []control.KillReq
	queued  bool // machines never come
}

// toy is one actor.
type toy struct {
	Name  string
	Count int
	Tags  []string
	proc  uint64
}

type addArgs struct {
	By   int
	Note string
}

func newWorld(t testing.TB) *world {
	w := &world{subs: map[int]func(*control.Event){}, actors: map[string][]*toy{}, gate: make(chan struct{})}
	b := schema.NewBuilder()
	of := func(v any) *schema.Schema {
		s, err := b.Of(reflectType(v))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	str, num, add, refs := of(""), of(0), of(addArgs{}), of([]string(nil))
	w.snap = control.Snapshot{
		Session: control.Session{Name: "test", Program: "prog", Engine: "v0.1", State: "running"},
		Types: []control.Type{{
			Name: "Toy", Full: "example.com/prog.Toy", Doc: "A toy.",
			Fields: []schema.Field{{Name: "Name", Type: str}, {Name: "Count", Type: num}},
			Endpoints: []control.Endpoint{
				{Name: "Hello", Doc: "Hello prints msg.", Param: "msg", Arg: str, Result: str},
				{Name: "Value", Result: num},
				{Name: "Add", Param: "arg", Arg: add, Result: num},
				{Name: "Increment"},
				{Name: "Sleep"},
				{Name: "Gate"},
				{Name: "Later", Param: "msg", Arg: str},
				{Name: "Tags", Result: refs},
				{Name: "Last", Result: add},
			},
			NotCallable: []control.NotCallable{
				{Name: "Add2", Why: "it takes 2 arguments", Fix: "func (t *Toy) Add2(ctx context.Context, a Add2Args) error, with a struct Add2Args that holds the arguments"},
				{Name: "Helper", Why: "it has no context.Context"},
				{Name: "Kept", Why: control.KeptToItself},
			},
		}},
		Named: b.Types,
	}
	return w
}

func (w *world) Subscribe(sink func(*control.Event)) (*control.Snapshot, func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := w.nextSub
	w.nextSub++
	w.subs[id] = sink
	snap := w.snap
	snap.Seq = w.seq
	snap.ProcMeshes, snap.Meshes, snap.Procs = slices.Clone(snap.ProcMeshes), slices.Clone(snap.Meshes), slices.Clone(snap.Procs)
	snap.Calls, snap.Waits = slices.Clone(snap.Calls), slices.Clone(snap.Waits)
	return &snap, func() { w.mu.Lock(); defer w.mu.Unlock(); delete(w.subs, id) }
}

func (w *world) emit(ev *control.Event) {
	w.seq++
	ev.Seq = w.seq
	for _, s := range w.subs {
		s(ev)
	}
}

func (w *world) Attach(c control.ClientInfo) control.ClientInfo { c.ID = 1; return c }
func (w *world) Detach(control.ClientInfo)                      {}

func (w *world) Handle(ctx context.Context, _ control.ClientInfo, req any) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch r := req.(type) {
	case control.ProcsReq:
		w.asked = append(w.asked, r)
		if w.queued {
			w.mu.Unlock()
			<-ctx.Done()
			w.mu.Lock()
			return nil, ctx.Err()
		}
		if slices.ContainsFunc(w.snap.ProcMeshes, func(m control.ProcMesh) bool { return m.Name == r.Name && !m.Gone }) {
			return nil, fmt.Errorf("procs %s: the name is taken", r.Name)
		}
		pm := control.ProcMesh{ID: uint64(len(w.snap.ProcMeshes) + 1), Name: r.Name, Extent: r.Dims, FirstProc: uint64(len(w.snap.Procs) + 1), State: "running", InProcess: r.InProcess, Virtual: true}
		if len(r.Hosts) > 0 {
			pm.Hosts = control.NewHosts(r.Dims, r.Hosts...)
		}
		for i := range r.Dims.Len() {
			p := control.Proc{ID: pm.FirstProc + uint64(i), Mesh: r.Name, Rank: i, State: "ready"}
			p.Paused = slices.Contains(w.still, i)
			if slices.Contains(w.over, i) {
				p.State = "exited"
			}
			w.snap.Procs = append(w.snap.Procs, p)
			w.emit(&control.Event{Proc: &p})
		}
		w.snap.ProcMeshes = append(w.snap.ProcMeshes, pm)
		w.emit(&control.Event{ProcMesh: &pm})
		return pm, nil
	case control.SpawnReq:
		return w.spawn(r)
	case control.StopReq, control.KillReq:
		if _, stop := r.(control.StopReq); stop && w.stuck {
			w.mu.Unlock()
			<-ctx.Done()
			w.mu.Lock()
			return nil, ctx.Err()
		}
		return nil, w.end(r)
	case control.FlushReq:
		w.flushes++
		if w.cut {
			return nil, errors.New("a worker is gone")
		}
		return nil, nil
	case control.PauseReq: // as from an engine that has waited for some process, but not as long as the command may
		return nil, context.DeadlineExceeded
	case control.LogsReq:
		var out []control.Log
		for _, l := range w.logs {
			if r.Mesh == "" || l.Mesh == r.Mesh || l.Mesh == "" {
				out = append(out, l)
			}
		}
		return out, nil
	case control.StateReq:
		var out []control.StateNode
		for _, rank := range r.Ranks {
			a := w.actors[r.Mesh][rank]
			out = append(out, control.StateNode{Rank: rank, Kind: "struct", Len: 3, Nodes: []control.StateNode{
				{Name: "count", Kind: "int", Text: strconv.Itoa(a.Count)}, {Name: "name", Kind: "string", Text: strconv.Quote(a.Name)}, {Name: "peer", Kind: "nil"},
			}})
		}
		return out, nil
	}
	return nil, ctx.Err()
}

func (w *world) spawn(r control.SpawnReq) (any, error) {
	i := slices.IndexFunc(w.snap.ProcMeshes, func(m control.ProcMesh) bool { return m.Name == r.Procs && !m.Gone })
	pm := w.snap.ProcMeshes[i]
	home := shape.RegionOf(pm.Extent)
	if !r.View.IsZero() {
		home = r.View
	}
	var proto toy
	if len(r.Prototype) > 0 {
		if err := cbor.Unmarshal(r.Prototype, &proto); err != nil {
			return nil, err
		}
	}
	m := control.Mesh{Ref: control.MeshRef{ID: uint64(100 + len(w.snap.Meshes)), Name: r.Name, Type: r.Type, First: pm.FirstProc, Home: home, View: shape.RegionOf(home.Extent()), Hosts: pm.Hosts}, Procs: pm.Name, State: "running", Ranks: make([]control.RankState, home.Len())}
	for rank := range home.Len() {
		m.Ranks[rank].State = "idle"
		if w.stuck {
			m.Ranks[rank].State, m.Ranks[rank].Running = "busy", []string{"Wait"}
		}
		if slices.Contains(w.over, rank) {
			m.Ranks[rank].State = "gone"
		}
		a := proto
		a.proc = pm.FirstProc + uint64(home.RankAt(rank))
		w.actors[r.Name] = append(w.actors[r.Name], &a)
	}
	w.snap.Meshes = append(w.snap.Meshes, m)
	w.emit(&control.Event{Mesh: &m})
	return m, nil
}

func (w *world) end(req any) error {
	procs, mesh, verb := "", "", "stop"
	switch r := req.(type) {
	case control.StopReq:
		procs, mesh = r.Procs, r.Mesh
	case control.KillReq:
		procs, mesh, verb = r.Procs, r.Mesh, "kill"
		w.killed = append(w.killed, r)
		if len(r.Ranks) > 0 {
			w.done = append(w.done, fmt.Sprint("kill ", procs, mesh, r.Ranks))
			return nil
		}
	}
	for i := range w.snap.ProcMeshes {
		if m := &w.snap.ProcMeshes[i]; m.Name == procs {
			m.Gone, m.Reason = true, endReason(verb)
			gone := *m
			w.emit(&control.Event{ProcMesh: &gone})
		}
	}
	for i := range w.snap.Meshes {
		if m := &w.snap.Meshes[i]; !m.Gone && (m.Ref.Name == mesh || m.Procs == procs) {
			m.Gone, m.Reason = true, endReason(verb)
			delete(w.actors, m.Ref.Name)
			gone := *m
			w.emit(&control.Event{Mesh: &gone})
		}
	}
	if procs != "" {
		mesh = procs
	} else {
		mesh = "@" + mesh
	}
	w.done = append(w.done, verb+" "+mesh)
	return nil
}

func (w *world) StartCall(ctx context.Context, _ control.ClientInfo, req control.CallReq, reply func(control.Reply)) func() (control.CallDone, error) {
	w.mu.Lock()
	w.calls++
	id := w.calls
	ranks := slices.Collect(req.View.Ranks())
	slices.Reverse(ranks) // replies arrive in an order of their own
	if req.Adverb == control.AdverbChoose {
		ranks = ranks[:1]
	}
	call := control.Call{ID: id, Client: "script", Mesh: req.Mesh, Endpoint: req.Endpoint, Ranks: len(ranks), Waiting: slices.Sorted(req.View.Ranks())}
	w.snap.Calls = append(w.snap.Calls, call)
	w.emit(&control.Event{Call: &control.CallEvent{Call: call}})
	w.mu.Unlock()
	var wait []int
	for _, r := range ranks { // here, so that calls are handled in their order
		if held := w.handle(req, r, reply); held {
			wait = append(wait, r)
		}
	}
	return func() (control.CallDone, error) {
		if len(wait) > 0 {
			select {
			case <-ctx.Done():
				w.mu.Lock()
				w.ends = append(w.ends, context.Cause(ctx))
				w.mu.Unlock()
				for _, r := range wait {
					reply(control.Reply{Rank: r, Outcome: control.OutcomeCancelled, Error: "the caller gave up"})
				}
			case <-w.gate:
				for _, r := range wait {
					reply(control.Reply{Rank: r, Outcome: control.OutcomeReply})
				}
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.snap.Calls = slices.DeleteFunc(w.snap.Calls, func(c control.Call) bool { return c.ID == id })
		w.emit(&control.Event{Call: &control.CallEvent{Call: call, Done: true}})
		return control.CallDone{Call: id, Ranks: len(ranks)}, nil
	}
}

// handle runs an endpoint on one rank; held means that it waits for the gate.
func (w *world) handle(req control.CallReq, rank int, reply func(control.Reply)) (held bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := control.Reply{Rank: rank, Outcome: control.OutcomeReply, Took: time.Millisecond}
	if i, ok := req.View.IndexOf(rank); ok {
		out.Point = req.View.Point(i)
	}
	answer := func(v any) { out.Body, _ = cbor.Marshal(v) }
	if len(w.actors[req.Mesh]) <= rank {
		out.Outcome, out.Error = control.OutcomeLost, "the mesh has ended"
		reply(out)
		return false
	}
	a := w.actors[req.Mesh][rank]
	switch req.Endpoint {
	case "Hello":
		var msg string
		_ = cbor.Unmarshal(req.Body, &msg)
		w.print(req.Mesh, rank, a.proc, fmt.Sprintf("%s %d: %s", a.Name, rank, msg))
		answer(fmt.Sprintf("hello from %d", rank))
	case "Value":
		answer(a.Count)
	case "Add":
		var arg addArgs
		_ = cbor.Unmarshal(req.Body, &arg)
		if arg.By > 100 && rank%2 == 1 {
			out.Outcome, out.Error = control.OutcomeError, fmt.Sprintf("add %d: bad rank", arg.By)
			break
		}
		a.Count += arg.By
		answer(a.Count)
	case "Increment":
		a.Count += rank + 1
	case "Last":
		answer(addArgs{By: rank})
	case "Tags":
		answer([]string{"a", "b"})
	case "Later":
		var msg string
		_ = cbor.Unmarshal(req.Body, &msg)
		time.AfterFunc(20*time.Millisecond, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			a.Count = 99
			w.print("", 0, a.proc, msg) // a plain print: only its process is known
		})
	case "Sleep":
		if rank != 0 { // ranks other than 0 hang
			return true
		}
	case "Gate":
		return true
	}
	if req.Adverb == control.AdverbBroadcast {
		return false
	}
	reply(out)
	return false
}

func (w *world) print(mesh string, rank int, proc uint64, text string) {
	l := control.Log{Mesh: mesh, Rank: rank, Proc: proc, Stream: "out", Text: text}
	w.logs = append(w.logs, l)
	w.emit(&control.Event{Log: &l})
}

// endReason is the reason that the engine gives for an end by order.
func endReason(verb string) string {
	if verb == "kill" {
		return "killed"
	}
	return "stopped"
}
