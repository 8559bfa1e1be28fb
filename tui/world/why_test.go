package world

import (
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

func TestWhatMattersOfAReasonComesFirst(t *testing.T) {
	for _, c := range []struct{ state, reason, want, cause string }{
		{"killed", "worker 2 of procs p (pid 7) was killed by SIGKILL", "SIGKILL: worker 2 of procs p (pid 7)", "SIGKILL"},
		{"killed", "worker 2 of procs p was killed (SIGTERM)", "SIGTERM: worker 2 of procs p", "SIGTERM"},
		{"exited", "worker 2 of procs p (pid 7) exited with code 3", "exit 3: worker 2 of procs p (pid 7)", "exit 3"},
		{
			"lost", "worker 2 of procs p (pid 7) exited with code 3 after its link was closed: no key",
			"exit 3: worker 2 of procs p (pid 7) after its link was closed: no key", "exit 3",
		},
		{
			"failed", "rank 2 of procs p did not start: worker 2 of procs p (pid 7)\nexited with code 3",
			"exit 3: rank 2 of procs p did not start: worker 2 of procs p (pid 7)", "exit 3",
		},
		{"killed", "rank 2 of procs p (in-process) ended: killed by a tool", "killed by a tool: rank 2 of procs p (in-process)", "killed by a tool"},
		{"oom", "worker 2 of procs p (pid 7) was killed by SIGKILL", "OOM: worker 2 of procs p (pid 7)", "OOM"},
		{"oom", "out of memory", "out of memory", "OOM"},
		{"lost", "unreachable for too long", "unreachable for too long", ""},
		{"lost", "SIGKILL", "SIGKILL", ""},
		{"lost", "who was killed by nobody", "who was killed by nobody", ""},
		{"oom", "", "", "OOM"},
	} {
		p := &control.Proc{State: c.state, Reason: c.reason}
		if got := ProcWhy(p); got != c.want {
			t.Errorf("%s: %q, want %q", c.reason, got, c.want)
		}
		if got := ProcCause(p); got != c.cause {
			t.Errorf("the cause of %s is %q, want %q", c.reason, got, c.cause)
		}
		if got := Why(c.reason); c.state != "oom" && got != c.want {
			t.Errorf("of a mesh %s: %q, want %q", c.reason, got, c.want)
		}
	}
}

func FuzzWhy(f *testing.F) {
	f.Add("worker 2 of procs p (pid 7) was killed by SIGKILL")
	f.Add(" was killed ( exited with code 3 \xff")
	f.Fuzz(func(t *testing.T, reason string) {
		if got := Why(reason); strings.ContainsAny(got, "\n\r\t") || len(got) > len(reason)+8 {
			t.Fatalf("%q is told as %q", reason, got)
		}
	})
}
