package engine

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
)

// bootstrap is what a worker reads from its inherited pipe.
type bootstrap struct {
	Ticket     []byte
	Proc       uint64
	Epoch      uint32
	Mesh       string
	Rank       int
	Slot       int
	Session    string
	LogFile    string
	Seed       uint64
	Lease      time.Duration
	Tell       tellBody
	GOMAXPROCS string // the variable as the user had it, restored for the program
	HadProcs   bool
	Agent      uint64 // that starts it, on another machine
	Remote     bool   // it is on another machine than the controller
	Sockets    uint8  // how many it has inherited, from descriptor launch.FirstFile on
}

// bootOf makes what the worker of p reads first. It inherits so many sockets.
func (h *hub) bootOf(p *proc, req control.ProcsReq, sockets int) ([]byte, error) {
	wire, err := h.ensureWire()
	if err != nil {
		return nil, err
	}
	at := []string{nearAddr(wire.Addr())}
	if p.on != nil {
		if at, err = h.openWide(); err != nil {
			return nil, err
		}
		at = p.on.reachedFirst(at)
	}
	ticket, err := wire.Ticket(p.identity(), 2*spawnTimeout, at...)
	if err != nil {
		return nil, fmt.Errorf("make a join ticket: %w", err)
	}
	secret, err := ticket.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("make a join ticket: %w", err)
	}
	boot := bootstrap{Ticket: secret, Proc: p.id, Epoch: p.epoch, Mesh: p.rec.Mesh, Rank: p.rank, Slot: p.rec.Slot, Session: h.session.Name, LogFile: h.opts.logFile, Seed: h.node.seed, Lease: req.Lease, Sockets: uint8(sockets)}
	h.mu.Lock()
	boot.Tell, p.told = h.tell, h.tell.Turn
	h.mu.Unlock()
	boot.GOMAXPROCS, boot.HadProcs = os.LookupEnv("GOMAXPROCS")
	if p.on != nil { // its machine has neither our log nor our environment
		boot.Lease, boot.LogFile, boot.Remote = cmp.Or(req.Lease, remoteLease), "", true
		boot.Agent = p.on.rec.ID
		boot.GOMAXPROCS, boot.HadProcs = "", false
	}
	return quicnet.Enc().Marshal(boot)
}

// specOf says how to start the worker of p: our own executable with the program's arguments, folder and environment.
func (h *hub) specOf(p *proc, req control.ProcsReq) (launch.Spec, error) {
	sockets, err := h.socketsOf(p)
	if err != nil {
		return launch.Spec{}, err
	}
	b, err := h.bootOf(p, req, len(sockets))
	if err != nil {
		for _, f := range sockets {
			_ = f.Close()
		}
		return launch.Spec{}, err
	}
	env := append(workerEnv(), req.Env...)
	env = append(env, "GOMAXPROCS="+strconv.Itoa(p.rec.Procs))
	env = append(env, p.pm.slots.Env(p.rec.Slot)...)
	return launch.Spec{Path: h.executableOf(p), Args: h.opts.args, Env: env, CPUs: p.cpus, Bootstrap: b, Files: sockets}, nil
}

// socketsOf makes the sockets that the worker of p inherits. Where there are none, for want of descriptors as well, it joins by QUIC.
func (h *hub) socketsOf(p *proc) ([]*os.File, error) {
	wire, err := h.ensureWire()
	if err != nil {
		return nil, err
	}
	if o, _ := carrier.FromEnv(carrier.Options{}); o.Plain || o.NoMemory { // whoever asks for packets wants them from the start
		return nil, nil
	}
	sockets, err := wire.Sockets(p.identity())
	if err != nil {
		h.log.Debug("a worker joins by QUIC", "procs", p.rec.Mesh, "rank", p.rank, "error", err)
	}
	return sockets, nil
}

// workerEnv is this process's environment without what is only for this process.
func workerEnv() []string {
	var out []string
	for _, v := range os.Environ() {
		if k, _, _ := strings.Cut(v, "="); k != controlEnv && k != launch.MarkerEnv && k != "GOMAXPROCS" {
			out = append(out, v)
		}
	}
	return out
}
