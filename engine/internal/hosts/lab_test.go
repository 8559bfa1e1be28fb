//go:build linux

package hosts

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// labEnv names, in a test that runs inside a lab, that lab.
const labEnv = "HOSTS_LAB"

// lab is three machines as network namespaces with a switch between them: 0 is the controller's, 1 and 2 are hosts.
type lab struct{ name string }

// inLab runs the rest of the test in a namespace of its own, as a process of its own: it returns nil in the test's first process, when
// that has ended, and the lab in the second. Where namespaces cannot be made the test is left out, and says why.
func inLab(t testing.TB) *lab {
	t.Helper()
	if name := os.Getenv(labEnv); name != "" {
		return &lab{name}
	}
	for _, tool := range []string{"ip", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s here: install iproute2 and util-linux", tool)
		}
	}
	l := &lab{fmt.Sprintf("mh%d-%d-", os.Getpid(), time.Now().UnixNano()%1e6)}
	if out, err := exec.CommandContext(t.Context(), "ip", "netns", "add", l.name+"sw").CombinedOutput(); err != nil {
		t.Skipf("network namespaces cannot be made here: %s", strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() {
		for _, ns := range []string{"sw", "0", "1", "2"} {
			_ = exec.Command("ip", "netns", "del", l.name+ns).Run() // it may not have been made
		}
	})
	l.ip(t, "ip -n @sw link add br0 type bridge")
	l.ip(t, "ip -n @sw link set br0 up")
	for i := range 3 {
		l.ip(t, "ip netns add @%d", i)
		l.ip(t, "ip link add eth0 netns @%d type veth peer name p%d netns @sw", i, i)
		l.ip(t, "ip -n @sw link set p%d master br0 up", i)
		l.ip(t, "ip -n @%d addr add 10.77.0.%d/24 dev eth0", i, i+1)
		l.ip(t, "ip -n @%d link set eth0 up", i)
		l.ip(t, "ip -n @%d link set lo up", i)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	what := []string{"-test.run=^" + t.Name() + "$", "-test.v", "-test.count=1"}
	if _, bench := t.(*testing.B); bench {
		what = []string{"-test.run=^$", "-test.bench=^" + t.Name() + "$", "-test.benchtime=" + flag.Lookup("test.benchtime").Value.String()}
	}
	cmd := exec.CommandContext(t.Context(), "nsenter", append([]string{"--net=/run/netns/" + l.name + "0", self}, what...)...)
	cmd.Env = append(os.Environ(), labEnv+"="+l.name)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%v:\n%s", err, &out)
	} else if _, bench := t.(*testing.B); bench || testing.Verbose() {
		t.Logf("%s", &out)
	}
	return nil
}

// ip runs a command; @ in it is the lab's name.
func (l *lab) ip(t testing.TB, line string, args ...any) {
	t.Helper()
	argv := strings.Fields(strings.ReplaceAll(fmt.Sprintf(line, args...), "@", l.name))
	if out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(argv, " "), err, out)
	}
}

// cut takes a host's cable out, heal puts it back.
func (l *lab) cut(t *testing.T, host int)  { l.ip(t, "ip -n @sw link set p%d nomaster", host) }
func (l *lab) heal(t *testing.T, host int) { l.ip(t, "ip -n @sw link set p%d master br0", host) }

// ssh writes a program that stands for ssh, and logs in to hosts 1 and 2 of the lab: n1 and n2, and again as n3 and n4.
func (l *lab) ssh(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "ssh")
	script := "#!/bin/sh\nfor a; do host=$prev; prev=$a; done\nexport HOME=" + dir + "/$host; mkdir -p $HOME; unset XDG_CACHE_HOME; cd $HOME\n" +
		"n=${host#n}; exec nsenter --net=/run/netns/" + l.name + "$(((n-1)%2+1)) sh -c \"$a\"\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}
