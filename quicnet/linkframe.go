package quicnet

import (
	"encoding/binary"
	"fmt"
)

// Kinds of the link's own frames. They are apart from Kind's values so that a number means one thing.
const (
	linkHello        = 32 + iota // dialler to acceptor, first on the control lane
	linkWelcome                  // the answer
	linkReady                    // dialler: Welcome was understood
	linkHeartbeat                // [.., n]: answer me
	linkHeartbeatAck             // [.., n]
	linkAck                      // [.., seq]: everything of this lane up to seq was received
	linkRenew                    // worker to controller: [.., public key]
	linkCertificate              // the answer, or that to linkJoin, before Welcome: [.., certificate]
	linkJoin                     // a dialler without a certificate, before Hello: who it is, and the proof
	linkRoute                    // calls: what a number stands for from here on (route.go)
	linkMemory                   // control: [.., an offer of shared memory] (memory.go)
	linkMemoryAnswer             // control: [.., stream << 1 | taken]
	linkMemoryUse                // control: [.., 0: do not write to memory, 1: you may again]
	linkMemoryUsed               // control: [.., n]: the answer to the n-th 0
	linkTurn                     // calls: [.., 1: the lane goes on in memory, 0: on its stream]
	linkDial                     // controller to worker, by sockets that it has inherited: [.., 0], connect by QUIC
	linkClose                    // by such sockets: what closes a connection of QUIC
	linkEnd
)

// joinRequest is what a process with a ticket says before Hello. Its key is that of the certificate that it has shown, which
// nobody has signed.
type joinRequest struct {
	_       struct{} `cbor:",toarray"`
	Version uint8
	Kind    uint8
	Proc    uint64
	Epoch   uint32
	Proof   []byte
}

// hello opens a link on a connection. Both numbers in Received are the last of each reliable lane
// that arrived, so that the other side sends the rest again.
type hello struct {
	_            struct{} `cbor:",toarray"`
	Version      uint8    // of this frame, for ever
	Kind         uint8
	Least, Most  uint8 // versions the dialler speaks
	Proc         uint64
	Epoch        uint32
	To           uint64    // who the dialler thinks it reached
	Nonce        uint64    // names the dialler's state of this link
	Peer         uint64    // the acceptor's nonce where this link was up before, else 0
	Received     [2]uint64 // control, calls
	WindowFrames uint32
	WindowBytes  uint64
	FrameBytes   uint64
	Place        []byte // where it shares memory with others (package shm); empty: nowhere
	Opaque       []byte
}

// welcome answers hello.
type welcome struct {
	_            struct{} `cbor:",toarray"`
	Version      uint8
	Kind         uint8
	Speak        uint8 // the version of this connection
	Proc         uint64
	Epoch        uint32
	Nonce        uint64
	Received     [2]uint64
	WindowFrames uint32
	WindowBytes  uint64
	FrameBytes   uint64
	Place        []byte
	Opaque       []byte
}

// bytesFrame is a link frame that carries one byte string.
type bytesFrame struct {
	_       struct{} `cbor:",toarray"`
	Version uint8
	Kind    uint8
	Bytes   []byte
}

// closeFrame ends a connection by sockets.
type closeFrame struct {
	_       struct{} `cbor:",toarray"`
	Version uint8
	Kind    uint8
	Code    uint64
	Reason  string
}

// appendCounter appends the frame [version, kind, n] with its length.
func appendCounter(dst []byte, kind uint8, n uint64) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0, majorArray<<5|3, Version)
	dst = appendUint(dst, uint64(kind))
	dst = appendUint(dst, n)
	return setLength(dst, at)
}

// setLength puts the length of a frame that begins at at into its first four bytes.
func setLength(dst []byte, at int) []byte {
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-lengthBytes))
	return dst
}

// frameKind returns the kind of an encoded frame without decoding the rest: 0 if it has none.
func frameKind(b []byte) uint8 {
	if len(b) > 2 && b[0]-majorArray<<5 < 24 && b[1] < 24 && b[2] < 24 { // as below: the kind of a routed frame is wanted often
		return b[2]
	}
	r := cborReader{b: b}
	r.head(majorArray, "frame")
	r.uint8("version")
	return r.uint8("kind")
}

// helloVersions reads the four items of Hello that no version will move.
func helloVersions(b []byte) (least, most uint64) {
	r := cborReader{b: b}
	r.head(majorArray, "hello")
	r.uint8("version")
	r.uint8("kind")
	return r.uint(1<<8-1, "least"), r.uint(1<<8-1, "most")
}

// decodeCounter reads what appendCounter wrote, less the length.
func decodeCounter(b []byte) (uint64, error) {
	r := cborReader{b: b}
	if n := r.head(majorArray, "link frame"); r.err == nil && n != 3 {
		return 0, fmt.Errorf("link frame: %d fields, want 3", n)
	}
	if v := r.uint8("version"); r.err == nil && v != Version {
		return 0, fmt.Errorf("link frame: version %d, this program speaks %d", v, Version)
	}
	r.uint8("kind")
	n := r.uint64("counter")
	if r.err == nil && r.at != len(b) {
		r.fail("link frame", "bytes follow")
	}
	return n, r.err
}

// sendFrames writes frames of the handshake as one piece.
func (c *conn) sendFrames(frames ...any) error {
	var out []byte
	for _, v := range frames {
		b, err := Enc().Marshal(v)
		if err != nil {
			return err
		}
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(b))), b...)
	}
	_, err := c.streams[LaneControl].Write(out)
	return err
}

// notNull keeps an absent byte string from becoming null, which the schema doesn't have.
func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
