package engine

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/agent"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/via"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

const (
	// The names of the dimension along which hosts lie, and of the launcher that needs none.
	hostsDim = "hosts"
	localVia = "local"

	// dirOption is an option of all launchers: the folder in which the processes work.
	dirOption = "dir"
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

// queueTime is how long tickets of a job are good that may wait in a queue; they are void when the job ends.
const queueTime = 7 * 24 * time.Hour

// checkVia judges what a mesh wants of other machines.
func (h *hub) checkVia(req *control.ProcsReq) error {
	if req.Via == "" || req.Via == localVia {
		req.Via = ""
		switch {
		case len(req.Hosts) > 0:
			return fmt.Errorf("hosts %s are named, and no way to them: ssh is one, for machines that you can log in to", strings.Join(req.Hosts, ", "))
		case len(req.Launch) > 0:
			return errors.New("options of a launcher are given, and no launcher")
		}
		return nil
	}
	launcher, err := h.ssh.Find(req.Via)
	if err != nil {
		return err
	}
	n, has := req.Dims.Size(hostsDim)
	switch {
	case req.InProcess:
		return fmt.Errorf("in-process ranks run in the controller: they cannot be launched by %s too", req.Via)
	case len(req.Hosts) > 0 && !has:
		return fmt.Errorf("%d hosts are named, and the mesh has no dimension hosts", len(req.Hosts))
	case len(req.Hosts) > 0 && n != len(req.Hosts):
		return fmt.Errorf("%d hosts are named, and the dimension hosts has %d", len(req.Hosts), n)
	case req.Within < 0:
		return fmt.Errorf("hosts that are there within %v", req.Within)
	}
	for i, name := range req.Hosts {
		if slices.Contains(req.Hosts[:i], name) {
			return fmt.Errorf("hosts: %s is there already: one agent runs on a machine", clean.Quote(name, 100))
		}
	}
	spec, err := h.launchSpec(nil, req)
	if err != nil {
		return err
	}
	spec.Secret = func(int) []byte { return []byte{0} } // there is none before there is a mesh
	return launcher.Check(&spec)
}

// launchSpec is what a launcher is asked; without a mesh, as far as it is known before there is one.
func (h *hub) launchSpec(pm *procMesh, req *control.ProcsReq) (via.Spec, error) {
	prog, err := h.program() // read once
	if err != nil {
		return via.Spec{}, err
	}
	count, _ := req.Dims.Size(hostsDim)
	count = max(count, 1)
	perHost := req.Dims.Len() / count
	options := maps.Clone(req.Launch)
	delete(options, dirOption)
	spec := via.Spec{Job: "mtui", Hosts: req.Hosts, Count: count, Program: prog, Options: options, Dir: workDir()}
	if _, gpus := req.Dims.Size("gpus"); gpus && !req.Virtual {
		spec.GPUs = perHost
	}
	if req.CPUs > 1 {
		spec.CPUs = perHost * req.CPUs
	}
	if pm != nil {
		spec.Job = jobName(h.session.Name, pm.rec.Name)
	}
	return spec, nil
}

// jobName is what the job of a mesh is called in the site's lists.
func jobName(session, mesh string) string {
	name := strings.Map(func(r rune) rune {
		if r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, "mtui-"+session+"-"+mesh)
	return name[:min(len(name), 60)]
}

func readProgram(path string, args []string) (via.Program, error) {
	sum, err := agent.Sum(path)
	if err != nil {
		return via.Program{}, fmt.Errorf("read this program, which is to run on other machines too: %w", err)
	}
	st, err := os.Stat(path)
	if err != nil {
		return via.Program{}, fmt.Errorf("read this program, which is to run on other machines too: %w", err)
	}
	return via.Program{Path: path, Args: args, Sum: sum, Size: st.Size(), OS: runtime.GOOS, Arch: runtime.GOARCH}, nil
}

// agentSecrets makes what the agents of a mesh read. Each ticket is for one host.
func (h *hub) agentSecrets(pm *procMesh, req control.ProcsReq, prog via.Program, at []string) (func(int) []byte, error) {
	var boots []agent.Boot
	for _, m := range pm.fleet.machines {
		t, err := h.wire.Ticket(quicnet.ID{Proc: m.rec.ID, Epoch: 1}, queueTime, at...)
		if err != nil {
			return nil, fmt.Errorf("make a join ticket: %w", err)
		}
		b, err := t.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("make a join ticket: %w", err)
		}
		boots = append(boots, agent.Boot{
			Ticket: b, Proc: m.rec.ID, Session: h.session.Name, Mesh: pm.rec.Name, Lease: cmp.Or(req.Lease, remoteLease), Sum: prog.Sum, Seed: h.node.seed, Dir: req.Launch[dirOption], Now: time.Now().UnixMilli(),
		})
	}
	all, err := quicnet.Enc().Marshal(agentBoots{Boots: boots})
	if err != nil {
		return nil, err
	}
	if len(all) > via.MaxSecret {
		return nil, fmt.Errorf("%d hosts are too many for one job: what they are given to read has %d bytes, at most %d", len(boots), len(all), via.MaxSecret)
	}
	return func(host int) []byte {
		if host < 0 || host >= len(boots) {
			return all
		}
		one, _ := quicnet.Enc().Marshal(agentBoots{First: host, Boots: boots[host : host+1]}) // it has been encoded once
		return one
	}, nil
}

// workDir is this program's folder: where agents run too, if it exists there.
func workDir() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	return dir
}
