package script

import (
	"fmt"
	"io"
	"math"
	"os"
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
}

type recorded struct {
	text   string
	expect []string // what save --expect adds
}

// Add records a command as written.
func (r *Recorder) Add(text string) { r.put(recorded{text: text}) }

func (r *Recorder) put(l recorded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, l)
	if r.out != nil {
		if _, err := io.WriteString(r.out, l.text+"\n"); err != nil && r.err == nil {
			r.err = err
		}
	}
}

// add records a statement after it ran, with what it gave.
func (r *Recorder) add(st *Stmt, res *result, step *Step) {
	switch st.Cmd.Verb.Name {
	case "record", "save", "quit", "help", "expect", "source":
		return
	}
	l := recorded{text: st.Text}
	if step.Code == ExitCommand && !st.MustFail { // so that the saved script passes where this line failed
		at := max(strings.Index(l.text, st.Cmd.Text), 0) // behind the guards
		l.text = l.text[:at] + "! " + l.text[at:]
	} else if _, isCall := st.Cmd.Args.(CallArgs); isCall || st.Cmd.Verb.Name == "wait" {
		l.expect = observed(st, res)
	}
	r.put(l)
}

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

// Save writes everything recorded so far as a script; with expect, what calls gave becomes expectations.
func (r *Recorder) Save(w io.Writer, expect bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lines {
		if _, err := fmt.Fprintln(w, l.text); err != nil {
			return err
		}
		for _, e := range l.expect {
			if !expect {
				break
			}
			if _, err := fmt.Fprintln(w, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// start writes every line from now on to a file as well.
func (r *Recorder) start(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.out != nil {
		r.out.Close()
	}
	r.out = f
	return nil
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

// file runs record and save.
func (s *Session) file(verb string, a FileArgs) error {
	if verb == "record" {
		return s.rec.start(a.File)
	}
	f, err := os.Create(a.File)
	if err != nil {
		return err
	}
	if err := s.rec.Save(f, a.Expect); err != nil {
		f.Close()
		return fmt.Errorf("save %s: %w", a.File, err)
	}
	return f.Close()
}

// Record adds a command to what save writes, for a front end whose actions are not typed.
func (s *Session) Record(text string) { s.rec.Add(text) }
