package control

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"
)

// Sizes of the framing, in bytes.
const (
	maxFrame   = 16 << 20  // a longer length prefix ends the connection
	chunk      = 1 << 20   // a longer body travels in several frames
	maxRequest = 16 << 20  // body of one request, all its frames together
	maxAnswer  = 512 << 20 // body of one answer: the snapshot of a million ranks
)

// kind tells what a frame is. Numbers are never used again.
type kind uint8

const (
	kindHello   kind = 1  // client: hello
	kindWelcome kind = 2  // server: Info
	kindBye     kind = 3  // either: the connection ends, Err says why
	kindRequest kind = 4  // client: Verb, Body
	kindAnswer  kind = 5  // server: the last frame of a request: Body or Err
	kindReply   kind = 6  // server: Reply, one rank's part of a call
	kindCancel  kind = 7  // client: gives up on the request
	kindUpdate  kind = 8  // server: update of a watch
	kindCredit  kind = 9  // client: may be sent one more update of the watch
	kindSync    kind = 10 // client: wants to know when it has all events of the watch up to now
)

// frame is what follows each length prefix: a CBOR map with small integer keys, absent when zero.
type frame struct {
	Kind kind   `cbor:"1,keyasint"`
	ID   uint64 `cbor:"2,keyasint,omitempty"` // of the request that the frame belongs to
	Verb string `cbor:"3,keyasint,omitempty"`
	Err  *Error `cbor:"4,keyasint,omitempty"`
	More bool   `cbor:"5,keyasint,omitempty"` // the body goes on in the next frame of this kind and ID
	Body []byte `cbor:"6,keyasint,omitempty"` // CBOR of the type that kind and verb name
}

// errFrame marks bytes that are no frame: the connection cannot go on.
var errFrame = errors.New("malformed frame")

// appendFrame appends f with its length prefix.
func appendFrame(dst []byte, f *frame) ([]byte, error) {
	b, err := enc().Marshal(f)
	if err != nil {
		return dst, fmt.Errorf("encode a frame: %w", err)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(b)))
	return append(dst, b...), nil
}

// appendMessage appends f, cut into as many frames as its body needs.
func appendMessage(dst []byte, f frame) ([]byte, error) {
	body := f.Body
	for {
		f.Body, f.More = body, false
		if len(body) > chunk {
			f.Body, f.More = body[:chunk], true
		}
		var err error
		if dst, err = appendFrame(dst, &f); err != nil {
			return dst, err
		}
		if body = body[len(f.Body):]; !f.More {
			return dst, nil
		}
	}
}

// readFrame reads one frame. Memory grows with the bytes that arrive, not with what the prefix promises.
// io.EOF means a clean end between frames.
func readFrame(r io.Reader, dec cbor.DecMode) (*frame, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("%w: the connection ended inside a length prefix", errFrame)
		}
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || n > maxFrame {
		return nil, fmt.Errorf("%w: length %d, want 1 to %d", errFrame, n, maxFrame)
	}
	b, err := readBody(r, int(n))
	if err != nil {
		return nil, err
	}
	var f frame
	if err := dec.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	return &f, nil
}

func readBody(r io.Reader, n int) ([]byte, error) {
	const step = 64 << 10
	b := make([]byte, 0, min(n, step))
	for len(b) < n {
		more := min(n-len(b), max(step, len(b)))
		b = append(b, make([]byte, more)...)
		if _, err := io.ReadFull(r, b[len(b)-more:]); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, fmt.Errorf("%w: the connection ended inside a frame of %d bytes", errFrame, n)
			}
			return nil, err
		}
	}
	return b, nil
}

// gatherer joins the frames of one message.
type gatherer struct {
	limit int
	parts map[gatherKey][]byte
	held  int // bytes in parts
}

type gatherKey struct {
	kind kind
	id   uint64
}

// add takes a frame; done is true when its message is complete, and f.Body then holds all of it.
func (g *gatherer) add(f *frame) (done bool, err error) {
	key := gatherKey{f.Kind, f.ID}
	before, open := g.parts[key]
	if !f.More && !open {
		return true, nil
	}
	if g.held+len(f.Body) > g.limit {
		return false, fmt.Errorf("%w: a message of more than %d bytes", errFrame, g.limit)
	}
	if f.More && len(f.Body) == 0 {
		return false, fmt.Errorf("%w: an empty part of a message", errFrame)
	}
	if f.More {
		if g.parts == nil {
			g.parts = make(map[gatherKey][]byte)
		}
		g.parts[key] = append(before, f.Body...)
		g.held += len(f.Body)
		return false, nil
	}
	g.held -= len(before)
	delete(g.parts, key)
	f.Body = append(before, f.Body...)
	return true, nil
}
