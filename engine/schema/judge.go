package schema

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"time"
)

// Judge judges values where their types say too little: what an any holds is known only when it is there. It is safe for
// concurrent use.
type Judge struct {
	mu    sync.Mutex
	types *Builder // of variables
	anys  *Builder // of what anys have held
	held  sync.Map // by reflect.Type: why an any may not hold it, an error or nil
	plans sync.Map // by reflect.Type: its *plan
}

// NewJudge returns a Judge that has seen nothing.
func NewJudge() *Judge {
	j := &Judge{types: NewBuilder(), anys: NewBuilder()}
	j.anys.inAny = true // each key is judged with its value
	return j
}

// Type says why a type cannot travel, by the rule of Builder.Of.
func (j *Judge) Type(t reflect.Type) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err := j.types.Of(t)
	return err
}

// Value says why v would not arrive as it is, in words that follow "does not encode: ". static is the type of the variable
// that v came from: an interface type means that v itself is what an any holds. Refused are, at any depth, in anys: what
// Builder.Of refuses, and errors, whose text and type a receiver could not get back; and a value that nests deeper than a
// receiver reads, such as one that contains itself.
//
// oddZone reports a time whose offset from UTC has seconds: RFC 3339 cannot write that.
func (j *Judge) Value(v any, static reflect.Type) (oddZone bool, err error) {
	rv := reflect.ValueOf(v)
	if !rv.IsValid() {
		return false, nil
	}
	w := valueWalk{j: j}
	if static == nil || static.Kind() == reflect.Interface {
		err = bare(w.inAny(rv, 0), rv.Type())
	} else if p := j.planOf(static); p != nil {
		err = w.value(rv, p, 0)
	}
	return w.oddZone, err
}

// bare takes the type off an error about the value itself: who asks knows it.
func bare(err error, t reflect.Type) error {
	if e, ok := errors.AsType[*TypeError](err); ok && e.Path == t.String() {
		if v, ok := errors.AsType[*ValueError](err); ok && v.Path == "" {
			return errors.New(e.Reason + "; " + e.Fix)
		}
	}
	return err
}

// plan is where in the values of a type somebody has to look. nil: nowhere.
type plan struct {
	kind   planKind
	elem   *plan // of pointers, lists and maps
	key    bool  // of maps: their keys are anys
	fields []planField
}

type planField struct {
	name  string
	index []int
	plan  *plan
}

type planKind uint8

const (
	planAny planKind = iota
	planTime
	planPointer
	planList
	planMap
	planStruct
)

func (j *Judge) planOf(t reflect.Type) *plan {
	if p, ok := j.plans.Load(t); ok {
		return p.(*plan) //nolint:forcetypeassert // nothing else is put there
	}
	p := makePlan(t, map[reflect.Type]*plan{})
	j.plans.Store(t, p)
	return p
}

// makePlan makes the plan of t. A type that contains itself needs a look: its values may nest without an end.
func makePlan(t reflect.Type, open map[reflect.Type]*plan) *plan {
	if p := open[t]; p != nil {
		return p
	}
	p := &plan{}
	if _, opaque := special(t); opaque {
		switch t {
		case timeType:
			p.kind = planTime
			return p
		case reflect.PointerTo(timeType):
			p.kind, p.elem = planPointer, &plan{kind: planTime}
			return p
		}
		return nil
	}
	open[t] = p
	defer delete(open, t)
	switch t.Kind() {
	case reflect.Interface:
		p.kind = planAny
		return p
	case reflect.Pointer:
		p.kind, p.elem = planPointer, makePlan(t.Elem(), open)
	case reflect.Slice, reflect.Array:
		p.kind, p.elem = planList, makePlan(t.Elem(), open)
	case reflect.Map:
		p.kind, p.elem, p.key = planMap, makePlan(t.Elem(), open), t.Key().Kind() == reflect.Interface
	case reflect.Struct:
		p.kind = planStruct
		fields, _, err := fieldsOf(t)
		if err != nil {
			return nil // such a type is refused before
		}
		for _, f := range fields {
			if fp := makePlan(f.typ, open); fp != nil {
				p.fields = append(p.fields, planField{name: f.goName, index: f.index, plan: fp})
			}
		}
	default:
		return nil
	}
	if p.elem == nil && !p.key && p.fields == nil {
		return nil
	}
	return p
}

// ValueError says which part of a value would not arrive as it is, and why.
type ValueError struct {
	Path string // from the value, such as .Tags["x"][3]; "" is the value itself
	Why  error
}

// Error is the path, where there is one, and the reason.
func (e *ValueError) Error() string {
	if e.Path == "" {
		return e.Why.Error()
	}
	return e.Path + ": " + e.Why.Error()
}

// Unwrap gives the reason.
func (e *ValueError) Unwrap() error { return e.Why }

var errTooDeep = fmt.Errorf("it is nested deeper than %d; does it contain itself?", maxDepth)

type valueWalk struct {
	j       *Judge
	oddZone bool
}

func (w *valueWalk) value(v reflect.Value, p *plan, depth int) error {
	if p == nil {
		return nil
	}
	if depth >= maxDepth && (p.kind == planList || p.kind == planMap || p.kind == planStruct) {
		return &ValueError{Why: errTooDeep}
	}
	switch p.kind {
	case planAny:
		if v.IsNil() {
			return nil
		}
		return w.inAny(v.Elem(), depth)
	case planTime:
		t, _ := reflect.TypeAssert[time.Time](v)
		_, offset := t.Zone()
		w.oddZone = w.oddZone || offset%60 != 0
		return nil
	case planPointer:
		if v.IsNil() {
			return nil
		}
		return w.value(v.Elem(), p.elem, depth)
	case planList:
		for i := range v.Len() {
			if err := w.value(v.Index(i), p.elem, depth+1); err != nil {
				return below("["+strconv.Itoa(i)+"]", err)
			}
		}
		return nil
	case planMap:
		return w.mapping(v, p, depth)
	case planStruct:
		for _, f := range p.fields {
			fv, err := v.FieldByIndexErr(f.index)
			if err != nil {
				continue // of an embedded pointer that is nil
			}
			if err := w.value(fv, f.plan, depth+1); err != nil {
				return below("."+f.name, err)
			}
		}
	}
	return nil
}

func (w *valueWalk) mapping(v reflect.Value, p *plan, depth int) error {
	for it := v.MapRange(); it.Next(); {
		if p.key {
			if err := w.j.mayBeKey(it.Key().Elem()); err != nil {
				return &ValueError{Why: err}
			}
		}
		if err := w.value(it.Value(), p.elem, depth+1); err != nil {
			return below(keyPath(it.Key()), err)
		}
	}
	return nil
}

func keyPath(k reflect.Value) string {
	if k.Kind() == reflect.Interface {
		k = k.Elem()
	}
	if k.Kind() == reflect.String {
		return "[" + quote(k.String()) + "]"
	}
	return fmt.Sprintf("[%v]", k)
}

// below puts a step in front of an error's path. Of what nests without an end the first steps say enough.
func below(step string, err error) error {
	if e, ok := errors.AsType[*ValueError](err); ok {
		if e.Path = step + e.Path; errors.Is(err, errTooDeep) {
			e.Path = step
		}
	}
	return err
}

// inAny judges what an any holds, by its type and then by what it holds itself.
func (w *valueWalk) inAny(v reflect.Value, depth int) error {
	t := v.Type()
	if err := w.j.mayHold(t); err != nil {
		return &ValueError{Why: err}
	}
	return w.value(v, w.j.planOf(t), depth)
}

// mayHold says why an any may not hold a t.
func (j *Judge) mayHold(t reflect.Type) error {
	if why, ok := j.held.Load(t); ok {
		err, _ := why.(error)
		return err
	}
	err := j.judgeHeld(t)
	j.held.Store(t, err)
	return err
}

func (j *Judge) judgeHeld(t reflect.Type) error {
	if _, opaque := special(t); !opaque && t.Implements(errorType) {
		return &TypeError{t.String(), "an error in an any arrives without its type, and often without its text",
			"send err.Error(), or return the error from the endpoint: errors.Is then works across processes"}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err := j.anys.Of(t)
	return err
}

// mayBeKey says why a map may not have such a key.
func (j *Judge) mayBeKey(k reflect.Value) error {
	if !k.IsValid() {
		return errors.New("it is a map with the key nil; use string, integer or bool keys, or a list of pairs")
	}
	switch k.Kind() {
	case reflect.String, reflect.Bool,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return nil
	default:
		return fmt.Errorf("it is a map with a key of type %s; use string, integer or bool keys, or a list of pairs", k.Type())
	}
}
