package control

import (
	"os/exec"
	"syscall"
	"testing"
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
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(s.PID, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("it does not stand still: %v, %v", status, err)
	}
	if !s.Still() {
		t.Error("it stands still, and is said to run")
	}
	if (SessionInfo{PID: 1 << 30}).Still() {
		t.Error("nobody is said to stand still")
	}
}
