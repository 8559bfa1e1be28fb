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
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// runDemo runs a demo and prints its story.
func runDemo(ctx context.Context, d demoFlags, net networkFlags) error {
	demo, err := findDemo(d.name)
	if err != nil {
		return err
	}
	if d.reach, err = net.reach(control.Reach{}); err != nil {
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
	opts := []engine.Option{engine.Output(storyLines{tell}, os.Stderr), engine.SortedOutput(), engine.Seed(d.seed), engine.SessionName("demo-" + demo.Name), engine.VirtualIfShort()}
	e, err := engine.Start(limited, append(opts, reachOptions(d.reach)...)...)
	if err != nil {
		return failed(tell, exitInternal, err)
	}
	defer e.Close()
	if err := e.OpenSession(); err != nil {
		fmt.Fprintln(os.Stderr, "warning: nobody can attach to this demo:", err)
	}
	onlooker := &onlooker{backend: e.Backend()}
	defer onlooker.leave()
	err = e.Run(func(ctx context.Context) error {
		ctx = story.With(story.WithDebugger(ctx), func(ctx context.Context, s story.Step) (bool, error) {
			told, err := json.Marshal(s)
			if err != nil {
				return false, err
			}
			fmt.Fprintf(engine.Out(ctx), "%s%s\n", stepMark, told)
			return onlooker.do(ctx, s)
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

// stepMark begins the line of a step, in the stream of what is printed: so its place is certain. The step follows as JSON.
const stepMark = "\x1edemo step "

// teller tells a demo's story. What cannot be written is the writer's to remember.
type teller interface {
	step(s story.Step)
	line(text string)
	fail(err *exitError)
}

// storyLines takes what a demo prints apart.
type storyLines struct{ teller }

func (l storyLines) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		var s story.Step
		if told, ok := strings.CutPrefix(line, stepMark); ok && json.Unmarshal([]byte(told), &s) == nil {
			l.step(s)
		} else {
			l.line(line)
		}
	}
	return len(b), nil
}

// told is what is told of a step, kind by kind. A task has nobody to do it here: that the demo does is told, too.
func told(s story.Step) (parts [][2]string) {
	parts = append(parts, [2]string{"tell", s.Text})
	if len(s.Goals) > 0 {
		parts = append(parts, [2]string{"task", "(a task for whoever watches in the explorer; here the demo does it)"})
	}
	if s.Go != "" {
		parts = append(parts, [2]string{"go", s.Go})
	}
	for _, line := range append([]string{s.Command}, s.Goals...) {
		if line != "" && !strings.HasPrefix(line, "@") { // that is what comes of a command
			parts = append(parts, [2]string{"command", line})
		}
	}
	return parts
}

// toldLines is what is told of a step as lines of text.
func toldLines(s story.Step) (lines []string) {
	label := map[string]string{"go": "go  ", "command": ":   "}
	for _, part := range told(s) {
		if l, code := label[part[0]]; code {
			lines = append(lines, l+part[1])
			continue
		}
		lines = append(lines, paint.Wrap(part[1], proseWidth)...)
	}
	return lines
}

// proseWidth is how wide the lines of a text are.
const proseWidth = 76

// plainStory is for people: a blank line around each step. How it failed is told on stderr.
type plainStory struct {
	w            io.Writer
	begun, blank bool // a blank line comes before the next that is none
}

func (p *plainStory) step(s story.Step) {
	p.blank = p.begun
	p.line("── " + s.Title)
	for _, line := range toldLines(s) {
		p.line("   " + line)
	}
	p.blank = true
}

func (p *plainStory) line(text string) {
	if text == "" {
		p.blank = p.begun
		return
	}
	if p.blank {
		fmt.Fprintln(p.w)
	}
	p.begun, p.blank = true, false
	fmt.Fprintln(p.w, text)
}

func (*plainStory) fail(*exitError) {}

// jsonStory makes one JSON object of each line, as it comes.
type jsonStory struct{ enc *json.Encoder }

func (j *jsonStory) put(kind, text string) {
	_ = j.enc.Encode(map[string]string{"kind": kind, "text": text})
}

func (j *jsonStory) step(s story.Step) {
	j.put("step", s.Title)
	for _, part := range told(s) {
		j.put(part[0], part[1])
	}
}

func (j *jsonStory) line(text string)    { j.put("out", text) }
func (j *jsonStory) fail(err *exitError) { j.put("error", err.Error()) }

// steps makes a step of a report of each step of the story, once the next begins.
type steps struct {
	tell func(*script.Step)
	now  *script.Step
}

func (s *steps) step(told story.Step) {
	s.end()
	s.now = &script.Step{Stmt: &script.Stmt{Text: told.Title}}
	if told.Text != "" {
		s.now.Text = append(toldLines(told), "")
	}
}

// current is the step that what comes belongs to; what comes before the first belongs to the start.
func (s *steps) current() *script.Step {
	if s.now == nil {
		s.step(story.Step{Title: "Start"})
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
