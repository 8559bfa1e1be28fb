//go:build unix

package via

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sshServer is an OpenSSH server of the test's own, on loopback.
type sshServer struct {
	dir    string
	port   int
	config string // of the client
	known  string
	key    string
}

// sshd starts a server with its own keys. More lines of its configuration may change what a login does.
func sshd(t testing.TB, more ...string) *sshServer {
	t.Helper()
	bin := "/usr/sbin/sshd"
	if _, err := os.Stat(bin); err != nil {
		t.Skip("there is no OpenSSH server here: apt-get install openssh-server")
	}
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Skip("the OpenSSH server's folder cannot be made: ", err)
		}
	}
	s := &sshServer{dir: t.TempDir()}
	s.known, s.key = filepath.Join(s.dir, "known"), filepath.Join(s.dir, "user")
	for _, k := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(s.dir, k)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
	}
	s.port = freePort(t)
	cfg := fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\n%s\n",
		s.port, filepath.Join(s.dir, "host"), s.key+".pub", strings.Join(more, "\n"))
	path := filepath.Join(s.dir, "sshd_config")
	write(t, path, cfg)
	cmd := exec.Command(bin, "-D", "-e", "-f", path)
	errs, err := cmd.StderrPipe()
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
	up := make(chan string, 1)
	go func() {
		in := bufio.NewScanner(errs)
		said := ""
		for in.Scan() {
			said += in.Text() + "\n"
			if strings.Contains(in.Text(), "Server listening") {
				up <- ""
			}
		}
		up <- said
	}()
	if said := <-up; said != "" {
		t.Fatalf("sshd has not started: %s", said)
	}
	pub, err := os.ReadFile(filepath.Join(s.dir, "host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, s.known, fmt.Sprintf("[127.0.0.1]:%d,[localhost]:%[1]d %s", s.port, pub))
	s.configure(t)
	return s
}

// configure writes the client's configuration; lines that come first count.
func (s *sshServer) configure(t testing.TB, first ...string) {
	t.Helper()
	s.config = filepath.Join(s.dir, "ssh_config")
	write(t, s.config, strings.Join(first, "\n")+fmt.Sprintf(
		"\nHost *\nPort %d\nIdentityFile %s\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile %s\nGlobalKnownHostsFile /dev/null\nStrictHostKeyChecking yes\n",
		s.port, s.key, s.known))
}

// options are those of a launch to this server, with a folder of the test's own to keep programs in.
func (s *sshServer) options(cache string) map[string]string {
	return map[string]string{"config": s.config, "cache": cache}
}

func freePort(t testing.TB) int {
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
