package quicnet

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// TestTheQueueGivesBackWhatItTook compares it with a plain list, while frames small and large come and go.
func TestTheQueueGivesBackWhatItTook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q frameQueue
		var want [][]byte
		content := rapid.SliceOfN(rapid.Byte(), 1, smallFrame)
		check := func() {
			for i, b := range want {
				if got := q.at(i); !bytes.Equal(q.content(i), b) || got.seq != uint64(b[0]) || got.size() != len(b) {
					t.Fatalf("frame %d is %d: %x, want %x", i, got.seq, q.content(i), b)
				}
			}
			if q.n != len(want) {
				t.Fatalf("there are %d, want %d", q.n, len(want))
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { check() },
			"small": func(t *rapid.T) {
				b := content.Draw(t, "frame")
				f, room := q.push()
				f.bytes, f.seq = uint8(len(append(room, b...))), uint64(b[0])
				want = append(want, b)
			},
			"of the pool": func(t *rapid.T) {
				b := bytes.Repeat(content.Draw(t, "frame"), 3)
				f := framePool.Get().(*largerFrame)
				f.b = append(f.b[:0], b...)
				if f.body != nil || f.large != nil {
					t.Fatal("it has the body of an earlier frame")
				}
				q.take(f).seq = uint64(b[0])
				want = append(want, b)
			},
			"away": func(t *rapid.T) {
				if len(want) == 0 {
					t.Skip("empty")
				}
				if size := q.pop(); size != len(want[0]) {
					t.Fatalf("%d bytes went, want %d", size, len(want[0]))
				}
				want = want[1:]
			},
			"rest": func(*rapid.T) { q.rest() },
		})
	})
}

// TestWhatIsSmallFitsIntoTheQueue takes the longest that everything of a routed frame can be, but for its body.
func TestWhatIsSmallFitsIntoTheQueue(t *testing.T) {
	const most = ^uint64(0)
	for _, e := range []Envelope{
		{Kind: KindCall, Budget: -1 << 63, Parent: most, Trace: most, Token: 255},
		{Kind: KindReply, Load: most, Clock: 1 << 63, Trace: most, Token: 255},
	} {
		e.Body = make([]byte, smallBody)
		if b, _ := appendRest(nil, &e); len(b) > smallFrame {
			t.Errorf("%s: %d bytes, and there is room for %d", e.Kind, len(b), smallFrame)
		}
	}
}
