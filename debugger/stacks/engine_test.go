package stacks_test

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/debugger/stacks"
	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

// Sleeper waits in its handler until the test has looked.
type Sleeper struct{}

var (
	arrived = make(chan struct{})
	release = make(chan struct{})
)

// Sleep tells the test that it is in the handler, and waits.
func (*Sleeper) Sleep(ctx context.Context) error {
	arrived <- struct{}{}
	return deeper(ctx)
}

//go:noinline
func deeper(ctx context.Context) error {
	select {
	case <-release:
	case <-ctx.Done():
	}
	return nil
}

// TestActorsOfTheEngineBeginAtTheirHandlers goes against the engine as it is: its labels, and how it calls a handler.
func TestActorsOfTheEngineBeginAtTheirHandlers(t *testing.T) {
	engine.Register[Sleeper]()
	ctx := enginetest.Local(t)
	procs, err := engine.SpawnProcs(ctx, engine.Name("beds"), engine.Dim("gpus", 4))
	if err != nil {
		t.Fatal(err)
	}
	mesh, err := engine.Spawn(ctx, procs, "sleeper", Sleeper{})
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- engine.Signal(mesh, (*Sleeper).Sleep).Call(ctx) }()
	for range 4 {
		<-arrived
	}
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 0); err != nil {
		t.Fatal(err)
	}
	close(release)
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	tree := stacks.Merge([]stacks.Process{{Name: "this", Profile: profile.Bytes()}}, stacks.Options{NoLine: true})
	members, err := tree.Ranks("stacks_test.(*Sleeper).Sleep")
	if err != nil || stacks.Fold(members) != "@sleeper[0-3]" {
		t.Errorf("in Sleep are %s, %v\n%s", stacks.Fold(members), err, strings.Join(tree.Lines(100, 40), "\n"))
	}
}
