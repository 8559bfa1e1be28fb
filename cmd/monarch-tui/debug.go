package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/monarch-tui/monarch-tui/debugger/kept"
	"github.com/monarch-tui/monarch-tui/debugger/prompt"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui"
)

// newDebugCommand opens the debugger's prompt.
func newDebugCommand() *cobra.Command {
	var via string
	cmd := &cobra.Command{
		Use:   "debug [ADDR]",
		Short: "Debug a running session at a prompt: break, step and look into single actors",
		Long: "debug opens a prompt on the session of a running program: a name, a pid or the path of its socket. Without\n" +
			"ADDR it takes the only session there is. Its words are those of scripts; help lists them. Those of Monarch's\n" +
			"debugger are among them: list, attach NAME RANK, detach, cast NAME ranks(…) CMD, continue, quit, help.\n\n" +
			"While it is open a panic stops its actor, so that you can look. Leaving with quit, end of file or an interrupt\n" +
			"leaves stopped what is stopped, for as long as the session's policy says.",
		Example: "  monarch-tui debug\n" +
			"  monarch-tui debug trainer\n" +
			"  echo list | monarch-tui debug trainer\n" +
			"  monarch-tui debug --via 'ssh gpubox monarch-tui attach --stdio trainer'",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError("debug takes one session, and these are %d", len(args))
			}
			return nil
		},
		ValidArgsFunction: completeSessions,
		RunE: func(cmd *cobra.Command, args []string) error {
			addr := strings.Join(args, "")
			if via != "" && addr != "" {
				return usageError("--via leads to a session by itself: name %s in its command", addr)
			}
			return debugSession(cmd.Context(), addr, via, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&via, "via", "", "reach the session through the stdin and stdout of this shell command")
	return cmd
}

// onlySession is the name of the one session there is.
func onlySession() (string, error) {
	list, err := control.ListSessions()
	if err != nil {
		return "", &exitError{exitCommand, err}
	}
	names := make([]string, 0, len(list))
	for _, i := range list {
		names = append(names, i.Name)
	}
	switch len(names) {
	case 0:
		return "", &exitError{exitCommand, errors.New("no session is running; a program that calls engine.Main opens one")}
	case 1:
		return names[0], nil
	}
	return "", usageError("%d sessions are running, say which: %s", len(names), strings.Join(names, ", "))
}

// debugSession runs the prompt on a session until the person leaves or the session ends.
func debugSession(outer context.Context, addr, via string, out io.Writer) error {
	me := control.ClientInfo{Name: debuggerName(), Role: control.RoleDebug}
	dial := func() (*control.Client, error) { return control.Dial(outer, addr, me) }
	if via != "" {
		dial = func() (*control.Client, error) { return dialVia(outer, via, me, false) }
	} else if addr == "" {
		var err error
		if addr, err = onlySession(); err != nil {
			return err
		}
	}
	c, err := dial()
	if err != nil {
		return &exitError{exitCommand, err}
	}
	in := newLineReader(out)
	defer in.close()
	p, err := prompt.New(outer, c, in)
	if err != nil {
		_ = c.Close()
		return &exitError{exitCommand, err}
	}
	in.complete = p.Complete
	if in.t != nil && !forgetsBreaks(out) { // what comes through a pipe sets what it wants itself
		p.Keep(outer, keptBreaks())
	}
	gone := converse(outer, c, p, in)
	err = p.Close()
	_ = c.Close()
	p.Wait()
	switch {
	case gone != nil && gone.Error() == control.ErrClosed.Error(): // it says no more
		return &exitError{exitCommand, gone}
	case gone != nil:
		return &exitError{exitCommand, fmt.Errorf("%w: %w", control.ErrClosed, gone)}
	case err != nil:
		return &exitError{exitCommand, err}
	}
	return nil
}

// keptBreaks is where breakpoints are kept from session to session; not those of our own, which are demos.
func keptBreaks() *kept.Store {
	_, dir := tui.Paths()
	if dir == "" {
		return nil
	}
	return kept.In(filepath.Join(dir, "breaks"), filepath.Base(os.Args[0]), "monarch-tui")
}

// forgetsBreaks reports whether a person's settings say that breakpoints are not kept. Settings that cannot be read are told,
// and say nothing.
func forgetsBreaks(out io.Writer) bool {
	name, _ := tui.Paths()
	set, err := tui.LoadSettings(name)
	if err != nil {
		fmt.Fprintf(out, "the settings are left aside: %v\n", err)
	}
	return set.ForgetBreaks
}

// debuggerName is how other front ends see who debugs.
func debuggerName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return "debug " + u.Username
	}
	return "debug"
}

// converse reads and does lines until the person leaves: nil, or until the session ends: why. An interrupt ends the command
// that runs; where none does it is leaving, as the end of the input is.
func converse(outer context.Context, c *control.Client, p *prompt.Prompt, in *lineReader) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	ctx := context.WithoutCancel(outer) // an interrupt is told by signals here
	for {
		in.ask(p.Text())
		var line string
		select {
		case got, ok := <-in.lines:
			if !ok {
				in.newline()
				p.Goodbye()
				return nil
			}
			line = got
		case <-signals:
			in.newline()
			p.Goodbye()
			return nil
		case <-c.Done():
			in.newline()
			return cause(c)
		}
		switch leave, sig := do(ctx, p, line, signals); {
		case leave, sig != nil && sig != os.Interrupt:
			p.Goodbye()
			return nil
		}
	}
}

// do does a line, which an interrupt cuts short. It gives the signal that came.
func do(ctx context.Context, p *prompt.Prompt, line string, signals <-chan os.Signal) (leave bool, sig os.Signal) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan bool, 1)
	go func() { done <- p.Line(ctx, line) }()
	for {
		select {
		case leave := <-done:
			return leave, sig
		case sig = <-signals:
			cancel()
		}
	}
}

func cause(c *control.Client) error {
	if err := c.Err(); err != nil {
		return err
	}
	return control.ErrClosed
}

// lineReader reads lines from a terminal, with history and completion, or from whatever else stdin is. It is the prompt's
// output too, because a terminal draws the line that is being typed anew below what comes meanwhile.
type lineReader struct {
	out      io.Writer
	lines    chan string // closed at the end of the input
	asks     chan string // prompts; each is for one line
	complete func(line string) (from int, words []string)

	mu    sync.Mutex
	t     *term.Terminal // nil: stdin is no terminal
	state *term.State    // of the terminal while no line is read
	raw   bool
}

func newLineReader(out io.Writer) *lineReader {
	r := &lineReader{out: out, lines: make(chan string), asks: make(chan string, 1)}
	if term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd())) {
		r.t = term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{os.Stdin, os.Stdout}, "")
		r.t.AutoCompleteCallback = r.completed
		go r.readTerminal()
		return r
	}
	go r.readPlain()
	return r
}

// Write writes text, above the line that is being typed.
func (r *lineReader) Write(b []byte) (int, error) {
	r.mu.Lock()
	t := r.t
	if !r.raw {
		t = nil
	}
	r.mu.Unlock()
	if t != nil {
		return t.Write(b)
	}
	return r.out.Write(b)
}

// ask shows the prompt and has one line read.
func (r *lineReader) ask(text string) {
	if r.t == nil {
		fmt.Fprint(r.out, text)
	}
	select {
	case r.asks <- text:
	default: // one is being read already
	}
}

// newline ends the line of a prompt that nobody answers any more.
func (r *lineReader) newline() {
	r.cooked()
	fmt.Fprintln(r.out)
}

// maxTyped bounds a line of a pipe, so that no end of line at all does not take all memory.
const maxTyped = 128 << 10

// readPlain ends with the process: a read of stdin cannot be interrupted.
func (r *lineReader) readPlain() {
	defer close(r.lines)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, maxTyped)
	for range r.asks {
		if !in.Scan() {
			if errors.Is(in.Err(), bufio.ErrTooLong) {
				fmt.Fprintf(r.out, "a line of more than %d bytes: nothing more is read\n", maxTyped)
			}
			return
		}
		r.lines <- in.Text()
	}
}

// readTerminal reads as readPlain does. The terminal is raw only while a line is typed, so that an interrupt reaches a command.
func (r *lineReader) readTerminal() {
	defer close(r.lines)
	for text := range r.asks {
		state, err := term.MakeRaw(int(os.Stdin.Fd()))
		if err != nil {
			return
		}
		r.mu.Lock()
		r.state, r.raw = state, true
		r.mu.Unlock()
		if w, h, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
			_ = r.t.SetSize(w, h)
		}
		r.t.SetPrompt(text)
		line, err := r.t.ReadLine()
		r.cooked()
		if err != nil && !errors.Is(err, term.ErrPasteIndicator) {
			return
		}
		r.lines <- line
	}
}

// cooked gives the terminal back as it was.
func (r *lineReader) cooked() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.raw {
		_ = term.Restore(int(os.Stdin.Fd()), r.state)
		r.raw = false
	}
}

func (r *lineReader) close() { r.cooked() }

// completed completes the word before the cursor as far as all that fit agree, and lists them where they do not.
func (r *lineReader) completed(line string, pos int, key rune) (string, int, bool) {
	if key != '\t' || r.complete == nil {
		return "", 0, false
	}
	from, words := r.complete(line[:pos])
	if len(words) == 0 {
		return line, pos, true
	}
	common := words[0]
	for _, w := range words[1:] {
		for !strings.HasPrefix(w, common) {
			common = common[:len(common)-1]
		}
	}
	if len(words) > 1 && common == line[from:pos] {
		go fmt.Fprintln(r, strings.Join(words, "  ")) // Write wants the lock that this is called with
	}
	return line[:from] + common + line[pos:], from + len(common), true
}
