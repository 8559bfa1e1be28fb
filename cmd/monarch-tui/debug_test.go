package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Debugee is the actor of Monarch's own test of its debugger, in ours: it stops by itself, asks its helper twice, and rank 2
// goes wrong.
type Debugee struct {
	Helper engine.Mesh[Helper]

	rank int
}

// ToDebug stops, and adds up.
func (d *Debugee) ToDebug(ctx context.Context) (int, error) {
	rank := engine.Here(ctx).Rank
	d.rank = rank
	if err := engine.Break(ctx, "to_debug"); err != nil {
		return 0, err
	}
	for range 2 {
		n, err := engine.Method(d.Helper, (*Helper).Plus).CallOne(ctx, rank)
		if err != nil {
			return 0, err
		}
		d.rank += n
	}
	d.badRank(rank)
	return d.rank, nil
}

func (d *Debugee) badRank(rank int) {
	if rank == 2 {
		panic("bad rank")
	}
}

// Helper helps.
type Helper struct{}

// Plus is one more.
func (*Helper) Plus(_ context.Context, n int) (int, error) { return n + 1, nil }

// ownRunFolder gives the sessions of a test a folder of their own. Where it were missing, one that all share would be used.
func ownRunFolder(t *testing.T) {
	t.Helper()
	run := filepath.Join(shortDir(t), "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", run)
}

// registerDebugees is done once, and not for the other tests: their sessions list the types that there are.
var registerDebugees = sync.OnceFunc(func() {
	engine.Register[Debugee]()
	engine.Register[Helper]()
})

// debugees begins a session with four of them, and a call that nobody has answered.
func debugees(t *testing.T) (answer <-chan error) {
	t.Helper()
	registerDebugees()
	ownRunFolder(t)
	e, err := engine.Start(context.Background(), engine.AllInProcess(), engine.SessionName("walk"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	if err := e.OpenSession(); err != nil {
		t.Fatal(err)
	}
	procs, err := engine.SpawnProcs(e.Context(), engine.Name("p"), engine.Dim("hosts", 2), engine.Dim("gpus", 2))
	if err != nil {
		t.Fatal(err)
	}
	one, err := engine.SpawnProcs(e.Context(), engine.Name("h"), engine.Dim("gpus", 1))
	if err != nil {
		t.Fatal(err)
	}
	helper, err := engine.Spawn(e.Context(), one, "helper", Helper{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := engine.Spawn(e.Context(), procs, "debugee", Debugee{Helper: helper})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := engine.Query(d, (*Debugee).ToDebug).Call(e.Context())
		done <- err
	}()
	return done
}

// dbg is a prompt that a test types at.
type dbg struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser

	mu   sync.Mutex
	cond *sync.Cond
	text bytes.Buffer
	over bool
	from int // what was read so far
}

func openDebugger(t *testing.T, args ...string) *dbg {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d := &dbg{t: t, cmd: exec.Command(self, append([]string{"debug"}, args...)...)}
	d.cond = sync.NewCond(&d.mu)
	d.cmd.Env = append(os.Environ(), "MONARCH_TEST_MAIN=1", "NO_COLOR=1", "GORACE=atexit_sleep_ms=0")
	if d.in, err = d.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	d.cmd.Stdout, d.cmd.Stderr = d, d
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.cmd.Process.Kill(); _ = d.cmd.Wait() })
	return d
}

// Write takes what the prompt says.
func (d *dbg) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.text.Write(b)
	d.cond.Broadcast()
	return len(b), nil
}

// see waits until what was said since the last see has this text, and takes everything up to its end.
func (d *dbg) see(want ...string) *dbg {
	d.t.Helper()
	late := time.AfterFunc(patience, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.over = true
		d.cond.Broadcast()
	})
	defer late.Stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range want {
		for {
			if i := strings.Index(d.text.String()[d.from:], w); i >= 0 {
				d.from += i + len(w)
				break
			}
			if d.over {
				d.t.Fatalf("it does not say %q, but\n%s\nall:\n%s", w, d.text.String()[d.from:], d.text.String())
			}
			d.cond.Wait()
		}
	}
	return d
}

// say types a line.
func (d *dbg) say(line string) *dbg {
	d.t.Helper()
	if _, err := io.WriteString(d.in, line+"\n"); err != nil {
		d.t.Fatal(err)
	}
	return d
}

func (d *dbg) exits() int {
	d.t.Helper()
	_ = d.cmd.Wait()
	return d.cmd.ProcessState.ExitCode()
}

const outer = "monarch_dbg> "

// TestMonarchsWalkAtThePrompt is the walk of Monarch's own test, row by row, and over the death of the client.
func TestMonarchsWalkAtThePrompt(t *testing.T) {
	answer := debugees(t)
	d := openDebugger(t, "walk")
	d.see("MONARCH DEBUGGER", "Enter 'help' for a list of commands.", "Enter 'list' to show all active breakpoints.")
	waitStops(t, 4)
	d.say("list").see("Actor Name", "Rank", "Coords", "Hostname", "Function", "Line No.")
	for r := range 4 {
		d.see("debugee", fmt.Sprint(r), fmt.Sprintf("{'hosts': %d, 'gpus': %d}", r/2, r%2), "Debugee", "ToDebug")
	}
	d.see(outer)

	// 2: attach, four times next, detach, attach again
	d.say("attach debugee 1").see("Attached to debug session for debugee 1 (", "stands at break", "debugee[1] ToDebug@break> ")
	for _, site := range []string{"send", "result", "send", "result"} {
		d.say("n").see("@debugee[1].ToDebug stands at "+site, "debugee[1] ToDebug@"+site+"> ")
	}
	d.say("detach").see("Detaching from debug session for debugee 1 (", "Detached from debug session for debugee 1 (", outer)
	d.say("a debugee 1").see("Attached to debug session for debugee 1 (", "<last pdb output for debugee 1 follows>", "@debugee[1].ToDebug stands at result")
	d.say("detach").see(outer)

	// 3: cast moves 0 and 3, and nobody else
	d.say("cast debugee ranks(0,3) n").see("@debugee[0].ToDebug stands at send", "@debugee[3].ToDebug stands at send", outer)
	d.say("cast debugee ranks(0,3) n").see("@debugee[0].ToDebug stands at result", "@debugee[3].ToDebug stands at result", outer)
	d.say("stops").see("@debugee[0].ToDebug", "result", "@debugee[1].ToDebug", "result", "@debugee[2].ToDebug", "break", "@debugee[3].ToDebug", "result", outer)

	// 4 and 5: rank 2 goes wrong, and stays to be looked at
	d.say("attach debugee 2").see("debugee[2] ToDebug@break> ")
	d.say("c").see("stands at panic", "bad rank", "debugee[2] ToDebug@panic> ")
	d.say("bt").see("#0 @debugee[2].ToDebug", "badRank", "debugee[2] ToDebug@panic> ")
	d.say("c").see("Detached from debug session for debugee 2 (", outer)
	waitStops(t, 3)

	// 7: the client is killed while it is attached; who comes next finds everything
	d.say("attach debugee 3").see("debugee[3] ToDebug@result> ")
	if err := d.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	d.exits()
	d = openDebugger(t, "walk")
	d.see("stopped: @debugee[0-1,3].ToDebug", outer)

	// 6: continue, and the caller has its error
	d.say("continue").see("go on", outer)
	waitStops(t, 0)
	select {
	case err := <-answer:
		if err == nil || !strings.Contains(err.Error(), "bad rank") {
			t.Errorf("the caller got %v, want bad rank", err)
		}
	case <-time.After(patience):
		t.Fatal("the call does not end")
	}
	d.say("list").see("nothing is stopped", outer).say("quit").see("Quitting debug session...")
	if code := d.exits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// waitStops waits until so many frames of the session are stopped.
func waitStops(t *testing.T, n int) {
	t.Helper()
	c, err := control.Dial(t.Context(), "walk", control.ClientInfo{Name: "looking", Role: control.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	w, err := c.Watch(t.Context(), control.TopicState)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var pic control.Replica
	for {
		u, err := w.Next(ctx)
		if err != nil {
			t.Fatalf("%d frames are stopped, want %d: %v", len(pic.Stops), n, err)
		}
		if pic.Apply(u); len(pic.Stops) == n {
			return
		}
	}
}

// TestThePromptOverAPipe: one line after the other, and the end of the input leaves what is stopped.
func TestThePromptOverAPipe(t *testing.T) {
	debugees(t)
	waitStops(t, 4)
	d := openDebugger(t) // the only session
	d.see("stopped: @debugee[0-3].ToDebug", outer)
	d.say("lisst").see(`Error parsing input: 1:1: no command "lisst" (did you mean list?)`, outer)
	d.say("attach nobody 0").see("No debug sessions for actor nobody", outer)
	d.say(strings.Repeat("x", 70_000)).see("the line has 70000 bytes", outer)
	d.say("").see(outer).say("h").see("continue", outer)
	_ = d.in.Close()
	d.see("@debugee[0-3].ToDebug stays stopped; unless a front end comes within 30s it goes on")
	if code := d.exits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	waitStops(t, 4)
}

// TestAnInterruptLeavesThePrompt and what is stopped stays stopped.
func TestAnInterruptLeavesThePrompt(t *testing.T) {
	debugees(t)
	waitStops(t, 4)
	d := openDebugger(t, "walk")
	d.see(outer).say("attach debugee 0").see("debugee[0] ToDebug@break> ")
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	d.see("stays stopped")
	if code := d.exits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	waitStops(t, 4)
}

func TestASessionThatEndsEndsThePrompt(t *testing.T) {
	ownRunFolder(t)
	e, err := engine.Start(context.Background(), engine.AllInProcess(), engine.SessionName("walk"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.OpenSession(); err != nil {
		t.Fatal(err)
	}
	d := openDebugger(t, "walk")
	d.see(outer)
	e.Close()
	d.see("monarch-tui: the session has ended\n")
	if code := d.exits(); code != exitCommand {
		t.Errorf("exit code %d, want %d", code, exitCommand)
	}
}

func TestDebugWithoutASession(t *testing.T) {
	ownRunFolder(t)
	for _, args := range [][]string{nil, {"nobody"}} {
		d := openDebugger(t, args...)
		if code := d.exits(); code != exitCommand || !strings.Contains(d.text.String(), "no session is running") {
			t.Errorf("debug %v: exit code %d, %s", args, code, d.text.String())
		}
	}
	if err := debugSession(t.Context(), "nobody", "", io.Discard); !errors.As(err, new(*exitError)) {
		t.Errorf("%v", err)
	}
}
