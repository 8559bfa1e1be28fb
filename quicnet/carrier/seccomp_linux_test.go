package carrier

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestAFilterOfSystemCallsLeavesThePlainCarrier holds INV-3 for a container whose seccomp filter says no.
func TestAFilterOfSystemCallsLeavesThePlainCarrier(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childRole+"=filtered", childRole+"_JOB={\"CPU\":-1}")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	switch got := strings.TrimSpace(string(out)); {
	case strings.HasPrefix(got, "no filter"):
		t.Skip(got)
	case got != "udp (UDP_GRO: operation not permitted)":
		t.Errorf("under the filter the carrier is %q", got)
	}
}

// filtered is the child: it forbids itself UDP_GRO, and says which carrier it gets.
func filtered() {
	const (
		number  = 0  // offsets in struct seccomp_data
		level   = 24 // low half of the second argument, on little-endian machines
		option  = 32 // and of the third
		loadAbs = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		answer  = unix.BPF_RET | unix.BPF_K
	)
	filter := []unix.SockFilter{
		{Code: loadAbs, K: number}, {Code: equal, Jf: 5, K: unix.SYS_SETSOCKOPT},
		{Code: loadAbs, K: level}, {Code: equal, Jf: 3, K: unix.IPPROTO_UDP},
		{Code: loadAbs, K: option}, {Code: equal, Jf: 1, K: unix.UDP_GRO},
		{Code: answer, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: answer, K: unix.SECCOMP_RET_ALLOW},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		println("no filter: " + err.Error())
		return
	}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog))); errno != 0 {
		println("no filter: " + errno.Error())
		return
	}
	c, err := Listen("127.0.0.1:0", Options{})
	if err != nil {
		println(err.Error())
		return
	}
	println(c.Info().String())
}
