// Package enginetest helps to test actors. Local gives a test an engine whose meshes are goroutines of the test; Processes
// gives it one that starts real worker processes from the test binary, which needs Main in its TestMain.
package enginetest

import (
	"context"
	"os"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
)

// gpusEnv says where the engine looks for GPUs.
const gpusEnv = "MONARCH_GPUS"

// Main is for TestMain of packages that use Processes: in a worker it runs the worker loop, in the test binary the tests.
// register registers the actor types; it runs in both. Tests run beside each other, so none of them may claim the machine's GPUs
// by the way: slots are virtual unless MONARCH_GPUS is set to what a test wants.
//
//	func TestMain(m *testing.M) { enginetest.Main(m, func() { engine.Register[Counter]() }) }
func Main(m *testing.M, register func()) {
	if _, set := os.LookupEnv(gpusEnv); !set {
		_ = os.Setenv(gpusEnv, "none")
	}
	register()
	engine.RunWorker()
	os.Exit(m.Run())
}

// Local is a context with an engine whose processes are goroutines. It needs no TestMain and works in a
// testing/synctest bubble. The engine ends with the test.
func Local(t testing.TB, opts ...engine.Option) context.Context {
	t.Helper()
	ctx, stop, err := engine.Local(context.Background(), opts...)
	if err != nil {
		t.Fatalf("start a local engine: %v", err)
	}
	t.Cleanup(stop)
	return ctx
}

// Processes is a context with an engine that starts real worker processes from the test binary. The engine, and every
// worker with it, ends with the test.
func Processes(t testing.TB, opts ...engine.Option) context.Context {
	t.Helper()
	e, err := engine.Start(context.Background(), append([]engine.Option{engine.NoSession()}, opts...)...)
	if err != nil {
		t.Fatalf("start an engine: %v", err)
	}
	t.Cleanup(e.Close)
	return e.Context()
}
