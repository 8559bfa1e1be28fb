package script

import (
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

func TestCompletionOffersWhatAVerbTakes(t *testing.T) {
	k := Known{
		Meshes: []string{"toy", "pings"}, Procs: []string{"p", "q"}, Types: []string{"ToyActor", "Echo"}, Themes: []string{"dark", "light"}, Demos: []string{"pingpong"},
		Launches:  Launches{"gpu": {Via: "slurm"}},
		Endpoints: func(mesh string) []string { return map[string][]string{"toy": {"Hello", "Help", "Count"}}[mesh] },
		Ref: func(target string) (control.MeshRef, bool) {
			toy := shape.Extent{{Name: "hosts", Size: 3}, {Name: "gpus", Size: 2}}
			ref, ok := map[string]control.MeshRef{
				"@toy": {View: shape.RegionOf(toy), Hosts: control.NewHosts(toy, "n1", "n2", "12")},
				"p":    {View: shape.RegionOf(toy[:1]), Hosts: control.NewHosts(toy[:1], "node-07", "", "node-07")},
			}[target]
			return ref, ok
		},
	}
	for _, c := range []struct{ typed, want string }{ // words joined by |
		{"ca", "call |calls |cancel |cast "},
		{"brea", "break |breaks "}, // it only parses in this build
		{"call ", "@pings.|@toy."},
		{"call @t", "@toy."},
		{"call_one @t", ""}, // an alias is for reading
		{"call @toy.H", "@toy.Hello|@toy.Help"},
		{"call @toy[gpus=1].Co", "@toy[gpus=1].Count"},
		{"call @toy[hosts=0,gpus=1].Co", "@toy[hosts=0,gpus=1].Count"},
		{"call @toy[", "hosts=|gpus="},
		{"call @toy[gpus=1, h", "hosts="},
		{"call @toy[gpus=1,hosts=", `n1|n2|"12"`},
		{"call @toy[hosts=n", "n1|n2"},
		{`call @toy[hosts="`, `"12"`},
		{"call @toy[hosts=(n1, n", "n1|n2"},
		{"call @toy[hosts=(n1,n2),", "hosts=|gpus="},
		{"call @toy[hosts=n1,", "hosts=|gpus="},
		{"call @toy[hosts=n1", ""},
		{"kill p[hosts=", "node-07"},
		{"kill q[hosts=", ""},
		{"call @toy.Hello [", ""},
		{"call @none.", ""},
		{"broadcast ", "@pings.|@toy."},
		{"stop ", "@pings|@toy|p|q"},
		{"kill @p", "@pings"},
		{"state p", ""},
		{"state ", "@pings|@toy"},
		{"on ", "@pings|@toy"},
		{"spawn @x ", ""},
		{"spawn @x on ", "Echo|ToyActor|p|q"},
		{"spawn @x on p T", "ToyActor"},
		{"spawn on", ""}, // nothing is offered behind on before the blank
		{"endpoints E", "Echo"},
		{"procs p ", "cpus=|gpus=|hosts=|in-process|oversubscribe|restart=|via=|virtual"},
		{"procs p in", "in-process"},
		{"procs p hosts=2 via=", "exec|gpu|kubernetes|local|slurm|ssh"},
		{"procs p hosts=2 via=s", "slurm|ssh"},
		{"procs p hosts=2 via=gpu ", "account=|args=|cache=|constraint=|cpus=|dir=|exclude=|gpus=|hosts=|in-process|oversubscribe|partition=|qos=|reservation=|restart=|ship=|time=|via=|virtual|within="},
		{"procs p hosts=2 via=gpu time=1h ti", ""},
		{"procs p hosts=2 via=exec c", "cache=|command=|cpus="},
		{"procs p hosts=2 via=what w", ""},
		{"help st", "stacks|state|step|stop|stops|stream"},
		{"theme ", "dark|light"},
		{"demo p", "pingpong"},
		{"focus @t", "@toy"},
	} {
		if _, got := Complete(c.typed, k); strings.Join(got, "|") != c.want {
			t.Errorf("%q: got %q, want %q", c.typed, strings.Join(got, "|"), c.want)
		}
	}
	if _, got := Complete("", k); !slices.Contains(got, "procs ") || slices.Contains(got, "watch ") {
		t.Errorf("an empty line can begin with %q", got)
	}
	if from, got := Complete("call @toy.Help", Known{}); from != 5 || got != nil {
		t.Errorf("with nothing known: %q from %d", got, from)
	}
}
