package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"time"

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

// Starter is an optional hook: it runs once on each rank before the first message. Its error fails the spawn.
type Starter interface {
	OnStart(ctx context.Context) error
}

// Stopper is an optional hook: it runs after the last message. cause is nil for an ordered stop, else what ended the actor.
type Stopper interface {
	OnStop(ctx context.Context, cause error)
}

// Supervisor is an optional hook: it judges failures of the meshes that this actor spawned, between two messages.
type Supervisor interface {
	OnFailure(ctx context.Context, f Failure) Decision
}

// Snapshotter is an optional pair of hooks for state that is to outlive the actor. Snapshot gives it: where Checkpoint is called,
// before an actor that lives begins anew with its gang, and before its rank moves to another build. Restore gets what was saved last when the next life of the rank
// begins, before OnStart, on an actor that has its prototype's fields. An error, or a panic, of Snapshot leaves what was saved
// before; one of Restore fails the start of that life. In a reload either leaves the rank on the build that it had.
type Snapshotter interface {
	Snapshot() ([]byte, error)
	Restore(data []byte) error
}

// Failure is something that supervision is told: an actor panicked, a handler of a broadcast returned an error, or a
// process ended that nobody told to. Of a process, its owner is told, and the owners of the actors that died with it: what
// those all handle ends no program.
type Failure struct {
	Mesh     string // the actor mesh, or the proc mesh for the owner of a process that ended
	Rank     int    // of Mesh
	Proc     uint64
	Died     []string // the actors that died with the process, as @name[rank]
	What     string   // plain words, one line
	Stack    string   // of a panic
	Reported bool     // a caller that waited got it as an error already
	Time     time.Time
}

// Error makes a Failure usable as the cause of a context.
func (f Failure) Error() string { return f.What }

// Decision is what a supervisor does about a Failure.
type Decision int

// The decisions. The zero value passes the failure on, so that a hook that forgets to decide hides nothing.
const (
	Escalate   Decision = iota // pass it to the owner of the owner
	Handled                    // nothing more is to be done
	StopOwned                  // stop the mesh that failed
	RestartOne                 // begin a new life of the rank that failed: of a process, with all actors that died with it
	RestartAll                 // begin new lives of all ranks of the mesh; those that live give their Snapshot first
)

// known is an error for what is no decision; such a one escalates.
func (d Decision) known() error {
	if d < Escalate || d > RestartAll {
		return fmt.Errorf("%d is no decision: want Escalate, Handled, StopOwned, RestartOne or RestartAll; the failure escalates", int(d))
	}
	return nil
}

var hookTypes = map[string]reflect.Type{
	"OnStart":   reflect.TypeFor[func(context.Context) error](),
	"OnStop":    reflect.TypeFor[func(context.Context, error)](),
	"OnFailure": reflect.TypeFor[func(context.Context, Failure) Decision](),
	"Snapshot":  reflect.TypeFor[func() ([]byte, error)](),
	"Restore":   reflect.TypeFor[func([]byte) error](),
}

func isHook(name string) bool { return hookTypes[name] != nil }

// checkHooks refuses a method that has a hook's name but not its signature: it would silently never run.
func checkHooks(t reflect.Type) error {
	v := reflect.New(t)
	for name, want := range hookTypes {
		if m := v.MethodByName(name); m.IsValid() && m.Type() != want {
			return fmt.Errorf("%s is a hook's name: its signature must be %s%s, not %s%s (or give it another name)",
				name, name, want.String()[len("func"):], name, m.Type().String()[len("func"):])
		}
	}
	return nil
}
