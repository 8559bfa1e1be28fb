//go:build unix

package via

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/internal/launch/sshdtest"
)

// keeping is ssh as a session has it. At the end of a test nothing may be left of its connections.
func keeping(t testing.TB) sshLauncher {
	t.Helper()
	c := NewConnections(t.TempDir)
	t.Cleanup(func() {
		masters := c.masters()
		c.Close()
		for _, pid := range masters {
			if alive(pid) {
				t.Errorf("the connection of process %d has outlived its session", pid)
			}
		}
		if c.dir == "" {
			return
		}
		if _, err := os.Lstat(c.dir); !os.IsNotExist(err) {
			t.Errorf("the folder of the sockets is left: %v", err)
		}
	})
	return sshLauncher{c}
}

// masters are the processes of the connections that were made.
func (c *Connections) masters() (pids []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.to {
		if <-conn.settled; conn.master != nil {
			pids = append(pids, conn.master.cmd.Process.Pid)
		}
	}
	return pids
}

// sshTo is a launch to hosts that are all this one.
func sshTo(t testing.TB, s *sshdtest.Server, h *hall, options ...string) Spec {
	t.Helper()
	spec := Spec{Hosts: []string{"127.0.0.1"}, Program: program(t, h), Options: s.Options(t.TempDir())}
	for i := 0; i < len(options); i += 2 {
		spec.Options[options[i]] = options[i+1]
	}
	return spec
}

func TestASessionLogsInOnceToAHost(t *testing.T) {
	for _, c := range []struct {
		name     string
		lifeline bool
		options  []string
		logins   int // of three jobs, the last two of them beside each other, and of a copy
	}{
		{"by what this system has", !clientsDieWithUs, nil, 1},
		{"by a lifeline", true, nil, 1},
		{"unless it is to log in for each", false, []string{"keep", "no"}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, h, l := sshdtest.Start(t), newHall(t), keeping(t)
			l.kept.lifeline = c.lifeline
			spec := sshTo(t, s, h, c.options...)
			j, rec := start(t, l, spec)
			h.arrive(t, rec, 1)
			end(t, j)
			_, rec2 := start(t, l, spec)
			_, rec3 := start(t, l, spec)
			h.arrive(t, rec2, 1)
			h.arrive(t, rec3, 1)
			if n := s.Logins(); n != c.logins {
				t.Errorf("there were %d logins, want %d", n, c.logins)
			}
		})
	}
}

// Whoever comes while a connection is being made waits for it.
func TestJobsThatStartTogetherShareALogin(t *testing.T) {
	s, h, l := sshdtest.Start(t), newHall(t), keeping(t)
	spec := sshTo(t, s, h)
	end(t, func() Job { j, rec := start(t, sshLauncher{}, spec); h.arrive(t, rec, 1); return j }()) // the program is there
	before := s.Logins()
	var recs []*recorder
	for range 4 {
		_, rec := start(t, l, spec)
		recs = append(recs, rec)
	}
	for _, rec := range recs {
		h.arrive(t, rec, 1)
	}
	if n := s.Logins() - before; n != 1 {
		t.Errorf("there were %d logins", n)
	}
}

// Different people, keys or ways to a host are different connections.
func TestAConnectionIsOfOneWayToAHost(t *testing.T) {
	s, h, l := sshdtest.Start(t), newHall(t), keeping(t)
	for i, options := range [][]string{nil, {"args", "-4"}, {"identity", s.Key}, nil} {
		j, rec := start(t, l, sshTo(t, s, h, options...))
		h.arrive(t, rec, 1)
		end(t, j)
		if n, want := s.Logins(), min(i+1, 3); n != want {
			t.Errorf("after %d jobs there were %d logins, want %d", i+1, n, want)
		}
	}
}

// A server that lets a connection carry no more than so much is logged in to again.
func TestWhatAConnectionHasNoPlaceForLogsInByItself(t *testing.T) {
	s, h, l := sshdtest.Start(t, "MaxSessions 1"), newHall(t), keeping(t)
	spec := sshTo(t, s, h)
	for range 2 {
		_, rec := start(t, l, spec)
		h.arrive(t, rec, 1)
	}
	if n := s.Logins(); n < 2 {
		t.Errorf("there were %d logins", n)
	}
}

// TestAConnectionThatBreaksIsToldAndMadeAnew holds INV-GONE: the agents on it end, as with a connection of their own.
func TestAConnectionThatBreaksIsToldAndMadeAnew(t *testing.T) {
	s, h, l := sshdtest.Start(t), newHall(t), keeping(t)
	spec := sshTo(t, s, h)
	_, rec := start(t, l, spec)
	g := h.arrive(t, rec, 1)[0]
	for _, pid := range l.kept.masters() {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if said := g.last(t); said != "lifeline ended after 0 bytes: <nil>" {
		t.Errorf("the agent said at its end: %q", said)
	}
	if why := rec.state(t, 0, Ended).Text; !strings.HasPrefix(why, "the connection, or the agent by a signal, has ended") {
		t.Errorf("the end is told as %q", why)
	}
	before := s.Logins()
	_, rec = start(t, l, spec)
	h.arrive(t, rec, 1)
	if n := s.Logins() - before; n != 1 {
		t.Errorf("there were %d logins afterwards", n)
	}
}

// What a client alone cannot tell from a lost connection: its agent was killed.
func TestAnAgentThatIsKilledIsToldFromAConnectionThatIsLost(t *testing.T) {
	s, h, l := sshdtest.Start(t), newHall(t), keeping(t)
	for _, c := range []struct {
		want string
		gone bool
		end  func(g *guest)
	}{
		{"the agent was ended by a signal", true, func(g *guest) { _ = syscall.Kill(g.PID, syscall.SIGKILL) }},
		{"the connection, or the agent by a signal, has ended", false, func(*guest) { s.Drop(t) }},
	} {
		_, rec := start(t, l, sshTo(t, s, h))
		c.end(h.arrive(t, rec, 1)[0])
		if e := rec.state(t, 0, Ended); !strings.HasPrefix(e.Text, c.want) || e.Gone != c.gone {
			t.Errorf("the end is told as %q, gone: %v; want %q, %v", e.Text, e.Gone, c.want, c.gone)
		}
	}
}

// A connection may be no good any more without anybody knowing, as after this machine has slept. It keeps nobody from the host.
func TestWhoHearsNothingOverAConnectionLogsIn(t *testing.T) {
	s, h, l := sshdtest.Start(t), newHall(t), keeping(t)
	spec := sshTo(t, s, h)
	j, rec := start(t, l, spec)
	h.arrive(t, rec, 1)
	end(t, j)
	s.Hold(t)
	l.kept.silence = 100 * time.Millisecond
	_, rec = start(t, l, spec)
	h.arrive(t, rec, 1)
}

// A reason that only the connection knows is told as the agent's.
func TestTheEndOfAConnectionIsToldInItsWords(t *testing.T) {
	s, h, l := sshdtest.Start(t), newHall(t), keeping(t)
	_, rec := start(t, l, sshTo(t, s, h))
	h.arrive(t, rec, 1)
	s.Drop(t)
	why := rec.state(t, 0, Ended).Text
	for _, words := range []string{"127.0.0.1 closed by remote host", "Connection reset", "Broken pipe"} { // as ssh comes to know it
		if strings.Contains(why, words) {
			return
		}
	}
	t.Errorf("the end is told as %q", why)
}

// TestThereIsNoSecondConnectionForOneThatIsShared: how a person shares connections is for them to say.
func TestThereIsNoSecondConnectionForOneThatIsShared(t *testing.T) {
	s, h, l := sshdtest.Start(t), newHall(t), keeping(t)
	control := filepath.Join(filepath.Dir(h.path), "c")
	s.Configure(t, "ControlMaster auto", "ControlPersist 60", "ControlPath "+control)
	t.Cleanup(func() { _ = exec.Command("ssh", "-F", s.Config, "-O", "exit", "127.0.0.1").Run() })
	for range 2 {
		j, rec := start(t, l, sshTo(t, s, h))
		h.arrive(t, rec, 1)
		end(t, j)
	}
	if n := s.Logins(); n != 1 {
		t.Errorf("there were %d logins", n)
	}
	if l.kept.dir != "" {
		t.Errorf("a connection was made in %s", l.kept.dir)
	}
}

// TestAConnectionThatNobodyWaitsForIsGivenUp holds INV-GONE while it is being made.
func TestAConnectionThatNobodyWaitsForIsGivenUp(t *testing.T) {
	s, h, l := sshdtest.Start(t), newHall(t), keeping(t)
	for range 5 { // somewhere on the way
		j, rec := start(t, l, sshTo(t, s, h))
		end(t, j)
		if why := rec.state(t, 0, Ended).Text; why != cancelled {
			t.Errorf("the end is told as %q", why)
		}
	}
	_, rec := start(t, l, sshTo(t, s, h))
	h.arrive(t, rec, 1)
}

// TestConnectionsEndWithTheirProcess holds INV-GONE for what belongs to no job.
func TestConnectionsEndWithTheirProcess(t *testing.T) {
	s, h := sshdtest.Start(t), newHall(t)
	p, _ := launcher(t, h, "ssh", fmt.Sprintf(`{"Hosts":["127.0.0.1"],"Options":{"config":%q,"cache":%q}}`, s.Config, t.TempDir()))
	h.arrive(t, newRecorder(), 1)
	clients := childrenOf(t, p.Pid, "ssh")
	if len(clients) != 2 { // the connection, and what goes through it
		t.Fatalf("%d clients run", len(clients))
	}
	_ = p.Kill()
	areGone(t, clients)
}

// TestAConnectionOfAWrapperEndsWithItsProcess holds INV-GONE: what a wrapper has started gets no signal when we die.
func TestAConnectionOfAWrapperEndsWithItsProcess(t *testing.T) {
	for _, name := range []string{"ssh", "wrapper"} {
		t.Run(name, func(t *testing.T) {
			s, h := sshdtest.Start(t), newHall(t)
			wrapper := executable(t, filepath.Join(t.TempDir(), name), "#!/bin/sh\nssh \"$@\"\nexit $?\n")
			p, _ := launcher(t, h, "ssh", fmt.Sprintf(`{"Hosts":["127.0.0.1"],"Options":{"config":%q,"cache":%q,"ssh":%q}}`, s.Config, t.TempDir(), wrapper))
			h.arrive(t, newRecorder(), 1)
			var clients []int
			for _, pid := range childrenOf(t, p.Pid, name) {
				clients = append(clients, childrenOf(t, pid, "ssh")...)
			}
			if len(clients) != 2 {
				t.Fatalf("%d clients run", len(clients))
			}
			_ = p.Kill()
			areGone(t, clients)
		})
	}
}

// areGone waits until processes have ended.
func areGone(t *testing.T, pids []int) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		pids = slices.DeleteFunc(pids, func(pid int) bool { return !alive(pid) })
		if len(pids) == 0 {
			return
		}
		if time.Now().After(deadline) {
			for _, pid := range pids {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			t.Fatalf("the processes %v have outlived their launcher", pids)
		}
	}
}

// A folder that is cleaned of what looks old does not keep anybody from a host.
func TestSocketsWhoseFolderHasGoneLieInAnother(t *testing.T) {
	s, h, l := sshdtest.Start(t), newHall(t), keeping(t)
	j, rec := start(t, l, sshTo(t, s, h))
	h.arrive(t, rec, 1)
	end(t, j)
	if err := os.RemoveAll(l.kept.dir); err != nil {
		t.Fatal(err)
	}
	before := s.Logins()
	for range 2 { // another way to the host, so that it is another connection
		j, rec := start(t, l, sshTo(t, s, h, "args", "-4"))
		h.arrive(t, rec, 1)
		end(t, j)
	}
	if n := s.Logins() - before; n != 1 {
		t.Errorf("there were %d logins", n)
	}
}

// What only the connection that is to be kept cannot do does not keep anybody from a host.
func TestWhereNoSocketCanBeMadeEachJobLogsIn(t *testing.T) {
	s, h, l := sshdtest.Start(t), newHall(t), keeping(t)
	client := executable(t, filepath.Join(t.TempDir(), "ssh"), `#!/bin/sh
case " $* " in *" -M "*) echo 'unix_listener: cannot bind to path /x: Operation not supported' >&2; exit 255 ;; esac
exec ssh "$@"
`)
	j, rec := start(t, l, sshTo(t, s, h, "ssh", client))
	h.arrive(t, rec, 1)
	end(t, j)
}

// TestAConnectionThatWouldOutliveUsIsNotMade holds INV-GONE: what a person says with args comes first, for ssh as for us.
func TestAConnectionThatWouldOutliveUsIsNotMade(t *testing.T) {
	s, h, l := sshdtest.Start(t), newHall(t), keeping(t)
	j, rec := start(t, l, sshTo(t, s, h, "args", "-o ControlPersist=60"))
	h.arrive(t, rec, 1)
	if masters := l.kept.masters(); len(masters) > 0 {
		t.Errorf("the connections %v were made", masters)
		_ = exec.Command("ssh", "-S", filepath.Join(l.kept.dir, "1"), "-O", "exit", "127.0.0.1").Run()
	}
	end(t, j)
}

// A path that has no place in the address of a socket is not used.
func TestSocketsLieWhereTheirNamesFit(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.Mkdir("~nobody", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, own := range map[string]string{"too long": long, "somebody's home": "~nobody", "read by ssh": "/tmp/100%n", "none": "", "not there": "/nonexistent/at/all"} {
		t.Run(name, func(t *testing.T) {
			s, h := sshdtest.Start(t), newHall(t)
			c := NewConnections(func() string { return own })
			defer c.Close()
			for range 2 {
				j, rec := start(t, sshLauncher{c}, sshTo(t, s, h))
				h.arrive(t, rec, 1)
				end(t, j)
			}
			if n := s.Logins(); n != 1 {
				t.Errorf("there were %d logins", n)
			}
			if info, err := os.Stat(c.dir); err != nil || info.Mode() != fs.ModeDir|0o700 {
				t.Errorf("the sockets lie in %s (%v), which others may enter: %v", c.dir, err, info)
			}
		})
	}
}
