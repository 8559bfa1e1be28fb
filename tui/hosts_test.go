package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// siteLaunches are launchers as a site has set them up.
func siteLaunches() script.Launches {
	return script.Launches{"gpu": {Via: "slurm", Within: 30 * time.Minute, Options: map[string]string{"partition": "gpu", "time": "1h"}}}
}

// toField moves to a field of the form on top.
func toField(t testing.TB, m *Model, label string) *dialog.Field {
	t.Helper()
	f := m.top().(*dialog.Form)
	for i, x := range f.Fields {
		if x.Label == label {
			f.At = i
			return x
		}
	}
	t.Fatalf("there is no field %s: %s", label, values(m))
	return nil
}

// onMachines fills in the form for procs on machines of Slurm.
func onMachines(t testing.TB, m *Model) {
	t.Helper()
	m.cfg.Settings.Launches = siteLaunches()
	press(t, m, "M")
	for toField(t, m, "via").Value() != "slurm" {
		press(t, m, "right")
	}
	press(t, m, "tab")
	typeText(m, "4")
	press(t, m, "tab")
	typeText(m, "partition=gpu tim=1h")
}

func TestHostsAreSeenWithoutColoursAndInASCII(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"ascii": func(c *Config) { c.Settings.ASCII = true }, "mono": func(c *Config) { c.Settings.Theme = "mono" },
		"light": func(c *Config) { c.Settings.Theme = "light" }, "dark": func(*Config) {},
	} {
		t.Run(name, func(t *testing.T) {
			m := still(t, worldtest.Cluster(t), 120, 40, change)
			toHost(t, m, "n6")
			text := screen(t, m)
			if i := strings.IndexFunc(text, func(r rune) bool { return r > 0x7e }); m.theme.ASCII && i >= 0 {
				t.Errorf("%q is not ASCII in\n%s", text[i:i+4], text)
			}
			golden.RequireEqual(t, m.View().Content+"\n")
		})
	}
}

// toHost moves the tree's cursor to a host.
func toHost(t testing.TB, m *Model, name string) {
	t.Helper()
	press(t, m, "1")
	for _, h := range m.world.Hosts {
		if h.Called() == name {
			m.panes.tree.GoHost(m.world, h.ID)
			m.cursorMoved()
			return
		}
	}
	t.Fatalf("no host %s", name)
}

// TestTheFormAsksAboutMachinesWhereSomeAreWanted holds INV-SAME: what it sends is what a person would type.
func TestTheFormAsksAboutMachinesWhereSomeAreWanted(t *testing.T) {
	m := still(t, worldtest.Pingpong(t), 120, 40, func(c *Config) { c.Settings.Launches = siteLaunches() })
	press(t, m, "M")
	if got := values(m); got != "name=procs0 dims=gpus=4 via=local ranks are=processes cpus= GPUs=one each who dies=stays dead" {
		t.Fatal(got)
	}
	via := toField(t, m, "via")
	if got := strings.Join(via.Choices, " "); got != "local gpu ssh slurm kubernetes exec" {
		t.Errorf("the choices are %s", got)
	}
	choose := func(name string) {
		t.Helper()
		toField(t, m, "via")
		for range via.Choices {
			if via.Value() == name {
				return
			}
			press(t, m, "right")
		}
		t.Fatalf("no %s", name)
	}
	put := func(label, text string) *dialog.Field {
		t.Helper()
		x := toField(t, m, label)
		x.Set(text)
		m.top().(*dialog.Form).Check()
		m.touch()
		return x
	}
	sends := func(want string) {
		t.Helper()
		if got := strings.Join(strings.Fields(screen(t, m)), " "); !strings.Contains(got, "command "+want+" ┃") {
			t.Errorf("the form does not send %s:\n%s", want, got)
		}
	}
	choose("gpu")
	if got := values(m); got != "name=procs0 dims=gpus=4 via=gpu hosts= options= cpus= GPUs=one each who dies=stays dead" {
		t.Fatal(got)
	}
	put("hosts", "4")
	sends("procs procs0 hosts=4 gpus=4 via=gpu")
	put("options", "time=2h within=1h")
	put("dims", "")
	sends("procs procs0 hosts=4 via=gpu time=2h within=1h")
	put("dims", "gpus=8")
	choose("ssh")
	if x := put("hosts", "4"); x.Err() != "ssh finds no machines by itself: name them, such as hosts=n1,n2" {
		t.Error(x.Err())
	}
	put("options", "user=ada")
	if x := put("hosts", "n1, ada@n2"); x.Err() != "" || x.Note() != "2 machines · 16 ranks" {
		t.Error(x.Err(), x.Note())
	}
	sends("procs procs0 hosts=n1,ada@n2 gpus=8 via=ssh user=ada")
	for _, c := range []struct{ label, text, err string }{
		{"hosts", "", "want which machines, such as n1,n2"},
		{"hosts", "n1 n2", "want a comma between names"},
		{"hosts", "n1,n1", `"n1" is there already: one agent runs on a machine`},
		{"hosts", "n1", ""},
		{"options", "usr=ada", `ssh has no option "usr" (did you mean user?); a dimension wants a whole number`},
		{"options", "gpus=2", "gpus is a dimension: those have a field of their own"},
		{"options", "virtual", "only options of the launcher stand here"},
		{"options", "cpus=3", "only options of the launcher stand here"},
		{"options", "user=ada timeout 3s", "want words of procs, such as gpus=4"},
		{"options", "via=slurm", `"via=slurm" is the second via=: one launcher finds all machines of a mesh`},
		{"options", `args="-v`, "the quote is never closed"},
		{"options", `args="-v -C" within=2m`, ""},
		{"dims", "hosts=2", "hosts has a field of its own"},
		{"dims", "port=2", "port is an option of ssh"},
		{"dims", "via=ssh", "via has a field of its own"},
		{"dims", "gpus", "want name=size for each dimension, such as hosts=2 gpus=4"},
		{"dims", "gpus=2", ""},
	} {
		if x := put(c.label, c.text); x.Err() != c.err {
			t.Errorf("%s %q: %q, want %q", c.label, c.text, x.Err(), c.err)
		}
	}
	sends(`procs procs0 hosts=n1 gpus=2 via=ssh args="-v -C" within=2m`)
	choose("local")
	if got := values(m); strings.Contains(got, "options=") || !strings.Contains(got, "via=local ranks are=processes") {
		t.Error(got)
	}
	sends("procs procs0 gpus=2")
	if x := put("dims", "hosts=2 gpus=2"); x.Err() != "" || x.Note() != "4 ranks" {
		t.Error(x.Err(), x.Note())
	}
}

func TestTheFormTellsWhomItWaitsFor(t *testing.T) {
	b := worldtest.Queued(t)
	m := still(t, b, 120, 40)
	text := func(name string) (out string) {
		for _, l := range m.startProgress(name) {
			for _, s := range l {
				out += s.Text
			}
			out += "\n"
		}
		return out
	}
	if got := text("big"); !strings.Contains(got, "0 of 4 hosts ready\n◌ 4 hosts queued: 3rd, Priority · 2m14s\n") || !strings.Contains(got, "0 of 32 ready") {
		t.Error(got)
	}
	for i := range 3 {
		b.Arrived("big", i, "node", "launching")
	}
	if got := text("big"); !strings.Contains(got, "3 of 4 hosts ready\n◌ host 3 queued: 3rd, Priority") || !strings.Contains(got, "rank 0 launching") {
		t.Error(got)
	}
	b.Launching()
	if got := text("more"); !strings.HasPrefix(got, "0 of 7 hosts ready\n✕ a6 failed: ada@a6: Permission denied") || strings.Count(got, "\n") != 7 {
		t.Error(got)
	}
}

// TestAHostIsWhatKeysActOn: to kill one that has no ranks would be to kill all.
func TestAHostIsWhatKeysActOn(t *testing.T) {
	b := worldtest.Cluster(t)
	m := still(t, b, 120, 40)
	toHost(t, m, "n2")
	if got := m.target().String(); got != "train[4-7]" {
		t.Errorf("n2 is %s", got)
	}
	if got := screen(t, m); !strings.Contains(got, "n2   · ready") {
		t.Errorf("the inspector does not show it:\n%s", got)
	}
	none := b.Launched("none", "exec", "mpirun", nil)
	b.Apply(&control.Event{Host: &control.Host{ID: 1 << 40, Mesh: "none", MeshID: none.ID, Name: "odd", State: "queued"}})
	m.worldChanged()
	toHost(t, m, "odd")
	if at, ok := (meshTab{m.panes.tree, m}).Target(); ok && len(at.ranks) == 0 {
		t.Errorf("a host without ranks is %s", at)
	}
}

func TestAWarningOfHostsLeadsToThem(t *testing.T) {
	m := still(t, worldtest.Cluster(t), 120, 40)
	press(t, m, "W")
	p := m.top().(*dialog.Picker)
	keys := map[string]bool{}
	for _, c := range p.Rows() {
		if keys[c.Key] {
			t.Errorf("two warnings are %q", c.Key)
		}
		keys[c.Key] = true
		if c.Text == "1 host of train lost" {
			c.Do()
		}
	}
	if it := m.panes.tree.Selected(m.world); it.Host != "n6" {
		t.Errorf("it leads to %+v", it)
	}
	if got := m.panes.grid.Selected(); len(got) != 4 || got[0] != 20 {
		t.Errorf("the grid has %v", got)
	}
}

// TestHostsAreChosenByNameOnTheScreen: at the command line with completion, in the fields of forms, and for the grid's selection.
func TestHostsAreChosenByNameOnTheScreen(t *testing.T) {
	b := worldtest.Cluster(t)
	m := still(t, b, 120, 40)
	for typed, want := range map[string]string{
		"call @trainer[hosts=":      "n1|n2|n3|n4|n5|n6|n7|n8",
		"call @trainer[hosts=(n1,n": "n1|n2|n3|n4|n5|n6|n7|n8",
		"kill train[ho":             "hosts=",
		"kill train[gpus=1,hosts=n": "n1|n2|n3|n4|n5|n6|n7|n8",
		"call @trainer[gpus=":       "",
		"call @none[hosts=":         "",
	} {
		if _, got := script.Complete(typed, m.known()); strings.Join(got, "|") != want {
			t.Errorf("%s goes on with %q", typed, got)
		}
	}
	press(t, m, ":")
	typeText(m, "call @trainer[hosts=n")
	press(t, m, "tab", "tab")
	if got := m.input.field.Value(); got != "call @trainer[hosts=n2" {
		t.Errorf("the second one that is offered gives %q", got)
	}
	press(t, m, "esc")

	mesh, _ := m.world.Mesh("trainer")
	pm, _ := m.world.ProcMesh("train")
	for _, c := range []struct {
		text string
		ref  control.MeshRef
		want int
	}{{"hosts=n2", mesh.Ref, 4}, {"hosts=(n1,n3), gpus=1", mesh.Ref, 2}, {`hosts="n8"`, pm.Grid(), 4}, {"all", mesh.Ref, 32}} {
		parts, err := resolve(c.text, c.ref)
		n := 0
		for _, p := range parts {
			n += p.Len()
		}
		if err != nil || n != c.want {
			t.Errorf("a form takes %s for %d ranks, %v", c.text, n, err)
		}
	}
	if _, err := resolve("hosts=n9", mesh.Ref); err == nil || !strings.Contains(err.Error(), "no host n9: it has n1, n2") {
		t.Error(err)
	}

	if err := m.focusTarget("@trainer[hosts=n2]"); err != nil {
		t.Fatal(err)
	}
	if got := m.panes.grid.Selector(); got != "@trainer[hosts=1]" { // what is written by itself has numbers
		t.Errorf("selected is %s", got)
	}
	for text, want := range map[string]string{
		"hosts=(n1,n2),gpus=0:2": "hosts=0:2,gpus=0:2",
		`@trainer[hosts="n3"]`:   "hosts=2",
		`hosts="n4",state=busy`:  "hosts=3,gpus=1:3",
	} {
		if err := m.panes.grid.SetSelection(text); err != nil || m.panes.grid.Text() != want {
			t.Errorf("%s selects %s, %v", text, m.panes.grid.Text(), err)
		}
	}
	for text, want := range map[string]string{
		"gpus=1,hosts=n9":      "no host n9: it has n1",
		`hosts="[::1]",gpus=1`: `no host "[::1]": it has n1`,
		"hosts=n1:22":          "between double quotes",
	} {
		if err := m.panes.grid.SetSelection(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	queued := worldtest.Queued(t)
	big, _ := still(t, queued, 120, 40).world.ProcMesh("big")
	if _, err := resolve("hosts=n1", big.Grid()); err == nil || !strings.Contains(err.Error(), "none has a name yet; their numbers are 0 to 3") {
		t.Error(err)
	}
}
