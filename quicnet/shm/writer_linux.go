package shm

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Writer is the end of a stream that writes. One goroutine at a time may write.
type Writer struct {
	mu     sync.Mutex
	r      ring
	tail   uint64
	head   uint64 // as last seen
	bell   int    // wakes the reader
	room   *os.File
	rooms  syscall.RawConn
	closed atomic.Bool
	bad    bool

	spare []int // descriptors that are there to be opened
	ready func(fd uintptr) bool
}

// New makes a stream with a ring of so many bytes, a power of two from LeastSize to MostSize, and the offer by which one other process
// opens it. Once that has, or will not, call Opened. Errors: those of the system, which may have no descriptors left or refuse to make such memory.
func New(size int) (*Writer, Offer, error) {
	if size < LeastSize || size > MostSize || size&(size-1) != 0 {
		return nil, Offer{}, fmt.Errorf("shm: a ring of %d bytes: want a power of two from %d to %d", size, LeastSize, MostSize)
	}
	here, err := Here()
	if err != nil {
		return nil, Offer{}, err
	}
	fds := make([]int, 0, 5) // memory, data (read, write), room (read, write)
	fail := func(what string, err error) (*Writer, Offer, error) {
		closeAll(fds)
		return nil, Offer{}, fmt.Errorf("shm: %s: %w", what, err)
	}
	fd, err := unix.MemfdCreate("monarch-stream", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return fail("memfd_create", err)
	}
	fds = append(fds, fd)
	if err := unix.Ftruncate(fd, int64(headerBytes+size)); err != nil {
		return fail("ftruncate", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		return fail("seal", err)
	}
	for range 2 {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
			return fail("pipe", err)
		}
		fds = append(fds, p[0], p[1])
	}
	memory, err := unix.Mmap(fd, 0, headerBytes+size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fail("mmap", err)
	}
	o := Offer{Place: here, PID: uint32(os.Getpid()), Memory: uint32(fds[0]), Data: uint32(fds[1]), Room: uint32(fds[4]), Size: uint32(size), Key: make([]byte, KeyBytes)}
	_, _ = rand.Read(o.Key) // never fails (crypto/rand)
	copy(memory, o.Key)
	w := &Writer{r: newRing(memory), bell: fds[2], room: os.NewFile(uintptr(fds[3]), "room"), spare: []int{fds[0], fds[1], fds[4]}}
	w.ready = w.hasRoom
	if w.rooms, err = waits(w.room); err != nil {
		_ = w.Close()
		return nil, Offer{}, err
	}
	return w, o, nil
}

// Opened closes what was there for the other process to open.
func (w *Writer) Opened() {
	w.mu.Lock()
	defer w.mu.Unlock()
	closeAll(w.spare)
	w.spare = nil
}

// free is how many bytes can be written now.
func (w *Writer) free(want int) (int, error) {
	size := uint64(len(w.r.data))
	if size-(w.tail-w.head) < uint64(want) {
		head := w.r.head.Load()
		if w.tail-head > size || head-w.head > size {
			w.bad = true
			return 0, ErrCorrupt
		}
		w.head = head
	}
	return int(size - (w.tail - w.head)), nil
}

// put copies b, for which there is room, and wakes the reader.
func (w *Writer) put(b []byte) {
	at := int(w.tail & uint64(len(w.r.data)-1))
	n := copy(w.r.data[at:], b)
	copy(w.r.data, b[n:])
	w.tail += uint64(len(b))
	w.r.tail.Store(w.tail)
	if w.r.reader.Load() != 0 && w.r.reader.CompareAndSwap(1, 0) {
		ring1(w.bell)
	}
}

// begin locks the stream for a write.
func (w *Writer) begin() error {
	w.mu.Lock()
	switch {
	case w.closed.Load():
		w.mu.Unlock()
		return ErrClosed
	case w.bad:
		w.mu.Unlock()
		return ErrCorrupt
	}
	return nil
}

// TryWriteAll writes all of b, or nothing. Errors: ErrFull, ErrClosed, ErrCorrupt.
func (w *Writer) TryWriteAll(b []byte) error {
	if err := w.begin(); err != nil {
		return err
	}
	defer w.mu.Unlock()
	free, err := w.free(len(b))
	if err != nil {
		return err
	}
	if free < len(b) {
		return ErrFull
	}
	w.put(b)
	return nil
}

// Write writes all of b, and waits for room as often as it must. Errors: ErrClosed, ErrCorrupt.
func (w *Writer) Write(b []byte) (int, error) {
	written := 0
	for written < len(b) {
		if err := w.begin(); err != nil {
			return written, err
		}
		free, err := w.free(1)
		if err == nil && free > 0 {
			n := min(free, len(b)-written)
			w.put(b[written : written+n])
			written += n
		}
		w.mu.Unlock()
		switch {
		case err != nil:
			return written, err
		case free > 0:
			continue
		}
		if err := w.rooms.Read(w.ready); err != nil {
			return written, ErrClosed
		}
	}
	return written, nil
}

// hasRoom reports whether there is something to be done by the writer. It runs inside the read of the pipe: false sleeps.
func (w *Writer) hasRoom(fd uintptr) bool {
	if w.begin() != nil {
		return true
	}
	defer w.mu.Unlock()
	free, err := w.free(1)
	if err != nil || free > 0 {
		return true
	}
	if !drain(fd) { // the reader has ended: whoever holds the stream hears of it, and closes
		return false
	}
	w.r.writer.Store(1)
	if free, err = w.free(1); err != nil || free > 0 {
		w.r.writer.Store(0)
		return true
	}
	return false
}

// Close ends the stream and gives its memory back. Again it does nothing.
func (w *Writer) Close() error {
	if !w.closed.CompareAndSwap(false, true) {
		return nil
	}
	err := w.room.Close() // wakes a Write that waits
	w.mu.Lock()
	defer w.mu.Unlock()
	closeAll(append(w.spare, w.bell))
	w.spare = nil
	return errors.Join(err, unix.Munmap(w.r.memory))
}
