package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui"
)

// onlooker says the words of a printed demo's tasks, as a person would who looks on, and prints what they show. It is
// there only from the first of them on: the other demos have no front end, as before.
type onlooker struct {
	backend control.Backend
	client  *control.Client
	session *script.Session
}

// onlookerPatience bounds a word, and the wait for what must hold before it can be said.
const onlookerPatience = 5 * time.Second

// do says the words of a step. done is false where it has none, or one of them went wrong, which is printed.
func (o *onlooker) do(ctx context.Context, s story.Step) (done bool, err error) {
	for _, line := range s.Goals {
		if !tui.IsWord(line) {
			return false, ctx.Err()
		}
	}
	if len(s.Goals) == 0 {
		return false, ctx.Err()
	}
	if err := o.come(ctx); err != nil {
		return false, err
	}
	if s.Await != "" {
		if step := o.say(ctx, fmt.Sprintf("expect %s within %v", s.Await, onlookerPatience)); !step.OK() {
			return false, printWord(ctx, step)
		}
	}
	for _, line := range s.Goals {
		step := o.say(ctx, line)
		for range sureAfter {
			if line != "waits" && line != "deadlocks" || !step.OK() || !unsure(step.Text) {
				break
			}
			step = o.say(ctx, line)
		}
		if err := printWord(ctx, step); err != nil || !step.OK() {
			return false, err
		}
	}
	return true, ctx.Err()
}

// sureAfter is how many more looks a verdict gets that depends on the next one, or that found nobody yet.
const sureAfter = 5

func unsure(text []string) bool {
	return len(text) > 0 && (strings.HasPrefix(text[0], "perhaps") || strings.HasPrefix(text[0], "nobody waits"))
}

// come attaches to the demo's session.
func (o *onlooker) come(ctx context.Context) (err error) {
	if o.session != nil {
		return nil
	}
	o.client = control.InProcess(o.backend, control.ClientInfo{Name: "onlooker"})
	o.session, err = script.NewSession(context.WithoutCancel(ctx), o.client, script.Options{Timeout: onlookerPatience, Person: true})
	if err != nil {
		return fmt.Errorf("look on: %w", err)
	}
	return nil
}

func (o *onlooker) leave() {
	if o.session != nil {
		_ = o.session.Close()
	}
	if o.client != nil {
		_ = o.client.Close()
	}
}

// say says a word. The session's own limits stand still while somebody is stopped; this one does not.
func (o *onlooker) say(ctx context.Context, line string) *script.Step {
	ctx, cancel := context.WithTimeout(ctx, 2*onlookerPatience)
	defer cancel()
	sc, errs := script.ParseLine(line)
	if len(errs) > 0 || len(sc.Stmts) != 1 {
		return &script.Step{Code: script.ExitUsage, Err: fmt.Sprintf("%q is no command", line)}
	}
	return o.session.Exec(ctx, sc.Stmts[0])
}

// printWord prints what a word showed.
func printWord(ctx context.Context, s *script.Step) error {
	lines := s.Text
	if !s.OK() {
		lines = append(lines, "✕ "+s.Err)
	}
	for _, f := range s.Failures {
		lines = append(lines, "✕ "+f.Clause)
	}
	for _, line := range lines {
		fmt.Fprintln(engine.Out(ctx), line)
	}
	return ctx.Err()
}
