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
	big   func(w int) error
	other func() error // a small call on the same connection that keeps no order with the large ones
}

func connectBulk(ctx context.Context, s settings, certs *measure.Certificates) (*bulkCaller, error) {
	body := make([]byte, bulkBytes)
	switch s.client {
	case peerEngine:
		r, err := startRig(ctx, s)
		if err != nil {
			return nil, err
		}
		other, err := engine.Spawn(r.ctx, r.procs, "other", Echo{})
		if err != nil {
			r.close()
			return nil, err
		}
		return &bulkCaller{r.caller(), func(int) error {
			_, err := engine.Method(r.mesh, (*Echo).Take).CallOne(r.ctx, body)
			return err
		}, func() error {
			_, err := engine.Method(other, (*Echo).Echo).CallOne(r.ctx, payload)
			return err
		}}, nil
	case peerStream:
		kid, err := startChild(s.client, certs)
		if err != nil {
			return nil, err
		}
		conn, err := dialGRPC(kid.Addr, certs)
		if err != nil {
			kid.Stop()
			return nil, err
		}
		end := func() { _ = conn.Close(); kid.Stop() }
		st, err := streamOn(ctx, conn, bulkInFlight+1)
		if err != nil {
			end()
			return nil, err
		}
		other, err := streamOn(ctx, conn, 1)
		if err != nil {
			end()
			return nil, err
		}
		c := &caller{Call: func(w int) error { return st.call(w, payload) }, ServerCPU: kid.CPU, Close: end}
		return &bulkCaller{c, func(w int) error { return st.call(w, body) }, func() error { return other.call(0, payload) }}, nil
	default:
		return nil, fmt.Errorf("%s carries no large bodies here", s.client)
	}
}

// measureBulk measures large bodies, then a small call alone and the same beside large bodies: to the actor that takes them, behind
// which it has to wait for its turn, and to another one.
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
	other := &caller{Call: func(int) error { return c.other() }, ServerCPU: c.ServerCPU}
	r, err = measure.RTT(s.dur, small)
	if err := tell(whatAlone, r, err); err != nil {
		return err
	}
	for _, m := range []struct {
		what string
		call *caller
	}{{whatBeside, small}, {whatOther, other}} {
		r, err = c.beside(s, m.call)
		if err := tell(m.what, r, err); err != nil {
			return err
		}
	}
	return nil
}

// beside measures a call while large bodies are on their way.
func (c *bulkCaller) beside(s settings, small *caller) (result, error) {
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
	r, err := measure.RTT(s.dur, small)
	over.Store(true)
	all.Wait()
	close(errs)
	if bigErr := <-errs; err == nil {
		err = bigErr
	}
	return r, err
}
