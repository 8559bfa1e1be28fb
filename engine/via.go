package engine

import (
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// Hosts puts a mesh on these machines, and gives it the dimension hosts with one point for each, in this order. Via says how they are
// reached; by default it is ssh, and a name is whatever the ssh client takes: a host, user@host, an alias of its configuration. A name
// that is there twice is refused: one agent runs on a machine.
//
//	engine.SpawnProcs(ctx, engine.Hosts("n1", "n2"), engine.Dim("gpus", 8))
func Hosts(names ...string) ProcOption {
	return func(r *control.ProcsReq) {
		r.Hosts = append(r.Hosts, names...)
		if r.Via == "" {
			r.Via = "ssh"
		}
		for i, d := range r.Dims {
			if d.Name == hostsDim {
				r.Dims[i].Size = len(r.Hosts)
				return
			}
		}
		r.Dims = append(r.Dims, shape.Dim{Name: hostsDim, Size: len(r.Hosts)})
	}
}

// Via has a launcher find the hosts of a mesh: ssh, slurm, kubernetes, or exec, which is any command of the site that starts one
// process on each of some hosts. Without Hosts the mesh has as many as its dimension hosts says, of the launcher's choice.
// Options say more, each by name and value: Via("slurm", "partition", "gpu", "time", "1h"). docs/commands.md lists them. It panics
// on a name without a value.
//
// SpawnProcs returns when every host has come and every rank is ready, however long they are queued: Within limits that. On each
// host this program runs once more as an agent, which starts the ranks there; nothing need be installed. A host that is not heard of
// for 10 s is lost, and its ranks with it; what runs there ends itself after 8 s.
func Via(launcher string, options ...string) ProcOption {
	if len(options)%2 != 0 {
		panic("engine.Via: options are pairs of name and value")
	}
	return func(r *control.ProcsReq) {
		r.Via = launcher
		for i := 0; i < len(options); i += 2 {
			put(&r.Launch, options[i], options[i+1])
		}
	}
}

// Within limits how long the hosts of a mesh may take to come, their time in a queue included.
func Within(d time.Duration) ProcOption { return func(r *control.ProcsReq) { r.Within = d } }
