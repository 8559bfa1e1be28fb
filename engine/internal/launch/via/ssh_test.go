//go:build unix

package via

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/internal/launch/sshdtest"
)

// TestSSHStartsAnAgentOnEachHost holds INV-SECRET for what a host can see: the secret reaches its agent, and no list of processes.
func TestSSHStartsAnAgentOnEachHost(t *testing.T) {
	s, h := sshdtest.Start(t), newHall(t)
	dir := t.TempDir()
	odd := []string{"", "two words", `quotes ' " \ and $HOME`, "a\nnewline", "!history", "ünï", "\x01\x7f", "-n", `\c\0141`, "%s*"}
	spec := Spec{Hosts: []string{"127.0.0.1", "localhost"}, Program: program(t, h, odd...), Dir: dir, Options: s.Options(t.TempDir())}
	j, rec := start(t, keeping(t), spec)
	guests := h.arrive(t, rec, 2)
	for i, g := range guests {
		if g.Secret != string(secretFor(i)) {
			t.Errorf("agent %d has the secret %q", i, g.Secret)
		}
		if got, want := strings.Join(g.Args, "|"), strings.Join(odd, "|"); got != want {
			t.Errorf("agent %d has the arguments %q, want %q", i, got, want)
		}
		if g.Dir != dir {
			t.Errorf("agent %d is in %s, want %s", i, g.Dir, dir)
		}
		if !g.Lifeline {
			t.Errorf("agent %d has no lifeline", i)
		}
		if name := rec.state(t, i, Started).Name; name != spec.Hosts[i] {
			t.Errorf("host %d is called %s", i, name)
		}
		for _, e := range g.Env {
			if strings.HasPrefix(e, "mt_") {
				t.Errorf("the script leaves %s in the agent's environment", e)
			}
		}
	}
	if secretInProcesses(t) {
		t.Error("the secret is in a list of processes")
	}
	if j.Handle() != "ssh to 127.0.0.1, localhost" {
		t.Errorf("the handle is %q", j.Handle())
	}
	end(t, j)
	for i, g := range guests {
		if said := g.last(t); said != "lifeline ended after 0 bytes: <nil>" {
			t.Errorf("agent %d said at its end: %q", i, said)
		}
		if why := rec.state(t, i, Ended).Text; why != "it was cancelled" {
			t.Errorf("host %d ended because %q", i, why)
		}
	}
}

// secretInProcesses looks through the arguments and environments of all processes.
func secretInProcesses(t *testing.T) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/*")
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, f := range files {
		if base := filepath.Base(f); base != "cmdline" && base != "environ" {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended, or is not ours
		}
		looked++
		if strings.Contains(string(b), "kq7vz") {
			return true
		}
	}
	if looked == 0 {
		t.Skip("there is no /proc here")
	}
	return false
}

func TestSSHCopiesTheProgramOnce(t *testing.T) {
	s, h := sshdtest.Start(t), newHall(t)
	spec := Spec{Hosts: []string{"127.0.0.1"}, Program: program(t, h), Options: s.Options(t.TempDir())}
	for n, want := range []int64{spec.Program.Size, 0} {
		j, rec := start(t, keeping(t), spec)
		h.arrive(t, rec, 1)
		if got := rec.shipped(t, 0); got != want {
			t.Errorf("launch %d copied %d bytes, want %d", n+1, got, want)
		}
		end(t, j)
	}
}

func TestSSHFailsInWordsThatHelp(t *testing.T) {
	s := sshdtest.Start(t, "PasswordAuthentication yes")
	for _, c := range []struct {
		name  string
		host  string
		setUp func(t *testing.T, s *sshdtest.Server)
		want  []string
	}{
		{"a password would be asked for", "127.0.0.1", func(t *testing.T, s *sshdtest.Server) {
			s.Configure(t, "IdentityFile none", "PubkeyAuthentication no")
		}, []string{"Permission denied", "ssh-copy-id 127.0.0.1", "ssh-add"}},
		{"nobody has seen the host", "127.0.0.1", func(t *testing.T, s *sshdtest.Server) {
			s.Configure(t, "UserKnownHostsFile /dev/null")
		}, []string{"Host key verification failed", "ssh 127.0.0.1"}},
		{"the host has another key", "127.0.0.1", func(t *testing.T, s *sshdtest.Server) {
			other := filepath.Join(s.Dir, "other")
			pub, err := os.ReadFile(s.Key + ".pub")
			if err != nil {
				t.Fatal(err)
			}
			write(t, other, "[127.0.0.1]:"+strconv.Itoa(s.Port)+" "+string(pub))
			s.Configure(t, "UserKnownHostsFile "+other)
		}, []string{"not the one that is known", "ssh-keygen -R 127.0.0.1"}},
		{"nobody listens", "127.0.0.1", func(t *testing.T, s *sshdtest.Server) {
			s.Configure(t, "Port "+strconv.Itoa(sshdtest.FreePort(t)))
		}, []string{"Connection refused", "port="}},
		{"there is no such host", "nowhere.invalid", func(t *testing.T, s *sshdtest.Server) {
			s.Configure(t)
		}, []string{"Could not resolve hostname", "ssh configuration"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.setUp(t, s)
			h := newHall(t)
			_, rec := start(t, keeping(t), Spec{Hosts: []string{c.host}, Program: program(t, h), Options: s.Options(t.TempDir())})
			why := rec.state(t, 0, Ended).Text
			for _, w := range c.want {
				if !strings.Contains(why, w) {
					t.Errorf("the end is told as %q, which does not say %q", why, w)
				}
			}
		})
	}
}

// A login's files print what they like before the program runs, with and without a newline, and the login shell may be any.
func TestSSHStartsThroughAnyLogin(t *testing.T) {
	for _, c := range []struct{ name, force string }{
		{"noise", `echo Welcome; printf 'last login: never'; eval "$SSH_ORIGINAL_COMMAND"`},
		{"dash", `exec dash -c "$SSH_ORIGINAL_COMMAND"`},
		{"csh", `exec csh -c "$SSH_ORIGINAL_COMMAND"`},
		{"fish", `exec fish -c "$SSH_ORIGINAL_COMMAND"`},
		{"zsh", `exec zsh -c "$SSH_ORIGINAL_COMMAND"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := lookShell(c.name); err != nil {
				t.Skip(err)
			}
			s, h := sshdtest.Start(t, "ForceCommand "+c.force), newHall(t)
			_, rec := start(t, keeping(t), Spec{Hosts: []string{"127.0.0.1"}, Program: program(t, h, "a b", "!"), Options: s.Options(t.TempDir())})
			g := h.arrive(t, rec, 1)[0]
			if g.Secret != string(secretFor(0)) || strings.Join(g.Args, "|") != "a b|!" {
				t.Errorf("it has arrived with %q and %q", g.Secret, g.Args)
			}
		})
	}
}

func TestSSHRefusesAnotherMachineBeforeItCopies(t *testing.T) {
	bin := t.TempDir()
	executable(t, filepath.Join(bin, "uname"), "#!/bin/sh\necho Plan9 n1 sparc64\n")
	s, h := sshdtest.Start(t, "ForceCommand PATH="+bin+":$PATH; export PATH; eval \"$SSH_ORIGINAL_COMMAND\""), newHall(t)
	cache := t.TempDir()
	p := program(t, h)
	_, rec := start(t, keeping(t), Spec{Hosts: []string{"127.0.0.1"}, Program: p, Options: s.Options(cache)})
	want := "it is Plan9/sparc64, this program is " + p.OS + "/" + p.Arch + ": build one for Plan9/sparc64 there"
	if why := rec.state(t, 0, Ended).Text; why != want {
		t.Errorf("the end is told as %q, want %q", why, want)
	}
	if left, err := os.ReadDir(cache); err != nil || len(left) > 0 {
		t.Errorf("something was copied: %v %v", left, err)
	}
}

func TestSSHTellsOfAnAccountThatRunsNothing(t *testing.T) {
	s, h := sshdtest.Start(t, "ForceCommand echo This account is not available.; exit 1"), newHall(t)
	j, rec := start(t, keeping(t), Spec{Hosts: []string{"127.0.0.1"}, Program: program(t, h), Options: s.Options(t.TempDir())})
	if why := rec.state(t, 0, Ended).Text; why != "the login shell there has not run /bin/sh: it ended with code 1: This account is not available." {
		t.Errorf("the end is told as %q", why)
	}
	<-j.Done()
	if tail := j.Tail(0); len(tail) != 1 || tail[0] != "This account is not available." {
		t.Errorf("the tail is %q", tail)
	}
}

func TestSSHTellsHowAnAgentEnds(t *testing.T) {
	s, h := sshdtest.Start(t), newHall(t)
	j, rec := start(t, keeping(t), Spec{Hosts: []string{"127.0.0.1"}, Program: program(t, h, "exit"), Options: s.Options(t.TempDir())})
	if e := rec.state(t, 0, Ended); !strings.HasPrefix(e.Text, "the agent has ended with code 3") || !e.Gone {
		t.Errorf("the end is told as %+v", e)
	}
	<-j.Done()
	if tail := j.Tail(0); len(tail) == 0 || tail[len(tail)-1] != "agent 0 says hello" {
		t.Errorf("the tail is %q", tail)
	}
}

// A host that takes the connection and says nothing must not keep anybody from cancelling.
func TestSSHIsCancelledWhileItConnects(t *testing.T) {
	s, h := sshdtest.Start(t), newHall(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s.Configure(t, "Port "+strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	j, rec := start(t, keeping(t), Spec{Hosts: []string{"127.0.0.1"}, Program: program(t, h), Options: s.Options(t.TempDir())})
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	end(t, j)
	if why := rec.state(t, 0, Ended).Text; why != "it was cancelled" {
		t.Errorf("the end is told as %q", why)
	}
	if err := j.Cancel(context.Background()); err != nil {
		t.Errorf("cancelled again: %v", err)
	}
}

// TestAnAgentHearsThatItsClientIsGone holds INV-GONE: whoever kills the client outright, the agent's lifeline ends.
func TestAnAgentHearsThatItsClientIsGone(t *testing.T) {
	s, h := sshdtest.Start(t), newHall(t)
	j, rec := start(t, keeping(t), Spec{Hosts: []string{"127.0.0.1"}, Program: program(t, h), Options: s.Options(t.TempDir())})
	g := h.arrive(t, rec, 1)[0]
	killChildren(t, "ssh")
	if said := g.last(t); said != "lifeline ended after 0 bytes: <nil>" {
		t.Errorf("the agent said at its end: %q", said)
	}
	if why := rec.state(t, 0, Ended).Text; !strings.Contains(why, "agent") {
		t.Errorf("the end is told as %q", why)
	}
	<-j.Done()
}

// TestAnAgentHearsThatItsLauncherIsGone holds INV-GONE for this process: its clients die with it.
func TestAnAgentHearsThatItsLauncherIsGone(t *testing.T) {
	s, h := sshdtest.Start(t), newHall(t)
	p, _ := launcher(t, h, "ssh", fmt.Sprintf(`{"Hosts":["127.0.0.1","localhost"],"Options":{"config":%q,"cache":%q}}`, s.Config, t.TempDir()))
	guests := h.arrive(t, newRecorder(), 2)
	_ = p.Kill()
	for i, g := range guests {
		if said := g.last(t); said != "lifeline ended after 0 bytes: <nil>" {
			t.Errorf("agent %d said at its end: %q", i, said)
		}
	}
}

// With a shared connection (ControlMaster) the first client leaves one behind that keeps its stderr.
func TestSSHSharesTheUsersConnection(t *testing.T) {
	s, h := sshdtest.Start(t), newHall(t)
	control := filepath.Join(filepath.Dir(h.path), "c")
	s.Configure(t, "ControlMaster auto", "ControlPersist 60", "ControlPath "+control)
	t.Cleanup(func() { _ = exec.Command("ssh", "-F", s.Config, "-O", "exit", "127.0.0.1").Run() })
	for range 2 {
		j, rec := start(t, keeping(t), Spec{Hosts: []string{"127.0.0.1"}, Program: program(t, h), Options: s.Options(t.TempDir())})
		g := h.arrive(t, rec, 1)[0]
		end(t, j)
		if said := g.last(t); said != "lifeline ended after 0 bytes: <nil>" {
			t.Errorf("the agent said at its end: %q", said)
		}
	}
	if err := exec.Command("ssh", "-F", s.Config, "-O", "check", "127.0.0.1").Run(); err != nil {
		t.Errorf("the connection that was the user's to share is gone: %v", err)
	}
}

func TestSSHCarriesALargeSecret(t *testing.T) {
	s, h := sshdtest.Start(t), newHall(t)
	secret := []byte(strings.Repeat("0123456789abcdef", MaxSecret/16))
	_, rec := start(t, keeping(t), Spec{Hosts: []string{"127.0.0.1"}, Program: program(t, h), Secret: func(int) []byte { return secret }, Options: s.Options(t.TempDir())})
	if g := h.arrive(t, rec, 1)[0]; g.Secret != string(secret) {
		t.Errorf("it has %d bytes of it", len(g.Secret))
	}
}
