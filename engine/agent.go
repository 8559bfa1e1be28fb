package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/internal/agent"
	"github.com/monarch-tui/monarch-tui/engine/internal/gpu"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/via"
	"github.com/monarch-tui/monarch-tui/engine/internal/life"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Names of the messages between a controller and its agents.
const (
	sysSeat    = "seat"    // request: controller → agent, places for a mesh's ranks
	sysFork    = "fork"    // request: controller → agent, start a worker
	sysCallOff = "calloff" // request: controller → agent, end a worker that may have been started, or may be yet
	sysSignal  = "signal"  // request: controller → agent, a signal to a worker
	sysMeasure = "measure" // request: controller → agent, memory and devices
	sysOutput  = "output"  // request: agent → controller, a piece of what a worker printed
	sysExited  = "exited"  // request: agent → controller, a worker has ended
	sysStood   = "stood"   // note: agent → controller, a worker stands still by a signal, or goes on
)

// agentSays begins the lines in which an agent says why it ends.
const agentSays = "agent: "

// agentJoinTime is how long an agent tries to reach its controller.
const agentJoinTime = 30 * time.Second

// agentBoots is the secret of an agent: for launchers that give all hosts the same it has one for each.
type agentBoots struct {
	_     struct{} `cbor:",toarray"`
	First int      // index of the first host
	Boots []agent.Boot
}

// agentProcess is this process as an agent.
type agentProcess struct {
	node  *node
	agent *agent.Agent
	shelf *agent.Shelf
	work  *agent.Workspace
	end   chan string // why it is to end
	once  sync.Once
}

// runAgent is the life of an agent, from what its launcher gave it to the end of its workers.
func runAgent() int {
	arrived, err := via.Arrive(os.LookupEnv)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", agentSays, err)
		return exitInternal
	}
	_ = os.Unsetenv(via.Env)
	p, err := startAgent(arrived)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", agentSays, err)
		return exitInternal
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE) // whoever reads what it prints may be gone before it
	if arrived.Lifeline != nil {
		go func() {
			_, _ = io.Copy(io.Discard, arrived.Lifeline)
			p.endFor("the launcher's client is gone")
		}()
	}
	select {
	case s := <-signals:
		p.close(fmt.Sprintf("the agent was told to end by %s", signalWord(s)))
	case why := <-p.end:
		p.close(why)
	}
	return 0
}

func signalWord(s os.Signal) string {
	switch s {
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGHUP:
		return "SIGHUP"
	}
	return "SIGINT"
}

// endFor has the agent end in order. The first reason counts.
func (p *agentProcess) endFor(why string) { p.once.Do(func() { p.end <- why }) }

// close ends the workers, tells the controller of each, and goes.
func (p *agentProcess) close(why string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*stopTime)
	defer cancel()
	if why != exitReason { // else the controller knows
		p.agent.Ending(why)
	}
	p.agent.Close(ctx)
	p.node.close(why)
}

// abandoned ends an agent that has lost its controller: whoever takes over must not meet its workers.
func (p *agentProcess) abandoned(reason string) {
	p.agent.EndNow()
	fmt.Fprintf(os.Stderr, "%s%s: its workers were ended\n", agentSays, reason)
	os.Exit(life.FencedExit)
}

// startAgent joins the session.
func startAgent(arrived *via.Arrival) (*agentProcess, error) {
	var boots agentBoots
	if err := quicnet.StrictDec().Unmarshal(arrived.Secret, &boots); err != nil {
		return nil, fmt.Errorf("what it was given to read does not decode: %w", err)
	}
	at := arrived.Index - boots.First
	if at < 0 || at >= len(boots.Boots) {
		return nil, fmt.Errorf("it is started as host %d, and the job has hosts %d to %d", arrived.Index, boots.First, boots.First+len(boots.Boots)-1)
	}
	boot := boots.Boots[at]
	exe, err := selfExecutable()
	if err != nil {
		return nil, err
	}
	if arrived.Lifeline == nil || !agent.OnShelf(exe, boot.Sum) { // else the launcher's script has looked
		if sum, err := agent.Sum(exe); err != nil || sum != boot.Sum {
			return nil, errors.Join(fmt.Errorf("%s is not the program that the controller runs: its bytes differ", exe), err)
		}
	}
	if behind := time.Until(time.UnixMilli(boot.Now)).Round(time.Second); behind > maxSkew {
		return nil, fmt.Errorf("the clock of this machine is %v behind the controller's, so that no certificate holds here: set it (chrony, ntpd)", behind)
	}
	var ticket quicnet.Ticket
	if err := ticket.UnmarshalBinary(boot.Ticket); err != nil {
		return nil, fmt.Errorf("its ticket does not decode: %w", err)
	}
	if err := workIn(boot.Dir); err != nil {
		return nil, err
	}
	ticket.Addrs = nearest(ticket.Addrs, os.LookupEnv)
	p := &agentProcess{shelf: agent.ShelfOf(exe, boot.Sum), work: agent.WorkspaceIn(workDir()), end: make(chan string, 1)}
	log, far := workerLog(bootstrap{Remote: true})
	n := newNode(boot.Proc, 1, log)
	p.node, n.seed = n, boot.Seed
	n.abandoned = p.abandoned
	p.agent = agent.New(agent.Config{
		Up: agentUp{p}, Program: exe, Hidden: []string{via.Env, controlEnv},
		GPUs: gpu.NewFinder(gpu.System{Lookup: os.LookupEnv, Sys: "/sys"}), Lookup: os.LookupEnv,
	})
	n.alone(p.handlers())
	n.relayer = newRelayer(n, p.agent)
	if err := p.join(ticket, boot, arrived.Scheduler); err != nil {
		return p, err
	}
	n.tellLog(far)
	n.log.Info("an agent serves this host", "pid", os.Getpid(), "program", exe)
	return p, nil
}

func (p *agentProcess) join(ticket quicnet.Ticket, boot agent.Boot, scheduler string) error {
	conn, how, err := quicnet.ListenUDP(anyAddr, carrier.Options{})
	if err != nil {
		return fmt.Errorf("open a socket: %w", err)
	}
	name, _ := os.Hostname() // a machine without a name is shown by its address
	system := fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if scheduler != "" {
		system += ", " + scheduler
	}
	h, err := quicnet.Enc().Marshal(agent.Hello{
		PID: os.Getpid(), Host: name, System: system, Build: buildID(), Engine: Version, Carrier: how.String(), Clock: time.Now().UnixMilli(), Port: portOf(conn),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), agentJoinTime)
	defer cancel()
	wire, _, err := quicnet.Join(ctx, ticket, quicnet.Config{
		Timing: quicnet.Timing{Lease: boot.Lease}, Conn: conn, Handler: p.node, Hello: func(string) []byte { return h }, Logger: p.node.log,
		Resolve: func(context.Context, uint64) (net.Addr, error) {
			return nil, errors.New("an agent dials its controller only")
		},
	})
	if err != nil {
		_ = conn.Close()
		if ctx.Err() == nil { // it was reached, and has refused
			return err
		}
		return fmt.Errorf("%w; tried %s: UDP must pass from here to one of these addresses", err, strings.Join(ticket.Addrs, ", "))
	}
	p.node.peers.connect(wire)
	return nil
}

// handlers makes the handlers of an agent: the controller's requests.
func (p *agentProcess) handlers() *sysTable {
	t := newSysTable()
	handle(t, sysSeat, fromController, func(ctx context.Context, _ *node, _ quicnet.Addr, s agent.Seats) (any, error) {
		got, err := p.agent.Seat(ctx, s)
		if wire, ok := p.node.peers.current().(*quicnet.Node); ok {
			if at := wire.PeerAddr(0); at != nil {
				got.Reached = at.String()
			}
		}
		return got, err
	})
	handle(t, sysFork, fromController, func(ctx context.Context, _ *node, _ quicnet.Addr, f agent.Fork) (any, error) {
		return p.agent.Fork(ctx, f)
	})
	handle(t, sysCallOff, fromController, func(ctx context.Context, _ *node, _ quicnet.Addr, w agent.Worker) (any, error) {
		return p.agent.CallOff(ctx, w)
	})
	handle(t, sysSignal, fromController, func(_ context.Context, _ *node, _ quicnet.Addr, s agent.Signal) (any, error) {
		return nil, p.agent.Signal(s)
	})
	handle(t, sysMeasure, fromController, func(ctx context.Context, _ *node, _ quicnet.Addr, _ int) (any, error) {
		m := p.agent.Measure(ctx)
		m.Backlog = uint64(p.node.relayer.fold.Backlog())
		return m, nil
	})
	handle(t, sysShip, fromController, func(_ context.Context, _ *node, _ quicnet.Addr, part agent.Part) (any, error) {
		return p.shelf.Put(part)
	})
	handle(t, sysSync, fromController, func(_ context.Context, _ *node, _ quicnet.Addr, part agent.Part) (any, error) {
		return p.work.Put(part)
	})
	handleRelay(t, fromController, func(n *node, _ quicnet.Addr, env *quicnet.Envelope) error {
		n.relayer.pass(env)
		return nil
	})
	handle(t, sysExit, fromController, func(context.Context, *node, quicnet.Addr, int) (any, error) {
		p.endFor(exitReason)
		return nil, nil
	})
	return t
}

// agentUp carries an agent's messages to its controller.
type agentUp struct{ *agentProcess }

func (u agentUp) Output(ctx context.Context, o agent.Output) error {
	return u.node.request(ctx, quicnet.Addr{}, sysOutput, o, nil)
}

func (u agentUp) Exited(ctx context.Context, e agent.Exited) error {
	u.node.relayer.ended(ctx, e.Worker)
	return u.node.request(ctx, quicnet.Addr{}, sysExited, e, nil)
}

func (u agentUp) Stood(s agent.Stood) {
	if wire, ok := u.node.peers.current().(*quicnet.Node); ok {
		wire.Hold(s.Worker.Proc, s.Still) // its silence says nothing
	}
	_ = u.node.notice(u.node.root, quicnet.LaneControl, nil, quicnet.Addr{}, sysStood, s) // an error means that the controller is gone
}

// portOf is the port of a socket.
func portOf(c net.PacketConn) int {
	at, _ := c.LocalAddr().(*net.UDPAddr)
	if at == nil {
		return 0
	}
	return at.Port
}

// anyAddr is a socket that other machines can reach.
const anyAddr = "0.0.0.0:0"

// workIn changes to a folder, which it makes where there is none. One that begins with ~/ is in the user's own.
func workIn(dir string) error {
	if dir == "" {
		return nil
	}
	if rest, home := strings.CutPrefix(dir, "~/"); home {
		own, err := os.UserHomeDir()
		if err != nil {
			return fmt.Errorf("dir=%s: %w", dir, err)
		}
		dir = filepath.Join(own, rest)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder to work in: %w", err)
	}
	return os.Chdir(dir)
}

// nearest puts the address first from which the launcher has come: where ssh started us, the client's is likely to be the
// controller's.
func nearest(addrs []string, lookup func(string) (string, bool)) []string {
	client, _ := lookup("SSH_CONNECTION")
	ip := net.ParseIP(strings.SplitN(client, " ", 2)[0])
	if ip == nil || ip.IsLoopback() || len(addrs) == 0 {
		return addrs
	}
	_, port, err := net.SplitHostPort(addrs[0])
	if err != nil {
		return addrs
	}
	near := net.JoinHostPort(ip.String(), port)
	return append([]string{near}, slices.DeleteFunc(slices.Clone(addrs), func(a string) bool { return a == near })...)
}

// maxSkew is how far clocks may be apart: certificates allow 15 minutes.
const maxSkew = 10 * time.Minute

// skewed says how far a host's clock is off, "" where that does not matter.
func skewed(theirs int64) string {
	off := time.Since(time.UnixMilli(theirs)).Round(time.Second)
	switch {
	case off < maxSkew && off > -maxSkew:
		return ""
	case off > 0:
		return fmt.Sprintf("its clock is %v behind", off)
	}
	return fmt.Sprintf("its clock is %v ahead", -off)
}

// tidyHello makes what an agent says of its host safe to show.
func tidyHello(h agent.Hello) agent.Hello {
	h.Host = clean.Name(h.Host, 64)
	h.System, h.Build, h.Carrier = clean.OneLine(h.System, maxCarrier), clean.OneLine(h.Build, maxCarrier), clean.OneLine(h.Carrier, maxCarrier)
	return h
}
