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
	cache := LaunchOption{"cache", "the hosts' folder to keep the program in", "/scratch/alice/cache"}
	dir := LaunchOption{"dir", "the hosts' folder to work in, made where there is none; else the one of here, where they have it", "/scratch/alice/run"}
	return []Launcher{
		{Name: "ssh", About: "machines that you log in to", Named: true, Options: []LaunchOption{
			{"user", "the name to log in with", "alice"},
			{"port", "where the hosts' ssh servers listen", "2222"},
			{"identity", "a key's file (ssh -i)", "~/.ssh/cluster"},
			{"config", "a configuration file to use instead of your own (ssh -F)", "cluster.conf"},
			{"args", "more arguments for ssh", "-J gateway"},
			{"ssh", "the ssh to use", "/opt/openssh/bin/ssh"},
			{"keep", "no: log in for each mesh, instead of once in a session", "no"},
			cache, dir,
		}},
		{Name: "slurm", About: "machines of a Slurm cluster", Options: []LaunchOption{
			{"partition", "the partition to ask", "gpu"},
			{"account", "who pays", "physics"},
			{"time", "how long it may run, as srun reads it or as 1h30m", "1h"},
			{"qos", "the quality of service", "high"},
			{"constraint", "what the nodes must have", "a100"},
			{"reservation", "a reservation to use", "course"},
			{"exclude", "nodes not to run on", "n7"},
			{"args", "more arguments for srun", "--mem=8G"},
			{"ship", "how the program gets to the nodes: shared (by cache=), sbcast, or auto: whichever is needed", "sbcast"},
			cache, dir,
		}},
		{Name: "kubernetes", About: "pods of a Kubernetes cluster", Options: []LaunchOption{
			{"image", "the pods' image; unless program= is in it, it needs sh, cat and sha256sum", "debian:12"},
			{"program", "where the image has the program; without it the program is copied into each pod", "/usr/local/bin/monarch-tui"},
			{"context", "the cluster, as kubectl calls it", "lab"},
			{"namespace", "the namespace", "alice"},
			{"gpu", "what a GPU is called in the cluster", "nvidia.com/gpu"},
			{"args", "more arguments for kubectl", "--kubeconfig=lab.yaml"},
			dir,
		}},
		{Name: "exec", About: "a command such as mpirun", Options: []LaunchOption{
			{"command", "starts one process per host: {hosts} {hostlist} {agent} {job} {gpus} {cpus} are filled in, {agent} as several words", `"mpirun -n {hosts} --map-by ppr:1:node --bind-to none {agent}"`},
			{"program", "where the hosts have the program already", "/shared/bin/monarch-tui"},
			{"shared", "a folder that all hosts share, for the secret's file", "/scratch/alice"},
			{"cache", "a folder that all hosts share, to keep the program in", "/scratch/alice/cache"},
			dir,
		}},
	}
}
