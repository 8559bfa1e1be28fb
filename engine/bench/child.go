package main

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

// child is a process of ours that answers for a peer. It gets its certificates on stdin, tells its address on stdout,
// and then tells its CPU time for each line; the end of its stdin ends it.
type child struct {
	Addr string

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	mu  sync.Mutex
}

func startChild(peer string, certs *certificates) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self, "-server", peer)} //nolint:gosec // this program itself
	c.cmd.Env = append(os.Environ(), roleEnv+"=server")
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
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
func (c *child) CPU() (time.Duration, error) {
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

func (c *child) stop() {
	_ = c.in.Close()
	_ = c.cmd.Wait() // it ends at the end of its stdin
}

// serve is the child's side.
func serve(peer string) error {
	if peer == peerNone {
		fmt.Println()
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var certs certificates
	if err := json.Unmarshal(line, &certs); err != nil {
		return err
	}
	var addr string
	switch peer {
	case peerRaw, peerMux:
		addr, err = serveQUIC(&certs)
	case peerUnary, peerStream:
		addr, err = serveGRPC(&certs)
	default:
		err = fmt.Errorf("there is no server for %q", peer)
	}
	if err != nil {
		return err
	}
	fmt.Println(addr)
	for {
		if _, err := in.ReadBytes('\n'); err != nil {
			return nil
		}
		fmt.Println(ownCPU().Nanoseconds())
	}
}
