package inspect

import (
	"slices"
	"strconv"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/messages"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// makeTitle is the first line: what is shown, and its state. nil where there is nothing.
func (p *Pane) makeTitle(w *world.World) []paint.Seg {
	name, word, note := "", "", ""
	switch p.thing.kind {
	case actor:
		m, r := p.rankOf(w)
		if m == nil {
			return nil
		}
		pr, marks := procOf(w, m, p.thing.rank), w.MarksOf(m)
		name, word = world.ActorName(m.Ref.Name, p.thing.rank), world.RankWord(r, pr, marks.At(p.thing.rank, pr))
		if note = called(word); word == "paused" {
			note = p.pausedNote()
		}
	case mesh:
		m, ok := w.MeshByID(p.thing.id)
		if !ok {
			return nil
		}
		t := meshTally(w, m)
		name = m.Ref.Name
		word, note = t.whole(m.State, m.Gone, called)
	case procs:
		pm := procMesh(w, p.thing.id)
		if pm == nil {
			return nil
		}
		t := procTally(w, pm)
		name = pm.Name
		word, note = t.whole(pm.State, pm.Gone, calledProc)
	case proc:
		pr, ok := w.Proc(p.thing.id)
		if !ok {
			return nil
		}
		name, word, note = world.ActorName(pr.Mesh, pr.Rank), w.ProcWord(pr), pr.State
		if word == "paused" || word == "fault" {
			note = word
		}
	case host:
		h, ok := w.Host(p.thing.id)
		if !ok {
			return nil
		}
		name, word, note = h.Called(), world.HostWord(h), h.State
	case nothing:
		return nil
	}
	return []paint.Seg{bold(paint.Text, name), seg(paint.Default, "   "), seg(paint.State(word), paint.Glyph(word)+" "+note)}
}

// called is what a state is called of actors.
func called(word string) string {
	if word == "warning" {
		return "backlog"
	}
	return word
}

// procOf is the process of a rank, nil where it is not known.
func procOf(w *world.World, m *control.Mesh, rank int) *control.Proc {
	if m.Ref.Home.Validate() != nil || rank >= m.Ref.Home.Len() {
		return nil
	}
	pr, ok := w.ProcOf(m, rank)
	if !ok {
		return nil
	}
	return pr
}

func (p *Pane) buildActor(w *world.World) {
	m, r := p.rankOf(w)
	if m == nil {
		return
	}
	p.calls.sync(w, m.Ref.Name, p.thing.rank)
	switch p.tab() {
	case tabFrame:
		p.buildFrame(w)
	case tabStack:
		p.buildStack()
	case tabEnv:
		p.buildEnv()
	case tabMailbox:
		p.buildMailbox(w, r)
	case tabCalls:
		p.buildCalls(w)
	default:
		p.buildStopped(w)
		p.buildNow(w, m, r)
		p.buildWatches()
		p.buildState(w, m, r)
		p.buildBeside(w)
		p.buildBrief(w, r)
		p.buildLives(w, func(x *control.Restart) bool { return x.Mesh == m.Ref.Name && x.Rank == p.thing.rank }, 4)
	}
}

// buildNow tells what the actor does now, and what is wrong with it.
func (p *Pane) buildNow(w *world.World, m *control.Mesh, r *control.RankState) {
	p.buildRunning(w, r)
	if r.Pause != "" {
		p.field("to stop", "at its next site, for "+world.Name(r.Pause), paint.Paused)
	}
	pr := procOf(w, m, p.thing.rank)
	p.field("reason", world.RankWhy(r, pr), paint.Failed)
	p.buildFaults(w, m.Ref.ID, p.thing.rank, pr)
	if pr == nil {
		return
	}
	switch word := world.ProcWord(pr); {
	case word == "failed":
		p.field("process", world.ProcName(pr)+" "+pr.State+" "+ago(w, pr.Since), paint.Failed)
	case pr.Held:
		p.field("process", "stopped by a debugger, "+world.ProcName(pr), paint.Paused)
	case pr.Paused:
		p.field("process", "stopped by a signal (SIGSTOP), "+world.ProcName(pr), paint.Paused)
	default:
		p.field("on", world.ProcName(pr), paint.Text)
	}
	p.buildBuild(w, pr, false)
	if pr.GPU != nil && lives(pr) {
		p.fieldSegs("gpu", briefGPU(pr.GPU), briefSegs(pr.GPU)...)
	}
}

// buildRunning tells which endpoints handle a message, since when, and who called.
func (p *Pane) buildRunning(w *world.World, r *control.RankState) {
	if p.stop.ID != 0 && len(r.Running) < 2 { // it is what stands, which is told
		return
	}
	for i, ep := range r.Running {
		text, since, from := ep, r.Since, ""
		var call uint64
		if i < len(r.Calls) {
			call = r.Calls[i]
		}
		if msg := p.calls.byCall(call); msg != nil {
			text, since, from = messages.Call(w, msg), msg.Time, world.Name(msg.From)
		} else if c := openCall(w, call); c != nil {
			from = world.Name(c.Client)
		}
		p.add(line{
			key: "running " + strconv.Itoa(i), left: []paint.Seg{seg(paint.Muted, paint.Pad("running", keyWidth)), seg(paint.Text, text)},
			right: []paint.Seg{seg(paint.Busy, paint.Duration(max(0, w.Now.Sub(since))))}, copied: text,
		})
		if from != "" {
			p.fieldSegs("from", from, seg(paint.Text, from), seg(paint.Muted, "  call "+world.CallName(call)))
		}
	}
}

func openCall(w *world.World, id uint64) *control.Call {
	i := slices.IndexFunc(w.Calls, func(c control.Call) bool { return c.ID == id })
	if i < 0 || id == 0 {
		return nil
	}
	return &w.Calls[i]
}

// buildBrief is the mailbox and the last calls in a few lines.
func (p *Pane) buildBrief(w *world.World, r *control.RankState) {
	p.space()
	role := paint.Text
	if r.Queue >= world.Backlog {
		role = paint.Warning
	}
	p.fieldSegs("Mailbox", strconv.Itoa(r.Queue), seg(role, waiting(r)+" queued"))
	handled := paint.Exact(r.Handled) + " handled"
	if r.Restarts > 0 {
		handled += " · restarted " + strconv.Itoa(r.Restarts) + "×"
	}
	p.fieldSegs("Handlers", handled, seg(paint.Text, strconv.Itoa(len(r.Running))+" active"), seg(paint.Muted, " · "+handled))
	if len(p.calls.rows) == 0 {
		return
	}
	const few = 5
	p.head("Recent", seg(paint.Muted, p.keys.Hint("%s all", "next.tab")))
	for i := range p.calls.rows[:min(few, len(p.calls.rows))] {
		p.add(p.callLine(w, &p.calls.rows[i]))
	}
}

// waiting says how many messages wait, and how large their arguments are together where that is worth a word.
func waiting(r *control.RankState) string {
	text := paint.Exact(r.Queue)
	if r.QueueBytes >= 1<<10 {
		text += ", " + paint.Bytes(uint64(r.QueueBytes))
	}
	return text
}

// buildMailbox tells what waits, what runs, and what was done.
func (p *Pane) buildMailbox(w *world.World, r *control.RankState) {
	p.buildStopped(w)
	p.buildRunning(w, r)
	role := paint.Text
	if r.Queue >= world.Backlog {
		role = paint.Warning
	}
	p.field("queued", waiting(r), role)
	p.field("handled", paint.Exact(r.Handled), paint.Text)
	if p.stop.ID == 0 {
		p.field("since", ago(w, r.Since)+" "+r.State, paint.Text)
	}
	if r.Restarts > 0 {
		p.field("restarts", strconv.Itoa(r.Restarts), paint.Warning)
	}
	if r.Queue == 0 {
		p.space()
		p.note("empty", paint.Muted, "The mailbox is empty: calls are handled as they come.")
		return
	}
	if p.buildQueued() {
		return
	}
	p.head("Waiting", seg(paint.Muted, "first comes first"))
	for i, id := range r.Next {
		text, from := "call "+world.CallName(id), ""
		if msg := p.calls.byCall(id); msg != nil {
			text, from = messages.Call(w, msg), world.Name(msg.From)
		} else if c := openCall(w, id); c != nil {
			text, from = c.Endpoint+"(…)", world.Name(c.Client)
		}
		l := line{key: "next " + strconv.Itoa(i), left: []paint.Seg{seg(paint.Muted, paint.PadLeft(strconv.Itoa(i+1), 3)+" "), seg(paint.Text, text)}, copied: text}
		if from != "" {
			l.left = append(l.left, seg(paint.Muted, "  from "+from))
		}
		p.add(l)
	}
	if n := r.Queue - len(r.Next); n > 0 {
		p.note("more", paint.Muted, "… "+paint.Exact(n)+" more, not shown")
	}
}

// shortType is the name of a type without its package.
func shortType(full string) string {
	short := schema.ShortType(full)
	for i := len(short) - 1; i >= 0; i-- {
		if short[i] == '.' {
			return short[i+1:]
		}
	}
	return short
}
