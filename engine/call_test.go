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
		if got := fmt.Sprint(vals.Values()); got != "[15 15 15 15]" {
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
		if got := fmt.Sprint(vals.Values()); got != "[107 107 107]" {
			t.Errorf("values %s", got)
		}
		// and back: the higher process asks the lower one to be dialled
		if err := engine.Action(b, (*Acc).Pair).Call(ctx, a); err != nil {
			t.Fatal(err)
		}
		if vals, err = engine.Method(b, (*Acc).AddToPeer).Call(ctx, 1); err != nil || fmt.Sprint(vals.Values()) != "[1 1 1]" {
			t.Errorf("values %v, %v", vals.Values(), err)
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
		if err != nil || fmt.Sprint(vals.Values()) != "[2 2 2]" {
			t.Errorf("six chosen calls went to %v, %v; want two on each rank", vals.Values(), err)
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
	if row.Extent().String() != "{gpus: 4}" || len(row.Values()) != 2 {
		t.Errorf("row of shape %v with %d values", row.Extent(), len(row.Values()))
	}
	pt := row.Extent().Point(1)
	if _, err := row.At(pt); !errors.Is(err, errBadRank) || !strings.Contains(err.Error(), "@acc[5]") {
		t.Errorf("At(%v) = %v, want the error of rank 5", pt, err)
	}
	if _, err := row.At(vals.Extent().Point(0)); err == nil {
		t.Error("a point of another shape was accepted")
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

// Several has endpoints with several arguments.
type Several struct{ said []string }

func (s *Several) Add(_ context.Context, a int, b string) (string, error) {
	return fmt.Sprint(a, b), refuse(a)
}
func (s *Several) Say(_ context.Context, who string, what any) error {
	s.said = append(s.said, fmt.Sprintf("%s %v", who, what))
	return nil
}
func (s *Several) Mix(_ context.Context, p *int, at time.Time, m map[string]any) (string, error) {
	return fmt.Sprint(p == nil, at.Unix(), m), nil
}
func (s *Several) Put(_ context.Context, a, b, c int) error { return refuse(a + b + c) }
func (s *Several) Said(context.Context) ([]string, error)   { return s.said, nil }

func TestEndpointsWithSeveralArgumentsHaveEveryAdverb(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		all := spawn(t, ctx, "several", 2, Several{})
		one := all.Slice(at(1))
		want := func(what string, got any, err error, wanted any) {
			t.Helper()
			if fmt.Sprint(got) != fmt.Sprint(wanted) || err != nil {
				t.Errorf("%s gave %v, %v; want %v", what, got, err, wanted)
			}
		}
		for _, add := range []func(m engine.Mesh[Several]) engine.BoundMethod2[int, string, string]{
			func(m engine.Mesh[Several]) engine.BoundMethod2[int, string, string] {
				return engine.Method2(m, (*Several).Add)
			},
			func(m engine.Mesh[Several]) engine.BoundMethod2[int, string, string] {
				return engine.Method2Named[int, string, string](m, "Add")
			},
		} {
			vm, err := add(all).Call(ctx, 1, "x")
			want("Call", vm.Values(), err, "[1x 1x]")
			v, err := add(one).CallOne(ctx, 2, "y")
			want("CallOne", v, err, "2y")
			v, err = add(all).Choose(ctx, 3, "z")
			want("Choose", v, err, "3z")
			want("Stream", streamed(t, add(all).Stream(ctx, 1, "")), nil, 2)
			vm, err = add(all).Start(ctx, 4, "w").All(ctx)
			want("Start", vm.Values(), err, "[4w 4w]")
			want("Broadcast", nil, add(all).Broadcast(ctx, 1, ""), nil)
		}
		say := engine.Action2(one, (*Several).Say)
		want("Action2", nil, say.CallOne(ctx, "a", map[string]any{"b": 1}), nil)
		want("Action2 by name", nil, engine.Action2Named[string, any](one, "Say").Broadcast(ctx, "c", nil), nil)
		said, err := engine.Query(one, (*Several).Said).CallOne(ctx)
		want("Said", said, err, "[a map[b:1] c <nil>]")
		mix, err := engine.Method3(one, (*Several).Mix).CallOne(ctx, nil, time.Unix(7, 0).In(time.FixedZone("", 30)), map[string]any{"k": []any{}})
		want("Method3", mix, err, "true 7 map[k:[]]")
		want("Action3", nil, engine.Action3(all, (*Several).Put).Call(ctx, 1, 2, 3), nil)
		for what, err := range map[string]error{
			"the arguments of Say do not encode: argument 2 (interface {}): an error in an any": say.Call(ctx, "x", errBadRank),
			"is (int, string) → (string, error); it was bound as (int) → (string, error)":       func() error { _, err := engine.MethodNamed[int, string](one, "Add").CallOne(ctx, 1); return err }(),
			"bad rank": engine.Action3Named[int, int, int](one, "Put").Call(ctx, -1, -2, -3),
		} {
			if err == nil || !strings.Contains(err.Error(), what) {
				t.Errorf("%v, want %s", err, what)
			}
		}
	})
}
