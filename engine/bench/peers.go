package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

// The peers that this program measures itself. Ours is the first; those of bench-peers have their names there.
const (
	peerEngine = "engine"
	peerRaw    = "quic-go stream echo"          // one goroutine writes and reads: the floor
	peerMux    = "quic-go stream, many callers" // a pending table, a reader and a combining writer: what an RPC layer needs at least
	peerUnary  = "gRPC unary"
	peerStream = "gRPC stream"
	peerPython = "Monarch"
	peerGoakt  = "goakt" // a program of bench-peers, where it could be built

	peerBusy      = "engine, busy machine"
	peerBusyPlain = "engine, busy machine, plain UDP"
	peerLocal     = "engine, in one process"
	peerLocalBase = "engine, in one process, older build"

	peerEngineStart = "engine: spawn to first reply"
	peerExec        = "exec only"
	peerFanOut      = "gRPC stream to each process"
	peerBare        = "bare quic-go process"
	peerDebugger    = "monarch-tui"
	peerDelve       = "Delve"
	peerNone        = "none" // the server that only says that it is there
	peerBurn        = "burn" // the server that keeps a CPU busy
)

// The other measurements of calls are measure's.
const (
	whatStop   = "a stop"
	whatBulk   = "1 MiB bodies"
	whatAlone  = "a small call alone"
	whatBeside = "a small call beside 1 MiB bodies"
	whatOther  = "a small call to another actor beside 1 MiB bodies"
)

// result and caller are written often.
type (
	result = measure.Result
	caller = measure.Caller
)

// payload is what a call carries there and back.
var payload = measure.Payload

// measureHere is the process that calls: it prints a result per line.
func measureHere(ctx context.Context, s settings) error {
	switch s.client {
	case peerDebugger:
		return measureStops(ctx, s)
	case peerFanOut:
		return fanOut(ctx, s)
	case peerBusy, peerBusyPlain:
		return measureBusy(ctx, s)
	}
	certs, err := measure.MakeCertificates()
	if err != nil {
		return err
	}
	if s.what == whatBulk {
		return measureBulk(ctx, s, certs)
	}
	only := func(what string) bool {
		return (s.what == "" || s.what == what) && (what == measure.RoundTrip || s.client != peerRaw) // that one cannot
	}
	return measure.Calls(s.client, s.dur, only, func(inFlight int) (*caller, error) { return connect(ctx, s, certs, inFlight) })
}

func connect(ctx context.Context, s settings, certs *measure.Certificates, inFlight int) (*caller, error) {
	if s.client == peerEngine {
		return engineCaller(ctx, s)
	}
	kid, err := startChild(s.client, certs)
	if err != nil {
		return nil, err
	}
	c := &caller{ServerCPU: kid.CPU}
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
		kid.Stop()
		return nil, err
	}
	end := c.Close
	c.Close = func() { end(); kid.Stop() }
	return c, nil
}

// startChild starts this program to answer for a peer.
func startChild(peer string, certs *measure.Certificates, env ...string) (*measure.Child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return measure.StartChild(self, peer, certs, env...)
}

// serve is the process that answers.
func serve(peer string) error {
	switch peer {
	case peerNone:
		fmt.Println()
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	case peerRaw, peerMux:
		return measure.Serve(serveQUIC)
	case peerUnary, peerStream:
		return measure.Serve(serveGRPC)
	case peerBurn:
		return measure.Serve(burn)
	default:
		return fmt.Errorf("there is no server for %q", peer)
	}
}
