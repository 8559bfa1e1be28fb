//go:build linux

package shm

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/monarch-tui/monarch-tui/quicnet/carrier"
)

// childEnv has the test binary answer as the other process.
const childEnv = "SHM_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		if err := child(); err != nil && !errors.Is(err, io.EOF) {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child opens what its first line offers, offers a stream of its own, and writes there what it reads.
func child() error {
	var o Offer
	in := bufio.NewReader(os.Stdin)
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return err
	}
	r, err := Open(o, carrier.NewPoller(0))
	if err != nil {
		return err
	}
	w, back, err := New(int(o.Size))
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(back); err != nil {
		return err
	}
	b := make([]byte, 64<<10)
	for {
		n, err := r.Read(b)
		if err != nil {
			return err
		}
		if _, err := w.Write(b[:n]); err != nil {
			return err
		}
	}
}

// other starts the other process, and gives a stream to it and one from it.
func other(t testing.TB, size int) (*Writer, *Reader, *exec.Cmd) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), childEnv+"=1"), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w, o, err := New(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.Close()
		_ = cmd.Wait()
	})
	if err := json.NewEncoder(in).Encode(o); err != nil {
		t.Fatal(err)
	}
	var back Offer
	if err := json.NewDecoder(out).Decode(&back); err != nil {
		t.Fatal(err)
	}
	w.Opened()
	r, err := Open(back, carrier.NewPoller(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return w, r, cmd
}

func TestTwoProcesses(t *testing.T) {
	w, r, _ := other(t, LeastSize)
	want := make([]byte, 5<<20)
	for i := range want {
		want[i] = byte(i * 7 >> 3)
	}
	done := make(chan error, 1)
	go func() {
		_, err := w.Write(want)
		done <- err
	}()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("byte %d is %d, want %d", i, got[i], want[i])
		}
	}
}

// INV-END, where the other process is killed.
func TestAReaderSeesThatTheWriterWasKilled(t *testing.T) {
	w, r, cmd := other(t, LeastSize)
	if err := w.TryWriteAll([]byte{1}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if _, err := r.Read(b); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(b); !errors.Is(err, io.EOF) {
		t.Errorf("%v, want the end", err)
	}
	_ = w.TryWriteAll(b) // nobody reads it, and nobody is woken
}

func BenchmarkRoundTrip(b *testing.B) {
	w, r, _ := other(b, 256<<10)
	buf := make([]byte, 64)
	for b.Loop() {
		if err := w.TryWriteAll(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(r, buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEchoMiB(b *testing.B) {
	for _, size := range []int{LeastSize, 256 << 10, 512 << 10, 1 << 20, 4 << 20} {
		b.Run(fmt.Sprintf("ring-%dK", size>>10), func(b *testing.B) {
			w, r, _ := other(b, size)
			out, in := make([]byte, 1<<20), make([]byte, 1<<20)
			b.SetBytes(1 << 20)
			for b.Loop() {
				go func() { _, _ = w.Write(out) }()
				if _, err := io.ReadFull(r, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
