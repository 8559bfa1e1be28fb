package invoke

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/internal/body"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

var codec = body.NewCodec()

// actor has one method of each form, and notes what each was given.
type actor[A, R any] struct {
	seen   []string
	gives  R
	err    error
	panics any
}

func (x *actor[A, R]) note(ctx context.Context, arg any) error {
	x.seen = append(x.seen, fmt.Sprintf("%v %#v", ctx.Value(key{}), arg))
	spoil(arg)
	if x.panics != nil {
		panic(x.panics)
	}
	return x.err
}

func (x *actor[A, R]) Method(ctx context.Context, a A) (R, error) { return x.gives, x.note(ctx, a) }
func (x *actor[A, R]) Action(ctx context.Context, a A) error      { return x.note(ctx, a) }
func (x *actor[A, R]) Query(ctx context.Context) (R, error)       { return x.gives, x.note(ctx, nil) }
func (x *actor[A, R]) Signal(ctx context.Context) error           { return x.note(ctx, nil) }

type key struct{}

// spoil writes into a slice, as a handler may that owns its argument.
func spoil(v any) {
	if s := reflect.ValueOf(v); s.Kind() == reflect.Slice {
		for i := range s.Len() {
			s.Index(i).SetZero()
		}
	}
}

// values are what is tried of each type. The first is what a debugger puts in.
var values = map[reflect.Type][]any{
	reflect.TypeFor[[]byte]():    {[]byte("put in"), []byte(nil), []byte{}, []byte{0, 255}, make([]byte, 300)},
	reflect.TypeFor[string]():    {"put in", "", "é", strings.Repeat("x", 300), "not \xff UTF-8"},
	reflect.TypeFor[int]():       {-5, 0, 23, 24, math.MaxInt, math.MinInt},
	reflect.TypeFor[int64]():     {int64(-5), int64(0), int64(1 << 40), int64(math.MinInt64)},
	reflect.TypeFor[float64]():   {1.5, 0.0, math.Copysign(0, -1), math.NaN(), math.Inf(-1), 1e300, 0.1},
	reflect.TypeFor[bool]():      {true, false},
	reflect.TypeFor[[]float64](): {[]float64{1, 2}, []float64(nil), []float64{}, []float64{math.NaN(), 0.1, 1e300}},
	reflect.TypeFor[[]int]():     {[]int{1, 2}, []int(nil), []int{}, []int{-1, 1 << 40}},
}

// broken are bodies that decode into few types, or into none.
var broken = [][]byte{nil, {}, {0xff}, {0x61}, {0x18, 1}, {0x01, 0x01}, {0x3b, 255, 255, 255, 255, 255, 255, 255, 255}, {0x62, 0xff, 0xfe}, {0xf6}, {0xa0},
	{0x82, 0x01}, {0x82, 0x01, 0x61, 'x'}, {0x9f, 0x01, 0xff}, {0x5f, 0x41, 1, 0xff}, {0xfb, 0, 0, 0, 0, 0, 0, 0, 0}, {0xf9, 0x3e, 0}, {0xc1, 0x01}}

// bodiesFor are the messages that are tried on a method with this argument; nil: it has none.
func bodiesFor(t *testing.T, in reflect.Type) [][]byte {
	if in == nil {
		return [][]byte{nil, {0x01}}
	}
	out := broken
	for _, v := range values[in] {
		b, err := codec.Encode(v, in)
		if err != nil {
			if s, ok := v.(string); !ok || !strings.Contains(s, "\xff") {
				t.Fatal(err)
			}
			continue
		}
		out = append(slices.Clip(out), b)
	}
	return out
}

// script is what is done with one call.
type script struct {
	body   []byte
	gives  any // what the method returns; nil: it returns no value
	err    error
	panics any
	args   any // what a debugger puts in the place of the argument; nil: nothing
	result any // what a debugger puts in the place of the result; nil: nothing
	retry  bool
}

// play does with a call what the engine does, and tells whatever somebody could see of it.
func play[A, R any](m *Method, s script) (told []string) {
	c := m.Begin()
	defer c.Free()
	say := func(what string, v any) { told = append(told, fmt.Sprintf("%s: %#v", what, v)) }
	x := &actor[A, R]{err: s.err, panics: s.panics}
	if s.gives != nil {
		x.gives = s.gives.(R) //nolint:forcetypeassert // the caller takes it from values
	}
	for again := true; again; {
		again = false
		if err := c.Decode(s.body); err != nil {
			say("does not decode", err.Error())
			return told
		}
		for _, v := range c.Args() {
			if s.args != nil {
				v.Set(copyOf(s.args))
			}
			say("argument", v.Interface())
		}
		say("returned", runGuarded(c, x))
		say("saw", x.seen)
		if s.retry {
			s.retry, again, x.panics, x.err = false, true, nil, nil
			continue
		}
	}
	if x.panics != nil || x.err != nil {
		if s.result == nil {
			say("has a result", c.Result().IsValid())
			return told
		}
	}
	if s.result != nil {
		c.SetResult(reflect.ValueOf(s.result))
	}
	if r := c.Result(); r.IsValid() {
		say("result", r.Interface())
	}
	b, err := c.Encode()
	say("encodes", [2]any{b, fmt.Sprint(err)})
	return told
}

// copyOf is a value whose memory is nobody else's: handlers write into theirs.
func copyOf(v any) reflect.Value {
	x := reflect.ValueOf(v)
	if x.Kind() == reflect.Slice {
		x = reflect.AppendSlice(reflect.MakeSlice(x.Type(), 0, x.Len()), x)
	}
	return x
}

func runGuarded(c Call, self any) (out string) {
	defer func() {
		if p := recover(); p != nil {
			out = fmt.Sprintf("panic %v", p)
		}
	}()
	return fmt.Sprint(c.Run(self, context.WithValue(context.Background(), key{}, "the context")))
}

// both gives a method twice: as the engine makes it, and called by reflection in any case.
func both[A, R any](t *testing.T, name string) (direct, byReflection *Method) {
	t.Helper()
	f, _ := reflect.TypeFor[*actor[A, R]]().MethodByName(name)
	var in []reflect.Type
	var out reflect.Type
	if name == "Method" || name == "Action" {
		in = []reflect.Type{reflect.TypeFor[A]()}
	}
	if name == "Method" || name == "Query" {
		out = reflect.TypeFor[R]()
	}
	direct = NewMethod(f.Func, in, out, codec)
	if c := direct.Begin(); reflect.TypeOf(c) == reflect.TypeFor[*reflected]() {
		t.Errorf("%s of %v is called by reflection", name, f.Type)
	}
	byReflection = &Method{fn: f.Func, in: in, out: out, codec: codec}
	byReflection.make = func() Call { return &reflected{m: byReflection} }
	return direct, byReflection
}

// alike compares the two on every script of a form.
func alike[A, R any](t *testing.T, name string) {
	t.Helper()
	direct, byReflection := both[A, R](t, name)
	var in reflect.Type
	if len(direct.in) == 1 {
		in = direct.in[0]
	}
	results := []any{nil}
	if direct.out != nil {
		results = values[direct.out]
	}
	compare := func(s script) {
		t.Helper()
		got, want := play[A, R](direct, s), play[A, R](byReflection, s)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s(%v) %v: with % .40x, which gives %.40v:\ndirectly      %.600v\nby reflection %.600v", name, in, direct.out, s.body, s.gives, got, want)
		}
	}
	for _, b := range bodiesFor(t, in) {
		compare(script{body: b, gives: results[0]})
	}
	bodies := bodiesFor(t, in)
	whole := bodies[len(bodies)-1]
	for _, r := range results {
		compare(script{body: whole, gives: r})
		compare(script{body: whole, gives: r, err: errors.New("no")})
		compare(script{body: whole, gives: r, panics: "at once"})
		compare(script{body: whole, gives: r, panics: "first", retry: true})
		compare(script{body: whole, gives: r, retry: true})
		if direct.out != nil {
			compare(script{body: whole, gives: r, result: results[0]})
			compare(script{body: whole, gives: r, result: results[0], panics: "and was healed"})
		}
	}
	if in != nil {
		compare(script{body: whole, gives: results[0], args: values[in][0]})
	}
}

// TestAMethodIsCalledAlikeDirectlyAndByReflection holds INV-ALIKE: over every form that is called directly.
func TestAMethodIsCalledAlikeDirectlyAndByReflection(t *testing.T) {
	forms, types := 0, append(slices.Collect(maps.Keys(values)), nil)
	for _, in := range types {
		for _, out := range types {
			if (form{in, out}).direct() != nil {
				forms++
			}
		}
	}
	tried := 1
	alike[int, int](t, "Signal")
	tried += alikeWith[[]byte](t)
	tried += alikeWith[string](t)
	tried += alikeWith[int](t)
	tried += alikeWith[int64](t)
	tried += alikeWith[float64](t)
	tried += alikeWith[bool](t)
	tried += alikeWith[[]float64](t)
	tried += alikeWith[[]int](t)
	if tried != forms {
		t.Errorf("%d forms were tried of %d", tried, forms)
	}
}

func alikeWith[A any](t *testing.T) (tried int) {
	alike[A, int](t, "Action")
	alike[int, A](t, "Query")
	alike[A, []byte](t, "Method")
	alike[A, string](t, "Method")
	alike[A, int](t, "Method")
	alike[A, int64](t, "Method")
	alike[A, float64](t, "Method")
	alike[A, bool](t, "Method")
	alike[A, []float64](t, "Method")
	alike[A, []int](t, "Method")
	return 10
}

// several has a method of two arguments, which no table has.
type several struct{ got string }

func (s *several) Two(_ context.Context, a string, b []int) (string, error) {
	s.got = fmt.Sprint(a, b)
	return s.got, nil
}

// TestACallIsTakenAgainAsNew holds INV-FRESH: of the ways to call, with and without a debugger that looked.
func TestACallIsTakenAgainAsNew(t *testing.T) {
	secret := []byte("a secret of the call before")
	direct, byReflection := both[[]byte, []byte](t, "Method")
	two, _ := reflect.TypeFor[*several]().MethodByName("Two")
	for name, m := range map[string]*Method{
		"directly": direct, "by reflection": byReflection,
		"with two arguments": NewMethod(two.Func, []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[[]int]()}, reflect.TypeFor[string](), codec),
	} {
		c := m.Begin()
		var b []byte
		var self any = &actor[[]byte, []byte]{gives: secret}
		if len(m.in) == 2 {
			self = &several{}
			b, _ = codec.EncodeAll([]any{string(secret), []int{1}}, m.in)
		} else {
			b, _ = codec.Encode(secret, m.in[0])
		}
		if err := c.Decode(b); err != nil {
			t.Fatal(err)
		}
		if err := c.Run(self, t.Context()); err != nil {
			t.Fatal(err)
		}
		out, err := c.Encode()
		if err != nil || !bytes.Contains(out, secret) {
			t.Fatalf("%s: %q, %v", name, out, err)
		}
		c.Free()
		if quicnet.Poison && bytes.Contains(out, secret) {
			t.Errorf("%s: what it has encoded is still there", name)
		}
		for _, v := range c.Args() {
			if !v.IsZero() {
				t.Errorf("%s: the argument %v is still there", name, v)
			}
		}
		if c.Result().IsValid() {
			t.Errorf("%s: the result %v is still there", name, c.Result())
		}
		if r, ok := c.(*reflected); ok && (r.args[0].IsValid() || r.args[1].IsValid()) {
			t.Errorf("%s: it holds the actor and the context of the call before", name)
		}
	}
}

// TestAFailedDecodeLeavesNothingOfTheCallBefore holds INV-FRESH for a call that is begun anew with a body that is no argument.
func TestAFailedDecodeLeavesNothingOfTheCallBefore(t *testing.T) {
	direct, byReflection := both[int, int](t, "Method")
	for _, m := range []*Method{direct, byReflection} {
		c := m.Begin()
		if err := c.Decode([]byte{5}); err != nil {
			t.Fatal(err)
		}
		if err := c.Decode([]byte{0x61, 'x'}); err == nil {
			t.Fatal("a text was decoded as a number")
		}
		if got := c.Args()[0].Interface(); got != 0 {
			t.Errorf("%T: the argument is %v", c, got)
		}
	}
}

// TestLargeMemoryIsNotKept: a method that has once given a large result does not hold that memory for ever.
func TestLargeMemoryIsNotKept(t *testing.T) {
	direct, byReflection := both[[]byte, []byte](t, "Query")
	for _, size := range []int{20 << 10, 1 << 20, 20 << 10} {
		for _, m := range []*Method{direct, byReflection} {
			keepsNothingOf(t, m, size)
		}
	}
}

func keepsNothingOf(t *testing.T, m *Method, size int) {
	t.Helper()
	c := m.Begin()
	if err := errors.Join(c.Decode(nil), c.Run(&actor[[]byte, []byte]{gives: make([]byte, size)}, t.Context())); err != nil {
		t.Fatal(err)
	}
	if b, err := c.Encode(); err != nil || len(b) < size || (c.Memory() != nil) != (size >= 64<<10) {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	c.Free()
	var kept room
	switch c := c.(type) {
	case *called[none, []byte]:
		kept = c.room
	case *reflected:
		kept = c.room
	}
	if cap(kept.b) != 0 || kept.large != nil {
		t.Errorf("%T keeps %d bytes, and of large memory %v", c, cap(kept.b), kept.large)
	}
}

// adder does nothing that needs memory.
type adder struct{ sum int }

func (a *adder) Add(_ context.Context, n int) (int, error) { a.sum += n; return a.sum, nil }
func (a *adder) Tick(context.Context) error                { a.sum++; return nil }
func (a *adder) Len(_ context.Context, b []byte) (int, error) {
	return len(b), nil
}

// TestADirectCallAllocatesWhatItsValuesNeed holds INV-LEAN.
func TestADirectCallAllocatesWhatItsValuesNeed(t *testing.T) {
	if quicnet.Poison {
		t.Skip("the race detector makes pools forget, and allocates itself")
	}
	for name, c := range map[string]struct {
		in, out reflect.Type
		arg     any
		want    float64
	}{
		"Add":  {reflect.TypeFor[int](), reflect.TypeFor[int](), 300, 0},
		"Tick": {nil, nil, nil, 0},
		"Len":  {reflect.TypeFor[[]byte](), reflect.TypeFor[int](), make([]byte, 100), 1}, // the handler owns its argument
	} {
		f, _ := reflect.TypeFor[*adder]().MethodByName(name)
		var in []reflect.Type
		var b []byte
		if c.in != nil {
			in = []reflect.Type{c.in}
			b, _ = codec.Encode(c.arg, c.in)
		}
		m := NewMethod(f.Func, in, c.out, codec)
		self, ctx := any(&adder{}), t.Context()
		if got := testing.AllocsPerRun(1000, func() {
			call := m.Begin()
			if err := call.Decode(b); err != nil {
				t.Fatal(err)
			}
			if err := call.Run(self, ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := call.Encode(); err != nil {
				t.Fatal(err)
			}
			call.Free()
		}); got != c.want {
			t.Errorf("%s: %v allocations a call, want %v", name, got, c.want)
		}
	}
}
