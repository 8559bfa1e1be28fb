//go:build unix

package via

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

func TestALauncherIsFoundByItsName(t *testing.T) {
	for _, name := range []string{"ssh", "slurm", "kubernetes", "exec"} {
		if l, err := Find(name); err != nil || l.Name() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Find("slrum"); err == nil || err.Error() != "there is no launcher slrum (did you mean slurm?)" {
		t.Errorf("a mistyped launcher is %v", err)
	}
}

// Help shows each option in a line, with a value that its launcher takes.
func TestTheExamplesOfOptionsAreRight(t *testing.T) {
	clients(t)
	if have, want := len(control.Launchers()), len(Launchers()); have != want {
		t.Errorf("front ends know %d launchers, there are %d", have, want)
	}
	for _, l := range Launchers() {
		known, ok := control.LauncherNamed(l.Name())
		if !ok {
			t.Errorf("front ends do not know via=%s", l.Name())
		}
		for _, o := range known.Options {
			if o.Name == "" || o.About == "" || o.Example == "" || strings.Contains(o.About, "\n") {
				t.Errorf("via=%s: %+v", l.Name(), o)
			}
			if o.Name == "ssh" || o.Name == dirOption {
				continue // names a program that this machine need not have; is none of the launcher's
			}
			o.Example = strings.Trim(o.Example, `"`)
			spec := rightFor(t, l)
			if o.Name == "ship" || o.Name != "command" || l.Name() == "exec" {
				spec.Options[o.Name] = o.Example
			}
			if err := l.Check(&spec); err != nil {
				t.Errorf("via=%s %s=%s: %v", l.Name(), o.Name, o.Example, err)
			}
		}
	}
}

// clients puts clients into PATH that do nothing.
func clients(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"ssh", "srun", "squeue", "scancel", "kubectl", "mpirun"} {
		executable(t, filepath.Join(dir, name), "#!/bin/sh\n")
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// rightFor is a launch that nothing is wrong with.
func rightFor(t *testing.T, l Launcher) Spec {
	t.Helper()
	p := program(t, &hall{})
	p.OS, p.Arch = "linux", "amd64"
	s := Spec{Job: "mesh-1", Hosts: []string{"n1", "n2"}, Program: p, Secret: secretFor, Options: map[string]string{}}
	switch l.Name() {
	case "kubernetes":
		s.Options["image"] = "debian:12"
	case "exec":
		s.Options["command"] = "mpirun -n {hosts} {agent}"
	}
	return s
}

func TestWhatIsWrongIsSaidBeforeAnythingIsStarted(t *testing.T) {
	clients(t)
	for _, c := range []struct {
		name, via string
		wrong     func(*Spec)
		want      string
	}{
		{"an option that there is not", "ssh", func(s *Spec) { s.Options["prot"] = "22" }, "via=ssh has no option prot (did you mean port?)"},
		{"a port that is none", "ssh", func(s *Spec) { s.Options["port"] = "70000" }, "port=70000 is no port"},
		{"a quote that is not closed", "ssh", func(s *Spec) { s.Options["args"] = "-J 'x" }, "the option args: a quote ' is not closed"},
		{"a folder that depends on where one is", "ssh", func(s *Spec) { s.Options["cache"] = "here" }, "cache=here must begin with / or ~/"},
		{"no host", "ssh", func(s *Spec) { s.Hosts = nil }, "no host is asked for"},
		{"hosts of ssh's choice", "ssh", func(s *Spec) { s.Hosts, s.Count = nil, 2 }, "via=ssh needs the hosts' names"},
		{"a host that is a flag", "ssh", func(s *Spec) { s.Hosts[1] = "-oProxyCommand=x" }, `the name "-oProxyCommand=x": it would be taken for a flag`},
		{"a host with a space", "ssh", func(s *Spec) { s.Hosts[1] = "a b" }, `the name "a b"`},
		{"a host that a shell acts on", "ssh", func(s *Spec) { s.Hosts[1] = "a`id`" }, "a host cannot have the name"},
		{"a host without a name", "ssh", func(s *Spec) { s.Hosts[1] = "" }, "a host has no name"},
		{"as many hosts as names", "ssh", func(s *Spec) { s.Count = 3 }, "2 hosts are named, but 3 are asked for"},
		{"a job's name", "slurm", func(s *Spec) { s.Job = "a b" }, `a job cannot have the name "a b"`},
		{"less than no GPU", "slurm", func(s *Spec) { s.GPUs = -1 }, "cannot be less than none"},
		{"a program of Windows", "ssh", func(s *Spec) { s.Program.OS = "windows" }, "this program is windows/amd64"},
		{"a program that is not there", "ssh", func(s *Spec) { s.Program.Path = "/nowhere" }, "no such file"},
		{"a client that is not there", "ssh", func(s *Spec) { s.Options["ssh"] = "no-such-ssh" }, "no-such-ssh is not installed here, or not in PATH; via=ssh needs it"},
		{"a way to ship", "slurm", func(s *Spec) { s.Options["ship"] = "sbcats" }, "(did you mean sbcast?)"},
		{"no image", "kubernetes", func(s *Spec) { delete(s.Options, "image") }, "needs an image"},
		{"a program for pods", "kubernetes", func(s *Spec) { s.Program.OS = "darwin" }, "pods run Linux"},
		{"no command", "exec", func(s *Spec) { delete(s.Options, "command") }, "needs a command"},
		{"a command that is the agent", "exec", func(s *Spec) { s.Options["command"] = "{agent}" }, "begins with {agent}"},
		{"a command without the agent", "exec", func(s *Spec) { s.Options["command"] = "mpirun -n 2" }, "has no word {agent}"},
		{"an agent within a word", "exec", func(s *Spec) { s.Options["command"] = "mpirun {agent} 'sh {agent}'" }, "it must stand alone"},
		{"a place that there is not", "exec", func(s *Spec) { s.Options["command"] = "mpirun -n {host} {agent}" }, "{host}, which stands for nothing (did you mean {hosts}?)"},
		{"hosts that are not named", "exec", func(s *Spec) {
			s.Hosts, s.Count = nil, 2
			s.Options["command"] = "mpirun -H {hostlist} {agent}"
		}, "none is given"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := Find(c.via)
			if err != nil {
				t.Fatal(err)
			}
			spec := rightFor(t, l)
			if err := l.Check(&spec); err != nil {
				t.Fatalf("what is right is refused: %v", err)
			}
			c.wrong(&spec)
			if err := l.Check(&spec); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want one that says %q", err, c.want)
			}
			if _, err := l.Launch(t.Context(), spec, func(Event) { t.Error("it was launched") }); err == nil {
				t.Error("it was launched")
			}
		})
	}
}

func TestReapSaysWhereThereIsNothingToDo(t *testing.T) {
	for via, want := range map[string]string{"ssh": "nothing to cancel", "exec": "nothing to cancel", "sloorm": "there is no launcher sloorm"} {
		if err := Reap(t.Context(), via, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("via=%s: %v", via, err)
		}
	}
	if err := Reap(t.Context(), "slurm", []byte(`{"name":"-a"}`)); err == nil {
		t.Error("a name that is a flag was reaped")
	}
}

// The configuration and the arguments of a user's come before what is ours where ssh takes the first, and after where ours must hold.
func TestSSHIsCalledSoThatNothingIsAsked(t *testing.T) {
	spec := &Spec{Options: map[string]string{
		"ssh": "/opt/ssh -4", "port": "2222", "user": "alice", "identity": "/k", "config": "/c", "args": "-o ConnectTimeout=3 -J 'g w'",
	}}
	want := []string{
		"/opt/ssh", "-4", "-T", "-o", "BatchMode=yes", "-o", "RequestTTY=no", "-o", "RemoteCommand=none", "-o", "ClearAllForwardings=yes",
		"-F", "/c", "-o", "ConnectTimeout=3", "-J", "g w", "-p", "2222", "-l", "alice", "-i", "/k",
		"-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4",
	}
	if got := sshArgs(spec); !slices.Equal(got, want) {
		t.Errorf("ssh is called with %q, want %q", got, want)
	}
}

func TestSrunIsCalledSoThatSupervisionIsOurs(t *testing.T) {
	spec := &Spec{Hosts: []string{"n1", "n2"}, GPUs: 4, CPUs: 8, Options: map[string]string{"partition": "gpu", "time": "2h", "args": "--mem=8G --comment 'a b'"}}
	want := []string{
		"srun", "--job-name=mesh-01", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--kill-on-bad-exit=0", "--no-kill", "--wait=0",
		"--input=all", "--chdir=/", "--gpus-per-node=4", "--cpus-per-task=8", "--partition=gpu", "--time=2:00:00", "--nodelist=n1,n2",
		"--mem=8G", "--comment", "a b", "/bin/sh", "-c", shell[2],
	}
	if got := srunArgs(spec, "mesh-01"); !slices.Equal(got, want) {
		t.Errorf("srun is called with %q, want %q", got, want)
	}
	bare := srunArgs(&Spec{Count: 3, Options: maps.Clone(map[string]string{})}, "mesh-01")
	for _, a := range bare {
		if strings.HasPrefix(a, "--gpus") || strings.HasPrefix(a, "--cpus") || strings.HasPrefix(a, "--nodelist") || a == "--label" {
			t.Errorf("srun is called with %s, which nobody asked for", a)
		}
	}
}
