//go:build !linux

package shm

import "github.com/monarch-tui/monarch-tui/quicnet/carrier"

// Here is not known on this system.
func Here() ([]byte, error) { return nil, ErrUnsupported }

// Writer is the end of a stream that writes; this system has none.
type Writer struct{}

// New fails on this system.
func New(int) (*Writer, Offer, error) { return nil, Offer{}, ErrUnsupported }

// Opened does nothing.
func (*Writer) Opened() {}

// TryWriteAll fails on this system.
func (*Writer) TryWriteAll([]byte) error { return ErrUnsupported }

// Write fails on this system.
func (*Writer) Write([]byte) (int, error) { return 0, ErrUnsupported }

// Close does nothing.
func (*Writer) Close() error { return nil }

// Reader is the end of a stream that reads; this system has none.
type Reader struct{}

// Open fails on this system.
func Open(Offer, *carrier.Poller) (*Reader, error) { return nil, ErrUnsupported }

// Read fails on this system.
func (*Reader) Read([]byte) (int, error) { return 0, ErrUnsupported }

// Close does nothing.
func (*Reader) Close() error { return nil }
