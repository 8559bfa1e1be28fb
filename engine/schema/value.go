package schema

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"
)

// Value is a body as expressions want it: map[string]any, []any, int64 (uint64 above its range, *big.Int where the body has one beyond both), float64, string,
// []byte, time.Time, time.Duration, bool, nil. Structs have all fields of s, absent ones as zero values; nil slices
// and maps are empty ones; keys of maps are their text; a mesh is the text @name[sel]. An item of another kind than s
// wants is given as what it is. An empty body is nil.
func Value(ts Types, s *Schema, body []byte) (any, error) {
	if len(body) == 0 {
		return nil, nil
	}
	v := &valuer{types: ts, r: reader{b: body}, zeros: maxZeros}
	out, err := v.value(s, 0)
	if err != nil {
		return nil, fmt.Errorf("value of %s: %w", s.TypeName(), err)
	}
	if left := len(body) - v.r.pos; left > 0 {
		return nil, fmt.Errorf("value of %s: %d bytes follow it", s.TypeName(), left)
	}
	return out, nil
}

const maxZeros = 10_000 // zero values filled in for absent fields: a schema from outside may ask for endless ones

type valuer struct {
	types Types
	r     reader
	zeros int
}

func (v *valuer) value(s *Schema, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errNested
	}
	it, err := v.r.peek()
	if err != nil {
		return nil, err
	}
	d := v.types.Deref(s)
	switch {
	case it.isNull():
		v.r.pos++
		if d.Optional || d.Kind == KindAny {
			return nil, nil
		}
		return v.zero(s, depth), nil
	case d.Kind == KindStruct && (it.major == majorMap && !d.Array || it.major == majorArray && d.Array):
		return v.structure(&d, depth)
	case d.Kind == KindMesh && it.major == majorArray:
		at := v.r
		b, err := v.r.skip(depth)
		if err != nil {
			return nil, err
		}
		if text, ok := meshText(b); ok {
			return text, nil
		}
		v.r = at
	case d.Kind == KindPort:
		_, err := v.r.skip(depth)
		return "port", err
	}
	v.r.accept()
	switch it.major {
	case majorArray:
		out := make([]any, 0, min(it.n, maxAhead))
		for range it.n {
			x, err := v.value(d.Elem, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
		return out, nil
	case majorMap:
		return v.mapping(it, &d, depth)
	case majorTag:
		if it.n == tagTime {
			return v.value(&Schema{Kind: KindTime}, depth+1)
		}
		if n, ok := v.r.bignum(it.n); ok {
			return smallest(n), nil
		}
		return v.value(nil, depth+1)
	}
	return v.scalar(it, &d), nil
}

// smallest is an integer as Value gives it.
func smallest(n *big.Int) any {
	switch {
	case n.IsInt64():
		return n.Int64()
	case n.IsUint64():
		return n.Uint64()
	}
	return n
}

// scalar is an item without parts, whose head was read.
func (v *valuer) scalar(it item, d *Schema) any {
	switch it.major {
	case majorUint, majorNegint:
		n, ok := it.int64()
		switch {
		case ok && d.Kind == KindDuration:
			return time.Duration(n)
		case ok && d.Kind == KindFloat:
			return float64(n)
		case ok:
			return n
		case it.major == majorUint:
			return it.n
		}
		return -1 - float64(it.n)
	case majorText:
		s := string(v.r.take(it))
		if d.Kind == KindTime {
			if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
				return t
			}
		}
		return s
	case majorBytes:
		return append([]byte{}, v.r.take(it)...)
	}
	switch {
	case it.isFloat() && floatBits(d) == 32 && d.Kind == KindFloat:
		// 0.1 of a float32 should compare equal to 0.1
		f, err := strconv.ParseFloat(strconv.FormatFloat(it.float(), 'g', -1, 32), 64)
		if err != nil {
			return it.float()
		}
		return f
	case it.isFloat():
		return it.float()
	case it.info == cborTrue&31:
		return true
	case it.info == cborFalse&31:
		return false
	}
	return nil
}

func (v *valuer) mapping(it item, d *Schema, depth int) (any, error) {
	pairs, err := v.r.pairs(it, depth)
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(pairs))
	after := v.r
	for _, kv := range pairs {
		key, ok := textKey(kv.key)
		if !ok {
			key = Literal(v.types, d.Key, kv.key)
		}
		v.r = reader{b: kv.value}
		if out[key], err = v.value(d.Elem, depth+1); err != nil {
			return nil, err
		}
	}
	v.r = after
	return out, nil
}

func (v *valuer) structure(d *Schema, depth int) (any, error) {
	fields, unknown, err := split(&v.r, d, depth)
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(fields)+len(unknown))
	after := v.r
	for i, f := range d.Fields {
		if fields[i] == nil {
			out[f.Name] = v.zero(f.Type, depth+1)
			continue
		}
		v.r = reader{b: fields[i]}
		if out[f.Name], err = v.value(f.Type, depth+1); err != nil {
			return nil, err
		}
	}
	for _, kv := range unknown {
		key, ok := textKey(kv.key)
		if !ok || out[key] != nil {
			continue
		}
		v.r = reader{b: kv.value}
		if out[key], err = v.value(nil, depth+1); err != nil {
			return nil, err
		}
	}
	v.r = after
	return out, nil
}

// zero is the zero value of s.
func (v *valuer) zero(s *Schema, depth int) any {
	d := v.types.Deref(s)
	if v.zeros--; d.Optional || depth > maxDepth || v.zeros < 0 {
		return nil
	}
	switch d.Kind {
	case KindBool:
		return false
	case KindInt, KindUint:
		return int64(0)
	case KindFloat:
		return float64(0)
	case KindString:
		return ""
	case KindBytes:
		return make([]byte, min(max(d.Len, 0), math.MaxUint16))
	case KindTime:
		return time.Time{}
	case KindDuration:
		return time.Duration(0)
	case KindMap:
		return map[string]any{}
	case KindList:
		return v.zeroList(&d, depth)
	case KindStruct:
		out := make(map[string]any, len(d.Fields))
		for _, f := range d.Fields {
			out[f.Name] = v.zero(f.Type, depth+1)
		}
		return out
	}
	return nil
}

func (v *valuer) zeroList(d *Schema, depth int) any {
	out := []any{}
	for range d.Len {
		if v.zeros < 0 {
			break
		}
		out = append(out, v.zero(d.Elem, depth+1))
	}
	return out
}
