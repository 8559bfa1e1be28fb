package body

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

var anyType = reflect.TypeFor[any]()

// sent is v as it arrives in an any.
func sent(t *testing.T, c *Codec, v any) any {
	t.Helper()
	b, err := c.Encode(v, anyType)
	if err != nil {
		t.Fatalf("%#v: %v", v, err)
	}
	var got any
	if err := c.Decode(b, &got); err != nil {
		t.Fatalf("%#v: %v", v, err)
	}
	return got
}

// TestAMapInAnAnyHasTextKeysWhereAllAreTexts holds INV-WHOLE.
func TestAMapInAnAnyHasTextKeysWhereAllAreTexts(t *testing.T) {
	type m = map[string]any
	type mixed = map[any]any
	c := NewCodec()
	for _, x := range []struct{ v, want any }{
		{m{"a": 1}, m{"a": uint64(1)}},
		{m{}, m{}},
		{map[string]int{"a": 1}, m{"a": uint64(1)}},
		{mixed{"a": 1, "b": m{"c": nil}}, m{"a": uint64(1), "b": m{"c": nil}}},
		{map[int]string{1: "x"}, mixed{uint64(1): "x"}},
		{mixed{1: "x", "a": m{"b": 2}}, mixed{uint64(1): "x", "a": m{"b": uint64(2)}}},
		{[]any{m{"a": []any{m{"b": map[int]any{1: m{"c": true}}}}}}, []any{m{"a": []any{m{"b": mixed{uint64(1): m{"c": true}}}}}}},
		{struct{ X any }{m{"a": "b"}}, m{"X": m{"a": "b"}}},
		{[]any{cbor.Tag{Number: 4711, Content: mixed{1: m{"a": 1}}}}, []any{cbor.Tag{Number: 4711, Content: mixed{uint64(1): m{"a": uint64(1)}}}}},
	} {
		if got := sent(t, c, x.v); !reflect.DeepEqual(got, x.want) {
			t.Errorf("%#v arrived as %#v, want %#v", x.v, got, x.want)
		}
	}
	if got, err := json.Marshal(sent(t, c, m{"a": []any{m{"b": 1}}})); err != nil || string(got) != `{"a":[{"b":1}]}` {
		t.Errorf("encoding/json makes %s of it, %v", got, err)
	}
}

type holder struct {
	Any   any
	List  []any
	By    map[string]any
	Typed map[any]any
	Deep  map[string]struct{ X any }
	Ptr   *any
	inner
	Plain map[int]string
	kept  any //nolint:unused // what is not exported is not decoded, and not looked at
}

type inner struct{ Promoted any }

func TestAnysInFieldsAreFilledInLikewise(t *testing.T) {
	one, ints := map[string]any{"a": true}, map[any]any{uint64(1): map[string]any{"b": "c"}}
	for _, x := range []any{one, ints} {
		want := holder{
			Any: x, List: []any{x}, By: map[string]any{"k": x}, Typed: map[any]any{"k": x}, Deep: map[string]struct{ X any }{"k": {x}},
			Ptr: &x, inner: inner{x}, Plain: map[int]string{1: "x"},
		}
		c := NewCodec()
		b, err := c.Encode(want, reflect.TypeFor[holder]())
		if err != nil {
			t.Fatal(err)
		}
		var got holder
		if err := c.Decode(b, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("it arrived as %#v, %v", got, err)
		}
	}
}

func TestWhatDoesNotDecodeSaysWhy(t *testing.T) {
	c := NewCodec()
	b, err := quicnet.Enc().Marshal(map[string]any{"Any": map[int]int{1: 2}, "Plain": "text"})
	if err != nil {
		t.Fatal(err)
	}
	var h holder
	if err := c.Decode(b, &h); err == nil || !strings.Contains(err.Error(), "Plain") {
		t.Errorf("a text for a map: %v", err)
	}
	var v any
	if err := c.Decode([]byte{0xa1, 0x01}, &v); err == nil {
		t.Error("half a map was decoded")
	}
}

// TestATimeKeepsItsInstant holds INV-INSTANT.
func TestATimeKeepsItsInstant(t *testing.T) {
	base := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC)
	zone := func(seconds int) *time.Location { return time.FixedZone("zone", seconds) }
	c := NewCodec()
	for _, x := range []struct {
		t    time.Time
		text string
	}{
		{base, "2026-01-02T03:04:05.123456789Z"},
		{base.In(zone(3600)), "2026-01-02T04:04:05.123456789+01:00"},
		{base.In(zone(-5400)), "2026-01-02T01:34:05.123456789-01:30"},
		{base.In(zone(3630)), "2026-01-02T04:04:05.123456789+01:00"},
		{base.In(zone(-3630)), "2026-01-02T02:04:05.123456789-01:00"},
		{base.In(zone(30)), "2026-01-02T03:04:05.123456789Z"},
		{base.In(zone(-1)), "2026-01-02T03:04:05.123456789Z"},
		{time.Date(1900, 1, 1, 0, 0, 0, 0, zone(561)), "1899-12-31T23:59:39+00:09"}, // Paris, before it joined the others
		{time.Date(0, 1, 1, 0, 0, 0, 1, time.UTC), "0000-01-01T00:00:00.000000001Z"},
		{time.Date(9999, 12, 31, 23, 59, 59, 999999999, zone(30)), "9999-12-31T23:59:29.999999999Z"},
	} {
		for _, v := range []any{x.t, &x.t, []time.Time{base, x.t}, map[string]any{"t": x.t, "u": base}, struct {
			A, B any
			C    time.Time
		}{x.t, "1999-01-01T00:00:00+01:00", base.In(zone(7200))}} {
			b, err := c.Encode(v, reflect.TypeOf(v))
			if err != nil {
				t.Errorf("%v: %v", x.t, err)
				continue
			}
			if !bytes.Contains(b, []byte(x.text)) {
				t.Errorf("%v in a %T is encoded as %q, want %s", x.t, v, b, x.text)
			}
			got := reflect.New(reflect.TypeOf(v))
			if err := c.Decode(b, got.Interface()); err != nil {
				t.Errorf("%v: %v", x.t, err)
			}
		}
		if got, ok := sent(t, c, x.t).(time.Time); !ok || !got.Equal(x.t) {
			t.Errorf("%v arrived as %v", x.t, got)
		}
	}
}

func TestATimeWithoutAnInstantThatCanBeWritten(t *testing.T) {
	c := NewCodec()
	if got := sent(t, c, time.Now()).(time.Time); strings.Contains(got.String(), "m=") {
		t.Errorf("%v has kept its monotonic reading", got)
	}
	b, err := c.Encode(time.Time{}.In(time.FixedZone("odd", 30)), reflect.TypeFor[time.Time]())
	var zero time.Time
	if err == nil {
		err = c.Decode(b, &zero)
	}
	if err != nil || !zero.IsZero() {
		t.Errorf("the zero time arrived as %v, %v", zero, err)
	}
	for _, far := range []time.Time{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(12000, 1, 1, 0, 0, 0, 0, time.FixedZone("", 30)), time.Unix(math.MaxInt64/2, 0)} {
		if _, err := c.Encode(far, reflect.TypeFor[time.Time]()); err == nil || !strings.Contains(err.Error(), "year") {
			t.Errorf("%v: %v", far, err)
		}
	}
}

// TestOtherItemsAreLeftAlone: the bytes are those of the plain encoder wherever no offset has seconds.
func TestOtherItemsAreLeftAlone(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	c := NewCodec()
	odd := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", -3599))
	for range 200 {
		v := random(rnd, 3)
		want, err := quicnet.Enc().Marshal([]any{v, odd.In(time.FixedZone("", -3540))})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Encode([]any{v, odd}, anyType)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%#v: %x, %v; want %x", v, got, err, want)
		}
	}
}

func random(r *rand.Rand, depth int) any {
	n := 11
	if depth == 0 {
		n = 9
	}
	switch r.IntN(n) {
	case 0:
		return r.Int64() >> r.IntN(60)
	case 1:
		return -r.Int64() >> r.IntN(60)
	case 2:
		return r.NormFloat64()
	case 3:
		return strings.Repeat("é", r.IntN(300))
	case 4:
		return bytes.Repeat([]byte{0xc0}, r.IntN(300))
	case 5:
		return r.IntN(2) == 0
	case 6:
		return nil
	case 7:
		return float32(r.IntN(3))
	case 8:
		return "2026-01-02T03:04:05+01:00"
	case 9:
		out := make([]any, r.IntN(4))
		for i := range out {
			out[i] = random(r, depth-1)
		}
		return out
	default:
		out := map[any]any{}
		for i := range r.IntN(4) {
			out[fmt.Sprint("k", i)], out[i] = random(r, depth-1), random(r, depth-1)
		}
		return out
	}
}

func FuzzKeepInstants(f *testing.F) {
	f.Add([]byte{0xc0, 0x74}, []byte{0xc0, 0x60})
	f.Add([]byte{0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, []byte{0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(_ *testing.T, a, b []byte) { _, _ = keepInstants(a, b) })
}

func BenchmarkDecode(b *testing.B) {
	c := NewCodec()
	list := make([]any, 1000)
	for i := range list {
		list[i] = map[string]any{"id": i, "name": "x"}
	}
	data, err := c.Encode(list, anyType)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var v any
		if err := c.Decode(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAKeyThatEqualsNothingIsOneEntry: a map that is written while it is read has such an entry once more each time.
func TestAKeyThatEqualsNothingIsOneEntry(t *testing.T) {
	c := NewCodec()
	nested := append(bytes.Repeat([]byte{0xa1, 0xf9, 0x7e, 0x00}, 40), 0x01) // {NaN: {NaN: … 1}}
	var got any
	if err := c.Decode(nested, &got); err != nil {
		return // refused is right, too
	}
	for depth := range 40 {
		m, ok := got.(map[any]any)
		if !ok || len(m) != 1 {
			t.Fatalf("depth %d: %#v", depth, got)
		}
		for _, v := range m {
			got = v
		}
	}
	var typed map[float64]any
	if err := c.Decode(nested, &typed); err == nil && len(typed) != 1 {
		t.Errorf("a typed map has %d entries", len(typed))
	}
}
