package via

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/suggest"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Launchers lists the launchers for other machines, in the order in which help shows them.
func Launchers() []Launcher {
	return []Launcher{sshLauncher{}, slurmLauncher{}, kubeLauncher{}, execLauncher{}}
}

// Find is the launcher of a name.
func Find(name string) (Launcher, error) {
	var names []string
	for _, l := range Launchers() {
		if l.Name() == name {
			return l, nil
		}
		names = append(names, l.Name())
	}
	return nil, fmt.Errorf("there is no launcher %s%s", clean.OneLine(name, 40), suggest.Suffix(name, names))
}

// checkSpec says what is wrong with what is the same for all launchers.
func checkSpec(l Launcher, spec *Spec) error {
	names := optionNames(l)
	for name, value := range spec.Options {
		if !slices.Contains(names, name) {
			return fmt.Errorf("via=%s has no option %s%s", l.Name(), clean.OneLine(name, 40), suggest.Suffix(name, names))
		}
		if strings.ContainsAny(value, "\x00\r\n") {
			return fmt.Errorf("the option %s has more than one line", name)
		}
	}
	if _, err := splitWords(spec.Options["args"]); err != nil {
		return fmt.Errorf("the option args: %w", err)
	}
	if c := spec.Options["cache"]; c != "" && !strings.HasPrefix(c, "/") && !strings.HasPrefix(c, "~/") {
		return fmt.Errorf("cache=%s must begin with / or ~/: which folder is current on the hosts is not known here", clean.OneLine(c, 100))
	}
	switch n := len(spec.Hosts); {
	case n == 0 && spec.Count < 1:
		return errors.New("no host is asked for")
	case max(n, spec.Count) > maxHosts:
		return fmt.Errorf("%d hosts are over the limit of %d", max(n, spec.Count), maxHosts)
	case n > 0 && spec.Count != 0 && spec.Count != n:
		return fmt.Errorf("%d hosts are named, but %d are asked for", n, spec.Count)
	case spec.GPUs < 0 || spec.CPUs < 0:
		return errors.New("GPUs and CPUs cannot be less than none")
	case !jobName().MatchString(spec.Job):
		return fmt.Errorf("a job cannot have the name %s: it may have letters, digits and '-', and begins with a letter", clean.Quote(spec.Job, 40))
	case spec.Secret == nil:
		return errors.New("there is no secret for the agents")
	}
	for _, h := range spec.Hosts {
		if err := checkHost(h); err != nil {
			return err
		}
	}
	for _, a := range spec.Program.Args {
		if strings.ContainsRune(a, 0) {
			return errors.New("an argument of the program holds a NUL")
		}
	}
	return nil
}

// Expressions are compiled when they are needed: every worker has this package, and would pay for them when it starts.
var (
	jobName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,47}$`) })
	// hostName is what can be a host, a user@host or an ssh:// address. An ssh before 9.6 gives a name to a shell where its configuration
	// has a ProxyCommand with %h (CVE-2023-51385), so nothing that a shell acts on is a name.
	hostName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[A-Za-z0-9_.\[:][A-Za-z0-9_.:@%\[\]/+-]{0,254}$`)
	})
)

func checkHost(h string) error {
	switch {
	case h == "":
		return errors.New("a host has no name")
	case h[0] == '-':
		return fmt.Errorf("a host cannot have the name %s: it would be taken for a flag", clean.Quote(h, 60))
	case !hostName().MatchString(h):
		return fmt.Errorf("a host cannot have the name %s: letters, digits and . - _ : @ %% [ ] are what names are made of", clean.Quote(h, 60))
	}
	return nil
}

// checkProgram says why a program cannot be sent to other hosts.
func checkProgram(p Program) error {
	base := filepath.Base(p.Path)
	switch {
	case !filepath.IsAbs(p.Path):
		return fmt.Errorf("the program %s is not told by its whole path", clean.OneLine(p.Path, 200))
	case p.Sum == [32]byte{}:
		return fmt.Errorf("the program %s has no checksum", p.Path)
	case strings.ContainsAny(base, "\r\n") || base[0] == '.':
		return fmt.Errorf("a program of the name %s is not sent", clean.Quote(base, 60))
	case len(unames(p.OS, p.Arch)) == 0 || systems[p.OS] == "":
		return fmt.Errorf("this program is %s/%s, for which no host can be asked: it runs on Linux and the like", p.OS, p.Arch)
	}
	if _, err := os.Stat(p.Path); err != nil {
		return fmt.Errorf("the program cannot be sent: %w", err)
	}
	return nil
}

// dirOption is an option that every launcher has for whoever asks it: the agent heeds it.
const dirOption = "dir"

// optionNames are those of a launcher.
func optionNames(l Launcher) []string {
	known, _ := control.LauncherNamed(l.Name())
	return slices.DeleteFunc(known.OptionNames(), func(name string) bool { return name == dirOption })
}

// checkInstalled says that a client is not there.
func checkInstalled(name, what string) error {
	if _, err := exec.LookPath(name); err != nil {
		return fmt.Errorf("%w; via=%s needs it", notStarted(name, err), what)
	}
	return nil
}

// words are the words of an option, which Check has read once without an error.
func words(spec *Spec, option string) []string {
	w, err := splitWords(spec.Options[option])
	if err != nil {
		return nil
	}
	return w
}

// flags gives a client the options that it has under the same names: --partition=… for partition.
func flags(spec *Spec, names ...string) (out []string) {
	for _, n := range names {
		if v := spec.Options[n]; v != "" {
			if n == "time" {
				v = slurmTime(v)
			}
			out = append(out, "--"+n+"="+v)
		}
	}
	return out
}

// slurmTime is a time as srun reads it: 1h30m is 1:30:00. What is no duration is left to srun.
func slurmTime(v string) string {
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		return v
	}
	s := int64(math.Ceil(d.Seconds()))
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// hosts is how many hosts are asked for.
func (s *Spec) hosts() int { return max(len(s.Hosts), s.Count) }

// listed is a list of names for a person, shortened.
func listed(names []string) string {
	const most = 6
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
