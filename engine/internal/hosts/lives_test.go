//go:build linux

package hosts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

func TestARankElsewhereComesBack(t *testing.T) {
	ctx := session(t)
	_, mesh := spawn(ctx, t, "p", append(twoHosts(t), engine.RestartProcs(3, time.Minute))...)
	was := where(ctx, t, mesh)
	if err := syscall.Kill(was[3][0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	gone(t, time.Second, was[3][0])
	back := resolved(ctx, t, mesh, was[3][0])
	if back[3][1] != was[3][1] || back[2] != was[2] {
		t.Errorf("before %v, after %v: want rank 3 anew from the same agent, and no other", was, back)
	}
}

// TestOfTwoAgentsOfOneHostOneIsRefused: who has read its secret too, and comes second, is told that, and not that no packet passes.
func TestOfTwoAgentsOfOneHostOneIsRefused(t *testing.T) {
	dir := t.TempDir()
	ssh, good := filepath.Join(dir, "ssh"), login(t)
	script := "#!/bin/sh\nmkfifo " + dir + "/$$\n" + good + " \"$@\" <" + dir + "/$$ >" + dir + "/second 2>&1 &\ntee " + dir + "/$$ | " + good + " \"$@\" 2>&1 | tee " + dir + "/first\n"
	if err := os.WriteFile(ssh, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cache := session(t), t.TempDir()
	spawn(ctx, t, "first", engine.Hosts("n1"), engine.Via("ssh", "ssh", good, "cache", cache)) // the program is there then: it cannot be copied twice at once
	_, mesh := spawn(ctx, t, "p", engine.Hosts("n1"), engine.Via("ssh", "ssh", ssh, "cache", cache))
	if n := len(where(ctx, t, mesh)); n != 1 {
		t.Errorf("%d ranks", n)
	}
	for said := ""; !strings.Contains(said, "refused: the ticket is unknown, used"); {
		if ctx.Err() != nil {
			t.Fatalf("nobody was refused; they said %q", said)
		}
		said = ""
		for _, name := range []string{"first", "second"} {
			b, _ := os.ReadFile(filepath.Join(dir, name)) // it may not have been written yet
			said += string(b)
		}
		if strings.Contains(said, "UDP must pass") {
			t.Fatalf("who was refused said %q", said)
		}
	}
}

// TestOfManyHostsThoseAreToldThatFailed: what was cancelled because of them is not.
func TestOfManyHostsThoseAreToldThatFailed(t *testing.T) {
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprintf("n%d", i))
	}
	ssh := filepath.Join(t.TempDir(), "ssh")
	if err := os.WriteFile(ssh, []byte("#!/bin/sh\nprintf 'no way to it\\r\\n' >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := engine.SpawnProcs(session(t), engine.Hosts(names...), engine.Via("ssh", "ssh", ssh))
	if err == nil || strings.Contains(err.Error(), "cancelled") || !strings.HasSuffix(err.Error(), ": no way to it") {
		t.Errorf("%v; want the hosts that failed, with what ssh said", err)
	}
}

// TestNothingIsStartedAnewOnAHostThatIsLost: a policy does not try it as often as it may, and says why.
func TestNothingIsStartedAnewOnAHostThatIsLost(t *testing.T) {
	e := start(t)
	ctx := e.Context()
	procs, mesh := spawn(ctx, t, "p", append(twoHosts(t), engine.RestartProcs(50, time.Hour))...)
	front := control.InProcess(e.Backend(), control.ClientInfo{Name: "test"})
	was := where(ctx, t, mesh)
	down := monitor(ctx, t, mesh)
	if err := syscall.Kill(was[2][1], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if d, err := down.Recv(ctx); err != nil || d.Rank < 2 {
			t.Fatalf("told %+v, %v; want ranks 2 and 3", d, err)
		}
	}
	err := front.Restart(ctx, control.RestartReq{Procs: "p", Ranks: []int{2}})
	if err == nil || !strings.Contains(err.Error(), "its host n2 is lost") || !strings.Contains(err.Error(), "nothing can be started there") {
		t.Errorf("by hand: %v; want to be told that its host is lost", err)
	}
	if rep := picture(t, e); len(rep.Restarts) > 0 {
		t.Errorf("restarts %+v, want none", rep.Restarts)
	}
	if got, _ := engine.Query(mesh, (*Guest).Where).Call(ctx); failures(got) != 2 {
		t.Errorf("%d ranks failed, want those of the host", failures(got))
	}
	if err := procs.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestAMeshWithAHostThatHangsIsStopped: the launcher's client is given the time to be killed that it needs.
func TestAMeshWithAHostThatHangsIsStopped(t *testing.T) {
	ctx := session(t)
	procs, mesh := spawn(ctx, t, "p", twoHosts(t)...)
	pids := where(ctx, t, mesh)
	if err := syscall.Kill(pids[2][1], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	err := procs.Stop(ctx)
	if err == nil || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "host n2, which is ") {
		t.Errorf("it is stopped: %v; want the host that has said nothing, and no end of a time that nobody has set", err)
	}
	for _, p := range pids {
		gone(t, time.Second, p[0], p[1])
	}
}

// resolved waits until a mesh lives anew, without that process, and gives its processes.
func resolved(ctx context.Context, t *testing.T, m engine.Mesh[Guest], without int) [][2]int {
	t.Helper()
	limit, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		now, err := m.Resolve(limit)
		if err != nil {
			t.Fatal(err)
		}
		got, err := engine.Query(now, (*Guest).Where).Call(limit)
		if err == nil {
			return values(t, got, nil)
		}
		if limit.Err() != nil {
			t.Fatalf("it does not come back without %d: %v", without, err)
		}
	}
}

// TestNothingIsStartedAnewOnAHostThatEnds: a scheduler cancels the job, and the agent is still there when its workers have ended.
func TestNothingIsStartedAnewOnAHostThatEnds(t *testing.T) {
	e := start(t)
	ctx := e.Context()
	if _, err := engine.Supervise(ctx, func(context.Context, engine.Failure) engine.Decision { return engine.Handled }); err != nil {
		t.Fatal(err)
	}
	_, mesh := spawn(ctx, t, "p", append(twoHosts(t), engine.RestartProcs(3, time.Minute))...)
	pids := where(ctx, t, mesh)
	down := monitor(ctx, t, mesh)
	if err := syscall.Kill(pids[2][1], syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if d, err := down.Recv(ctx); err != nil || d.Rank < 2 || !strings.Contains(d.Why, "the agent was told to end by SIGTERM") {
			t.Errorf("told %+v, %v; want ranks 2 and 3, and why", d, err)
		}
	}
	if _, err := mesh.Resolve(ctx); err != nil { // waits until nothing is judged any more
		t.Fatal(err)
	}
	if list := picture(t, e).Restarts; len(list) != 0 {
		t.Errorf("restarts were begun on a host that ends: %+v", list)
	}
}

func TestAHostThatDoesNotComeFailsTheMeshOrIsLeftOut(t *testing.T) {
	ctx := session(t)
	ssh := filepath.Join(t.TempDir(), "ssh")
	good := login(t)
	script := "#!/bin/sh\nfor a; do host=$prev; prev=$a; done\n[ $host = n2 ] && { echo 'ssh: connect to host n2 port 22: Connection refused' >&2; exit 255; }\nexec " + good + " \"$@\"\n"
	if err := os.WriteFile(ssh, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	opts := []engine.ProcOption{engine.Hosts("n1", "n2"), engine.Dim("gpus", 2), engine.Via("ssh", "ssh", ssh)}
	_, err := engine.SpawnProcs(ctx, append(opts, engine.Name("p"))...)
	if err == nil || !strings.Contains(err.Error(), "n2: ") || !strings.Contains(err.Error(), "Connection refused") || strings.Contains(err.Error(), "n1: ") {
		t.Fatalf("%v; want the host that did not come, in the words of ssh", err)
	}
	procs, err := engine.SpawnProcs(ctx, append(opts, engine.Name("p"), engine.AllowPartial())...) // the name is free again
	if err != nil {
		t.Fatal(err)
	}
	mesh, err := engine.Spawn(ctx, procs.Slice(engine.At("hosts", 0)), "guests", Guest{})
	if err != nil {
		t.Fatal(err)
	}
	if got := where(ctx, t, mesh); len(got) != 2 {
		t.Errorf("%d ranks answered, want those of n1", len(got))
	}
	all, err := engine.Spawn(ctx, procs, "all", Guest{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := engine.Query(all, (*Guest).Where).Call(ctx)
	if n := failures(got); n != 2 || !strings.Contains(fmt.Sprint(err), "its host n2 did not come: ") {
		t.Errorf("%d ranks failed with %v; want those of the host that is not there", n, err)
	}
}

// TestAMeshIsStoppedWhileItsHostsAreAwaited: nothing of the launch is left, and the name is free.
func TestAMeshIsStoppedWhileItsHostsAreAwaited(t *testing.T) {
	e := start(t)
	ctx := e.Context()
	dir := t.TempDir()
	hangs := filepath.Join(dir, "ssh")
	if err := os.WriteFile(hangs, []byte("#!/bin/sh\necho $$ > "+dir+"/pid\nexec sleep 300\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Hosts("n1"), engine.Via("ssh", "ssh", hangs))
		done <- err
	}()
	var pid int
	for pid == 0 {
		if b, err := os.ReadFile(dir + "/pid"); err == nil {
			_, _ = fmt.Sscan(string(b), &pid)
		}
	}
	front := control.InProcess(e.Backend(), control.ClientInfo{Name: "test"})
	if err := front.Kill(ctx, control.KillReq{Procs: "p"}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, engine.ErrStopped) {
		t.Errorf("the spawn ended with %v, want that it was stopped", err)
	}
	gone(t, 5*time.Second, pid)
}

func TestWhatIsPrintedElsewhereIsOurs(t *testing.T) {
	var mu sync.Mutex
	var out strings.Builder
	e := start(t, engine.Output(writer(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return out.Write(b)
	}), nil))
	ctx := e.Context()
	_, mesh := spawn(ctx, t, "p", twoHosts(t)...)
	for i := range 50 {
		if err := engine.Action(mesh, (*Guest).Print).Call(ctx, fmt.Sprintf("line %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if n := strings.Count(out.String(), "line "); n != 200 {
		t.Errorf("%d lines of 200 were read when the flush had returned", n)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// TestWhatIsLoggedElsewhereIsInTheLog: of workers and of agents, with whose it is, and no more of it than is good.
func TestWhatIsLoggedElsewhereIsInTheLog(t *testing.T) {
	var mu sync.Mutex
	var out strings.Builder
	news := make(chan struct{}, 1)
	log := slog.New(slog.NewTextHandler(writer(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		select {
		case news <- struct{}{}:
		default:
		}
		return out.Write(b)
	}), nil))
	ctx, cancel := context.WithTimeout(start(t, engine.Log(log)).Context(), 30*time.Second)
	defer cancel()
	find := func(words string) (line string) {
		mu.Lock()
		defer mu.Unlock()
		for l := range strings.Lines(out.String()) {
			if strings.Contains(l, words) {
				return l
			}
		}
		return ""
	}
	has := func(words string) string {
		t.Helper()
		for {
			if line := find(words); line != "" {
				return line
			}
			select {
			case <-news:
			case <-ctx.Done():
				t.Fatalf("no line of the log has %q:\n%.5000s", words, out.String())
			}
		}
	}
	_, mesh := spawn(ctx, t, "p", twoHosts(t)...)
	for _, host := range []string{"n1", "n2"} {
		has(`level=INFO msg="an agent serves this host" host=` + host + " procs=p pid=")
	}
	if err := engine.Action(mesh.Slice(engine.OnHost("n2"), engine.At("gpus", 1)), (*Guest).Log).Call(ctx, LogArg{"the disk is \x1b[31mfull", 1}); err != nil {
		t.Fatal(err)
	}
	if line := has("full"); !strings.Contains(line, "level=WARN") || !strings.Contains(line, "host=n2 procs=p rank=3 actor=@guests-p[3] i=0") || strings.ContainsRune(line, '\x1b') || strings.Contains(line, `\x1b`) {
		t.Errorf("logged was %q", line)
	}
	if err := engine.Action(mesh.Slice(engine.OnHost("n1"), engine.At("gpus", 0)), (*Guest).Log).Call(ctx, LogArg{"again", 20_000}); err != nil {
		t.Fatal(err)
	}
	for find("at last") == "" { // until its rate lets it
		if err := engine.Action(mesh.Slice(engine.OnHost("n1"), engine.At("gpus", 0)), (*Guest).Log).Call(ctx, LogArg{"at last", 1}); err != nil {
			t.Fatal(err)
		}
	}
	if line := find("lost="); !strings.Contains(line, "host=n1 procs=p rank=0") {
		t.Errorf("what was lost is not told: %q", line)
	}
	mu.Lock()
	defer mu.Unlock()
	if n := strings.Count(out.String(), "msg=again"); n == 0 || n > 1000 {
		t.Errorf("%d lines of 20,000", n)
	}
}
