package invoke

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"github.com/monarch-tui/monarch-tui/engine/internal/body"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// Call is one call of a method. Its methods are called one after the other. What Args and Result give belongs to the Call.
type Call interface {
	// Decode makes the arguments of a message's body. It may be called again, for a call that begins anew.
	Decode(b []byte) error
	// Run calls the method of self, a pointer to the actor, and returns its error.
	Run(self any, ctx context.Context) error //nolint:revive // as the method has it: the receiver comes first
	// Encode is the encoding of the result; nil where the method has none. It is good until the Call is used again.
	Encode() ([]byte, error)
	// Memory is what the encoding lies in, where it is large: it has a user until the Call is used again.
	Memory() *quicnet.Large
	// Args are the arguments that Decode has made. They can be set.
	Args() []reflect.Value
	// Result is what Run has left; the zero Value where there is none.
	Result() reflect.Value
	// SetResult puts another result in its place; the zero Value where the method has none.
	SetResult(v reflect.Value)
	// Free gives the Call back. Nobody may use it any more.
	Free()
}

// Method is a method that can be called. It is safe for concurrent use.
type Method struct {
	fn    reflect.Value  // with the receiver as its first parameter
	in    []reflect.Type // its arguments
	out   reflect.Type   // nil: it returns an error only
	codec *body.Codec
	make  func() Call
	pool  sync.Pool
}

// NewMethod prepares a method for being called: fn is that of reflect.Method, in and out are its arguments and its result as
// package form reads them.
func NewMethod(fn reflect.Value, in []reflect.Type, out reflect.Type, codec *body.Codec) *Method {
	m := &Method{fn: fn, in: in, out: out, codec: codec}
	m.make = directly(m)
	if m.make == nil {
		m.make = func() Call { return &reflected{m: m} }
	}
	return m
}

// Begin gives a Call.
func (m *Method) Begin() Call {
	if c, ok := m.pool.Get().(Call); ok {
		return c
	}
	return m.make()
}

// reflected calls by reflection.
type reflected struct {
	m    *Method
	args []reflect.Value // receiver, context, and the arguments
	out  reflect.Value
	room room
}

// Decode implements Call.
func (c *reflected) Decode(b []byte) error {
	if c.args == nil {
		c.args = make([]reflect.Value, 2+len(c.m.in))
		for i, in := range c.m.in {
			c.args[2+i] = reflect.New(in).Elem()
		}
	}
	args := c.Args()
	for _, a := range args {
		a.SetZero()
	}
	switch len(args) {
	case 0:
	case 1:
		if err := c.m.codec.Decode(b, args[0].Addr().Interface()); err != nil {
			return argError(c.m.in[0], err)
		}
	default:
		if err := c.m.codec.DecodeAll(b, args); err != nil {
			return fmt.Errorf("the arguments do not decode: %w", err)
		}
	}
	return nil
}

func argError(t reflect.Type, err error) error {
	return fmt.Errorf("the argument does not decode into %s: %w", t, err)
}

func resultError(t reflect.Type, err error) error {
	return fmt.Errorf("the result (%s) does not encode: %w", t, err)
}

// Run implements Call.
func (c *reflected) Run(self any, ctx context.Context) error { //nolint:revive // see Call
	c.args[0], c.args[1] = reflect.ValueOf(self), reflect.ValueOf(&ctx).Elem()
	out := c.m.fn.Call(c.args)
	if err, _ := reflect.TypeAssert[error](out[len(out)-1]); err != nil {
		return err
	}
	if c.m.out != nil {
		c.out = out[0]
	}
	return nil
}

// Encode implements Call.
func (c *reflected) Encode() ([]byte, error) {
	if c.m.out == nil {
		return nil, nil
	}
	out := c.out.Interface()
	b, err := c.m.codec.AppendEncode(c.room.begin(c.m.codec.Bound(out)), out, c.m.out)
	if err != nil {
		return nil, resultError(c.m.out, err)
	}
	c.room.b = b
	return b, nil
}

// Memory implements Call.
func (c *reflected) Memory() *quicnet.Large { return c.room.large }

// room is memory for encoded results.
type room struct {
	b     []byte
	large *quicnet.Large
}

// begin gives memory for a result of at most so many bytes; 0: nobody knows how many.
func (r *room) begin(bound int) []byte {
	r.large.Free()
	if r.large = quicnet.NewLarge(bound); r.large != nil {
		return r.large.B
	}
	return r.b[:0]
}

// end keeps what is worth it for the next call.
func (r *room) end() {
	r.large.Free()
	if r.large = nil; cap(r.b) > 16<<10 {
		r.b = nil
	}
	if quicnet.Poison {
		b := r.b[:cap(r.b)]
		for i := range b {
			b[i] = 0xDB
		}
	}
}

// Args implements Call.
func (c *reflected) Args() []reflect.Value {
	if c.args == nil {
		return nil
	}
	return c.args[2:]
}

// Result implements Call.
func (c *reflected) Result() reflect.Value { return c.out }

// SetResult implements Call.
func (c *reflected) SetResult(v reflect.Value) { c.out = v }

// Free implements Call.
func (c *reflected) Free() {
	c.out = reflect.Value{}
	c.room.end()
	if c.args != nil {
		c.args[0], c.args[1] = reflect.Value{}, reflect.Value{}
		for _, a := range c.Args() {
			a.SetZero()
		}
	}
	c.m.pool.Put(c)
}
