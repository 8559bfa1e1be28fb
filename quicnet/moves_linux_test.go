package quicnet

import (
	"net"
	"strings"
	"testing"
	"time"
)

// TestManyWorkersConnectByQUICOneAfterTheOther has all that joined by sockets come to QUIC, without anybody asking for one.
func TestManyWorkersConnectByQUICOneAfterTheOther(t *testing.T) {
	rec := newRecorder()
	ctl := newSession(t, Config{Handler: rec})
	stuck := socketsFor(t, ctl, ID{99, 1}) // the first never does, which holds up nobody for long
	greetBy(t, ctl, stuck, ID{99, 1})
	const workers = 12
	for i := range uint64(workers) {
		if _, err := joinInherited(t, ctl, ID{i + 1, 1}); err != nil {
			t.Fatal(err)
		}
	}
	rec.until(t, 20*time.Second, "all", func() bool {
		moved := 0
		for i := range uint64(workers) {
			if rec.find(i+1, LinkMoved) != nil {
				moved++
			}
		}
		return moved == workers
	})
}

// TestTheWorkerMayBeTheFirstToLeaveTheSockets has one that leaves them before the controller has attached the connection by QUIC, and has
// acknowledged more over them than it says when it connects.
func TestTheWorkerMayBeTheFirstToLeaveTheSockets(t *testing.T) {
	rec := newRecorder()
	ctl := newSession(t, Config{Handler: rec})
	id := ID{1, 1}
	files := socketsFor(t, ctl, id)
	greetBy(t, ctl, files, id)
	rec.until(t, 10*time.Second, "the link", func() bool { return rec.saw(1, LinkUp) })
	const frames = 5
	for i := range uint64(frames) {
		if err := ctl.Send(t.Context(), 1, LaneCalls, call(0, 1, i+1, []byte{1})); err != nil {
			t.Fatal(err)
		}
	}
	v, _ := ctl.fast.Load(uint64(1))
	out := &v.(*peer).out[LaneCalls]
	if _, err := files[LaneCalls].Write(appendCounter(nil, linkAck, frames)); err != nil {
		t.Fatal(err)
	}
	for left := out.drained(); left != nil; left = out.drained() {
		<-left
	}
	writeFrame(t, files[LaneControl], closeFrame{Version: Version, Kind: linkClose, Code: uint64(CodeReplaced)})
	for _, f := range files {
		_ = f.Close()
	}
	if _, err := dialRogue(t, ctl, id); err != nil {
		t.Fatal(err)
	}
	rec.until(t, 10*time.Second, "QUIC", func() bool { return rec.saw(1, LinkMoved) })
	for _, ev := range rec.told() {
		if ev.State != LinkUp && ev.State != LinkMoved {
			t.Errorf("%s: %s", ev.State, ev.Reason)
		}
	}
}

func TestNoEventIsLostWhenQUICTakesOver(t *testing.T) {
	for round := range 20 {
		rec := newRecorder()
		ctl := newSession(t, Config{Handler: rec})
		w, err := joinInherited(t, ctl, ID{1, 1})
		if err != nil {
			t.Fatal(err)
		}
		const events = 500
		go func() {
			for i := range uint64(events) {
				if i == uint64(10*round) {
					w.needNetwork()
				}
				if err := w.Send(t.Context(), 0, LaneEvents, call(1, 0, i+1, make([]byte, 100))); err != nil {
					t.Error(err)
					return
				}
			}
		}()
		rec.until(t, 10*time.Second, "all events", func() bool { return len(rec.frames) == events })
		rec.until(t, 10*time.Second, "QUIC", func() bool { return rec.saw(1, LinkMoved) })
		for i, f := range rec.frames {
			if f.env.ID != uint64(i+1) {
				t.Fatalf("round %d: event %d came where %d was due", round, f.env.ID, i+1)
			}
		}
		if n := ctl.Peers()[0].EventsMissed; n != 0 {
			t.Errorf("round %d: %d events are said to be lost", round, n)
		}
		_ = w.Close("")
		_ = ctl.Close("")
	}
}

func TestAWrongNumberOfSocketsIsRefused(t *testing.T) {
	ctl := newSession(t, Config{Handler: newRecorder()})
	ticket, err := ctl.Ticket(ID{1, 1}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Join(t.Context(), ticket, Config{Handler: newRecorder(), Sockets: socketsFor(t, ctl, ID{1, 1})[:2]}); err == nil || !strings.Contains(err.Error(), "Config.Sockets has 2, want 3") {
		t.Errorf("%v", err)
	}
}

// A worker that cannot open a socket, for want of descriptors for one, goes on by those that it has inherited until it can.
func TestAWorkerWithoutASocketForQUICStaysOnThoseThatItHas(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	n := newInherited(t, func(proc int, c *Config) {
		if proc == 1 {
			c.Listen = taken.LocalAddr().String()
		}
	})
	reached := make(chan error, 1)
	go func() {
		_, err := n.nodes[0].Reach(t.Context(), 1)
		reached <- err
	}()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) { // it tells nobody
		links := n.nodes[1].Peers()
		if len(links) == 1 && strings.Contains(links[0].Fault, "address already in use") {
			break
		}
		if len(links) == 0 || time.Now().After(end) {
			t.Fatalf("it does not say why it has no socket: %+v", links)
		}
	}
	up, down := &sender{n: n, from: 1, pair: pair{1, 2}}, &sender{n: n, from: 0, pair: pair{3, 4}}
	up.send(5)
	down.send(5)
	n.flows[0].until(t, "frames from the worker", func() bool { return n.flows[0].next[up.pair] == 5 })
	n.flows[1].until(t, "frames from the controller", func() bool { return n.flows[1].next[down.pair] == 5 })
	_ = taken.Close()
	select {
	case err := <-reached:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it does not connect by QUIC")
	}
	if got := states(n.flows[1]); got != "up" {
		t.Errorf("the worker was told: %s", got)
	}
}
