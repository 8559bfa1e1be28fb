package control

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestFramesRoundTripWholeAndInParts(t *testing.T) {
	for _, n := range []int{0, 1, chunk - 1, chunk, chunk + 1, 3*chunk + 7} {
		f := frame{Kind: kindReply, ID: 9, Verb: "x", Body: bytes.Repeat([]byte{7}, n)}
		b, err := appendMessage(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		r, g := bytes.NewReader(b), gatherer{limit: maxAnswer}
		for {
			got, err := readFrame(r, friendlyDec())
			if err != nil {
				t.Fatal(err)
			}
			if done, err := g.add(got); err != nil {
				t.Fatal(err)
			} else if !done {
				continue
			}
			if got.ID != 9 || !bytes.Equal(got.Body, f.Body) || got.Verb != "x" {
				t.Errorf("%d bytes came back as %d", n, len(got.Body))
			}
			break
		}
		if g.held != 0 || len(g.parts) != 0 {
			t.Errorf("%d bytes: the gatherer still holds %d", n, g.held)
		}
		if _, err := readFrame(r, friendlyDec()); !errors.Is(err, io.EOF) {
			t.Errorf("after the last frame: %v", err)
		}
	}
}

func TestGathererIsBounded(t *testing.T) {
	g := gatherer{limit: 10}
	for id := range uint64(2) {
		if _, err := g.add(&frame{Kind: kindRequest, ID: id, More: true, Body: make([]byte, 5)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.add(&frame{Kind: kindRequest, ID: 3, More: true, Body: []byte{1}}); !errors.Is(err, errFrame) {
		t.Errorf("err = %v", err)
	}
	if _, err := g.add(&frame{Kind: kindRequest, ID: 4, More: true}); !errors.Is(err, errFrame) {
		t.Errorf("an empty part: %v", err)
	}
}

func TestACutConnectionIsTold(t *testing.T) {
	b := mustFrame(frame{Kind: kindRequest, ID: 1, Verb: "stop"})
	for n := 1; n < len(b); n++ {
		if _, err := readFrame(bytes.NewReader(b[:n]), hostileDec()); !errors.Is(err, errFrame) || !strings.Contains(err.Error(), "ended inside") {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add(mustFrame(frame{Kind: kindHello, Body: mustCBOR(hello{Min: 1, Max: 1})}))
	f.Add(mustFrame(frame{Kind: kindRequest, ID: 1, Verb: verbCall, Body: mustCBOR(CallReq{Mesh: "m"})}))
	f.Add([]byte{0, 0, 0, 9, 0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		g := gatherer{limit: 1 << 20}
		for r := bytes.NewReader(b); ; {
			fr, err := readFrame(r, hostileDec())
			if err != nil {
				return
			}
			again, err := appendFrame(nil, fr)
			if err != nil {
				t.Fatalf("a frame that was read does not encode: %v", err)
			}
			if back, err := readFrame(bytes.NewReader(again), hostileDec()); err != nil || back.Kind != fr.Kind || back.ID != fr.ID || !bytes.Equal(back.Body, fr.Body) {
				t.Fatalf("%+v came back as %+v, %v", fr, back, err)
			}
			if done, err := g.add(fr); err != nil || !done {
				continue
			}
			if v, ok := verbNamed(fr.Verb); ok {
				_, _ = v.request(fr.Body)
			}
		}
	})
}

func FuzzUpdate(f *testing.F) {
	b, _ := encodeUpdate(Update{Snapshot: &Snapshot{Seq: 1}, Events: []*Event{{Seq: 2, Log: &Log{Text: "x"}}}})
	f.Add(b)
	f.Fuzz(func(_ *testing.T, b []byte) {
		var w wireUpdate
		if friendlyDec().Unmarshal(b, &w) == nil {
			new(Replica).Apply(w.decode())
		}
	})
}

func BenchmarkReply(b *testing.B) {
	body := mustCBOR(Reply{Call: 1, Rank: 2, Outcome: OutcomeReply, Body: []byte{1}})
	for b.Loop() {
		m := mustFrame(frame{Kind: kindReply, ID: 1, Body: body})
		if _, err := readFrame(bytes.NewReader(m), friendlyDec()); err != nil {
			b.Fatal(err)
		}
	}
}
