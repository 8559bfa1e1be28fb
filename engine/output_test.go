package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Talker prints in all the ways a program can.
type Talker struct{}

func (*Talker) Many(ctx context.Context, n int) error {
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range n {
				fmt.Fprintf(engine.Out(ctx), "g%d line %d of rank %d\n", g, i, engine.Here(ctx).Rank)
			}
		})
	}
	wg.Wait()
	return nil
}

// Line prints through Out, Plain as any program does, Err to stderr.
func (*Talker) Line(ctx context.Context, s string) error {
	_, err := fmt.Fprint(engine.Out(ctx), s)
	return err
}
func (*Talker) Plain(_ context.Context, s string) error { _, err := fmt.Print(s); return err }
func (*Talker) Err(_ context.Context, s string) error {
	_, err := fmt.Fprint(os.Stderr, s)
	return err
}

// Escape starts a grandchild in a session of its own that keeps stdout open.
func (*Talker) Escape(context.Context) (int, error) {
	c := exec.Command("sleep", "30")
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return 0, err
	}
	return c.Process.Pid, nil
}

// buffer is a writer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Split(strings.TrimSuffix(b.b.String(), "\n"), "\n")
}

// talkers starts an engine with n Talkers whose output goes to the buffers.
func talkers(t *testing.T, n int, opts ...engine.Option) (e *engine.Engine, m engine.Mesh[Talker], stdout, stderr *buffer) {
	t.Helper()
	stdout, stderr = &buffer{}, &buffer{}
	e, err := engine.Start(t.Context(), append([]engine.Option{engine.NoSession(), engine.Output(stdout, stderr)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e, spawn(t, e.Context(), "talk", n, Talker{}), stdout, stderr
}

func logs(t *testing.T, e *engine.Engine) []control.Log {
	t.Helper()
	out, err := e.Backend().Handle(t.Context(), control.ClientInfo{}, control.LogsReq{Last: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	return out.([]control.Log)
}

func TestAFlushSeesEveryLineOfEveryGoroutineWhole(t *testing.T) {
	for _, opts := range [][]engine.Option{{engine.AllInProcess()}, nil} {
		e, m, stdout, _ := talkers(t, 2, opts...)
		if err := engine.Action(m, (*Talker).Many).Call(e.Context(), 200); err != nil {
			t.Fatal(err)
		}
		if err := e.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := stdout.lines()
		if len(got) != 2*4*200 {
			t.Fatalf("%d lines, want 1600", len(got))
		}
		for _, l := range got {
			var g, i, rank int
			if n, err := fmt.Sscanf(l, "g%d line %d of rank %d", &g, &i, &rank); n != 3 || err != nil {
				t.Fatalf("a mixed line: %q", l)
			}
		}
		perRank := map[int]int{}
		for _, l := range logs(t, e) {
			if l.Mesh == "talk" && strings.HasSuffix(l.Text, fmt.Sprint("of rank ", l.Rank)) {
				perRank[l.Rank]++
			}
		}
		if perRank[0] != 800 || perRank[1] != 800 {
			t.Errorf("lines by rank: %v", perRank)
		}
	}
}

func TestWhatAWorkerPrintsIsToldWithItsOrigin(t *testing.T) {
	e, m, stdout, stderr := talkers(t, 1)
	ctx := e.Context()
	long := strings.Repeat("0123456789abcdef", 2000) // 32,000 bytes
	say := func(f func(*Talker, context.Context, string) error, s string) {
		t.Helper()
		if err := engine.Action(m, f).Call(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	say((*Talker).Plain, "partial ")
	say((*Talker).Line, "exact")              // behind a plain line without its end
	say((*Talker).Plain, "rest\n")            //
	say((*Talker).Line, long+"\n")            // longer than a buffer
	say((*Talker).Line, "\x1b[31mred\a\n")    // control bytes
	say((*Talker).Plain, "\x1eL99,0\x1fme\n") // a mark of an actor that is not there
	say((*Talker).Plain, "\x1eF1\n\x1eF1\n")  // a flush nobody asked for
	say((*Talker).Err, "to stderr, no newline")
	if err := e.Flush(t.Context()); err != nil {
		t.Fatalf("flush: %v", err)
	}
	var exact, red, forged bool
	cut := 0
	for _, l := range logs(t, e) {
		exact = exact || l.Text == "exact" && l.Mesh == "talk"
		red = red || l.Text == "red␇" && l.Mesh == "talk"
		forged = forged || strings.Contains(l.Text, "me") && l.Mesh == ""
		if strings.HasPrefix(l.Text, "0123") || strings.Contains(l.Text, "abcdef0123") {
			cut += len(l.Text)
			if l.Mesh != "talk" || len(l.Text) > 8<<10 {
				t.Errorf("a part of %d bytes from %q", len(l.Text), l.Mesh)
			}
		}
	}
	if !exact || !red || !forged || cut != len(long) {
		t.Errorf("exact %v, cleaned %v, forged as plain %v, %d bytes of %d", exact, red, forged, cut, len(long))
	}
	if out := stdout.lines(); !slices.Contains(out, "partial ") || !slices.Contains(out, "rest") {
		t.Errorf("stdout %q", out)
	}
	e.Close()
	if got := stderr.lines(); !slices.Contains(got, "to stderr, no newline") {
		t.Errorf("stderr %q", got)
	}
}

func TestAGrandchildThatKeepsStdoutOpenDelaysNothing(t *testing.T) {
	e, m, _, _ := talkers(t, 1)
	pid, err := engine.Query(m, (*Talker).Escape).CallOne(e.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(pid, syscall.SIGKILL) }()
	began := time.Now()
	e.Close()
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("close took %v", took)
	}
}

func TestSortedOutputIsTheSameEveryTime(t *testing.T) {
	e, m, stdout, _ := talkers(t, 3, engine.SortedOutput())
	other := spawn(t, e.Context(), "other", 2, Talker{})
	for i := range 20 {
		if err := engine.Action(other, (*Talker).Line).Broadcast(e.Context(), fmt.Sprint("second ", i, "\n")); err != nil {
			t.Fatal(err)
		}
		f := engine.Action(m, (*Talker).Line).Start(e.Context(), fmt.Sprint("first ", i, "\n"))
		if err := engine.Action(other, (*Talker).Line).Call(e.Context(), fmt.Sprint("third ", i, "\n")); err != nil {
			t.Fatal(err)
		}
		if err := engine.Wait(e.Context(), f); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(engine.Out(e.Context()), "main", i)
	}
	var want []string
	for i := range 20 {
		for range 3 {
			want = append(want, fmt.Sprint("first ", i))
		}
		for range 2 {
			want = append(want, fmt.Sprint("second ", i), fmt.Sprint("third ", i))
		}
		want = append(want, fmt.Sprint("main ", i))
	}
	if got := stdout.lines(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
