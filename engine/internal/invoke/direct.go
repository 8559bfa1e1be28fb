package invoke

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"unsafe"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

// form is what methods that are called alike have in common: the types of argument and result, nil where there is none.
type form struct{ in, out reflect.Type }

// direct has a constructor for each form of one argument or none, and one result or none, of the commonest types.
var direct = sync.OnceValue(func() map[form]func(*Method) func() Call {
	t := map[form]func(*Method) func() Call{{}: func(m *Method) func() Call {
		fn := as[func(unsafe.Pointer, context.Context) error](m)
		return func() Call { return &called[none, none]{m: m, signal: fn} }
	}}
	common[[]byte](t)
	common[string](t)
	common[int](t)
	common[int64](t)
	common[float64](t)
	common[bool](t)
	common[[]float64](t)
	common[[]int](t)
	return t
})

// common adds the forms with an argument or a result of type A.
func common[A any](t map[form]func(*Method) func() Call) {
	a := reflect.TypeFor[A]()
	t[form{in: a}] = func(m *Method) func() Call {
		fn := as[func(unsafe.Pointer, context.Context, A) error](m)
		return func() Call { return &called[A, none]{m: m, action: fn} }
	}
	t[form{out: a}] = func(m *Method) func() Call {
		fn := as[func(unsafe.Pointer, context.Context) (A, error)](m)
		return func() Call { return &called[none, A]{m: m, query: fn} }
	}
	pair[A, []byte](t)
	pair[A, string](t)
	pair[A, int](t)
	pair[A, int64](t)
	pair[A, float64](t)
	pair[A, bool](t)
	pair[A, []float64](t)
	pair[A, []int](t)
}

func pair[A, R any](t map[form]func(*Method) func() Call) {
	t[form{reflect.TypeFor[A](), reflect.TypeFor[R]()}] = func(m *Method) func() Call {
		fn := as[func(unsafe.Pointer, context.Context, A) (R, error)](m)
		return func() Call { return &called[A, R]{m: m, method: fn} }
	}
}

// directly is the constructor for the form of a method; nil: it is called by reflection.
func directly(m *Method) func() Call {
	f := form{out: m.out}
	switch len(m.in) {
	case 0:
	case 1:
		f.in = m.in[0]
	default:
		return nil
	}
	if make := direct()[f]; make != nil {
		return make(m)
	}
	return nil
}

// as is the method as a function that takes any pointer for its receiver: Go passes a pointer in the same way whatever it
// points to. The form of m is F's but for that.
func as[F any](m *Method) F {
	fn := m.fn.Interface()
	word := (*[2]unsafe.Pointer)(unsafe.Pointer(&fn))[1] //nolint:gosec // an interface is a type and, for a function, the function
	return *(*F)(unsafe.Pointer(&word))                  //nolint:gosec // see above
}

var errNotPlain = errors.New("its type is not plain")

// none stands for an argument or a result that a method does not have.
type none struct{}

// called calls directly. One of the four functions is set.
type called[A, R any] struct {
	m      *Method
	method func(unsafe.Pointer, context.Context, A) (R, error)
	action func(unsafe.Pointer, context.Context, A) error
	query  func(unsafe.Pointer, context.Context) (R, error)
	signal func(unsafe.Pointer, context.Context) error

	arg    A
	result R
	has    bool // there is a result
	room   room
}

// Decode implements Call.
func (c *called[A, R]) Decode(b []byte) error {
	var zero A
	c.arg = zero
	if len(c.m.in) == 0 {
		return nil
	}
	if err := c.m.codec.Decode(b, &c.arg); err != nil {
		return argError(c.m.in[0], err)
	}
	return nil
}

// Run implements Call.
func (c *called[A, R]) Run(self any, ctx context.Context) (err error) { //nolint:revive // see Call
	at := reflect.ValueOf(self).UnsafePointer()
	var r R
	switch {
	case c.method != nil:
		r, err = c.method(at, ctx, c.arg)
	case c.action != nil:
		return c.action(at, ctx, c.arg)
	case c.query != nil:
		r, err = c.query(at, ctx)
	default:
		return c.signal(at, ctx)
	}
	if err == nil {
		c.result, c.has = r, true
	}
	return err
}

// Encode implements Call.
func (c *called[A, R]) Encode() ([]byte, error) {
	if c.m.out == nil {
		return nil, nil
	}
	b, ok := c.m.codec.AppendPlain(c.room.begin(c.m.codec.Bound(c.result)), c.result)
	if !ok { // it is of a plain type: there is no other here
		return nil, resultError(c.m.out, errNotPlain)
	}
	c.room.b = b
	return b, nil
}

// Memory implements Call.
func (c *called[A, R]) Memory() *quicnet.Large { return c.room.large }

// Args implements Call.
func (c *called[A, R]) Args() []reflect.Value {
	if len(c.m.in) == 0 {
		return nil
	}
	return []reflect.Value{reflect.ValueOf(&c.arg).Elem()}
}

// Result implements Call.
func (c *called[A, R]) Result() reflect.Value {
	if !c.has {
		return reflect.Value{}
	}
	return reflect.ValueOf(&c.result).Elem()
}

// SetResult implements Call.
func (c *called[A, R]) SetResult(v reflect.Value) {
	if c.has = v.IsValid(); c.has {
		reflect.ValueOf(&c.result).Elem().Set(v)
	}
}

// Free implements Call.
func (c *called[A, R]) Free() {
	var a A
	var r R
	c.arg, c.result, c.has = a, r, false
	c.room.end()
	c.m.pool.Put(c)
}
