package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// bound is a mesh with one of its endpoints. It is two words, because a program binds anew for each call: what it hands on goes in
// registers.
type bound struct {
	ref *meshRef
	*endpoint
}

// bind finds the endpoint whose code f is.
func bind[T any](m Mesh[T], f any) bound {
	pc := reflect.ValueOf(f).Pointer()
	if m.r != nil {
		if ep := m.r.bound.Load(); ep != nil && ep.pc == pc {
			return bound{m.r, ep}
		}
	}
	at, err := lookupType(reflect.TypeFor[T]())
	if err != nil {
		return bound{m.r, &endpoint{bad: err}}
	}
	ep := at.byPC[pc]
	if ep == nil {
		return bound{m.r, &endpoint{bad: fmt.Errorf("%s is not an endpoint of %s: pass a method expression such as (*%s).%s, or use MethodNamed and its kin with the name",
			funcName(pc), at.full, at.short, at.anyEndpoint())}}
	}
	if m.r != nil {
		m.r.bound.Store(ep)
	}
	return bound{m.r, ep}
}

// bindNamed finds the endpoint by name and judges its form.
func bindNamed[T any](m Mesh[T], name string, out reflect.Type, in ...reflect.Type) bound {
	at, err := lookupType(reflect.TypeFor[T]())
	if err != nil {
		return bound{m.r, &endpoint{name: name, bad: err}}
	}
	ep := at.eps[name]
	switch {
	case ep == nil:
		ep = &endpoint{name: name, bad: at.missing(at.full+" has no endpoint", name)}
	case !slices.Equal(ep.in, in) || ep.out != out:
		ep = &endpoint{name: name, bad: fmt.Errorf("endpoint %s of %s is %s; it was bound as %s", name, at.full, formOf(ep.in, ep.out), formOf(in, out))}
	}
	return bound{m.r, ep}
}

// missing is the error for a name that no endpoint has.
func (t *actorType) missing(has, name string) error {
	if why := t.notCallable(name); why != "" {
		return errors.New(why)
	}
	return fmt.Errorf("%s %s%s", has, name, schema.Suggest(name, t.names()))
}

func (t *actorType) names() []string {
	out := make([]string, len(t.list))
	for i, ep := range t.list {
		out[i] = ep.name
	}
	return out
}

func formOf(in []reflect.Type, out reflect.Type) string {
	var args []string
	for _, a := range in {
		args = append(args, a.String())
	}
	s := "(" + strings.Join(args, ", ") + ") → "
	if out == nil {
		return s + "error"
	}
	return s + "(" + out.String() + ", error)"
}

// A binder for each form that an endpoint can have makes a call typed without generated code: four, and those whose names
// end in 2 or 3 for as many arguments. The compiler rejects a wrong argument, a wrong actor and a wrong binder, and prints
// both signatures.

// Method binds an endpoint of the form (A) → (R, error).
func Method[T, A, R any](m Mesh[T], f func(*T, context.Context, A) (R, error)) BoundMethod[A, R] {
	return BoundMethod[A, R]{bind(m, f)}
}

// Action binds an endpoint of the form (A) → error.
func Action[T, A any](m Mesh[T], f func(*T, context.Context, A) error) BoundAction[A] {
	return BoundAction[A]{bind(m, f)}
}

// Query binds an endpoint of the form () → (R, error).
func Query[T, R any](m Mesh[T], f func(*T, context.Context) (R, error)) BoundQuery[R] {
	return BoundQuery[R]{bind(m, f)}
}

// Signal binds an endpoint of the form () → error.
func Signal[T any](m Mesh[T], f func(*T, context.Context) error) BoundSignal {
	return BoundSignal{bind(m, f)}
}

// Method2 binds an endpoint of the form (A, B) → (R, error).
func Method2[T, A, B, R any](m Mesh[T], f func(*T, context.Context, A, B) (R, error)) BoundMethod2[A, B, R] {
	return BoundMethod2[A, B, R]{BoundMethod[tuple, R]{bind(m, f)}}
}

// Action2 binds an endpoint of the form (A, B) → error.
func Action2[T, A, B any](m Mesh[T], f func(*T, context.Context, A, B) error) BoundAction2[A, B] {
	return BoundAction2[A, B]{BoundAction[tuple]{bind(m, f)}}
}

// Method3 binds an endpoint of the form (A, B, C) → (R, error).
func Method3[T, A, B, C, R any](m Mesh[T], f func(*T, context.Context, A, B, C) (R, error)) BoundMethod3[A, B, C, R] {
	return BoundMethod3[A, B, C, R]{BoundMethod[tuple, R]{bind(m, f)}}
}

// Action3 binds an endpoint of the form (A, B, C) → error.
func Action3[T, A, B, C any](m Mesh[T], f func(*T, context.Context, A, B, C) error) BoundAction3[A, B, C] {
	return BoundAction3[A, B, C]{BoundAction[tuple]{bind(m, f)}}
}

// MethodNamed binds by name, for places where a method expression has no name of its own, such as inside a generic
// function. A name or form that does not exist is an error of the call. The type parameters are A, R, then T.
func MethodNamed[A, R, T any](m Mesh[T], name string) BoundMethod[A, R] {
	return BoundMethod[A, R]{bindNamed(m, name, reflect.TypeFor[R](), reflect.TypeFor[A]())}
}

// ActionNamed is Action by name.
func ActionNamed[A, T any](m Mesh[T], name string) BoundAction[A] {
	return BoundAction[A]{bindNamed(m, name, nil, reflect.TypeFor[A]())}
}

// QueryNamed is Query by name.
func QueryNamed[R, T any](m Mesh[T], name string) BoundQuery[R] {
	return BoundQuery[R]{bindNamed(m, name, reflect.TypeFor[R]())}
}

// SignalNamed is Signal by name.
func SignalNamed[T any](m Mesh[T], name string) BoundSignal {
	return BoundSignal{bindNamed(m, name, nil)}
}

// Method2Named is Method2 by name.
func Method2Named[A, B, R, T any](m Mesh[T], name string) BoundMethod2[A, B, R] {
	return BoundMethod2[A, B, R]{BoundMethod[tuple, R]{bindNamed(m, name, reflect.TypeFor[R](), reflect.TypeFor[A](), reflect.TypeFor[B]())}}
}

// Action2Named is Action2 by name.
func Action2Named[A, B, T any](m Mesh[T], name string) BoundAction2[A, B] {
	return BoundAction2[A, B]{BoundAction[tuple]{bindNamed(m, name, nil, reflect.TypeFor[A](), reflect.TypeFor[B]())}}
}

// Method3Named is Method3 by name.
func Method3Named[A, B, C, R, T any](m Mesh[T], name string) BoundMethod3[A, B, C, R] {
	return BoundMethod3[A, B, C, R]{BoundMethod[tuple, R]{bindNamed(m, name, reflect.TypeFor[R](), reflect.TypeFor[A](), reflect.TypeFor[B](), reflect.TypeFor[C]())}}
}

// Action3Named is Action3 by name.
func Action3Named[A, B, C, T any](m Mesh[T], name string) BoundAction3[A, B, C] {
	return BoundAction3[A, B, C]{BoundAction[tuple]{bindNamed(m, name, nil, reflect.TypeFor[A](), reflect.TypeFor[B](), reflect.TypeFor[C]())}}
}

// None is the result of an endpoint that returns only an error.
type None struct{}

// The bound endpoints. They name no actor type, so a package can be handed one without importing the actor's.
type (
	// BoundMethod is a bound (A) → (R, error).
	BoundMethod[A, R any] struct{ b bound }
	// BoundAction is a bound (A) → error.
	BoundAction[A any] struct{ b bound }
	// BoundQuery is a bound () → (R, error).
	BoundQuery[R any] struct{ b bound }
	// BoundSignal is a bound () → error.
	BoundSignal struct{ b bound }
	// BoundMethod2 is a bound (A, B) → (R, error).
	BoundMethod2[A, B, R any] struct{ m BoundMethod[tuple, R] }
	// BoundAction2 is a bound (A, B) → error.
	BoundAction2[A, B any] struct{ m BoundAction[tuple] }
	// BoundMethod3 is a bound (A, B, C) → (R, error).
	BoundMethod3[A, B, C, R any] struct{ m BoundMethod[tuple, R] }
	// BoundAction3 is a bound (A, B, C) → error.
	BoundAction3[A, B, C any] struct{ m BoundAction[tuple] }
)

// Start sends to all ranks before it returns and gives a Future to wait on. ctx governs the call: when it ends, the call
// is cancelled. Program order of Starts is the order in which each receiver handles them.
func (e BoundMethod[A, R]) Start(ctx context.Context, a A) *Future[R] {
	return &Future[R]{prepare(ctx, e.b, a, adverbStart).send(ctx)}
}

// Call waits for all ranks. The ValueMesh holds the ranks that answered even when the error, a *MeshError, names others.
func (e BoundMethod[A, R]) Call(ctx context.Context, a A) (ValueMesh[R], error) {
	return (&Future[R]{prepare(ctx, e.b, a, adverbCall).send(ctx)}).All(ctx)
}

// CallOne calls a mesh of exactly one rank.
func (e BoundMethod[A, R]) CallOne(ctx context.Context, a A) (R, error) {
	return one[R](prepare(ctx, e.b, a, adverbOne).send(ctx).await(ctx))
}

// Choose calls one rank: the one with the fewest calls of this process in flight, then the shortest mailbox as last
// told, then the next in turn.
func (e BoundMethod[A, R]) Choose(ctx context.Context, a A) (R, error) {
	return one[R](prepare(ctx, e.b, a, adverbChoose).send(ctx).await(ctx))
}

// Stream yields replies in arrival order, each with its point; a failed rank yields a *RankError and the loop goes on.
func (e BoundMethod[A, R]) Stream(ctx context.Context, a A) iter.Seq2[Reply[R], error] {
	return (&Future[R]{prepare(ctx, e.b, a, adverbStream).send(ctx)}).stream()
}

// Broadcast sends to all ranks and does not wait; an error of a handler goes to supervision. ctx limits the sending: nobody
// waits for what the handlers do, so their contexts have no deadline of it.
func (e BoundMethod[A, R]) Broadcast(ctx context.Context, a A) error { return broadcast(ctx, e.b, a) }

// Start sends to all ranks; see BoundMethod.Start.
func (e BoundAction[A]) Start(ctx context.Context, a A) *Future[None] {
	return &Future[None]{prepare(ctx, e.b, a, adverbStart).send(ctx)}
}

// Call waits for all ranks; the error is a *MeshError that names those that failed.
func (e BoundAction[A]) Call(ctx context.Context, a A) error {
	_, err := (&Future[None]{prepare(ctx, e.b, a, adverbCall).send(ctx)}).All(ctx)
	return err
}

// CallOne calls a mesh of exactly one rank.
func (e BoundAction[A]) CallOne(ctx context.Context, a A) error {
	_, err := one[None](prepare(ctx, e.b, a, adverbOne).send(ctx).await(ctx))
	return err
}

// Choose calls one rank; see BoundMethod.Choose.
func (e BoundAction[A]) Choose(ctx context.Context, a A) error {
	_, err := one[None](prepare(ctx, e.b, a, adverbChoose).send(ctx).await(ctx))
	return err
}

// Stream yields a reply per rank in arrival order; see BoundMethod.Stream.
func (e BoundAction[A]) Stream(ctx context.Context, a A) iter.Seq2[Reply[None], error] {
	return (&Future[None]{prepare(ctx, e.b, a, adverbStream).send(ctx)}).stream()
}

// Broadcast sends to all ranks and does not wait.
func (e BoundAction[A]) Broadcast(ctx context.Context, a A) error { return broadcast(ctx, e.b, a) }

// Start sends to all ranks; see BoundMethod.Start.
func (e BoundQuery[R]) Start(ctx context.Context) *Future[R] {
	return &Future[R]{prepare(ctx, e.b, noArg{}, adverbStart).send(ctx)}
}

// Call waits for all ranks; see BoundMethod.Call.
func (e BoundQuery[R]) Call(ctx context.Context) (ValueMesh[R], error) {
	return (&Future[R]{prepare(ctx, e.b, noArg{}, adverbCall).send(ctx)}).All(ctx)
}

// CallOne calls a mesh of exactly one rank.
func (e BoundQuery[R]) CallOne(ctx context.Context) (R, error) {
	return one[R](prepare(ctx, e.b, noArg{}, adverbOne).send(ctx).await(ctx))
}

// Choose calls one rank; see BoundMethod.Choose.
func (e BoundQuery[R]) Choose(ctx context.Context) (R, error) {
	return one[R](prepare(ctx, e.b, noArg{}, adverbChoose).send(ctx).await(ctx))
}

// Stream yields a reply per rank in arrival order; see BoundMethod.Stream.
func (e BoundQuery[R]) Stream(ctx context.Context) iter.Seq2[Reply[R], error] {
	return (&Future[R]{prepare(ctx, e.b, noArg{}, adverbStream).send(ctx)}).stream()
}

// Broadcast sends to all ranks and does not wait; results are thrown away.
func (e BoundQuery[R]) Broadcast(ctx context.Context) error { return broadcast(ctx, e.b, noArg{}) }

// Start sends to all ranks; see BoundMethod.Start.
func (e BoundSignal) Start(ctx context.Context) *Future[None] {
	return &Future[None]{prepare(ctx, e.b, noArg{}, adverbStart).send(ctx)}
}

// Call waits for all ranks.
func (e BoundSignal) Call(ctx context.Context) error {
	_, err := (&Future[None]{prepare(ctx, e.b, noArg{}, adverbCall).send(ctx)}).All(ctx)
	return err
}

// CallOne calls a mesh of exactly one rank.
func (e BoundSignal) CallOne(ctx context.Context) error {
	_, err := one[None](prepare(ctx, e.b, noArg{}, adverbOne).send(ctx).await(ctx))
	return err
}

// Choose calls one rank; see BoundMethod.Choose.
func (e BoundSignal) Choose(ctx context.Context) error {
	_, err := one[None](prepare(ctx, e.b, noArg{}, adverbChoose).send(ctx).await(ctx))
	return err
}

// Stream yields a reply per rank in arrival order; see BoundMethod.Stream.
func (e BoundSignal) Stream(ctx context.Context) iter.Seq2[Reply[None], error] {
	return (&Future[None]{prepare(ctx, e.b, noArg{}, adverbStream).send(ctx)}).stream()
}

// Broadcast sends to all ranks and does not wait.
func (e BoundSignal) Broadcast(ctx context.Context) error { return broadcast(ctx, e.b, noArg{}) }

// Start is that of BoundMethod, with 2 arguments.
func (e BoundMethod2[A, B, R]) Start(ctx context.Context, a A, b B) *Future[R] {
	return e.m.Start(ctx, tuple{a, b})
}

// Call is that of BoundMethod, with 2 arguments.
func (e BoundMethod2[A, B, R]) Call(ctx context.Context, a A, b B) (ValueMesh[R], error) {
	return e.m.Call(ctx, tuple{a, b})
}

// CallOne is that of BoundMethod, with 2 arguments.
func (e BoundMethod2[A, B, R]) CallOne(ctx context.Context, a A, b B) (R, error) {
	return e.m.CallOne(ctx, tuple{a, b})
}

// Choose is that of BoundMethod, with 2 arguments.
func (e BoundMethod2[A, B, R]) Choose(ctx context.Context, a A, b B) (R, error) {
	return e.m.Choose(ctx, tuple{a, b})
}

// Stream is that of BoundMethod, with 2 arguments.
func (e BoundMethod2[A, B, R]) Stream(ctx context.Context, a A, b B) iter.Seq2[Reply[R], error] {
	return e.m.Stream(ctx, tuple{a, b})
}

// Broadcast is that of BoundMethod, with 2 arguments.
func (e BoundMethod2[A, B, R]) Broadcast(ctx context.Context, a A, b B) error {
	return e.m.Broadcast(ctx, tuple{a, b})
}

// Start is that of BoundAction, with 2 arguments.
func (e BoundAction2[A, B]) Start(ctx context.Context, a A, b B) *Future[None] {
	return e.m.Start(ctx, tuple{a, b})
}

// Call is that of BoundAction, with 2 arguments.
func (e BoundAction2[A, B]) Call(ctx context.Context, a A, b B) error {
	return e.m.Call(ctx, tuple{a, b})
}

// CallOne is that of BoundAction, with 2 arguments.
func (e BoundAction2[A, B]) CallOne(ctx context.Context, a A, b B) error {
	return e.m.CallOne(ctx, tuple{a, b})
}

// Choose is that of BoundAction, with 2 arguments.
func (e BoundAction2[A, B]) Choose(ctx context.Context, a A, b B) error {
	return e.m.Choose(ctx, tuple{a, b})
}

// Stream is that of BoundAction, with 2 arguments.
func (e BoundAction2[A, B]) Stream(ctx context.Context, a A, b B) iter.Seq2[Reply[None], error] {
	return e.m.Stream(ctx, tuple{a, b})
}

// Broadcast is that of BoundAction, with 2 arguments.
func (e BoundAction2[A, B]) Broadcast(ctx context.Context, a A, b B) error {
	return e.m.Broadcast(ctx, tuple{a, b})
}

// Start is that of BoundMethod, with 3 arguments.
func (e BoundMethod3[A, B, C, R]) Start(ctx context.Context, a A, b B, c C) *Future[R] {
	return e.m.Start(ctx, tuple{a, b, c})
}

// Call is that of BoundMethod, with 3 arguments.
func (e BoundMethod3[A, B, C, R]) Call(ctx context.Context, a A, b B, c C) (ValueMesh[R], error) {
	return e.m.Call(ctx, tuple{a, b, c})
}

// CallOne is that of BoundMethod, with 3 arguments.
func (e BoundMethod3[A, B, C, R]) CallOne(ctx context.Context, a A, b B, c C) (R, error) {
	return e.m.CallOne(ctx, tuple{a, b, c})
}

// Choose is that of BoundMethod, with 3 arguments.
func (e BoundMethod3[A, B, C, R]) Choose(ctx context.Context, a A, b B, c C) (R, error) {
	return e.m.Choose(ctx, tuple{a, b, c})
}

// Stream is that of BoundMethod, with 3 arguments.
func (e BoundMethod3[A, B, C, R]) Stream(ctx context.Context, a A, b B, c C) iter.Seq2[Reply[R], error] {
	return e.m.Stream(ctx, tuple{a, b, c})
}

// Broadcast is that of BoundMethod, with 3 arguments.
func (e BoundMethod3[A, B, C, R]) Broadcast(ctx context.Context, a A, b B, c C) error {
	return e.m.Broadcast(ctx, tuple{a, b, c})
}

// Start is that of BoundAction, with 3 arguments.
func (e BoundAction3[A, B, C]) Start(ctx context.Context, a A, b B, c C) *Future[None] {
	return e.m.Start(ctx, tuple{a, b, c})
}

// Call is that of BoundAction, with 3 arguments.
func (e BoundAction3[A, B, C]) Call(ctx context.Context, a A, b B, c C) error {
	return e.m.Call(ctx, tuple{a, b, c})
}

// CallOne is that of BoundAction, with 3 arguments.
func (e BoundAction3[A, B, C]) CallOne(ctx context.Context, a A, b B, c C) error {
	return e.m.CallOne(ctx, tuple{a, b, c})
}

// Choose is that of BoundAction, with 3 arguments.
func (e BoundAction3[A, B, C]) Choose(ctx context.Context, a A, b B, c C) error {
	return e.m.Choose(ctx, tuple{a, b, c})
}

// Stream is that of BoundAction, with 3 arguments.
func (e BoundAction3[A, B, C]) Stream(ctx context.Context, a A, b B, c C) iter.Seq2[Reply[None], error] {
	return e.m.Stream(ctx, tuple{a, b, c})
}

// Broadcast is that of BoundAction, with 3 arguments.
func (e BoundAction3[A, B, C]) Broadcast(ctx context.Context, a A, b B, c C) error {
	return e.m.Broadcast(ctx, tuple{a, b, c})
}
