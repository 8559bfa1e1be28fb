package invoke

import (
	"context"
	"errors"
	"reflect"
	"unsafe"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

// form is what methods that are called alike have in common: the types of argument and result, nil where there is none.
type form struct{ in, out reflect.Type }

// maker makes what a method is called by.
type maker = func(*Method) func() Call

// direct is the maker for a form of one argument or none, and one result or none, of the commonest types; nil for any other. It is a
// search and not a table, because every worker process would have to build that one.
func (f form) direct() maker {
	switch f.in {
	case nil:
		return without(f.out)
	case reflect.TypeFor[[]byte]():
		return with[[]byte](f.out)
	case reflect.TypeFor[string]():
		return with[string](f.out)
	case reflect.TypeFor[int]():
		return with[int](f.out)
	case reflect.TypeFor[int64]():
		return with[int64](f.out)
	case reflect.TypeFor[float64]():
		return with[float64](f.out)
	case reflect.TypeFor[bool]():
		return with[bool](f.out)
	case reflect.TypeFor[[]float64]():
		return with[[]float64](f.out)
	case reflect.TypeFor[[]int]():
		return with[[]int](f.out)
	}
	return nil
}

// with is the maker for an argument of type A.
func with[A any](out reflect.Type) maker {
	switch out {
	case nil:
		return action[A]
	case reflect.TypeFor[[]byte]():
		return method[A, []byte]
	case reflect.TypeFor[string]():
		return method[A, string]
	case reflect.TypeFor[int]():
		return method[A, int]
	case reflect.TypeFor[int64]():
		return method[A, int64]
	case reflect.TypeFor[float64]():
		return method[A, float64]
	case reflect.TypeFor[bool]():
		return method[A, bool]
	case reflect.TypeFor[[]float64]():
		return method[A, []float64]
	case reflect.TypeFor[[]int]():
		return method[A, []int]
	}
	return nil
}

// without is the maker for no argument.
func without(out reflect.Type) maker {
	switch out {
	case nil:
		return signal
	case reflect.TypeFor[[]byte]():
		return query[[]byte]
	case reflect.TypeFor[string]():
		return query[string]
	case reflect.TypeFor[int]():
		return query[int]
	case reflect.TypeFor[int64]():
		return query[int64]
	case reflect.TypeFor[float64]():
		return query[float64]
	case reflect.TypeFor[bool]():
		return query[bool]
	case reflect.TypeFor[[]float64]():
		return query[[]float64]
	case reflect.TypeFor[[]int]():
		return query[[]int]
	}
	return nil
}

func method[A, R any](m *Method) func() Call {
	fn := as[func(unsafe.Pointer, context.Context, A) (R, error)](m)
	return func() Call { return &called[A, R]{m: m, method: fn} }
}

func action[A any](m *Method) func() Call {
	fn := as[func(unsafe.Pointer, context.Context, A) error](m)
	return func() Call { return &called[A, none]{m: m, action: fn} }
}

func query[R any](m *Method) func() Call {
	fn := as[func(unsafe.Pointer, context.Context) (R, error)](m)
	return func() Call { return &called[none, R]{m: m, query: fn} }
}

func signal(m *Method) func() Call {
	fn := as[func(unsafe.Pointer, context.Context) error](m)
	return func() Call { return &called[none, none]{m: m, signal: fn} }
}

// directly makes what a method is called by; nil: it is called by reflection.
func directly(m *Method) func() Call {
	f := form{out: m.out}
	switch len(m.in) {
	case 0:
	case 1:
		f.in = m.in[0]
	default:
		return nil
	}
	if make := f.direct(); make != nil {
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
