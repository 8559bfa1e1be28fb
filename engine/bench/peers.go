package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

// The peers. Ours is the first.
const (
	peerEngine = "engine"
	peerRaw    = "quic-go stream echo"          // one goroutine writes and reads: the floor
	peerMux    = "quic-go stream, many callers" // a pending table, a reader and a combining writer: what an RPC layer needs at least
	peerUnary  = "gRPC unary"
	peerStream = "gRPC stream"
	peerPython = "Monarch"

	peerEngineStart = "engine: spawn to first reply"
	peerExec        = "exec only"
	peerDebugger    = "monarch-tui"
	peerDelve       = "Delve"
	peerNone        = "none" // the server that only says that it is there
)

func peers() []string { return []string{peerEngine, peerRaw, peerMux, peerUnary, peerStream} }

// payload is what a call carries there and back.
var payload = []byte("sixteen bytes ok")

// measureHere is the process that calls: it prints a result per line.
func measureHere(ctx context.Context, s settings) error {
	switch s.client {
	case peerEngineStart:
		return startEngine(ctx, s)
	case peerDebugger:
		return measureStops(ctx, s)
	case peerExec:
		return startExec(s)
	}
	certs, err := makeCertificates()
	if err != nil {
		return err
	}
	for _, m := range []struct {
		what     string
		inFlight int
	}{{whatRTT, 1}, {what64, 64}, {what1024, 1024}} {
		if m.inFlight > 1 && s.client == peerRaw {
			continue // it cannot
		}
		r, err := measureOne(ctx, s, certs, m.what, m.inFlight)
		if err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
		r.Peer = s.client
		if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
			return err
		}
	}
	return nil
}

func measureOne(ctx context.Context, s settings, certs *certificates, what string, inFlight int) (result, error) {
	c, err := connect(ctx, s, certs, inFlight)
	if err != nil {
		return result{}, err
	}
	defer c.close()
	if inFlight == 1 {
		return rtt(s.dur, c)
	}
	return flood(what, inFlight, s.dur, c)
}

func connect(ctx context.Context, s settings, certs *certificates, inFlight int) (*caller, error) {
	if s.client == peerEngine {
		return engineCaller(ctx, s)
	}
	kid, err := startChild(s.client, certs)
	if err != nil {
		return nil, err
	}
	c := &caller{serverCPU: kid.CPU}
	switch s.client {
	case peerRaw:
		err = rawCaller(ctx, c, kid.Addr, certs)
	case peerMux:
		err = muxCaller(ctx, c, kid.Addr, certs, inFlight)
	case peerUnary:
		err = unaryCaller(ctx, c, kid.Addr, certs)
	case peerStream:
		err = streamCaller(ctx, c, kid.Addr, certs, inFlight)
	default:
		err = fmt.Errorf("there is no peer %q", s.client)
	}
	if err != nil {
		kid.stop()
		return nil, err
	}
	end := c.close
	c.close = func() { end(); kid.stop() }
	return c, nil
}
