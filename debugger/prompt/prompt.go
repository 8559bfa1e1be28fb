package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/debugger/kept"
	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// maxLine is the longest line that is read, in bytes: as long as Monarch's.
const maxLine = 64 << 10

// Outer is what the prompt shows while nobody is attached to a frame.
const Outer = "monarch_dbg> "

const banner = `

************************ MONARCH DEBUGGER ************************
Enter 'help' for a list of commands.
Enter 'list' to show all active breakpoints.

`

// Prompt is the prompt on one session. Its methods are for one goroutine, but for Text and Complete.
type Prompt struct {
	s   *script.Session
	c   *control.Client
	out io.Writer

	mu    sync.Mutex // held while a command runs, so that news does not come between its lines
	known map[control.StopRef]bool
	last  map[string][]string // by actor: what was shown last while somebody was attached to it
	calls sync.WaitGroup      // that went on without the prompt
	news  sync.WaitGroup
	kept  *kept.Keeper // nil: breakpoints are not kept
	stop  context.CancelFunc
	left  atomic.Bool       // the person has left: what ends now was given up
	at    debugger.Attached // as the session has it
	text  string
}

// New begins the prompt of a client, and says what a person who comes reads first. Close ends it.
func New(ctx context.Context, c *control.Client, out io.Writer) (*Prompt, error) {
	s, err := script.NewSession(ctx, c, script.Options{Person: true})
	if err != nil {
		return nil, err
	}
	p := &Prompt{s: s, c: c, out: out, known: map[control.StopRef]bool{}, last: map[string][]string{}}
	p.settle()
	_, _ = io.WriteString(out, banner)
	s.Look(func(r *control.Replica) {
		if n := len(r.Stops); n > 0 {
			p.show(fmt.Sprintf("stopped: %s", debugger.Folded(r.Stops)))
		}
	})
	ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	p.news.Go(func() { p.follow(ctx) })
	return p, nil
}

// Close leaves the session; whoever is stopped stays stopped. Calls that still run are given up by the client's Close.
func (p *Prompt) Close() error {
	p.left.Store(true)
	p.stop()
	p.news.Wait()
	p.keepLast()
	return p.s.Close()
}

// Wait waits for the calls that went on without the prompt: they end when the client is closed.
func (p *Prompt) Wait() { p.calls.Wait() }

// Text is what the prompt shows before a line: whom commands are about.
func (p *Prompt) Text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text
}

// Goodbye tells what stays behind.
func (p *Prompt) Goodbye() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.s.Look(func(r *control.Replica) {
		if len(r.Stops) == 0 {
			return
		}
		what := fmt.Sprintf("%s stays stopped", debugger.Folded(r.Stops))
		switch others := debugger.Acting(r.Clients, p.c.Info().Client.ID); {
		case others > 0 || r.Debug.Policy == control.PolicyStay:
		case r.Debug.Policy == control.PolicyAbort:
			what += fmt.Sprintf("; unless a front end comes within %v its call fails", r.Debug.Grace)
		default:
			what += fmt.Sprintf("; unless a front end comes within %v it goes on", r.Debug.Grace)
		}
		p.show(what)
	})
}

// show writes lines, made fit for a terminal.
func (p *Prompt) show(lines ...string) {
	var b strings.Builder
	for _, l := range lines {
		for part := range strings.SplitSeq(l, "\n") {
			b.WriteString(clean.Text(part) + "\n")
		}
	}
	_, _ = io.WriteString(p.out, b.String())
}

// settle brings the text of the prompt, and what needs no telling any more, up to date. p.mu is held, or nobody else is there.
func (p *Prompt) settle() {
	p.at = p.s.Attached()
	p.text = Outer
	p.s.Look(func(r *control.Replica) {
		clear(p.known)
		for i := range r.Stops {
			st := &r.Stops[i]
			p.known[control.StopRef{ID: st.ID, Gen: st.Gen}] = true
		}
		if p.at.Mesh == "" {
			return
		}
		p.text = fmt.Sprintf("%s[%d] runs> ", p.at.Mesh, p.at.Rank)
		if st, err := debugger.Which(r.Stops, p.at); err == nil {
			p.text = clean.Line(fmt.Sprintf("%s[%d] %s@%s> ", st.Mesh, st.Rank, st.Endpoint, st.Site))
		}
	})
}

// follow tells of frames that stop while nobody types, until ctx ends.
func (p *Prompt) follow(ctx context.Context) {
	for {
		changed := p.s.Changed()
		p.mu.Lock()
		p.tellNew()
		p.keepUp()
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// tellNew tells of frames that have stopped since the last time. p.mu is held.
func (p *Prompt) tellNew() {
	var lines []string
	p.s.Look(func(r *control.Replica) {
		for _, st := range debugger.Sorted(r.Stops) {
			if ref := (control.StopRef{ID: st.ID, Gen: st.Gen}); !p.known[ref] {
				p.known[ref] = true
				lines = append(lines, "stopped: "+debugger.Line(&st))
			}
		}
	})
	if len(lines) > 0 {
		p.show(lines...)
	}
}

// errQuit ends the prompt.
var errQuit = errors.New("quit")

// Line does what a line says. It reports whether the person wants to leave. ctx ends the command, not the prompt.
func (p *Prompt) Line(ctx context.Context, line string) (leave bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line = strings.TrimSpace(line)
	if len(line) > maxLine {
		p.show(fmt.Sprintf("Error parsing input: the line has %d bytes and %d are read", len(line), maxLine))
		return false
	}
	if p.at.Mesh != "" { // as pdb: !expr prints, :word is a word of the outer prompt
		line = strings.TrimPrefix(line, ":")
		if expr, ok := strings.CutPrefix(line, "!"); ok {
			line = "print " + expr
		}
	}
	if line == "" {
		return false
	}
	sc, errs := script.ParseLine(line)
	if len(errs) > 0 {
		p.show("Error parsing input: " + strings.TrimPrefix(errs[0].Detail(), ":"))
		return false
	}
	for _, st := range sc.Stmts {
		if err := p.run(ctx, st); err != nil {
			return errors.Is(err, errQuit)
		}
	}
	return false
}

// run does one command.
func (p *Prompt) run(ctx context.Context, st *script.Stmt) error {
	p.tellNew()
	was := p.at
	name := ""
	if st.Cmd != nil {
		name = st.Cmd.Verb.Name
	}
	switch name {
	case "quit":
		p.show("Quitting debug session...")
		return errQuit
	case "detach":
		if was.Mesh != "" {
			p.show("Detaching from debug session for " + p.session(was))
		}
	}
	var step *script.Step
	if st.Cmd != nil && st.Cmd.Verb.Calls && st.Forkable() {
		if step = p.beside(ctx, st); step == nil {
			return nil
		}
	} else {
		step = p.s.Exec(ctx, st)
	}
	unsaid := p.unsaid(step)
	p.settle()
	for _, ref := range unsaid {
		delete(p.known, ref)
	}
	p.keepUp()
	err := p.tell(name, was, step)
	p.tellNew()
	return err
}

// unsaid are the stops that have come during a command and that it does not tell of itself, as a step does of its own.
func (p *Prompt) unsaid(step *script.Step) (refs []control.StopRef) {
	text := strings.Join(step.Text, "\n")
	p.s.Look(func(r *control.Replica) {
		for i := range r.Stops {
			st := &r.Stops[i]
			if ref := (control.StopRef{ID: st.ID, Gen: st.Gen}); !p.known[ref] && !strings.Contains(text, debugger.Place(st)) {
				refs = append(refs, ref)
			}
		}
	})
	return refs
}

// session names a debug session as Monarch does: actor, rank and host.
func (p *Prompt) session(a debugger.Attached) string {
	host := "local"
	p.s.Look(func(r *control.Replica) {
		if st, err := debugger.Which(r.Stops, a); err == nil {
			host = debugger.Host(r, &st)
		}
	})
	return fmt.Sprintf("%s %d (%s)", a.Mesh, a.Rank, host)
}

// tell shows what came of a command. A failure ends the line that it stands in.
func (p *Prompt) tell(name string, was debugger.Attached, step *script.Step) error {
	lines := make([]string, len(step.Text))
	for i, l := range step.Text {
		if strings.HasPrefix(l, "attached to debug") || strings.HasPrefix(l, "detached from debug") {
			l = strings.ToUpper(l[:1]) + l[1:]
		}
		lines[i] = l
	}
	if step.Err != "" || len(step.Failures) > 0 {
		p.show(lines...)
		p.show(failure(step)...)
		return errors.New("it failed")
	}
	if name == "attach" && p.at.Mesh != "" {
		if last := p.last[p.at.String()]; len(last) > 0 && len(lines) > 0 {
			lines = append([]string{lines[0], fmt.Sprintf("<last pdb output for %s %d follows>", p.at.Mesh, p.at.Rank)}, last...)
		}
	} else if was.Mesh != "" && name != "detach" && len(lines) > 0 {
		p.last[was.String()] = lines
	}
	if name == "attach" && p.at.Mesh != "" && len(p.last[p.at.String()]) == 0 && len(lines) > 1 {
		p.last[p.at.String()] = lines[1:]
	}
	p.show(lines...)
	return nil
}

// failure is what went wrong, in Monarch's words where it has some.
func failure(step *script.Step) (out []string) {
	if step.Err != "" {
		msg := step.Err
		if strings.HasPrefix(msg, "no debug session") {
			out = append(out, "N"+msg[1:])
		} else {
			out = append(out, "Error processing command: "+msg)
		}
	}
	for _, f := range step.Failures {
		out = append(out, "does not hold: "+f.Clause)
		for _, w := range f.Why {
			out = append(out, "  "+w)
		}
	}
	return out
}

// behind is how long a call is awaited while somebody is stopped already: what it waits for may be that one.
const behind = time.Second

// beside runs a call on a fork of the session, and gives it up to itself when somebody stops meanwhile, or when it may wait
// for who was stopped before: nil then. p.mu is held.
func (p *Prompt) beside(ctx context.Context, st *script.Stmt) *script.Step {
	fork := p.s.Fork()
	done := make(chan *script.Step, 1)
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.calls.Go(func() { done <- fork.Exec(own, st) })
	stops := func() (n bool) {
		p.s.Look(func(r *control.Replica) {
			for i := range r.Stops {
				n = n || !p.known[control.StopRef{ID: r.Stops[i].ID, Gen: r.Stops[i].Gen}]
			}
		})
		return n
	}
	alone := func() {
		p.settle()
		p.calls.Go(func() {
			defer cancel()
			step := <-done
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.left.Load() && !step.OK() {
				p.show("given up, for you leave: " + st.Describe())
				return
			}
			p.show("ended: " + st.Describe())
			p.show(step.Text...)
			p.show(failure(step)...)
		})
	}
	late := time.NewTicker(behind)
	defer late.Stop()
	for {
		changed := p.s.Changed()
		if stops() {
			p.tellNew()
			alone()
			return nil
		}
		select {
		case <-late.C:
			var who string
			p.s.Look(func(r *control.Replica) {
				if len(r.Stops) > 0 {
					who = debugger.Folded(r.Stops)
				}
			})
			if who != "" {
				p.show(fmt.Sprintf("no answer yet, and %s is stopped: it is told when it comes", who))
				alone()
				return nil
			}
		case step := <-done:
			cancel()
			p.s.TakeOver(fork.Last())
			return step
		case <-changed:
		case <-ctx.Done():
			cancel()
			return <-done
		}
	}
}
