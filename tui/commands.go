package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
)

// entry is one command of the log: from a key, a form or the ':' line.
type entry struct {
	line      string
	began     time.Time
	took      time.Duration // once done
	done      bool
	ok        bool
	cancelled bool // by the person: that is no error
	late      bool // it was given up on after its time
	queued    bool // behind a command that has to end first
	looksBack bool // at what was typed before it
	text      []string
	err       string
	answers   *answers // of a call
	cancel    context.CancelFunc
	runOptions
	given script.Given  // what a later look back sees; zero where it gave nothing, or nobody can look back at it
	args  any           // of its statement
	limit time.Duration // what it sets for those after it
	mesh  string        // of a call
	ep    string        // its endpoint
}

// runOptions are where a command came from and how it is to run.
type runOptions struct {
	inOrder     bool // only after those before it
	typed       bool // at the ':' line: what it gives is shown by itself
	keys, moves int  // of the person, when it was typed
}

// maxEntries bounds the log of commands.
const maxEntries = 1000

// commandDone says that a command has ended.
type commandDone struct {
	e     *entry
	step  *script.Step
	took  time.Duration
	given script.Given // zero where it gave nothing
}

// command runs a line of the language, and logs it.
func (m *Model) command(line string) tea.Cmd { return m.run(line, runOptions{}) }

// run is command for all who want it done somehow.
func (m *Model) run(line string, opts runOptions) tea.Cmd {
	line = strings.TrimSpace(line)
	if line == "" {
		return nil
	}
	e := m.logCommand(line)
	e.runOptions = opts
	sc, errs := m.parse(line)
	if len(errs) > 0 {
		m.failed(e, atColumn(errs[0].Msg, errs[0].Column))
		return nil
	}
	if len(sc.Stmts) == 0 {
		m.commands, m.shownEntry = m.commands[:len(m.commands)-1], nil
		return nil
	}
	st := sc.Stmts[0]
	e.args = argsOf(st)
	if cmd, mine := m.screenVerb(e, st); mine {
		return cmd
	}
	if why := m.offline(); why != "" {
		m.failed(e, why)
		return nil
	}
	if m.conn.viewer && st.Changes() {
		m.failed(e, onlyLooks)
		return nil
	}
	switch a := e.args.(type) {
	case script.OptionArgs:
		e.limit = a.Value
	case script.CallArgs:
		if a.Target != nil {
			e.mesh, e.ep = a.Target.Mesh, a.Target.Endpoint
		}
	}
	beside := st.Forkable() && len(sc.Stmts) == 1 && !opts.inOrder
	e.looksBack = sc.LooksBack()
	m.waiting = append(m.waiting, job{e, sc, beside})
	e.queued = true
	return m.nextJobs()
}

// parse reads a line of the language, in which via= knows the launchers of the settings.
func (m *Model) parse(line string) (*script.Script, []*script.Error) {
	return m.cfg.Settings.Launches.ParseLine(line)
}

// logCommand adds a line to the log.
func (m *Model) logCommand(line string) *entry {
	e := &entry{line: line, began: m.now()}
	m.commands = append(m.commands, e)
	if over := len(m.commands) - maxEntries; over > 0 {
		m.commands = m.commands[over:]
	}
	m.shownEntry, m.toast = e, toast{}
	m.touch()
	return e
}

// job is a command that runs, or waits for its turn.
type job struct {
	e      *entry
	sc     *script.Script
	beside bool // it may run beside others, on a fork of the session
}

// nextJobs starts the commands whose turn has come. Those that leave something in the session run one after the other;
// the others run beside them. One that looks back is where a script would stand: it waits for all that were typed before
// it, and all that were typed after it wait for it (INV-BACK).
func (m *Model) nextJobs() tea.Cmd {
	var cmds []tea.Cmd
	for i := 0; i < len(m.waiting); {
		j := m.waiting[i]
		if m.waitsFor(j.e) != nil {
			i++
			continue
		}
		m.waiting = slices.Delete(m.waiting, i, i+1)
		cmds = append(cmds, m.begin(j))
	}
	return tea.Batch(cmds...)
}

// begin starts a command on the session or on a fork of it.
func (m *Model) begin(j job) tea.Cmd {
	j.e.queued, j.e.began = false, m.now()
	j.e.answers = newAnswers()
	if j.beside {
		fork := m.conn.base.Fork()
		fork.Listen(j.e.answers.add)
		return m.start(j, fork)
	}
	m.serial = j.e
	m.conn.heard.Store(j.e.answers)
	if j.e.looksBack {
		m.conn.session.TakeOver(m.givenBefore(j.e))
	}
	return m.start(j, m.conn.session)
}

// waitsFor is the command that a queued one waits for, nil where its turn has come.
func (m *Model) waitsFor(e *entry) *entry {
	if m.serial != nil && (m.serial.looksBack || !m.mayRunBeside(e)) {
		return m.serial
	}
	for _, x := range slices.Backward(m.before(e)) {
		if !x.done && (e.looksBack || x.looksBack || x.queued && !m.mayRunBeside(e) && !m.mayRunBeside(x)) {
			return x
		}
	}
	return nil
}

// mayRunBeside reports whether a queued command may run on a fork.
func (m *Model) mayRunBeside(e *entry) bool {
	return slices.ContainsFunc(m.waiting, func(j job) bool { return j.e == e && j.beside })
}

// before are the commands that were typed before one.
func (m *Model) before(e *entry) []*entry {
	return m.commands[:max(0, slices.Index(m.commands, e))]
}

// givenBefore is what the last command gave that was typed before one and gave anything: a script would look back at
// it, on whatever session it ran.
func (m *Model) givenBefore(e *entry) script.Given {
	for _, x := range slices.Backward(m.before(e)) {
		if x.given != (script.Given{}) {
			return x.given
		}
	}
	return script.Given{}
}

// forgetGiven drops what nobody will look back at, so that the log of commands does not keep every value.
func (m *Model) forgetGiven() {
	seen := m.commands
	if len(m.waiting) > 0 {
		seen = m.before(m.waiting[0].e)
	}
	found := false
	for _, x := range slices.Backward(seen) {
		if found {
			x.given = script.Given{}
		}
		found = found || x.given != (script.Given{})
	}
}

// start runs a command on a session.
func (m *Model) start(j job, s *script.Session) tea.Cmd {
	ctx, cancel := context.WithCancel(m.ctx)
	e := j.e
	e.cancel = cancel
	gen := m.conn.gen
	return tea.Batch(m.task(func() tea.Msg {
		defer cancel()
		began, before := time.Now(), s.Last()
		step := &script.Step{}
		s.Run(ctx, j.sc, func(st *script.Step) {
			if st.Skipped == "" {
				step.Text = append(step.Text, st.Text...)
			}
			if !st.OK() && step.Err == "" {
				step.Code, step.Err, step.Failures = st.Code, st.Err, st.Failures
				if st.Stmt == j.sc.Stmts[0] { // else the place is one in a file, and told with it
					step.ErrPos = st.ErrPos
				}
			}
		})
		done := commandDone{e: e, step: step, took: time.Since(began)}
		if last := s.Last(); last != before {
			done.given = last
		}
		return tagged{gen, done}
	}), m.animate())
}

// commandEnded takes the result of a command.
func (m *Model) commandEnded(d commandDone) tea.Cmd {
	e := d.e
	var follow tea.Cmd
	if m.serial == e {
		m.serial = nil
		m.conn.idle()
		follow = m.followAttached()
		if e.limit > 0 && d.step.OK() {
			m.conn.limit = e.limit
		}
	}
	e.done, e.ok, e.took, e.text, e.given = true, d.step.OK(), d.took, d.step.Text, d.given
	if e == m.commands[len(m.commands)-1] { // a failure of one before it may have taken its row
		m.shownEntry = e
	}
	m.forgetGiven()
	e.cancelled = e.cancelled && d.step.Code == script.ExitInterrupt
	switch {
	case e.ok:
	case e.cancelled:
		e.err = "cancelled"
	default:
		e.late = d.step.Code == script.ExitTimeout
		e.err = atColumn(d.step.Err, d.step.ErrPos.Column)
		for _, f := range d.step.Failures {
			e.err = strings.TrimSpace(e.err + "\ndoes not hold: " + f.Clause + "\n" + strings.Join(f.Why, "\n"))
		}
		m.shownEntry = e
		m.errors++
	}
	m.touch()
	return tea.Batch(follow, m.nextJobs(), m.refreshOverlays(), m.showTyped(e))
}

// failed ends a command that could not begin.
func (m *Model) failed(e *entry, why string) {
	e.done, e.err = true, why
	m.errors++
	m.shownEntry = e
	m.touch()
}

// succeed ends a command that the screen itself has done.
func (m *Model) succeed(e *entry, text ...string) {
	e.done, e.ok, e.text = true, true, text
	m.touch()
}

// atColumn adds the column of a mistake to the first line of its text.
func atColumn(text string, column int) string {
	if column <= 0 {
		return text
	}
	first, rest, more := strings.Cut(text, "\n")
	first += fmt.Sprintf(" (column %d)", column)
	if more {
		first += "\n" + rest
	}
	return first
}

// running are the commands that have not ended.
func (m *Model) running() (out []*entry) {
	for _, e := range m.commands {
		if !e.done {
			out = append(out, e)
		}
	}
	return out
}

// offline says why nothing can be asked of the session now, "" if it can.
func (m *Model) offline() string {
	switch {
	case m.conn == nil && m.connErr != "":
		return "not connected: " + m.connErr
	case m.conn == nil:
		return "not connected yet"
	case !m.world.AsOf.IsZero():
		return "the connection is lost; what is shown is as of " + m.world.AsOf.Format(time.TimeOnly)
	}
	return ""
}

// lastCall is the last call that was sent.
func (m *Model) lastCall() *entry {
	for _, e := range slices.Backward(m.commands) {
		if word, _, _ := strings.Cut(e.line, " "); isCall(word) {
			return e
		}
	}
	return nil
}

// isCall reports whether a word is a verb that calls an endpoint.
func isCall(word string) bool {
	v, ok := script.VerbNamed(word)
	return ok && v.Calls
}

// argsOf are the arguments of a command; a statement that reads a file has none.
func argsOf(st *script.Stmt) any {
	if st.Cmd == nil {
		return nil
	}
	return st.Cmd.Args
}

const onlyLooks = "this explorer may only look (--viewer)"

// blocked says why nothing can be changed now, "" if it can.
func (m *Model) blocked() string {
	if why := m.offline(); why != "" || !m.conn.viewer {
		return why
	}
	return onlyLooks
}

// showTyped shows what a command has given that was typed at the ':' line: it goes to the mesh that was made, as the
// forms do (INV-SAME), and opens what is longer than the status row. A person who has gone on is left alone.
func (m *Model) showTyped(e *entry) tea.Cmd {
	if !e.typed || !e.ok || m.top() != nil || m.commands[len(m.commands)-1] != e {
		return nil
	}
	if _, n, _ := e.answers.list(); n == 0 && len(e.text) > 1 && m.input == nil && m.keys == e.keys {
		m.openEntry(e)
		return nil
	}
	if m.moves != e.moves || m.input != nil && m.input.mark != ":" { // a slice or a filter is of what is shown
		return nil
	}
	switch a := e.args.(type) {
	case script.ProcsArgs:
		m.goToProcs(a.Name)
	case script.SpawnArgs:
		m.goToActors(a.Mesh)
	default:
		return nil
	}
	return m.worldChanged()
}

// goToProcs goes to a proc mesh that was made, as soon as it is seen.
func (m *Model) goToProcs(name string) {
	m.setFocus(Mesh)
	m.show = target{procs: name}
}

// goToActors goes to an actor mesh that was spawned, as soon as it is seen.
func (m *Model) goToActors(name string) {
	m.setFocus(Ranks)
	m.show = target{mesh: name}
}
