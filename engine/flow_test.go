package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

// registerFlow registers the actors of this file.
func registerFlow() {
	engine.Register[Sink](engine.Concurrent((*Sink).Side))
}

// Sink takes numbered messages of all sizes.
type Sink struct {
	got  []int
	next engine.Mesh[Sink]
}

// Item is a numbered message.
type Item struct {
	N    int
	Body []byte
}

func (s *Sink) Put(_ context.Context, it Item) error {
	if len(it.Body) > 0 && bytes.Count(it.Body, []byte{byte(it.N)}) != len(it.Body) {
		return errors.New("a body was damaged on its way")
	}
	s.got = append(s.got, it.N)
	return nil
}

func (s *Sink) Next(_ context.Context, m engine.Mesh[Sink]) error { s.next = m; return nil }

// Feed sends n items on, in three ways and all sizes.
func (s *Sink) Feed(ctx context.Context, n int) error { return feed(ctx, s.next, n) }

func feed(ctx context.Context, m engine.Mesh[Sink], n int) error {
	var futures []engine.Waiter
	for i := range n {
		it := Item{N: i}
		if i%10 == 0 {
			it.Body = bytes.Repeat([]byte{byte(i)}, 100<<10+i)
		}
		switch {
		case i%3 == 0:
			if err := engine.Action(m, (*Sink).Put).Broadcast(ctx, it); err != nil {
				return err
			}
		case i%50 == 49:
			if err := engine.Action(m, (*Sink).Put).Call(ctx, it); err != nil {
				return err
			}
		default:
			futures = append(futures, engine.Action(m, (*Sink).Put).Start(ctx, it))
		}
	}
	return engine.Wait(ctx, futures...)
}

// Sorted tells how many came, and whether in order.
func (s *Sink) Sorted(context.Context) (string, error) {
	for i, n := range s.got {
		if i != n {
			return fmt.Sprintf("item %d came as number %d", n, i), nil
		}
	}
	return fmt.Sprint(len(s.got), " in order"), nil
}

// Stick waits for its context.
func (s *Sink) Stick(ctx context.Context) error { <-ctx.Done(); return nil }

// Deaf ignores its context.
func (s *Sink) Deaf(ctx context.Context, d time.Duration) error { time.Sleep(d); return nil }

// Side is concurrent and waits for its context.
func (s *Sink) Side(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// Boom panics.
func (s *Sink) Boom(context.Context) error { panic("boom") }

// Flood broadcasts n messages on and tells how that ended.
func (s *Sink) Flood(ctx context.Context, n int) error {
	for range n {
		if err := engine.Signal(s.next, (*Sink).Nothing).Broadcast(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Nothing does nothing.
func (s *Sink) Nothing(context.Context) error { return nil }

// TestMessagesOfOneSenderKeepTheirOrderWhateverTheirSize holds INV-ORDER.
func TestMessagesOfOneSenderKeepTheirOrderWhateverTheirSize(t *testing.T) {
	const n = 200
	both(t, func(t *testing.T, ctx context.Context) {
		a, b := spawn(t, ctx, "a", 1, Sink{}), spawn(t, ctx, "b", 2, Sink{})
		if err := feed(ctx, a, n); err != nil {
			t.Fatal(err)
		}
		if err := engine.Action(a, (*Sink).Next).Call(ctx, b); err != nil {
			t.Fatal(err)
		}
		if err := engine.Action(a, (*Sink).Feed).Call(ctx, n); err != nil { // worker to worker
			t.Fatal(err)
		}
		for _, m := range []engine.Mesh[Sink]{a, b} {
			vm, err := engine.Query(m, (*Sink).Sorted).Call(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for p, got := range vm.Items() {
				if got != fmt.Sprint(n, " in order") {
					t.Errorf("%v %v: %s", m, p, got)
				}
			}
		}
	})
}

// TestABroadcastToAStuckActorWaitsForAPlaceUntilItsContextEnds holds INV-BOUND.
func TestABroadcastToAStuckActorWaitsForAPlaceUntilItsContextEnds(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := spawn(t, ctx, "m", 1, Sink{})
		stuck, free := context.WithCancel(ctx)
		defer free()
		hold := engine.Signal(m, (*Sink).Stick).Start(stuck)
		sent, err := 0, error(nil)
		for ; err == nil && sent < 10_000; sent++ {
			short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
			if sent < 4000 {
				short = ctx // no clock while there must be room
			}
			err = engine.Signal(m, (*Sink).Nothing).Broadcast(short)
			cancel()
		}
		if sent-1 != 4095 || !errors.Is(err, engine.ErrDeadline) {
			t.Errorf("%d broadcasts went out, then %v; want 4095 beside the held call, then the deadline", sent-1, err)
		}
		if err == nil || !strings.Contains(err.Error(), "4096 messages wait at this actor already") {
			t.Errorf("error %v does not say why it waited", err)
		}
		free()
		<-hold.Done()
		if err := engine.Signal(m, (*Sink).Nothing).Call(ctx); err != nil {
			t.Errorf("the actor did not recover: %v", err)
		}
		for range 3 * 4096 { // every place came back
			if err := engine.Signal(m, (*Sink).Nothing).Broadcast(ctx); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestCancelledCallsGiveTheirPlacesBack(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := spawn(t, ctx, "m", 1, Sink{})
		for range 3 { // 3 × 2,000 are more than the window
			stuck, free := context.WithCancel(ctx)
			hold := engine.Signal(m, (*Sink).Stick).Start(stuck)
			many, cancel := context.WithCancel(ctx)
			var futures []*engine.Future[engine.None]
			for range 2000 {
				futures = append(futures, engine.Signal(m, (*Sink).Nothing).Start(many))
			}
			cancel()
			for _, f := range futures {
				<-f.Done()
			}
			free()
			<-hold.Done()
		}
		if err := engine.Signal(m, (*Sink).Nothing).Call(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestTwoActorsThatFloodEachOtherEndWithTheirContextsAndGoOn(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		a, b := spawn(t, ctx, "a", 1, Sink{}), spawn(t, ctx, "b", 1, Sink{})
		if err := errors.Join(engine.Action(a, (*Sink).Next).Call(ctx, b), engine.Action(b, (*Sink).Next).Call(ctx, a)); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		defer cancel()
		fa := engine.Action(a, (*Sink).Flood).Start(short, 50_000)
		fb := engine.Action(b, (*Sink).Flood).Start(short, 50_000)
		<-fa.Done()
		<-fb.Done()
		for _, m := range []engine.Mesh[Sink]{a, b} {
			if err := engine.Signal(m, (*Sink).Nothing).Call(ctx); err != nil {
				t.Errorf("%v does not go on: %v", m, err)
			}
		}
	})
}

// TestEveryCallToAKilledWorkerHasOneOutcome holds INV-OUTCOME.
func TestEveryCallToAKilledWorkerHasOneOutcome(t *testing.T) {
	ctx := enginetest.Processes(t)
	if err := handleAll(ctx); err != nil {
		t.Fatal(err)
	}
	p := procs(t, ctx, "p", 2)
	m := spawnOn(t, ctx, p, "m", Sink{})
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	hold := engine.Signal(m, (*Sink).Stick).Start(ctx)
	futures := []*engine.Future[engine.None]{hold}
	for range 2500 { // on two ranks: 5,000 messages
		futures = append(futures, engine.Action(m, (*Sink).Put).Start(ctx, Item{Body: make([]byte, 100)}))
	}
	if err := p.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	for i, f := range futures {
		vm, err := f.All(ctx)
		me, ok := errors.AsType[*engine.MeshError](err)
		if !ok || len(me.Failed) != 2 || len(vm.Answered()) != 0 || !errors.Is(err, engine.ErrLost) {
			t.Fatalf("call %d ended with %v", i, err)
		}
	}
	clear(futures)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("the heap kept %d KiB of calls that are over", grown>>10)
	}
}

// TestEveryCallHasOneOutcomeWhenTheEngineCloses holds INV-OUTCOME.
func TestEveryCallHasOneOutcomeWhenTheEngineCloses(t *testing.T) {
	for _, opts := range [][]engine.Option{{engine.NoSession(), engine.AllInProcess()}, {engine.NoSession()}} {
		e, err := engine.Start(t.Context(), opts...)
		if err != nil {
			t.Fatal(err)
		}
		ctx := e.Context()
		m := spawn(t, ctx, "m", 3, Sink{})
		var futures []*engine.Future[engine.None]
		for range 100 {
			futures = append(futures, engine.Action(m, (*Sink).Put).Start(ctx, Item{}))
		}
		go e.Close()
		for _, f := range futures {
			<-f.Done()
		}
		e.Close()
	}
}

// TestACancellationThatRacesTheRepliesLeavesOneOutcomePerRank holds INV-OUTCOME.
func TestACancellationThatRacesTheRepliesLeavesOneOutcomePerRank(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := spawn(t, ctx, "m", 4, Sink{})
		for i := range 300 {
			racing, cancel := context.WithCancel(ctx)
			f := engine.Query(m, (*Sink).Sorted).Start(racing)
			go func() {
				for range i % 20 {
					runtime.Gosched()
				}
				cancel()
			}()
			vm, err := f.All(ctx)
			failed := 0
			if me, ok := errors.AsType[*engine.MeshError](err); ok {
				failed = len(me.Failed)
			}
			if failed+len(vm.Answered()) != 4 {
				t.Fatalf("%d values and %d errors for 4 ranks: %v", len(vm.Answered()), failed, err)
			}
		}
	})
}

func TestAStreamNamesEveryRankWhenItsContextEnds(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := spawn(t, ctx, "m", 3, Sink{})
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		n := 0
		for _, err := range engine.Action(m, (*Sink).Side).Stream(short, time.Hour) {
			if _, ok := errors.AsType[*engine.RankError](err); !ok || !errors.Is(err, engine.ErrDeadline) {
				t.Errorf("error %v", err)
			}
			n++
		}
		if n != 3 {
			t.Errorf("%d outcomes for 3 ranks", n)
		}
	})
}

func TestACallUnderAnEndedContextSendsNothing(t *testing.T) {
	ctx := local(t)
	m := spawn(t, ctx, "m", 2, Sink{})
	dead, cancel := context.WithCancel(ctx)
	cancel()
	if err := engine.Action(m, (*Sink).Put).Call(dead, Item{}); !errors.Is(err, engine.ErrCancelled) {
		t.Errorf("call: %v", err)
	}
	if err := engine.Action(m, (*Sink).Put).Broadcast(dead, Item{}); !errors.Is(err, engine.ErrCancelled) || !strings.Contains(err.Error(), "it was not sent: context canceled") {
		t.Errorf("broadcast: %v", err)
	}
	if got, err := engine.Query(m.Slice(at(0)), (*Sink).Sorted).CallOne(ctx); err != nil || got != "0 in order" {
		t.Errorf("the actor got %s, %v", got, err)
	}
}

// TestAPanicLeavesNoOtherCallWithoutAnOutcome holds INV-OUTCOME.
func TestAPanicLeavesNoOtherCallWithoutAnOutcome(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		if err := handleAll(ctx); err != nil {
			t.Fatal(err)
		}
		m := spawn(t, ctx, "m", 1, Sink{})
		var beside []*engine.Future[engine.None]
		for range 50 {
			beside = append(beside, engine.Action(m, (*Sink).Side).Start(ctx, time.Hour))
		}
		boom := engine.Signal(m, (*Sink).Boom).Start(ctx)
		queued := engine.Signal(m, (*Sink).Nothing).Start(ctx)
		if _, err := boom.All(ctx); err == nil || !strings.Contains(err.Error(), "panic: boom") {
			t.Errorf("the panic: %v", err)
		}
		if _, err := queued.All(ctx); !errors.Is(err, engine.ErrFailed) {
			t.Errorf("the queued call: %v", err)
		}
		for _, f := range beside {
			<-f.Done() // ended with the actor's context, or refused
		}
	})
}

// bubble runs f on in-process meshes under virtual time.
func bubble(t *testing.T, f func(t *testing.T, ctx context.Context)) {
	synctest.Test(t, func(t *testing.T) { f(t, enginetest.Local(t)) })
}

func TestHalfAnHourPassesAtOnceInABubble(t *testing.T) {
	began := time.Now()
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := spawn(t, ctx, "m", 2, Acc{})
		long, cancel := engine.WithTimeout(ctx, 30*time.Minute)
		defer cancel()
		if err := engine.Signal(m, (*Acc).Block).Call(long); !errors.Is(err, engine.ErrDeadline) {
			t.Errorf("error %v", err)
		}
	})
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestAStopGivesAHandlerTenSecondsThenItsCallerAnOutcome holds INV-OUTCOME.
func TestAStopGivesAHandlerTenSecondsThenItsCallerAnOutcome(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := spawn(t, ctx, "m", 1, Sink{})
		ignoreFailures := engine.Action(m, (*Sink).Deaf).Start(ctx, time.Minute)
		synctest.Wait()
		began := time.Now()
		err := m.Stop(ctx)
		if err == nil || !strings.Contains(err.Error(), "a handler did not end") {
			t.Errorf("stop: %v", err)
		}
		if took := time.Since(began); took < 10*time.Second || took > 14*time.Second {
			t.Errorf("stop took %v, want 10 s to drain and 3 to give up", took)
		}
		if _, err := ignoreFailures.All(ctx); !errors.Is(err, engine.ErrLost) || !errors.Is(err, engine.ErrStopped) {
			t.Errorf("the ignoreFailures call ended with %v", err)
		}
		time.Sleep(time.Minute) // virtual: the handler ends
	})
}

func TestACancelledLastMessageEndsADrainAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := spawn(t, ctx, "m", 1, Sink{})
		first, free := context.WithCancel(ctx)
		defer free()
		engine.Signal(m, (*Sink).Stick).Start(first)
		second, drop := context.WithCancel(ctx)
		defer drop()
		engine.Signal(m, (*Sink).Stick).Start(second)
		synctest.Wait()
		time.AfterFunc(time.Second, free)
		time.AfterFunc(time.Second, drop)
		began := time.Now()
		if err := m.Stop(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("stop took %v, want 1 s", took)
		}
	})
}

func TestTwoStopsAtOnceBothWaitForTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := spawn(t, ctx, "m", 1, Sink{})
		engine.Action(m, (*Sink).Deaf).Start(ctx, 5*time.Second)
		synctest.Wait()
		began := time.Now()
		ends := make(chan error, 2)
		for range 2 {
			go func() { ends <- m.Stop(ctx) }()
		}
		for range 2 {
			if err := <-ends; err != nil && !errors.Is(err, engine.ErrStopped) {
				t.Error(err)
			}
			if took := time.Since(began); took != 5*time.Second {
				t.Errorf("a stop returned after %v, want 5 s", took)
			}
		}
	})
}

func TestAKillWaitsForNoHandler(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		p := procs(t, ctx, "p", 2)
		m := spawnOn(t, ctx, p, "m", Sink{})
		deaf := engine.Action(m, (*Sink).Deaf).Start(ctx, time.Minute)
		synctest.Wait()
		began := time.Now()
		if err := p.Kill(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("the kill took %v", took)
		}
		if _, err := deaf.All(ctx); !errors.Is(err, engine.ErrLost) || !errors.Is(err, engine.ErrStopped) {
			t.Errorf("the call ended with %v", err)
		}
		time.Sleep(time.Minute) // virtual: the handlers end
	})
}

// The end of a context that many calls have had is watched for all of them, by one goroutine.
func TestTheEndOfAMuchUsedContextEndsEveryCall(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := spawn(t, ctx, "acc", 2, Acc{})
		often, end := context.WithCancel(ctx)
		for range 100 {
			if _, err := engine.Method(m.Slice(engine.At("gpus", 0)), (*Acc).Add).CallOne(often, 1); err != nil {
				t.Fatal(err)
			}
		}
		errs := make(chan error)
		for range 8 {
			go func() { errs <- engine.Signal(m, (*Acc).Block).Call(often) }()
		}
		for range 8 {
			go func() { errs <- engine.Signal(m.Slice(engine.At("gpus", 1)), (*Acc).Block).CallOne(often) }()
		}
		end()
		for range 16 {
			if err := <-errs; !errors.Is(err, engine.ErrCancelled) || !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want cancelled", err)
			}
		}
		if err := engine.Signal(m, (*Acc).Block).Call(often); !errors.Is(err, context.Canceled) {
			t.Errorf("after its end: %v", err)
		}
	})
}
