package via

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain is the agent too: an agent is this program with Env set, as it is in the real one.
func TestMain(m *testing.M) {
	if _, ok := os.LookupEnv(Env); ok {
		syscall.Exit(beAgent(os.Args[1:])) // os.Exit waits for a second under the race detector
	}
	if hall, ok := os.LookupEnv("VIA_TEST_LAUNCHER"); ok {
		beLauncher(hall)
	}
	os.Exit(m.Run())
}

// beLauncher is a process that launches, for a test that kills it. It prints what it is told.
func beLauncher(hall string) {
	exe, _ := os.Executable()
	b, _ := os.ReadFile(exe)
	var spec Spec
	if err := json.Unmarshal([]byte(os.Getenv("VIA_TEST_SPEC")), &spec); err != nil {
		panic(err)
	}
	spec.Job, spec.Secret = "orphan", secretFor
	spec.Program = Program{Path: exe, Args: []string{hall}, Sum: sha256.Sum256(b), Size: int64(len(b)), OS: runtime.GOOS, Arch: runtime.GOARCH}
	l, err := NewConnections(func() string { return filepath.Dir(hall) }).Find(os.Getenv("VIA_TEST_VIA"))
	if err != nil {
		panic(err)
	}
	j, err := l.Launch(context.Background(), spec, func(e Event) { fmt.Println(e.State, e.Text) })
	if err != nil {
		panic(err)
	}
	fmt.Println("resume " + string(j.Resume()))
	select {}
}

// launcher starts such a process, and returns what it prints.
func launcher(t testing.TB, h *hall, via, spec string) (*os.Process, *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "VIA_TEST_LAUNCHER="+h.path, "VIA_TEST_VIA="+via, "VIA_TEST_SPEC="+spec)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process, bufio.NewScanner(out)
}

// report is what an agent tells the test, over the socket that its first argument names.
type report struct {
	PID       int
	Index     int
	Secret    string
	Scheduler string
	Args      []string
	Dir       string
	Exe       string
	Lifeline  bool
	Umask     string
	Env       []string
	Err       string
}

// beAgent reports, waits for the end of its lifeline, and tells that. With the argument exit it ends at once.
func beAgent(args []string) int {
	if len(args) == 0 {
		return 90
	}
	conn, err := net.Dial("unix", args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		return 91
	}
	dir, _ := os.Getwd()
	exe, _ := os.Executable()
	r := report{PID: os.Getpid(), Args: args[1:], Dir: dir, Exe: exe, Env: os.Environ()}
	a, err := Arrive(os.LookupEnv)
	if err != nil {
		r.Err = err.Error()
	} else {
		r.Index, r.Secret, r.Scheduler, r.Lifeline = a.Index, string(a.Secret), a.Scheduler, a.Lifeline != nil
	}
	if b, err := os.ReadFile("/proc/self/status"); err == nil {
		for l := range strings.Lines(string(b)) {
			if v, ok := strings.CutPrefix(l, "Umask:"); ok {
				r.Umask = strings.TrimSpace(v)
			}
		}
	}
	b, _ := json.Marshal(r)
	fmt.Fprintf(conn, "%s\n", b)
	fmt.Printf("agent %d says hello\n", r.Index)
	if slices.Contains(args, "exit") {
		return 3
	}
	if r.Lifeline {
		n, err := io.Copy(io.Discard, os.Stdin)
		fmt.Println("nobody reads this any more, and it must not be the end")
		fmt.Fprintf(conn, "lifeline ended after %d bytes: %v\n", n, err)
		return 0
	}
	_, _ = io.Copy(io.Discard, conn) // until the test has heard enough
	return 0
}

// hall is where agents report.
type hall struct {
	path   string
	guests chan *guest
}

type guest struct {
	report
	conn net.Conn
	rd   *bufio.Reader
}

func newHall(t testing.TB) *hall {
	dir, err := os.MkdirTemp("", "hall") //nolint:usetesting // a socket needs a short path
	if err != nil {
		t.Fatal(err)
	}
	h := &hall{path: filepath.Join(dir, "s"), guests: make(chan *guest, 64)}
	l, err := net.Listen("unix", h.path)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			g := &guest{conn: conn, rd: bufio.NewReader(conn)}
			line, err := g.rd.ReadBytes('\n')
			if err != nil || json.Unmarshal(line, &g.report) != nil {
				conn.Close()
				continue
			}
			h.guests <- g
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
		close(h.guests)
		for g := range h.guests {
			g.conn.Close()
		}
		os.RemoveAll(dir)
	})
	return h
}

// limit is how long a test waits for what is to happen; it is far longer than anything takes.
const limit = 60 * time.Second

// arrive waits for n agents, and returns them by index.
func (h *hall) arrive(t testing.TB, rec *recorder, n int) map[int]*guest {
	t.Helper()
	out := map[int]*guest{}
	for len(out) < n {
		select {
		case g := <-h.guests:
			if g.Err != "" {
				t.Fatalf("an agent did not arrive: %s", g.Err)
			}
			if out[g.Index] != nil {
				t.Fatalf("two agents have the index %d", g.Index)
			}
			out[g.Index] = g
			t.Cleanup(func() { g.conn.Close() })
		case <-time.After(limit):
			t.Fatalf("%d of %d agents have arrived; events %v; output %q", len(out), n, rec.all(), rec.tail())
		}
	}
	return out
}

// last waits for the end of an agent, and returns what it said at the end.
func (g *guest) last(t testing.TB) string {
	t.Helper()
	_ = g.conn.SetReadDeadline(time.Now().Add(limit))
	b, err := io.ReadAll(g.rd)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatalf("agent %d has not ended: %v", g.Index, err)
	}
	return strings.TrimSpace(string(b))
}

// recorder keeps events.
type recorder struct {
	mu     sync.Mutex
	events []Event
	more   chan struct{}
	job    Job
}

func newRecorder() *recorder { return &recorder{more: make(chan struct{}, 1)} }

func (r *recorder) tell(e Event) {
	r.mu.Lock()
	r.events = append(r.events, e)
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *recorder) all() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

func (r *recorder) tail() []string {
	if r.job == nil {
		return nil
	}
	return r.job.Tail(-1)
}

// wait is the first event for which ok holds.
func (r *recorder) wait(t testing.TB, what string, ok func(Event) bool) Event {
	t.Helper()
	deadline := time.After(limit)
	for {
		for _, e := range r.all() {
			if ok(e) {
				return e
			}
		}
		select {
		case <-r.more:
		case <-deadline:
			t.Fatalf("no event: %s; there were %v; output %q", what, r.all(), r.tail())
		}
	}
}

func (r *recorder) state(t testing.TB, host int, s State) Event {
	t.Helper()
	return r.wait(t, fmt.Sprintf("host %d, state %d", host, s), func(e Event) bool { return e.Host == host && e.State == s })
}

// shipped is how many bytes were copied to a host, once its agent has started.
func (r *recorder) shipped(t testing.TB, host int) (n int64) {
	t.Helper()
	r.state(t, host, Started)
	for _, e := range r.all() {
		if e.Host == host && e.State == Shipping {
			n = e.Bytes
		}
	}
	return n
}

// program is this test's own program, with what it is to do as an agent.
func program(t testing.TB, h *hall, args ...string) Program {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := Program{Path: exe, Args: append([]string{h.path}, args...), OS: runtime.GOOS, Arch: runtime.GOARCH}
	p.Sum, p.Size = sumOf(t, exe)
	return p
}

var sums sync.Map // it is the same program all the time

func sumOf(t testing.TB, path string) ([32]byte, int64) {
	t.Helper()
	type summed struct {
		sum  [32]byte
		size int64
	}
	if v, ok := sums.Load(path); ok {
		return v.(summed).sum, v.(summed).size
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := summed{sha256.Sum256(b), int64(len(b))}
	sums.Store(path, s)
	return s.sum, s.size
}

// secretFor is a secret that can be searched for, and that no shell or line reader leaves as it is.
func secretFor(host int) []byte {
	return fmt.Appendf(nil, "hush\x00\n'go\n\\0141 of %d-kq7vz", host)
}

func start(t testing.TB, l Launcher, spec Spec) (Job, *recorder) {
	t.Helper()
	j, rec := launch(t, l, spec)
	t.Cleanup(func() { end(t, j) })
	return j, rec
}

// launch starts a job that the test itself ends.
func launch(t testing.TB, l Launcher, spec Spec) (Job, *recorder) {
	t.Helper()
	rec := newRecorder()
	if spec.Job == "" {
		spec.Job = "mesh"
	}
	if spec.Secret == nil {
		spec.Secret = secretFor
	}
	j, err := l.Launch(t.Context(), spec, rec.tell)
	if err != nil {
		t.Fatal(err)
	}
	rec.job = j
	return j, rec
}

// end cancels a job and waits until nothing of it is left here.
func end(t testing.TB, j Job) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := j.Cancel(ctx); err != nil {
		t.Errorf("cancel: %v", err)
	}
	select {
	case <-j.Done():
	case <-ctx.Done():
		t.Error("a cancelled job is not done")
	}
}

// executable writes a script that runs.
func executable(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
