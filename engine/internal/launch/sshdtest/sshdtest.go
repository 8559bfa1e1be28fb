//go:build unix

// Package sshdtest starts an OpenSSH server of a test's own, on loopback, with keys of its own: what is tested against it is tested
// against the real thing. It is for tests only.
package sshdtest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// Server is an OpenSSH server.
type Server struct {
	Dir    string
	Port   int
	Config string // of the client
	Known  string // hosts that the client knows
	Key    string // of the user
	Home   string // of the user who has logged in

	pid    int
	logins atomic.Int32
}

// Logins is how many logins there were so far.
func (s *Server) Logins() int { return int(s.logins.Load()) }

// Start starts a server with its own keys, which ends with the test. More lines of its configuration may change what a login does.
// Who logs in has a HOME of the test's own, without files of a shell: what a login does, and takes, is not up to whoever runs the test.
// Where there is no OpenSSH server the test is left out, and says so.
func Start(t testing.TB, more ...string) *Server {
	t.Helper()
	bin, err := exec.LookPath("sshd")
	if err != nil { // it is not in everybody's PATH
		bin = "/usr/sbin/sshd"
	}
	if _, err := os.Stat(bin); err != nil {
		t.Skip("there is no OpenSSH server here: apt-get install openssh-server")
	}
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Skip("the OpenSSH server's folder cannot be made: ", err)
		}
	}
	s := &Server{Dir: t.TempDir()}
	s.Known, s.Key, s.Home = filepath.Join(s.Dir, "known"), filepath.Join(s.Dir, "user"), filepath.Join(s.Dir, "home")
	if err := os.Mkdir(s.Home, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(s.Dir, k)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
	}
	s.Port = FreePort(t)
	cfg := fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nSetEnv HOME=%s\n%s\n",
		s.Port, filepath.Join(s.Dir, "host"), s.Key+".pub", s.Home, strings.Join(more, "\n"))
	path := filepath.Join(s.Dir, "sshd_config")
	write(t, path, cfg)
	cmd := exec.Command(bin, "-D", "-e", "-f", path)
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.pid = cmd.Process.Pid
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	up := make(chan string, 1)
	go func() {
		in := bufio.NewScanner(errs)
		var said strings.Builder
		for in.Scan() {
			fmt.Fprintln(&said, in.Text())
			if strings.HasPrefix(in.Text(), "Accepted publickey") {
				s.logins.Add(1)
			}
			if strings.Contains(in.Text(), "Server listening") {
				up <- ""
			}
		}
		up <- said.String()
	}()
	if said := <-up; said != "" {
		t.Fatalf("sshd has not started: %s", said)
	}
	pub, err := os.ReadFile(filepath.Join(s.Dir, "host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, s.Known, fmt.Sprintf("[127.0.0.1]:%d,[localhost]:%[1]d %s", s.Port, pub))
	s.Configure(t)
	return s
}

// Drop has the server end the connections that it has. It needs /proc.
func (s *Server) Drop(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGKILL) // one that is told to end may overlook it until the client says something
}

// Hold has the server say nothing more on the connections that it has, which stay until the end of the test. It needs /proc.
func (s *Server) Hold(t testing.TB) {
	t.Helper()
	held := s.signal(t, syscall.SIGSTOP)
	t.Cleanup(func() {
		for _, pid := range held {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
}

// signal reaches the processes of the connections that there are.
func (s *Server) signal(t testing.TB, sig syscall.Signal) (pids []int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", s.pid))
	if err != nil {
		t.Skip("the server's processes cannot be listed here: ", err)
	}
	for f := range strings.FieldsSeq(string(b)) {
		if pid, err := strconv.Atoi(f); err == nil && syscall.Kill(pid, sig) == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Configure writes the client's configuration; lines that come first count.
func (s *Server) Configure(t testing.TB, first ...string) {
	t.Helper()
	s.Config = filepath.Join(s.Dir, "ssh_config")
	write(t, s.Config, strings.Join(first, "\n")+fmt.Sprintf(
		"\nHost *\nPort %d\nIdentityFile %s\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile %s\nGlobalKnownHostsFile /dev/null\nStrictHostKeyChecking yes\n",
		s.Port, s.Key, s.Known))
}

// Options are those of a launch to this server, with a folder of the test's own to keep programs in.
func (s *Server) Options(cache string) map[string]string {
	return map[string]string{"config": s.Config, "cache": cache}
}

// FreePort is a port of loopback on which nobody listens.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
