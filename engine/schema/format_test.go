package schema

import (
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := mode.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFormatIsOneLineForPeople(t *testing.T) {
	type arg struct {
		By   int
		Tags []string
		P    *int
		D    time.Duration
		T    time.Time
	}
	long := make([]int, 1000)
	for i := range long {
		long[i] = i
	}
	for _, tc := range []struct {
		v    any
		want string
	}{
		{4, "4"}, {-1, "-1"}, {"hello", `"hello"`}, {true, "true"}, {1.5, "1.5"}, {4.0, "4"}, {float32(0.1), "0.1"}, {1e21, "1e+21"},
		{arg{By: 5, Tags: []string{"a"}, D: 1500 * time.Millisecond}, `{By: 5, Tags: ["a"], P: null, D: 1.5s, T: 0001-01-01T00:00:00Z}`},
		{map[string]int{"b": 2, "a b": 1}, `{b: 2, "a b": 1}`},
		{map[int]string{7: "x"}, `{7: "x"}`},
		{[]byte{0, 255}, "h'00ff'"},
		{make([]byte, 1024), "h'" + strings.Repeat("00", 32) + "…' (1,024 bytes)"},
		{strings.Repeat("é", 300), `"` + strings.Repeat("é", 200) + `…" (600 bytes)`},
		{long, "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, … 984 more]"},
		{"a\x1b[2J\nb", `"a\u001b[2J\nb"`},
		{portLike{}, "port"},
		{[]any{nil, uint64(1<<64 - 1), "x"}, `[null, 18446744073709551615, "x"]`},
	} {
		ts, s := describe(t, tc.v)
		if got := Format(ts, s, encode(t, tc.v)); got != tc.want {
			t.Errorf("%T: got %s, want %s", tc.v, got, tc.want)
		}
	}
}

func TestFormatShowsWhatIsWrong(t *testing.T) {
	ts, s := describe(t, hop{})
	for _, tc := range []struct {
		name string
		body []byte
		want string
	}{
		{"nothing", nil, ""},
		{"another kind than the schema says", encode(t, "text"), `"text"`},
		{"a field the schema does not know", encode(t, map[string]int{"By": 1, "New": 2}), `{By: 1, New: 2}`},
		{"a field of another kind", encode(t, map[string]string{"By": "x"}), `{By: "x"}`},
		{"a truncated body", encode(t, map[string]int{"By": 1})[:3], "‹the CBOR ends too early: h'a16242', 3 bytes›"},
		{"a length that lies", []byte{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "‹the CBOR ends too early"},
		{"a reserved head", []byte{0x1c}, "‹the CBOR is malformed: h'1c', 1 bytes›"},
		{"an indefinite length", []byte{0x9f, 0xff}, "indefinite length"},
		{"too deep", append([]byte(strings.Repeat("\x81", 100)), 0), "nested deeper than 64"},
		{"bytes after it", []byte{1, 2, 3}, "1 ‹and 2 bytes more›"},
		{"a tag", []byte{0xc1, 0x05}, "1(5)"},
		{"a time that is none", []byte{0xc0, 0x05}, "0(5)"},
		{"a tagged time", encode(t, time.Unix(0, 7).UTC()), "1970-01-01T00:00:00.000000007Z"},
		{"a time without its tag", encode(t, map[string]string{"By": "1970-01-01T00:00:00Z"}), `{By: "1970-01-01T00:00:00Z"}`},
		{"undefined", []byte{0xf7}, "undefined"},
		{"invalid UTF-8", []byte{0x62, 0xff, 0x1b}, `"\xff\u001b"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Format(ts, s, tc.body); !strings.Contains(got, tc.want) || tc.want == "" && got != "" {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestValuesAreNaturalInExpressions(t *testing.T) {
	type arg struct {
		N    int `cbor:",omitempty"`
		U    uint64
		F    float32
		S    string
		L    []string
		M    map[int]bool
		P    *int
		D    time.Duration
		T    time.Time
		B    []byte
		Hop  hop
		Zero struct{ X int } `cbor:",omitzero"`
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	ts, s := describe(t, arg{})
	got, err := Value(ts, s, encode(t, arg{U: 1<<64 - 1, F: 0.1, S: "x", M: map[int]bool{7: true}, D: time.Second, T: at, B: []byte{1}, Hop: hop{By: 2}}))
	want := map[string]any{
		"N": int64(0), "U": uint64(1<<64 - 1), "F": 0.1, "S": "x", "L": []any{}, "M": map[string]any{"7": true}, "P": nil, "D": time.Second, "T": at,
		"B": []byte{1}, "Hop": map[string]any{"By": int64(2), "tags": []any{}}, "Zero": map[string]any{"X": int64(0)},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, %v\nwant %#v", got, err, want)
	}
	if v, err := Value(nil, &Schema{Kind: KindTime}, encode(t, at.Format(time.RFC3339Nano))); err != nil || v != at {
		t.Errorf("a time without its tag is a time: %v, %v", v, err)
	}
	if v, err := Value(ts, s, nil); v != nil || err != nil {
		t.Errorf("no body is nil: %v, %v", v, err)
	}
	if _, err := Value(ts, s, []byte{0xa1}); err == nil || !strings.Contains(err.Error(), "value of schema.arg: the CBOR ends too early") {
		t.Errorf("a truncated body is an error: %v", err)
	}
	if _, err := Value(ts, s, []byte{1, 1}); err == nil {
		t.Error("bytes after the value are an error")
	}
	if v, err := Value(ts, s, []byte{0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}); err != nil || v != -0x1p64 {
		t.Errorf("an integer below int64 is a float: %v, %v", v, err)
	}
	huge := new(big.Int).Lsh(big.NewInt(1), 80)
	for _, n := range []*big.Int{huge, new(big.Int).Neg(huge), big.NewInt(-7), new(big.Int).SetUint64(1<<64 - 1)} {
		body := encode(t, n)
		if v, err := Value(nil, &Schema{Kind: KindAny}, body); err != nil || fmt.Sprint(v) != n.String() {
			t.Errorf("an integer of any size: %v, %v, want %s", v, err, n)
		}
		if got := Format(nil, &Schema{Kind: KindAny}, body); got != n.String() {
			t.Errorf("an integer of any size is shown as %s, want %s", got, n)
		}
	}
	if got := Format(nil, &Schema{Kind: KindAny}, encode(t, new(big.Int).Lsh(huge, 8*maxBig))); !strings.HasPrefix(got, "2(h'") {
		t.Errorf("an integer that is too long to be written out is shown as %s", got)
	}
}

// hostileSchemas are what another process may send instead of a schema.
func hostileSchemas() (Types, []*Schema) {
	loop := &Schema{Kind: KindRef, Name: "loop"}
	wide := &Schema{Kind: KindStruct, Name: "wide"}
	for _, n := range []string{"a", "b", "c", "d", "\x1b[2J", ""} {
		wide.Fields = append(wide.Fields, Field{Name: n, Type: &Schema{Kind: KindRef, Name: "wide"}})
	}
	ts := Types{"loop": loop, "a": {Kind: KindRef, Name: "b"}, "b": {Kind: KindRef, Name: "a"}, "wide": wide, "nil": nil}
	return ts, []*Schema{
		nil, {}, loop, {Kind: KindRef, Name: "a"}, {Kind: KindRef, Name: "missing"}, {Kind: KindRef, Name: "nil"}, {Kind: KindRef, Name: "wide"},
		{Kind: KindList}, {Kind: KindMap}, {Kind: KindList, Len: -3}, {Kind: KindList, Len: 1 << 40, Elem: wide}, {Kind: KindBytes, Len: 1 << 40},
		{Kind: KindInt, Bits: -5}, {Kind: KindUint, Bits: 1 << 20}, {Kind: KindFloat}, {Kind: "\x1b[2J", Name: "\x1b[2J"},
		{Kind: KindStruct, Array: true, Fields: []Field{{Name: "x"}}}, {Kind: KindStruct, Fields: []Field{{Name: "x", IntKey: true}}},
		{Kind: KindMap, Key: &Schema{Kind: KindStruct}}, {Kind: KindMesh, Mesh: "\x00"},
	}
}

func printsClean(t testing.TB, what, s string) {
	t.Helper()
	for _, r := range s {
		if !unicode.IsPrint(r) && r != utf8.RuneError {
			t.Fatalf("%s prints a control rune: %q", what, s)
		}
	}
}

// TestHostileSchemasDoNoHarm holds INV-HOSTILE for schemas.
func TestHostileSchemasDoNoHarm(t *testing.T) {
	ts, all := hostileSchemas()
	bodies := [][]byte{nil, {0xf6}, {0xa0}, {0x80}, {1}, {0x61, 'x'}, {0x41, 0}, {0xfb, 0, 0, 0, 0, 0, 0, 0, 1}, encode(t, map[string]any{"x": 1, "a": nil})}
	for _, s := range all {
		for _, b := range bodies {
			printsClean(t, "Format", Format(ts, s, b))
			printsClean(t, "Literal", Literal(ts, s, b))
			_, _ = Value(ts, s, b)
		}
		for _, text := range []string{"", "1", "x", "{}", "[]", "{x: 1}", "{a: {a: {}}}", "[1, 2]", "null", "h'00'", "@toy", "{1: 1}"} {
			if _, err := ParseLiteral(ts, s, text, nil); err != nil {
				printsClean(t, "ParseLiteral", err.Error())
			}
		}
		Hash(ts, s)
		printsClean(t, "Signature", Signature("\x1b", "\x1b", s, s)+Fields(ts, s))
	}
}

func FuzzParseLiteral(f *testing.F) {
	type arg struct {
		N   int
		S   string
		L   []float32
		M   map[int8]bool
		T   *tree
		Any any
		D   time.Duration
		At  time.Time
		B   []byte
		Me  meshLike
	}
	for _, seed := range []string{`{n: 1, s: x}`, `{l: [1.5, NaN], m: {1: true}}`, `{t: {Name: a, Kids: [null, {}]}}`, `{any: {1: [h'00', "x"]}}`, `{d: 1.5s, at: 2026-01-02T03:04:05Z, b: h'00'}`, `{me: @toy[1]}`, "hey", `"\ud835\udec1"`} {
		f.Add(seed)
	}
	ts, s := describe(f, arg{})
	_, str := describe(f, "")
	hostileTypes, hostile := hostileSchemas()
	f.Fuzz(func(t *testing.T, text string) {
		for _, h := range hostile {
			_, _ = ParseLiteral(hostileTypes, h, text, meshes{})
		}
		if b, err := ParseLiteral(ts, str, text, nil); err == nil {
			if back, err := ParseLiteral(ts, str, Literal(ts, str, b), nil); err != nil || string(back) != string(b) {
				t.Fatalf("%q: %v", text, err)
			}
		}
		b, err := ParseLiteral(ts, s, text, meshes{})
		if err != nil {
			printsClean(t, "ParseLiteral", err.Error())
			return
		}
		if err := cbor.Wellformed(b); err != nil {
			t.Fatalf("%q encodes to %x: %v", text, b, err)
		}
		if strings.Contains(text, "@") {
			return // a reference prints in another way than it came
		}
		back, err := ParseLiteral(ts, s, Literal(ts, s, b), nil)
		if err != nil || string(back) != string(b) {
			t.Fatalf("%q: literal %s reads back as %x, %v, want %x", text, Literal(ts, s, b), back, err, b)
		}
	})
}

// FuzzFormat holds INV-HOSTILE for bodies.
func FuzzFormat(f *testing.F) {
	ts, s := describe(f, everything{})
	for _, v := range []any{everything{}, 1, "x", []any{1, "x"}, hop{By: 1}, map[int]int{1: 2}} {
		f.Add(encode(f, v))
	}
	hostileTypes, hostile := hostileSchemas()
	f.Fuzz(func(t *testing.T, body []byte) {
		printsClean(t, "Format", Format(ts, s, body))
		printsClean(t, "Literal", Literal(ts, s, body))
		_, _ = Value(ts, s, body)
		for _, h := range hostile {
			printsClean(t, "Format", Format(hostileTypes, h, body))
			_, _ = Value(hostileTypes, h, body)
		}
	})
}

func BenchmarkParseLiteral(b *testing.B) {
	ts, s := describe(b, hop{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseLiteral(ts, s, `{By: 5, Tags: [warm, cold]}`, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFormat(b *testing.B) {
	ts, s := describe(b, hop{})
	body := encode(b, hop{By: 5, Tags: []string{"warm", "cold"}})
	b.ReportAllocs()
	for b.Loop() {
		Format(ts, s, body)
	}
}
