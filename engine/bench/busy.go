package main

import (
	"context"
	"runtime"

	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

// plainCarrier has every process of a session carry its packets as plain UDP.
const plainCarrier = "MONARCH_CARRIER=plain"

// busyLonger is how much longer it is measured: a few slices of the scheduler more or less are much of a short time.
const busyLonger = 3

// measureBusy measures the engine while as many processes as there are CPUs do nothing but compute.
func measureBusy(ctx context.Context, s settings) error {
	for range runtime.NumCPU() {
		kid, err := startChild(peerBurn, &measure.Certificates{})
		if err != nil {
			return err
		}
		defer kid.Stop()
	}
	only := func(what string) bool { return what != measure.At1024 }
	return measure.Calls(s.client, busyLonger*s.dur, only, func(int) (*caller, error) { return engineCaller(ctx, s) })
}

// burn computes until the process ends.
func burn(*measure.Certificates) (string, error) {
	runtime.GOMAXPROCS(2) // one to compute, one to hear that it should end
	go func() {
		for x := uint32(1); ; x = x*1664525 + 1013904223 { // a generator of Numerical Recipes: no call, no memory
			if x == 0 {
				runtime.Gosched()
			}
		}
	}()
	return "", nil
}
