package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

// Echo is the actor that is measured.
type Echo struct{ profile *os.File }

// Echo returns what it is given.
func (*Echo) Echo(_ context.Context, b []byte) ([]byte, error) { return b, nil }

// CPU is the CPU time of the worker in nanoseconds.
func (*Echo) CPU(context.Context) (int64, error) { return measure.OwnCPU().Nanoseconds(), nil }

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

// rig is a session with one worker process.
type rig struct {
	ctx   context.Context
	procs engine.ProcMesh
	mesh  engine.Mesh[Echo]
	close func()
}

func startRig(ctx context.Context, s settings) (*rig, error) {
	e, err := engine.Start(ctx, engine.NoSession())
	if err != nil {
		return nil, err
	}
	r := &rig{ctx: e.Context(), close: e.Close}
	if r.procs, r.mesh, err = spawnEcho(r.ctx, 1); err != nil {
		e.Close()
		return nil, err
	}
	if s.profile == "" {
		return r, nil
	}
	if r.close, err = profileBoth(r.ctx, s.profile, r.mesh, e.Close); err != nil {
		e.Close()
		return nil, err
	}
	return r, nil
}

// caller calls with CallOne, bound anew for each call as programs do.
func (r *rig) caller() *caller {
	return &caller{
		Call: func(int) error {
			_, err := engine.Method(r.mesh, (*Echo).Echo).CallOne(r.ctx, payload)
			return err
		},
		ServerCPU: func() (time.Duration, error) {
			ns, err := engine.Query(r.mesh, (*Echo).CPU).CallOne(r.ctx)
			return time.Duration(ns), err
		},
		Close: r.close,
	}
}

func engineCaller(ctx context.Context, s settings) (*caller, error) {
	r, err := startRig(ctx, s)
	if err != nil {
		return nil, err
	}
	return r.caller(), nil
}

func spawnEcho(ctx context.Context, ranks int) (procs engine.ProcMesh, mesh engine.Mesh[Echo], err error) {
	if procs, err = engine.SpawnProcs(ctx, engine.Dim("ranks", ranks)); err == nil {
		mesh, err = engine.Spawn(ctx, procs, "echo", Echo{})
	}
	return procs, mesh, err
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
