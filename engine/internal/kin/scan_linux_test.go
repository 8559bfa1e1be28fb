package kin

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestNobodyElseIsKilled holds INV-OTHERS: the number alone names nobody.
func TestNobodyElseIsKilled(t *testing.T) {
	cmd := exec.Command("sleep", "300")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait() //nolint:errcheck // it is killed
	p, ok := look(cmd.Process.Pid)
	if !ok || p.parent != os.Getpid() || p.start < startOf(os.Getpid()) {
		t.Fatalf("%+v, %v", p, ok)
	}
	stranger := p
	stranger.start--
	stranger.kill()
	if err := cmd.Process.Signal(syscall.Signal(0)); err != nil || startOf(p.pid) != p.start {
		t.Fatalf("a process that has another's number was killed: %v", err)
	}
	p.kill()
	if err := cmd.Wait(); cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Error(err)
	}
	p.kill() // there is none: no error, no harm
}

func TestAStatIsReadWhateverTheNameOfTheProgram(t *testing.T) {
	const rest = " S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 8 9"
	for name, want := range map[string]bool{"(sleep)": true, "(a) Z 1 (b)": true, "(Z)": true} {
		if p, ok := readStat(5, []byte("5 "+name+rest)); ok != want || p != (process{5, 7, 4711}) {
			t.Errorf("%s: %+v, %v", name, p, ok)
		}
	}
	for _, bad := range []string{"", "5 sleep S 7", "5 (sleep) S 7", "5 (sleep)" + strings.Replace(rest, "S", "Z", 1), "5 (sleep)" + strings.Replace(rest, "4711", "x", 1)} {
		if p, ok := readStat(5, []byte(bad)); ok {
			t.Errorf("%q: %+v", bad, p)
		}
	}
}

func TestMarksAreThoseOfAllThatAProcessDescendsFrom(t *testing.T) {
	for text, want := range map[marks]bool{"": false, "a.1": true, "b.9:a.1": true, "a.1:b.9": true, "a.2": false, "aa.1": false, "a1": false, ":.:": false} {
		if got := text.has(func(session, worker string) bool { return session == "a" && worker == "1" }); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	k := &Keeper{session: "s"}
	t.Setenv(MarkEnv, "")
	if got := k.MarkOf(3); got != MarkEnv+"=s.3" {
		t.Error(got)
	}
	t.Setenv(MarkEnv, "o.1")
	if got := k.MarkOf(3); got != MarkEnv+"=o.1:s.3" {
		t.Error(got)
	}
}

func TestTheCgroupIsFoundWhereItIsMounted(t *testing.T) {
	const (
		hybrid  = "31 24 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n32 24 0:28 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n"
		unified = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
		inside  = "30 24 0:26 /docker/abc /a\\040b rw - cgroup2 cgroup rw\n"
	)
	for _, c := range []struct{ member, mounts, want, why string }{
		{"4:memory:/x\n0::/\n", hybrid, "/sys/fs/cgroup/unified", ""},
		{"0::/user.slice/user-1000.slice/session-2.scope\n", unified, "/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope", ""},
		{"0::/docker/abc/x\n", inside, "/a b/x", ""},
		{"0::/docker/abcd\n", inside, "", "not mounted"},
		{"0::/../other\n", unified, "", "not mounted"},
		{"0::/x\n", "", "", "not mounted"},
		{"4:memory:/x\n", unified, "", "no cgroup v2"},
		{"nonsense", "nonsense - cgroup2", "", "no cgroup v2"},
	} {
		got, why := cgroupFolder(c.member, c.mounts)
		if got != c.want || (why == "") != (c.why == "") || !strings.Contains(why, c.why) {
			t.Errorf("%q: %q, %q; want %q, %q", c.member, got, why, c.want, c.why)
		}
	}
}

// TestWhatAKilledControllerLeftIsRemoved: of a folder that is not empty, or whose owner lives, nothing is.
func TestWhatAKilledControllerLeftIsRemoved(t *testing.T) {
	own, why := ownCgroup()
	if why == "" {
		why = usable()
	}
	if why != "" {
		t.Skip(why)
	}
	dead, living := filepath.Join(own, "monarch-4194303-1-1"), filepath.Join(own, fmt.Sprintf("monarch-1-%d-1", startOf(1)))
	for _, f := range []string{dead, filepath.Join(dead, "w1"), living} {
		if err := os.Mkdir(f, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	defer os.Remove(living)
	folder, why := openFolder()
	if why != "" {
		t.Fatal(why)
	}
	defer removeFolder(folder)
	if _, err := os.Stat(dead); err == nil {
		t.Error("the folder of a dead controller is still there")
	}
	if _, err := os.Stat(living); err != nil {
		t.Error(err)
	}
}

func TestAChargeIsReadAsItWasWritten(t *testing.T) {
	for _, c := range []charge{{"ab", 7, ""}, {"ab", 7, "/sys/fs/cgroup/user@1000.service/monarch-1-2-3"}} {
		if got, ok := readCharge(c.String()); !ok || got != c {
			t.Errorf("%+v, %v; want %+v", got, ok, c)
		}
	}
	for _, bad := range []string{"", "ab", "ab.7", ".7./x", "ab.x./x"} {
		if c, ok := readCharge(bad); ok {
			t.Errorf("%q: %+v", bad, c)
		}
	}
}
