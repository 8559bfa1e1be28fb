package cond

import (
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/eval"
	"github.com/monarch-tui/monarch-tui/engine/internal/suggest"
	"github.com/monarch-tui/monarch-tui/engine/probe/walk"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	bigType      = reflect.TypeFor[big.Int]()
	staterType   = reflect.TypeFor[walk.Stater]()
)

// compiler makes plans of parts.
type compiler struct{ scope Scope }

var _ eval.Scope = (*compiler)(nil)

// plan is how a part is read.
type plan struct {
	text  string                 // the part, for errors
	plain func(v *Values) any    // a number that is told with the frame; nil else
	told  func(v *Values) string // a text that is; nil else
	all   bool                   // the list of all arguments
	root  func(v *Values) (reflect.Value, error)
	hops  []hop
	len   bool // only the length is asked for
	isNil bool // only whether it is nil
	kind  string
}

// hop is one step from a value to a part of it.
type hop struct {
	step  eval.Step
	text  string        // as it is written: .next or [3]
	field []int         // of a struct, where its type is known
	key   reflect.Value // of a map, where its type is known
}

// Kind implements eval.Scope.
func (c *compiler) Kind(p eval.Part) (string, error) {
	plan, err := c.plan(p)
	return plan.kind, err
}

func mistake(offset int, format string, args ...any) error {
	return &eval.Error{Offset: offset, Msg: fmt.Sprintf(format, args...)}
}

// plan finds out how a part is read. Its errors are *eval.Error.
func (c *compiler) plan(p eval.Part) (plan, error) {
	out := plan{text: p.Name, len: p.Len, isNil: p.Nil}
	way := p.Way
	var t reflect.Type
	switch p.Name {
	case "rank", "hits", "error", "mesh", "endpoint", "site", "sender", "client":
		return c.fact(p)
	case "coords":
		return c.coords(p)
	case "state":
		if t = c.scope.State; t == nil {
			return out, mistake(p.Offset, "there is no state here")
		}
		out.root = func(v *Values) (reflect.Value, error) { return given(v.State, t, "state") }
	case "result":
		if t = c.scope.Result; t == nil {
			return out, mistake(p.Offset, "this endpoint gives no result")
		}
		out.root = func(v *Values) (reflect.Value, error) { return given(v.Result, t, "result") }
	case "args":
		if len(way) == 0 {
			out.all, out.kind = true, "list"
			return out, nil
		}
		i, rest, err := c.argument(way)
		if err != nil {
			return out, err
		}
		if len(rest) < len(way) {
			out.text += written(way[0])
		}
		way, t, out.root = rest, c.scope.Args[i], c.nth(i)
	case "arg":
		switch n := len(c.scope.Args); n {
		case 1:
			t, out.root = c.scope.Args[0], c.nth(0)
		case 0:
			return out, mistake(p.Offset, "this endpoint takes no argument")
		default:
			return out, mistake(p.Offset, "this endpoint takes %d arguments: each has its name, and args[0] is the first", n)
		}
	default:
		i := slices.Index(c.scope.Params, p.Name)
		if i < 0 || i >= len(c.scope.Args) {
			return out, mistake(p.Offset, "there is no %s here", p.Name)
		}
		t, out.root = c.scope.Args[i], c.nth(i)
	}
	return out, c.follow(&out, t, way)
}

// fact is a part that is told with the frame.
func (c *compiler) fact(p eval.Part) (plan, error) {
	out := plan{text: p.Name, len: p.Len, kind: "text"}
	if len(p.Way) > 0 {
		return out, mistake(p.Way[0].Offset, "%s has no %s: it is one value", p.Name, strings.TrimPrefix(written(p.Way[0]), "."))
	}
	switch p.Name {
	case "rank":
		out.kind, out.plain = "number", func(v *Values) any { return v.Rank }
	case "hits":
		out.kind, out.plain = "number", func(v *Values) any { return unsigned(v.Hits) }
	case "error":
		out.told = func(v *Values) string { return v.Error }
	case "mesh":
		out.told = func(v *Values) string { return v.Mesh }
	case "endpoint":
		out.told = func(v *Values) string { return v.Endpoint }
	case "site":
		out.told = func(v *Values) string { return v.Site }
	case "sender":
		out.told = func(v *Values) string { return v.Sender }
	case "client":
		out.told = func(v *Values) string { return v.Client }
	}
	return out, nil
}

func (c *compiler) coords(p eval.Part) (plan, error) {
	out := plan{text: "coords", kind: "map"}
	dims := c.scope.Dims
	if len(p.Way) == 0 {
		out.len = p.Len
		out.root = func(v *Values) (reflect.Value, error) {
			m := make(map[string]int, len(dims))
			for i, d := range dims {
				if i < len(v.Coords) {
					m[d] = v.Coords[i]
				}
			}
			return reflect.ValueOf(m), nil
		}
		return out, nil
	}
	step := p.Way[0]
	i := slices.Index(dims, step.Name)
	switch {
	case step.Indexed:
		return out, mistake(step.Offset, "coords are told by dimension, as coords.NAME%s", suggest.Suffix("", dims))
	case len(dims) == 0:
		return out, mistake(step.Offset, "this mesh has no dimensions")
	case i < 0:
		return out, mistake(step.Offset, "this mesh has no dimension %q%s", step.Name, suggest.Suffix(step.Name, dims))
	case len(p.Way) > 1 || p.Len:
		return out, mistake(p.Way[len(p.Way)-1].Offset, "coords.%s is a number, and has no parts", step.Name)
	}
	out.kind, out.text = "number", "coords."+step.Name
	out.plain = func(v *Values) any {
		if i < len(v.Coords) {
			return v.Coords[i]
		}
		return eval.Cut("coords."+step.Name, "the frame has no place in the mesh")
	}
	return out, nil
}

// argument is the number of the argument that a way begins with, and the rest of the way. Of a single argument that has
// no such name it is a field.
func (c *compiler) argument(way []eval.Step) (int, []eval.Step, error) {
	first, n := way[0], len(c.scope.Args)
	if first.Indexed {
		i := first.Index
		if i < 0 {
			i += n
		}
		if i < 0 || i >= n {
			return 0, nil, mistake(first.Offset, "there is no args[%d]: this endpoint takes %s", first.Index, plural(n, "argument"))
		}
		return i, way[1:], nil
	}
	params := c.scope.Params[:min(n, len(c.scope.Params))]
	if i := slices.Index(params, first.Name); i >= 0 {
		return i, way[1:], nil
	}
	if n == 1 {
		return 0, way, nil
	}
	return 0, nil, mistake(first.Offset, "no argument is called %q%s", first.Name, suggest.Suffix(first.Name, params))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func (c *compiler) nth(i int) func(v *Values) (reflect.Value, error) {
	t := c.scope.Args[i]
	return func(v *Values) (reflect.Value, error) {
		if i >= len(v.Args) {
			return reflect.Value{}, fmt.Errorf("there is no argument %d here", i+1)
		}
		return given(v.Args[i], t, "argument")
	}
}

// given is a value of the frame, which must be there and be of the type that the expression was compiled for.
func given(v reflect.Value, t reflect.Type, what string) (reflect.Value, error) {
	switch {
	case !v.IsValid():
		return v, fmt.Errorf("there is no %s here", what)
	case v.Type() != t:
		return v, fmt.Errorf("the %s is a %s, and the expression was made for a %s", what, v.Type(), t)
	}
	return v, nil
}

// follow plans the steps of a way from a type, as far as types are known; behind an interface they are taken as they come.
func (c *compiler) follow(out *plan, t reflect.Type, way []eval.Step) error {
	optional, absent := false, false
	for _, step := range way {
		h := hop{step: step, text: written(step)}
		absent = false
		if t != nil {
			base := t
			for base.Kind() == reflect.Pointer && base.Elem() != base {
				base = base.Elem()
			}
			next, err := h.into(base, out.text)
			if err != nil {
				return err
			}
			absent = base.Kind() == reflect.Map
			t = next
		}
		optional = optional || step.Optional
		out.hops = append(out.hops, h)
		out.text += h.text
	}
	if !optional && !absent {
		out.kind = kindOf(t)
	}
	return nil
}

// into finds the place that a hop leads to in values of a type, and its type; nil where only the value can tell.
func (h *hop) into(t reflect.Type, before string) (reflect.Type, error) {
	step := h.step
	no := func(format string, args ...any) error { return mistake(step.Offset, format, args...) }
	switch k := t.Kind(); {
	case whole(t):
		return nil, no("%s is a %s, and has no parts", before, schema.ShortType(t.String()))
	case k == reflect.Struct && !step.Indexed:
		f, ok := t.FieldByName(step.Name)
		if !ok {
			return nil, no("%s has no field %s%s", schema.ShortType(t.String()), strconv.Quote(step.Name), suggest.Suffix(step.Name, fieldsOf(t)))
		}
		h.field = f.Index
		return f.Type, nil
	case k == reflect.Struct:
		return nil, no("%s is a %s: its parts are %s", before, schema.ShortType(t.String()), strings.Join(head(fieldsOf(t)), ", "))
	case k == reflect.Map:
		key, err := keyOf(t.Key(), step)
		if err != nil {
			return nil, no("%s", err)
		}
		h.key = key
		return t.Elem(), nil
	case (k == reflect.Slice || k == reflect.Array) && step.Indexed:
		if i := step.Index; k == reflect.Array && (i >= t.Len() || i < -t.Len()) {
			return nil, no("there is no [%d]: %s has %d", i, before, t.Len())
		}
		return t.Elem(), nil
	case k == reflect.Slice || k == reflect.Array:
		return nil, no("%s is a list: want an index, such as %s[0]", before, before)
	case k == reflect.String && step.Indexed:
		return t, nil
	case k == reflect.Interface:
		return nil, nil //nolint:nilnil // no type is known, and that is no mistake
	}
	return nil, no("%s is a %s, and has no parts", before, schema.ShortType(t.String()))
}

// keyOf is the key of a map that a step means.
func keyOf(t reflect.Type, step eval.Step) (reflect.Value, error) {
	text := step.Name
	if step.Indexed {
		text = strconv.Itoa(step.Index)
	}
	key := reflect.New(t).Elem()
	switch {
	case t == durationType:
		d, err := time.ParseDuration(text)
		if err != nil {
			return key, fmt.Errorf("the keys are durations, such as [\"1.5s\"], not %s", strconv.Quote(text))
		}
		key.SetInt(int64(d))
	case t.Kind() == reflect.String:
		key.SetString(text)
	case key.CanInt():
		n, err := strconv.ParseInt(text, 10, t.Bits())
		if err != nil {
			return key, fmt.Errorf("the keys are of type %s, and %s is none", t, strconv.Quote(text))
		}
		key.SetInt(n)
	case key.CanUint():
		n, err := strconv.ParseUint(text, 10, t.Bits())
		if err != nil {
			return key, fmt.Errorf("the keys are of type %s, and %s is none", t, strconv.Quote(text))
		}
		key.SetUint(n)
	case t.Kind() == reflect.Bool && (text == "true" || text == "false"):
		key.SetBool(text == "true")
	case t.Kind() == reflect.Interface && t.NumMethod() == 0 && step.Indexed:
		key.Set(reflect.ValueOf(step.Index))
	case t.Kind() == reflect.Interface && t.NumMethod() == 0:
		key.Set(reflect.ValueOf(text))
	default:
		return key, fmt.Errorf("a key of type %s cannot be written here", t)
	}
	return key, nil
}

// written is a step as it stands in a text.
func written(s eval.Step) string {
	mark := ""
	if s.Optional {
		mark = "?."
	}
	switch {
	case s.Indexed:
		return mark + "[" + strconv.Itoa(s.Index) + "]"
	case !isName(s.Name):
		return mark + "[" + strconv.Quote(s.Name) + "]"
	case s.Optional:
		return mark + s.Name
	}
	return "." + s.Name
}

func isName(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// fieldsOf are the names of the fields of a struct, promoted ones too.
func fieldsOf(t reflect.Type) (names []string) {
	for _, f := range reflect.VisibleFields(t) {
		if f.Name != "_" {
			names = append(names, f.Name)
		}
	}
	return names
}

func head(names []string) []string {
	if len(names) > 8 {
		return append(slices.Clone(names[:8]), "…")
	}
	return names
}

// whole reports whether values of a type are judged as one, though Go sees parts.
func whole(t reflect.Type) bool {
	return t == timeType || t == bigType || t.Implements(staterType) || reflect.PointerTo(t).Implements(staterType)
}

// kindOf is the kind of all values of a type, as engine/eval says it; "" where there is no one kind.
func kindOf(t reflect.Type) string {
	switch {
	case t == nil:
		return ""
	case t == timeType:
		return "time"
	case t == durationType:
		return "duration"
	case t == bigType:
		return "number"
	case whole(t):
		return ""
	}
	switch t.Kind() {
	case reflect.Bool:
		return "truth value"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return "number"
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return "byte string"
		}
		return "list"
	case reflect.Map, reflect.Struct:
		return "map"
	default:
		return ""
	}
}
