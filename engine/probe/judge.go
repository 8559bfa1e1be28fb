package probe

import (
	"fmt"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe/cond"
)

// MaxErrors is how often the condition of a breakpoint may fail before the breakpoint is off.
const MaxErrors = 10

// reach judges a frame that reached the breakpoint, and reports whether it stops there.
func (b *binding) reach(f *Frame, s Site) bool {
	bp, spec := b.bp, &b.bp.spec
	if bp.dead.Load() || !Match(spec.Endpoint, f.act.Endpoint()) {
		return false
	}
	if spec.If == "" && spec.Then != control.ThenPrint {
		return b.count(b.reached.Add(1))
	}
	prog := f.actor.agent.program(bp, f.actor, f.act.Endpoint())
	switch {
	case prog.err != "":
		bp.fail(prog.err)
		return false
	case prog.skip:
		bp.skipped.Add(1)
		return false
	}
	v := cond.Values{Site: s.String(), Hits: b.reached.Load() + 1}
	f.act.Values(&v)
	v.Sender = f.actor.agent.senderOf(f.act)
	stops := false
	judge := func() { stops = b.judge(f, prog, &v) }
	switch {
	case !prog.state:
		judge()
	case !f.act.Still(s, judge):
		bp.fail(moving)
	}
	return stops
}

// moving is why a condition was not judged.
const moving = "the state of the actor cannot be read there: another endpoint of it runs, or another goroutine of the handler came here"

// judge judges a frame by its values, and reports whether it stops.
func (b *binding) judge(f *Frame, prog *program, v *cond.Values) bool {
	bp, spec := b.bp, &b.bp.spec
	if prog.cond != nil {
		switch holds, err := prog.cond.Holds(v); {
		case err != nil:
			bp.fail(err.Error())
			return false
		case !holds:
			bp.skipped.Add(1)
			return false
		}
	}
	n := b.reached.Add(1)
	if spec.Then == control.ThenPrint && bp.hit.Wants(n) {
		bp.print(f, prog.print, v)
	}
	return b.count(n)
}

// count counts the n-th time, and reports whether the frame stops.
func (b *binding) count(n uint64) bool {
	spec := &b.bp.spec
	if !spec.Total && !b.bp.hit.Wants(n) {
		b.bp.skipped.Add(1)
		return false
	}
	if !spec.Total { // else the controller counts
		b.bp.hits.Add(1)
	}
	return spec.Then == control.ThenPause
}

// fail counts a condition that could not be judged: it stops nobody, and after MaxErrors nothing is judged any more
// (INV-AWAKE).
func (bp *breakpoint) fail(why string) {
	bp.errors.Add(1)
	bp.lastError.Store(&why)
	if bp.failed.Add(1) >= MaxErrors {
		bp.dead.Store(true)
	}
}

// print puts out the line of a breakpoint that prints, within its limits.
func (bp *breakpoint) print(f *Frame, t *cond.Template, v *cond.Values) {
	now := time.Now()
	bp.mu.Lock()
	if now.Sub(bp.second) >= time.Second {
		bp.second, bp.inSecond = now, 0
	}
	over := bp.printed >= bp.spec.Limit || bp.inSecond >= bp.spec.Rate
	if !over {
		bp.printed++
		bp.inSecond++
	}
	bp.mu.Unlock()
	if over {
		return
	}
	f.actor.agent.tell(News{Print: &Print{Break: bp.spec.ID, Mesh: f.actor.who.Mesh, Rank: f.actor.who.Rank, Text: t.Render(v)}})
}

// program is a breakpoint's condition and template for one endpoint.
type program struct {
	cond  *cond.Expr
	print *cond.Template
	state bool   // it reads the actor's state
	skip  bool   // it would read the state beside others: the breakpoint is not about this endpoint
	err   string // why there is none
}

// program compiles what a breakpoint says of an endpoint of an actor's type, once.
func (a *Agent) program(bp *breakpoint, x *Actor, endpoint string) *program {
	key := x.who.Type + "." + endpoint
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := bp.programs[key]; p != nil {
		return p
	}
	p := &program{}
	scope, ok := x.who.Scope(endpoint)
	scope.Params = a.orders.Params[key]
	var err error
	if ok && bp.spec.If != "" {
		p.cond, err = cond.CompileCondition(bp.spec.If, scope)
	}
	if ok && err == nil && bp.spec.Then == control.ThenPrint {
		p.print, err = cond.ParseTemplate(bp.spec.Print, scope)
	}
	switch {
	case !ok:
		p.err = "there is no endpoint " + endpoint
	case err != nil:
		p.err = err.Error()
	default:
		p.state = p.cond != nil && p.cond.Uses("state") || p.print != nil && p.print.Uses("state")
		p.skip = p.state && x.who.Beside(endpoint)
	}
	if bp.programs == nil {
		bp.programs = map[string]*program{}
	}
	bp.programs[key] = p
	return p
}

// senderOf names who sent the message of a frame: "" for an actor that neither waits for it nor is known.
func (a *Agent) senderOf(act Activation) string {
	from, name := act.Sender()
	switch {
	case name != "":
		return name
	case from == Address{}:
		return "main"
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.orders.Meshes {
		ref := &a.orders.Meshes[i]
		if rank, ok := ref.Home.IndexOf(int(from.Proc - ref.First)); ref.ID == from.Actor && ok {
			return fmt.Sprintf("@%s[%d]", ref.Name, rank)
		}
	}
	return ""
}
