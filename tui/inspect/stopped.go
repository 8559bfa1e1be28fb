package inspect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Look is a question about an actor that is stopped, or about what waits for one: a probe of the control protocol.
type Look struct {
	What string // control.ProbeFrame, ProbeMailbox, ProbeEnv or ProbeEval
	Mesh uint64 // id
	Rank int
	Stop control.StopRef // of all but ProbeMailbox
	Expr string          // of ProbeEval
}

// Seen is the answer to a Look: what it asked for, or why it could not be told.
type Seen struct {
	Frame   control.FrameView
	Mailbox control.Mailbox
	Env     []string
	Value   control.Value
	Err     error
}

// look is what is known of a stop.
type look struct {
	ref      control.StopRef
	frame    *control.FrameView
	args     []*node
	result   *node
	env      []string
	frameErr string
	envErr   string
	frameAt  time.Time // when it was asked for; zero: never
	envAt    time.Time
	again    bool // a person has changed something of it
}

// box is what waits for an actor.
type box struct {
	mesh    uint64
	rank    int
	at      time.Time // when it was asked for
	queue   int       // how many waited then
	handled uint64
	again   bool
	got     bool
	what    control.Mailbox
	err     string
}

// Actor is the actor that is shown.
func (p *Pane) Actor() (mesh uint64, rank int, ok bool) {
	return p.thing.id, p.thing.rank, p.thing.kind == actor
}

// Endpoint is the endpoint of an actor mesh that the line under the cursor is about, "" where it is about none.
func (p *Pane) Endpoint() (id uint64, name string) {
	for _, head := range []string{"endpoint ", "doc ", "arg ", "file "} {
		if name, ok := strings.CutPrefix(p.here().key, head); ok && p.thing.kind == mesh {
			return p.thing.id, name
		}
	}
	return 0, ""
}

// Queued is the message under the cursor that waits in the mailbox of the actor that is shown.
func (p *Pane) Queued() (control.Queued, bool) {
	l := p.here()
	if l.msg == 0 || p.thing.kind != actor || p.tab() != tabMailbox {
		return control.Queued{}, false
	}
	i := slices.IndexFunc(p.box.what.Messages, func(q control.Queued) bool { return q.Msg == l.msg })
	if i < 0 {
		return control.Queued{}, false
	}
	return p.box.what.Messages[i], true
}

// Stopped is the stop of the actor that is shown, with its arguments where they are known.
func (p *Pane) Stopped() (st control.Stop, args []control.StateNode, ok bool) {
	if p.stop.ID == 0 {
		return control.Stop{}, nil, false
	}
	if p.look.frame != nil {
		args = p.look.frame.Args
	}
	return p.stop, args, true
}

// syncStop notes the stop of the actor that is shown.
func (p *Pane) syncStop(w *world.World) {
	now := control.Stop{}
	if p.thing.kind == actor {
		if m, ok := w.MeshByID(p.thing.id); ok && !m.Gone {
			now, p.stands = p.chosen(w, m.Ref.Name)
		}
	}
	if now.ID == p.stop.ID && now.Gen == p.stop.Gen && now.Edited == p.stop.Edited {
		return
	}
	if now.ID != p.stop.ID {
		p.look = look{}
	}
	p.stop = now
	p.version++
}

// Choose has the stop with an id be looked at, where several frames of its actor stand.
func (p *Pane) Choose(id uint64) { p.choice = id }

// chosen is the stop of the actor that is shown: the one that was chosen, else the one that has stood the longest; and how
// many there are.
func (p *Pane) chosen(w *world.World, name string) (st control.Stop, n int) {
	st, ok := w.StopAt(name, p.thing.rank)
	if !ok {
		return st, 0
	}
	all := w.StopsIn(name, []int{p.thing.rank})
	if i := slices.IndexFunc(all, func(x control.Stop) bool { return x.ID == p.choice }); i >= 0 {
		st = all[i]
	}
	return st, len(all)
}

// Stop is the stop of the actor that is shown; false where it is not stopped.
func (p *Pane) Stop(w *world.World) (control.Stop, bool) {
	p.syncStop(w)
	return p.stop, p.stop.ID != 0
}

// WantLook is the next question about the actor that is shown, if there is one to ask now. The answer goes to SetLook.
func (p *Pane) WantLook(w *world.World) (Look, bool) {
	p.syncStop(w)
	m, r := p.rankOf(w)
	if p.thing.kind != actor || m == nil || m.Gone {
		return Look{}, false
	}
	ref := control.StopRef{ID: p.stop.ID, Gen: p.stop.Gen}
	ask := Look{Mesh: p.thing.id, Rank: p.thing.rank, Stop: ref}
	due := func(at time.Time, failed bool) bool {
		return at.IsZero() || p.look.ref != ref || failed && w.Now.Sub(at) >= tryAgain
	}
	switch tab := p.tab(); {
	case p.stop.ID == 0 && tab != tabMailbox:
		return Look{}, false
	case tab == tabMailbox:
		b := &p.box
		same := b.mesh == p.thing.id && b.rank == p.thing.rank
		since := w.Now.Sub(b.at)
		stale := b.queue != r.Queue || b.handled != r.Handled
		due := !same || b.again || stale && since >= readAgain || b.err != "" && since >= tryAgain
		if r.Queue == 0 || !due {
			return Look{}, false
		}
		ask.What = control.ProbeMailbox
		return ask, true
	case tab == tabEnv && (p.look.envAt.IsZero() || p.look.envErr != "" && w.Now.Sub(p.look.envAt) >= tryAgain):
		ask.What = control.ProbeEnv
		return ask, true
	case p.look.again || due(p.look.frameAt, p.look.frameErr != ""):
		ask.What = control.ProbeFrame
		return ask, true
	}
	for i := range p.watch {
		if x := &p.watch[i]; x.mesh == p.thing.id && x.asked != (watchedAt{ref, p.thing.rank, p.stop.Edited}) {
			ask.What, ask.Expr = control.ProbeEval, x.expr
			return ask, true
		}
	}
	return Look{}, false
}

// SetLook takes the answer to a question of WantLook.
func (p *Pane) SetLook(w *world.World, ask Look, seen Seen) {
	p.version++
	reason := ""
	if seen.Err != nil {
		reason = paint.OneLine(seen.Err.Error())
	}
	if ask.What == control.ProbeEval {
		p.watched(ask, seen, reason)
		return
	}
	if ask.Mesh != p.thing.id || ask.Rank != p.thing.rank || p.thing.kind != actor {
		return // it is shown no more
	}
	if ask.What == control.ProbeMailbox {
		_, r := p.rankOf(w)
		p.box = box{mesh: ask.Mesh, rank: ask.Rank, at: w.Now, what: seen.Mailbox, err: reason, got: reason == ""}
		if r != nil {
			p.box.queue, p.box.handled = r.Queue, r.Handled
		}
		return
	}
	if ask.Stop.ID != p.stop.ID {
		return
	}
	l := &p.look
	if ask.What == control.ProbeEnv {
		l.envAt, l.env, l.envErr = w.Now, slices.Sorted(slices.Values(seen.Env)), reason
		return
	}
	l.ref, l.frameAt, l.frameErr, l.again = ask.Stop, w.Now, reason, false
	if reason != "" {
		return
	}
	l.frame = &seen.Frame
	old := l.args
	l.args = nil
	for i, n := range seen.Frame.Args {
		var before *node
		if i < len(old) && old[i].Name == n.Name {
			before = old[i]
		}
		arg := merge(before, n)
		arg.root = true
		l.args = append(l.args, arg)
	}
	if r := seen.Frame.Result; r != nil {
		l.result = merge(l.result, *r)
		l.result.root = true
	} else {
		l.result = nil
	}
}

// LookAgain has all be read again: something of it was changed.
func (p *Pane) LookAgain() {
	p.look.again, p.box.again = true, true
	for i := range p.watch {
		p.watch[i].asked = watchedAt{}
	}
	p.Refresh()
}

// buildStopped tells at the head of the state where the actor stands.
func (p *Pane) buildStopped(w *world.World) {
	st := &p.stop
	if st.ID == 0 {
		return
	}
	p.field("stands", paint.OneLine(world.SiteText(st)), paint.Paused)
	p.field("since", ago(w, st.Since)+reasonOf(st), paint.Text)
	if st.Sender != "" {
		p.field("sender", paint.OneLine(world.Name(st.Sender))+"  call "+world.CallName(st.Call), paint.Text)
	}
	if p.stands > 1 {
		p.field("frames", strconv.Itoa(p.stands)+" of this actor stand"+p.keys.Hint("; %s goes to the next", "next.paused"), paint.Text)
	}
	if st.Shared {
		p.field("shared", "only this handler stands; the actor goes on", paint.Warning)
	}
	if st.Edited {
		p.field("edited", "something of it was changed by hand", paint.Warning)
	}
}

// reasonOf is why a frame is stopped, with what separates it from what is before it.
func reasonOf(st *control.Stop) string {
	if st.Reason == "" {
		return ""
	}
	return " · " + paint.OneLine(st.Reason)
}

// buildFrame tells all about the frame that is stopped.
func (p *Pane) buildFrame(w *world.World) {
	p.buildStopped(w)
	st, l := &p.stop, &p.look
	if st.File != "" {
		p.field("at", paint.OneLine(st.File)+":"+strconv.Itoa(st.Line), paint.Text)
	}
	if st.Msg != 0 {
		text := world.CallName(st.Msg)
		if l.frame != nil && l.frame.Bytes > 0 {
			text += " · " + paint.Bytes(uint64(l.frame.Bytes))
		}
		p.field("message", text, paint.Text)
	}
	if p.missingFrame() {
		return
	}
	if l.frame.Budget > 0 {
		p.field("caller", "gives up "+paint.Duration(l.frame.Budget.Truncate(100*time.Millisecond))+" after it goes on", paint.Text)
	}
	p.field("error", paint.OneLine(l.frame.Error), paint.Failed)
	p.head("Arguments")
	if len(l.args) == 0 {
		p.note("noargs", paint.Muted, st.Endpoint+" takes none.")
	}
	p.buildNodes(l.args)
	if l.result != nil {
		p.head("Result")
		p.buildNodes([]*node{l.result})
	}
	p.head("Who waits", seg(paint.Muted, "outermost first"))
	if len(l.frame.Chain) == 0 {
		p.note("nochain", paint.Muted, "No actor: "+waitsText(st))
	}
	for i, c := range l.frame.Chain {
		text := strings.Repeat("  ", min(i, 8)) + paint.OneLine(world.Name(c.Actor))
		right := ""
		if c.Msg != 0 {
			right = "in message " + world.CallName(c.Msg)
		}
		p.add(line{key: "chain " + strconv.Itoa(i), left: []paint.Seg{seg(paint.Text, text)}, right: []paint.Seg{seg(paint.Muted, right)}, copied: c.Actor})
	}
}

func waitsText(st *control.Stop) string {
	if st.Sender == "" {
		return "nobody is known to wait."
	}
	return paint.OneLine(world.Name(st.Sender)) + " may wait."
}

// missingFrame tells why the frame is not shown; false where it is.
func (p *Pane) missingFrame() bool {
	switch l := &p.look; {
	case l.frameErr != "":
		p.note("frame error", paint.Warning, paint.Glyph("warning")+" could not be read: "+l.frameErr)
		return l.frame == nil
	case l.frame == nil:
		p.note("frame none", paint.Muted, "reading …")
		return true
	}
	return false
}

// buildNodes lists values as trees.
func (p *Pane) buildNodes(list []*node) {
	wide := 0
	for _, n := range list {
		wide = max(wide, min(mostNameWidth, paint.Width(n.Name)))
	}
	for _, n := range list {
		p.buildNode(n, n.Name, "", 0, wide)
	}
}

// engineCode begins the names of the engine's functions.
const engineCode = "github.com/monarch-tui/monarch-tui/engine"

// buildStack lists the goroutine's stack.
func (p *Pane) buildStack() {
	if p.missingFrame() {
		return
	}
	if p.look.frame.Stack == "" {
		p.note("nostack", paint.Muted, "The process has sent no stack.")
		return
	}
	for i, text := range strings.Split(strings.TrimRight(p.look.frame.Stack, "\n"), "\n") {
		role := paint.Text
		if i == 0 || strings.HasPrefix(strings.TrimPrefix(text, "created by "), engineCode) { // the handler's own frames stand out
			role = paint.Muted
		}
		l := line{key: "stack " + strconv.Itoa(i), left: []paint.Seg{seg(role, paint.OneLine(text))}, copied: strings.TrimSpace(text)}
		if strings.HasPrefix(text, "\t") {
			l.left = []paint.Seg{seg(paint.Muted, "  "), seg(paint.Muted, paint.OneLine(text))}
		}
		p.add(l)
	}
}

// buildEnv lists the environment of the process.
func (p *Pane) buildEnv() {
	switch l := &p.look; {
	case l.envErr != "":
		p.note("env error", paint.Warning, paint.Glyph("warning")+" could not be read: "+l.envErr)
		return
	case l.envAt.IsZero():
		p.note("env none", paint.Muted, "reading …")
		return
	case len(l.env) == 0:
		p.note("env empty", paint.Muted, "The environment is empty.")
		return
	}
	for _, kv := range p.look.env {
		name, value, _ := strings.Cut(kv, "=")
		p.add(line{key: "env " + name, left: []paint.Seg{seg(paint.Muted, paint.OneLine(name)+"="), seg(paint.Text, paint.OneLine(value))}, copied: kv})
	}
}

// buildQueued lists the messages that wait, as the process tells them; false where it has not.
func (p *Pane) buildQueued() bool {
	b := &p.box
	if b.mesh != p.thing.id || b.rank != p.thing.rank || !b.got {
		return false
	}
	p.head("Waiting", seg(paint.Muted, p.keys.Hint("%s discards", "discard")))
	for i := range b.what.Messages {
		q := &b.what.Messages[i]
		l := line{
			key: "queued " + strconv.FormatUint(q.Msg, 10), msg: q.Msg, copied: q.Endpoint + "(" + q.Arg + ")",
			left: []paint.Seg{
				seg(paint.Muted, paint.PadLeft(strconv.Itoa(i+1), 3)+" "),
				seg(paint.Text, paint.OneLine(q.Endpoint+"("+q.Arg+")")), seg(paint.Muted, "  from "+paint.OneLine(world.Name(q.Sender))),
			},
		}
		if q.Edited {
			l.right = []paint.Seg{seg(paint.Warning, "edited")}
		}
		p.add(l)
	}
	if n := b.what.Total - len(b.what.Messages); n > 0 {
		p.note("more", paint.Muted, "… "+paint.Exact(n)+" more, not shown")
	}
	return true
}

// pausedNote is what stands beside the name of an actor that is stopped.
func (p *Pane) pausedNote() string {
	switch {
	case p.stop.ID == 0:
		return "paused"
	case p.stop.Break != 0:
		return fmt.Sprintf("paused at bp %d", p.stop.Break)
	}
	return "paused at " + p.stop.Site
}
