package script

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// site is how a site has set launchers up.
func site() Launches {
	return Launches{
		"gpu":  {Via: "slurm", Within: 30 * time.Minute, Options: map[string]string{"partition": "gpu", "time": "1h"}},
		"ssh":  {Options: map[string]string{"user": "ada"}},
		"late": {Via: "no-such-launcher"},
	}
}

func TestMachinesAreAskedForInWords(t *testing.T) {
	for line, want := range map[string]string{
		"procs p hosts=n1,n2 gpus=8 via=ssh":                             "{hosts: 2, gpus: 8} ssh [n1 n2] map[user:ada] 0s",
		"procs p via=ssh gpus=8 hosts=n1":                                "{gpus: 8, hosts: 1} ssh [n1] map[user:ada] 0s",
		"procs p hosts=eve@n1,10.0.0.7,ada@[fe80::1%eth0]:22 via=ssh":    "{hosts: 3} ssh [eve@n1 10.0.0.7 ada@[fe80::1%eth0]:22] map[user:ada] 0s",
		`procs p hosts="n1,n2" via=ssh user=eve port=2222`:               "{hosts: 2} ssh [n1 n2] map[port:2222 user:eve] 0s",
		"procs p hosts=4 gpus=8 via=slurm partition=gpu time=1h":         "{hosts: 4, gpus: 8} slurm [] map[partition:gpu time:1h] 0s",
		"procs p time=2 hosts=4 via=slurm":                               "{hosts: 4} slurm [] map[time:2] 0s", // whatever the order, and although it could be a dimension
		"procs p time=2 hosts=4":                                         "{time: 2, hosts: 4}  [] map[] 0s",
		"procs p hosts=2 via=gpu":                                        "{hosts: 2} slurm [] map[partition:gpu time:1h] 30m0s",
		"procs p hosts=2 via=gpu time=5m within=1m":                      "{hosts: 2} slurm [] map[partition:gpu time:5m] 1m0s",
		`procs p hosts=3 via=exec command="mpirun -n {hosts} {agent}"`:   "{hosts: 3} exec [] map[command:mpirun -n {hosts} {agent}] 0s",
		`procs p hosts=3 via=exec command='a "b" {agent}' dir="/x y"`:    `{hosts: 3} exec [] map[command:a "b" {agent} dir:/x y] 0s`,
		`procs p hosts=3 via=exec command="say via=ssh # {agent}"`:       "{hosts: 3} exec [] map[command:say via=ssh # {agent}] 0s",
		"procs p gpus=2 hosts=2 via=kubernetes gpu=nvidia.com/gpu":       "{gpus: 2, hosts: 2} kubernetes [] map[gpu:nvidia.com/gpu] 0s",
		"procs p hosts=2 via=local":                                      "{hosts: 2}  [] map[] 0s",
		"procs p hosts=2 in-process via=local":                           "{hosts: 2}  [] map[] 0s",
		"procs p hosts=n1 via=slurm restart=on-failure lease=8s virtual": "{hosts: 1} slurm [n1] map[] 0s",
	} {
		sc, errs := site().ParseLine(line)
		if len(errs) > 0 {
			t.Errorf("%s: %s", line, errs[0].Detail())
			continue
		}
		a := sc.Stmts[0].Cmd.Args.(ProcsArgs) //nolint:forcetypeassert // procs has them
		if got := fmt.Sprintf("%s %s %v %v %v", a.Dims, a.Via, a.Hosts, a.Launch, a.Within); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
	if set := site(); set["ssh"].Options["user"] != "ada" || len(set["gpu"].Options) != 2 {
		t.Error("what a command says has changed the settings")
	}
}

func TestWhatIsWrongWithAskingForMachines(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, c := range []struct{ line, want string }{
		{"procs p via=ssh gpus=8", `:9: via=ssh needs hosts=NAME,…: which machines`},
		{"procs p gpus=8 via=slurm", `:16: via=slurm needs hosts=…: how many machines, such as hosts=2, or their names`},
		{"procs p hosts=2 via=ssh", `:15: ssh finds no machines by itself: name them, such as hosts=n1,n2`},
		{"procs p hosts=n1,n2 gpus=8", `:15: hosts=n1,n2 needs via=…: ssh for machines you can log in to`},
		{"procs p hosts=2x", `:15: hosts=2x needs via=…`},
		{"procs p hosts=n1 via=local", `:15: hosts=n1 needs via=…`},
		{"procs p hosts=2 via=slrum", `:21: no launcher "slrum" (did you mean slurm?)`},
		{"procs p hosts=2 via=", `:21: no launcher ""`},
		{"procs p hosts=2 via=late", `:21: no launcher "late"`},
		{"procs p hosts=2 via=9", `:21: no launcher "9" (have exec, gpu, kubernetes, late, local, slurm, ssh)`},
		{"procs p hosts=2 via=slurm partitoin=gpu", `:27: slurm has no option "partitoin" (did you mean partition?); a dimension wants a whole number`},
		{"procs p hosts=2 via=slurm gpus=x", `:27: slurm has no option "gpus"`},
		{"procs p hosts=n1 via=ssh partition=gpu", `:26: ssh has no option "partition"`},
		{"procs p hosts=2 partition=gpu", `:27: partition: want a whole number, not "gpu" (it is an option of via=slurm)`},
		{"procs p hosts=2 args=-v", `:22: args: want a whole number, not "-v" (it is an option of via=ssh, via=slurm, via=kubernetes)`},
		{"procs p hosts=2 via=slurm via=ssh", `:27: "via=ssh" is the second via=: one launcher finds all machines of a mesh`},
		{"procs p hosts=2 via=slurm via=slurm", `:27: "via=slurm" is the second via=`},
		{"procs p hosts=2 in-process via=slurm", `:17: in-process ranks are goroutines of this program, and via=slurm starts processes elsewhere: take one of them`},
		{"procs p hosts=2 via=slurm time=1h time=2h", `:35: "time=2h" is there already`},
		{"procs p hosts=2 via=slurm hosts=3", `:27: "hosts=3" is there already`},
		{"procs p hosts=2 hosts=3", `:17: "hosts=3" is there already`},
		{"procs p hosts=2 via=slurm time=", `:32: time: want a value`},
		{"procs p hosts=2 via=slurm within=soon", `:34: within "soon": want how long the machines may take, such as 10m`},
		{"procs p hosts=2 via=slurm within=0s", `:34: within "0s": want how long`},
		{"procs p hosts=2 via=slurm within=1m within=2m", `:37: "within=2m" is there already`},
		{"procs p hosts=2 within=1m", `:17: within= is how long machines may take: it needs via=`},
		{"procs p hosts=n1,,n2 via=ssh", `:18: hosts: want a name between the commas`},
		{"procs p hosts=n1,n2,n1 via=ssh", `:21: hosts: "n1" is there already: one agent runs on a machine`},
		{"procs p hosts=-oProxyCommand=x via=ssh", `:15: hosts: "-oProxyCommand=x" would be taken for a flag`},
		{"procs p hosts=n1,-x via=ssh", `:18: hosts: "-x" would be taken for a flag`},
		{"procs p hosts=n1;reboot via=ssh", `:15: hosts: "n1;reboot": want letters, digits and such as . - _ @ : in a name, not ';'`},
		{`procs p hosts="n1 n2" via=ssh`, `:16: hosts: "n1 n2": want letters`},
		{`procs p hosts="n1,n2 n3" via=ssh`, `:19: hosts: "n2 n3": want letters`},
		{`procs p hosts= via=ssh`, `:15: hosts: want how many machines, or their names, not ""`},
		{"procs p hosts=1-3 via=slurm", `:15: hosts: want how many machines, or their names, not "1-3"`},
		{`procs p hosts=3 via=exec command="mpirun`, `the quote is never closed`},
		{`procs p hosts=3 via=exec command="mpirun"x`, `:42: want a space after the quote`},
		{`procs p hosts=3 via=exec command="a\n{agent}"`, `:34: command: a value is one line, without control characters`},
		{`procs p hosts=3 via=exec command="a\u0000b"`, `:34: command: a value is one line, without control characters`},
		{`procs p hosts=3 via=exec command="\q"`, `this is no text as JSON writes it`},
		{"procs p hosts=3 via=exec command=" + long, `:34: command: a value has 4096 bytes at most`},
		{"procs p hosts=" + long + " via=ssh", `:15: hosts: a name has 255 bytes at most`},
		{"procs p hosts=70000 gpus=2 via=slurm", `:9: `},
		{"procs p machines=2", `:9: machines has a meaning of its own in expressions: choose another name`},
	} {
		_, errs := site().Parse("t", c.line)
		if len(errs) == 0 {
			t.Errorf("%.60s is taken, want %s", c.line, c.want)
			continue
		}
		if got := errs[0].Error(); !strings.Contains(got, c.want) {
			t.Errorf("%.60s:\n got %.300s\nwant %s", c.line, got, c.want)
		}
	}
}

// TestWhatIsFilledInIsJudgedWhenItIsKnown: ${…} may be a launcher, an option, names or a size.
func TestWhatIsFilledInIsJudgedWhenItIsKnown(t *testing.T) {
	w := newWorld(t)
	code, report := playSite(t, w, `let how = "gpu"
let which = "n1,n2"
let part = "big"
let n = 100 + 100
procs p hosts=${which} gpus=2 via=${how} partition=${part} timeout 5s
procs q gpus=${n} in-process
! procs r hosts=${n} via=${part}
`)
	if code != ExitOK || len(w.asked) != 2 || !strings.Contains(report, `no launcher "big"`) {
		t.Fatalf("exit %d, %d asked:\n%s", code, len(w.asked), report)
	}
	if r := w.asked[0]; r.Via != "slurm" || !slices.Equal(r.Hosts, []string{"n1", "n2"}) || r.Launch["partition"] != "big" || r.Launch["time"] != "1h" || r.Dims.Len() != 4 {
		t.Errorf("asked for %+v", r)
	}
	if r := w.asked[1]; r.Dims.Len() != 200 || r.Via != "" {
		t.Errorf("asked for %+v", r)
	}
}

// playSite is play where via= knows the launchers of site.
func playSite(t *testing.T, w *world, text string, change ...func(*Runner)) (int, string) {
	return play(t, w, text, append([]func(*Runner){func(r *Runner) { r.Options.Launches = site() }}, change...)...)
}

func TestAReloadHasTimeToBuild(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{0: 6 * time.Minute, time.Hour: time.Hour} {
		sc, errs := ParseLine("reload p")
		if len(errs) > 0 {
			t.Fatal(errs[0])
		}
		s := Session{opt: Options{Timeout: timeout}.withDefaults()}
		if got := s.ownLimit(sc.Stmts[0]); got != want {
			t.Errorf("with %v for each command: %v, want %v", timeout, got, want)
		}
	}
}

func TestALaunchHasTimeToQueue(t *testing.T) {
	for _, c := range []struct {
		line   string
		person bool
		want   time.Duration // of the command; 0: as long as any
	}{
		{"procs p hosts=2", false, 0},
		{"procs p hosts=2", true, 0},
		{"procs p hosts=2 via=slurm", false, 10 * time.Minute},
		{"procs p hosts=2 via=slurm", true, personsTime},
		{"procs p hosts=2 via=slurm within=1h", false, time.Hour + 30*time.Second},
		{"procs p hosts=2 via=gpu", true, 30*time.Minute + 30*time.Second},
	} {
		sc, errs := site().ParseLine(c.line)
		if len(errs) > 0 {
			t.Fatal(errs[0])
		}
		s := Session{opt: Options{Person: c.person}.withDefaults()}
		if got := s.ownLimit(sc.Stmts[0]); got != c.want {
			t.Errorf("%s (a person: %v): %v, want %v", c.line, c.person, got, c.want)
		}
	}
	w := newWorld(t)
	w.queued = true
	begun := time.Now()
	code, report := playSite(t, w, "procs p hosts=2 via=slurm timeout 50ms\n")
	if code != ExitTimeout || time.Since(begun) > 4*time.Second || !strings.Contains(report, "procs took more than 50ms") {
		t.Errorf("a timeout of its own: exit %d after %v:\n%s", code, time.Since(begun), report)
	}
	// Without one it outlasts the limit of the other commands, 20 ms here.
	w = newWorld(t)
	w.queued = true
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	r := &Runner{Out: new(strings.Builder), Options: Options{Timeout: 20 * time.Millisecond}, Open: func(context.Context) (*control.Client, func() error, error) {
		c := control.InProcess(w, control.ClientInfo{})
		return c, c.Close, nil
	}}
	if code := r.Sources(ctx, Source{"t", "procs p hosts=2 via=slurm\n"}); code == ExitOK || ctx.Err() == nil {
		t.Errorf("exit %d before its time", code)
	}
}

func TestMachinesCanBeExpected(t *testing.T) {
	w := newWorld(t)
	w.snap.ProcMeshes = []control.ProcMesh{
		{ID: 1, Name: "p", Via: "ssh", Gone: true, Extent: shape.Extent{{Name: "hosts", Size: 1}}, FirstProc: 1},
		{ID: 2, Name: "p", Via: "ssh", Extent: shape.Extent{{Name: "hosts", Size: 2}}, FirstProc: 11},
		{ID: 3, Name: "q", Via: "slurm", Extent: shape.Extent{{Name: "hosts", Size: 1}}, FirstProc: 21},
	}
	w.snap.Hosts = []control.Host{
		{ID: 30, Mesh: "q", Index: 0, State: "queued"},
		{ID: 14, Mesh: "p", Index: 1, Name: "n2", State: "lost"},
		{ID: 13, Mesh: "p", Index: 0, Name: "n1", State: "ready"},
		{ID: 2, Mesh: "p", Index: 0, Name: "n0", State: "exited"},
	}
	code, report := play(t, w, "expect machines == [\"n1 ready\", \"n2 lost\", \"host 0 queued\"] within 1s\nexpect len(machines) == 3\nexpect \"n3 ready\" in machines within 20ms\n")
	if code != ExitExpect || !strings.Contains(report, "not within 20ms") || strings.Count(report, "FAIL") != 1 {
		t.Errorf("exit %d:\n%s", code, report)
	}
}

func TestALaunchIsRecordedAsItWasWritten(t *testing.T) {
	w := newWorld(t)
	c := control.InProcess(w, control.ClientInfo{})
	defer c.Close()
	s, err := NewSession(t.Context(), c, Options{Launches: site()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const line = `procs p hosts=n1,n2 via=exec command="mpirun -n {hosts} {agent}" within=5m`
	sc, errs := site().ParseLine(line)
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	if step := s.Exec(t.Context(), sc.Stmts[0]); !step.OK() {
		t.Fatal(step.Err)
	}
	var b strings.Builder
	if _, err := s.rec.Save(&b, false); err != nil || b.String() != line+"\n" {
		t.Fatalf("%v: %q", err, b.String())
	}
	again, errs := site().Parse("again", b.String())
	if len(errs) > 0 || fmt.Sprint(again.Stmts[0].Cmd.Args) != fmt.Sprint(sc.Stmts[0].Cmd.Args) {
		t.Errorf("%v, and %+v is not %+v", errs, again.Stmts[0].Cmd.Args, sc.Stmts[0].Cmd.Args)
	}
}

func TestALauncherOfASiteIsJudged(t *testing.T) {
	opt := func(k, v string) map[string]string { return map[string]string{k: v} }
	for _, c := range []struct {
		name      string
		l         Launch
		key, want string
	}{
		{"gpu", Launch{Via: "slurm", Options: opt("partition", "gpu")}, "", ""},
		{"ssh", Launch{Options: opt("user", "ada")}, "", ""},
		{"ssh", Launch{Via: "ssh"}, "", ""},
		{"local", Launch{Via: "ssh"}, "", "and not local"},
		{"a b", Launch{Via: "ssh"}, "", "letters, digits, _ or -"},
		{"", Launch{Via: "ssh"}, "", "letters, digits, _ or -"},
		{"gpu", Launch{}, "", "which launcher is it? via = one of ssh, slurm, kubernetes, exec"},
		{"gpu", Launch{Via: "slrum"}, "via", `there is no launcher "slrum" (did you mean slurm?)`},
		{"ssh", Launch{Via: "slurm"}, "via", "ssh is a launcher itself"},
		{"gpu", Launch{Via: "slurm", Within: -1}, "within", "want more than 0"},
		{"gpu", Launch{Via: "slurm", Options: opt("partitoin", "gpu")}, "partitoin", `slurm has no option "partitoin" (did you mean partition?)`},
		{"gpu", Launch{Via: "slurm", Options: opt("time", "")}, "time", "want a value"},
		{"gpu", Launch{Via: "slurm", Options: opt("time", "1\n")}, "time", "one line"},
	} {
		key, err := c.l.Check(c.name)
		if got := fmt.Sprint(err); key != c.key || (err == nil) != (c.want == "") || !strings.Contains(got, c.want) && c.want != "" {
			t.Errorf("%q %+v: %q, %v, want %q, %s", c.name, c.l, key, err, c.key, c.want)
		}
	}
}

// TestHelpFitsATerminal: behind the eleven blanks of a report 80 columns hold every line, but for one word that is longer.
func TestHelpFitsATerminal(t *testing.T) {
	words := []string{""}
	for _, v := range Verbs() {
		words = append(words, v.Name)
	}
	for _, l := range control.Launchers() {
		words = append(words, l.Name)
	}
	for _, word := range words {
		for _, line := range help(word) {
			if utf8.RuneCountInString(line) > 80-11 && len(strings.Fields(line)) > 1 && !strings.Contains(line, "=\"") {
				t.Errorf("help %s: %q", word, line)
			}
		}
	}
	list := strings.Join(help(""), "\n")
	for _, v := range Verbs() {
		if v.Alive() && !strings.Contains(list, "\n  "+v.Name+" ") {
			t.Errorf("help does not list %s", v.Name)
		}
	}
}

func TestHelpTellsTheOptionsOfLaunchers(t *testing.T) {
	text := strings.Join(help("procs"), "\n")
	page := Markdown()
	for _, l := range control.Launchers() {
		for _, o := range l.Options {
			if !strings.Contains(text, o.Name+"="+o.Example) || !strings.Contains(page, "`"+o.Name+"`") {
				t.Errorf("%s of %s is not told of", o.Name, l.Name)
			}
			if slices.Contains([]string{viaWord, hostsWord, withinWord, leaseWord, restartWord, cpusWord}, o.Name) {
				t.Errorf("%s of %s is a word of procs itself", o.Name, l.Name)
			}
		}
	}
}
