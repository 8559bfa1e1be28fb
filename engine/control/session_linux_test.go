package control

import (
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func TestASessionThatASignalHasStoppedSaysSo(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	s := SessionInfo{PID: cmd.Process.Pid}
	if s.Still() {
		t.Error("it runs, and is said to stand still")
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); !s.Still(); time.Sleep(time.Millisecond) { // the kernel tells nobody else than /proc
		if time.Now().After(end) {
			t.Fatal("it stands still, and is said to run")
		}
	}
	if (SessionInfo{PID: 1 << 30}).Still() {
		t.Error("nobody is said to stand still")
	}
}
