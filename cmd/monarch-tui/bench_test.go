//go:build linux

package main

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// BenchmarkFirstFrame measures from exec to the first complete frame on a terminal of 120×40: the last row has the
// hints of the keys. The goal is 100 ms. It runs this test binary, which is larger than the program.
func BenchmarkFirstFrame(b *testing.B) {
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	var sum time.Duration
	for b.Loop() {
		sum += firstFrame(b, exe)
	}
	b.ReportMetric(float64(sum.Microseconds())/float64(b.N)/1000, "ms/frame")
	b.ReportMetric(0, "ns/op") // that would be with the program's end
}

func firstFrame(b *testing.B, exe string) time.Duration {
	home := b.TempDir()
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "MONARCH_TEST_MAIN=1", "TERM=xterm-256color", "COLORTERM=truecolor", "HOME="+home, "XDG_RUNTIME_DIR="+home)
	scr := vt.NewEmulator(120, 40)
	began := time.Now()
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 120, Rows: 40})
	if err != nil {
		b.Fatal(err)
	}
	answers := make(chan struct{})
	go func() { // the program asks the terminal what it can do
		defer close(answers)
		_, _ = io.Copy(tty, scr)
	}()
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if in, ok := scr.InputPipe().(io.Closer); ok {
			_ = in.Close()
		}
		<-answers
		_ = tty.Close()
	}()
	buf := make([]byte, 64<<10)
	for !strings.Contains(scr.String(), "q quit") {
		n, err := tty.Read(buf)
		if err != nil {
			b.Fatalf("it ended before its first frame: %v\n%s", err, scr.String())
		}
		_, _ = scr.Write(buf[:n])
	}
	return time.Since(began)
}
