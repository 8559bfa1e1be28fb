package stacks

import (
	"slices"
	"strconv"
	"strings"
)

// engine is the package whose frames are no part of the program that is looked at.
const engine = "github.com/monarch-tui/monarch-tui/engine."

// probe is the package in which a stopped frame waits.
const probe = "github.com/monarch-tui/monarch-tui/engine/probe."

// invoke is the package that calls a handler.
const invoke = "github.com/monarch-tui/monarch-tui/engine/internal/invoke."

// stopped stands for those frames.
const stopped = "(stopped by the debugger)"

// idle is the frame of a goroutine of an actor that is in no handler.
const idle = "(in no handler)"

// trimmed leaves out what is below the handler, and of what the runtime does to wait all but the call that the program made.
func trimmed(frames []Frame) []Frame {
	at := 0
	for at < len(frames) && strings.HasPrefix(frames[at].Func, "runtime.") {
		at++
	}
	if at < len(frames) && strings.HasPrefix(frames[at].Func, engine) {
		for at < len(frames) && (strings.HasPrefix(frames[at].Func, engine) || inRuntime(frames[at].Func)) {
			at++
		}
		if at == len(frames) {
			return []Frame{{Func: idle}}
		}
	}
	if at == len(frames) {
		at = 0 // a goroutine of the runtime itself
	}
	out := frames[at:]
	if stop := slices.IndexFunc(out, func(f Frame) bool { return strings.HasPrefix(f.Func, probe) }); stop >= 0 {
		return append(slices.Clone(out[:stop]), Frame{Func: stopped})
	}
	end := len(out)
	for end > 1 && strings.HasPrefix(out[end-1].Func, "runtime.") && strings.HasPrefix(out[end-2].Func, "runtime.") {
		end--
	}
	return out[:end]
}

// inRuntime reports whether a function is what the engine calls a handler with.
func inRuntime(name string) bool {
	return strings.HasPrefix(name, "runtime.") || strings.HasPrefix(name, "reflect.") || strings.HasPrefix(name, invoke)
}

// String is the function, without the path of its package, and where it is: main.(*Toy).Step toy.go:41.
func (f Frame) String() string {
	name := f.Func
	head, _, _ := strings.Cut(name, "[") // type arguments hold paths of their own
	name = name[strings.LastIndexByte(head, '/')+1:]
	if name == "" {
		name = "?"
	}
	if f.File == "" || f.Line <= 0 {
		return name
	}
	return name + " " + f.File + ":" + strconv.Itoa(f.Line)
}
