// Command local measures a call to an actor of the same process. It needs nothing of the engine but what programs use, so that
// it can be built on an older engine too, to compare with.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

// Echo is the actor that is called.
type Echo struct{}

// Echo returns what it is given.
func (*Echo) Echo(_ context.Context, b []byte) ([]byte, error) { return b, nil }

func main() {
	measure.Pin(false)
	engine.Register[Echo]()
	client := flag.String("client", "", "internal")
	what := flag.String("what", "", "internal")
	dur := flag.Duration("d", 400*time.Millisecond, "how long one measurement takes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	only := func(w string) bool { return *what == "" || *what == w }
	if err := measure.Calls(*client, *dur, only, func(int) (*measure.Caller, error) { return connect(ctx) }); err != nil {
		fmt.Fprintln(os.Stderr, "bench-local:", err)
		os.Exit(1)
	}
}

// connect calls with CallOne, bound anew for each call as programs do. Nobody else's CPU time counts.
func connect(ctx context.Context) (*measure.Caller, error) {
	ctx, stop, err := engine.Local(ctx)
	if err != nil {
		return nil, err
	}
	procs, err := engine.SpawnProcs(ctx, engine.Dim("ranks", 1))
	if err != nil {
		stop()
		return nil, err
	}
	m, err := engine.Spawn(ctx, procs, "echo", Echo{})
	if err != nil {
		stop()
		return nil, err
	}
	return &measure.Caller{
		Call: func(int) error {
			_, err := engine.Method(m, (*Echo).Echo).CallOne(ctx, measure.Payload)
			return err
		},
		ServerCPU: func() (time.Duration, error) { return 0, nil },
		Close:     stop,
	}, nil
}
