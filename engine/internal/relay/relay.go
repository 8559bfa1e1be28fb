package relay

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

// Target is a rank that a message is for.
type Target struct {
	Index uint64 // in the view that is called
	Proc  uint64
	Epoch uint32 // of the process: a later one is not meant
	Life  uint32
}

// MaxTargets is how many ranks one frame is for at most.
const MaxTargets = 4096

// MaxListed is what a target takes of a frame at most.
const MaxListed = 2*binary.MaxVarintLen64 + 2*binary.MaxVarintLen32

var errShort = errors.New("relay: the list ends too early")

// AppendTargets appends the list of who a message is for. The argument follows it.
func AppendTargets(dst []byte, targets []Target) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(targets)))
	for _, t := range targets {
		dst = binary.AppendUvarint(dst, t.Index)
		dst = binary.AppendUvarint(dst, t.Proc)
		dst = binary.AppendUvarint(dst, uint64(t.Epoch))
		dst = binary.AppendUvarint(dst, uint64(t.Life))
	}
	return dst
}

// Targets reads what AppendTargets wrote, and gives the argument behind it.
func Targets(b []byte) (targets []Target, arg []byte, err error) {
	n, b, err := uvarint(b)
	if err != nil {
		return nil, nil, err
	}
	if n > MaxTargets || n > uint64(len(b))/4 {
		return nil, nil, fmt.Errorf("relay: %d ranks in %d bytes, at most %d", n, len(b), MaxTargets)
	}
	targets = make([]Target, n)
	for i := range targets {
		var epoch, life uint64
		t := &targets[i]
		for _, to := range []*uint64{&t.Index, &t.Proc, &epoch, &life} {
			if *to, b, err = uvarint(b); err != nil {
				return nil, nil, err
			}
		}
		if epoch > math.MaxUint32 || life > math.MaxUint32 {
			return nil, nil, fmt.Errorf("relay: epoch %d, life %d", epoch, life)
		}
		t.Epoch, t.Life = uint32(epoch), uint32(life)
	}
	return targets, b, nil
}

func uvarint(b []byte) (v uint64, rest []byte, err error) {
	v, k := binary.Uvarint(b)
	if k <= 0 {
		return 0, nil, errShort
	}
	return v, b[k:], nil
}

// AppendFrame appends an envelope to what goes up together.
func AppendFrame(dst []byte, env *quicnet.Envelope) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = quicnet.AppendEnvelope(dst, env)
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// Frames reads what AppendFrame wrote, one envelope after the other. They are of quicnet.NewEnvelope; their slices are parts of b. An error of
// take ends it.
func Frames(b []byte, take func(*quicnet.Envelope) error) error {
	for len(b) > 0 {
		if len(b) < 4 {
			return errShort
		}
		size := binary.BigEndian.Uint32(b)
		if b = b[4:]; uint64(size) > uint64(len(b)) {
			return errShort
		}
		env := quicnet.NewEnvelope()
		if err := quicnet.DecodeEnvelope(b[:size:size], env); err != nil {
			return fmt.Errorf("relay: %w", err)
		}
		b = b[size:]
		if err := take(env); err != nil {
			return err
		}
	}
	return nil
}
