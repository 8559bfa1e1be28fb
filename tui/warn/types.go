package warn

import (
	"fmt"

	"github.com/monarch-tui/monarch-tui/tui/paint"
)

type notCallable struct{}

func (notCallable) Name() string  { return "not-callable" }
func (notCallable) About() string { return "methods that look like endpoints and are none" }

func (r notCallable) Check(l *Look) (out []Warning) {
	for _, t := range l.World.Types {
		var d lines
		var first string
		n := 0
		for _, m := range t.NotCallable {
			if m.Fix == "" {
				continue
			}
			if n++; n == 1 {
				first = m.Name
			}
			d.add("%s.%s cannot be called: %s.\n   %s", t.Name, m.Name, m.Why, m.Fix)
		}
		if n == 0 {
			continue
		}
		line := fmt.Sprintf("%s.%s is no endpoint", t.Name, first)
		if n > 1 {
			line = fmt.Sprintf("%s of %s are no endpoints", paint.Plural(n, "method"), t.Name)
		}
		out = append(out, Warning{
			Name: r.Name(), Count: n, Line: line,
			Detail: d.end("An endpoint takes a context.Context and three arguments at most, and returns an error or a value and an error. Where a method is meant to be none, engine.NotEndpoint says so."),
		})
	}
	return out
}
