// Package story lets whoever shows a demo go through it step by step. A demo calls Step between its parts; on its own it
// runs through, and under monarch-tui the step is told first.
package story

import "context"

type key struct{}

// Teller is told of each step before it happens and may take its time.
type Teller func(ctx context.Context, text string) error

// With gives the demo's context a teller.
func With(ctx context.Context, t Teller) context.Context { return context.WithValue(ctx, key{}, t) }

// Step tells what comes next. It returns an error when the demo should end here.
func Step(ctx context.Context, text string) error {
	if t, ok := ctx.Value(key{}).(Teller); ok {
		return t(ctx, text)
	}
	return ctx.Err()
}
