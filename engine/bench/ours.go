package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
)

// Echo is the actor that is measured.
type Echo struct{ profile *os.File }

// Echo returns what it is given.
func (*Echo) Echo(_ context.Context, b []byte) ([]byte, error) { return b, nil }

// CPU is the CPU time of the worker in nanoseconds.
func (*Echo) CPU(context.Context) (int64, error) { return ownCPU().Nanoseconds(), nil }

// Profile begins a CPU profile in a file; an empty name ends it.
func (e *Echo) Profile(_ context.Context, path string) (err error) {
	if path == "" {
		pprof.StopCPUProfile()
		return e.profile.Close()
	}
	if e.profile, err = os.Create(path); err != nil {
		return err
	}
	return pprof.StartCPUProfile(e.profile)
}

// engineCaller calls one worker process with CallOne, bound anew for each call as programs do.
func engineCaller(ctx context.Context, s settings) (*caller, error) {
	e, err := engine.Start(ctx, engine.NoSession())
	if err != nil {
		return nil, err
	}
	ctx = e.Context()
	m, err := spawnEcho(ctx, 1)
	if err != nil {
		e.Close()
		return nil, err
	}
	end := e.Close
	if s.profile != "" {
		if end, err = profileBoth(ctx, s.profile, m, e.Close); err != nil {
			e.Close()
			return nil, err
		}
	}
	return &caller{
		call: func(int) error {
			_, err := engine.Method(m, (*Echo).Echo).CallOne(ctx, payload)
			return err
		},
		serverCPU: func() (time.Duration, error) {
			ns, err := engine.Query(m, (*Echo).CPU).CallOne(ctx)
			return time.Duration(ns), err
		},
		close: end,
	}, nil
}

func spawnEcho(ctx context.Context, ranks int) (engine.Mesh[Echo], error) {
	procs, err := engine.SpawnProcs(ctx, engine.Dim("ranks", ranks))
	if err != nil {
		return engine.Mesh[Echo]{}, err
	}
	return engine.Spawn(ctx, procs, "echo", Echo{})
}

// profileBoth profiles the caller and the worker until the returned function ends both.
func profileBoth(ctx context.Context, dir string, m engine.Mesh[Echo], end func()) (func(), error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%d", time.Now().UnixNano())
	server, err := filepath.Abs(filepath.Join(dir, name+".worker.prof"))
	if err != nil {
		return nil, err
	}
	if err := engine.Action(m, (*Echo).Profile).CallOne(ctx, server); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(dir, name+".caller.prof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
		if err := engine.Action(m, (*Echo).Profile).CallOne(ctx, ""); err != nil {
			fmt.Fprintln(os.Stderr, "bench: the worker's profile:", err)
		}
		end()
	}, nil
}
