package engine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

func TestACallReturnsAValuePerRank(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		acc := spawn(t, ctx, "acc", 4, Acc{Start: 10})
		vals, err := engine.Method(acc, (*Acc).Add).Call(ctx, 5)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(vals.Answered()); got != "[15 15 15 15]" {
			t.Errorf("values %s, want 15 on each of 4 ranks", got)
		}
		one, err := engine.Query(acc.Slice(at(2)), (*Acc).Sum).CallOne(ctx)
		if err != nil || one != 15 {
			t.Errorf("CallOne on a slice gave %d, %v", one, err)
		}
	})
}

func TestOneRanksErrorKeepsTheOthersValues(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		acc := spawn(t, ctx, "acc", 4, Acc{})
		vals, err := engine.Method(acc, (*Acc).Add).Call(ctx, 1000)
		if !errors.Is(err, errBadRank) {
			t.Fatalf("error %v does not match the sentinel", err)
		}
		if want := "Add failed on 2 of 4 ranks of @acc: [1,3] add 1000: bad rank"; err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
		n := 0
		for p, v := range vals.Items() {
			n++
			if v != 1000 || p.Rank%2 != 0 {
				t.Errorf("value %d at %v", v, p)
			}
		}
		if n != 2 {
			t.Errorf("%d values, want 2", n)
		}
	})
}

func TestActorsCallEachOtherOverReferences(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		a, b := spawn(t, ctx, "a", 3, Acc{}), spawn(t, ctx, "b", 3, Acc{Start: 100})
		if err := engine.Action(a, (*Acc).Pair).Call(ctx, b); err != nil {
			t.Fatal(err)
		}
		vals, err := engine.Method(a, (*Acc).AddToPeer).Call(ctx, 7)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(vals.Answered()); got != "[107 107 107]" {
			t.Errorf("values %s", got)
		}
		// and back: the higher process asks the lower one to be dialled
		if err := engine.Action(b, (*Acc).Pair).Call(ctx, a); err != nil {
			t.Fatal(err)
		}
		if vals, err = engine.Method(b, (*Acc).AddToPeer).Call(ctx, 1); err != nil || fmt.Sprint(vals.Answered()) != "[1 1 1]" {
			t.Errorf("values %v, %v", vals.Answered(), err)
		}
	})
}

func TestAPanicFailsTheActorAndTellsItsCallers(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		acc := spawn(t, ctx, "acc", 2, Acc{})
		err := engine.Signal(acc.Slice(at(1)), (*Acc).Boom).CallOne(ctx)
		if err == nil || !strings.Contains(err.Error(), "panic: boom") {
			t.Fatalf("error %v, want the panic", err)
		}
		_, err = engine.Query(acc, (*Acc).Sum).Call(ctx)
		if !errors.Is(err, engine.ErrFailed) || !strings.Contains(err.Error(), "[1] @acc[1] panicked in Boom: boom") {
			t.Errorf("error %v, want rank 1 to be failed", err)
		}
	})
}

func local(t *testing.T) context.Context { t.Helper(); return enginetest.Local(t) }

// TestStartSendsInProgramOrder holds INV-ORDER.
func TestStartSendsInProgramOrder(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		seq := spawn(t, ctx, "seq", 2, Seq{})
		var futures []engine.Waiter
		for i := range 500 {
			if i%7 == 3 {
				if err := engine.Action(seq, (*Seq).Put).Broadcast(ctx, i); err != nil {
					t.Fatal(err)
				}
				continue
			}
			futures = append(futures, engine.Action(seq, (*Seq).Put).Start(ctx, i))
		}
		if err := engine.Wait(ctx, futures...); err != nil {
			t.Fatal(err)
		}
		vals, err := engine.Query(seq, (*Seq).Got).Call(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for p, got := range vals.Items() {
			if len(got) != 500 || !slices.IsSorted(got) {
				t.Errorf("%v got %d messages, sorted %v", p, len(got), slices.IsSorted(got))
			}
		}
	})
}

// Lone counts how many of its handlers run at a time.
type Lone struct{ inside, most, total atomic.Int32 }

// Enter is inside for a while.
func (l *Lone) Enter(context.Context) error {
	now := l.inside.Add(1)
	l.most.Store(max(l.most.Load(), now))
	for range 50 { // where another handler could run, it would now
		runtime.Gosched()
	}
	l.inside.Add(-1)
	l.total.Add(1)
	return nil
}

// Seen is how many ran at a time at most, and how many in all.
func (l *Lone) Seen(context.Context) ([2]int, error) {
	return [2]int{int(l.most.Load()), int(l.total.Load())}, nil
}

// TestAnActorHandlesOneMessageAtATime holds INV-ONE.
func TestAnActorHandlesOneMessageAtATime(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		lone := spawn(t, ctx, "lone", 1, Lone{})
		const callers, each = 8, 50
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for range each {
					if err := engine.Signal(lone, (*Lone).Enter).Call(ctx); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if seen, err := engine.Query(lone, (*Lone).Seen).CallOne(ctx); err != nil || seen != [2]int{1, callers * each} {
			t.Errorf("%d handlers ran at a time, %d in all: %v", seen[0], seen[1], err)
		}
	})
}

// TestAConcurrentEndpointAnswersWhileTheActorIsBusy holds INV-ONE: the exception of it.
func TestAConcurrentEndpointAnswersWhileTheActorIsBusy(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		seq := spawn(t, ctx, "seq", 1, Seq{})
		busy, free := context.WithCancel(ctx)
		hold := engine.Signal(seq, (*Seq).Hold).Start(busy)
		if n, err := engine.Query(seq, (*Seq).Peek).CallOne(ctx); err != nil || n != 0 {
			t.Errorf("Peek gave %d, %v", n, err)
		}
		free()
		if _, err := hold.All(ctx); !errors.Is(err, engine.ErrCancelled) || !errors.Is(err, context.Canceled) {
			t.Errorf("the held call ended with %v", err)
		}
		if err := engine.Action(seq, (*Seq).Put).Call(ctx, 1); err != nil {
			t.Errorf("after the cancelled call the actor does not go on: %v", err)
		}
	})
}

func TestADeadlineNamesTheRanksThatDidNotAnswer(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		acc := spawn(t, ctx, "acc", 3, Acc{})
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		err := engine.Signal(acc, (*Acc).Block).Call(short)
		if !errors.Is(err, engine.ErrDeadline) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v", err)
		}
		if want := "Block failed on 3 of 3 ranks of @acc: [0-2] no answer before the deadline"; err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
		if _, err := engine.Query(acc, (*Acc).Sum).Call(ctx); err != nil {
			t.Errorf("the handlers did not end with their contexts: %v", err)
		}
	})
}

func TestAWaitThatTimesOutConsumesNothing(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		acc := spawn(t, ctx, "acc", 1, Acc{})
		gate, open := context.WithCancel(ctx)
		block := engine.Signal(acc, (*Acc).Block).Start(gate)
		sum := engine.Method(acc, (*Acc).Add).Start(ctx, 3)
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		if _, err := sum.One(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the short wait ended with %v", err)
		}
		open()
		<-block.Done()
		if n, err := sum.One(ctx); err != nil || n != 3 {
			t.Errorf("the second wait gave %d, %v", n, err)
		}
	})
}

func TestCallOneAndChooseJudgeTheirMesh(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		acc := spawn(t, ctx, "acc", 3, Acc{})
		_, err := engine.Query(acc, (*Acc).Sum).CallOne(ctx)
		if err == nil || !strings.Contains(err.Error(), "which has 3 actors: slice it to one") {
			t.Errorf("CallOne on 3 ranks: %v", err)
		}
		for range 6 {
			if _, err := engine.Method(acc, (*Acc).Add).Choose(ctx, 1); err != nil {
				t.Fatal(err)
			}
		}
		vals, err := engine.Query(acc, (*Acc).Sum).Call(ctx)
		if err != nil || fmt.Sprint(vals.Answered()) != "[2 2 2]" {
			t.Errorf("six chosen calls went to %v, %v; want two on each rank", vals.Answered(), err)
		}
	})
}

func TestStreamYieldsEveryRankWithItsPoint(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		acc := spawn(t, ctx, "acc", 4, Acc{})
		var ok, bad []int
		for r, err := range engine.Method(acc, (*Acc).Add).Stream(ctx, 1000) {
			if err != nil {
				bad = append(bad, r.Rank)
				continue
			}
			ok = append(ok, r.Point.Rank)
		}
		slices.Sort(ok)
		slices.Sort(bad)
		if fmt.Sprint(ok, bad) != "[0 2] [1 3]" {
			t.Errorf("ok %v, failed %v", ok, bad)
		}
	})
}

func TestValueMeshSlicesLikeItsMesh(t *testing.T) {
	ctx := local(t)
	p, err := engine.SpawnProcs(ctx, engine.Dim("hosts", 2), engine.Dim("gpus", 4))
	if err != nil {
		t.Fatal(err)
	}
	acc := spawnOn(t, ctx, p, "acc", Acc{})
	vals, err := engine.Method(acc, (*Acc).Add).Call(ctx, 1000)
	if err == nil {
		t.Fatal("want errors on odd ranks")
	}
	row, err := vals.Slice(engine.At("hosts", 1))
	if err != nil {
		t.Fatal(err)
	}
	if row.Extent().String() != "{gpus: 4}" || len(row.Answered()) != 2 {
		t.Errorf("row of shape %v with %d values", row.Extent(), len(row.Answered()))
	}
	pt := row.Extent().Point(1)
	if _, err := row.At(pt); !errors.Is(err, errBadRank) || !strings.Contains(err.Error(), "@acc[5]") {
		t.Errorf("At(%v) = %v, want the error of rank 5", pt, err)
	}
	if _, err := row.At(vals.Extent().Point(0)); err == nil {
		t.Error("a point of another shape was accepted")
	}
}

func TestErrorsOfASlicedCallShowTheRankAndThePointOfTheSlice(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		p, err := engine.SpawnProcs(ctx, engine.Dim("hosts", 2), engine.Dim("gpus", 2))
		if err != nil {
			t.Fatal(err)
		}
		acc := spawnOn(t, ctx, p, "acc", Acc{})
		fails := func(m engine.Mesh[Acc]) error { return engine.Signal(m, (*Acc).Fail).Call(ctx) }
		row := acc.Slice(engine.At("hosts", 1))
		for want, err := range map[string]error{
			"Fail failed on 4 of 4 ranks of @acc: [0-3] bad rank":                      fails(acc),
			"Fail failed on 2 of 2 ranks of @acc: [0-1] bad rank":                      fails(acc.Slice(engine.At("hosts", 0))),
			"Fail failed on 2 of 2 ranks of @acc: [2-3] ([0-1] of the slice) bad rank": fails(row),
			"Fail failed on 2 of 2 ranks of @acc: [0,2] ([0-1] of the slice) bad rank": fails(acc.Slice(engine.At("gpus", 0))),
			"Fail failed on @acc[3] (gpus=0 of the slice): bad rank":                   fails(row.Slice(engine.Span("gpus", 1, 2))),
			"Fail failed on @acc[3]: bad rank":                                         fails(row.Slice(at(1))), // the slice has no dimension left
			"Add failed on 1 of 2 ranks of @acc: [3] (gpus=1 of the slice) add 1000: bad rank": func() error {
				_, err := engine.Method(row, (*Acc).Add).Call(ctx, 1000)
				return err
			}(),
		} {
			if err == nil || err.Error() != want {
				t.Errorf("%v\nwant %s", err, want)
			}
		}
		re, ok := errors.AsType[*engine.RankError](fails(row.Slice(engine.Span("gpus", 1, 2))))
		if !ok || re.Rank != 3 || re.Here.String() != "hosts=1,gpus=1" || re.Point.String() != "gpus=0" || re.Error() != "Fail on @acc[3] (gpus=0 of the slice): bad rank" {
			t.Errorf("%+v", re)
		}
		if err := acc.Kill(ctx); err != nil {
			t.Fatal(err)
		}
		if err := engine.Signal(row, (*Acc).Fail).Broadcast(ctx); err == nil || !strings.Contains(err.Error(), "[2-3] ([0-1] of the slice) @acc was ") {
			t.Errorf("a broadcast to a slice: %v", err)
		}
	})
}

func TestAMeshCanBeGivenOtherDimensions(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		p, err := engine.SpawnProcs(ctx, engine.Name("p"), engine.Dim("hosts", 2), engine.Dim("gpus", 4))
		if err != nil {
			t.Fatal(err)
		}
		acc := spawnOn(t, ctx, p, "acc", Acc{})
		split := engine.Extent{{Name: "dp", Size: 2}, {Name: "tp"}} // tp follows
		for _, c := range []struct {
			m           engine.Mesh[Acc]
			extent, bad string
			ranks       string
		}{
			{m: acc.Split("gpus", split), extent: "{hosts: 2, dp: 2, tp: 2}", ranks: "[0 1 2 3 4 5 6 7]"},
			{m: acc.Split("gpus", split).Slice(engine.At("tp", 1)), extent: "{hosts: 2, dp: 2}", ranks: "[1 3 5 7]"},
			{m: acc.Rename("hosts", "nodes"), extent: "{nodes: 2, gpus: 4}", ranks: "[0 1 2 3 4 5 6 7]"},
			{m: acc.Flatten("i"), extent: "{i: 8}", ranks: "[0 1 2 3 4 5 6 7]"},
			{m: acc.Slice(engine.At("hosts", 1)).Flatten("i"), extent: "{i: 4}", ranks: "[4 5 6 7]"},
			{m: acc.Select("gpus=2, hosts=0:2"), extent: "{hosts: 2}", ranks: "[2 6]"},
			{m: acc.Select("*").Select("hosts=1").Select("1-2"), extent: "{gpus: 2}", ranks: "[5 6]"},
			{m: acc.Split("gpus", engine.Extent{{Name: "a", Size: 3}, {Name: "b"}}), bad: "@acc: split gpus: {a: 3, b: 0} does not divide 4 evenly"},
			{m: acc.Split("gpu", split), bad: "@acc: split: no dimension gpu in {hosts: 2, gpus: 4}"},
			{m: acc.Rename("hosts", "gpus"), bad: "@acc: rename hosts: dimension gpus appears twice"},
			{m: acc.Slice(at(1)).Flatten("i"), bad: "@acc: cannot flatten sparse mesh"},
			{m: acc.Select("gpus="), bad: `select from @acc: selection "gpus=": want an index, but the text ends (column 6)`},
			{m: acc.Select("gpus=7"), bad: "select from @acc: gpus=7 is out of range: gpus has 0 to 3"},
			{m: acc.Select("gpus=(0,1,3)"), bad: "it takes 2, gpus=0:2 and gpus=3"},
			{m: engine.Mesh[Acc]{}.Flatten("i"), bad: "an empty engine.Mesh"},
		} {
			if c.bad != "" {
				if err := c.m.Err(); err == nil || !strings.Contains(err.Error(), c.bad) {
					t.Errorf("%v\nwant %s", err, c.bad)
				}
				continue
			}
			vm, err := engine.Query(c.m, (*Acc).Rank).Call(ctx)
			ranks, _ := vm.Values()
			if err != nil || fmt.Sprint(ranks) != c.ranks || c.m.Extent().String() != c.extent || vm.Extent().String() != c.extent {
				t.Errorf("%v of shape %v: %v of shape %v, %v; want %s of %s", c.m, c.m.Extent(), ranks, vm.Extent(), err, c.ranks, c.extent)
			}
		}
		if s, err := engine.ParseSel("hosts=1"); err != nil || acc.Slice(s, at(2)).String() != "@acc[hosts=1,gpus=2]" {
			t.Errorf("%v, %v", s, err)
		}
		// and processes likewise: what is spawned there has their shape
		grid := p.Flatten("i").Split("i", engine.Extent{{Name: "x", Size: 4}, {Name: "y", Size: 2}}).Rename("y", "z").Select("x=1:3")
		m := spawnOn(t, ctx, grid, "on_grid", Acc{})
		vm, err := engine.Query(m, (*Acc).Where).Call(ctx)
		if got, _ := vm.Values(); err != nil || fmt.Sprint(got) != "[x=0,z=0 x=0,z=1 x=1,z=0 x=1,z=1]" {
			t.Errorf("%v, %v", got, err)
		}
		if err := p.Slice(at(0)).Flatten("i").Err(); err == nil || !strings.Contains(err.Error(), "procs p: cannot flatten sparse mesh") {
			t.Error(err)
		}
		if err := acc.Flatten("i").Stop(ctx); err != nil { // it is the whole mesh still
			t.Error(err)
		}
	})
}

func TestAFailedRankShiftsNoValues(t *testing.T) {
	ctx := local(t)
	p, err := engine.SpawnProcs(ctx, engine.Dim("hosts", 2), engine.Dim("gpus", 4))
	if err != nil {
		t.Fatal(err)
	}
	acc := spawnOn(t, ctx, p, "acc", Acc{})
	some, err := engine.Method(acc, (*Acc).Add).Call(ctx, 1000) // odd ranks refuse
	if err == nil {
		t.Fatal("want errors on odd ranks")
	}
	if vals, err := some.Values(); vals != nil || err == nil || err.Error() != "Add failed on 4 of 8 ranks of @acc: [1,3,5,7] add 1000: bad rank" {
		t.Errorf("Values gave %v, %v", vals, err)
	}
	if got := fmt.Sprint(some.Answered()); got != "[1000 1000 1000 1000]" {
		t.Errorf("Answered gave %s", got)
	}
	row, err := some.Select("hosts=1")
	if err != nil {
		t.Fatal(err)
	}
	cells, err := row.Split("gpus", engine.Extent{{Name: "a", Size: 2}, {Name: "b", Size: 2}})
	if err != nil || cells.Extent().String() != "{a: 2, b: 2}" {
		t.Fatalf("%v, %v", cells.Extent(), err)
	}
	flat, err := cells.Flatten("i")
	if err != nil || flat.Extent().String() != "{i: 4}" {
		t.Fatalf("%v, %v", flat.Extent(), err)
	}
	named, err := flat.Rename("i", "j")
	if err != nil || named.Extent().String() != "{j: 4}" {
		t.Fatalf("%v, %v", named.Extent(), err)
	}
	for _, v := range []engine.ValueMesh[int]{row, cells, flat, named} {
		if x, err := v.AtRank(6); err != nil || x != 1000 {
			t.Errorf("rank 6: %d, %v", x, err)
		}
		if _, err := v.AtRank(5); !errors.Is(err, errBadRank) || !strings.Contains(err.Error(), "@acc[5]") {
			t.Errorf("rank 5: %v", err)
		}
		for _, rank := range []int{0, 8, -1} {
			if _, err := v.AtRank(rank); err == nil || err.Error() != fmt.Sprintf("no value of rank %d: this ValueMesh holds the ranks [4-7] of @acc", rank) {
				t.Errorf("rank %d: %v", rank, err)
			}
		}
	}
	row, err = engine.Query(acc.Slice(at(2)), (*Acc).Sum).Call(ctx) // rank 6 is index 1 of what was called
	if x, err2 := row.AtRank(6); err != nil || err2 != nil || x != 1000 {
		t.Errorf("rank 6 of a slice: %d, %v, %v", x, err, err2)
	}
	if vals, err := row.Values(); err != nil || fmt.Sprint(vals) != "[1000 1000]" {
		t.Errorf("Values gave %v, %v", vals, err)
	}
	var none engine.ValueMesh[int]
	if _, err := none.Values(); err == nil {
		t.Error("the values of no call")
	}
	if _, err := none.AtRank(0); err == nil {
		t.Error("a value of no call")
	}
}

func TestArgumentsThatDoNotEncodeAreErrorsOfTheCall(t *testing.T) {
	ctx := local(t)
	acc := spawn(t, ctx, "acc", 2, Acc{})
	err := engine.Action(acc, (*Acc).Pair).Call(ctx, acc.Slice(at(7)))
	if err == nil || !strings.Contains(err.Error(), "does not encode") || !strings.Contains(err.Error(), "gpus") {
		t.Errorf("error %v", err)
	}
	var empty engine.Mesh[Acc]
	if _, err := engine.Query(empty, (*Acc).Sum).Call(ctx); err == nil || !strings.Contains(err.Error(), "never assigned") {
		t.Errorf("call on an empty mesh: %v", err)
	}
	var unbound engine.BoundQuery[int]
	if _, err := unbound.Call(ctx); err == nil || !strings.Contains(err.Error(), "never assigned") {
		t.Errorf("calling what was never bound: %v", err)
	}
	if err := unbound.Broadcast(ctx); err == nil || !strings.Contains(err.Error(), "never assigned") {
		t.Errorf("broadcasting what was never bound: %v", err)
	}
	if _, err := engine.Query(acc, (*Acc).Sum).Call(context.Background()); !errors.Is(err, engine.ErrNoEngine) {
		t.Errorf("call without an engine: %v", err)
	}
}

func TestABodyLargerThanAFrameIsRefusedWithTheSizes(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		seq := spawn(t, ctx, "seq", 1, Seq{})
		_ = seq
		acc := spawn(t, ctx, "acc", 1, Acc{})
		if err := engine.Action(acc, (*Acc).Say).Call(ctx, strings.Repeat("x", 20<<20)); err == nil || !strings.Contains(err.Error(), "limit") {
			t.Errorf("error %v", err)
		}
		if err := engine.Action(acc, (*Acc).Say).Call(ctx, "still here"); err != nil {
			t.Error(err)
		}
	})
}
