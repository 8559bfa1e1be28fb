//go:build unix

package via

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheQueueIsReadAndTold(t *testing.T) {
	all := parseQueue("12|PENDING|N/A|gpu|100|Resources\n14|PENDING|2026-11-30T00:01:34|gpu|100|Priority\n13_4|PENDING|N/A|gpu|100|Priority\n15|PENDING|N/A|gpu|101|Priority\nrubbish\n\n16|PENDING|N/A|gpu|1|(ReqNodeNotAvail, UnavailableNodes:n1|n2)\n")
	if len(all) != 5 {
		t.Fatalf("%d jobs are read: %+v", len(all), all)
	}
	q := all[1]
	if n := q.before(all); n != 3 {
		t.Errorf("%d jobs are before it, want 12, 13_4 (older) and 15 (of a higher priority)", n)
	}
	for before, want := range map[int]string{
		-1: "Slurm job 14: PENDING (Priority), expected to start at 2026-11-30 00:01",
		0:  "Slurm job 14: PENDING (Priority), first in gpu, expected to start at 2026-11-30 00:01",
		3:  "Slurm job 14: PENDING (Priority), 3 before it in gpu, expected to start at 2026-11-30 00:01",
	} {
		if got := q.words(before); got != want {
			t.Errorf("it is told as %q, want %q", got, want)
		}
	}
	if got := (queued{id: "14", state: "RUNNING", reason: "None"}).words(-1); got != "Slurm job 14: RUNNING" {
		t.Errorf("it is told as %q", got)
	}
}

func TestTheEndOfTasksIsRead(t *testing.T) {
	for line, want := range map[string]struct {
		hosts []int
		why   string
	}{
		"srun: error: n1: task 0: Exited with exit code 3":    {[]int{0}, "Exited with exit code 3"},
		"srun: error: n[1-4]: tasks 0-1,3: Killed":            {[]int{0, 1, 3}, "Killed"},
		"srun: error: n1: task 0: Out Of Memory":              {[]int{0}, "Out Of Memory"},
		"srun: error: n1: tasks 3-1: Killed":                  {nil, ""},
		"srun: error: n1: tasks 0-999999999: Killed":          {nil, ""},
		"srun: Force Terminated StepId=9.0":                   {nil, ""},
		"srun: error: Node failure on n2":                     {nil, ""},
		"slurmstepd: error: n1: task 0: is no line of srun's": {nil, ""},
	} {
		if hosts, why := parseTaskEnd(line); !slices.Equal(hosts, want.hosts) || why != want.why {
			t.Errorf("%q is read as %v %q", line, hosts, why)
		}
	}
}

func FuzzParseTaskEnd(f *testing.F) {
	f.Add("srun: error: n[1-4]: tasks 0-1,3: Killed")
	f.Fuzz(func(t *testing.T, line string) {
		hosts, _ := parseTaskEnd(line)
		for _, h := range hosts {
			if h < 0 || h >= maxHosts {
				t.Errorf("%q is about host %d", line, h)
			}
		}
		parseQueue(line)
		stateOf(line)
	})
}

func TestTheLineThatSaysMostIsTheReason(t *testing.T) {
	for want, said := range map[string][]string{
		"": nil,
		"slurmstepd-n1: error: *** STEP 8.0 ON n1 CANCELLED AT 2026-11-30T00:02:43 DUE TO TIME LIMIT ***": {
			"slurmstepd-n1: error: *** STEP 8.0 ON n1 CANCELLED AT 2026-11-30T00:02:43 DUE TO TIME LIMIT ***",
			"srun: Job step aborted: Waiting up to 4 seconds for job step to finish.", "srun: error: n1: task 0: Terminated",
		},
		"srun: error: Node failure on n2": {"srun: error: n1: task 0: Killed", "srun: error: Node failure on n2"},
		"srun: error: Unable to allocate resources: Invalid partition name specified": {
			"srun: error: invalid partition specified: nope", "srun: error: Unable to allocate resources: Invalid partition name specified",
		},
	} {
		if got := whyOf(said); got != want {
			t.Errorf("the reason is %q, want %q", got, want)
		}
	}
	state, reason := stateOf("JobId=8 JobName=x\n   JobState=TIMEOUT Reason=TimeLimit Dependency=(null)\n")
	if state != "TIMEOUT" || reason != "TimeLimit" {
		t.Errorf("the state is read as %s (%s)", state, reason)
	}
}

// fakeSlurm is a Slurm whose srun is a script, and which knows of no job afterwards.
func fakeSlurm(t *testing.T, srun, scontrol string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"srun": srun, "scontrol": scontrol, "squeue": "", "scancel": "", "sbcast": ""} {
		executable(t, filepath.Join(dir, name), "#!/bin/sh\nfor last; do :; done\n"+text+"\n")
	}
	t.Setenv("PATH", dir+":"+testPath())
	t.Setenv("SLURM_JOB_ID", "")
}

// What real clusters say, and the one here does not.
func TestSlurmTellsWhatBecameOfANode(t *testing.T) {
	const agents = `
run() { SLURM_NODEID=$1 SLURMD_NODENAME=n$1 SLURM_JOB_ID=4711 SLURM_STEP_ID=0 sh -c "$last" <$d/in$1; }
d=$(mktemp -d); mkfifo $d/in0 $d/in1; trap 'rm -rf $d' EXIT
run 0 & run 1 &
tee $d/in0 >$d/in1
wait
`
	for _, c := range []struct{ name, srun, scontrol, want string }{
		{"a node fails", agents + "echo 'srun: error: Node failure on n1' >&2; exit 1", "echo 'JobId=4711 JobState=NODE_FAIL Reason=NodeDown'", "Slurm job 4711: NODE_FAIL (NodeDown): srun: error: Node failure on n1"},
		{"it is preempted", agents + "echo 'slurmstepd: error: *** STEP 4711.0 ON n0 CANCELLED AT 2026-01-01T00:00:00 DUE TO PREEMPTION ***' >&2; exit 1", "echo 'JobState=PREEMPTED Reason=None'", "Slurm job 4711: PREEMPTED: slurmstepd: error: *** STEP 4711.0 ON n0 CANCELLED AT 2026-01-01T00:00:00 DUE TO PREEMPTION ***"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHall(t)
			fakeSlurm(t, c.srun, c.scontrol)
			j, rec := start(t, slurmLauncher{}, Spec{Count: 2, Program: program(t, h, "exit"), Options: map[string]string{"cache": t.TempDir()}})
			h.arrive(t, rec, 2)
			srunStdin(t, j)
			if why := rec.state(t, -1, Ended).Text; why != c.want {
				t.Errorf("the end is told as %q, want %q", why, c.want)
			}
			if _, line, ok := strings.Cut(c.want, "NodeDown): "); ok && rec.state(t, 1, Ended).Text != line {
				t.Errorf("the end of the node is told as %q", rec.state(t, 1, Ended).Text)
			}
		})
	}
}

func TestSlurmTellsANodeThatCannotRunTheProgram(t *testing.T) {
	h := newHall(t)
	fakeSlurm(t, `SLURM_NODEID=0 SLURMD_NODENAME=n0 SLURM_JOB_ID=4711 SLURM_STEP_ID=0 PATH=`+executableUname(t)+`:$PATH sh -c "$last"
echo "srun: error: n0: task 0: Exited with exit code 1" >&2; exit 1`, "echo JobState=FAILED Reason=NonZeroExitCode")
	_, rec := start(t, slurmLauncher{}, Spec{Count: 1, Program: program(t, h), Options: map[string]string{"cache": t.TempDir()}})
	if e := rec.state(t, 0, Ended); e.Name != "n0" || !strings.HasPrefix(e.Text, "it is Plan9/sparc64, this program is ") {
		t.Errorf("its end is told as %+v", e)
	}
}

func TestSlurmSaysThatAFolderIsNotShared(t *testing.T) {
	h := newHall(t)
	other := t.TempDir()
	fakeSlurm(t, `SLURM_NODEID=0 SLURMD_NODENAME=n0 HOME=`+other+` sh -c "$last"`, "")
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", t.TempDir())
	_, rec := start(t, slurmLauncher{}, Spec{Count: 1, Program: program(t, h), Options: map[string]string{"ship": "shared"}})
	if why := rec.state(t, 0, Ended).Text; !strings.HasPrefix(why, "n0 has no "+other) || !strings.Contains(why, "ship=sbcast") {
		t.Errorf("the end is told as %q", why)
	}
}
