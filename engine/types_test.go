package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
	"github.com/monarch-tui/monarch-tui/engine/testdata/twin"
)

// registerTypes registers the actors of this file.
func registerTypes() {
	engine.Register[Forms]()
	engine.Register[Box[int]]()
	engine.Register[Box[twin.Acc]]()
	engine.Register[twin.Acc]()
	engine.Register[Derived]()
	engine.Register[Left]()
	engine.Register[Right]()
	engine.Register[Carrier]()
	engine.Register[Several]()
	engine.Register[Vanishing](engine.NotEndpoint((*Vanishing).Helper), engine.NotEndpoint((*Vanishing).Meant))
}

// Forms has an endpoint of each form, on a value receiver.
type Forms struct{ By int }

func (f Forms) Method(_ context.Context, n int) (int, error) { return n * f.By, nil }
func (f Forms) Action(_ context.Context, n int) error        { return refuse(n) }
func (f Forms) Query(context.Context) (int, error)           { return f.By, nil }
func (f Forms) Signal(context.Context) error                 { return nil }

func refuse(n int) error {
	if n < 0 {
		return errBadRank
	}
	return nil
}

// Box is a generic actor.
type Box[T any] struct{ Val T }

func (b *Box[T]) Get(context.Context) (T, error)       { return b.Val, nil }
func (b *Box[T]) Set(_ context.Context, v T) error     { b.Val = v; return nil }
func (b *Box[T]) Kind(context.Context) (string, error) { return fmt.Sprintf("%T", b.Val), nil }

// getOf cannot name the method expression of a type it does not know; the name does.
func getOf[R, T any](ctx context.Context, m engine.Mesh[T]) (R, error) {
	return engine.QueryNamed[R](m, "Get").CallOne(ctx)
}

// Base is embedded.
type Base struct{ Greeting string }

func (b *Base) Greet(_ context.Context, who string) (string, error) {
	return b.Greeting + " " + who, nil
}

// Derived gets its endpoint from Base.
type Derived struct{ Base }

// Left and Right refer to each other.
type Left struct{ right engine.Mesh[Right] }

func (l *Left) Meet(_ context.Context, r engine.Mesh[Right]) error { l.right = r; return nil }
func (l *Left) Ask(ctx context.Context, n int) (int, error) {
	return engine.Method(l.right, (*Right).Double).CallOne(ctx, n)
}

// Right is Left's other half.
type Right struct{ left engine.Mesh[Left] }

func (r *Right) Meet(_ context.Context, l engine.Mesh[Left]) error { r.left = l; return nil }
func (r *Right) Double(_ context.Context, n int) (int, error)      { return 2 * n, nil }
func (r *Right) Friend(context.Context) (engine.Mesh[Left], error) { return r.left, nil }
func (r *Right) Pair(context.Context) (struct{ L engine.Mesh[Left] }, error) {
	return struct{ L engine.Mesh[Left] }{r.left}, nil
}

// adverbs runs the six adverbs of a binder on a mesh of one and of three.
func streamed[R any](t *testing.T, seq func(func(engine.Reply[R], error) bool)) (n int) {
	t.Helper()
	for _, err := range seq {
		if err != nil {
			t.Error(err)
		}
		n++
	}
	return n
}

func TestEveryBinderHasEveryAdverb(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		all := spawn(t, ctx, "forms", 3, Forms{By: 7})
		one := all.Slice(at(1))
		ok := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		want := func(what string, got, want any) {
			t.Helper()
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s gave %v, want %v", what, got, want)
			}
		}
		type method = engine.BoundMethod[int, int]
		for _, m := range []func(engine.Mesh[Forms]) method{
			func(m engine.Mesh[Forms]) method { return engine.Method(m, (*Forms).Method) },
			func(m engine.Mesh[Forms]) method { return engine.MethodNamed[int, int](m, "Method") },
		} {
			vm, err := m(all).Call(ctx, 6)
			ok("Method.Call", err)
			want("Method.Call", vm.Answered(), "[42 42 42]")
			v, err := m(one).CallOne(ctx, 2)
			ok("Method.CallOne", err)
			want("Method.CallOne", v, 14)
			v, err = m(all).Choose(ctx, 3)
			ok("Method.Choose", err)
			want("Method.Choose", v, 21)
			want("Method.Stream", streamed(t, m(all).Stream(ctx, 1)), 3)
			ok("Method.Broadcast", m(all).Broadcast(ctx, 1))
			vm, err = m(all).Start(ctx, 0).All(ctx)
			ok("Method.Start", err)
			want("Method.Start", vm.Answered(), "[0 0 0]")
		}
		for _, m := range []func(engine.Mesh[Forms]) engine.BoundAction[int]{
			func(m engine.Mesh[Forms]) engine.BoundAction[int] { return engine.Action(m, (*Forms).Action) },
			func(m engine.Mesh[Forms]) engine.BoundAction[int] { return engine.ActionNamed[int](m, "Action") },
		} {
			ok("Action.Call", m(all).Call(ctx, 6))
			ok("Action.CallOne", m(one).CallOne(ctx, 2))
			ok("Action.Choose", m(all).Choose(ctx, 3))
			want("Action.Stream", streamed(t, m(all).Stream(ctx, 1)), 3)
			ok("Action.Broadcast", m(all).Broadcast(ctx, 1))
			_, err := m(all).Start(ctx, 0).All(ctx)
			ok("Action.Start", err)
		}
		for _, m := range []func(engine.Mesh[Forms]) engine.BoundQuery[int]{
			func(m engine.Mesh[Forms]) engine.BoundQuery[int] { return engine.Query(m, (*Forms).Query) },
			func(m engine.Mesh[Forms]) engine.BoundQuery[int] { return engine.QueryNamed[int](m, "Query") },
		} {
			vm, err := m(all).Call(ctx)
			ok("Query.Call", err)
			want("Query.Call", vm.Answered(), "[7 7 7]")
			v, err := m(one).CallOne(ctx)
			ok("Query.CallOne", err)
			want("Query.CallOne", v, 7)
			v, err = m(all).Choose(ctx)
			ok("Query.Choose", err)
			want("Query.Choose", v, 7)
			want("Query.Stream", streamed(t, m(all).Stream(ctx)), 3)
			ok("Query.Broadcast", m(all).Broadcast(ctx))
			_, err = m(all).Start(ctx).All(ctx)
			ok("Query.Start", err)
		}
		for _, m := range []func(engine.Mesh[Forms]) engine.BoundSignal{
			func(m engine.Mesh[Forms]) engine.BoundSignal { return engine.Signal(m, (*Forms).Signal) },
			func(m engine.Mesh[Forms]) engine.BoundSignal { return engine.SignalNamed(m, "Signal") },
		} {
			ok("Signal.Call", m(all).Call(ctx))
			ok("Signal.CallOne", m(one).CallOne(ctx))
			ok("Signal.Choose", m(all).Choose(ctx))
			want("Signal.Stream", streamed(t, m(all).Stream(ctx)), 3)
			ok("Signal.Broadcast", m(all).Broadcast(ctx))
			_, err := m(all).Start(ctx).All(ctx)
			ok("Signal.Start", err)
		}
	})
}

func TestABindingThatCannotWorkSaysWhatWould(t *testing.T) {
	ctx := local(t)
	m := spawn(t, ctx, "forms", 1, Forms{})
	check := func(err error, want ...string) {
		t.Helper()
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("error %v does not say %q", err, w)
			}
		}
	}
	check(engine.SignalNamed(m, "Signl").Call(ctx), "has no endpoint Signl", "Signal")
	check(engine.ActionNamed[string](m, "Action").Call(ctx, "x"), "endpoint Action of", "is (int) → error", "bound as (string) → error")
	check(engine.Signal(m, func(*Forms, context.Context) error { return nil }).Call(ctx), "is not an endpoint of", "MethodNamed")
	if _, err := engine.Spawn(ctx, procs(t, ctx, "q", 1), "u", struct{ Unregistered }{}.Unregistered); err == nil || !strings.Contains(err.Error(), "engine.Register[engine_test.Unregistered]()") {
		t.Errorf("spawn of an unregistered type: %v", err)
	}
	for name, want := range map[string]string{"": `spawn "": actor mesh: the name is empty: want a letter`, "a\n": `spawn "a\n": actor mesh name "a\n": want a letter`} {
		if _, err := engine.Spawn(ctx, procs(t, ctx, fmt.Sprintf("q%d", len(name)), 1), name, Forms{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("spawn of %q: %v, want %s", name, err, want)
		}
	}
}

// Unregistered is never registered.
type Unregistered struct{}

func TestGenericPromotedAndMutualActorsWork(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		p := procs(t, ctx, "p", 1)
		box := spawnOn(t, ctx, p, "box", Box[int]{Val: 5})
		if v, err := engine.Query(box, (*Box[int]).Get).CallOne(ctx); err != nil || v != 5 {
			t.Errorf("the method expression of a generic actor gave %v, %v", v, err)
		}
		if v, err := getOf[int](ctx, box); err != nil || v != 5 {
			t.Errorf("by name it gave %v, %v", v, err)
		}
		other := spawnOn(t, ctx, p, "other", Box[twin.Acc]{})
		if v, err := engine.Query(other, (*Box[twin.Acc]).Kind).CallOne(ctx); err != nil || v != "twin.Acc" {
			t.Errorf("another instance gave %v, %v", v, err)
		}
		d := spawnOn(t, ctx, p, "derived", Derived{Base{"hello"}})
		if v, err := engine.Method(d, (*Derived).Greet).CallOne(ctx, "you"); err != nil || v != "hello you" {
			t.Errorf("a promoted method gave %q, %v", v, err)
		}
		l, r := spawnOn(t, ctx, p, "left", Left{}), spawnOn(t, ctx, p, "right", Right{})
		if err := engine.Action(l, (*Left).Meet).Call(ctx, r); err != nil {
			t.Fatal(err)
		}
		if err := engine.Action(r, (*Right).Meet).Call(ctx, l); err != nil {
			t.Fatal(err)
		}
		friend, err := engine.Query(r, (*Right).Friend).CallOne(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := engine.Method(friend, (*Left).Ask).CallOne(ctx, 4); err != nil || v != 8 {
			t.Errorf("there and back gave %v, %v", v, err)
		}
		pair, err := engine.Query(r, (*Right).Pair).CallOne(ctx)
		if err != nil || pair.L.Name() != "left" {
			t.Errorf("a mesh in a field of a reply: %v, %v", pair.L, err)
		}
	})
}

func TestAnAmbiguousTypeNameIsRefusedWithBoth(t *testing.T) {
	e, err := engine.Start(t.Context(), engine.NoSession(), engine.AllInProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	procs(t, e.Context(), "p", 1)
	spawnType := func(name, typ string) error {
		_, err := e.Backend().Handle(t.Context(), control.ClientInfo{}, control.SpawnReq{Name: name, Procs: "p", Type: typ})
		return err
	}
	if err := spawnType("m", "Acc"); err == nil || !strings.Contains(err.Error(), "Acc is ambiguous: say engine_test.Acc or twin.Acc") {
		t.Errorf("error %v", err)
	}
	for i, name := range []string{"twin.Acc", "engine_test.Acc", "Forms", "github.com/monarch-tui/monarch-tui/engine/testdata/twin.Acc"} {
		if err := spawnType(fmt.Sprint("m", i), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := spawnType("n", "Form"); err == nil || !strings.Contains(err.Error(), "Forms") {
		t.Errorf("a misspelt type: %v", err)
	}
	snap, stop := e.Backend().Subscribe(func(*control.Event) {})
	defer stop()
	names := map[string]bool{}
	for _, typ := range snap.Types {
		names[typ.Name] = true
	}
	for _, want := range []string{"twin.Acc", "engine_test.Acc", "Forms"} {
		if !names[want] {
			t.Errorf("the snapshot does not name %s", want)
		}
	}
}

type (
	badFunc     struct{ F func() }
	badChan     struct{ C chan int }
	badError    struct{ E error }
	hidden      struct{ _ int }
	badHidden   struct{ H hidden }
	badHook     struct{}
	badFailure  struct{}
	badArgument struct{}
)

func (*badHook) OnStart() error                                      { return nil }
func (*badFailure) OnFailure(context.Context, engine.Failure) string { return "" }
func (*badArgument) Do(context.Context, chan int) error              { return nil }

func registration[T any]() (said string) {
	defer func() { said, _ = recover().(string) }()
	engine.Register[T]()
	return ""
}

// refusals is what Register says to each bad type, however often it is asked.
func refusals() map[string]refusal {
	type Acc struct{} // inside a function: the same full name as the other one
	return map[string]refusal{
		"a func field":       {registration[badFunc](), []string{"badFunc", "F", "func"}},
		"a channel field":    {registration[badChan](), []string{"badChan.C", "engine.Channel"}},
		"a bare error":       {registration[badError](), []string{"E", "error"}},
		"an opaque struct":   {registration[badHidden](), []string{"H", "unexported"}},
		"a hook's signature": {registration[badHook](), []string{"OnStart is a hook's name: its signature must be OnStart(context.Context) error, not OnStart() error"}},
		"OnFailure":          {registration[badFailure](), []string{"OnFailure(context.Context, engine.Failure) engine.Decision"}},
		"an argument":        {registration[badArgument](), []string{"the argument of Do cannot travel", "chan"}},
		"no struct":          {registration[int](), []string{"an actor is a named struct type, not int"}},
		"a local twin":       {registration[Acc](), []string{"another type of this package has that name"}},
	}
}

type refusal struct {
	said string
	want []string
}

func TestRegisterRefusesWhatCannotTravelAndSaysWhatToDo(t *testing.T) {
	for what, c := range refusals() {
		for _, w := range c.want {
			if !strings.Contains(c.said, w) {
				t.Errorf("%s: %q does not say %q", what, c.said, w)
			}
		}
	}
}

func TestConcurrentWantsAnEndpointOfItsType(t *testing.T) {
	type lonely struct{ N int }
	defer func() {
		if s := fmt.Sprint(recover()); !strings.Contains(s, "Concurrent wants a method expression of") {
			t.Errorf("panic %q", s)
		}
	}()
	engine.Register[lonely](engine.Concurrent((*Acc).Sum))
}

func TestAStartInsideAWorkerIsRefused(t *testing.T) {
	ctx := enginetest.Processes(t)
	acc := spawn(t, ctx, "acc", 1, Acc{})
	err := engine.Signal(acc, (*Acc).StartEngine).CallOne(ctx)
	if err == nil || !strings.Contains(err.Error(), "engine.Start in a worker") {
		t.Errorf("error %v", err)
	}
}

// Carrier has values whose types say nothing.
type Carrier struct {
	Extra any
	state any
}

// Kinds tells what an any holds, and what encoding/json makes of it.
func (c *Carrier) Kinds(_ context.Context, v any) (string, error) {
	c.state = v
	b, err := json.Marshal(v)
	return fmt.Sprintf("%T %s", v, b), err
}

// Echo returns it.
func (c *Carrier) Echo(_ context.Context, v any) (any, error) { return v, nil }

// Field tells of the constructor's any.
func (c *Carrier) Field(context.Context) (string, error) { return fmt.Sprintf("%T", c.Extra), nil }

// Bad returns what cannot travel.
func (c *Carrier) Bad(_ context.Context, what string) (any, error) {
	if what == "error" {
		return errBadRank, nil
	}
	return map[string]any{"third": big.NewRat(1, 3)}, nil
}

// Later adds a second.
func (c *Carrier) Later(_ context.Context, t time.Time) (time.Time, error) {
	return t.Add(time.Second), nil
}

func TestAnysArriveAsTheyWereSentOrNotAtAll(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := spawn(t, ctx, "m", 1, Carrier{Extra: map[string]any{"a": 1}})
		kinds, echo := engine.Method(m, (*Carrier).Kinds), engine.Method(m, (*Carrier).Echo)
		if got, err := engine.Query(m, (*Carrier).Field).CallOne(ctx); got != "map[string]interface {}" {
			t.Errorf("the prototype's any is a %s, %v", got, err)
		}
		if got, err := kinds.CallOne(ctx, map[string]any{"a": []any{map[string]any{"b": nil}}}); got != `map[string]interface {} {"a":[{"b":null}]}` {
			t.Errorf("%s, %v", got, err)
		}
		if _, err := kinds.CallOne(ctx, map[int]any{1: "x"}); err == nil || !strings.Contains(err.Error(), "map[interface {}]interface {}") {
			t.Errorf("keys that are no texts: %v", err)
		}
		if got, err := echo.CallOne(ctx, map[string]any{"a": true}); err != nil || fmt.Sprintf("%T", got) != "map[string]interface {}" {
			t.Errorf("the result is a %T, %v", got, err)
		}
		if got, err := echo.CallOne(ctx, nil); err != nil || got != nil {
			t.Errorf("nil came back as %v, %v", got, err)
		}
		for _, c := range []struct {
			v    any
			want string
		}{
			{errBadRank, "the argument of Echo (*errors.errorString) does not encode: an error in an any arrives without its type, and often without its text; send err.Error()"},
			{[]any{1, big.NewRat(1, 3)}, "does not encode: [1]: *big.Rat: big.Rat has only unexported fields, and those do not travel; send its text"},
			{m, "in an any a mesh arrives as a list of its parts"},
			{map[string]any{"f": func() {}}, `does not encode: ["f"]: func(): a func cannot travel`},
		} {
			if _, err := echo.CallOne(ctx, c.v); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%T: %v, want %s", c.v, err, c.want)
			}
			if err := echo.Broadcast(ctx, c.v); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("broadcast %T: %v, want %s", c.v, err, c.want)
			}
		}
		for what, want := range map[string]string{"error": "an error in an any", "rat": `["third"]: *big.Rat: big.Rat has only unexported fields`} {
			if _, err := engine.Method(m, (*Carrier).Bad).CallOne(ctx, what); err == nil || !strings.Contains(err.Error(), "the result (interface {}) does not encode") || !strings.Contains(err.Error(), want) {
				t.Errorf("a result that holds an %s: %v", what, err)
			}
		}
		if _, err := engine.Spawn(ctx, procs(t, ctx, "q", 1), "n", Carrier{Extra: errBadRank}); err == nil || !strings.Contains(err.Error(), ".Extra: *errors.errorString: an error in an any") {
			t.Errorf("a prototype that holds an error: %v", err)
		}
		if _, _, err := engine.Channel[struct{ hidden int }](ctx); err == nil || !strings.Contains(err.Error(), "has only unexported fields") {
			t.Errorf("a channel of a type that does not travel: %v", err)
		}
		port, recv, err := engine.Channel[any](ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer recv.Close()
		if err := port.Send(ctx, big.NewRat(1, 3)); err == nil || !strings.Contains(err.Error(), "has only unexported fields") {
			t.Errorf("a port took it: %v", err)
		}
		if err := port.Send(ctx, map[string]any{"a": 1}); err != nil {
			t.Fatal(err)
		}
		if got, err := recv.Recv(ctx); err != nil || fmt.Sprintf("%#v", got) != `map[string]interface {}{"a":0x1}` {
			t.Errorf("through a port came %#v, %v", got, err)
		}
	})
}

func TestATimeKeepsItsInstantOnTheWay(t *testing.T) {
	both(t, func(t *testing.T, ctx context.Context) {
		m := spawn(t, ctx, "m", 1, Carrier{})
		for _, seconds := range []int{0, 3600, -5400, 3630, -1, 561} {
			at := time.Date(2026, 1, 2, 3, 4, 5, 678, time.FixedZone("", seconds))
			got, err := engine.Method(m, (*Carrier).Later).CallOne(ctx, at)
			if _, offset := got.Zone(); err != nil || !got.Equal(at.Add(time.Second)) || offset != seconds-seconds%60 {
				t.Errorf("a second after %v is %v, %v", at, got, err)
			}
		}
	})
}
