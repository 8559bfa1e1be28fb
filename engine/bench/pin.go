package main

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"github.com/monarch-tui/monarch-tui/engine"
)

// The CPUs of a measurement: of the process that calls, and of the one that answers.
const (
	clientCPU = "BENCH_CLIENT_CPU"
	serverCPU = "BENCH_SERVER_CPU"
	pinnedCPU = "BENCH_PINNED_CPU" // where this process is already
	roleEnv   = "BENCH_ROLE"       // server: one that answers
)

// placement is where the two processes run.
type placement struct{ name, client, server string }

// placements are both on one CPU, and one each.
func placements() []placement {
	if !canPin() {
		return []placement{{name: "free"}}
	}
	return []placement{{"same CPU", "0", "0"}, {"two CPUs", "0", "1"}}
}

func canPin() bool {
	_, err := exec.LookPath("taskset")
	return err == nil && runtime.NumCPU() > 1
}

func (p placement) env() []string {
	if p.client == "" {
		return nil
	}
	return []string{clientCPU + "=" + p.client, serverCPU + "=" + p.server}
}

// pin starts this process again on its CPU. Workers of the engine come this way too: it happens before RunWorker.
func pin() {
	cpu := os.Getenv(clientCPU)
	if engine.InWorker() || os.Getenv(roleEnv) == "server" {
		cpu = os.Getenv(serverCPU)
	}
	if cpu == "" || cpu == os.Getenv(pinnedCPU) {
		return
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return
	}
	self, err := os.Executable()
	if err != nil {
		return
	}
	if os.Setenv(pinnedCPU, cpu) == nil {
		_ = syscall.Exec(taskset, append([]string{"taskset", "-c", cpu, self}, os.Args[1:]...), os.Environ()) //nolint:gosec // this program itself; on failure: not pinned
	}
}
