package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/eval"
	"github.com/monarch-tui/monarch-tui/engine/internal/stops"
	"github.com/monarch-tui/monarch-tui/engine/probe"
	"github.com/monarch-tui/monarch-tui/engine/probe/cond"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// registerDebug sets what executes the verbs of the debugger.
func (h *hub) registerDebug(v *control.Handlers) {
	control.Handle(v, h.setBreaks)
	control.Handle(v, h.resume)
	control.Handle(v, h.setPolicy)
	control.Handle(v, h.probe)
	control.Handle(v, h.edit)
	control.HandleDone(v, h.pause)
	control.HandleDone(v, h.holdClock)
}

// setBreaks executes the verb breaks.
func (h *hub) setBreaks(ctx context.Context, client control.ClientInfo, r control.BreaksReq) ([]control.Breakpoint, error) {
	out, err := h.changeBreaks(client, r)
	if err != nil {
		return nil, err
	}
	h.ordered(ctx)
	return out, nil
}

func (h *hub) changeBreaks(client control.ClientInfo, r control.BreaksReq) (out []control.Breakpoint, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	book := h.debug.book
	defer h.giveOrders()
	if r.Set != nil {
		spec := *r.Set
		if err := stops.Check(&spec); err != nil {
			return nil, err
		}
		if err := h.checkBreak(&spec); err != nil {
			return nil, err
		}
		if spec, err = book.Set(spec, client.Name); err != nil {
			return nil, err
		}
		out = append(out, h.tellBreak(spec.ID, client.Name))
	}
	if r.Clear {
		for _, b := range book.Breaks() {
			r.Remove = append(r.Remove, b.ID)
		}
	}
	for _, id := range slices.Concat(r.On, r.Off, r.Remove) { // all or none
		if _, err := book.Break(id); err != nil {
			return nil, err
		}
	}
	for _, id := range slices.Concat(r.On, r.Off) {
		b, _ := book.Break(id)
		b.Off = slices.Contains(r.Off, id)
		b.LastError, b.Errors = "", 0
		out = append(out, h.tellBreak(id, client.Name))
	}
	for _, id := range r.Remove {
		b, err := book.Remove(id)
		if err != nil {
			continue // named twice
		}
		h.publish(control.Event{Break: &control.BreakEvent{Break: b, Gone: true, By: client.Name}})
		out = append(out, b)
	}
	return out, nil
}

// tellBreak publishes a breakpoint as it is now, and gives it. The caller holds h.mu.
func (h *hub) tellBreak(id uint64, by string) control.Breakpoint {
	b, err := h.debug.book.Break(id)
	if err != nil {
		return control.Breakpoint{}
	}
	h.boundTo(b)
	h.publish(control.Event{Break: &control.BreakEvent{Break: *b, By: by}})
	return *b
}

// checkBreak says what is wrong with a breakpoint: with its condition by itself, or on actors that are there, where it could
// never be hit. The caller holds h.mu.
func (h *hub) checkBreak(b *control.Breakpoint) error {
	if b.If != "" { // by itself: what it speaks of, only actors know
		if _, err := eval.Compile(b.If, eval.Any()); err != nil {
			return pointAt("if", b.If, err)
		}
	}
	m := h.meshes[b.Mesh]
	if m == nil {
		return nil
	}
	at, err := typeNamed(m.rec.Ref.Type)
	if err != nil {
		return err
	}
	if b.Endpoint != "" && !slices.ContainsFunc(at.names(), func(name string) bool { return probe.Match(b.Endpoint, name) }) {
		return at.missing(fmt.Sprintf("@%s is a %s, which has no endpoint", b.Mesh, at.short), b.Endpoint)
	}
	if b.Ranks != "" {
		if err := rankError(b, m); err != nil {
			return fmt.Errorf("@%s[%s]: %w", b.Mesh, b.Ranks, err)
		}
	}
	return compileBreak(b, at, m.rec.Ref.Home.Extent().Names())
}

// compileBreak tries a breakpoint's condition and template on the endpoints of a type that it is about.
func compileBreak(b *control.Breakpoint, at *actorType, dims []string) error {
	if b.If == "" && b.Print == "" {
		return nil
	}
	var first error
	for _, ep := range at.list {
		if !probe.Match(b.Endpoint, ep.name) {
			continue
		}
		scope, _ := scopeOf(at, dims, ep.name)
		scope.Params = paramsOf(at, ep)
		if b.Site != control.SiteReply {
			scope.Result = nil
		}
		var err error
		if b.If != "" {
			err = pointAt("if", b.If, func() error { _, err := cond.CompileCondition(b.If, scope); return err }())
		}
		if b.Print != "" && err == nil {
			err = pointAt("print", b.Print, func() error { _, err := cond.ParseTemplate(b.Print, scope); return err }())
		}
		if err == nil && ep.concurrent && speaksOf(b, "state", scope) {
			err = fmt.Errorf("the state cannot be read at %s: it runs beside other endpoints, which may write it", ep.name)
		}
		if err == nil {
			return nil // it fits one of them: at the others it stops nobody
		}
		first = cmp.Or(first, err)
	}
	return first
}

// speaksOf reports whether a breakpoint's condition or template uses a name.
func speaksOf(b *control.Breakpoint, name string, s cond.Scope) bool {
	e, err := cond.CompileCondition(b.If, s)
	if b.If != "" && err == nil && e.Uses(name) {
		return true
	}
	t, err := cond.ParseTemplate(b.Print, s)
	return b.Print != "" && err == nil && t.Uses(name)
}

// pointAt shows where in a text a mistake is.
func pointAt(what, text string, err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*eval.Error](err)
	if !ok || strings.ContainsAny(text, "\n\t") {
		return fmt.Errorf("%s: %w", what, err)
	}
	at := utf8.RuneCountInString(text[:min(max(e.Offset, 0), len(text))])
	return fmt.Errorf("%s: %s\n  %s\n  %s^", what, e.Msg, text, strings.Repeat(" ", at))
}

// params are the names of the arguments that conditions could speak of.
func params(breaks []control.Breakpoint) map[string][]string {
	var out map[string][]string
	for i := range breaks {
		if b := &breaks[i]; b.If != "" || b.Print != "" {
			registry.mu.RLock()
			types := slices.Collect(maps.Values(registry.byName))
			registry.mu.RUnlock()
			for _, t := range types {
				for _, ep := range t.list {
					if probe.Match(b.Endpoint, ep.name) && len(ep.in) > 0 {
						put(&out, t.full+"."+ep.name, paramsOf(t, ep))
					}
				}
			}
		}
	}
	return out
}

// speaksOfSender reports whether a condition or a template says sender: then processes need the names of the meshes.
func speaksOfSender(breaks []control.Breakpoint) bool {
	return slices.ContainsFunc(breaks, func(b control.Breakpoint) bool {
		return strings.Contains(b.If, "sender") || strings.Contains(b.Print, "sender")
	})
}

// boundTo says how many actors a breakpoint is bound to, and where it is none, why. The caller holds h.mu.
func (h *hub) boundTo(b *control.Breakpoint) {
	b.Bound, b.Why = 0, ""
	sel, err := probe.NewSelector(b)
	if err != nil {
		b.State, b.Why = control.BreakWaiting, err.Error()
		return
	}
	for name, m := range h.meshes {
		at, err := typeNamed(m.rec.Ref.Type)
		if err != nil || m.stopping {
			continue
		}
		names, ext := at.names(), m.rec.Ref.Home.Extent()
		fits, all := sel.FitsMesh(name, names)
		who := probe.Who{Mesh: name, MeshID: m.rec.Ref.ID, On: m.rec.Ref.HostOf(), Parts: names}
		for rank := 0; fits && rank < len(m.rec.Ranks); rank++ {
			if who.Point = ext.Point(rank); !m.rec.Ranks[rank].Over() && (all || sel.Fits(&who)) {
				b.Bound++
			}
		}
	}
	switch {
	case b.Off:
		b.State, b.Why = control.BreakOff, b.LastError
	case b.Bound > 0:
		b.State = control.BreakArmed
	default:
		b.State, b.Why = control.BreakWaiting, h.whyUnbound(b)
	}
}

func (h *hub) whyUnbound(b *control.Breakpoint) string {
	m := h.meshes[b.Mesh]
	switch {
	case m == nil && !strings.ContainsAny(b.Mesh, "*?") && b.Mesh != "":
		return fmt.Sprintf("there is no actor mesh @%s yet", b.Mesh)
	case m == nil:
		return "no actor fits yet"
	}
	if err := h.checkBreak(b); err != nil {
		return "it can never be hit: " + err.Error()
	}
	return "its ranks have ended"
}

// rebind brings the breakpoints up to date with the meshes there are. The caller holds h.mu.
func (h *hub) rebind() {
	for _, b := range h.debug.book.Breaks() {
		old := b
		h.boundTo(&b)
		if b.Bound != old.Bound || b.State != old.State || b.Why != old.Why {
			h.tellBreak(b.ID, "")
		}
	}
}

// rankError says what is wrong with the ranks of a breakpoint on a mesh.
func rankError(b *control.Breakpoint, m *mesh) error {
	sel, err := shape.Parse(b.Ranks)
	if err != nil {
		return err
	}
	_, err = m.rec.Ref.Ranks(sel)
	return err
}

// takeCounts adds up what processes counted. The caller holds h.mu.
func (h *hub) takeCounts(counts []probe.Count) {
	for _, c := range counts {
		b, err := h.debug.book.Break(c.Break)
		if err != nil {
			continue // it was removed meanwhile
		}
		b.Hits, b.Skipped, b.Errors = b.Hits+c.Hits, b.Skipped+c.Skipped, b.Errors+c.Errors
		if !b.Off { // what other processes counted before they heard of that comes later, and does not say so
			b.LastError = cmp.Or(clean.Line(clip(c.LastError, maxCauseText)), b.LastError)
		}
		if b.Errors >= probe.MaxErrors && !b.Off {
			b.Off = true
			b.LastError = fmt.Sprintf("off after %d errors: %s", b.Errors, b.LastError)
			h.giveOrders()
		}
		h.tellBreak(c.Break, "")
	}
}

// resume executes the verb resume.
func (h *hub) resume(ctx context.Context, client control.ClientInfo, r control.ResumeReq) ([]control.Resumed, error) {
	how := cmp.Or(r.How, control.GoContinue)
	if !slices.Contains(control.Gos(), how) {
		return nil, fmt.Errorf("resume: %.40q is none of %s", how, strings.Join(control.Gos(), ", "))
	}
	if r.All {
		h.mu.Lock()
		for _, st := range h.debug.book.Stops() {
			r.Stops = append(r.Stops, control.StopRef{ID: st.ID, Gen: st.Gen})
		}
		h.mu.Unlock()
	} else if len(r.Stops) == 0 {
		return nil, errors.New("resume: want the stops that are to go on, or all of them")
	}
	out := make([]control.Resumed, len(r.Stops))
	slots := make(chan struct{}, 64)
	done := make(chan struct{}, len(r.Stops))
	for i, ref := range r.Stops {
		slots <- struct{}{}
		go func() {
			out[i].ID = ref.ID
			if err := h.resumeOne(ctx, client, ref, resumeBody{How: how, By: client.Name, Value: r.Value, Text: r.Text}); err != nil {
				out[i].Error = err.Error()
			}
			<-slots
			done <- struct{}{}
		}()
	}
	for range r.Stops {
		<-done
	}
	return out, nil
}

// resumeTime is how long a process may take to let a frame go on.
const resumeTime = 5 * time.Second

func (h *hub) resumeOne(ctx context.Context, client control.ClientInfo, ref control.StopRef, b resumeBody) error {
	h.mu.Lock()
	st, frame, err := h.debug.book.Reserve(ref, client.Name)
	h.mu.Unlock()
	if err != nil {
		return err
	}
	b.Number, b.Gen = frame.Number, st.Gen
	ctx, cancel := context.WithTimeout(ctx, resumeTime)
	defer cancel()
	if frame.Proc == 0 {
		err = h.node.resumeHere(b)
	} else {
		err = h.node.request(ctx, quicnet.Addr{Proc: frame.Proc}, sysResume, b, nil)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.debug.book.Settle(st, "", client.Name)
		return fmt.Errorf("stop %d: %w", st.ID, err)
	}
	if h.debug.book.Settle(st, b.How, client.Name) {
		h.tellGoneStop(st, b.How, client.Name, "")
		h.stopsChanged()
	}
	return nil
}

// pause executes the verb pause.
func (h *hub) pause(ctx context.Context, client control.ClientInfo, r control.PauseReq) error {
	m, err := h.findMesh(r.Mesh, 0)
	if err != nil {
		return err
	}
	if err := checkRanks("@"+r.Mesh, r.Ranks, m.rec.Ref.Home.Len()); err != nil {
		return err
	}
	live := h.live(m)
	for rank := range live {
		if len(r.Ranks) > 0 && !slices.Contains(r.Ranks, rank) {
			live[rank] = nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, orderTime)
	defer cancel()
	b := pauseBody{Mesh: m.rec.Ref.ID, By: client.Name, Undo: r.Undo}
	return byRank(h.eachRank(live, func(_ int, p *proc) error {
		if p.local != nil {
			p.local.pauseHere(b)
			return nil
		}
		return h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysPause, b, nil)
	}))
}

// setPolicy executes the verb policy.
func (h *hub) setPolicy(_ context.Context, _ control.ClientInfo, r control.PolicyReq) (control.DebugState, error) {
	policies := []string{control.PolicyContinue, control.PolicyStay, control.PolicyAbort}
	if r.Policy != "" && !slices.Contains(policies, r.Policy) {
		return control.DebugState{}, fmt.Errorf("policy %.40q: want %s", r.Policy, orList(policies))
	}
	if r.Grace < 0 || r.Grace > maxHold {
		return control.DebugState{}, fmt.Errorf("a grace time of %v: want up to %v", r.Grace, maxHold)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &h.debug.book.State
	s.Policy, s.Grace = cmp.Or(r.Policy, s.Policy), cmp.Or(r.Grace, s.Grace)
	state := *s
	h.publish(control.Event{Debug: &state})
	h.stopsChanged()
	return *s, nil
}

// maxHold is how long a client may have the clock stand.
const maxHold = time.Hour

// holdClock executes the verb hold.
func (h *hub) holdClock(_ context.Context, client control.ClientInfo, r control.HoldReq) error {
	if r.TTL < 0 || r.TTL > maxHold {
		return fmt.Errorf("hold for %v: want up to %v", r.TTL, maxHold)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.endHold(client.ID)
	if r.TTL > 0 && !h.debug.over {
		var t *time.Timer
		t = time.AfterFunc(r.TTL, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.debug.holds[client.ID] == t {
				delete(h.debug.holds, client.ID)
				h.stopsChanged()
			}
		})
		h.debug.holds[client.ID] = t
	}
	h.stopsChanged()
	return nil
}

// endHold ends a client's hold of the clock. The caller holds h.mu.
func (h *hub) endHold(client uint64) {
	if t := h.debug.holds[client]; t != nil {
		t.Stop()
		delete(h.debug.holds, client)
	}
}

// waitsFor refuses a stop in order of what holds actors that stand at a site: it would wait for them, and who asks may be
// who is to let them go on. An owner waits.
func (h *hub) waitsFor(own owner, what string, meant func(*control.Stop) bool) error {
	if own.addr.Actor != 0 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var ids []string
	for _, st := range h.debug.book.Stops() {
		if meant(&st) {
			ids = append(ids, fmt.Sprint(st.ID))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	who := "an actor of it is"
	if len(ids) > 1 {
		who = fmt.Sprintf("%d actors of it are", len(ids))
		ids[0] = "s " + ids[0]
	} else {
		ids[0] = " " + ids[0]
	}
	if len(ids) > 8 {
		ids = append(ids[:8], "…")
	}
	return fmt.Errorf("%s cannot end in order while %s paused (stop%s): let them go on, or kill it", what, who, strings.Join(ids, ", "))
}

// orList is a, b or c.
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
