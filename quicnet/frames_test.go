package quicnet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func TestTheFrameReaderFindsFramesHoweverTheyArrive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		var want [][]byte
		for range rapid.IntRange(0, 40).Draw(t, "frames") {
			f := bytes.Repeat([]byte{rapid.Byte().Draw(t, "fill")}, rapid.OneOf(rapid.IntRange(1, 40), rapid.IntRange(1, 20000)).Draw(t, "size"))
			want = append(want, f)
			stream = append(stream, framed(f)...)
		}
		sizes := rapid.SliceOfN(rapid.IntRange(1, 9000), 1, 8).Draw(t, "reads")
		r := newFrameReader(&chunked{stream, sizes, 0}, 20000)
		for i, w := range want {
			f, err := r.one()
			if err != nil || !bytes.Equal(f, w) {
				t.Fatalf("frame %d of %d bytes: %d bytes, %v", i, len(w), len(f), err)
			}
		}
		if _, err := r.one(); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	})
}

// chunked returns a stream in pieces of the sizes.
type chunked struct {
	b     []byte
	sizes []int
	i     int
}

func (c *chunked) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := min(len(p), len(c.b), c.sizes[c.i%len(c.sizes)])
	c.i++
	copy(p, c.b[:n])
	c.b = c.b[n:]
	return n, nil
}

func TestAStreamThatEndsInAFrameIsAnError(t *testing.T) {
	r := newFrameReader(iotest.OneByteReader(bytes.NewReader(framed([]byte("hello"))[:7])), 100)
	if _, err := r.one(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// FuzzFrameReader feeds a lane's reader with anything: it ends in an error, without a panic, and
// never holds much more than the cap.
func FuzzFrameReader(f *testing.F) {
	f.Add(framed(AppendEnvelope(nil, benchEnvelope())), uint16(7))
	f.Add(append(appendCounter(nil, linkHeartbeat, 5), appendCounter(nil, linkAck, 1<<40)...), uint16(1))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, uint16(3))
	f.Fuzz(func(t *testing.T, b []byte, step uint16) {
		const limit = 1 << 10
		r := newFrameReader(&chunked{b, []int{int(step)%2000 + 1}, 0}, limit)
		total := 0
		for {
			fr, err := r.one()
			if err != nil {
				break
			}
			total += lengthBytes + len(fr)
			if int(binary.BigEndian.Uint32(b[total-lengthBytes-len(fr):])) != len(fr) {
				t.Fatal("a frame of another length")
			}
			if frameKind(fr) >= linkHello {
				_, _ = decodeCounter(fr)
				_ = StrictDec().Unmarshal(fr, new(hello))
				_ = StrictDec().Unmarshal(fr, new(welcome))
				continue
			}
			_, _ = decodeEnvelope(fr, new(Envelope))
		}
		if len(r.buf) > 128<<10 {
			t.Fatalf("%d bytes held", len(r.buf))
		}
	})
}

func TestLinkFramesSurviveTheTrip(t *testing.T) {
	for _, n := range []uint64{0, 23, 24, 1 << 20, 1<<64 - 1} {
		b := appendCounter(nil, linkHeartbeatAck, n)
		r := newFrameReader(bytes.NewReader(b), 100)
		f, err := r.one()
		if err != nil || frameKind(f) != linkHeartbeatAck {
			t.Fatal(err)
		}
		if got, err := decodeCounter(f); err != nil || got != n {
			t.Errorf("%d became %d: %v", n, got, err)
		}
	}
}
