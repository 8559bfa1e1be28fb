package cond

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/monarch-tui/monarch-tui/engine/eval"
)

// Scope is what is known of a frame before there is one.
type Scope struct {
	State  reflect.Type   // the actor's struct; nil: there is none
	Args   []reflect.Type // of the endpoint
	Params []string       // the names of the arguments in the source; may be fewer, or empty
	Result reflect.Type   // nil: the endpoint gives none
	Dims   []string       // the dimensions of the mesh
}

// Values are those of a frame. What Scope has no type for is not looked at.
type Values struct {
	State    reflect.Value // the struct, addressable
	Args     []reflect.Value
	Result   reflect.Value // invalid until there is one
	Error    string        // "" without one
	Rank     int
	Coords   []int // by Scope.Dims
	Mesh     string
	Endpoint string
	Site     string
	Sender   string
	Client   string
	Hits     uint64
}

// Expr is a compiled condition or value. It is safe for concurrent use.
type Expr struct {
	expr   *eval.Expr
	plans  []plan    // by the parts of expr
	frames sync.Pool // of *frame
}

// CompileCondition compiles what must be true or false: state.loss > 1. Every error is an *eval.Error.
func CompileCondition(text string, s Scope) (*Expr, error) {
	e, err := CompileValue(text, s)
	if err != nil {
		return nil, err
	}
	if kind := e.expr.Gives(); kind != "" && kind != "truth value" {
		at := len(text) - len(strings.TrimLeft(text, " \t\n"))
		return nil, &eval.Error{Offset: at, Msg: fmt.Sprintf("it gives a %s, and a condition is true or false: compare it with something", kind)}
	}
	return e, nil
}

// CompileValue compiles what gives any value: state.loss * 2. Every error is an *eval.Error.
func CompileValue(text string, s Scope) (*Expr, error) {
	c := &compiler{scope: s}
	expr, err := eval.CompileLive(text, c.names(), c)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller shows its place in the text
	}
	e := &Expr{expr: expr, plans: make([]plan, len(expr.Parts()))}
	for i, p := range expr.Parts() {
		if p.Name == "" {
			continue // it has become a part of another
		}
		if e.plans[i], err = c.plan(p); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// Text is the expression as it was written, without the blanks around it.
func (e *Expr) Text() string { return e.expr.Text }

// Uses reports whether the expression uses one of the names.
func (e *Expr) Uses(names ...string) bool { return e.expr.Uses(names...) }

// Holds judges a condition. An error is no verdict: it says what could not be judged.
func (e *Expr) Holds(v *Values) (holds bool, err error) {
	f := e.frame(v)
	defer e.done(f, &err)
	return e.expr.HoldsLive(f)
}

// Value is the value of the expression, canonical as engine/eval says. It shares nothing with the actor.
func (e *Expr) Value(v *Values) (value any, err error) {
	f := e.frame(v)
	defer e.done(f, &err)
	return e.expr.EvalLive(f)
}

// Bounds of what one evaluation reads (INV-CUT).
const (
	maxRead    = 100_000  // elements of lists; an entry of a map counts as several
	perEntry   = 3        // what an entry of a map counts, by what it costs
	maxText    = 16 << 10 // bytes of one text
	maxBits    = 4096     // of a whole number
	maxDepth   = 16       // lists, maps and structs within each other
	textPerOne = 100      // bytes of texts that count as one element
)

// frame is one evaluation: what it has read already is not read again.
type frame struct {
	expr   *Expr
	values *Values
	read   []outcome
	left   int // of maxRead
	above  []place
}

type outcome struct {
	done  bool
	value any
	err   error
}

func (e *Expr) frame(v *Values) *frame {
	f, ok := e.frames.Get().(*frame)
	if !ok {
		f = &frame{expr: e, read: make([]outcome, len(e.plans))}
	}
	f.values, f.left = v, maxRead
	return f
}

// done keeps the frame for the next evaluation, without what it has read, and makes an error of a panic: the actor's types
// may have methods that an expression calls.
func (e *Expr) done(f *frame, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("reading the actor panicked: %v", p)
	}
	f.values = nil
	clear(f.read)
	e.frames.Put(f)
}

var _ eval.Reader = (*frame)(nil)

// Read implements eval.Reader.
func (f *frame) Read(part int) (any, error) {
	o := &f.read[part]
	if !o.done {
		o.value, o.err = f.get(&f.expr.plans[part])
		o.done = true
	}
	return o.value, o.err
}

// ReadAt implements eval.Reader.
func (f *frame) ReadAt(part int, index any) (value any, err error) {
	p := &f.expr.plans[part]
	defer calm(p, &err)
	if f.values == nil || p.root == nil {
		whole, err := f.Read(part)
		if err != nil {
			return nil, err
		}
		return eval.At(whole, index)
	}
	f.above = f.above[:0]
	v, err := p.root(f.values)
	if err != nil {
		return nil, err
	}
	return f.element(p, v, index)
}

func calm(p *plan, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("reading %s panicked: %v", p.text, r)
	}
}

func (f *frame) get(p *plan) (value any, err error) {
	defer calm(p, &err)
	if f.values == nil {
		return nil, errors.New("there is no frame to read")
	}
	f.above = f.above[:0]
	switch {
	case p.plain != nil:
		return p.plain(f.values), nil
	case p.told != nil && !p.len:
		return f.text(p.told(f.values)), nil
	case p.told != nil:
		return f.length(p, reflect.ValueOf(p.told(f.values)))
	case p.all && p.len:
		return len(f.values.Args), nil
	case p.all:
		list := make([]any, len(f.values.Args))
		for i, v := range f.values.Args {
			list[i] = f.canonical(reachable(v), 1)
		}
		return list, nil
	}
	v, err := p.root(f.values)
	if err != nil {
		return nil, err
	}
	return f.walk(p, v)
}

// names are those that an expression may use here.
func (c *compiler) names() []string {
	names := []string{"arg", "args", "client", "coords", "endpoint", "error", "hits", "mesh", "rank", "result", "sender", "site", "state"}
	for i, p := range c.scope.Params {
		if i < len(c.scope.Args) && p != "" && p != "_" && !slices.Contains(names, p) && !eval.IsFunction(p) && !eval.IsKeyword(p) {
			names = append(names, p)
		}
	}
	return names
}
