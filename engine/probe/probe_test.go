package probe

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/clock"
	"github.com/monarch-tui/monarch-tui/engine/probe/cond"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// act is an activation of a test.
type act struct {
	end  chan struct{}
	loss float64 //nolint:unused // a condition reads it
	big  []float64
}

func (*act) About(Site) control.Stop      { return control.Stop{Endpoint: "Do"} }
func (*act) Endpoint() string             { return "Do" }
func (*act) Sender() (Address, string)    { return Address{}, "" }
func (*act) Still(_ Site, fn func()) bool { fn(); return true }
func (a *act) Values(v *cond.Values) {
	v.State, v.Rank, v.Mesh, v.Endpoint = reflect.ValueOf(a).Elem(), 1, "toy", "Do"
}
func (a *act) Park(resumed <-chan struct{}) string {
	select {
	case <-resumed:
		return ""
	case <-a.end:
		return "it was killed"
	}
}

type table struct {
	*Agent
	turn uint64
	news chan News
}

func newTable() *table {
	t := &table{news: make(chan News, 100)}
	t.Agent = NewAgent(&clock.Clock{}, func(n News) { t.news <- n })
	return t
}

func (t *table) give(o Orders) {
	t.turn++
	o.Turn = t.turn
	t.Obey(o)
}

func who(rank int) Who {
	return Who{
		Mesh: "toy", Rank: rank, Point: shape.Extent{{Name: "gpus", Size: 4}}.Point(rank), Type: "x.Toy", Parts: []string{"Do", "Other"},
		Scope: func(string) (cond.Scope, bool) {
			return cond.Scope{State: reflect.TypeFor[act](), Dims: []string{"gpus"}}, true
		},
		Beside: func(endpoint string) bool { return endpoint == "Other" },
	}
}

func at(a *Actor, s Site) <-chan *Verdict {
	out := make(chan *Verdict, 1)
	var f Frame
	f.Begin(a, &act{end: make(chan struct{})}, 0)
	go func() { out <- At(s, &f) }()
	return out
}

func goesOn(t *testing.T, what string, v <-chan *Verdict) {
	t.Helper()
	select {
	case got := <-v:
		if got != nil {
			t.Errorf("%s: %+v", what, got)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: it does not go on", what)
	}
}

// TestABreakpointIsOnTheRanksOfAHost: of two meshes of one shape each has its own hosts.
func TestABreakpointIsOnTheRanksOfAHost(t *testing.T) {
	sel, err := NewSelector(&control.Breakpoint{Mesh: "*", Ranks: "hosts=n2"})
	if err != nil {
		t.Fatal(err)
	}
	on := func(names ...string) shape.HostOf { return func(rank int) string { return names[rank] } }
	local := shape.Extent{{Name: "hosts", Size: 2}}
	for i, c := range []struct {
		mesh uint64
		on   shape.HostOf
		want []bool // by rank
	}{{1, on("n1", "n2"), []bool{false, true}}, {2, on("n2", "n3"), []bool{true, false}}, {3, nil, []bool{false, false}}} {
		for rank, want := range c.want {
			if got := sel.Fits(&Who{Mesh: "toy", MeshID: c.mesh, Point: local.Point(rank), On: c.on}); got != want {
				t.Errorf("mesh %d, rank %d: %v", i, rank, got)
			}
		}
	}
}

// TestASiteStopsTheFrameThatReachedIt holds INV-ONE and INV-LEFT.
func TestASiteStopsTheFrameThatReachedIt(t *testing.T) {
	tab := newTable()
	one, two := tab.Enter(who(1)), tab.Enter(who(2))
	tab.give(Orders{Breaks: []control.Breakpoint{{ID: 7, Mesh: "toy", Ranks: "gpus=1", Endpoint: "D*", Site: "recv", Then: "pause"}}})
	held := at(one, Recv)
	st := (<-tab.news).Stop
	if st == nil || st.Break != 7 || st.Site != "recv" || st.Gen != 1 {
		t.Fatalf("told %+v", st)
	}
	goesOn(t, "another actor", at(two, Recv))
	goesOn(t, "another site", at(one, Reply))
	for _, c := range []struct{ id, gen uint64 }{{st.ID, 2}, {99, 1}} {
		if err := tab.Resume(c.id, c.gen, control.GoContinue, "ada", nil); err == nil {
			t.Errorf("frame %d, generation %d went on", c.id, c.gen)
		}
	}
	if err := tab.Resume(st.ID, st.Gen, control.GoContinue, "ada", nil); err != nil {
		t.Error(err)
	}
	if err := tab.Resume(st.ID, st.Gen, control.GoContinue, "bob", nil); err == nil {
		t.Error("it went on twice")
	}
	goesOn(t, "resumed", held)

	var f Frame
	a := &act{end: make(chan struct{})}
	f.Begin(one, a, 0)
	out := make(chan *Verdict, 1)
	go func() { out <- At(Recv, &f) }()
	st = (<-tab.news).Stop
	close(a.end)
	if v := <-out; v == nil || v.How != Ended || v.Text != "it was killed" {
		t.Errorf("its actor ended: %+v", v)
	}
	if g := (<-tab.news).Gone; g == nil || g.ID != st.ID || g.Why != "it was killed" {
		t.Errorf("told %+v", g)
	}
}

func TestAWishToPauseStopsOneFrame(t *testing.T) {
	tab := newTable()
	a := tab.Enter(who(0))
	a.Pause("ada", false)
	held := at(a, Reply)
	st := (<-tab.news).Stop
	if st.Reason != "paused by ada" || st.Site != "reply" {
		t.Errorf("%+v", st)
	}
	goesOn(t, "the next", at(a, Recv))
	tab.give(Orders{Quiet: true})
	goesOn(t, "when all is quiet", held)
	a.Pause("ada", false)
	goesOn(t, "a wish while all is quiet", at(a, Recv))
}

func TestAnActorThatEntersLaterIsBound(t *testing.T) {
	tab := newTable()
	tab.give(Orders{Breaks: []control.Breakpoint{{ID: 1, Mesh: "t?y", Site: "reply", Then: "pause", Hit: "%2"}}})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := tab.Await(ctx, 1); err != nil {
		t.Fatal(err)
	}
	a := tab.Enter(who(3))
	goesOn(t, "the first time", at(a, Reply))
	held := at(a, Reply)
	news := <-tab.news
	st := news.Stop
	if c := news.Count; len(c) != 1 || c[0].Hits != 1 || c[0].Skipped != 1 { // they come with the stop
		t.Errorf("%+v", c)
	}
	if err := tab.Resume(st.ID, st.Gen, control.GoFail, "ada", &Verdict{How: control.GoFail, Text: "no"}); err != nil {
		t.Fatal(err)
	}
	if v := <-held; v == nil || v.Text != "no" {
		t.Errorf("%+v", v)
	}
	old := Orders{Turn: 1}
	tab.Obey(old) // an older one that was overtaken
	tab.mu.Lock()
	n := len(tab.breaks)
	tab.mu.Unlock()
	if n != 1 {
		t.Errorf("%d breakpoints", n)
	}
}

func TestHitsAreReadAndCounted(t *testing.T) {
	for text, want := range map[string]string{"": "123456", "3": "3", "==3": "3", ">=5": "56", ">5": "6", "% 2": "246", ">0": "123456"} {
		h, err := ParseHits(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		got := ""
		for n := range uint64(6) {
			if h.Wants(n + 1) {
				got += fmt.Sprint(n + 1)
			}
		}
		if got != want {
			t.Errorf("%q wants %s, not %s", text, got, want)
		}
	}
	for _, text := range []string{"0", "-1", "x", "%", ">=", "3 4", "<3", "99999999999999999999"} {
		if h, err := ParseHits(text); err == nil {
			t.Errorf("%q is read as %+v", text, h)
		}
	}
}

// BenchmarkSite is INV-IDLE: what a message pays at a site, in its four cases.
func BenchmarkSite(b *testing.B) {
	tab := newTable()
	free, other := tab.Enter(who(0)), tab.Enter(who(1))
	frame := func(a *Actor) *Frame {
		f := new(Frame)
		f.Begin(a, &act{}, 0)
		return f
	}
	run := func(name string, f *Frame) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N { // b.Loop would keep At from being inlined
				if At(Recv, f) != nil {
					b.Fatal("it stopped")
				}
			}
		})
	}
	run("idle", frame(free))
	tab.give(Orders{Breaks: []control.Breakpoint{{ID: 1, Mesh: "toy", Ranks: "gpus=1", Site: "recv", Then: "count"}}})
	run("armed for another actor", frame(free))
	run("counted", frame(other))
	tab.give(Orders{Breaks: []control.Breakpoint{{ID: 2, Mesh: "toy", Endpoint: "Other", Site: "recv", Then: "pause"}}})
	run("armed for another endpoint", frame(free))
	tab.give(Orders{Breaks: []control.Breakpoint{{ID: 3, Mesh: "toy", If: "state.loss > 1", Site: "recv", Then: "pause"}}})
	f := new(Frame)
	f.Begin(free, &act{big: make([]float64, 1e6)}, 0)
	run("false condition", f)
}

// TestAnIdleSiteAllocatesNothing holds INV-IDLE.
func TestAnIdleSiteAllocatesNothing(t *testing.T) {
	tab := newTable()
	a := tab.Enter(who(0))
	tab.give(Orders{Breaks: []control.Breakpoint{{ID: 1, Mesh: "toy", Ranks: "gpus=1", Site: "recv", Then: "pause"}}})
	var f Frame
	f.Begin(a, &act{}, 0)
	if n := testing.AllocsPerRun(1000, func() { At(Recv, &f) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if a.mask.Load() != 0 {
		t.Errorf("its mask is %b", a.mask.Load())
	}
}

// TestAConditionThatCannotBeJudgedStopsNobody holds INV-AWAKE.
func TestAConditionThatCannotBeJudgedStopsNobody(t *testing.T) {
	tab := newTable()
	a := tab.Enter(who(1))
	tab.give(Orders{Breaks: []control.Breakpoint{{ID: 1, Mesh: "toy", If: "state.big[5] > 1", Site: "recv", Then: "pause"}}})
	for i := range MaxErrors + 5 {
		goesOn(t, fmt.Sprint(i), at(a, Recv))
	}
	c := tab.TakeCounts()
	if len(c) != 1 || c[0].Errors != MaxErrors || c[0].Hits != 0 || c[0].LastError == "" {
		t.Errorf("%+v", c)
	}
}

func TestABreakpointThatPrintsKeepsItsLimits(t *testing.T) {
	tab := newTable()
	a := tab.Enter(who(1))
	tab.give(Orders{Breaks: []control.Breakpoint{{ID: 1, Mesh: "toy", Site: "recv", Then: "print", Print: "hit {hits} on {rank}", Limit: 3, Rate: 100}}})
	for range 5 {
		goesOn(t, "it prints", at(a, Recv))
	}
	for n := range 3 {
		if p := (<-tab.news).Print; p == nil || p.Text != fmt.Sprintf("hit %d on 1", n+1) || p.Rank != 1 {
			t.Errorf("%+v", p)
		}
	}
	select {
	case n := <-tab.news:
		t.Errorf("one too many: %+v", n)
	default:
	}
	if c := tab.TakeCounts(); len(c) != 1 || c[0].Hits != 5 {
		t.Errorf("%+v", c)
	}
}
