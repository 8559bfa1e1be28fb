package quicnet

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/shm"
	"golang.org/x/sys/unix"
)

// A peer that does with memory what it must not loses its link, in words.
func TestHostileUsesOfMemoryEndTheLink(t *testing.T) {
	say := func(lane Lane, kind uint8, n uint64) func(*rogue) {
		return func(r *rogue) { r.write(lane, appendCounter(nil, kind, n)) }
	}
	for _, c := range []struct {
		name string
		do   func(r *rogue)
		code Code
		want string
	}{
		{"a turn to memory that was not offered", say(LaneCalls, linkTurn, 1), CodeProtocol, "the calls lane turns to 1"},
		{"a turn to where it is", say(LaneCalls, linkTurn, 0), CodeProtocol, "the calls lane turns to 0"},
		{"a turn to nowhere", say(LaneCalls, linkTurn, 2), CodeProtocol, "the calls lane turns to 2"},
		{"a turn on control", say(LaneControl, linkTurn, 1), CodeProtocol, "out of place"},
		{"an answer to nothing", say(LaneControl, linkMemoryAnswer, 1), CodeProtocol, "was not made"},
		{"an answer for stream 9", say(LaneControl, linkMemoryAnswer, 19), CodeProtocol, "was not made"},
		{"stream 2", func(r *rogue) { r.offers(2, nil) }, CodeProtocol, "an offer of memory for stream 2"},
		{"a second offer", func(r *rogue) { r.offers(streamCalls, nil); r.offers(streamCalls, nil) }, CodeProtocol, "a second offer"},
		{"no offer", func(r *rogue) { r.cbor(LaneControl, bytesFrame{Version: Version, Kind: linkMemory, Bytes: []byte{1}}) }, CodeFrame, "an offer of memory"},
		{"nonsense by memory", func(r *rogue) { _, _ = r.turns().Write([]byte{0, 0, 0, 3, 1, 2, 3}) }, CodeFrame, "calls lane"},
		{"a frame that is too large", func(r *rogue) { _, _ = r.turns().Write([]byte{0xff, 0, 0, 0}) }, CodeFrame, "at most"},
		{"a frame in another's name", func(r *rogue) {
			_, _ = r.turns().Write(r.env(LaneCalls, func(e *Envelope) { e.From.Proc = 5 }))
		}, CodeIdentity, "in the name of"},
		{"nonsense in the counters", func(r *rogue) {
			var o shm.Offer
			r.offers(streamCalls, func(made *shm.Offer) { o = *made })
			r.answered(streamCalls<<1 | 1)
			r.write(LaneCalls, appendCounter(nil, linkTurn, 1))
			memory, err := unix.Mmap(int(o.Memory), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Munmap(memory)                         //nolint:errcheck // a test
			binary.NativeEndian.PutUint64(memory[64:], 1<<40) // as if so much had been written
			bell, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", o.Data), os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer bell.Close()
			_, _ = bell.Write([]byte{1})
		}, CodeProtocol, "nonsense"},
		{"a body too large", func(r *rogue) {
			w := r.offers(streamBodies, nil)
			_, _ = w.Write((&bulkOut{lane: LaneCalls, seq: 1, body: make([]byte, 64<<20)}).head())
		}, CodeFrame, "a body of 67108864 bytes"},
		{"a body for control's events", func(r *rogue) {
			w := r.offers(streamBodies, nil)
			_, _ = w.Write((&bulkOut{lane: LaneEvents, seq: 1, body: make([]byte, 8)}).head())
		}, CodeProtocol, "a body for lane 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctl := newSession(t, Config{Handler: newRecorder()})
			r := nearRogue(t, ctl, ID{1, 1})
			c.do(r)
			if why := r.ends(10 * time.Second); why.Code != c.code || !strings.Contains(why.Reason, c.want) {
				t.Errorf("closed with %v, want %v and %q", why, c.code, c.want)
			}
		})
	}
	t.Run("offers of other things are declined", func(t *testing.T) {
		ctl := newSession(t, Config{Handler: newRecorder()})
		r := nearRogue(t, ctl, ID{1, 1})
		r.offers(streamCalls, func(o *shm.Offer) { o.Memory = uint32(os.Stdin.Fd()) })
		r.answered(streamCalls << 1)
		r.offers(streamBodies, func(o *shm.Offer) { o.PID = 1 << 31 })
		r.answered(streamBodies << 1)
	})
	t.Run("from another place", func(t *testing.T) {
		ctl := newSession(t, Config{Handler: newRecorder()})
		r := newRogue(t, ctl, ID{1, 1}) // its Hello has none
		r.offers(streamCalls, nil)
		r.answered(streamCalls << 1)
	})
}

// nearRogue is a rogue that says that it is in the place where ctl is.
func nearRogue(t *testing.T, ctl *Node, id ID) *rogue {
	t.Helper()
	r, err := dialRogueFrom(t, ctl, id, ctl.place())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// answered waits for the answer to an offer.
func (r *rogue) answered(want uint64) {
	r.t.Helper()
	for {
		f, err := r.in.one()
		if err != nil {
			r.t.Fatal(err)
		}
		if frameKind(f) != linkMemoryAnswer {
			continue
		}
		if n, err := decodeCounter(f); err != nil || n != want {
			r.t.Fatalf("answer %d, %v, want %d", n, err, want)
		}
		return
	}
}
