package engine

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Whatever a user's type brings along is user code, and may panic, run for ever or call runtime.Goexit: not only
// endpoints and hooks, but also the methods of the errors that they return. The engine calls it through this file, or
// under the recover of actor.invoke.

// textOf is the text of an error.
func textOf(err error) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprintf("panic in Error(): %s", clip(fmt.Sprint(p), maxErrorText))
			if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.IsNil() {
				text += fmt.Sprintf(" (the error is a nil %T: return nil itself where there is no error)", err)
			}
		}
	}()
	return err.Error()
}

// isError is errors.Is; an Is or an Unwrap that panics matches nothing.
func isError(err, target error) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return errors.Is(err, target)
}

// asError is errors.AsType; an As or an Unwrap that panics finds nothing.
func asError[E error](err error) (found E, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return errors.AsType[E](err)
}

// exitText is what is said of a goroutine that ended without a return.
const exitText = "ended its goroutine without returning (runtime.Goexit, as t.FailNow does)"

// guard runs a hook of user code. It runs it on a goroutine of its own, so that runtime.Goexit in it ends nothing else. A
// panic in it, or such an end, is an error.
func guard(hook string, fn func() error) error {
	out := make(chan error, 1)
	go func() {
		returned := false
		defer func() {
			p := recover()
			switch {
			case p != nil:
				out <- fmt.Errorf("%s panicked: %s", hook, clip(fmt.Sprint(p), maxErrorText))
			case !returned:
				out <- fmt.Errorf("%s %s", hook, exitText)
			}
		}()
		err := fn()
		if err != nil {
			err = fmt.Errorf("%s: %w", hook, err) // calls its Error, and keeps the text
		}
		returned = true
		out <- err
	}()
	return <-out
}

// runHook is guard for a hook whose error travels: none of its methods is called later.
func runHook(hook string, fn func() error) error {
	return guard(hook, func() error {
		if err := fn(); err != nil {
			return toWire(err, control.OutcomeError).remote()
		}
		return nil
	})
}

// panicError is the end of a handler that did not return: a panic, or runtime.Goexit. It is never wrapped.
type panicError struct {
	value string // one line or more, bounded
	stack string
	exit  bool // no panic, but runtime.Goexit
}

func (e *panicError) Error() string { return e.value }

// newPanic keeps a panic's value and the stack it came from. A value of any size is cut here, before it is kept or sent.
func newPanic(p any) *panicError {
	return &panicError{value: clip(fmt.Sprint(p), maxErrorText), stack: clip(string(debug.Stack()), maxErrorText)}
}

// newExit is the end of a handler by runtime.Goexit. It is called while that unwinds the stack.
func newExit() *panicError {
	return &panicError{value: "the endpoint " + exitText, stack: clip(string(debug.Stack()), maxErrorText), exit: true}
}

// how is what the actor did, for texts such as "@toy[1] panicked in Hello: boom".
func (e *panicError) how(endpoint string) string {
	if e.exit {
		return endpoint + " " + exitText
	}
	return "panicked in " + endpoint + ": " + clip(e.value, maxCauseText)
}

// maxCauseText bounds the text of a panic where it is repeated: in what later callers are told, and on front ends' tables.
const maxCauseText = 1 << 10
