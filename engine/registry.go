package engine

import (
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/body"
	"github.com/monarch-tui/monarch-tui/engine/internal/form"
	"github.com/monarch-tui/monarch-tui/engine/internal/invoke"
	"github.com/monarch-tui/monarch-tui/engine/internal/source"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// endpoint is one method of an actor type that can be called.
type endpoint struct {
	name       string
	typ        *actorType
	in         []reflect.Type // its arguments
	out        reflect.Type   // nil when absent
	method     *invoke.Method
	pc         uintptr
	doc        string
	concurrent bool
	slow       atomic.Bool // it was not quick the last time, in this process
	arg        *schema.Schema
	result     *schema.Schema
	hash       uint64
	bad        error // why nothing can be called by it: it only stands for one that was asked for
}

// actorType is what Register learned about a Go type.
type actorType struct {
	full   string // pkgpath.Name
	short  string // Name
	typ    reflect.Type
	eps    map[string]*endpoint
	byPC   map[uintptr]*endpoint
	list   []*endpoint
	fields []schema.Field
	others []other
}

// other is an exported method that is no endpoint.
type other struct {
	name string
	pc   uintptr
	why  string
	fix  string // "" where it does not look like one
}

// registry holds the actor types of this binary. It is filled by Register before Main and read only afterwards: the
// one piece of package state, because a type registers itself before any engine exists.
var registry = struct {
	mu     sync.RWMutex
	byName map[string]*actorType
	byType map[reflect.Type]*actorType
	schema *schema.Builder
}{byName: map[string]*actorType{}, byType: map[reflect.Type]*actorType{}, schema: schema.NewBuilder()}

// bodies encodes and decodes what users send. What it keeps is a cache.
var bodies = body.NewCodec()

// RegisterOption changes how Register reads an actor type.
type RegisterOption func(*actorType)

// Concurrent makes an endpoint start on arrival, beside whatever the actor is doing, in arrival order among its kind. It
// must guard the state it shares itself. Pass the method expression: engine.Concurrent((*T).Status).
func Concurrent(method any) RegisterOption {
	return func(t *actorType) { t.mustFind("Concurrent", method).concurrent = true }
}

// Doc documents an endpoint for front ends, for programs that run where their source is not.
func Doc(method any, text string) RegisterOption {
	return func(t *actorType) { t.mustFind("Doc", method).doc = text }
}

// NotEndpoint keeps an exported method from being an endpoint: a helper that has an endpoint's signature cannot be called
// from elsewhere, and one that only looks like an endpoint is not warned of. Lists of endpoints leave both out. Pass the method expression.
func NotEndpoint(method any) RegisterOption {
	return func(t *actorType) {
		v := reflect.ValueOf(method)
		if v.Kind() == reflect.Func {
			for i := range t.others {
				if t.others[i].pc == v.Pointer() {
					t.others[i].why, t.others[i].fix = control.KeptToItself, ""
					return
				}
			}
		}
		ep := t.mustFind("NotEndpoint", method)
		delete(t.eps, ep.name)
		delete(t.byPC, ep.pc)
		t.list = slices.DeleteFunc(t.list, func(e *endpoint) bool { return e == ep })
		t.others = append(t.others, other{name: ep.name, pc: ep.pc, why: control.KeptToItself})
		slices.SortFunc(t.others, func(a, b other) int { return strings.Compare(a.name, b.name) })
	}
}

func (t *actorType) mustFind(option string, method any) *endpoint {
	v := reflect.ValueOf(method)
	if v.Kind() == reflect.Func {
		if ep := t.byPC[v.Pointer()]; ep != nil {
			return ep
		}
	}
	panic(fmt.Sprintf("engine: %s wants a method expression of %s such as (*%s).%s", option, t.full, t.short, t.anyEndpoint()))
}

func (t *actorType) anyEndpoint() string {
	if len(t.list) > 0 {
		return t.list[0].name
	}
	return "Method"
}

// Register makes T an actor type of this binary. Call it before Main or Start, in every program that spawns T or runs as
// its worker. Registering a type twice does nothing. It panics, at start and with the fix in the text, on a type
// whose fields or endpoints cannot travel between processes, and on a hook with a wrong signature.
//
// Its endpoints are the exported methods of *T whose first parameter is a context.Context, that have three more at most, and that return an error, or a value and an error. A method that looks like one and is none, such as one with four
// arguments or without an error, is told as a warning in the engine's log and by every front end, with the signature that
// would make it one; NotEndpoint says that it is meant so.
func Register[T any](opts ...RegisterOption) {
	t := reflect.TypeFor[T]()
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if registry.byType[t] != nil {
		return
	}
	at, err := readType(t, opts)
	if err != nil {
		panic("engine: Register[" + t.String() + "]: " + err.Error())
	}
	if registry.byName[at.full] != nil { // types declared inside functions can share a name
		panic("engine: Register[" + t.String() + "]: another type of this package has that name; declare it at package level")
	}
	registry.byType[t], registry.byName[at.full] = at, at
}

func fullName(t reflect.Type) string { return t.PkgPath() + "." + t.Name() }

func readType(t reflect.Type, opts []RegisterOption) (*actorType, error) {
	if t.Kind() != reflect.Struct || t.Name() == "" {
		return nil, fmt.Errorf("an actor is a named struct type, not %s", t)
	}
	at := &actorType{full: fullName(t), short: t.Name(), typ: t, eps: map[string]*endpoint{}, byPC: map[uintptr]*endpoint{}}
	fields, err := registry.schema.Constructor(t)
	if err != nil {
		return nil, fmt.Errorf("exported fields are copied to every rank: %w", err)
	}
	at.fields = fields
	if err := checkHooks(t); err != nil {
		return nil, err
	}
	for m := range reflect.PointerTo(t).Methods() {
		if isHook(m.Name) {
			continue
		}
		f := form.Of(t, m)
		if f.Why != "" {
			at.others = append(at.others, other{name: m.Name, pc: m.Func.Pointer(), why: f.Why, fix: f.Fix})
			continue
		}
		ep := &endpoint{name: m.Name, typ: at, method: invoke.NewMethod(m.Func, f.In, f.Out, bodies), pc: m.Func.Pointer(), in: f.In, out: f.Out}
		at.eps[ep.name], at.byPC[ep.pc] = ep, ep
		at.list = append(at.list, ep)
	}
	for _, o := range opts {
		o(at)
	}
	for _, ep := range at.list {
		if err := ep.readSchemas(); err != nil {
			return nil, err
		}
	}
	return at, nil
}

func (ep *endpoint) readSchemas() (err error) {
	args := make([]*schema.Schema, len(ep.in))
	for i, in := range ep.in {
		if args[i], err = registry.schema.Of(in); err != nil {
			return fmt.Errorf("the argument of %s cannot travel: %w", ep.name, err)
		}
	}
	switch len(args) {
	case 0:
	case 1:
		ep.arg = args[0]
	default:
		ep.arg = schema.Tuple(args)
	}
	if ep.out != nil {
		if ep.result, err = registry.schema.Of(ep.out); err != nil {
			return fmt.Errorf("the result of %s cannot travel: %w", ep.name, err)
		}
	}
	ep.hash = schema.Hash(registry.schema.Types, ep.arg)*31 ^ schema.Hash(registry.schema.Types, ep.result)
	return nil
}

// notCallable says why a method is no endpoint; "" for a name that no method has.
func (t *actorType) notCallable(name string) string {
	for _, o := range t.others {
		if o.name == name {
			n := control.NotCallable{Why: o.why, Fix: o.fix}
			return fmt.Sprintf("%s.%s is a method and no endpoint: %s", t.short, name, n.Reason())
		}
	}
	return ""
}

// warnOfMethods tells a log of the methods that look like endpoints and are none.
func warnOfMethods(log *slog.Logger) {
	registry.mu.RLock()
	defer registry.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(registry.byName)) {
		t := registry.byName[name]
		for _, o := range t.others {
			if o.fix != "" {
				log.Warn("a method looks like an endpoint and is none", "method", t.short+"."+o.name, "why", o.why, "fix", o.fix)
			}
		}
	}
}

// lookupType finds a registered type by Go type, or says how to register it.
func lookupType(t reflect.Type) (*actorType, error) {
	registry.mu.RLock()
	defer registry.mu.RUnlock()
	if at := registry.byType[t]; at != nil {
		return at, nil
	}
	return nil, fmt.Errorf("%s is not registered: call engine.Register[%s]() before engine.Main", t, t)
}

// typeNamed finds a registered type by full name, or by short name where that is unique.
func typeNamed(name string) (*actorType, error) {
	registry.mu.RLock()
	defer registry.mu.RUnlock()
	if at := registry.byName[name]; at != nil {
		return at, nil
	}
	var hits []*actorType
	var have []string
	for _, at := range registry.byName {
		have = append(have, at.short)
		if at.short == name || pkgDot(at) == name {
			hits = append(hits, at)
		}
	}
	slices.Sort(have)
	switch len(hits) {
	case 1:
		return hits[0], nil
	case 0:
		return nil, fmt.Errorf("no actor type %s is registered%s", name, schema.Suggest(name, have))
	}
	var full []string
	for _, h := range hits {
		full = append(full, pkgDot(h))
	}
	slices.Sort(full)
	return nil, fmt.Errorf("%s is ambiguous: say %s", name, strings.Join(full, " or "))
}

// pkgDot is pkg.Type with the last element of the package path.
func pkgDot(t *actorType) string {
	path := strings.TrimSuffix(t.full, t.short) // a generic type's own name holds paths too
	return path[strings.LastIndexByte(path, '/')+1:] + t.short
}

// displayName is the short name where it is unique, else pkg.Type. The registry is locked by the caller.
func displayName(t *actorType) string {
	for _, o := range registry.byName {
		if o != t && o.short == t.short {
			return pkgDot(t)
		}
	}
	return t.short
}

func funcName(pc uintptr) string {
	if f := runtime.FuncForPC(pc); f != nil {
		return f.Name()
	}
	return "a function"
}

// sources reads docs and names of arguments of endpoints. Its callers hold the registry's lock.
var sources = source.NewReader(func() (names []string) {
	for _, t := range registry.byName {
		for _, ep := range t.list {
			names = append(names, funcName(ep.pc))
		}
	}
	return names
})

// describeTypes is the registered actor types as front ends see them. Names of arguments and docs come from
// internal/source.
func describeTypes() ([]control.Type, schema.Types) { return describeWith(true) }

// describeWith is describeTypes; without what the sources say it takes no time.
func describeWith(docs bool) ([]control.Type, schema.Types) {
	registry.mu.RLock()
	defer registry.mu.RUnlock()
	var out []control.Type
	for _, name := range slices.Sorted(maps.Keys(registry.byName)) {
		out = append(out, describeType(registry.byName[name], docs))
	}
	return out, maps.Clone(registry.schema.Types)
}

func describeType(t *actorType, docs bool) control.Type {
	d := control.Type{Name: displayName(t), Full: t.full, Fields: t.fields}
	for _, o := range t.others {
		d.NotCallable = append(d.NotCallable, control.NotCallable{Name: o.name, Why: o.why, Fix: o.fix})
	}
	for _, ep := range t.list {
		e := control.Endpoint{Name: ep.name, Doc: ep.doc, Arg: ep.arg, Result: ep.result, Concurrent: ep.concurrent, Hash: ep.hash}
		var src source.Method
		if docs {
			src = sources.Method(source.Query{PC: ep.pc, Type: t.short, Name: ep.name, Arg: len(ep.in) > 0})
		}
		e.File, e.Line = src.File, src.Line
		if e.Doc == "" {
			e.Doc = src.Doc
		}
		if d.Doc == "" {
			d.Doc = src.TypeDoc
		}
		switch {
		case e.Arg == nil:
		case e.Arg.Tuple:
			e.Arg = e.Arg.Named(src.Params[:])
		case src.Params[0] == "" || src.Params[0] == "_":
			e.Param = "arg"
		default:
			e.Param = src.Params[0]
		}
		d.Endpoints = append(d.Endpoints, e)
	}
	return d
}
