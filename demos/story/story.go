// Package story lets whoever shows a demo go through it step by step. A demo has a lesson, which is a list of steps with
// one idea each, and says in its program where each of them belongs: Step tells one, Try asks the person to do something
// first. On its own a demo runs through, and nobody is told anything; under monarch-tui the steps are told.
package story

import (
	"context"
	"fmt"
)

// Step is one idea of a lesson. A step with goals is a task: the person is asked to do it, and whoever shows the demo
// watches the session until it has happened.
type Step struct {
	Title   string   // the part of the tutorial, and the idea in a few words
	Text    string   // the idea in a sentence or two; of a task, what is to be done
	Go      string   // the line that a program has for it, as it stands in the demo's file
	Command string   // the line that the explorer and scripts take for it; a task has its goals instead
	How     string   // of a task: the keys that do it in the explorer; {call} stands for the key of the action "call"
	Goals   []string // of a task: what the session must show, each as the command that brings it about (see Try)
	Await   string   // of a task: what must hold before its words can be said, as in len(stops) == 16
	Done    string   // of a task: what can be seen now
}

// Teller tells a step before it happens and may take its time. done says that the person has done what the task asks
// for. An error ends the demo.
type Teller func(ctx context.Context, s Step) (done bool, err error)

type (
	key      struct{}
	debugged struct{}
	screen   struct{}
)

// With gives the demo's context a teller of its steps.
func With(ctx context.Context, t Teller) context.Context { return context.WithValue(ctx, key{}, t) }

// WithDebugger says that whoever tells the steps can let a stopped actor go on, and does the goals of a task that are words
// of the debugger where the person does not.
func WithDebugger(ctx context.Context) context.Context {
	return context.WithValue(ctx, debugged{}, true)
}

// Debugged reports whether somebody is there who could let a stopped actor go on: a demo whose actors stop by themselves
// has them do so only then.
func Debugged(ctx context.Context) bool { return ctx.Value(debugged{}) != nil }

// WithScreen says that a person sees what happens on a screen.
func WithScreen(ctx context.Context) context.Context { return context.WithValue(ctx, screen{}, true) }

// OnScreen reports whether a person sees what happens, so that it should be slow enough for that.
func OnScreen(ctx context.Context) bool { return ctx.Value(screen{}) != nil }

// Lesson is a demo's steps while it runs.
type Lesson struct {
	steps []Step
	told  int
}

// Begin begins a lesson.
func Begin(steps []Step) *Lesson { return &Lesson{steps: steps} }

// Step tells what comes next, by its title. It returns an error when the demo should end here.
func (l *Lesson) Step(ctx context.Context, title string) error {
	_, err := l.tell(ctx, title)
	return err
}

// Try tells a task. When the person has not done it, because nobody looks on or it was skipped, do does it.
//
// A goal is a command as a person might type it. What it brings about counts, however it was done: a call of that
// endpoint on those ranks with any argument, an actor mesh of that type, a proc mesh of that many ranks, the selection
// that focus makes. A name that does not exist yet stands for whatever the person calls it. "! one @m.E" wants to be
// refused, and "@a: call @b.E" is a call that actors of @a make. Words of the debugger, such as print and continue, count
// as soon as they are said; break counts once there is such a breakpoint, continue once nobody is stopped any more.
func (l *Lesson) Try(ctx context.Context, title string, do func() error) error {
	done, err := l.tell(ctx, title)
	if done || err != nil {
		return err
	}
	return do()
}

func (l *Lesson) tell(ctx context.Context, title string) (done bool, err error) {
	if l.told >= len(l.steps) || l.steps[l.told].Title != title {
		return false, fmt.Errorf("the lesson has no step %q at place %d", title, l.told+1)
	}
	s := l.steps[l.told]
	l.told++
	if t, ok := ctx.Value(key{}).(Teller); ok {
		return t(ctx, s)
	}
	return false, ctx.Err()
}
