// Package form says what makes a method an endpoint, and of a method that is none what keeps it from being one. It judges
// signatures only: whether the types of argument and result can travel is engine/schema's rule, and names of hooks are the
// engine's.
//
// The rule: a method is an endpoint when its first parameter is a context.Context, it has MaxArgs more at most, and it
// returns an error, or a value and an error.
package form

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// Form is how a method of an actor can be called, or why it cannot.
type Form struct {
	In  []reflect.Type // of an endpoint: its arguments
	Out reflect.Type   // of an endpoint: nil when absent
	Why string         // it is no endpoint, because …; "" for an endpoint
	Fix string         // the signature that would make it one; "" for a method that does not look like an endpoint
}

// MaxArgs is how many arguments an endpoint can have beside its context.
const MaxArgs = 3

var (
	ctxType   = reflect.TypeFor[context.Context]()
	errorType = reflect.TypeFor[error]()
)

// Of judges a method of the type *t.
func Of(t reflect.Type, m reflect.Method) Form {
	s := read(m.Type)
	why := s.faults(t)
	if len(why) == 0 {
		f := Form{In: s.args}
		if len(s.results) == 1 {
			f.Out = s.results[0]
		}
		return f
	}
	f := Form{Why: strings.Join(why, ", and ")}
	if s.near(m.Name) && ours(t, m) {
		f.Fix = s.fixed(t, m.Name)
	}
	return f
}

// signature is a method's, with its parts sorted by what they mean for an endpoint.
type signature struct {
	ctx      int          // index of the context among the parameters; -1: there is none
	odd      reflect.Type // a parameter that is meant as a context and is none
	args     []reflect.Type
	variadic bool
	err      int // index of the last error among the results; -1: there is none
	errs     int
	outs     int
	results  []reflect.Type // but the errors
}

func read(ft reflect.Type) signature {
	s := signature{ctx: -1, err: -1, variadic: ft.IsVariadic(), outs: ft.NumOut()}
	for i := 1; i < ft.NumIn(); i++ { // 0 is the receiver
		switch in := ft.In(i); {
		case in == ctxType && s.ctx < 0:
			s.ctx = i - 1
		case s.odd == nil && meantAsContext(in):
			s.odd = in
		default:
			s.args = append(s.args, in)
		}
	}
	if s.ctx >= 0 && s.odd != nil {
		s.args, s.odd = append(s.args, s.odd), nil
	}
	for i := range s.outs {
		if out := ft.Out(i); out == errorType {
			s.err = i
			s.errs++
		} else {
			s.results = append(s.results, out)
		}
	}
	return s
}

// meantAsContext reports whether a parameter is some other context: a pointer to one, one of a framework, an interface with
// more methods.
func meantAsContext(t reflect.Type) bool {
	base := t
	for base.Kind() == reflect.Pointer && base.Name() == "" {
		base = base.Elem()
	}
	return base == ctxType || base.Name() == "Context" || t.Kind() == reflect.Interface && t.Implements(ctxType)
}

// faults are what keeps the method from being an endpoint.
func (s *signature) faults(t reflect.Type) (why []string) {
	switch {
	case s.odd != nil:
		why = append(why, fmt.Sprintf("its context is a %s, not a context.Context", named(t, s.odd)))
	case s.ctx < 0:
		why = append(why, "it has no context.Context")
	case s.ctx > 0:
		why = append(why, "its context.Context is not the first parameter")
	}
	switch {
	case s.variadic:
		why = append(why, "it takes any number of arguments")
	case len(s.args) > MaxArgs:
		why = append(why, fmt.Sprintf("it takes %d arguments, which is more than %d", len(s.args), MaxArgs))
	}
	switch {
	case s.err < 0:
		why = append(why, "it does not return an error")
	case s.err != s.outs-1:
		why = append(why, "the error is not its last result")
	}
	if s.errs > 1 {
		why = append(why, fmt.Sprintf("it returns %d errors", s.errs))
	}
	if len(s.results) > 1 {
		why = append(why, fmt.Sprintf("it returns %d values", len(s.results)))
	}
	return why
}

// near reports whether the method looks as if it were meant as an endpoint: it has some context, or all but the context.
func (s *signature) near(name string) bool {
	return s.ctx >= 0 || s.odd != nil || s.err >= 0 && !slices.Contains(wellKnown, name)
}

// wellKnown are methods of interfaces of the standard library that return an error and have no context: who writes one does
// not mean an endpoint.
var wellKnown = strings.Fields(`Close Format GobDecode GobEncode MarshalBinary MarshalCBOR MarshalJSON MarshalText MarshalXML Read
	ReadAt ReadByte ReadFrom ReadRune Scan Seek UnmarshalBinary UnmarshalCBOR UnmarshalJSON UnmarshalText UnmarshalXML UnreadByte
	UnreadRune Unwrap Write WriteAt WriteByte WriteString WriteTo`)

// fixed is the signature of the endpoint that the method could be.
func (s *signature) fixed(t reflect.Type, name string) string {
	typ := schema.ShortType(t.Name())
	first, _ := utf8.DecodeRuneInString(typ)
	recv := string(unicode.ToLower(first))
	var b strings.Builder
	fmt.Fprintf(&b, "func (%s *%s) %s(ctx context.Context", recv, typ, name)
	many := len(s.args) > MaxArgs
	if many {
		fmt.Fprintf(&b, ", args %sArgs", name)
	} else {
		for i, a := range s.args { // the last one of a variadic method is a slice already
			fmt.Fprintf(&b, ", %s %s", argName(recv, i), named(t, a))
		}
	}
	b.WriteString(") ")
	switch {
	case len(s.results) == 1:
		fmt.Fprintf(&b, "(%s, error)", named(t, s.results[0]))
	case len(s.results) > 1:
		fmt.Fprintf(&b, "(%sResult, error)", name)
	default:
		b.WriteString("error")
	}
	var with []string
	switch {
	case many && len(s.results) > 1:
		with = append(with, fmt.Sprintf("with structs %sArgs and %sResult that hold what it takes and returns", name, name))
	case many:
		with = append(with, fmt.Sprintf("with a struct %sArgs that holds the arguments", name))
	case len(s.results) > 1:
		with = append(with, fmt.Sprintf("with a struct %sResult that holds the values", name))
	}
	if s.errs > 1 {
		with = append(with, "with errors.Join of its errors")
	}
	for _, w := range with {
		b.WriteString(", " + w)
	}
	return b.String()
}

// named is a type as a file of t's package writes it.
func named(t, of reflect.Type) string {
	pkg, _, _ := strings.Cut(t.String(), ".")
	return regexp.MustCompile(`\b`+regexp.QuoteMeta(pkg)+`\.`).ReplaceAllString(schema.ShortType(of.String()), "")
}

// argName is a name for an argument that is not the receiver's.
func argName(recv string, i int) string {
	name := string("abc"[i])
	if recv == name {
		return "arg"
	}
	return name
}

// ours reports whether who wrote the type wrote the method too: one that comes with an embedded type of another package was
// made for something else.
func ours(t reflect.Type, m reflect.Method) bool {
	return t.PkgPath() == declared(t, m.Name).PkgPath()
}

// declared is the type that declares the method: t, or a type embedded in it.
func declared(t reflect.Type, name string) reflect.Type {
	if t.Kind() != reflect.Struct || written(t, name) {
		return t
	}
	for f := range t.Fields() {
		base := f.Type
		if base.Kind() == reflect.Pointer {
			base = base.Elem()
		}
		if !f.Anonymous {
			continue
		}
		of := reflect.PointerTo(base)
		if base.Kind() == reflect.Interface {
			of = base
		}
		if _, has := of.MethodByName(name); has {
			return declared(base, name)
		}
	}
	return t
}

// written reports whether a method stands in a source file: the compiler writes those that come from embedded types, and
// the pointer's of a value's.
func written(t reflect.Type, name string) bool {
	for _, of := range []reflect.Type{reflect.PointerTo(t), t} {
		m, has := of.MethodByName(name)
		if !has || !m.Func.IsValid() {
			continue
		}
		if f := runtime.FuncForPC(m.Func.Pointer()); f != nil {
			if file, _ := f.FileLine(f.Entry()); file != "<autogenerated>" {
				return true
			}
		}
	}
	return false
}
