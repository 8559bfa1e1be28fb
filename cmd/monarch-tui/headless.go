package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/demos"
	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
)

// runDemo runs a demo and prints its story.
func runDemo(ctx context.Context, d demoFlags) error {
	demo, err := findDemo(d.name)
	if err != nil {
		return err
	}
	if d.ranks == 0 {
		d.ranks = demo.Ranks
	}
	out := &report{w: os.Stdout}
	err = d.print(ctx, demo, out)
	if out.err != nil {
		return &exitError{exitInternal, fmt.Errorf("the demo's text could not be written: %w", out.err)}
	}
	return err
}

// print prints the story in the format that is wanted.
func (d *demoFlags) print(ctx context.Context, demo demos.Demo, out io.Writer) error {
	switch d.format {
	case "text":
		return d.play(ctx, demo, &plainStory{w: out})
	case "ndjson":
		return d.play(ctx, demo, &jsonStory{json.NewEncoder(out)})
	}
	r := script.Runner{Out: out, Format: d.format, Color: colored(os.Stdout)}
	code := r.Story("demo "+demo.Name, func(tell func(*script.Step)) int {
		s := &steps{tell: tell}
		_ = d.play(ctx, demo, s) // the steps tell it
		return s.end()
	})
	if code != 0 {
		return &exitError{code: code}
	}
	return nil
}

// play runs the demo in a session of its own and tells its story.
func (d *demoFlags) play(ctx context.Context, demo demos.Demo, tell teller) error {
	limited, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	e, err := engine.Start(limited, engine.Output(storyLines{tell}, os.Stderr), engine.SortedOutput(), engine.Seed(d.seed), engine.SessionName("demo-"+demo.Name))
	if err != nil {
		return failed(tell, exitInternal, err)
	}
	defer e.Close()
	if err := e.OpenSession(); err != nil {
		fmt.Fprintln(os.Stderr, "warning: nobody can attach to this demo:", err)
	}
	err = e.Run(func(ctx context.Context) error {
		ctx = story.With(ctx, func(ctx context.Context, text string) error {
			fmt.Fprintln(engine.Out(ctx), stepMark+text)
			return ctx.Err()
		})
		return runs(ctx, demo, d.ranks)
	})
	e.Close() // what is printed until now belongs to the story
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return failed(tell, exitInterrupted, errors.New("interrupted"))
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		return failed(tell, exitTimeout, fmt.Errorf("the demo did not end within %v: %w", d.timeout, err))
	}
	return failed(tell, exitCommand, fmt.Errorf("demo %s: %w", demo.Name, err))
}

// failed tells how a story ended.
func failed(tell teller, code int, err error) error {
	e := &exitError{code, err}
	tell.fail(e)
	return e
}

// stepMark begins the line of a step, in the stream of what is printed: so its place is certain.
const stepMark = "── "

// teller tells a demo's story. What cannot be written is the writer's to remember.
type teller interface {
	step(name string)
	line(text string)
	fail(err *exitError)
}

// storyLines takes what a demo prints apart.
type storyLines struct{ teller }

func (s storyLines) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, stepMark); ok {
			s.step(name)
		} else {
			s.line(line)
		}
	}
	return len(b), nil
}

// plainStory is for people: a blank line before each step but the first. How it failed is told on stderr.
type plainStory struct {
	w     io.Writer
	begun bool
}

func (p *plainStory) step(name string) {
	if p.begun {
		fmt.Fprintln(p.w)
	}
	p.line(stepMark + name)
}

func (p *plainStory) line(text string) {
	p.begun = true
	fmt.Fprintln(p.w, text)
}

func (*plainStory) fail(*exitError) {}

// jsonStory makes one JSON object of each line, as it comes.
type jsonStory struct{ enc *json.Encoder }

func (j *jsonStory) put(kind, text string) {
	_ = j.enc.Encode(map[string]string{"kind": kind, "text": text})
}

func (j *jsonStory) step(name string)    { j.put("step", name) }
func (j *jsonStory) line(text string)    { j.put("out", text) }
func (j *jsonStory) fail(err *exitError) { j.put("error", err.Error()) }

// steps makes a step of a report of each step of the story, once the next begins.
type steps struct {
	tell func(*script.Step)
	now  *script.Step
}

func (s *steps) step(name string) {
	s.end()
	s.now = &script.Step{Stmt: &script.Stmt{Text: name}}
}

// current is the step that what comes belongs to; what comes before the first belongs to the start.
func (s *steps) current() *script.Step {
	if s.now == nil {
		s.step("Start")
	}
	return s.now
}

func (s *steps) line(text string) {
	now := s.current()
	now.Text = append(now.Text, text)
}

func (s *steps) fail(err *exitError) {
	now := s.current()
	now.Code, now.Err = err.code, err.Error()
}

// end tells the last step and returns how it ended.
func (s *steps) end() (code int) {
	if s.now == nil {
		return 0
	}
	for n := len(s.now.Text); n > 0 && s.now.Text[n-1] == ""; n-- {
		s.now.Text = slices.Delete(s.now.Text, n-1, n)
	}
	s.tell(s.now)
	code, s.now = s.now.Code, nil
	return code
}
