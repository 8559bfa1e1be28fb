package engine

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
	"github.com/monarch-tui/monarch-tui/quicnet/recent"
)

// Figures that actors report for charts. They travel with the status of their process, which is sent every statusEvery at most
// and may be dropped; the controller keeps the newest of each series for front ends.

const (
	maxFigures     = 1024 // that wait in one process for the next status; past it the oldest are dropped
	maxSeries      = 512  // that a session keeps: of one figure of one rank each
	maxPoints      = 2048 // of one series, the newest
	maxMetricName  = 64   // bytes
	defaultPoints  = 256
	seriesOfOneAsk = 1024
)

// figure is one point of a series on its way to the controller.
type figure struct {
	_    struct{} `cbor:",toarray"`
	Mesh uint64   // 0: the program's own code
	Rank int
	Name string
	X, Y float64
	Seq  uint64 // order in which its rank reported: two ways lead to the controller, and the older may come later
}

// figures are those that wait in a process.
type figures struct {
	mu   sync.Mutex
	wait []figure
	seq  uint64
}

// Metric reports a figure of the actor that ctx belongs to, or of the program, for charts: y at x, which is what it is drawn over,
// such as the step of a training. A point at an x that was reported before takes the place of that one and of those after it, so
// that an actor that begins anew from a checkpoint draws on where it was. What is no number is left out. It never waits, and costs
// about a microsecond; of more than 1024 within 50 ms in one process the oldest are dropped.
func Metric(ctx context.Context, name string, x, y float64) {
	n, err := nodeOf(ctx)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || math.IsNaN(y) || math.IsInf(y, 0) {
		return
	}
	f := figure{Rank: -1, Name: clip(name, maxMetricName), X: x, Y: y}
	if a := actorOf(ctx); a != nil {
		f.Mesh, f.Rank = a.id, a.rank
	}
	n.figures.mu.Lock()
	if len(n.figures.wait) >= maxFigures {
		n.figures.wait = slices.Delete(n.figures.wait, 0, 1)
	}
	n.figures.seq++
	f.Seq = uint64(n.epoch)<<40 | n.figures.seq
	n.figures.wait = append(n.figures.wait, f)
	n.figures.mu.Unlock()
	n.touch()
}

// take gives what waits.
func (f *figures) take() []figure {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.wait
	f.wait = nil
	return out
}

// seriesKey is one figure of one rank.
type seriesKey struct {
	mesh string
	rank int
	name string
}

// series are the newest points of each figure, in the order in which the figures came first.
type series struct {
	byKey *recent.Map[seriesKey, *kept]
	keys  []seriesKey
}

// kept is a series with the order of its newest point.
type kept struct {
	control.Series
	seq uint64
}

// takeFigures puts what a process reported into the series; it may speak only for its own ranks. The caller holds h.mu.
func (h *hub) takeFigures(proc uint64, list []figure) {
	for _, f := range list[:min(len(list), maxFigures)] {
		key := seriesKey{rank: -1, name: f.Name}
		if f.Mesh != 0 || proc != 0 {
			ref, ok := h.refIn(proc, f.Mesh)
			if !ok || f.Rank < 0 || f.Rank >= ref.Home.Len() || ref.First+uint64(ref.Home.RankAt(f.Rank)) != proc {
				continue
			}
			key.mesh, key.rank = ref.Name, f.Rank
		}
		if key.name = clean.OneLine(clip(f.Name, maxMetricName), maxMetricName); math.IsNaN(f.X+f.Y) || math.IsInf(f.X+f.Y, 0) {
			continue
		}
		h.series.add(key, f)
	}
}

func (s *series) add(key seriesKey, f figure) {
	if s.byKey == nil {
		s.byKey = recent.New[seriesKey, *kept](maxSeries)
	}
	one, known := s.byKey.Get(key)
	if !known {
		one = &kept{Series: control.Series{Mesh: key.mesh, Rank: key.rank, Name: key.name}}
		s.byKey.Put(key, one)
		s.keys = append(s.keys, key)
		if len(s.keys) > maxSeries { // the map has forgotten the first
			s.keys = slices.Delete(s.keys, 0, 1)
		}
	}
	at, there := slices.BinarySearch(one.X, f.X)
	switch {
	case f.Seq > one.seq:
		one.X, one.Y, one.seq = append(one.X[:at], f.X), append(one.Y[:at], f.Y), f.Seq
	case !there: // it was overtaken
		one.X, one.Y = slices.Insert(one.X, at, f.X), slices.Insert(one.Y, at, f.Y)
	}
	if cut := len(one.X) - maxPoints; cut > 0 {
		one.X, one.Y = slices.Delete(one.X, 0, cut), slices.Delete(one.Y, 0, cut)
		one.Older += uint64(cut)
	}
}

// sysFigures asks a process for the figures that wait there.
const sysFigures = "figures"

// gatherFigures has the processes of a mesh, or all, tell what waits there. One that does not answer within a second has told what
// it has.
func (h *hub) gatherFigures(ctx context.Context, mesh string) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	h.mu.Lock()
	var ps []*proc
	for _, p := range h.procs {
		if !p.over() && p.isReady() && (mesh == "" || h.meshes[mesh] != nil && h.meshes[mesh].procs == p.pm) {
			ps = append(ps, p)
		}
	}
	h.mu.Unlock()
	h.eachRank(ps, func(_ int, p *proc) error {
		var list []figure
		if p.local != nil {
			list = p.local.figures.take()
		} else if err := h.node.request(ctx, quicnet.Addr{Proc: p.id}, sysFigures, 0, &list); err != nil {
			return err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.takeFigures(p.id, list)
		return nil
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.takeFigures(0, h.node.figures.take())
}

// readMetrics gives the newest points of the series that are asked for.
func (h *hub) readMetrics(ctx context.Context, _ control.ClientInfo, r control.MetricsReq) ([]control.Series, error) {
	if r.Now {
		h.gatherFigures(ctx, r.Mesh)
	}
	most := defaultPoints
	if r.Last > 0 {
		most = min(r.Last, maxPoints)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []control.Series
	for _, key := range h.series.keys {
		one, _ := h.series.byKey.Get(key)
		if r.Mesh != "" && r.Mesh != key.mesh || r.Name != "" && r.Name != key.name || one == nil || len(out) == seriesOfOneAsk {
			continue
		}
		s := one.Series
		cut := max(0, len(s.X)-most)
		s.X, s.Y, s.Older = slices.Clone(s.X[cut:]), slices.Clone(s.Y[cut:]), s.Older+uint64(cut)
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b control.Series) int {
		return cmp.Or(cmp.Compare(a.Mesh, b.Mesh), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Rank, b.Rank))
	})
	return out, nil
}
