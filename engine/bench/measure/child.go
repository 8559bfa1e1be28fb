package measure

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Child is a process that answers for a peer. It gets its certificates on stdin, tells its address on stdout,
// and then tells its CPU time for each line; the end of its stdin ends it.
type Child struct {
	Addr string

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	mu  sync.Mutex
}

// StartChild starts the program exe with the flag -server PEER, and waits until it has told its address.
func StartChild(exe, peer string, certs *Certificates, env ...string) (*Child, error) {
	c := &Child{cmd: exec.Command(exe, "-server", peer)} //nolint:gosec // a program of this benchmark
	c.cmd.Env = append(append(os.Environ(), env...), roleEnv+"=server")
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	c.in = in
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	if err := json.NewEncoder(c.in).Encode(certs); err != nil {
		return nil, err
	}
	line, err := c.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the server of %s did not start: %w", peer, err)
	}
	c.Addr = strings.TrimSpace(line)
	return c, nil
}

// CPU asks for the CPU time of the child.
func (c *Child) CPU() (time.Duration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := io.WriteString(c.in, "cpu\n"); err != nil {
		return 0, err
	}
	line, err := c.out.ReadString('\n')
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return time.Duration(n), err
}

// PID is its process.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Stop ends it.
func (c *Child) Stop() {
	_ = c.in.Close()
	_ = c.cmd.Wait() // it ends at the end of its stdin
}

// Serve is the child's side: it reads the certificates, calls listen, tells the address and then its CPU time whenever it is
// asked. It returns when the parent has gone or wants it to.
func Serve(listen func(*Certificates) (addr string, err error)) error {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var certs Certificates
	if err := json.Unmarshal(line, &certs); err != nil {
		return err
	}
	addr, err := listen(&certs)
	if err != nil {
		return err
	}
	fmt.Println(addr)
	for {
		if _, err := in.ReadBytes('\n'); err != nil {
			return nil //nolint:nilerr // the end of its stdin
		}
		fmt.Println(OwnCPU().Nanoseconds())
	}
}
