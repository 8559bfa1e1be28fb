package cond

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/monarch-tui/monarch-tui/engine/eval"
	"github.com/monarch-tui/monarch-tui/engine/probe/walk"
)

// place is where a pointer leads: one that is met again below itself is a cycle.
type place struct {
	at unsafe.Pointer
	t  reflect.Type
}

// walk takes the hops of a plan, and gives what is there as a canonical value.
func (f *frame) walk(p *plan, v reflect.Value) (any, error) {
	v, there, err := p.reach(v)
	switch {
	case err != nil:
		return nil, err
	case !there:
		return ifNil(p)
	case p.len:
		return f.length(p, behind(v))
	case p.isNil:
		return isNil(v), nil
	}
	return f.canonical(v, 0), nil // of an absent key, nil
}

// reach takes the hops of a plan; there is false where a ?. has come upon nil.
func (p *plan) reach(v reflect.Value) (at reflect.Value, there bool, err error) {
	v = reachable(v)
	for i := range p.hops {
		h := &p.hops[i]
		v = behind(v)
		if !v.IsValid() {
			if h.step.Optional {
				return v, false, nil
			}
			return v, false, fmt.Errorf("%s is nil, and has no %s (?. gives nil instead of this error)", upTo(p, i), h.text)
		}
		if v, err = h.take(v); err != nil {
			return v, false, fmt.Errorf("%s: %w", upTo(p, i), err)
		}
	}
	return v, true, nil
}

// element is what is at an index or a key of a plan, without a look at the rest.
func (f *frame) element(p *plan, v reflect.Value, index any) (any, error) {
	v, there, err := p.reach(v)
	if err != nil {
		return nil, err
	}
	if v = behind(v); !there || !v.IsValid() {
		return nil, fmt.Errorf("%s is nil, and has no [%s]", p.text, eval.Show(index))
	}
	cost := 1
	if v.Kind() == reflect.String { // its characters are counted each time
		cost += v.Len() / 16
	}
	if !f.spend(cost) {
		return nil, fmt.Errorf("%s: a condition reads %d values", p.text, maxRead)
	}
	var step eval.Step
	switch x := index.(type) {
	case int:
		step = eval.Step{Index: x, Indexed: true}
	case string:
		step = eval.Step{Name: x}
	default:
		if v.Kind() != reflect.Map {
			return nil, fmt.Errorf("%s: an index is a whole number, not %s", p.text, eval.Show(index))
		}
		step = eval.Step{Name: eval.Show(index)}
	}
	h := hop{step: step, text: written(step)}
	if v, err = h.take(v); err != nil {
		return nil, fmt.Errorf("%s: %w", p.text, err)
	}
	return f.canonical(v, 0), nil
}

// ifNil is what a plan gives of nil.
func ifNil(p *plan) (any, error) {
	switch {
	case p.len:
		return nil, fmt.Errorf("%s is nil, and has no length", p.text)
	case p.isNil:
		return true, nil
	}
	return nil, nil //nolint:nilnil // nil is a value
}

// isNil reports whether a value is nil to an expression: lists and maps never are.
func isNil(v reflect.Value) bool {
	v = behind(v)
	if !v.IsValid() {
		return true
	}
	switch v.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return v.IsNil()
	default:
		return false
	}
}

// upTo is the text of a plan before one of its hops.
func upTo(p *plan, i int) string {
	n := len(p.text)
	for _, h := range p.hops[i:] {
		n -= len(h.text)
	}
	return p.text[:max(0, n)]
}

// reachable gives a struct or an array without an address one, so that its unexported parts can be read.
func reachable(v reflect.Value) reflect.Value {
	if k := v.Kind(); (k == reflect.Struct || k == reflect.Array) && !v.CanAddr() && v.CanInterface() {
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		return c
	}
	return walk.Readable(v)
}

// behind follows pointers and interfaces, so many at most that one which leads to itself ends; invalid where one is nil.
func behind(v reflect.Value) reflect.Value {
	for range maxDepth {
		if !v.IsValid() || v.Kind() != reflect.Pointer && v.Kind() != reflect.Interface {
			return v
		}
		v = reachable(v.Elem())
	}
	return reflect.Value{}
}

// take goes to the part of v that the hop leads to; invalid for an absent key.
func (h *hop) take(v reflect.Value) (reflect.Value, error) {
	k := v.Kind()
	byPlace := h.step.Indexed && (k == reflect.Slice || k == reflect.Array || k == reflect.String)
	if h.field == nil && !h.key.IsValid() && !byPlace { // its type was not known
		known := *h
		if _, err := known.into(v.Type(), "it"); err != nil {
			return v, errors.New(err.Error()) // without the place: the text was right when it was compiled
		}
		h = &known
	}
	switch k {
	case reflect.Struct:
		for i, n := range h.field {
			if i > 0 {
				if v = behind(v); !v.IsValid() {
					return v, fmt.Errorf("the embedded struct that has %s is nil", h.text)
				}
			}
			v = walk.Readable(v.Field(n))
		}
		return v, nil
	case reflect.Map:
		return reachable(v.MapIndex(h.key)), nil
	case reflect.Slice, reflect.Array, reflect.String:
		return element(v, h.step.Index)
	default:
		return v, fmt.Errorf("a %s has no %s", v.Type(), h.text)
	}
}

func element(v reflect.Value, index int) (reflect.Value, error) {
	n := v.Len()
	if v.Kind() == reflect.String {
		if n > maxText {
			return v, fmt.Errorf("the text has %d bytes, a condition reads %d", n, maxText)
		}
		runes := []rune(v.String())
		if index < 0 {
			index += len(runes)
		}
		if index < 0 || index >= len(runes) {
			return v, fmt.Errorf("there is no [%d]: the text has %d", index, len(runes))
		}
		return reflect.ValueOf(string(runes[index])), nil
	}
	i := index
	if i < 0 {
		i += n
	}
	if i < 0 || i >= n {
		return v, fmt.Errorf("there is no [%d]: the list has %d", index, n)
	}
	return walk.Readable(v.Index(i)), nil
}

// length is len of a part, which may be of any size.
func (f *frame) length(p *plan, v reflect.Value) (any, error) {
	if !v.IsValid() {
		return nil, fmt.Errorf("%s is nil, and has no length", p.text)
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return v.Len(), nil
	case reflect.String:
		if v.Len() > maxText {
			return nil, fmt.Errorf("%s has %d bytes, and a condition counts the characters of %d at most", p.text, v.Len(), maxText)
		}
		return utf8.RuneCountInString(v.String()), nil
	case reflect.Struct:
		if !whole(v.Type()) {
			return v.NumField(), nil
		}
	default:
	}
	return nil, fmt.Errorf("len wants a list, a map or a text, and %s is a %s", p.text, v.Type())
}

// spend takes n of what may still be read; false where that is not enough.
func (f *frame) spend(n int) bool {
	if n > f.left {
		return false
	}
	f.left -= n
	return true
}

// canonical is a value as engine/eval takes it, a copy. What is too large, or cannot be judged, is Incomplete.
func (f *frame) canonical(v reflect.Value, depth int) any {
	if !v.IsValid() {
		return nil
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v.Type() == durationType {
			return time.Duration(v.Int())
		}
		return int(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return unsigned(v.Uint())
	case reflect.Float32, reflect.Float64:
		return v.Float()
	case reflect.String:
		return f.text(v.String())
	default:
	}
	if !f.spend(1) || depth > maxDepth {
		return eval.Cut("…", "a condition reads "+strconv.Itoa(maxRead)+" values, "+strconv.Itoa(maxDepth)+" deep")
	}
	v = reachable(v)
	if x, special := f.special(v); special {
		return x
	}
	switch v.Kind() {
	case reflect.Pointer:
		return f.pointer(v, depth)
	case reflect.Interface:
		return f.canonical(v.Elem(), depth) // of nil, invalid
	case reflect.Slice, reflect.Array:
		return f.list(v, depth)
	case reflect.Map:
		return f.mapping(v, depth)
	case reflect.Struct:
		return f.structure(v, depth)
	case reflect.Chan, reflect.Func:
		if v.IsNil() {
			return nil
		}
	default:
	}
	return eval.Cut(v.Kind().String(), "a "+v.Kind().String()+" has no value that can be judged")
}

// special are values that are judged as one.
func (f *frame) special(v reflect.Value) (any, bool) {
	t := v.Type()
	if t.Kind() == reflect.Pointer && v.IsNil() || !v.CanInterface() {
		return nil, false
	}
	switch {
	case t == timeType:
		return v.Interface(), true
	case t == bigType && v.CanAddr():
		n, _ := reflect.TypeAssert[*big.Int](v.Addr())
		if n.BitLen() > maxBits {
			return eval.Cut("a number", fmt.Sprintf("it has %d bits, a condition reads %d", n.BitLen(), maxBits)), true
		}
		return eval.Canonical(new(big.Int).Set(n)), true
	case t.Implements(staterType):
	case v.CanAddr() && reflect.PointerTo(t).Implements(staterType):
		v = v.Addr()
	default:
		return nil, false
	}
	s, ok := reflect.TypeAssert[walk.Stater](v)
	if !ok {
		return nil, false
	}
	return f.text(s.StateText()), true
}

// unsigned is a number of a type without a sign.
func unsigned(n uint64) any {
	if n <= math.MaxInt {
		return int(n)
	}
	return new(big.Int).SetUint64(n)
}

func (f *frame) text(s string) any {
	if len(s) > maxText || !f.spend(len(s)/textPerOne) {
		return eval.Cut(strconv.Quote(firstRunes(s, 64))+"…", fmt.Sprintf("the text has %d bytes, a condition reads %d", len(s), maxText))
	}
	return s
}

// firstRunes is the beginning of a text, in whole characters.
func firstRunes(s string, most int) string {
	for most > 0 && most < len(s) && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:min(most, len(s))]
}

func (f *frame) pointer(v reflect.Value, depth int) any {
	if v.IsNil() {
		return nil
	}
	here := place{v.UnsafePointer(), v.Type()}
	if slices.Contains(f.above, here) {
		return eval.Cut("↺", "it contains itself")
	}
	f.above = append(f.above, here)
	x := f.canonical(v.Elem(), depth+1)
	f.above = f.above[:len(f.above)-1]
	return x
}

func (f *frame) list(v reflect.Value, depth int) any {
	n := v.Len()
	if v.Type().Elem().Kind() == reflect.Uint8 {
		if n > maxText || !f.spend(n/textPerOne) {
			return eval.Cut(fmt.Sprintf("(%d bytes)", n), fmt.Sprintf("a condition reads %d bytes", maxText))
		}
		raw := make([]byte, n)
		for i := range raw {
			raw[i] = byte(v.Index(i).Uint())
		}
		return raw
	}
	if !f.spend(n) {
		return eval.Cut(fmt.Sprintf("[… %d elements]", n), fmt.Sprintf("a condition reads %d values; len(…) and [i] work at any size", maxRead))
	}
	out := make([]any, n)
	for i := range out {
		out[i] = f.canonical(walk.Readable(v.Index(i)), depth+1)
	}
	return out
}

func (f *frame) mapping(v reflect.Value, depth int) any {
	n := v.Len()
	if !f.spend(n * perEntry) {
		return eval.Cut(fmt.Sprintf("{… %d entries}", n), fmt.Sprintf(`a condition reads %d entries; len(…) and ["key"] work at any size`, maxRead/perEntry))
	}
	out := make(map[string]any, n)
	for it := v.MapRange(); it.Next(); {
		key := f.canonical(it.Key(), depth+1)
		text, ok := key.(string)
		if !ok {
			text = eval.Show(key)
		}
		if _, twice := out[text]; twice {
			return eval.Cut(fmt.Sprintf("{… %d entries}", n), "two keys have the text "+strconv.Quote(firstRunes(text, 64)))
		}
		out[text] = f.canonical(it.Value(), depth+1)
	}
	return out
}

func (f *frame) structure(v reflect.Value, depth int) any {
	t := v.Type()
	if !f.spend(t.NumField() * perEntry) {
		return eval.Cut("{…}", fmt.Sprintf("a condition reads %d fields", maxRead/perEntry))
	}
	out := make(map[string]any, t.NumField())
	f.fields(out, v, depth)
	return out
}

// fields puts the fields of a struct into a map, and those that are promoted from embedded structs where they are not
// hidden, as Go finds them.
func (f *frame) fields(out map[string]any, v reflect.Value, depth int) {
	t := v.Type()
	for i := range t.NumField() {
		name := t.Field(i).Name
		if name == "_" {
			continue
		}
		x := f.canonical(walk.Readable(v.Field(i)), depth+1)
		out[name] = x
		inner, ok := x.(map[string]any)
		if !ok || !t.Field(i).Anonymous {
			continue
		}
		for k, y := range inner {
			if p, found := t.FieldByName(k); found && len(p.Index) > 1 && p.Index[0] == i {
				out[k] = y
			}
		}
	}
}
