package plain

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

func TestWhichTypesArePlain(t *testing.T) {
	c := NewCodec()
	for range 2 { // the second time from what was kept of the first
		for _, typ := range plainTypes {
			if !c.Plain(typ) {
				t.Errorf("%s is not plain", typ)
			}
		}
		for _, typ := range otherTypes {
			if c.Plain(typ) {
				t.Errorf("%s is plain", typ)
			}
		}
	}
	dst := []byte("kept")
	for _, v := range []any{nil, map[string]int{"a": 1}, hasText{}} {
		if out, ok := c.Append(dst, v); ok || string(out) != "kept" {
			t.Errorf("%v was appended: %q", v, out)
		}
	}
	var x map[string]int
	for _, p := range []any{nil, 1, (*int16)(nil), (*step)(nil), &x} {
		if c.Decode([]byte{0xa0}, p) {
			t.Errorf("something was decoded into a %T", p)
		}
	}
}

// checkAppend holds INV-SAME for a value: p points to it.
func checkAppend(t *testing.T, c *Codec, p reflect.Value) []byte {
	t.Helper()
	v := p.Elem().Interface()
	want, err := quicnet.Enc().Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := c.Append([]byte("before"), v)
	if !ok || string(got[:6]) != "before" || !bytes.Equal(got[6:], want) {
		t.Fatalf("%#v is %x, %v; want %x", v, got[6:], ok, want)
	}
	return want
}

// checkDecode holds INV-SAME for an input.
func checkDecode(t *testing.T, c *Codec, typ reflect.Type, in []byte) (ok bool) {
	t.Helper()
	got, want := reflect.New(typ), reflect.New(typ)
	given := bytes.Clone(in)
	ok = c.Decode(given, got.Interface())
	if !bytes.Equal(given, in) {
		t.Fatalf("the input %x was written to", in)
	}
	for i := range given {
		given[i] = 0xaa // INV-OWN
	}
	if !ok {
		if !same(got.Elem(), want.Elem()) {
			t.Fatalf("%s: %x was given up, and left %#v", typ, in, got.Elem())
		}
		return false
	}
	if err := quicnet.Dec().Unmarshal(in, want.Interface()); err != nil {
		t.Fatalf("%s: %x was decoded: %#v; it should be refused: %v", typ, in, got.Elem(), err)
	}
	if !same(got.Elem(), want.Elem()) {
		t.Fatalf("%s: %x is %#v; want %#v", typ, in, got.Elem(), want.Elem())
	}
	return true
}

// checkValue holds INV-SAME and INV-OWN for a value of the type and for its encoding, whole and spoilt.
func checkValue(t *testing.T, c *Codec, typ reflect.Type, r *rand.Rand) {
	t.Helper()
	in := checkAppend(t, c, random(r, typ))
	if !checkDecode(t, c, typ, in) {
		t.Fatalf("%s: %x was left to the long way", typ, in)
	}
	for range 10 {
		checkDecode(t, c, typ, spoilt(r, in))
	}
}

// spoilt is an encoding with something wrong, or written in another way.
func spoilt(r *rand.Rand, in []byte) []byte {
	b := bytes.Clone(in)
	at := r.IntN(len(b))
	switch r.IntN(6) {
	case 0:
		return b[:at]
	case 1:
		return append(b, byte(r.Uint32()))
	case 2: // a head longer than needed
		if n := b[at] & 0x1f; n < 24 {
			return append(append(b[:at:at], b[at]&0xe0|24, n), in[at+1:]...)
		}
		return b
	case 3: // a length far beyond the end
		b[at] = b[at]&0xe0 | 27
		return binary.BigEndian.AppendUint64(b[:at+1], r.Uint64())
	case 4:
		b[at] ^= 1 << r.IntN(8)
		return b
	default:
		b[at] = byte(r.Uint32())
		return b
	}
}

// TestValuesAreEncodedAndDecodedAsByTheLongWay holds INV-SAME and INV-OWN.
func TestValuesAreEncodedAndDecodedAsByTheLongWay(t *testing.T) {
	c := NewCodec()
	for _, typ := range plainTypes {
		r := rand.New(rand.NewPCG(1, 2))
		for range 300 {
			checkValue(t, c, typ, r)
		}
	}
}

// TestEveryFloatOfTwoBytes holds INV-SAME for all of them and for their neighbours of four.
func TestEveryFloatOfTwoBytes(t *testing.T) {
	c := NewCodec()
	typ := reflect.TypeFor[float64]()
	for h := range 1 << 16 {
		in := []byte{half, byte(h >> 8), byte(h)}
		checkDecode(t, c, typ, in)
		checkDecode(t, c, reflect.TypeFor[float32](), in)
		var f float64
		if err := quicnet.Dec().Unmarshal(in, &f); err != nil {
			t.Fatal(err)
		}
		b := math.Float32bits(float32(f))
		for _, f := range []float64{f, float64(math.Float32frombits(b + 1)), float64(math.Float32frombits(b ^ 1<<12)), math.Float64frombits(math.Float64bits(f) + 1)} {
			checkAppend(t, c, reflect.ValueOf(&f))
		}
	}
}

// TestZerosThatAreOmitted holds INV-SAME for the two zeros of floats.
func TestZerosThatAreOmitted(t *testing.T) {
	c := NewCodec()
	for _, f := range []float64{0, math.Copysign(0, -1), 1} {
		checkAppend(t, c, reflect.ValueOf(&tagged{Zero: float32(f)}))
		checkAppend(t, c, reflect.ValueOf(&tagged{Ratio: f}))
	}
}

// TestWhatOthersWriteIsLeftToTheLongWayOrTheSame holds INV-SAME and INV-BOUND.
func TestWhatOthersWriteIsLeftToTheLongWayOrTheSame(t *testing.T) {
	c := NewCodec()
	for _, x := range []struct {
		typ reflect.Type
		in  []byte
		ok  bool
	}{
		{reflect.TypeFor[step](), []byte("\xa2\x65Index\x05\x64Done\xf5"), true},            // some fields, in another order
		{reflect.TypeFor[step](), []byte("\xa1\x65index\x05"), false},                       // another case
		{reflect.TypeFor[step](), []byte("\xa2\x65Index\x05\x65Index\x06"), false},          // twice
		{reflect.TypeFor[step](), []byte("\xa1\x65Other\x05"), false},                       // unknown
		{reflect.TypeFor[step](), []byte("\xbf\x65Index\x05\xff"), false},                   // without a length
		{reflect.TypeFor[step](), []byte("\xd9\xd9\xf7\xa1\x65Index\x05"), false},           // tagged
		{reflect.TypeFor[row](), []byte("\x83\xf9\x00\x00\x80\xf6"), false},                 // too short
		{reflect.TypeFor[[4]grey](), []byte("\x43\x01\x02\x03"), false},                     // too short
		{reflect.TypeFor[[3]float64](), []byte("\x81\xf9\x00\x00"), false},                  // too short
		{reflect.TypeFor[float64](), []byte{0x05}, false},                                   // a whole number
		{reflect.TypeFor[float32](), []byte("\xfb\x7f\xef\xff\xff\xff\xff\xff\xff"), false}, // too great
		{reflect.TypeFor[[]float32](), []byte("\x81\xfb\x7f\xef\xff\xff\xff\xff\xff\xff"), false},
		{reflect.TypeFor[uint8](), []byte{0x19, 0x01, 0x00}, false},
		{reflect.TypeFor[[]int8](), []byte{0x81, 0x18, 0x80}, false},
		{reflect.TypeFor[int](), []byte("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"), false},
		{reflect.TypeFor[int64](), []byte("\x3b\xff\xff\xff\xff\xff\xff\xff\xff"), false},
		{reflect.TypeFor[int64](), []byte("\x3b\x7f\xff\xff\xff\xff\xff\xff\xff"), true}, // the least
		{reflect.TypeFor[string](), []byte{0x41, 'a'}, false},
		{reflect.TypeFor[[]byte](), []byte{0x61, 'a'}, false},
		{reflect.TypeFor[[]byte](), []byte{0xf6}, true},
		{reflect.TypeFor[string](), []byte{0xf6}, false},
		{reflect.TypeFor[*step](), []byte{0xf7}, false},
		{reflect.TypeFor[[]step](), []byte("\x9a\x7f\xff\xff\xff\xa0"), false}, // INV-BOUND: two thousand million elements
		{reflect.TypeFor[[]float64](), []byte("\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), false},
		{reflect.TypeFor[string](), []byte("\x7b\xff\xff\xff\xff\xff\xff\xff\xff"), false},
		{reflect.TypeFor[int](), nil, false},
	} {
		if ok := checkDecode(t, c, x.typ, x.in); ok != x.ok {
			t.Errorf("%s: %x: %v, want %v", x.typ, x.in, ok, x.ok)
		}
	}
}

func TestItemsAreDecodedOneAfterTheOther(t *testing.T) {
	c := NewCodec()
	var n int
	var s step
	rest, ok := c.DecodeFirst([]byte("\x05\xa1\x65Index\x07\x61"), reflect.ValueOf(&n).Elem())
	if !ok || n != 5 {
		t.Fatal(n, ok)
	}
	if rest, ok = c.DecodeFirst(rest, reflect.ValueOf(&s).Elem()); !ok || s.Index != 7 || len(rest) != 1 {
		t.Fatal(s, ok, rest)
	}
	if after, ok := c.DecodeFirst(rest, reflect.ValueOf(&s.Name).Elem()); ok || len(after) != 1 {
		t.Error("half a text was decoded")
	}
}

// TestNoMoreIsAllocatedThanNeeded holds INV-LEAN.
func TestNoMoreIsAllocatedThanNeeded(t *testing.T) {
	c := NewCodec()
	dst := make([]byte, 0, 1<<16)
	s := step{"layer.17.weight", 12345, 0.25, true, make([]byte, 16)}
	values := make([]float64, 1000)
	deep := nested{Rows: []row{{X: 1}}, Table: [][]float32{{1, 2}}}
	n := 1000
	for _, x := range []struct {
		name string
		most float64
		do   func()
	}{
		{"an int that is boxed for it", 0, func() { n++; _, _ = c.Append(dst, n) }},
		{"a named number that is boxed for it", 0, func() { n++; _, _ = c.Append(dst, celsius(n)) }},
		{"a struct that is boxed for it", 0, func() { s.Index++; _, _ = c.Append(dst, s) }},
		{"a pointer to a struct", 0, func() { _, _ = c.Append(dst, &s) }},
		{"bytes that are boxed for it", 0, func() { _, _ = c.Append(dst, s.Grad) }},
		{"floats", 0, func() { _, _ = c.Append(dst, values) }},
		{"named floats", 0, func() { _, _ = c.Append(dst, vector(values)) }},
		{"structs in structs", 0, func() { _, _ = c.Append(dst, &deep) }},
	} {
		if got := testing.AllocsPerRun(100, x.do); got > x.most {
			t.Errorf("%s: %v allocations", x.name, got)
		}
	}
	in, _ := c.Append(nil, s)
	var into step
	if got := testing.AllocsPerRun(100, func() {
		into = step{}
		if !c.Decode(in, &into) {
			t.Error("it is not decoded")
		}
	}); got > 2 {
		t.Errorf("a struct with a text and bytes takes %v allocations to decode", got)
	}
	floats, _ := c.Append(nil, vector(values))
	var v vector
	if got := testing.AllocsPerRun(100, func() { v = nil; _ = c.Decode(floats, &v) }); got > 1 {
		t.Errorf("floats take %v allocations to decode", got)
	}
}

func TestManyMayUseItAtOnce(t *testing.T) {
	c := NewCodec()
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 7))
			for _, typ := range plainTypes {
				p := random(r, typ)
				in, ok := c.Append(nil, p.Elem().Interface())
				if !ok || !c.Decode(in, reflect.New(typ).Interface()) {
					t.Errorf("%s: not plain for goroutine %d", typ, g)
				}
			}
		})
	}
	all.Wait()
}

// FuzzValue holds INV-SAME and INV-OWN: the long way is fxamacker/cbor.
func FuzzValue(f *testing.F) {
	for i := range plainTypes {
		f.Add(uint16(i), uint64(i))
	}
	c := NewCodec()
	f.Fuzz(func(t *testing.T, typ uint16, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		for range 20 {
			checkValue(t, c, plainTypes[int(typ)%len(plainTypes)], r)
		}
	})
}

// FuzzDecode holds INV-SAME and INV-BOUND for any input.
func FuzzDecode(f *testing.F) {
	c := NewCodec()
	for i, typ := range plainTypes {
		r := rand.New(rand.NewPCG(uint64(i), 3))
		in, _ := c.Append(nil, random(r, typ).Elem().Interface())
		f.Add(uint16(i), in)
		for range 5 {
			f.Add(uint16(i), spoilt(r, in))
		}
	}
	f.Fuzz(func(t *testing.T, typ uint16, in []byte) { checkDecode(t, c, plainTypes[int(typ)%len(plainTypes)], in) })
}
