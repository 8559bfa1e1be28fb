package agent

import (
	"context"
	"syscall"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/gpu"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
)

// Boot is what an agent reads first: who it is, and how it joins its session.
type Boot struct {
	Ticket  []byte // secret
	Proc    uint64 // its number among processes
	Session string
	Mesh    string
	Lease   time.Duration
	Sum     [32]byte // SHA-256 of the program that it must be
	Seed    uint64
	Dir     string // folder in which it works, made where there is none; "": the one in which it was started
	Now     int64  // Unix milliseconds by the controller's clock, when it was asked for
}

// Hello is what an agent tells of its host when it joins.
type Hello struct {
	PID     int
	Host    string // as the machine calls itself
	System  string // e.g. "linux/amd64, 64 CPUs, Slurm job 4711"
	Build   string
	Engine  string
	Carrier string
	Clock   int64 // Unix milliseconds, of the host
	Port    int   // of its socket, for its workers
}

// Seats asks for the places of a mesh's ranks on the host.
type Seats struct {
	Ranks         int
	Devices       bool // each is to have a GPU; else its slot is virtual
	Oversubscribe bool
	OrVirtual     bool // virtual slots are good enough where there are too few devices
}

// Seated says what they are.
type Seated struct {
	Real bool   // each has a device
	Why  string // where the devices come from, or why there are none
	GPUs string // what the host has

	Reached string // address of the controller, as the agent has reached it; set by who carries the message
}

// Fork asks for a worker.
type Fork struct {
	Worker    Worker
	Slot      int // place on the host; the slot of the GPU, where it has one
	Slotted   bool
	Threads   int // GOMAXPROCS
	Env       []string
	Args      []string
	Program   string // of the host's cache; "": the agent's own
	Bootstrap []byte // secret
}

// Worker names a worker of an agent.
type Worker struct {
	Proc  uint64
	Epoch uint32
}

// Forked tells of a worker that was started.
type Forked struct {
	PID    int
	CPUs   string
	Device string
	GPU    *control.GPU
}

// Signal asks for a signal to a worker.
type Signal struct {
	Worker Worker
	What   Order
}

// Order is what is done to a worker.
type Order uint8

// The orders.
const (
	Kill Order = iota + 1
	Terminate
	Freeze
	Thaw
)

// Output is a piece of what a worker printed.
type Output struct {
	Worker Worker
	Err    bool // of its stderr
	Data   []byte
}

// Exited tells that a worker has ended.
type Exited struct {
	Worker Worker
	Code   int
	Signal int
	Memory string
	With   string // it ended with all of its host, which has ended for this reason
}

func exited(w Worker, e launch.Exit) Exited {
	return Exited{Worker: w, Code: e.Code, Signal: int(e.Signal), Memory: e.Memory}
}

// Exit is how it ended.
func (e Exited) Exit() launch.Exit {
	return launch.Exit{Code: e.Code, Signal: syscall.Signal(e.Signal), Memory: e.Memory, With: e.With}
}

// Stood tells that a worker stands still by a signal, or goes on.
type Stood struct {
	Worker Worker
	Still  bool
}

// Measured is what an agent measures.
type Measured struct {
	Resident map[uint64]uint64     // bytes, by process
	GPUs     map[string]gpu.Sample // by UUID
	Problem  string                // why the GPUs could not be measured
	Backlog  uint64                // bytes of what its workers say that wait to go to the controller
}

// Up is how an agent reaches its controller. Output and Exited return when the controller has taken the message, or when it will
// not any more.
type Up interface {
	Output(ctx context.Context, o Output) error
	Exited(ctx context.Context, e Exited) error
	Stood(s Stood)
}
