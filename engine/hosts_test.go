package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/farlog"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/fault"
)

// TestReferencesWithHostileHostsDoNotDecode: slices divide by what they say.
func TestReferencesWithHostileHostsDoNotDecode(t *testing.T) {
	registerTarget()
	home := shape.RegionOf(shape.Extent{{Name: "hosts", Size: 2}})
	for want, hosts := range map[string]*control.Hosts{
		"":            control.NewHosts(home.Extent(), "n1", "n2"),
		"0 names":     {Stride: 1},
		"0 ranks":     {Names: []string{"n1"}},
		"65537 names": {Names: make([]string, 65537), Stride: 1},
	} {
		ref := control.MeshRef{Name: "m", Type: "github.com/monarch-tui/monarch-tui/engine.Target", Home: home, View: home, Hosts: hosts}
		for what, from := range map[string]any{"mesh": ref, "procs": procRef{Name: "p", Extent: home.Extent(), View: home, Hosts: hosts}} {
			b, err := quicnet.Enc().Marshal(from)
			if err != nil {
				t.Fatal(err)
			}
			if what == "mesh" {
				err = new(Mesh[Target]).UnmarshalCBOR(b)
			} else {
				err = new(ProcMesh).UnmarshalCBOR(b)
			}
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", what, err, want)
			}
		}
	}
}

// TestWorkersFindAControllerWhereverItListens: one that listens at all addresses is found at one of them.
func TestWorkersFindAControllerWhereverItListens(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no worker processes there")
	}
	for _, addr := range []string{"127.0.0.1:0", "0.0.0.0:0", ":0", "[::]:0", "[::1]:0"} {
		t.Run(addr, func(t *testing.T) {
			if err := CheckReach(control.Reach{Listen: addr}); err != nil {
				t.Skip(err) // a machine without IPv6
			}
			e, err := Start(t.Context(), NoSession(), Listen(addr))
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			procs, err := SpawnProcs(e.Context(), Dim("gpus", 2), Virtual())
			if err != nil {
				t.Fatal(err)
			}
			if err := procs.Stop(e.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatThisMachineHasNotIsNotListenedAt(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for want, r := range map[string]control.Reach{
		"this machine has no such address; it has ": {Listen: "192.0.2.1:0"}, // of nobody (RFC 5737)
		"the port is taken, perhaps by another":     {Listen: taken.LocalAddr().String()},
		"want an address and a port":                {Listen: "4433"},
		"want the host without a port":              {Listen: "127.0.0.1:0", Advertise: []string{"n1:22"}},
	} {
		if err := CheckReach(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", r, err, want)
		}
	}
	if err := CheckReach(control.Reach{Listen: "127.0.0.1:0", Advertise: []string{"login1"}}); err != nil {
		t.Error(err)
	}
}

// TestNobodyLogsForOthers: a process of the controller's machine has the log at hand, and one that nobody knows has nothing to say.
func TestNobodyLogsForOthers(t *testing.T) {
	var out strings.Builder
	e, err := Start(t.Context(), NoSession(), AllInProcess(), Log(slog.New(slog.NewTextHandler(&out, nil))))
	if err != nil {
		t.Fatal(err)
	}
	procs, err := SpawnProcs(e.Context(), Dim("gpus", 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []uint64{0, procs.r.First, 1 << 40} {
		if err := e.hub.takeLog(from, farlog.Record{Text: "believe me"}); !errors.Is(err, ErrForbidden) {
			t.Errorf("process %d: %v", from, err)
		}
	}
	e.Close()
	if strings.Contains(out.String(), "believe me") {
		t.Error(out.String())
	}
}

// Linked is an actor that takes numbers in their order, and whose link to its agent can be bad. TestMain registers it.
type Linked struct {
	Last int
	Bad  string
}

// Next takes a number.
func (l *Linked) Next(_ context.Context, n int) (string, error) {
	if n <= l.Last {
		l.Bad = cmp.Or(l.Bad, fmt.Sprintf("message %d came after %d", n, l.Last))
	}
	l.Last = n
	return fmt.Sprint(n, l.Bad), nil
}

// BadFor has the packets between it and its agent obey a rule for a while.
func (*Linked) BadFor(ctx context.Context, b badLink) error {
	n, err := nodeOf(ctx)
	if err != nil {
		return err
	}
	wire, ok := n.peers.current().(*quicnet.Node)
	if !ok || n.up == nil {
		return errors.New("it has no agent")
	}
	return b.on(wire, n.up.boss)
}

// badLink is what becomes of the packets of a link, for so long.
type badLink struct {
	Rule fault.Rule
	For  time.Duration
}

// on has the link to a process be bad.
func (b badLink) on(wire *quicnet.Node, to uint64) error {
	addr, err := netip.ParseAddrPort(wire.PeerAddr(to).String())
	if err != nil {
		return err
	}
	rules := []fault.Rule{b.Rule}
	if b.For > 0 {
		time.AfterFunc(b.For, func() { _ = wire.SetFaults(nil, func() {}) }) // it could be bad, so it can be good
	}
	return wire.SetFaults([]fault.Path{{Addr: addr, Out: rules, In: rules}}, func() {})
}

// linked are four ranks on two hosts, to which messages go by agents.
func linked(t *testing.T) (*Engine, Mesh[Linked]) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("agents are tested on Linux")
	}
	ssh := filepath.Join(t.TempDir(), "ssh") // stands for a login at this machine, with a folder for each host
	script := "#!/bin/sh\nfor a; do host=$prev; prev=$a; done\nexport HOME=" + filepath.Dir(ssh) + "/$host; mkdir -p $HOME; unset XDG_CACHE_HOME; cd $HOME\nexec sh -c \"$a\"\n"
	if err := os.WriteFile(ssh, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	near := make(chan struct{}, 100)
	e, err := Start(t.Context(), NoSession(), Wide(1), Log(slog.New(slog.NewTextHandler(lineFunc(func(line string) {
		if strings.Contains(line, "go by the agent") {
			near <- struct{}{}
		}
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	if _, err := Supervise(e.Context(), func(context.Context, Failure) Decision { return Handled }); err != nil {
		t.Fatal(err)
	}
	procs, err := SpawnProcs(e.Context(), Name("p"), Hosts("n1", "n2"), Dim("gpus", 2), Virtual(), Via("ssh", "ssh", ssh))
	if err != nil {
		t.Fatal(err)
	}
	mesh, err := Spawn(e.Context(), procs, "linked", Linked{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Method(mesh, (*Linked).Next).Call(e.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for range mesh.Len() {
		select {
		case <-near:
		case <-time.After(20 * time.Second):
			t.Fatal("the workers have made no links to their agents")
		}
	}
	return e, mesh
}

// lineFunc is called with what is written.
type lineFunc func(string)

func (f lineFunc) Write(b []byte) (int, error) { f(string(b)); return len(b), nil }

// TestLinksOfAgentsThatAreBadForAWhileLoseNothing, and repeat nothing, and keep the order: those to the controller and to workers,
// while messages are on their way.
func TestLinksOfAgentsThatAreBadForAWhileLoseNothing(t *testing.T) {
	e, mesh := linked(t)
	ctx := e.Context()
	n, one := 1, mesh.Slice(At("hosts", 1), At("gpus", 1))
	agent := e.hub.detourOf(one.r.procOf(0)).agent
	for what, rule := range map[string]fault.Rule{
		"cut": {ID: 1, Loss: 1}, "lossy": {ID: 1, Seed: 7, Loss: 0.4}, "slow": {ID: 1, Delay: 30 * time.Millisecond, Jitter: 25 * time.Millisecond},
	} {
		bad := badLink{rule, 250 * time.Millisecond}
		for link, begin := range map[string]func() error{
			"to the controller":             func() error { return bad.on(e.hub.wire, agent) },
			"to a worker":                   func() error { return Action(one, (*Linked).BadFor).Call(ctx, bad) },
			"of a worker to the controller": func() error { return bad.on(e.hub.wire, one.r.procOf(0)) },
		} {
			if err := begin(); err != nil {
				t.Fatalf("%s %s: %v", what, link, err)
			}
			var waits []*Future[string]
			var wants []string
			for began := time.Now(); time.Since(began) < bad.For*3/2; {
				for range 5 {
					if n++; n%5 == 0 {
						if err := Method(mesh, (*Linked).Next).Broadcast(ctx, n); err != nil {
							t.Errorf("%s %s: %v", what, link, err)
						}
						continue
					}
					to := mesh
					if n%5 == 1 {
						to = one
					}
					call, cancel := context.WithCancel(ctx)
					f := Method(to, (*Linked).Next).Start(call, n)
					if n%5 == 2 { // what becomes of it nobody knows
						cancel()
						continue
					}
					defer cancel()
					waits, wants = append(waits, f), append(wants, fmt.Sprint(n))
				}
				n++ // at a rank whose links are good
				if v, err := Method(mesh.Slice(At("hosts", 0), At("gpus", 0)), (*Linked).Next).CallOne(ctx, n); err != nil || v != fmt.Sprint(n) {
					t.Fatalf("%s %s: to message %d a rank answers %q, %v", what, link, n, v, err)
				}
			}
			for i, f := range waits {
				got, err := f.All(ctx)
				if err != nil {
					t.Fatalf("%s %s: message %s: %v", what, link, wants[i], err)
				}
				for p, v := range got.Items() {
					if v != wants[i] {
						t.Fatalf("%s %s: to message %s rank %d answers %q", what, link, wants[i], p.Rank, v)
					}
				}
			}
		}
	}
}

// TestALinkOfAnAgentThatIsCutForGoodCostsTheRanksBehindIt: each has one outcome of what is on its way to it, and the others answer.
// One host is cut off from the controller, and a worker of the other from its agent.
func TestALinkOfAnAgentThatIsCutForGoodCostsTheRanksBehindIt(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 12 s")
	}
	e, mesh := linked(t)
	ctx := e.Context()
	lost := []bool{true, true, false, true} // by rank
	cut := badLink{Rule: fault.Rule{ID: 1, Loss: 1}}
	if err := Action(mesh.Slice(At("hosts", 1), At("gpus", 1)), (*Linked).BadFor).Call(ctx, cut); err != nil {
		t.Fatal(err)
	}
	if err := cut.on(e.hub.wire, e.hub.detourOf(mesh.r.procOf(0)).agent); err != nil {
		t.Fatal(err)
	}
	limit, cancel := context.WithTimeout(ctx, 25*time.Second)
	defer cancel()
	n := 1
	for range 2 { // when they have just been cut, and when the ranks are lost
		var waits []*Future[string]
		for range 10 {
			n++
			waits = append(waits, Method(mesh, (*Linked).Next).Start(limit, n))
		}
		for _, f := range waits {
			got, _ := f.All(ctx) // it fails, at some ranks
			for p, err := range got.Errors() {
				if (err != nil) != lost[p.Rank] || err != nil && !errors.Is(err, ErrLost) {
					t.Fatalf("rank %d ends with %v", p.Rank, err)
				}
			}
		}
	}
}
