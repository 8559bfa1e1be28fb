package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// delvePin is the Delve that `make bench-delve` builds. It knows programs of Go 1.25 to 1.27; one that does not know this
// program's Go refuses it, says which it knows, and is left out.
const delvePin = "v1.27.2"

// delveTime bounds the trial in which Delve shows that it can attach at all.
const delveTime = 30 * time.Second

// findDelve is the Delve that takes part: the one that BENCH_DLV or the flag names, that `make bench-delve` has built, or
// that is in PATH. It is "", and what is missing is printed, where there is none or where it may not attach.
func findDelve(ctx context.Context, s settings) string {
	path, err := exec.LookPath(s.dlv)
	if err != nil && os.Getenv("BENCH_DLV") == "" {
		path, err = exec.LookPath("dlv")
	}
	if err != nil {
		fmt.Printf("\nDelve is left out: there is no %s and no dlv in PATH (`make bench-delve` builds %s).\n", s.dlv, delvePin)
		return ""
	}
	if path, err = filepath.Abs(path); err == nil {
		err = tryDelve(ctx, path)
	}
	if err != nil {
		fmt.Printf("\nDelve is left out: %s cannot debug a process of ours: %v (%s is what this was made with)\n", path, err, delvePin)
		return ""
	}
	return path
}

// tryDelve attaches to a process of ours that only waits, and leaves it.
func tryDelve(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, delveTime)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "-server", peerNone) //nolint:gosec // this program itself
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { _ = in.Close(); _ = cmd.Wait() }()
	d, err := attachDelve(ctx, path, strconv.Itoa(cmd.Process.Pid))
	if err != nil {
		return err
	}
	defer d.kill()
	if err := d.say("break main.(*Echo).Held", "Breakpoint 1 set"); err != nil {
		return err
	}
	return d.detach()
}

// delve is Delve's command line on one process.
type delve struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err strings.Builder
}

func attachDelve(ctx context.Context, path, pid string) (*delve, error) {
	d := &delve{cmd: exec.CommandContext(ctx, path, "attach", pid, "--allow-non-terminal-interactive=true")} //nolint:gosec // the Delve that the caller names
	d.cmd.Env = append(os.Environ(), "TERM=dumb")
	d.cmd.Stderr = &d.err
	var err error
	if d.in, err = d.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	d.out = bufio.NewReader(out)
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	if err := d.until("Type 'help'"); err != nil {
		d.kill()
		return nil, err
	}
	return d, nil
}

// say writes a command and waits for the line that has answer in it.
func (d *delve) say(line, answer string) error {
	if _, err := io.WriteString(d.in, line+"\n"); err != nil {
		return fmt.Errorf("%s: %w", line, errors.Join(err, d.gone()))
	}
	if err := d.until(answer); err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	return nil
}

func (d *delve) until(answer string) error {
	for {
		line, err := d.out.ReadString('\n')
		if err != nil {
			return d.gone()
		}
		if strings.Contains(line, answer) {
			return nil
		}
		if text := strings.TrimPrefix(line, "(dlv) "); strings.HasPrefix(text, "Command failed") {
			return errors.New(strings.TrimSpace(text))
		}
	}
}

// gone is why Delve has ended.
func (d *delve) gone() error {
	_ = d.in.Close()
	err := d.cmd.Wait()
	if text := strings.TrimSpace(d.err.String()); text != "" {
		first, _, _ := strings.Cut(text, "\n")
		return errors.New(first)
	}
	return fmt.Errorf("it ended: %w", errors.Join(err, io.ErrUnexpectedEOF))
}

// detach takes the breakpoints out and leaves the process to itself.
func (d *delve) detach() error {
	if _, err := io.WriteString(d.in, "clearall\nexit\nn\n"); err != nil {
		return fmt.Errorf("detach: %w", errors.Join(err, d.gone()))
	}
	_, _ = io.Copy(io.Discard, d.out) // until it ends
	if err := d.cmd.Wait(); err != nil {
		return fmt.Errorf("detach: %w", err)
	}
	return nil
}

// kill ends Delve where it has not ended by itself. What it was attached to may die of that, and is ours.
func (d *delve) kill() {
	if d.cmd.ProcessState == nil {
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait()
	}
}
