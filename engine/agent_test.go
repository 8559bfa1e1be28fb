package engine

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/agent"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/via"
	"github.com/monarch-tui/monarch-tui/engine/internal/relay"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// hourBehind is what an agent says whose start has taken a moment.
var hourBehind = regexp.MustCompile(`the clock of this machine is (1h0m0s|59m\d+s) behind`)

// TestAClockThatIsOffIsSaid: certificates allow a quarter of an hour, and what TLS says of more names no clock.
func TestAClockThatIsOffIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where no time passes meanwhile
		for off, want := range map[time.Duration]string{
			0: "", 9 * time.Minute: "", -9 * time.Minute: "", time.Hour: "its clock is 1h0m0s ahead", -time.Hour: "its clock is 1h0m0s behind",
		} {
			if got := skewed(time.Now().Add(off).UnixMilli()); got != want {
				t.Errorf("by %v: %q, want %q", off, got, want)
			}
		}
	})
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
	if err := start(agent.Boot{Sum: sum, Now: time.Now().Add(time.Hour).UnixMilli()}); err == nil || !hourBehind.MatchString(err.Error()) {
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

// TestAnAgentSpeaksForItsOwnWorkersOnly: what it says for others, and what workers send by no agent, is refused.
func TestAnAgentSpeaksForItsOwnWorkersOnly(t *testing.T) {
	h, err := newHub(defaults())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close(t.Context())
	h.detours.Store(uint64(7), &detour{agent: 20})
	h.detours.Store(uint64(8), &detour{agent: 21})
	h.detourOf(7).up.Store(1)
	h.detourOf(8).up.Store(1)
	st := &channelState{id: 99, wake: make(chan struct{}, 1)}
	h.node.ports.add(st)
	value := func(proc uint64) []byte {
		return relay.AppendFrame(nil, &quicnet.Envelope{Kind: quicnet.KindPort, From: quicnet.Addr{Proc: proc}, Index: st.id, Body: []byte{1}})
	}
	fold := h.node.handlers.notes[sysFold]
	say := func(agent uint64, body []byte) error {
		_, err := fold.take(t.Context(), h.node, quicnet.Addr{Proc: agent}, body)
		return err
	}
	for name, c := range map[string]struct {
		agent uint64
		body  []byte
	}{
		"a worker of another":  {20, value(8)},
		"itself":               {20, value(20)},
		"the controller":       {20, value(0)},
		"a worker in its name": {7, value(7)},
		"a request":            {20, relay.AppendFrame(nil, &quicnet.Envelope{Kind: quicnet.KindSystem, From: quicnet.Addr{Proc: 7}, Endpoint: sysVerb, Flags: sysRequest})},
		"a call":               {20, relay.AppendFrame(nil, &quicnet.Envelope{Kind: quicnet.KindCall, From: quicnet.Addr{Proc: 7}})},
		"half a frame":         {20, value(7)[:9]},
	} {
		if err := say(c.agent, c.body); err == nil || len(st.queue) != 0 {
			t.Errorf("an agent speaks for %s: %v", name, err)
		}
	}
	if err := say(20, value(7)); err != nil || len(st.queue) != 1 {
		t.Errorf("an agent speaks for its worker: %v, %d values", err, len(st.queue))
	}
	h.leaveDetour(7, 1)
	if err := say(20, value(7)); err != nil || len(st.queue) != 1 {
		t.Errorf("its worker has ended: %v, %d values", err, len(st.queue))
	}
	near := h.node.handlers.notes[sysNear]
	for _, from := range []uint64{21, 8} {
		b, _ := quicnet.Enc().Marshal(nearBody{7, 1})
		if _, err := near.take(t.Context(), h.node, quicnet.Addr{Proc: from}, b); !errors.Is(err, ErrForbidden) || h.detourOf(7).up.Load() != 0 {
			t.Errorf("process %d has a link to another's worker: %v", from, err)
		}
	}
}

// TestAnAgentTakesFromItsOwnWorkersWhatGoesByIt and nothing else; and a worker takes nothing in the controller's name but from its agent.
func TestAnAgentTakesFromItsOwnWorkersWhatGoesByIt(t *testing.T) {
	n := newNode(20, 1, slog.New(slog.DiscardHandler))
	r := newRelayer(n, nil)
	var got int
	r.fold = relay.NewFold(func(b []byte, _ []relay.Asked) {
		if err := relay.Frames(b, func(env *quicnet.Envelope) error {
			if got++; env.From.Proc != 7 || env.To.Proc != 0 || env.Call != quicnet.SessionID(0, 5) || env.Flags != 0 {
				t.Errorf("%+v", env)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}, n.closing)
	r.near[7] = 2
	for name, c := range map[string]struct {
		from quicnet.ID
		env  quicnet.Envelope
		want int
	}{
		"its worker":     {quicnet.ID{Proc: 7, Epoch: 2}, quicnet.Envelope{Kind: quicnet.KindReply, Call: quicnet.SessionID(20, 5), Flags: flagAsk}, 1},
		"an older epoch": {quicnet.ID{Proc: 7, Epoch: 1}, quicnet.Envelope{Kind: quicnet.KindReply}, 0},
		"a stranger":     {quicnet.ID{Proc: 8, Epoch: 2}, quicnet.Envelope{Kind: quicnet.KindReply}, 0},
		"a request":      {quicnet.ID{Proc: 7, Epoch: 2}, quicnet.Envelope{Kind: quicnet.KindSystem, Endpoint: sysFork, Flags: sysRequest}, 0},
		"a large one":    {quicnet.ID{Proc: 7, Epoch: 2}, quicnet.Envelope{Kind: quicnet.KindReply, Body: make([]byte, maxNear+1)}, 0},
	} {
		got = 0
		c.env.From, c.env.To = quicnet.Addr{Proc: c.from.Proc}, quicnet.Addr{Proc: 20}
		if !r.takes(c.from, &c.env) {
			t.Errorf("%s: the agent takes it for its own", name)
		}
		if r.fold.Flush(); got != c.want {
			t.Errorf("%s: %d frames go up, want %d", name, got, c.want)
		}
	}
	r.takes(quicnet.ID{}, &quicnet.Envelope{Kind: quicnet.KindCall, Body: []byte{0xff}}) // a list that nobody writes
	u := newUpward(n, 20)
	for name, c := range map[string]struct {
		from       uint64
		kind       quicnet.Kind
		done, name bool // there is nothing more to do; it is in the controller's name
	}{
		"the agent's call":    {20, quicnet.KindCall, false, true},
		"the agent's answer":  {20, quicnet.KindReply, true, false},
		"the agent's request": {20, quicnet.KindSystem, true, false},
		"another's call":      {9, quicnet.KindCall, false, false},
		"another's ack":       {9, quicnet.KindAck, false, false},
	} {
		env := quicnet.Envelope{Kind: c.kind, From: quicnet.Addr{Proc: c.from}, Endpoint: sysExit, Flags: sysRequest}
		if done := u.takes(c.from, &env); done != c.done || env.From.Proc == 0 != c.name {
			t.Errorf("%s: done %v, from %d", name, done, env.From.Proc)
		}
	}
}

// fullLink is a link that takes nothing at once. What waits for it is given to the test, one by one.
type fullLink struct {
	link
	sent chan uint64
	room chan struct{}
}

func (fullLink) Close(string) error { return nil }
func (l fullLink) Send(ctx context.Context, _ uint64, _ quicnet.Lane, env *quicnet.Envelope) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	l.sent <- env.ID
	<-l.room
	return nil
}

// TestWhatIsForAWorkerThatHasEndedIsNotForTheNext, which has its place: its agent was to hand it on, or waits for room.
func TestWhatIsForAWorkerThatHasEndedIsNotForTheNext(t *testing.T) {
	n := newNode(20, 1, slog.New(slog.DiscardHandler))
	full := fullLink{sent: make(chan uint64), room: make(chan struct{})}
	n.peers = newPeers()
	n.peers.connect(full)
	defer n.close("the test is over")
	r := newRelayer(n, nil)
	r.near[7] = 2
	down := func(id uint64, epoch uint32) {
		r.takes(quicnet.ID{}, &quicnet.Envelope{Kind: quicnet.KindCall, ID: id, Body: relay.AppendTargets(nil, []relay.Target{{Proc: 7, Epoch: epoch}})})
	}
	down(1, 1)
	down(2, 2)
	down(3, 2)
	if got := <-full.sent; got != 2 {
		t.Fatalf("message %d is handed on, want 2", got)
	}
	r.mu.Lock()
	r.near[7] = 3
	r.mu.Unlock()
	down(4, 3)
	close(full.room)
	if got := <-full.sent; got != 4 {
		t.Errorf("message %d is handed on, want 4", got)
	}
}
