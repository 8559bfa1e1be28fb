package measure

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// The CPUs of a measurement: of the process that calls, and of the one that answers.
const (
	clientCPU = "BENCH_CLIENT_CPU"
	serverCPU = "BENCH_SERVER_CPU"
	pinnedCPU = "BENCH_PINNED_CPU" // where this process is already
	roleEnv   = "BENCH_ROLE"       // server: one that answers
)

// Placement is where the two processes run: which CPU each has, "" where any.
type Placement struct{ Name, Client, Server string }

// The placements.
var (
	SameCPU  = Placement{"same CPU", "0", "0"}
	TwoCPUs  = Placement{"two CPUs", "0", "1"}
	Unpinned = Placement{Name: "unpinned"}
)

// Pinned are both processes on one CPU, and one each; where nothing can be pinned, only Unpinned.
func Pinned() []Placement {
	if !CanPin() {
		return []Placement{Unpinned}
	}
	return []Placement{SameCPU, TwoCPUs}
}

// CanPin reports whether there is taskset and a second CPU.
func CanPin() bool {
	_, err := exec.LookPath("taskset")
	return err == nil && runtime.NumCPU() > 1
}

// Env tells a process to pin itself so.
func (p Placement) Env() []string {
	if p.Client == "" {
		return nil
	}
	return []string{clientCPU + "=" + p.Client, serverCPU + "=" + p.Server}
}

// Pin starts this process again on its CPU. answers tells that it is one that answers; those that StartChild starts know.
// Workers of the engine come this way too: call it before engine.RunWorker.
func Pin(answers bool) {
	cpu := os.Getenv(clientCPU)
	if answers || os.Getenv(roleEnv) == "server" {
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
