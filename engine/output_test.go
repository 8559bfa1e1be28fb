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
	"unicode/utf8"

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
	var whole, told bool
	for _, l := range logs(t, e) {
		exact = exact || l.Text == "exact" && l.Mesh == "talk"
		red = red || l.Text == "red␇" && l.Mesh == "talk"
		forged = forged || strings.Contains(l.Text, "me") && l.Mesh == ""
		told = told || l.Mesh == "talk" && len(l.Raw) == 8<<10 && l.Cut == len(long)-8<<10 && l.Text == fmt.Sprintf("%s… (%d bytes more)", l.Raw, l.Cut)
	}
	whole = slices.Contains(stdout.lines(), long)
	if !exact || !red || !forged || !whole || !told {
		t.Errorf("exact %v, cleaned %v, forged as plain %v, a long line whole on stdout %v, cut for front ends %v", exact, red, forged, whole, told)
	}
	if out := stdout.lines(); !slices.Contains(out, "partial ") || !slices.Contains(out, "rest") || !slices.Contains(out, "\x1eF1") {
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

// TestALongLineStaysWhole prints lines of every length around the limits, with characters of several bytes.
func TestALongLineStaysWhole(t *testing.T) {
	for name, opts := range map[string][]engine.Option{"in-process": {engine.AllInProcess()}, "processes": nil} {
		t.Run(name, func(t *testing.T) {
			e, m, stdout, _ := talkers(t, 1, opts...)
			var want []string
			for _, n := range []int{1, 4095, 4096, 8127, 8128, 8190, 8191, 8192, 8193, 10_000, 100_000, 3 << 20} {
				line := strings.Repeat("é日", n/5) + strings.Repeat(".", n%5)
				want = append(want, line)
				if err := engine.Action(m, (*Talker).Line).Call(e.Context(), line+"\n"); err != nil {
					t.Fatal(err)
				}
			}
			if err := e.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := stdout.lines(); !slices.Equal(got, want) {
				t.Errorf("%d lines came out, want %d", len(got), len(want))
			}
			for i, l := range logs(t, e) {
				if l.Mesh != "talk" || !utf8.ValidString(l.Text) || len(l.Printed()) > 8<<10 || len(l.Printed())+l.Cut != len(want[i]) || !strings.HasPrefix(want[i], l.Printed()) {
					t.Errorf("line %d of %d bytes is told by %q as %d bytes, %d cut", i, len(want[i]), l.Mesh, len(l.Printed()), l.Cut)
				}
			}
		})
	}
}

func TestAFlushIsNotDelayedByWhatWasPrinted(t *testing.T) {
	e, m, _, _ := talkers(t, 1)
	ctx, cancel := context.WithTimeout(e.Context(), 20*time.Second)
	defer cancel()
	for n := 8180; n <= 8194; n++ { // without a newline, around the size of a chunk
		if err := engine.Action(m, (*Talker).Plain).Call(ctx, strings.Repeat(".", n)); err != nil {
			t.Fatal(err)
		}
		if err := e.Flush(ctx); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	for _, s := range []string{"\x1e", "\x1eF", "\x1eF12", "\x1eL", "\x1eL1,", strings.Repeat("\x1e", 9000), "\x1eL1,0\x1f"} {
		if err := engine.Action(m, (*Talker).Plain).Call(ctx, s); err != nil {
			t.Fatal(err)
		}
		if err := e.Flush(ctx); err != nil {
			t.Fatalf("after %.20q: %v", s, err)
		}
	}
}

func TestALineIsKeptAsItWasPrinted(t *testing.T) {
	for name, opts := range map[string][]engine.Option{"in-process": {engine.AllInProcess()}, "processes": nil} {
		t.Run(name, func(t *testing.T) {
			e, m, _, _ := talkers(t, 1, opts...)
			for in, want := range map[string][2]string{
				"0%\r100%\n":        {"0%\r100%", "100%"},
				"a\tb\n":            {"a\tb", "a       b"},
				"dos\r\n":           {"dos", "dos"},
				"\x1b[31mred\x1b[m": {"\x1b[31mred\x1b[m", "red"},
				"bad \xff":          {"bad \xff", "bad \uFFFD"},
			} {
				if err := engine.Action(m, (*Talker).Line).Call(e.Context(), in); err != nil {
					t.Fatal(err)
				}
				if err := e.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				all := logs(t, e)
				if l := all[len(all)-1]; l.Printed() != want[0] || l.Text != want[1] {
					t.Errorf("%q was printed as %q and is shown as %q, want %q", in, l.Printed(), l.Text, want)
				}
			}
		})
	}
}

// Parting prints when it ends.
type Parting struct{}

// OnStop says goodbye.
func (*Parting) OnStop(ctx context.Context, _ error) {
	for i := range 3 {
		fmt.Fprintln(engine.Out(ctx), "bye", i)
	}
}

// Hello is there to be called.
func (*Parting) Hello(context.Context) error { return nil }

func TestWhatIsPrintedInOnStopIsAttributedAndSorted(t *testing.T) {
	for range 8 {
		stdout := &buffer{}
		e, err := engine.Start(t.Context(), engine.NoSession(), engine.Output(stdout, nil), engine.SortedOutput())
		if err != nil {
			t.Fatal(err)
		}
		var watched []control.Log
		var mu sync.Mutex
		_, stop := e.Backend().Subscribe(func(ev *control.Event) {
			if ev.Log != nil {
				mu.Lock()
				watched = append(watched, *ev.Log)
				mu.Unlock()
			}
		})
		p := procs(t, e.Context(), "p", 3)
		spawnOn(t, e.Context(), p, "m", Parting{})
		spawnOn(t, e.Context(), p, "n", Parting{})
		if err := p.Stop(e.Context()); err != nil {
			t.Fatal(err)
		}
		e.Close()
		stop()
		if got, want := strings.Join(stdout.lines(), ","), strings.Repeat("bye 0,bye 1,bye 2,", 6); got+"," != want {
			t.Fatalf("stdout %q", got)
		}
		for _, l := range watched {
			if l.Mesh != "m" && l.Mesh != "n" || l.Rank < 0 || l.Rank > 2 || !strings.HasPrefix(l.Text, "bye ") {
				t.Fatalf("a line of an ended actor is told as %+v", l)
			}
		}
	}
}
