package tui

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/world/worldtest"
)

// BenchmarkFrameUnderLoad is one frame at 50,000 events/s: what has come since the last, applied and drawn, and a key in
// between. A frame has 33 ms; two of them are what a key may take.
func BenchmarkFrameUnderLoad(b *testing.B) {
	const perFrame = 50_000 / 30
	w := worldtest.Pingpong(b)
	m := still(b, w, 120, 40)
	press(b, m, "4")
	id := uint64(1000)
	next := func() control.Update {
		u := control.Update{Events: make([]*control.Event, 0, perFrame)}
		for i := range perFrame / 2 {
			id++
			to := fmt.Sprintf("@ponger[%d]", i%64)
			u.Events = append(u.Events,
				&control.Event{Seq: id, Time: w.Now, Message: &control.Message{Time: w.Now, Call: id / 64, ID: id, Kind: control.MessageCall, From: "main", To: to, Endpoint: "Pong", Ranks: 64, Bytes: 8}},
				&control.Event{Seq: id, Time: w.Now, Message: &control.Message{Time: w.Now, Call: id / 64, Parent: id, Kind: control.MessageReply, From: to, To: "main", Endpoint: "Pong", Took: time.Millisecond, Bytes: 1}})
		}
		return u
	}
	var before, after runtime.MemStats
	for range 60 { // the rings are full
		m.world.Apply(next())
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		u := next()
		w.Now = w.Now.Add(frame)
		b.StartTimer()
		m.Update(updateMsg{u})
		m.Update(tea.KeyPressMsg{Code: tea.KeyUp})
		m.View()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/(1<<20), "MiB-grown")
}

// BenchmarkView4096 draws the whole screen with 4,096 ranks on the grid, one of which has changed.
func BenchmarkView4096(b *testing.B) {
	w := worldtest.New(b)
	w.Type(worldtest.PongerType())
	w.Procs("p", shape.Extent{{Name: "dp", Size: 64}, {Name: "tp", Size: 64}}, worldtest.Opts{PerHost: 8})
	w.Mesh("m", "p", worldtest.PongerType().Full)
	m := still(b, w, 200, 60)
	press(b, m, "2", "+", "+")
	states := []string{"idle", "busy"}
	i := 0
	for b.Loop() {
		b.StopTimer()
		i++
		w.Rank("m", 2050, states[i%2], 0)
		m.touch()
		b.StartTimer()
		m.View()
	}
}

// BenchmarkStillScreen is a frame in which nothing has changed.
func BenchmarkStillScreen(b *testing.B) {
	m := still(b, worldtest.Pingpong(b), 120, 40)
	for b.Loop() {
		m.View()
	}
}

// crowd is the screen on a mesh @m of 65,536 ranks in one process, in which the grid has the focus.
func crowd(t testing.TB) (*worldtest.Builder, *Model) {
	w := worldtest.New(t)
	w.Type(worldtest.PongerType())
	w.Procs("p", shape.Extent{{Name: "dp", Size: 256}, {Name: "tp", Size: 256}}, worldtest.Opts{InProcess: true})
	w.Mesh("m", "p", worldtest.PongerType().Full)
	m := still(t, w, 120, 40)
	press(t, m, "2")
	return w, m
}

// callForm opens the form for a call on these ranks.
func callForm(t testing.TB, m *Model, sel string) *composer {
	mesh, ok := m.world.Mesh("m")
	typ, known := m.world.Type(worldtest.PongerType().Full)
	if !ok || !known {
		t.Fatal("there is no mesh to call")
	}
	c := newComposer(m, mesh, typ, sel)
	m.push(c.f)
	return c
}

// beat changes the state of one rank, as a session at work does all the time, and draws.
func beat(w *worldtest.Builder, m *Model, i int) {
	w.Rank("m", 2050, []string{"idle", "busy"}[i%2], 0)
	m.Update(updateMsg{})
	m.View()
}

// TestAnOpenComposerJudgesItsRanksOnlyWhenTheyChange holds that what an update costs does not depend on how many ranks are
// chosen: they are walked through when the selection changes, and when a rank ends, and what is told is true then.
func TestAnOpenComposerJudgesItsRanksOnlyWhenTheyChange(t *testing.T) {
	for _, sel := range []string{"", "ranks(0:40000)", "dp=::2, tp=::2"} {
		t.Run(sel, func(t *testing.T) {
			w, m := crowd(t)
			c := callForm(t, m, sel)
			note := func() string { return c.f.Fields[atRanks].Note() }
			before, whole := c.over.walks, note()
			if c.ranks == 0 || c.f.Fields[atRanks].Err() != "" {
				t.Fatalf("%d ranks are chosen: %s", c.ranks, c.f.Fields[atRanks].Err())
			}
			for i := range 5 {
				beat(w, m, i)
			}
			if walks := c.over.walks - before; walks != 0 {
				t.Errorf("%d walks through %d ranks in 5 updates that change none of them", walks, c.ranks)
			}
			w.Rank("m", 0, "gone", 0)
			for i := range 5 {
				beat(w, m, i)
			}
			if walks := c.over.walks - before; walks != 1 {
				t.Errorf("%d walks for one rank that has ended, want 1", walks)
			}
			if want := whole + " · 1 ended"; note() != want {
				t.Errorf("after one has ended it says %q, want %q", note(), want)
			}
			w.Rank("m", 0, "idle", 0)
			beat(w, m, 0)
			if note() != whole {
				t.Errorf("after it has come back it says %q, want %q", note(), whole)
			}
			c.f.Fields[atRanks].Set("dp=0, tp=1:3")
			c.f.Check()
			if want := "2 of 65,536"; note() != want || c.ranks != 2 {
				t.Errorf("of another selection it says %q, want %q", note(), want)
			}
			w.Rank("m", 1, "failed", 0)
			w.Rank("m", 2, "gone", 0)
			beat(w, m, 0)
			if c.gone == "" {
				t.Error("both of its ranks have ended, and it says nothing")
			}
		})
	}
}

// TestMessagesDoNotRefreshDialogs holds that dialogs are told of the world only when a state has changed.
func TestMessagesDoNotRefreshDialogs(t *testing.T) {
	w := worldtest.Pingpong(t)
	m := still(t, w, 120, 40)
	told := 0
	m.push(&dialog.Form{
		Title: func() string { return "a form" }, Fields: []*dialog.Field{{Label: "a", Judge: func(string) (string, string, int) { told++; return "", "", 0 }}},
	})
	m.Update(updateMsg{})
	before := told
	w.Message(control.Message{ID: 1, Call: 1, Kind: control.MessageCall, From: "main", To: "@ponger[1]", Endpoint: "Pong", Ranks: 1})
	m.Update(updateMsg{})
	if told != before {
		t.Errorf("the fields were judged %d times for a message", told-before)
	}
	w.Rank("ponger", 3, "busy", 1)
	m.Update(updateMsg{})
	if told == before {
		t.Error("the fields were not judged when a rank's state changed")
	}
}

// BenchmarkComposer is an update in which one rank of 65,536 has changed, and its drawing, without and with the form for a call.
func BenchmarkComposer(b *testing.B) {
	for _, open := range []string{"closed", "all ranks", "one rank"} {
		b.Run(open, func(b *testing.B) {
			w, m := crowd(b)
			switch open {
			case "all ranks":
				callForm(b, m, "")
			case "one rank":
				callForm(b, m, "dp=0, tp=0")
			}
			i := 0
			for b.Loop() {
				i++
				beat(w, m, i)
			}
		})
	}
}
