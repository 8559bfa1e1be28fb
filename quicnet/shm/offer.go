package shm

import (
	"errors"
	"io"
)

// Offer says how the other process opens a stream. Its numbers mean something on the machine and in the PID namespace of who made it only.
type Offer struct {
	_      struct{} `cbor:",toarray"`
	Place  []byte   // Here of who made it
	PID    uint32
	Memory uint32 // descriptors of that process: the memory,
	Data   uint32 // the pipe that wakes the reader, to read from
	Room   uint32 // and the one that wakes the writer, to write to
	Size   uint32 // of the ring, in bytes
	Key    []byte // of KeyBytes
}

const (
	// KeyBytes is the length of Offer.Key.
	KeyBytes = 16
	// LeastSize and MostSize bound the size of a ring; it is a power of two.
	LeastSize = 64 << 10
	MostSize  = 16 << 20
)

var (
	// ErrFull is returned by TryWriteAll where the ring has no room for all of it.
	ErrFull = errors.New("shm: the ring is full")
	// ErrClosed is that of a stream which this side has closed.
	ErrClosed = errors.New("shm: the stream is closed")
	// ErrCorrupt is that of a stream whose counters cannot be: the other process has written where it must not.
	ErrCorrupt = errors.New("shm: the other process has put nonsense into the memory")
	// ErrUnsupported is that of a system without all that this package needs.
	ErrUnsupported = errors.New("shm: this system has no memory that is shared by descriptor")
)

var _ io.Reader = (*Reader)(nil)
