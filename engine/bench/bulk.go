package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

// A large body goes one way and is answered with its first bytes.
const (
	bulkBytes    = 1 << 20
	bulkInFlight = 4
)

// cut is the answer to a large body; a small one is sent back whole.
func cut(body []byte) []byte {
	if len(body) < bulkBytes {
		return body
	}
	return body[:len(payload)]
}

// Take takes a large body.
func (*Echo) Take(_ context.Context, b []byte) ([]byte, error) { return cut(b), nil }

// bulkCaller makes both kinds of calls on one connection.
type bulkCaller struct {
	*caller
	big func(w int) error
}

func connectBulk(ctx context.Context, s settings, certs *measure.Certificates) (*bulkCaller, error) {
	body := make([]byte, bulkBytes)
	switch s.client {
	case peerEngine:
		r, err := startRig(ctx, s)
		if err != nil {
			return nil, err
		}
		return &bulkCaller{r.caller(), func(int) error {
			_, err := engine.Method(r.mesh, (*Echo).Take).CallOne(r.ctx, body)
			return err
		}}, nil
	case peerStream:
		kid, err := startChild(s.client, certs)
		if err != nil {
			return nil, err
		}
		st, end, err := openGRPC(ctx, kid.Addr, certs, bulkInFlight+1)
		if err != nil {
			kid.Stop()
			return nil, err
		}
		c := &caller{Call: func(w int) error { return st.call(w, payload) }, ServerCPU: kid.CPU, Close: func() { end(); kid.Stop() }}
		return &bulkCaller{c, func(w int) error { return st.call(w, body) }}, nil
	default:
		return nil, fmt.Errorf("%s carries no large bodies here", s.client)
	}
}

// measureBulk measures large bodies, then a small call alone and the same beside large bodies.
func measureBulk(ctx context.Context, s settings, certs *measure.Certificates) error {
	c, err := connectBulk(ctx, s, certs)
	if err != nil {
		return err
	}
	defer c.Close()
	tell := func(what string, r result, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		r.Peer, r.What = s.client, what
		return measure.Tell(r)
	}
	r, err := measure.Flood(whatBulk, bulkInFlight, s.dur, &caller{Call: c.big, ServerCPU: c.ServerCPU})
	if err := tell(whatBulk, r, err); err != nil {
		return err
	}
	small := &caller{Call: func(int) error { return c.Call(bulkInFlight) }, ServerCPU: c.ServerCPU}
	r, err = measure.RTT(s.dur, small)
	if err := tell(whatAlone, r, err); err != nil {
		return err
	}
	var over atomic.Bool
	var all sync.WaitGroup
	errs := make(chan error, bulkInFlight)
	for w := range bulkInFlight {
		all.Go(func() {
			for !over.Load() {
				if err := c.big(w); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	r, err = measure.RTT(s.dur, small)
	over.Store(true)
	all.Wait()
	close(errs)
	if bigErr := <-errs; err == nil {
		err = bigErr
	}
	return tell(whatBeside, r, err)
}
