package shm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
	"golang.org/x/sys/unix"
)

// Reader is the end of a stream that reads. One goroutine at a time may read.
type Reader struct {
	mu     sync.Mutex
	r      ring
	head   uint64
	tail   uint64 // as last seen
	bell   *os.File
	bells  syscall.RawConn
	room   int // wakes the writer
	poll   *carrier.Poller
	closed atomic.Bool
	bad    bool
	parked bool // this read has slept
	ended  bool // the writer has

	once  func() bool
	ready func(fd uintptr) bool
}

// Open opens a stream that another process has made. Before it sleeps a reader polls as poll says; nil: not at all. Errors: of an offer that cannot be, of
// another place, and of what stands there in place of a stream.
func Open(o Offer, poll *carrier.Poller) (*Reader, error) {
	here, err := Here()
	if err != nil {
		return nil, err
	}
	size := int(o.Size)
	switch {
	case !bytes.Equal(o.Place, here):
		return nil, errors.New("shm: the stream is in another place: another machine, user or namespace")
	case size < LeastSize || size > MostSize || size&(size-1) != 0:
		return nil, fmt.Errorf("shm: a ring of %d bytes: want a power of two from %d to %d", size, LeastSize, MostSize)
	case len(o.Key) != KeyBytes:
		return nil, fmt.Errorf("shm: a key of %d bytes, want %d", len(o.Key), KeyBytes)
	}
	var fds []int
	for _, d := range []struct {
		fd   uint32
		name string
		mode int
	}{{o.Memory, memoryName, unix.O_RDWR}, {o.Data, pipeName, unix.O_RDONLY}, {o.Room, pipeName, unix.O_WRONLY}} {
		fd, err := reopen(o.PID, d.fd, d.name, d.mode)
		if err != nil {
			closeAll(fds)
			return nil, err
		}
		fds = append(fds, fd)
	}
	memory, err := mapped(fds[0], size, o.Key)
	_ = unix.Close(fds[0])
	if err != nil {
		closeAll(fds[1:])
		return nil, err
	}
	r := &Reader{r: newRing(memory), bell: os.NewFile(uintptr(fds[1]), "data"), room: fds[2], poll: poll}
	r.once, r.ready = r.has, r.hasOrPark
	if r.bells, err = waits(r.bell); err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

// What the kernel calls the parts of a stream, or the beginning of it.
const (
	memoryName = "/memfd:"
	pipeName   = "pipe:["
)

// reopen opens a descriptor of another process, once it is known to be of the kind that is wanted: to open something else may have effects,
// and may wait for ever. Its name tells without asking the file system behind it, which may be one that the other process serves. A lease
// makes an open wait, too, but for O_NONBLOCK.
func reopen(pid, number uint32, name string, mode int) (int, error) {
	at := fmt.Sprintf("/proc/%d/fd/%d", pid, number)
	look, err := unix.Open(at, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("shm: open %s: %w", at, err)
	}
	defer unix.Close(look)
	self := fmt.Sprintf("/proc/self/fd/%d", look)
	called, err := os.Readlink(self)
	if err != nil {
		return 0, fmt.Errorf("shm: read %s: %w", at, err)
	}
	var st unix.Stat_t
	if strings.HasPrefix(called, name) {
		err = unix.Fstat(look, &st)
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("shm: stat %s: %w", at, err)
	case !strings.HasPrefix(called, name) || int(st.Uid) != os.Getuid():
		return 0, fmt.Errorf("shm: %s is not a part of a stream of this user", at)
	}
	fd, err := unix.Open(self, mode|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("shm: open %s: %w", at, err)
	}
	return fd, nil
}

// mapped maps the memory of a stream.
func mapped(fd, size int, key []byte) ([]byte, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("shm: stat: %w", err)
	}
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil || seals&unix.F_SEAL_SHRINK == 0 || st.Size != int64(headerBytes+size) {
		return nil, errors.New("shm: the memory that was offered is not that of a stream")
	}
	memory, err := unix.Mmap(fd, 0, headerBytes+size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("shm: mmap: %w", err)
	}
	if !bytes.Equal(memory[:KeyBytes], key) {
		_ = unix.Munmap(memory)
		return nil, errors.New("shm: the memory that was offered belongs to another stream")
	}
	return memory, nil
}

// available is how many bytes can be read now.
func (r *Reader) available() (int, error) {
	if r.tail == r.head {
		tail := r.r.tail.Load()
		if tail-r.head > uint64(len(r.r.data)) {
			r.bad = true
			return 0, ErrCorrupt
		}
		r.tail = tail
	}
	return int(r.tail - r.head), nil
}

func (r *Reader) begin() error {
	r.mu.Lock()
	switch {
	case r.closed.Load():
		r.mu.Unlock()
		return ErrClosed
	case r.bad:
		r.mu.Unlock()
		return ErrCorrupt
	}
	return nil
}

// Read implements io.Reader. Errors: io.EOF when the writer has ended, ErrClosed, ErrCorrupt.
func (r *Reader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if err := r.begin(); err != nil {
			return 0, err
		}
		n, err := r.available()
		if n > 0 {
			n = min(n, len(b))
			r.take(b[:n])
		}
		ended := r.ended
		r.mu.Unlock()
		switch {
		case n > 0 || err != nil:
			return n, err
		case ended:
			return 0, io.EOF
		}
		if err := r.bells.Read(r.ready); err != nil {
			return 0, ErrClosed
		}
	}
}

// take copies what is there into b, and wakes a writer that waits for room.
func (r *Reader) take(b []byte) {
	at := int(r.head & uint64(len(r.r.data)-1))
	n := copy(b, r.r.data[at:])
	copy(b[n:], r.r.data)
	r.head += uint64(len(b))
	r.r.head.Store(r.head)
	if r.r.writer.Load() == 0 {
		return
	}
	size := uint64(len(r.r.data))
	left := r.r.tail.Load() - r.head
	if (left == 0 || size-left >= size/4) && r.r.writer.CompareAndSwap(1, 0) {
		ring1(r.room)
	}
}

// has reports whether a read would not wait.
func (r *Reader) has() bool {
	if r.begin() != nil {
		return true
	}
	defer r.mu.Unlock()
	n, err := r.available()
	return n > 0 || err != nil
}

// hasOrPark reports the same after a poll. It runs inside the read of the pipe: false sleeps.
func (r *Reader) hasOrPark(fd uintptr) bool {
	if r.has() {
		r.awake()
		return true
	}
	if r.poll != nil && r.poll.Poll(r.once) {
		r.awake()
		return true
	}
	if r.begin() != nil {
		return true
	}
	defer r.mu.Unlock()
	open := drain(fd)
	r.r.reader.Store(1)
	n, err := r.available()
	if n > 0 || err != nil || !open {
		r.ended = r.ended || !open && n == 0
		r.r.reader.Store(0)
		r.parked = false
		return true
	}
	r.parked = true
	return false
}

// awake notes that something has come.
func (r *Reader) awake() {
	if r.parked && r.poll != nil {
		r.poll.Woke()
	}
	r.parked = false
}

// Close ends the stream and gives its memory back. Again it does nothing.
func (r *Reader) Close() error {
	if !r.closed.CompareAndSwap(false, true) {
		return nil
	}
	err := r.bell.Close() // wakes a Read that waits
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(err, unix.Close(r.room), unix.Munmap(r.r.memory))
}
