package launch

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Platform is nil: worker processes can be started here.
func Platform() error { return nil }

// sysProcAttr ties a worker to its parent, makes it the leader of a process group, and puts it into a cgroup where it has one.
func sysProcAttr(cgroup *os.File) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if cgroup != nil {
		attr.UseCgroupFD, attr.CgroupFD = true, int(cgroup.Fd())
	}
	return attr
}

// await waits until a child has ended, and leaves it to be reaped. Meanwhile it tells when the child is stopped and when it
// goes on.
func await(cmd *exec.Cmd, told func(stopped bool)) {
	pid := cmd.Process.Pid
	for {
		var now unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &now, unix.WEXITED|unix.WSTOPPED|unix.WCONTINUED|unix.WNOWAIT, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil: // it is none of ours: the reaper will say so
			return
		case now.Code == cldStopped:
			_ = unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WNOHANG, nil) // so that the next look waits for what is new
			told(true)
		case now.Code == cldContinued:
			_ = unix.Waitid(unix.P_PID, pid, nil, unix.WCONTINUED|unix.WNOHANG, nil)
			told(false)
		default:
			return
		}
	}
}

// What waitid(2) says has become of a child.
const (
	cldStopped   = 5
	cldContinued = 6
)

// init keeps a worker's main goroutine on the thread that pdeathsig is set for, so that Adopt changes the right one.
func init() {
	if _, worker := os.LookupEnv(MarkerEnv); worker {
		runtime.LockOSThread()
	}
}

// Adopt tells the kernel that this worker watches its lifeline now. Until then the death of the controller kills it
// outright; from now on it is only woken, in case it is stopped, so that it can end its whole process group: a plain
// kill would leave its children behind.
func Adopt() {
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGCONT), 0, 0, 0) // without it the kill stays in force
	runtime.UnlockOSThread()
}

// startOn forks with the CPU set in force. It runs on the spawner's thread.
func startOn(cmd *exec.Cmd, cpus []int) error {
	if len(cpus) == 0 {
		return cmd.Start()
	}
	var old, set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &old); err != nil {
		return err
	}
	for _, c := range cpus {
		set.Set(c)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return err
	}
	err := cmd.Start()
	if back := unix.SchedSetaffinity(0, &old); err == nil {
		err = back
	}
	return err
}

// AllowedCPUs lists the CPUs that this process may use.
func AllowedCPUs() []int {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return nil
	}
	var out []int
	for i := range 1024 {
		if set.IsSet(i) {
			out = append(out, i)
		}
	}
	return out
}
