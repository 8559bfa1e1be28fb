package host

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestTooFewOpenFilesAreNamedWithTheSum(t *testing.T) {
	for _, c := range []struct {
		n, open, most int
		says          string
	}{
		{16, 14, 0, ""}, {16, 14, 1024, ""}, {1, 14, 64, ""},
		{16, 14, 64, "16 worker processes need about 190 open files in the controller, and its limit is 64: raise it (ulimit -n 1024)"},
		{2000, 14, 1024, "raise it (ulimit -n 8192)"},
	} {
		missing := missingFiles(c.n, 16, c.open, c.most)
		if (missing == "") != (c.says == "") || !strings.Contains(missing, c.says) {
			t.Errorf("%d workers, %d of %d open: %q", c.n, c.open, c.most, missing)
		}
	}
	if open, most := filesLimit(); runtime.GOOS != "windows" && (open < 3 || most < open) {
		t.Errorf("this process has %d of %d files open", open, most)
	}
	if err := ExplainFiles(fmt.Errorf("pipe2: %w", syscall.EMFILE)); !errors.Is(err, syscall.EMFILE) || !strings.Contains(err.Error(), "ulimit -n") {
		t.Error(err)
	}
	if err := ExplainFiles(syscall.ENOENT); err != syscall.ENOENT { //nolint:errorlint // the very same
		t.Error(err)
	}
}

// TestALimitThatIsReachedIsTheOneThatIsNamed has no file left, not even one to count those that are open.
func TestALimitThatIsReachedIsTheOneThatIsNamed(t *testing.T) {
	var files []*os.File
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	restore := lowerFilesLimit(t)
	var err error
	for err == nil && len(files) < 10_000 {
		var f *os.File
		if f, err = os.Open("/dev/null"); err == nil {
			files = append(files, f)
		}
	}
	missing, dial := MissingFiles(1, 16), DialSelf("")
	restore()
	if !strings.Contains(missing, "its limit is 64") {
		t.Errorf("1 worker: %q", missing)
	}
	if dial == nil || !strings.Contains(dial.Error(), "the limit of this process is 64 (ulimit -n)") || strings.Contains(dial.Error(), "firewall") {
		t.Errorf("the socket: %v", dial)
	}
}

func TestAMachineThatCannotReachItselfSaysSo(t *testing.T) {
	for _, here := range []string{"", "127.0.0.1:0", "no address at all"} {
		if err := DialSelf(here); err != nil {
			t.Errorf("%q: %v", here, err)
		}
	}
	err := DialSelf("192.0.2.1:0") // of nobody (RFC 5737)
	if err == nil || !strings.Contains(err.Error(), "the controller cannot reach itself at 192.0.2.1, so no worker could") {
		t.Error(err)
	}
}

func TestMemoryIsReadWhereTheSystemTells(t *testing.T) {
	if most, _ := ProcessLimit(); most < 1 {
		t.Errorf("%d workers fit", most)
	}
	if _, ok := ResidentBytes(-1); ok {
		t.Error("a process that is none holds memory")
	}
	if runtime.GOOS != "linux" {
		return
	}
	if b, ok := ResidentBytes(os.Getpid()); !ok || b < 1<<20 {
		t.Errorf("this process holds %d bytes, %v", b, ok)
	}
	if most, sum := ProcessLimit(); !strings.Contains(sum, "MiB are available") {
		t.Errorf("%d workers fit%s", most, sum)
	}
}
