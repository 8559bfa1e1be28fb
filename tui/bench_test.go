package tui

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
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
