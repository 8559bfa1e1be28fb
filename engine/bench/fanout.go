package main

import (
	"context"
	"sync"

	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

// fanOut calls as many processes as the engine has ranks: a gRPC stream to each, and each has one CPU as a worker of ours. A
// call is sent to all, then all answers are awaited.
func fanOut(ctx context.Context, s settings) error {
	certs, err := measure.MakeCertificates()
	if err != nil {
		return err
	}
	ends, streams, err := openMany(ctx, s.ranks, certs)
	defer func() {
		var all sync.WaitGroup
		for _, end := range ends {
			all.Go(end)
		}
		all.Wait()
	}()
	if err != nil {
		return err
	}
	call := func() error {
		for _, st := range streams {
			if err := st.send(0, payload); err != nil {
				return err
			}
		}
		for _, st := range streams {
			if err := st.await(0); err != nil {
				return err
			}
		}
		return nil
	}
	r, err := measure.Cast(call)
	if err != nil {
		return err
	}
	r.Peer = peerFanOut
	return measure.Tell(r)
}

// openMany starts n processes, some at once, and opens a stream to each. What it returns ends them, also after an error.
func openMany(ctx context.Context, n int, certs *measure.Certificates) (ends []func(), streams []*grpcStream, err error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	turns := make(chan struct{}, 8)
	for range n {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			kid, startErr := startChild(peerStream, certs, "GOMAXPROCS=1")
			if startErr != nil {
				mu.Lock()
				defer mu.Unlock()
				err = startErr
				return
			}
			st, end, openErr := openGRPC(ctx, kid.Addr, certs, 1)
			mu.Lock()
			defer mu.Unlock()
			ends = append(ends, kid.Stop)
			if openErr != nil {
				err = openErr
				return
			}
			ends[len(ends)-1] = func() { end(); kid.Stop() }
			streams = append(streams, st)
		})
	}
	all.Wait()
	return ends, streams, err
}
