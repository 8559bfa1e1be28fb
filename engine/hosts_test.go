package engine

import (
	"errors"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/farlog"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
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
