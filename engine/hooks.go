package engine

import (
	"context"
	"fmt"
	"reflect"
	"time"
)

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

// Snapshotter is an optional pair of hooks for state that a debugger or a restart is to carry over. Register checks the
// signatures, and that is all today: the engine calls neither method yet, because it restarts no actor and saves no
// state.
type Snapshotter interface {
	Snapshot() ([]byte, error)
	Restore(data []byte) error
}

// Failure is something that supervision is told: an actor panicked, a handler of a broadcast returned an error, or a
// process ended that nobody told to.
type Failure struct {
	Mesh     string // the actor mesh, or the proc mesh when a process ended
	Rank     int    // of Mesh
	Proc     uint64
	What     string // plain words, one line
	Stack    string // of a panic
	Reported bool   // a caller that waited got it as an error already
	Time     time.Time
}

// Error makes a Failure usable as the cause of a context.
func (f Failure) Error() string { return f.What }

// Decision is what a supervisor does about a Failure.
type Decision int

// The decisions. The zero value passes the failure on, so that a hook that forgets to decide hides nothing.
const (
	Escalate  Decision = iota // pass it to the owner of the owner
	Handled                   // nothing more is to be done
	StopOwned                 // stop the mesh that failed
)

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
