// Package story lets whoever shows a demo go through it step by step. A demo calls Step between its parts and Linger before
// it ends; on its own it runs through, and under monarch-tui the step is told first.
package story

import "context"

type key struct{}

// Teller is told of each step before it happens and may take its time.
type Teller func(ctx context.Context, text string) error

// tellers are who is told.
type tellers struct{ step, linger Teller }

// With gives the demo's context a teller of its steps.
func With(ctx context.Context, t Teller) context.Context {
	return context.WithValue(ctx, key{}, tellers{step: t})
}

// Watched gives the demo's context a teller of its steps and of its end: somebody looks on, and wants to look around
// before everything is gone.
func Watched(ctx context.Context, t Teller) context.Context {
	return context.WithValue(ctx, key{}, tellers{t, t})
}

// Step tells what comes next. It returns an error when the demo should end here.
func Step(ctx context.Context, text string) error {
	if t, ok := ctx.Value(key{}).(tellers); ok && t.step != nil {
		return t.step(ctx, text)
	}
	return ctx.Err()
}

// Linger is called when a demo has shown everything and is about to stop what it made.
func Linger(ctx context.Context) error {
	if t, ok := ctx.Value(key{}).(tellers); ok && t.linger != nil {
		return t.linger(ctx, "That was all. Look around; the next step stops the workers")
	}
	return ctx.Err()
}
