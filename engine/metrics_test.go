package engine_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Plotter reports figures.
type Plotter struct{}

// Plot reports y at each x.
func (*Plotter) Plot(ctx context.Context, points [][2]float64) error {
	for _, p := range points {
		engine.Metric(ctx, "loss", p[0], p[1])
	}
	return nil
}

// Odd reports what is no figure, and a name that is not fit to be shown.
func (*Plotter) Odd(ctx context.Context) error {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		engine.Metric(ctx, "loss", v, 1)
		engine.Metric(ctx, "loss", 1, v)
	}
	engine.Metric(ctx, "\x1b[31m"+strings.Repeat("n", 500), 1, 1)
	engine.Metric(ctx, "seen", 1, 1)
	return nil
}

func TestWhatActorsReportCanBeReadBack(t *testing.T) {
	bothEngines(t, func(t *testing.T, e *engine.Engine) {
		ctx := e.Context()
		c := frontEnd(t, e)
		m := spawn(t, ctx, "m", 2, Plotter{})
		series := func(req control.MetricsReq, until func([]control.Series) bool) (got []control.Series) {
			t.Helper()
			eventually(t, "the figures", eventLimit, func() bool {
				list, err := c.Metrics(ctx, req)
				if err != nil {
					t.Fatal(err)
				}
				got = list
				return until(list)
			})
			return got
		}
		points := [][2]float64{{1, 10}, {2, 20}, {4, 40}}
		if err := engine.Action(m, (*Plotter).Plot).Call(ctx, points); err != nil {
			t.Fatal(err)
		}
		whole := func(list []control.Series) bool { return len(list) == 2 && len(list[0].X) == 3 && len(list[1].X) == 3 }
		got := series(control.MetricsReq{Mesh: "m"}, whole)
		for rank, s := range got {
			if s.Mesh != "m" || s.Rank != rank || s.Name != "loss" || !slices.Equal(s.X, []float64{1, 2, 4}) || !slices.Equal(s.Y, []float64{10, 20, 40}) {
				t.Errorf("rank %d: %+v", rank, s)
			}
		}
		if last := series(control.MetricsReq{Name: "loss", Last: 1}, whole1); last[0].Older != 2 || last[0].X[0] != 4 {
			t.Errorf("the last point: %+v", last[0])
		}
		// Who begins anew from a checkpoint draws on where it was.
		if err := engine.Action(m.Slice(at(1)), (*Plotter).Plot).Call(ctx, [][2]float64{{2, 21}, {3, 31}}); err != nil {
			t.Fatal(err)
		}
		back := series(control.MetricsReq{Mesh: "m"}, func(list []control.Series) bool { return len(list) == 2 && slices.Contains(list[1].X, 3) })
		if !slices.Equal(back[1].X, []float64{1, 2, 3}) || !slices.Equal(back[1].Y, []float64{10, 21, 31}) || len(back[0].X) != 3 {
			t.Errorf("%+v", back)
		}
		if err := engine.Signal(m.Slice(at(0)), (*Plotter).Odd).CallOne(ctx); err != nil {
			t.Fatal(err)
		}
		odd := series(control.MetricsReq{Mesh: "m"}, func(list []control.Series) bool { return len(list) == 4 })
		for _, s := range odd {
			if strings.ContainsRune(s.Name, '\x1b') || len(s.Name) > 64+len("…") || slices.ContainsFunc(s.Y, math.IsNaN) {
				t.Errorf("%+v", s)
			}
		}
		engine.Metric(ctx, "of the program", 1, 2)
		series(control.MetricsReq{Name: "of the program"}, func(list []control.Series) bool {
			return len(list) == 1 && list[0].Mesh == "" && list[0].Rank == -1
		})
	})
}

func whole1(list []control.Series) bool { return len(list) == 2 && len(list[0].X) == 1 }
