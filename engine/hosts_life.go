package engine

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/agent"
	"github.com/monarch-tui/monarch-tui/engine/internal/farlog"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/via"
	"github.com/monarch-tui/monarch-tui/engine/internal/life"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// admitHost judges an agent that proved its ticket. The caller holds h.mu.
func (h *hub) admitHost(m *machine, b []byte) error {
	var a agent.Hello
	if err := quicnet.StrictDec().Unmarshal(b, &a); err != nil {
		return fmt.Errorf("its hello does not decode: %w", err)
	}
	switch {
	case m.rec.Over():
		return fmt.Errorf("host %s is not expected any more", m.shown())
	case a.Engine != Version:
		return fmt.Errorf("it was built with engine %s, the controller with %s", clip(a.Engine, 40), Version)
	}
	a = tidyHello(a)
	m.port = a.Port
	m.rec.PID, m.rec.System, m.rec.Build = a.PID, a.System, a.Build
	if off := skewed(a.Clock); off != "" {
		m.rec.System += ", " + off
	}
	if m.rec.Name == "" {
		h.nameHost(m, a.Host)
		h.tellNames(m.pm)
	}
	h.tellHost(m, "joining", "")
	return nil
}

// hostLink turns a state of an agent's link into one of its host. The caller holds h.mu; what is to be done without it is returned.
func (h *hub) hostLink(m *machine, ev quicnet.LinkEvent) (then func()) {
	switch ev.State {
	case quicnet.LinkLease, quicnet.LinkMoved: // concern workers only
	case quicnet.LinkRefused:
		h.log.Warn("somebody was refused in the name of an agent", "host", m.shown(), "reason", ev.Reason)
	case quicnet.LinkUp:
		if a := h.wire.PeerAddr(m.rec.ID); a != nil {
			m.rec.Addr = a.String()
		}
		h.tellHost(m, "", "")
		select {
		case <-m.ready:
		default:
			close(m.ready)
		}
	case quicnet.LinkRecovered:
		h.tellHost(m, "ready", "")
	case quicnet.LinkSuspect:
		h.tellHost(m, "suspect", ev.Reason)
	case quicnet.LinkUnreachable:
		h.tellHost(m, "unreachable", ev.Reason)
	case quicnet.LinkLost:
		return func() { h.loseHost(m, "lost", cmp.Or(m.why, "its agent was not heard of for 10s: "+ev.Reason)) }
	case quicnet.LinkClosed:
		state := "exited"
		if !m.expect {
			state = "lost"
		}
		return func() { h.loseHost(m, state, strings.TrimPrefix(ev.Reason, "closed by the peer: ")) }
	}
	return nil
}

// loseHost ends what is left of a host: its agent is gone, or will be. Workers there that still have a link are told to end; those
// without have ended by their lease.
func (h *hub) loseHost(m *machine, state, reason string) {
	h.mu.Lock()
	job := m.pm.fleet.job
	h.mu.Unlock()
	var tail []string
	if job != nil && state != "exited" {
		tail = cleanLines(job.Tail(m.index))
	}
	h.mu.Lock()
	if m.rec.Over() {
		h.mu.Unlock()
		return
	}
	reason = clip(reason, maxErrorText)
	m.rec.Tail = tail
	h.tellHost(m, state, reason)
	var left []*remoteChild
	for _, c := range m.children {
		left = append(left, c)
	}
	for _, p := range m.pm.procs {
		if p.on != m || p.child == nil || p.over() {
			continue
		}
		p.linkReason, p.buried = m.fate(), true
		if p.isReady() && !p.expect {
			h.on(p, life.LinkBroke, because(p.linkReason))
			h.on(p, life.Fired, because(p.linkReason), func(e *life.Event) { e.Timer = life.LostAfter })
		}
		h.node.outbox.Add(p.id, func() {
			limit, cancel := context.WithTimeout(h.node.root, lastWords)
			defer cancel()
			_ = h.node.request(limit, quicnet.Addr{Proc: p.id}, sysExit, 0, nil) // it has no link any more, which is as good
		})
	}
	h.mu.Unlock()
	m.once.Do(func() { close(m.gone) })
	for _, c := range left {
		c.End(launch.Exit{Code: -1, Lost: "was lost with its host"})
	}
}

// endHosts ends the agents of a mesh, and its job. The processes have ended.
func (h *hub) endHosts(ctx context.Context, pm *procMesh) error {
	f := pm.fleet
	if f == nil {
		return nil
	}
	h.mu.Lock()
	job := f.job
	f.over = true
	var live []*machine
	for _, m := range f.machines {
		m.expect = true
		if m.rec.PID != 0 && !m.rec.Over() {
			live = append(live, m)
		}
	}
	h.mu.Unlock()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*stopTime)
	defer cancel()
	var wg sync.WaitGroup
	for _, m := range live {
		wg.Go(func() {
			if h.node.request(limit, quicnet.Addr{Proc: m.rec.ID}, sysExit, 0, nil) != nil {
				return
			}
			select {
			case <-m.gone:
			case <-limit.Done():
			}
		})
	}
	wg.Wait()
	err := cancelJob(ctx, job)
	if err == nil {
		f.forgetJob()
	}
	h.mu.Lock()
	if f.abort != nil {
		f.abort(errLaunchStopped) // its context ends with it
	}
	h.mu.Unlock()
	for _, m := range f.machines {
		h.loseHost(m, "exited", "")
		h.mem.Forget(m.rec.ID, "the mesh of this agent has ended")
		h.mu.Lock()
		if h.wire != nil {
			h.wire.Revoke(quicnet.ID{Proc: m.rec.ID, Epoch: 1})
		}
		delete(h.hosts, m.rec.ID)
		h.mu.Unlock()
	}
	return err
}

// cancelTime is how long a launcher has to end a job: more than its client has to end by itself, to be asked, and to be killed, and more
// than Kubernetes has to end pods.
const cancelTime = 20 * time.Second

// cancelJob ends what was launched, if anything was.
func cancelJob(ctx context.Context, job via.Job) error {
	if job == nil {
		return nil
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
	defer cancel()
	err := job.Cancel(limit)
	if err != nil && limit.Err() != nil { // it is our limit, not the caller's
		return fmt.Errorf("%s has not ended within %v of being cancelled", clean.OneLine(job.Handle(), maxCarrier), cancelTime)
	}
	return err
}

// notSaid is the error of an end that an agent does not tell: it has one all the same, when the agent ends.
func (h *hub) notSaid(p *proc) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Errorf("host %s, which is %s, has not said that pid %d there has ended: it ends with the agent", p.on.shown(), p.on.rec.State, p.rec.PID)
}

// hostOf finds the host of an agent.
func (h *hub) hostOf(proc uint64) *machine {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.hosts[proc]
}

// takeLog has a line of the log of a process on another machine written to the session's log, with whose it is. It waits for nothing.
func (h *hub) takeLog(from uint64, r farlog.Record) error {
	h.mu.Lock()
	m, who := h.hosts[from], []string(nil)
	if p := h.procs[from]; p != nil && p.on != nil {
		m, who = p.on, []string{"rank", strconv.Itoa(p.rank)}
	}
	if m == nil {
		h.mu.Unlock()
		return fmt.Errorf("process %d is on no other machine, and has the log at hand: %w", from, ErrForbidden)
	}
	who = append([]string{"host", m.shown(), "procs", m.pm.rec.Name}, who...)
	to := h.farLogs
	h.mu.Unlock()
	to.Put(r.Of(who...), m.logs)
	return nil
}

// measureTime is how long an agent has for measuring.
const measureTime = time.Second

// sampleHosts has each agent measure its workers, and looks at the links to them.
func (h *hub) sampleHosts(ctx context.Context) {
	h.mu.Lock()
	var live []*machine
	for _, m := range h.hosts {
		if m.rec.State == "ready" {
			live = append(live, m)
		}
	}
	wire := h.wire
	h.mu.Unlock()
	if len(live) == 0 || wire == nil {
		return
	}
	links := map[uint64]quicnet.PeerStats{}
	for _, s := range wire.Peers() {
		links[s.Peer.Proc] = s
	}
	var wg sync.WaitGroup
	for _, m := range live {
		wg.Go(func() {
			limit, cancel := context.WithTimeout(ctx, measureTime)
			defer cancel()
			var got agent.Measured
			if err := h.node.request(limit, quicnet.Addr{Proc: m.rec.ID}, sysMeasure, 0, &got); err != nil {
				return // its link says what is wrong
			}
			h.takeMeasured(m, got, links[m.rec.ID])
		})
	}
	wg.Wait()
}

// lossSample is how many packets make a share of those that were lost: of fewer, one that was a probe for a larger size, which is
// lost on most paths, would be much.
const lossSample = 200

// lossOf is the share of the packets to a host that were lost lately. The caller holds hub.mu.
func (m *machine) lossOf(link quicnet.PeerStats) float64 {
	sent, lost := link.PacketsSent-m.sent, link.PacketsLost-m.lost
	switch {
	case m.sent == 0 || link.PacketsSent < m.sent: // the first look, or another connection
		m.sent, m.lost = link.PacketsSent, link.PacketsLost
	case sent >= lossSample:
		m.sent, m.lost = link.PacketsSent, link.PacketsLost
		return min(1, float64(lost)/float64(sent))
	}
	return m.rec.Loss
}

// differs reports whether a person would care: by a quarter of what it was.
func differs(now, was float64) bool { return math.Abs(now-was) > was/4 }

// takeMeasured puts what an agent has measured into the books.
func (h *hub) takeMeasured(m *machine, got agent.Measured, link quicnet.PeerStats) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.rec.Over() {
		return
	}
	loss := m.lossOf(link)
	if differs(float64(link.RTT), float64(m.rec.RTT)) || differs(loss, m.rec.Loss) {
		m.rec.RTT, m.rec.Loss = link.RTT.Round(10*time.Microsecond), loss
		h.tellHost(m, "", m.rec.Reason)
	}
	if worthTelling(m.rec.Backlog, got.Backlog) || got.Backlog == 0 && m.rec.Backlog > 0 {
		m.rec.Backlog = got.Backlog
		h.tellHost(m, "", m.rec.Reason)
	}
	for _, p := range m.pm.procs {
		if p.on != m || p.over() {
			continue
		}
		was := p.rec
		if rss := got.Resident[p.id]; worthTelling(p.rec.RSS, rss) {
			p.rec.RSS = rss
		}
		if p.rec.GPU != nil {
			g := *p.rec.GPU // what was published is not written to
			now, ok := got.GPUs[g.UUID]
			switch {
			case got.Problem != "":
				g.Problem = clean.OneLine(got.Problem, maxErrorText)
			case !ok:
				g.Problem = "it is gone from the machine"
			default:
				now.Problem = clean.OneLine(now.Problem, maxErrorText)
				g = agent.WithSample(g, now)
			}
			if g != *p.rec.GPU {
				p.rec.GPU = &g
			}
		}
		if p.rec.RSS != was.RSS || p.rec.GPU != was.GPU {
			rec := p.rec
			h.publish(control.Event{Proc: &rec})
		}
	}
}

// fate says what has become of a host, for its ranks. The caller holds h.mu.
func (m *machine) fate() string {
	text := fmt.Sprintf("its host %s ", m.shown())
	switch m.rec.State {
	case "lost":
		text += "is lost"
	case "failed":
		text += "did not come"
	case "exited":
		text += "has ended"
	default:
		if m.ending != "" {
			return text + "is ending: " + m.ending
		}
		text += "is " + m.rec.State
	}
	if m.rec.Reason != "" {
		text += ": " + m.rec.Reason
	}
	return text
}

// noRestart is added to the end of what was on a host that is gone.
const noRestart = "; nothing can be started there any more"

// hostIsGone says what has become of the host of a process, if nothing can be started there any more. The caller holds h.mu.
func (p *proc) hostIsGone() string {
	if p.on == nil || !p.on.rec.Over() && p.on.ending == "" {
		return ""
	}
	return p.on.fate()
}

// lostForGood reports whether no policy can start a process anew, because its host is gone, and has the failure say so. The caller
// holds h.mu.
func (p *proc) lostForGood(f *Failure) bool {
	why := p.hostIsGone()
	if why == "" {
		return false
	}
	if !strings.Contains(f.What, why) {
		f.What += "; " + why
	}
	if !strings.HasSuffix(f.What, noRestart) {
		f.What = clip(f.What+noRestart, maxErrorText)
	}
	return true
}
