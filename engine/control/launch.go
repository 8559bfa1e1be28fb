package control

import "slices"

// Launcher is a way to start processes on other machines, as front ends offer and judge it. What starts them is the engine's.
type Launcher struct {
	Name    string // as ProcsReq.Via has it
	About   string // one line
	Named   bool   // it finds no machines by itself: they have to be named
	Options []LaunchOption
}

// LaunchOption is something that can be said of a launch: a key of ProcsReq.Launch.
type LaunchOption struct {
	Name    string
	About   string // one line
	Example string // a value that would be right
}

// Option finds an option by its name.
func (l *Launcher) Option(name string) (LaunchOption, bool) {
	i := slices.IndexFunc(l.Options, func(o LaunchOption) bool { return o.Name == name })
	if i < 0 {
		return LaunchOption{}, false
	}
	return l.Options[i], true
}

// OptionNames are the names of its options, in the order in which help shows them.
func (l *Launcher) OptionNames() []string {
	names := make([]string, len(l.Options))
	for i, o := range l.Options {
		names[i] = o.Name
	}
	return names
}

// LauncherNamed finds a launcher.
func LauncherNamed(name string) (Launcher, bool) {
	all := Launchers()
	i := slices.IndexFunc(all, func(l Launcher) bool { return l.Name == name })
	if i < 0 {
		return Launcher{}, false
	}
	return all[i], true
}

// Launchers are the ways to start processes on other machines that the engine has, in the order in which help shows them.
func Launchers() []Launcher {
	args := LaunchOption{"args", "further arguments of its client", "-v"}
	cache := LaunchOption{"cache", "folder there for the program that is copied", "/var/tmp/monarch"}
	dir := LaunchOption{"dir", "folder in which the processes start", "/scratch/run"}
	program := LaunchOption{"program", "path of the program there, where it is not copied", "/opt/bin/train"}
	return []Launcher{
		{Name: "ssh", About: "machines that you log in to", Named: true, Options: []LaunchOption{
			{"ssh", "client to use instead of ssh", "/usr/bin/ssh"},
			{"config", "its configuration file", "cluster.conf"},
			{"port", "port of the servers", "2222"},
			{"user", "whom to log in as", "ada"},
			{"identity", "file of the key", "~/.ssh/cluster"},
			cache, args, dir,
		}},
		{Name: "slurm", About: "machines of a Slurm cluster", Options: []LaunchOption{
			{"partition", "partition", "gpu"},
			{"account", "account that pays", "lab7"},
			{"time", "limit of the job", "1h"},
			{"qos", "quality of service", "high"},
			{"constraint", "features that the machines must have", "h100"},
			{"reservation", "reservation", "demo"},
			{"exclude", "machines to leave out", "n3,n4"},
			{"ship", "yes: copy the program there, no: it is on a shared file system", "yes"},
			cache, args, dir,
		}},
		{Name: "kubernetes", About: "pods of a Kubernetes cluster", Options: []LaunchOption{
			{"context", "context of the configuration", "cluster"},
			{"namespace", "namespace", "train"},
			{"image", "image of the pods", "registry/train:1"},
			program,
			{"gpu", "name of the GPU resource", "nvidia.com/gpu"},
			args, dir,
		}},
		{Name: "exec", About: "a command such as mpirun", Options: []LaunchOption{
			{"command", "that command; {hosts} is how many, {agent} what to start", `"mpirun -n {hosts} {agent}"`},
			program, dir,
		}},
	}
}
