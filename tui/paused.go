package tui

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// isPaused reports whether a frame stands at a site.
func (m *Model) isPaused() bool { return len(m.world.Stops) > 0 }

// thisActor is the actor that the inspector shows: what the keys of the debugger are about.
func (m *Model) thisActor() (mesh string, rank int, ok bool) {
	id, rank, ok := m.panes.inspect.Actor()
	if !ok {
		return "", 0, false
	}
	x, ok := m.world.MeshByID(id)
	if !ok || x.Gone {
		return "", 0, false
	}
	return x.Ref.Name, rank, true
}

// thisStop is the stop of the actor that the inspector shows.
func (m *Model) thisStop() (control.Stop, bool) {
	return m.panes.inspect.Stop(m.world)
}

// stopName is a stopped actor as commands name it.
func stopName(st *control.Stop) string { return "@" + world.ActorName(st.Mesh, st.Rank) }

// goPaused goes to the next stop, or to the one before.
func (m *Model) goPaused(back bool) tea.Cmd {
	mesh, rank, _ := m.thisActor()
	id := uint64(0)
	if st, ok := m.thisStop(); ok {
		id = st.ID
	} else if back {
		id = ^uint64(0)
	}
	st, ok := m.world.NextStop(mesh, rank, id, back)
	if !ok {
		return nil
	}
	return m.goStop(&st)
}

// goStop puts the cursors on a stopped actor. A pane whose own cursor leads gives the focus to the grid: it would lead back.
func (m *Model) goStop(st *control.Stop) tea.Cmd {
	x, ok := m.world.Mesh(st.Mesh)
	if !ok || st.Rank < 0 || st.Rank >= len(x.Ranks) {
		m.say(sayWarn, stopName(st)+" is not on the screen yet")
		return nil
	}
	if _, leads := m.focused().(leader); leads {
		m.setFocus(Ranks)
	}
	m.panes.grid.Show(m.world, x.Ref.ID)
	m.panes.grid.SetCursor(st.Rank)
	m.panes.inspect.Choose(st.ID)
	return m.cursorMoved()
}

// leftPaused says what becomes of who is paused when this program leaves a session that goes on, where nobody else is there
// who could let them go on; "" where there is nothing to say.
func (m *Model) leftPaused() string {
	if !m.isPaused() || m.dialer.own || m.conn == nil || m.conn.viewer {
		return ""
	}
	me := m.conn.client.Info().Client
	for _, c := range m.world.Clients {
		if c.ID != me.ID && c.Role != control.RoleViewer {
			return ""
		}
	}
	d, who := &m.world.Debug, paint.Plural(m.world.PausedActors(), "actor")+" will be left paused, and nobody else is here. "
	after := "After " + paint.Duration(d.Grace) + " without anybody "
	switch d.Policy {
	case control.PolicyStay:
		return who + "They stay so until somebody comes (policy stay)."
	case control.PolicyAbort:
		return who + after + "their calls fail (policy abort)."
	}
	return who + after + "they go on (policy continue)."
}

// grace is how long after a first stop has come its keys do nothing: what a hand is typing then is not meant for it.
const grace = 300 * time.Millisecond

// noteStops notes when somebody stops where nobody was stopped, unless it is what our own step has led to.
func (m *Model) noteStops(before int) {
	if before == 0 && m.isPaused() && m.now().Sub(m.wentOn) > time.Second {
		m.stopCame = m.now()
	}
}

// stoppedAt is what a stopped frame stands at, in a few words: before pong(n=3) from pinger[1].
func stoppedAt(st *control.Stop) string {
	text := paint.OneLine(world.SiteText(st))
	if st.Sender != "" {
		text += " from " + paint.OneLine(world.Name(st.Sender))
	}
	return text
}

// drawPaused draws the bar: how many are paused, the keys that let them go on, and what the one that is looked at stands at.
func (m *Model) drawPaused(s *paint.Surface) {
	w, _ := s.Size()
	s.Fill(paint.Style{Fg: paint.Text, Bg: paint.Bar})
	on := func(st paint.Style) paint.Style { return st.On(paint.Bar) }
	paused := m.world.PausedActors()
	text := "◆ " + paint.Count(paused) + " paused"
	x := s.Text(1, 0, on(paint.Style{Fg: paint.Paused, Attr: paint.Bold}), text)
	if running := m.alive().actors - paused; w >= pairWidth && running >= 0 {
		x = s.Text(x, 0, on(paint.Style{Fg: paint.Muted}), " · "+paint.Count(running)+" running")
	}
	x += 2
	if alone := m.aloneText(w); alone != "" {
		x = s.TextIn(x, 0, max(0, w-x-1), on(paint.Style{Fg: paint.Warning}), alone) + 2
	}
	for _, k := range []struct{ action, text, long string }{
		{"step", "step", "step"}, {"continue", "continue", "continue"}, {"continue.all", "all", "continue all"}, {"next.paused", "next", "next paused"},
	} {
		if w >= wideWidth {
			k.text = k.long
		}
		a := m.reg.named(k.action)
		key := a.Key()
		if key == "" || !m.offers(a) {
			continue
		}
		if x+paint.Width(key)+paint.Width(k.text)+1 > w-1 {
			break
		}
		from := x
		x = s.Text(x, 0, on(paint.Style{Fg: paint.Accent}), key)
		x = s.Text(x+1, 0, on(paint.Style{Fg: paint.Text}), k.text)
		m.spot(s, paint.Rect{X: from, W: x - from, H: 1}, func() tea.Cmd { return m.do(a) })
		x += 2
	}
	x++
	room := w - x - 1
	st, ok := m.thisStop()
	if !ok {
		where, others := m.pausedNames(), ""
		if m.alive().actors > paused {
			others = "the others go on"
		}
		switch both := where + " · " + others; {
		case where == "", others != "" && paint.Width(both) > room:
			where = others
		case others != "":
			where = both
		}
		if paint.Width(where) <= room {
			s.TextIn(x, 0, room, on(paint.Style{Fg: paint.Muted}), where)
		}
		return
	}
	at := standsAt(&st)
	if paint.Width(at) > room {
		at = shortStand(st, room)
	}
	if room >= 16 {
		s.TextIn(x, 0, room, on(paint.Style{Fg: paint.Text}), paint.Fit(at, room))
	}
}

// standsAt is who stands, where, and why.
func standsAt(st *control.Stop) string {
	at := world.ActorName(st.Mesh, st.Rank) + " " + stoppedAt(st)
	if st.Reason != "" {
		at += " · " + paint.OneLine(st.Reason)
	}
	return at
}

// shortStand is standsAt in less room: why it stands matters more than who sent what.
func shortStand(st control.Stop, room int) string {
	arg := paint.OneLine(st.Arg)
	st.Arg, st.Sender, st.Func = "", "", ""
	if st.Break != 0 {
		st.Reason = "bp " + strconv.FormatUint(st.Break, 10)
	}
	st.Arg = paint.Fit(arg, max(1, room-paint.Width(standsAt(&st))))
	return standsAt(&st)
}

// pausedNames are the paused actors by mesh: ponger[1,5]; "" for more than fit.
func (m *Model) pausedNames() string {
	var parts []string
	var ranks []int
	list := m.world.StopList()
	const most = 512 // of more the names do not fit
	if len(list) > most {
		return ""
	}
	for i := range list {
		if st := &list[i]; len(ranks) == 0 || ranks[len(ranks)-1] != st.Rank {
			ranks = append(ranks, st.Rank)
		}
		if i == len(list)-1 || list[i+1].Mesh != list[i].Mesh {
			parts, ranks = append(parts, m.world.RanksName(list[i].Mesh, ranks)), nil
		}
	}
	return strings.Join(parts, " ")
}

// debugTime is how long the session may take for a verb of the debugger.
const debugTime = 10 * time.Second

// debugDone says that a verb of the debugger has ended.
type debugDone struct {
	e    *entry
	took time.Duration
	text string
	err  error
	then func(m *Model) // on success; nil: nothing
}

// debugDo does something of the debugger, and logs it as the command that it is. do gives what it came to.
func (m *Model) debugDo(line string, do func(ctx context.Context, c *control.Client) (string, error), then func(m *Model)) tea.Cmd {
	e := m.logCommand(line)
	if why := m.blocked(); why != "" {
		m.failed(e, why)
		return nil
	}
	ctx, cancel := context.WithTimeout(m.ctx, debugTime)
	e.cancel, e.answers = cancel, newAnswers()
	c, gen := m.conn.client, m.conn.gen
	return tea.Batch(m.task(func() tea.Msg {
		defer cancel()
		began := time.Now()
		text, err := do(ctx, c)
		return tagged{gen, debugDone{e, time.Since(began), text, err, then}}
	}), m.animate())
}

func (d debugDone) apply(m *Model) tea.Cmd {
	e := d.e
	e.took = d.took
	if d.err != nil {
		if e.cancelled {
			e.done, e.err = true, "cancelled"
			return nil
		}
		m.failed(e, d.err.Error())
		return m.refreshOverlays()
	}
	m.succeed(e, d.text)
	if d.then != nil {
		d.then(m)
	}
	return m.refreshOverlays()
}

// goOn lets stopped frames go on, by the command that does.
func (m *Model) goOn(line string) tea.Cmd {
	m.wentOn = m.now()
	return m.command(line)
}

// resumed is what became of stops that were to go on.
func resumed(done []control.Resumed) (string, error) {
	var why []string
	for _, r := range done {
		if r.Error != "" {
			why = append(why, r.Error)
		}
	}
	switch {
	case len(why) == 0:
		return paint.Plural(len(done), "frame") + map[bool]string{true: " goes on", false: " go on"}[len(done) == 1], nil
	case len(done) == 1:
		return "", errors.New(why[0])
	}
	return "", fmt.Errorf("%d of %s: %s", len(why), paint.Plural(len(done), "stop"), why[0])
}

// goThis lets the frame that is looked at go on: it is named by its actor, and by its number where several frames of that
// stand.
func goThis(how string) func(m *Model) tea.Cmd {
	return func(m *Model) tea.Cmd {
		st, ok := m.thisStop()
		if !ok {
			return nil
		}
		who := stopName(&st)
		if len(m.world.StopsIn(st.Mesh, []int{st.Rank})) > 1 {
			who = strconv.FormatUint(st.ID, 10)
		}
		return m.goOn(how + " " + who)
	}
}

// stepSelected lets all stopped frames of the selection go on until their actors' next messages.
func (m *Model) stepSelected() tea.Cmd {
	return m.goOn("step " + m.pausedOf(m.stoppedTarget()).String())
}

// pausedOf is a target without the ranks of it that are not paused.
func (m *Model) pausedOf(t target) target {
	var ranks []int
	for _, st := range m.world.StopsIn(t.mesh, t.ranks) {
		if n := len(ranks); n == 0 || ranks[n-1] != st.Rank {
			ranks = append(ranks, st.Rank)
		}
	}
	return target{mesh: t.mesh, ranks: ranks}
}

// stoppedTarget is what commands are about, where that is an actor mesh; else the actor that is looked at.
func (m *Model) stoppedTarget() target {
	if t := m.target(); t.mesh != "" {
		return t
	}
	mesh, rank, ok := m.thisActor()
	if !ok {
		return target{}
	}
	return target{mesh: mesh, ranks: []int{rank}}
}

// continueAll lets every stopped frame go on, whichever a person is attached to.
func (m *Model) continueAll() tea.Cmd {
	m.wentOn = m.now()
	return m.debugDo("continue", func(ctx context.Context, c *control.Client) (string, error) {
		done, err := c.Resume(ctx, control.ResumeReq{All: true})
		if err != nil {
			return "", err
		}
		return resumed(done)
	}, nil)
}

// pauseOrGo has what is selected stop at its next site; what of it is stopped goes on.
func (m *Model) pauseOrGo() tea.Cmd {
	t := m.stoppedTarget()
	if m.world.IsStopped(t.mesh, t.ranks) {
		return m.goOn("continue " + m.pausedOf(t).String())
	}
	if m.world.ToStop(t.mesh, t.ranks) { // once more takes it back
		return m.command("continue " + t.String())
	}
	return m.command("pause " + t.String())
}

// The reasons why something of the debugger cannot be done now.

// justStopped refuses for a moment what would let somebody go on who has just stopped: it may be meant for what a person
// was typing.
func (m *Model) justStopped() string {
	if d := m.now().Sub(m.stopCame); d >= 0 && d < grace {
		return "an actor has just stopped; once more, if you mean it"
	}
	return ""
}

// offers reports whether the screen tells of the key of an action: where it does something, in a moment at the latest.
func (m *Model) offers(a *Action) bool {
	why := m.whyNot(a)
	return why == "" || why == m.justStopped()
}

func nobodyPaused(m *Model) string {
	if m.isPaused() {
		return ""
	}
	if mesh, rank, ok := m.thisActor(); ok { // its state says paused, and no key of the debugger does anything about it
		x, _ := m.world.Mesh(mesh)
		if p, ok := m.world.ProcOf(x, rank); ok && p.Paused && !p.Held && !p.Over() {
			return fmt.Sprintf("@%s[%d] stands because a signal has stopped its process, %d: SIGCONT has it go on", mesh, rank, p.PID)
		}
	}
	return "nobody is paused" + m.keyHint(" (%s sets a breakpoint)", "break")
}

func notGoable(m *Model) string {
	if why := nobodyPaused(m); why != "" {
		return why
	}
	if why := m.blocked(); why != "" {
		return why
	}
	return m.justStopped()
}

func thisNotPaused(m *Model) string {
	if why := nobodyPaused(m); why != "" {
		return why
	}
	if _, ok := m.thisStop(); ok {
		return notGoable(m)
	}
	what := "what you look at is no actor"
	if mesh, rank, ok := m.thisActor(); ok {
		what = fmt.Sprintf("@%s[%d] is not paused", mesh, rank)
	}
	return what + m.keyHint("; %s goes to one that is", "next.paused")
}

func thisNotAt(site, what string) func(m *Model) string {
	return func(m *Model) string {
		if why := thisNotPaused(m); why != "" {
			return why
		}
		if st, _ := m.thisStop(); st.Site != site {
			return what
		}
		return ""
	}
}

func selectionNotPaused(m *Model) string {
	if why := nobodyPaused(m); why != "" {
		return why
	}
	t := m.stoppedTarget()
	if t.mesh == "" || !m.world.IsStopped(t.mesh, t.ranks) {
		return "nobody of what is selected is paused" + m.keyHint("; %s goes to one that is", "next.paused")
	}
	return notGoable(m)
}

func noActors(m *Model) string {
	if why := m.blocked(); why != "" {
		return why
	}
	t := m.stoppedTarget()
	if t.mesh == "" {
		return "the cursor is on no actor"
	}
	if m.world.IsStopped(t.mesh, t.ranks) {
		return m.justStopped()
	}
	return ""
}

// debugActions set breakpoints, and let go on who is paused.
func debugActions() []*Action {
	all := []*Action{
		{Name: "break", Keys: []string{"b"}, Title: "breakpoint: on what the cursor is on", Hint: "break", Weight: 60, disabledReason: (*Model).blocked, run: (*Model).openBreak},
		{Name: "step", Keys: []string{"s"}, Title: "step: this actor goes on until its next message", disabledReason: thisNotPaused, run: goThis(control.GoStep)},
		{Name: "step.all", Keys: []string{"S"}, Title: "step all that are selected", disabledReason: selectionNotPaused, run: (*Model).stepSelected},
		{Name: "continue", Keys: []string{"c"}, Title: "continue: this actor goes on", disabledReason: thisNotPaused, run: goThis(control.GoContinue)},
		{Name: "continue.all", Keys: []string{"C"}, Title: "continue all that are paused", disabledReason: notGoable, run: (*Model).continueAll},
		{Name: "next.paused", Keys: []string{"n"}, Title: "to the next that is paused", disabledReason: nobodyPaused, run: func(m *Model) tea.Cmd { return m.goPaused(false) }},
		{Name: "prev.paused", Keys: []string{"N"}, Title: "to the one before that is paused", disabledReason: nobodyPaused, run: func(m *Model) tea.Cmd { return m.goPaused(true) }},
		{Name: "pause", Keys: []string{"P"}, Title: "pause what is selected at its next site; continue it where it is paused, or is to be", disabledReason: noActors, run: (*Model).pauseOrGo},
		{Name: "go.next", Title: "this frame goes on until its next site", disabledReason: thisNotPaused, run: goThis(control.GoNext)},
		{Name: "go.into", Title: "this frame goes on until who gets its next message has it", disabledReason: thisNotPaused, run: goThis(control.GoInto)},
		{Name: "go.finish", Title: "this frame goes on until its caller has the result", disabledReason: thisNotPaused, run: goThis(control.GoFinish)},
		{Name: "go.follow", Title: "this frame goes on until anybody receives what it leads to", disabledReason: thisNotPaused, run: goThis(control.GoFollow)},
		{Name: "go.fail", Title: "this frame fails with an error that you type", disabledReason: thisNotPaused, run: act((*Model).openFail)},
		{Name: "go.return", Title: "this frame returns a value that you type", disabledReason: thisNotPaused, run: act((*Model).openReturn)},
		{Name: "go.retry", Title: "this panicking handler begins anew", disabledReason: thisNotAt(control.SitePanic, "it does not panic: continue lets it go on"), run: goThis(control.GoRetry)},
		{Name: "go.crash", Title: "this panic takes its course", disabledReason: thisNotAt(control.SitePanic, "it does not panic: continue lets it go on"), run: goThis(control.GoCrash)},
		{Name: "edit.arg", Keys: []string{"i"}, Title: "change the arguments of the message that is held", Hint: "edit message", Weight: 62, disabledReason: thisNotPaused, run: (*Model).openEditHeld},
		{Name: "discard", Keys: []string{"X"}, Title: "discard the queued message under the cursor of the inspector", Hint: "discard", Weight: 64, disabledReason: noQueued, run: (*Model).askDiscard},
		{Name: "breaks.off", Keys: []string{"D"}, Title: "all breakpoints off, or on again", disabledReason: noBreaks, run: (*Model).toggleAllBreaks},
	}
	for _, a := range all {
		a.Group = groupDebug
	}
	return all
}

// openFail asks for the error with which the frame that is looked at fails.
func (m *Model) openFail() { m.openGo("fail", "the text of the error") }

// openReturn asks for the value that the frame that is looked at returns.
func (m *Model) openReturn() { m.openGo("return", "a literal of the result's type") }

// openGo asks for a text, and lets the actor go on with it that is looked at now.
func (m *Model) openGo(word, hint string) {
	st, ok := m.thisStop()
	if !ok {
		return
	}
	m.openLine(word, hint, func(m *Model, text string) tea.Cmd {
		if text = strings.TrimSpace(text); text == "" {
			return nil
		}
		return m.goOn("on " + stopName(&st) + " " + word + " " + text)
	})
}
