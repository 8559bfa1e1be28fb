package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/agent"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/via"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// TestAClockThatIsOffIsSaid: certificates allow a quarter of an hour, and what TLS says of more names no clock.
func TestAClockThatIsOffIsSaid(t *testing.T) {
	for off, want := range map[time.Duration]string{
		0: "", 9 * time.Minute: "", -9 * time.Minute: "", time.Hour: "its clock is 1h0m0s ahead", -time.Hour: "its clock is 1h0m0s behind",
	} {
		if got := skewed(time.Now().Add(off).UnixMilli()); got != want {
			t.Errorf("by %v: %q, want %q", off, got, want)
		}
	}
	exe, err := selfExecutable()
	if err != nil {
		t.Fatal(err)
	}
	sum, err := agent.Sum(exe)
	if err != nil {
		t.Fatal(err)
	}
	start := func(boots ...agent.Boot) error {
		t.Helper()
		secret, err := quicnet.Enc().Marshal(agentBoots{Boots: boots})
		if err != nil {
			t.Fatal(err)
		}
		_, err = startAgent(&via.Arrival{Secret: secret})
		return err
	}
	if err := start(agent.Boot{Sum: sum, Now: time.Now().Add(time.Hour).UnixMilli()}); err == nil || !strings.Contains(err.Error(), "the clock of this machine is 1h0m0s behind") {
		t.Errorf("a machine an hour behind: %v", err)
	}
	if err := start(agent.Boot{Now: time.Now().UnixMilli()}); err == nil || !strings.Contains(err.Error(), "is not the program that the controller runs") {
		t.Errorf("another program: %v", err)
	}
	if err := start(); err == nil || !strings.Contains(err.Error(), "it is started as host 0") {
		t.Errorf("a host too many: %v", err)
	}
	if _, err := startAgent(&via.Arrival{Secret: []byte("hello")}); err == nil || !strings.Contains(err.Error(), "does not decode") {
		t.Errorf("something else in the place of the secret: %v", err)
	}
}

// TestALauncherThatTellsLateTakesNoHostBack: a watch of Kubernetes' tells that a pod begins after the agent in it has come, and on a host
// that is launching nothing can be started.
func TestALauncherThatTellsLateTakesNoHostBack(t *testing.T) {
	h, err := newHub(defaults())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close(t.Context())
	m := &machine{rec: control.Host{State: "ready", PID: 1}}
	m.pm = &procMesh{fleet: &fleet{machines: []*machine{m}}, rec: control.ProcMesh{Hosts: control.NewHosts(nil, "n1")}}
	for _, s := range []via.State{via.Queued, via.Placed, via.Shipping, via.Started} {
		h.launchEvent(m.pm, via.Event{Host: 0, State: s, Name: "n1", Text: "late"})
		if m.rec.State != "ready" || m.rec.Reason != "" || m.rec.Name != "n1" {
			t.Errorf("event %d leaves the host %+v", s, m.rec)
		}
	}
}
