package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestScriptsReadTheLaunchersOfTheSettings: check and run know what via= means to the explorer.
func TestScriptsReadTheLaunchersOfTheSettings(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "empty"))
	config := put("config.toml", "theme = \"none of ours\"\n[launch.site]\nvia = \"slurm\"\n")
	bad := put("bad.toml", "[launch.site]\nvia = \"slrum\"\n")
	file := put("a.mtui", "procs p hosts=2 via=site\n")
	for _, c := range []struct {
		args []string
		want string // of the error; "": none
		code int
	}{
		{[]string{"check", file, "--config", config}, "", 0},
		{[]string{"check", file}, `no launcher "site"`, exitUsage},
		{[]string{"check", file, "--config", bad}, `bad.toml:2: launch.site.via: there is no launcher "slrum"`, exitUsage},
		{[]string{"check", file, "--config", filepath.Join(dir, "none.toml")}, "no such file", exitUsage},
		{[]string{"run", file, "--config", bad}, `bad.toml:2: launch.site.via: there is no launcher "slrum"`, exitUsage},
	} {
		root := newRoot()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetErr(&out)
		root.SetArgs(c.args)
		err := root.Execute()
		code := 0
		if e, ok := err.(*exitError); ok { //nolint:errorlint // ours come as they are
			code = e.code
			out.WriteString(e.Error())
		}
		if code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%v: exit %d (%v), %s", c.args, code, err, out.String())
		}
	}
	if runtime.GOOS != "linux" { // the folder of settings is another one there
		return
	}
	t.Setenv("XDG_CONFIG_HOME", dir)
	if err := os.Mkdir(filepath.Join(dir, "monarch-tui"), 0o700); err != nil {
		t.Fatal(err)
	}
	put("monarch-tui/config.toml", "[launch.site]\nvia = \"slurm\"\ntime = \"1h\"\n[launch.ssh]\nuser = \"ada\"\n")
	var out bytes.Buffer
	if err := printInfo(t.Context(), &out); err != nil || !strings.Contains(out.String(), "launchers             site: slurm time=1h\n                      ssh: ssh user=ada\n") {
		t.Errorf("%v:\n%s", err, out.String())
	}
}
