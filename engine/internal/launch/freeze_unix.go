//go:build unix

package launch

import "syscall"

// Freeze stops the child where it is, by SIGSTOP. What it started goes on. Error: the child has ended.
func (c *Child) Freeze() error { return c.signal(syscall.SIGSTOP) }

// Thaw lets it go on. Error: the child has ended.
func (c *Child) Thaw() error { return c.signal(syscall.SIGCONT) }

// signal sends a signal to the child and to nobody else: not once it is reaped, when the pid may be a stranger's.
func (c *Child) signal(s syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reaped {
		return syscall.ESRCH
	}
	return c.cmd.Process.Signal(s)
}
