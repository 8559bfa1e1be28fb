package script

import "strings"

// maxFrames bounds what is shown of a stack.
const maxFrames = 8

// frames are the lines of a panicking goroutine's stack that a person looks for: from the function that panicked up to
// the engine that called the endpoint, as "main.(*T).Get at get.go:12". A stack of another form gives none.
func frames(stack string) []string {
	lines := strings.Split(stack, "\n")
	from := 0
	for i, l := range lines {
		if strings.HasPrefix(l, "panic(") {
			from = i + 2 // the innermost panic comes last: one in a deferred function hides what it was deferred in
		}
	}
	if from == 0 {
		return nil
	}
	var out []string
	for i := from; i+1 < len(lines) && len(out) < maxFrames; i += 2 {
		fn, place := lines[i], strings.TrimSpace(lines[i+1])
		if strings.Contains(fn, "/engine.") || strings.HasPrefix(fn, "reflect.") || strings.HasPrefix(fn, "created by ") {
			break
		}
		if open := strings.LastIndexByte(fn, '('); open > 0 {
			fn = fn[:open]
		}
		place, _, _ = strings.Cut(place, " +0x")
		out = append(out, clean(fn+" at "+place))
	}
	return out
}
