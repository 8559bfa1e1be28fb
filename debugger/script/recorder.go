package script

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Recorder turns what is done into lines of the language. It is safe for concurrent use: an explorer records from its
// actions, a session from its statements.
type Recorder struct {
	mu    sync.Mutex
	lines []recorded
	out   *os.File // of record FILE
	err   error

	open  []*ticket       // statements that run, and those that have ended since one of these began, in the order of their starts
	ticks int             // starts and ends so far
	jobs  map[string]bool // names of jobs that the lines have
}

type recorded struct {
	text    string
	written []string // expectations that somebody wrote below it, and that held
	expect  []string // what save --expect adds
}

// String is the line with its expectations; those that save --expect adds only where they are wanted.
func (l *recorded) String(expect bool) string {
	all := append([]string{l.text}, l.written...)
	for _, e := range l.expect {
		if expect && !slices.Contains(l.written, e) {
			all = append(all, e)
		}
	}
	return strings.Join(all, "\n") + "\n"
}

// Add records a command as written.
func (r *Recorder) Add(text string) { r.put(recorded{text: text}) }

func (r *Recorder) put(l recorded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.write(l)
}

// write takes a line; mu is held.
func (r *Recorder) write(l recorded) {
	if l.text == "" {
		return
	}
	r.lines = append(r.lines, l)
	if r.out != nil {
		if _, err := io.WriteString(r.out, l.String(false)); err != nil && r.err == nil {
			r.err = err
		}
	}
}

// lineOf is how a statement is recorded that nothing else ran beside, with what it gave; "" for one that says nothing.
func (r *Recorder) lineOf(d done) recorded {
	st, step := d.st, d.step
	l := recorded{text: st.Text, written: held(st, step)}
	switch {
	case d.givenUp():
		l = recorded{text: r.givenUp(d)}
	case st.Cmd.Verb.Name == expectWord:
		if len(l.written) == 0 || l.written[0] != indented(st.Expect[0]) { // it did not hold
			return recorded{}
		}
		l.written = l.written[1:]
	case d.failed(): // so that the saved script passes where this line failed
		at := max(strings.Index(l.text, st.Cmd.Text), 0) // behind the guards
		l.text = l.text[:at] + "! " + l.text[at:]
	case st.Cmd.Verb.answers:
		l.expect = observed(st, d.res)
	}
	return l
}

// givenUp is what is recorded of a command that was given up on, so that the script passes where it hung: a call is sent
// and cancelled, a stop ends what it was about by force, and of the rest a comment tells.
func (r *Recorder) givenUp(d done) string {
	st := d.st
	switch {
	case st.Cmd.Verb.Calls && d.res == nil: // before it was sent
	case isBroadcast(st):
		return st.Text
	case st.Cmd.Verb.Calls:
		job := r.freshJob("givenup")
		return st.Cmd.Text + " &" + job + "\ncancel " + job
	case st.Cmd.Verb.Name == "wait" && len(strings.Fields(st.Cmd.Text)) > 1:
		return "cancel" + strings.TrimPrefix(st.Cmd.Text, "wait")
	case st.Cmd.Verb.Name == stopWord && d.res != nil && d.res.ends: // the engine ends it all the same, without waiting for what it does
		return "kill" + strings.TrimPrefix(st.Cmd.Text, stopWord)
	}
	return remark("given up: " + st.Text)
}

// remark is a comment in a script that has nothing to run. At column 1 it would begin a phase.
func remark(text string) string { return "  # " + strings.ReplaceAll(text, "\n", " ") }

// held are the statement's expectations that were judged and held.
func held(st *Stmt, step *Step) (out []string) {
	if !step.OK() && len(step.Failures) == 0 { // the command failed, and nothing was judged
		return nil
	}
	for _, c := range st.Expect {
		if !slices.ContainsFunc(step.Failures, func(b Broken) bool { return b.Pos == c.Pos }) {
			out = append(out, indented(c))
		}
	}
	return out
}

func indented(c *Clause) string { return "  " + c.Text }

// observed are expectations that hold of what a call gave.
func observed(st *Stmt, res *result) []string {
	if st.Background != "" || res == nil || len(res.ranks) == 0 {
		return nil
	}
	if a, ok := st.Cmd.Args.(CallArgs); ok && a.Adverb == control.AdverbChoose { // next time it may be another rank
		return nil
	}
	same, values := true, false
	for _, x := range res.ranks {
		same = same && x.text == res.ranks[0].text
		values = values || x.text != ""
	}
	literal := func(v any) (string, bool) {
		switch v := v.(type) {
		case float64: // NaN and the infinities have no literal
			return show(v), !math.IsNaN(v) && !math.IsInf(v, 0)
		case string, bool, int:
			return show(v), len(show(v)) < maxShown
		}
		return "", false
	}
	if !values {
		return nil
	}
	if same {
		if l, ok := literal(res.ranks[0].value); ok {
			return []string{"  value == " + l}
		}
		return nil
	}
	parts := make([]string, 0, len(res.ranks))
	for _, x := range res.ranks {
		l, ok := literal(x.value)
		if !ok || len(parts) > 64 {
			return nil
		}
		parts = append(parts, l)
	}
	return []string{"  results == [" + strings.Join(parts, ", ") + "]"}
}

// Save writes everything recorded so far as a script and counts the commands; with expect, what calls gave becomes
// expectations.
func (r *Recorder) Save(w io.Writer, expect bool) (commands int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lines {
		if _, err := io.WriteString(w, l.String(expect)); err != nil {
			return 0, err
		}
		commands += strings.Count(l.text, "\n") + 1
	}
	return commands, nil
}

// start writes every line from now on to a file as well.
func (r *Recorder) start(f *os.File) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.out != nil {
		r.out.Close()
	}
	r.out = f
}

func (r *Recorder) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.out == nil {
		return nil
	}
	err := r.out.Close()
	r.out = nil
	if r.err != nil {
		err = r.err
	}
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

// record writes the commands from now on to a file.
func (s *Session) record(_ context.Context, a FileArgs, r *result) error {
	f, kept, err := replace(a.File)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	s.rec.start(f)
	r.text = written("commands from now on go to "+f.Name(), kept)
	return nil
}

// save writes the commands so far to a file.
func (s *Session) save(_ context.Context, a FileArgs, r *result) error {
	f, kept, err := replace(a.File)
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	n, err := s.rec.Save(f, a.Expect)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("save %s: %w", a.File, err)
	}
	r.text = written(plural(n, "command")+" saved in "+f.Name(), kept)
	return nil
}

// written says what was written, and where that is kept which the file held before, "" for nothing.
func written(said, kept string) []string {
	if kept == "" {
		return []string{said}
	}
	return []string{said, "what it held is now in " + kept}
}

// replace opens a file to be written anew; what it held is kept beside it, under the name that it returns.
func replace(name string) (f *os.File, kept string, err error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, "", err
	}
	if to, err := filepath.EvalSymlinks(path); err == nil { // the file is replaced, not the link to it
		path = to
	}
	mode := fs.FileMode(0o666)
	if old, err := os.Stat(path); err == nil && old.Mode().IsRegular() && old.Size() > 0 {
		mode, kept = old.Mode().Perm(), path+"~"
		if err := os.Rename(path, kept); err != nil {
			return nil, "", fmt.Errorf("keep what is there: %w", err)
		}
	}
	f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	return f, kept, err
}

// Record adds a command to what save writes, for a front end whose actions are not typed.
func (s *Session) Record(text string) { s.rec.Add(text) }
