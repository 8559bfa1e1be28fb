package source

import (
	"iter"
	"runtime"
	"strings"
)

// Stack is the frames of this goroutine above the caller of its user, the innermost first.
func Stack() iter.Seq[runtime.Frame] {
	return func(yield func(runtime.Frame) bool) {
		pcs := make([]uintptr, 128)
		for skip := 2; ; skip += len(pcs) {
			n := runtime.Callers(skip, pcs)
			frames := runtime.CallersFrames(pcs[:n])
			for more := n > 0; more; {
				var f runtime.Frame
				if f, more = frames.Next(); !yield(f) {
					return
				}
			}
			if n < len(pcs) {
				return
			}
		}
	}
}

// Under reports whether a function whose name ends so is on the stack of this goroutine.
func Under(name string) bool {
	for f := range Stack() {
		if strings.HasSuffix(f.Function, name) {
			return true
		}
	}
	return false
}

// CallerOf is where the function whose name ends so was called, on this goroutine.
func CallerOf(name string) (fn, file string, line int) {
	seen := false
	for f := range Stack() {
		if seen {
			return f.Function, f.File, f.Line
		}
		seen = strings.HasSuffix(f.Function, name)
	}
	return "", "", 0
}
