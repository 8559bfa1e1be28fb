package tui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheLaunchersOfASiteAreInTheSettings(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "map[]"},
		{"[launch.gpu]\nvia = \"slurm\"\nwithin = \"30m\"\npartition = \"gpu\"\ntime = '1h'\nship = false", "gpu: slurm partition=gpu time=1h ship=no within=30m"},
		{"[launch.ssh]\nport = 2222\nargs = \"-v -C\"", `ssh: ssh port=2222 args="-v -C"`},
		{"launch.k8s = {via = 'kubernetes', namespace = 'a'}", "k8s: kubernetes namespace=a"},
		{SettingsTemplate(), "map[]"},
		{uncommented(), "gpu: slurm partition=gpu time=1h within=30m"},
		{"theme = 'dark'\n\n[launch.gpu]\nvia = \"slrum\"", `config:4: launch.gpu.via: there is no launcher "slrum" (did you mean slurm?)`},
		{"[launch.gpu]\nvia = 'slurm'\n\n# x\npartitoin = 'a'", `config:5: launch.gpu.partitoin: slurm has no option "partitoin" (did you mean partition?)`},
		{"[launch.a]\nvia = 'ssh'\nuser = 'x'\n[launch.b]\nvia = 'slurm'\nuser = 'x'", `config:6: launch.b.user: slurm has no option "user"`},
		{"[launch.gpu]\npartition = 'a'", `config:1: launch.gpu: which launcher is it? via = one of ssh, slurm, kubernetes, exec`},
		{"[launch.ssh]\nvia = 'slurm'", `config:2: launch.ssh.via: ssh is a launcher itself: choose another name for this one`},
		{"[launch.local]\nvia = 'slurm'", `config:1: launch.local: a launcher is called by`},
		{"[launch.\"a b\"]\nvia = 'slurm'", `config:1: launch.a b: a launcher is called by letters`},
		{"[launch.gpu]\nvia = 'slurm'\nwithin = 'soon'", `config:3: launch.gpu.within: want a time such as "10m", not "soon"`},
		{"[launch.gpu]\nvia = 'slurm'\nwithin = '-1s'", `config:3: launch.gpu.within: want a time such as "10m"`},
		{"[launch.gpu]\nvia = 'slurm'\nargs = ['-v']", `config:3: launch.gpu.args: want text in quotes, not [-v]`},
		{"[launch.gpu]\nvia = 'slurm'\ntime = \"1\\u0000h\"", `config:3: launch.gpu.time: a value is one line, without control characters`},
		{"[launch.gpu]\nvia = 'slurm'\ntime = ''", `config:3: launch.gpu.time: want a value`},
		{"[launch]\ngpu = 'slurm'", `config:2:`},
		{"launch = 3", `config:1:`},
		{"[lanuch.gpu]\nvia = 'slurm'", `config:1: there is no setting "lanuch`},
	} {
		set, err := parseSettings("config", []byte(c.text))
		got := fmt.Sprint(set.Launches)
		for name := range set.Launches {
			got = name + ": " + LaunchText(name, set.Launches)
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s:\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

// uncommented is the template with its example of a launcher switched on.
func uncommented() string {
	_, launch, _ := strings.Cut(SettingsTemplate(), "# [launch.gpu]")
	return "[launch.gpu]" + strings.ReplaceAll(launch, "\n# ", "\n")
}

// TestWhoHasNoScreenReadsTheLaunchersAlone: a script does not fail for a key that means nothing to it.
func TestWhoHasNoScreenReadsTheLaunchersAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.toml")
	for text, want := range map[string]string{
		"theme = \"lihgt\"\n[keys]\ncal = \"x\"\n[launch.gpu]\nvia = \"slurm\"": "",
		"[launch.gpu]\nvia = \"slrum\"":                                         ":2: launch.gpu.via: there is no launcher",
		"[launch.gpu":                                                           ":1:",
		"[launch.gpu]\nvia = \"slurm\"\n[network]\nlisten = \"4433\"":           ":4: network.listen: \"4433\": want an address and a port",
		"[network]\n\nadvertise = [\"n1\", \"n1:22\"]":                          ":3: network.advertise: \"n1:22\": want the host without a port, n1",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		set, err := LoadSite(file)
		if want == "" && (err != nil || len(set.Launches) != 1) || want != "" && (err == nil || !strings.Contains(err.Error(), file+want)) {
			t.Errorf("%s: %v, %v", text, set, err)
		}
	}
	if set, err := LoadSite(filepath.Join(t.TempDir(), "none")); set.Launches != nil || err != nil {
		t.Errorf("a file that is not there: %v, %v", set, err)
	}
}
