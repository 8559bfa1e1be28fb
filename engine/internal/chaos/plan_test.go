package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

func anywhere(proc uint64) string { return fmt.Sprintf("127.0.0.1:%d", 7000+proc) }

// directions are the directions of packets that a plan judges, each by who judges it: "1>2 by 1".
func directions(orders map[uint64]*Orders) (out []string) {
	for who, o := range orders {
		for _, l := range o.Links {
			for range l.Out {
				out = append(out, fmt.Sprintf("%d>%d by %d", who, l.Proc, who))
			}
			for range l.In {
				out = append(out, fmt.Sprintf("%d>%d by %d", l.Proc, who, who))
			}
		}
	}
	slices.Sort(out)
	return out
}

// TestWhoJudgesWhichPackets holds INV-REACH and INV-ONCE: what is between the controller, which is process 0, and a worker only the
// controller judges; every direction is judged once, whatever ranks meet on it.
func TestWhoJudgesWhichPackets(t *testing.T) {
	all := []uint64{0, 1, 2, 3}
	for _, c := range []struct {
		name    string
		way     string
		on, to  []uint64
		judging string
	}{
		{"from everybody", "", []uint64{1}, all, "0>1 by 0, 1>0 by 0, 1>2 by 1, 1>3 by 1, 2>1 by 2, 3>1 by 3"},
		{"two of them from everybody", "", []uint64{1, 2}, []uint64{0, 1, 2}, "0>1 by 0, 0>2 by 0, 1>0 by 0, 1>2 by 1, 2>0 by 0, 2>1 by 2"},
		{"between two", "", []uint64{1}, []uint64{2, 3}, "1>2 by 1, 1>3 by 1, 2>1 by 2, 3>1 by 3"},
		{"what leaves", control.WayOut, []uint64{1}, []uint64{0, 2}, "1>0 by 0, 1>2 by 1"},
		{"what comes", control.WayIn, []uint64{1}, []uint64{0, 2}, "0>1 by 0, 2>1 by 2"},
		{"sets that overlap", "", []uint64{1, 2}, []uint64{2, 1}, "1>2 by 1, 2>1 by 2"},
	} {
		f := &control.Fault{ID: 1, Kind: control.FaultPartition, Procs: "p", Way: c.way}
		got := strings.Join(directions(Plan([]Scope{{Fault: f, Procs: c.on, To: c.to}}, anywhere)), ", ")
		if got != c.judging {
			t.Errorf("%s:\nhave %s\nwant %s", c.name, got, c.judging)
		}
	}
}

func TestEachKindHasItsRule(t *testing.T) {
	for _, c := range []struct {
		f    control.Fault
		want string
	}{
		{control.Fault{Kind: control.FaultDelay, Delay: time.Second, Jitter: time.Millisecond}, "1s 1ms 0 0"},
		{control.Fault{Kind: control.FaultDrop, Percent: 25}, "0s 0s 0.25 0"},
		{control.Fault{Kind: control.FaultRate, Rate: 5000}, "0s 0s 0 5000"},
		{control.Fault{Kind: control.FaultPartition}, "0s 0s 1 0"},
	} {
		c.f.ID, c.f.Seed, c.f.Procs = 4, 9, "p"
		o := Plan([]Scope{{Fault: &c.f, Procs: []uint64{1}, To: []uint64{2}}}, anywhere)
		there, back := o[1].Links[0].Out[0], o[2].Links[0].Out[0]
		if got := fmt.Sprint(there.Delay, there.Jitter, there.Loss, there.Rate); got != c.want || there.ID != 4 || there.Seed != 9 {
			t.Errorf("%s: %+v, want %s", c.f.Kind, there, c.want)
		}
		if there.Stream == back.Stream {
			t.Errorf("%s: both directions lose the same packets", c.f.Kind)
		}
	}
	pause := &control.Fault{Kind: control.FaultPause, Procs: "p"}
	nowhere := func(uint64) string { return "" }
	cut := &control.Fault{Kind: control.FaultPartition, Procs: "p"}
	if o := Plan([]Scope{{Fault: pause, Procs: []uint64{1}}}, anywhere); len(o) != 0 {
		t.Errorf("a pause orders %v", o)
	}
	if o := Plan([]Scope{{Fault: cut, Procs: []uint64{1}, To: []uint64{2}}}, nowhere); len(o) != 0 {
		t.Errorf("a process without an address: %v", o)
	}
}

func TestFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	ok := control.Fault{Kind: control.FaultDelay, Procs: "p", Delay: time.Second}
	if err := Check(&ok); err != nil {
		t.Fatal(err)
	}
	for want, f := range map[string]control.Fault{
		`want delay, drop, rate, partition, pause`:                 {Kind: "melt", Procs: "p"},
		`delay: want a proc mesh or an actor mesh`:                 {Kind: "delay", Delay: 1},
		`delay: 0s: want more than 0s, up to 1h`:                   {Kind: "delay", Procs: "p"},
		`delay: 2h0m0s: want more than 0s`:                         {Kind: "delay", Procs: "p", Delay: 2 * time.Hour},
		`±2s: want up to the delay, which is 1s`:                   {Kind: "delay", Procs: "p", Delay: time.Second, Jitter: 2 * time.Second},
		`drop: 0%: want more than 0%`:                              {Kind: "drop", Procs: "p"},
		`drop: 101%: want more than 0%`:                            {Kind: "drop", Procs: "p", Percent: 101},
		`drop: -1%: want more than 0%`:                             {Kind: "drop", Mesh: "m", Percent: -1},
		`rate: 0 bytes a second: want 1 to 100GB/s`:                {Kind: "rate", Procs: "p"},
		`measure that is of another fault`:                         {Kind: "partition", Procs: "p", Percent: 3},
		`for -1s: want more than 0s, up to 24h`:                    {Kind: "partition", Procs: "p", For: -time.Second},
		`partition: packets go in or out, not`:                     {Kind: "partition", Procs: "p", Way: "up"},
		`the other end is a proc mesh or the controller, not both`: {Kind: "partition", Procs: "p", To: "q", Controller: true},
		`rate is for processes and their links`:                    {Kind: "rate", Mesh: "m", Rate: 1},
		`messages have one end`:                                    {Kind: "drop", Mesh: "m", Percent: 1, Way: "in"},
		`processes have no endpoints`:                              {Kind: "drop", Procs: "p", Percent: 1, Endpoint: "E"},
		`pause stops processes, not their links`:                   {Kind: "pause", Procs: "p", Controller: true},
	} {
		if err := Check(&f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v\nwant %s", f, err, want)
		}
	}
}
