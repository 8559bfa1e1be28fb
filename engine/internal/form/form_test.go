package form

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
)

type own interface{ context.Context }

// Context is what a framework calls its own.
type Context struct{}

type point struct{ X, Y int }

// Base is embedded by who wrote it.
type Base struct{}

func (b *Base) Two(_ context.Context, _, _ int) {}

type Actor struct {
	Base
	*slog.Logger
}

func (a *Actor) Method(context.Context, int) (string, error)             { return "", nil }
func (a Actor) Value(context.Context, []point) error                     { return nil }
func (a *Actor) Query(context.Context) (point, error)                    { return point{}, nil }
func (a *Actor) Signal(context.Context) error                            { return nil }
func (a *Actor) Add(context.Context, int, string) (int, error)           { return 0, nil }
func (a *Actor) Four(context.Context, int, int, bool, string) error      { return nil }
func (a *Actor) Many(context.Context, ...int) error                      { return nil }
func (a *Actor) NoError(context.Context, point) int                      { return 0 }
func (a *Actor) Nothing(context.Context)                                 {}
func (a *Actor) Pair(context.Context) (int, string, error)               { return 0, "", nil }
func (a *Actor) Both(context.Context, int, int) (int, string)            { return 0, "" }
func (a *Actor) Last(int, context.Context) error                         { return nil }
func (a *Actor) First(context.Context) (error, int)                      { return nil, 0 } //nolint:staticcheck // that is what it is for
func (a *Actor) TwoErr(context.Context) (error, error)                   { return nil, nil }
func (a *Actor) Errors(context.Context) (int, error, bool, error)        { return 0, nil, false, nil }
func (a *Actor) Pointer(*context.Context, int) error                     { return nil }
func (a *Actor) Framework(*Context) (int, error)                         { return 0, nil }
func (a *Actor) Interface(own) error                                     { return nil }
func (a *Actor) Forgot(int) (int, error)                                 { return 0, nil }
func (a *Actor) Close() error                                            { return nil }
func (a *Actor) String() string                                          { return "" }
func (a *Actor) Len(int, int) int                                        { return 0 }
func (a *Actor) Func(context.Context, func(int) error, map[string]point) {}

func TestTheFormOfAMethod(t *testing.T) {
	typ := reflect.TypeFor[Actor]()
	got := map[string]Form{}
	for m := range reflect.PointerTo(typ).Methods() {
		got[m.Name] = Of(typ, m)
	}
	for name, want := range map[string]string{
		"Method": "in [int], out string", "Value": "in [[]form.point], out <nil>", "Query": "in [], out form.point", "Signal": "in [], out <nil>",
		"Add":       "in [int string], out int",
		"Four":      "it takes 4 arguments, which is more than 3 | func (a *Actor) Four(ctx context.Context, args FourArgs) error, with a struct FourArgs that holds the arguments",
		"Two":       "it does not return an error | func (a *Actor) Two(ctx context.Context, arg int, b int) error",
		"Many":      "it takes any number of arguments | func (a *Actor) Many(ctx context.Context, arg []int) error",
		"NoError":   "it does not return an error | func (a *Actor) NoError(ctx context.Context, arg point) (int, error)",
		"Nothing":   "it does not return an error | func (a *Actor) Nothing(ctx context.Context) error",
		"Pair":      "it returns 2 values | func (a *Actor) Pair(ctx context.Context) (PairResult, error), with a struct PairResult that holds the values",
		"Both":      "it does not return an error, and it returns 2 values | func (a *Actor) Both(ctx context.Context, arg int, b int) (BothResult, error), with a struct BothResult that holds the values",
		"Last":      "its context.Context is not the first parameter | func (a *Actor) Last(ctx context.Context, arg int) error",
		"First":     "the error is not its last result | func (a *Actor) First(ctx context.Context) (int, error)",
		"TwoErr":    "it returns 2 errors | func (a *Actor) TwoErr(ctx context.Context) error, with errors.Join of its errors",
		"Errors":    "it returns 2 errors, and it returns 2 values | func (a *Actor) Errors(ctx context.Context) (ErrorsResult, error), with a struct ErrorsResult that holds the values, with errors.Join of its errors",
		"Pointer":   "its context is a *context.Context, not a context.Context | func (a *Actor) Pointer(ctx context.Context, arg int) error",
		"Framework": "its context is a *Context, not a context.Context | func (a *Actor) Framework(ctx context.Context) (int, error)",
		"Interface": "its context is a own, not a context.Context | func (a *Actor) Interface(ctx context.Context) error",
		"Forgot":    "it has no context.Context | func (a *Actor) Forgot(ctx context.Context, arg int) (int, error)",
		"Func":      "it does not return an error | func (a *Actor) Func(ctx context.Context, arg func(int) error, b map[string]point) error",
		"Close":     "it has no context.Context",
		"String":    "it has no context.Context, and it does not return an error",
		"Len":       "it has no context.Context, and it does not return an error",
		// of an embedded type of somebody else
		"InfoContext": "it takes any number of arguments, and it does not return an error",
		"Log":         "it takes any number of arguments, and it does not return an error",
		"Handler":     "it has no context.Context, and it does not return an error",
	} {
		f, has := got[name]
		text := f.Why
		switch {
		case !has:
			t.Errorf("%s: there is no such method", name)
		case f.Why == "":
			text = fmt.Sprintf("in %v, out %v", f.In, f.Out)
		case f.Fix != "":
			text += " | " + f.Fix
		}
		if text != want {
			t.Errorf("%s:\n got %s\nwant %s", name, text, want)
		}
	}
}

type box[T any] struct{ Val T }

func (b *box[T]) Set(context.Context, T, T) {}

func TestTheFormOfAMethodOfAGenericType(t *testing.T) {
	typ := reflect.TypeFor[box[point]]()
	m, _ := reflect.PointerTo(typ).MethodByName("Set")
	if f := Of(typ, m); !strings.HasPrefix(f.Fix, "func (b *box[form.point]) Set(ctx context.Context, a point, arg point) error") {
		t.Errorf("%+v", f)
	}
}
