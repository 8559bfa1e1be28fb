package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/agent"
	"github.com/monarch-tui/monarch-tui/engine/internal/farlog"
	"github.com/monarch-tui/monarch-tui/engine/internal/jobs"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/via"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// remoteLease is how long a worker, or an agent, of another machine lives without its controller, unless the mesh says otherwise.
const remoteLease = 8 * time.Second

// machine is one host of a proc mesh that an agent serves. hub.mu guards what changes.
type machine struct {
	pm    *procMesh
	index int
	rec   control.Host

	ready    chan struct{} // closed when the agent has joined and has places for the ranks
	gone     chan struct{} // closed when nothing can run there any more
	once     sync.Once
	expect   bool                          // its end was ordered
	children map[agent.Worker]*remoteChild // that run, or are being started
	ending   string                        // why its agent is about to end, as it said when a worker ended with it
	why      string                        // what the launcher said of its end
	shipped  map[string]*shipment          // programs, by their path here
	sent     uint64                        // packets, at the last look; lost too
	lost     uint64
	reached  string // address of the controller that it has reached
	logs     *farlog.Gate
	port     int // of its agent's socket, for its workers
}

// fleet is the hosts of a proc mesh, and the job that they are.
type fleet struct {
	launcher via.Launcher
	machines []*machine // by index
	job      via.Job    // nil until it was asked for; guarded by hub.mu
	abort    context.CancelCauseFunc
	perHost  int  // ranks on each
	launched bool // all hosts that are to come have; guarded by hub.mu
	over     bool // the mesh has ended; guarded by hub.mu
	asked    time.Time

	noting sync.Mutex // comes before hub.mu
	note   *jobs.Note // of the job, on disk; guarded by noting
}

// errLaunchStopped is the cause of a launch that somebody stopped.
var errLaunchStopped = fmt.Errorf("it was stopped while it was launched: %w", ErrStopped)

// bookHosts makes the records of a mesh's hosts, and says on which each rank is. The caller holds h.mu.
func (h *hub) bookHosts(pm *procMesh, req *control.ProcsReq) {
	n, has := req.Dims.Size(hostsDim)
	n = max(n, 1)
	f := &fleet{perHost: req.Dims.Len() / n, asked: time.Now()}
	f.launcher, _ = h.ssh.Find(req.Via) // checkVia has found it
	for i := range n {
		m := &machine{
			pm: pm, index: i, ready: make(chan struct{}), gone: make(chan struct{}), children: map[agent.Worker]*remoteChild{}, logs: farlog.OfHost(),
			rec: control.Host{ID: h.nextProc, Mesh: pm.rec.Name, MeshID: pm.rec.ID, Index: i, Launcher: req.Via, State: "requested", Since: time.Now()},
		}
		if len(req.Hosts) > 0 {
			m.rec.Name = req.Hosts[i]
		}
		h.nextProc++
		h.hosts[m.rec.ID] = m
		f.machines = append(f.machines, m)
	}
	pm.fleet = f
	pm.rec.Via, pm.rec.Hosts = req.Via, control.NewHosts(req.Dims, f.names()...)
	used := make([]int, n)
	for _, p := range pm.procs {
		at := 0
		if has {
			at = coordinate(req.Dims, hostsDim, p.rank)
		}
		p.sitOn(f.machines[at], used[at])
		h.detours.Store(p.id, &detour{agent: f.machines[at].rec.ID})
		used[at]++
	}
	h.far.Store(true)
	h.mem.expectHosts(f.machines)
	h.writeLogs()
	for _, m := range f.machines {
		rec := m.rec
		h.publish(control.Event{Host: &rec})
	}
}

// writeLogs has what is logged on other machines written to the session's log, from the first mesh there on. The caller holds h.mu.
func (h *hub) writeLogs() {
	if h.farLogs != nil {
		return
	}
	q := farlog.NewQueue()
	h.farLogs = q
	h.node.wg.Go(func() {
		q.Run(h.node.closing, func(r farlog.Record) { r.Write(h.log) })
	})
}

// sitOn puts a rank on a host, at a place among those there; nil: this machine.
func (p *proc) sitOn(m *machine, place int) {
	if m == nil {
		return
	}
	p.on, p.place = m, place
	p.rec.HostID, p.rec.Host = m.rec.ID, m.shown()
	if p.rec.Slot >= 0 {
		p.rec.Slot = place
	}
}

// coordinate is that of a rank along a dimension.
func coordinate(e shape.Extent, dim string, rank int) int {
	return e.Point(rank).Coords()[slices.IndexFunc(e, func(d shape.Dim) bool { return d.Name == dim })]
}

// shown is the host's name, or what stands for it while it has none.
func (m *machine) shown() string { return cmp.Or(m.rec.Name, fmt.Sprintf("host %d", m.index)) }

// tell publishes the host's record, in a state unless that is "". The caller holds h.mu.
func (h *hub) tellHost(m *machine, state, reason string) {
	if m.rec.Over() {
		return
	}
	if state != "" && state != m.rec.State {
		m.rec.State, m.rec.Since = state, time.Now()
	}
	m.rec.Reason = reason
	rec := m.rec
	h.publish(control.Event{Host: &rec})
}

// launchHosts asks the launcher for the hosts of a mesh and waits until their agents are ready. The error folds those of the hosts;
// with AllowPartial, and one host that is ready, there is none.
func (h *hub) launchHosts(ctx context.Context, pm *procMesh, req control.ProcsReq) error {
	f := pm.fleet
	job, abort := context.WithCancelCause(context.WithoutCancel(ctx)) // what is launched lives on when this has returned
	defer context.AfterFunc(ctx, func() { abort(context.Cause(ctx)) })()
	if req.Within > 0 {
		limit, cancel := context.WithTimeoutCause(ctx, req.Within, fmt.Errorf("the hosts were not there within %v", req.Within))
		defer cancel()
		ctx = limit
	}
	at, err := h.openWide()
	if err != nil {
		return err
	}
	spec, err := h.launchSpec(pm, &req)
	if err != nil {
		return err
	}
	if spec.Secret, err = h.agentSecrets(pm, req, spec.Program, at); err != nil {
		return err
	}
	h.mu.Lock()
	f.abort = abort
	stopping := pm.stopping || h.closed
	h.mu.Unlock()
	if stopping {
		return errLaunchStopped
	}
	launched, err := f.launcher.Launch(job, spec, func(ev via.Event) { h.launchEvent(pm, ev) })
	if err != nil {
		return cmp.Or(context.Cause(job), err)
	}
	h.mu.Lock()
	f.job = launched
	h.mu.Unlock()
	h.noteJob(pm)
	return h.awaitHosts(ctx, job, pm, req)
}

// awaitHosts waits for the hosts of a mesh.
func (h *hub) awaitHosts(ctx, job context.Context, pm *procMesh, req control.ProcsReq) error {
	type result struct {
		m   *machine
		err error
	}
	results := make(chan result, len(pm.fleet.machines))
	for _, m := range pm.fleet.machines {
		go func() { results <- result{m, h.awaitHost(ctx, job, m, req)} }()
	}
	failed := map[string][]*machine{} // hosts, by why they did not come
	for range pm.fleet.machines {
		r := <-results
		switch {
		case r.err == nil:
			continue
		case errors.Is(r.err, errOthersFailed):
			continue
		case job.Err() != nil && len(failed) == 0:
			return context.Cause(job)
		case ctx.Err() != nil:
			return h.lateHosts(context.Cause(ctx), pm)
		}
		failed[r.err.Error()] = append(failed[r.err.Error()], r.m)
		if !req.AllowPartial { // nobody waits for the others; of those that have failed too, it is told
			pm.fleet.abort(errOthersFailed)
		}
	}
	n := 0
	var texts []string
	for why, hosts := range failed {
		n += len(hosts)
		texts = append(texts, h.shownHosts(hosts)+": "+why)
	}
	if n == 0 || req.AllowPartial && n < len(pm.fleet.machines) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if job.Err() != nil { // it was stopped in the same moment
			return context.Cause(job)
		}
		pm.fleet.launched = true
		return nil
	}
	slices.Sort(texts)
	return errors.New(strings.Join(texts, "\n"))
}

// awaitHost waits for one host, until its agent is there and has places for the ranks.
func (h *hub) awaitHost(ctx, job context.Context, m *machine, req control.ProcsReq) error {
	select {
	case <-m.ready:
		err := h.seatHost(ctx, m, req)
		switch {
		case err == nil:
		case job.Err() != nil: // it was ended before it could answer
			return context.Cause(job)
		case ctx.Err() == nil:
			h.loseHost(m, "failed", err.Error())
		}
		return err
	case <-m.gone:
		h.mu.Lock()
		defer h.mu.Unlock()
		if m.why == via.Cancelled && job.Err() != nil {
			return context.Cause(job)
		}
		return errors.New(cmp.Or(m.rec.Reason, "it did not come"))
	case <-job.Done():
		h.mu.Lock()
		defer h.mu.Unlock()
		if m.why != "" && m.why != via.Cancelled && m.rec.PID == 0 {
			return errors.New(m.why)
		}
		return context.Cause(job)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errOthersFailed is the cause of a launch that ends because a host of it did not come.
var errOthersFailed = errors.New("another host did not come")

// shownHosts names hosts by index, the first few of them.
func (h *hub) shownHosts(ms []*machine) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.SortFunc(ms, func(a, b *machine) int { return a.index - b.index })
	var names []string
	for _, m := range ms[:min(len(ms), 8)] {
		names = append(names, m.shown())
	}
	if more := len(ms) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// lateHosts says of a launch that took too long, or was stopped, how far it had come.
func (h *hub) lateHosts(cause error, pm *procMesh) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var how []string
	for _, m := range pm.fleet.machines {
		if m.rec.State != "ready" && len(how) < 4 {
			how = append(how, strings.TrimSpace(fmt.Sprintf("%s is %s: %s", m.shown(), m.rec.State, cmp.Or(m.rec.Reason, "no reason given"))))
		}
	}
	return fmt.Errorf("%w (%s)", cause, strings.Join(how, "; "))
}

// launchEvent takes what a launcher tells.
func (h *hub) launchEvent(pm *procMesh, ev via.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	machines := pm.fleet.machines
	if ev.Host >= 0 && ev.Host < len(machines) {
		machines = machines[ev.Host : ev.Host+1]
	}
	defer h.tellNames(pm)
	text := clip(clean.Shown(ev.Text), maxErrorText)
	if ev.State == via.Queued || ev.State == via.Placed {
		h.wg.Go(func() { h.noteJob(pm) }) // it asks the job, which is telling us
	}
	for _, m := range machines {
		if ev.State == via.Ended && m.why == "" {
			m.why = text
			h.wg.Go(func() { h.launcherEnded(m, ev.Gone) }) // it asks the job, which is telling us
		}
		if m.rec.Over() {
			continue
		}
		if name := clean.Name(ev.Name, 64); name != "" && len(pm.req.Hosts) == 0 {
			h.nameHost(m, name)
		}
		state := "launching"
		switch ev.State {
		case via.Queued:
			state = "queued"
		case via.Shipping:
			state = "shipping"
			m.rec.Shipped = max(m.rec.Shipped, ev.Bytes)
		case via.Ended:
			continue
		case via.Placed, via.Started:
		}
		if m.rec.PID == 0 { // else its agent is there already: a launcher that watches is told of what it has started later than we are
			h.tellHost(m, state, text)
		}
	}
}

// ownWord is how long an agent that has ended is given for its own reason to be here, which says more than that of its launcher.
const ownWord = time.Second

// launcherEnded is told that the launcher has nothing to do with a host any more, and whether its agent is known to have ended. One that
// has joined may live on otherwise: then its link decides.
func (h *hub) launcherEnded(m *machine, gone bool) {
	h.mu.Lock()
	joined, why := m.rec.PID != 0, m.why
	if m.rec.Over() && m.rec.State != "exited" && !strings.Contains(m.rec.Reason, why) { // the scheduler's words come last
		m.rec.Reason = clip(m.rec.Reason+"; "+why, maxErrorText)
		rec := m.rec
		h.publish(control.Event{Host: &rec})
	}
	h.mu.Unlock()
	switch {
	case !joined:
		h.loseHost(m, "failed", cmp.Or(why, "the launcher gave no reason"))
	case gone:
		wait := time.NewTimer(ownWord)
		defer wait.Stop()
		select {
		case <-m.gone:
			return
		case <-wait.C:
		}
		h.mu.Lock()
		expected := m.expect
		h.mu.Unlock()
		if !expected { // whoever has told it to end waits for that
			h.loseHost(m, "lost", why)
		}
	}
}

// names are those of the hosts, "" where one is not known.
func (f *fleet) names() []string {
	out := make([]string, len(f.machines))
	for i, m := range f.machines {
		out[i] = m.rec.Name
	}
	return out
}

// nameHost gives a host the name that became known. It stays while there are actors: selections choose their ranks by it. The
// caller holds h.mu, and calls tellNames.
func (h *hub) nameHost(m *machine, name string) {
	if m.rec.Name == name || len(h.meshesBy(m.pm)) > 0 {
		return
	}
	m.rec.Name = name
	for _, p := range m.pm.procs {
		if p.on == m && p.rec.Host != name {
			p.rec.Host = name
			rec := p.rec
			h.publish(control.Event{Proc: &rec})
		}
	}
}

// tellNames has those who choose by the names of a mesh's hosts know the new ones. The caller holds h.mu.
func (h *hub) tellNames(pm *procMesh) {
	if now := pm.fleet.names(); !slices.Equal(now, pm.rec.Hosts.Names) {
		pm.rec.Hosts = control.NewHosts(pm.rec.Extent, now...)
		rec := pm.rec
		h.publish(control.Event{ProcMesh: &rec})
	}
}

// seatHost has an agent give the mesh's ranks their places.
func (h *hub) seatHost(ctx context.Context, m *machine, req control.ProcsReq) error {
	_, gpus := req.Dims.Size("gpus")
	ask := agent.Seats{
		Ranks: m.pm.fleet.perHost, Devices: gpus && !req.Virtual && !setsDevices(req.Env),
		Oversubscribe: req.Oversubscribe, OrVirtual: h.opts.virtualIfShort,
	}
	var got agent.Seated
	if err := h.node.request(ctx, quicnet.Addr{Proc: m.rec.ID}, sysSeat, ask, &got); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m.reached = clip(got.Reached, 100)
	m.rec.GPUs = clip(clean.Shown(got.GPUs), maxErrorText)
	if gpus && !got.Real {
		m.pm.rec.Virtual, m.pm.rec.Slots = true, clip(cmp.Or(clean.Shown(got.Why), m.pm.rec.Slots), maxErrorText)
	} else if gpus {
		m.pm.rec.Slots = clip(clean.Shown(got.Why), maxErrorText)
	}
	h.tellHost(m, "ready", "")
	return nil
}

// stopLaunch has a launch end that still goes on: what runs is ended in order. The caller holds h.mu.
func (f *fleet) stopLaunch() {
	if f != nil && f.abort != nil && !f.launched {
		f.abort(errLaunchStopped)
	}
}

// cleanLines makes lines of another program safe to show.
func cleanLines(lines []string) []string {
	out := make([]string, 0, min(len(lines), tailLines))
	for _, l := range lines[max(0, len(lines)-tailLines):] {
		out = append(out, clean.OneLine(l, maxLine))
	}
	return out
}
