//go:build linux

package shm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// stream makes both ends of a stream in this process.
func stream(t testing.TB, size int, poll *carrier.Poller) (*Writer, *Reader) {
	t.Helper()
	w, o, err := New(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	r, err := Open(o, poll)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	w.Opened()
	return w, r
}

// INV-STREAM, with readers that poll and such that sleep at once, and writes of every size up to three rings.
func TestWhatIsReadIsWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, o, err := New(LeastSize)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		var poll *carrier.Poller
		if rapid.Bool().Draw(t, "poll") {
			poll = carrier.NewPoller(0)
		}
		r, err := Open(o, poll)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		w.Opened()
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(1, 100), rapid.IntRange(1, 3*LeastSize), rapid.Just(LeastSize)), 1, 20).Draw(t, "writes")
		reads := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(1, 100), rapid.IntRange(1, 2*LeastSize)), 1, 8).Draw(t, "reads")
		tries := rapid.Bool().Draw(t, "tries first")
		var all []byte
		for _, n := range sizes {
			for range n {
				all = append(all, byte(rand.Uint32()))
			}
		}
		done := make(chan error, 1)
		go func() {
			rest := all
			for _, n := range sizes {
				if !tries || w.TryWriteAll(rest[:n]) != nil {
					if _, err := w.Write(rest[:n]); err != nil {
						done <- err
						return
					}
				}
				rest = rest[n:]
			}
			done <- nil
		}()
		var got []byte
		for i := 0; len(got) < len(all); i++ {
			b := make([]byte, reads[i%len(reads)])
			n, err := r.Read(b)
			if err != nil || n == 0 {
				t.Fatalf("read %d, %v after %d of %d bytes", n, err, len(got), len(all))
			}
			got = append(got, b[:n]...)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, all) {
			t.Fatal("other bytes than those written")
		}
	})
}

// asleep waits until the side whose flag it is sleeps.
func asleep(t *testing.T, flag interface{ Load() uint32 }) {
	t.Helper()
	for late := time.Now().Add(10 * time.Second); flag.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("it does not sleep")
		}
	}
}

// INV-WAKE
func TestWhoSleepsIsWoken(t *testing.T) {
	w, r := stream(t, LeastSize, nil)
	got := make(chan byte)
	go func() {
		var b [1]byte
		for {
			if _, err := r.Read(b[:]); err != nil {
				close(got)
				return
			}
			got <- b[0]
		}
	}()
	for i := range byte(5) {
		asleep(t, r.r.reader)
		if err := w.TryWriteAll([]byte{i}); err != nil {
			t.Fatal(err)
		}
		if b := <-got; b != i {
			t.Fatalf("%d, want %d", b, i)
		}
	}
	_ = r.Close()
	<-got

	w, r = stream(t, LeastSize, nil)
	if err := w.TryWriteAll(make([]byte, LeastSize)); err != nil {
		t.Fatal(err)
	}
	if err := w.TryWriteAll([]byte{1}); !errors.Is(err, ErrFull) {
		t.Fatalf("%v, want that it is full", err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := w.Write(make([]byte, 10))
		done <- err
	}()
	asleep(t, r.r.writer)
	if n, err := r.Read(make([]byte, LeastSize/4-1)); n != LeastSize/4-1 || err != nil {
		t.Fatal(n, err)
	}
	if r.r.writer.Load() == 0 {
		t.Error("a writer is woken for less than a quarter of the ring")
	}
	if n, err := r.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// INV-END
func TestAnEndEndsWhatWaits(t *testing.T) {
	t.Run("of a reader that waits", func(t *testing.T) {
		_, r := stream(t, LeastSize, carrier.NewPoller(0))
		done := make(chan error, 1)
		go func() {
			_, err := r.Read(make([]byte, 1))
			done <- err
		}()
		asleep(t, r.r.reader)
		_ = r.Close()
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("of a writer that waits", func(t *testing.T) {
		w, r := stream(t, LeastSize, nil)
		done := make(chan error, 1)
		go func() {
			_, err := w.Write(make([]byte, 2*LeastSize))
			done <- err
		}()
		asleep(t, r.r.writer)
		_ = w.Close()
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if err := w.TryWriteAll([]byte{1}); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
	t.Run("of the writer, seen by the reader", func(t *testing.T) {
		w, r := stream(t, LeastSize, nil)
		if err := w.TryWriteAll([]byte("the last words")); err != nil {
			t.Fatal(err)
		}
		_ = w.Close()
		if b, err := io.ReadAll(r); string(b) != "the last words" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
	})
	t.Run("of the writer, while the reader sleeps", func(t *testing.T) {
		w, r := stream(t, LeastSize, nil)
		done := make(chan error, 1)
		go func() {
			_, err := r.Read(make([]byte, 1))
			done <- err
		}()
		asleep(t, r.r.reader)
		_ = w.Close()
		if err := <-done; !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

// INV-HOSTILE: one end uses the stream as it should while the other end's words are anything.
func TestNonsenseInTheMemoryEndsTheStream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, o, err := New(LeastSize)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		r, err := Open(o, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		w.Opened()
		word := rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 3*LeastSize), rapid.Just(^uint64(0)))
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				_ = w.TryWriteAll(make([]byte, rapid.IntRange(1, LeastSize).Draw(t, "write")))
			case 1:
				w.r.head.Store(word.Draw(t, "head"))
				if err := w.TryWriteAll(make([]byte, LeastSize)); err != nil && !errors.Is(err, ErrFull) && !errors.Is(err, ErrCorrupt) {
					t.Fatal(err)
				}
			case 2:
				r.r.tail.Store(word.Draw(t, "tail"))
			case 3:
				if r.has() {
					n, err := r.Read(make([]byte, LeastSize))
					if n > LeastSize || err != nil && !errors.Is(err, ErrCorrupt) {
						t.Fatal(n, err)
					}
				}
			}
		}
	})
	w, r := stream(t, LeastSize, nil)
	r.r.tail.Store(LeastSize + 1)
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("more than the ring holds: %v", err)
	}
	if err := w.TryWriteAll(make([]byte, LeastSize)); err != nil {
		t.Fatal(err)
	}
	w.r.head.Store(LeastSize + 1)
	if _, err := w.Write([]byte{1}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("more read than was written: %v", err)
	}
	if _, err := w.Write([]byte{1}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("the second time: %v", err)
	}
}

// Every offer that is not that of a stream is declined, with a reason.
func TestOffersOfOtherThingsAreDeclined(t *testing.T) {
	w, good, err := New(LeastSize)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	other, another, err := New(LeastSize)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	loose, err := unix.MemfdCreate("loose", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(loose)
	if err := unix.Ftruncate(loose, headerBytes+LeastSize); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "a file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(headerBytes + LeastSize); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit func(o *Offer)
		want string
	}{
		"another place":          {func(o *Offer) { o.Place = make([]byte, KeyBytes) }, "another place"},
		"no place":               {func(o *Offer) { o.Place = nil }, "another place"},
		"a small ring":           {func(o *Offer) { o.Size = LeastSize / 2 }, "power of two"},
		"a huge ring":            {func(o *Offer) { o.Size = 2 * MostSize }, "power of two"},
		"a crooked ring":         {func(o *Offer) { o.Size = LeastSize + 4096 }, "power of two"},
		"a larger ring":          {func(o *Offer) { o.Size = 2 * LeastSize }, "not that of a stream"},
		"no key":                 {func(o *Offer) { o.Key = nil }, "a key of 0 bytes"},
		"another key":            {func(o *Offer) { o.Key = make([]byte, KeyBytes) }, "belongs to another stream"},
		"the memory of another":  {func(o *Offer) { o.Memory = another.Memory }, "belongs to another stream"},
		"memory that can shrink": {func(o *Offer) { o.Memory = uint32(loose) }, "not that of a stream"},
		"a file":                 {func(o *Offer) { o.Memory = uint32(file.Fd()) }, "not a part of a stream"},
		"a pipe for memory":      {func(o *Offer) { o.Memory = o.Data }, "not a part of a stream"},
		"memory for a pipe":      {func(o *Offer) { o.Data = o.Memory }, "not a part of a stream"},
		"a file for a pipe":      {func(o *Offer) { o.Room = uint32(file.Fd()) }, "not a part of a stream"},
		"a descriptor not there": {func(o *Offer) { o.Memory = 1 << 30 }, "no such file"},
		"the first process":      {func(o *Offer) { o.PID = 1; o.Memory = 1 << 30 }, "/proc/1/fd/"},
		"a process not there":    {func(o *Offer) { o.PID = 1 << 31 }, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			before := descriptors(t)
			o := good
			c.edit(&o)
			r, err := Open(o, nil)
			if err == nil {
				_ = r.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if after := descriptors(t); after != before {
				t.Errorf("%d descriptors, before %d", after, before)
			}
		})
	}
	for _, size := range []int{0, -1, LeastSize - 1, LeastSize + 1, 2 * MostSize} {
		if _, _, err := New(size); err == nil || !strings.Contains(err.Error(), "power of two") {
			t.Errorf("a ring of %d bytes: %v", size, err)
		}
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// A stream that is over leaves nothing behind.
func TestAStreamGivesItsDescriptorsAndItsMemoryBack(t *testing.T) {
	before := descriptors(t)
	for range 50 {
		w, o, err := New(LeastSize)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Open(o, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.Opened()
		_, _ = r.Close(), w.Close()
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors, before %d", after, before)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(maps, []byte("monarch-stream")); n != 0 {
		t.Errorf("%d streams are still mapped", n)
	}
}

// To open what somebody has a lease on waits until that is given up: an offer of it is declined at once.
func TestAnOfferOfWhatWouldBlockIsDeclinedAtOnce(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "a file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	memory, err := unix.MemfdCreate("monarch-stream", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	only, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", memory), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(only)
	_ = unix.Close(memory) // who holds such a lease has nobody write
	for name, c := range map[string]struct{ fd, lease int }{
		"a file":         {int(file.Fd()), unix.F_WRLCK},
		"memory to read": {only, unix.F_RDLCK},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := unix.FcntlInt(uintptr(c.fd), unix.F_SETLEASE, c.lease); err != nil {
				t.Skip(err)
			}
			w, o, err := New(LeastSize)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			o.Memory = uint32(c.fd)
			done := make(chan error, 1)
			go func() {
				_, err := Open(o, nil)
				done <- err
			}()
			select {
			case err := <-done:
				if err == nil {
					t.Error("it was taken")
				}
			case <-time.After(20 * time.Second):
				t.Error("it waits")
			}
			_, _ = unix.FcntlInt(uintptr(c.fd), unix.F_SETLEASE, unix.F_UNLCK)
		})
	}
}

// A stream that could not wait is none: it is found out before the other side relies on it.
func TestAPipeThatCannotBeWaitedForIsNoPartOfAStream(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "what epoll refuses"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := waits(file); err == nil {
		t.Error("it is taken for a pipe that can be waited for")
	}
}

// INV-END: Close comes at any moment of a Read and a Write, from both sides at once: both end, and none touches what is unmapped.
func TestCloseMayComeAtAnyMoment(t *testing.T) {
	for i := range 300 {
		var poll *carrier.Poller
		if i%2 == 0 {
			poll = carrier.NewPoller(0)
		}
		w, r := stream(t, LeastSize, poll)
		var wg sync.WaitGroup
		wg.Go(func() {
			b := make([]byte, 3*LeastSize)
			for {
				if err := w.TryWriteAll(b[:100]); err != nil && !errors.Is(err, ErrFull) {
					return
				}
				if _, err := w.Write(b[:1+rand.N(len(b))]); err != nil {
					return
				}
			}
		})
		wg.Go(func() {
			b := make([]byte, LeastSize)
			for {
				if _, err := r.Read(b[:1+rand.N(len(b))]); err != nil {
					return
				}
			}
		})
		for _, end := range []io.Closer{w, r, w, r} {
			wg.Go(func() {
				time.Sleep(rand.N(500 * time.Microsecond))
				_ = end.Close()
			})
		}
		wg.Wait()
	}
}
