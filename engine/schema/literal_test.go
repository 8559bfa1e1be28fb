package schema

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// meshes knows one mesh, @toy, whose reference encodes as its name and selection.
type meshes struct{}

func (meshes) Ref(name, sel string) ([]byte, string, error) {
	switch {
	case name != "toy":
		return nil, "", fmt.Errorf("no mesh @%s%s", name, Suggest(name, []string{"toy"}))
	case sel == "bad":
		return nil, "", errors.New("no dimension bad")
	}
	b, err := mode.Marshal([]string{name, sel})
	return b, "demos/toy.ToyActor", err
}

type everything struct {
	I    int
	I8   int8
	U    uint
	U8   uint8
	F    float64
	F32  float32
	B    bool
	S    string
	By   []byte
	Arr  [3]byte
	T    time.Time
	D    time.Duration
	P    *int
	PP   **string
	PT   *time.Time
	L    []string
	LL   [][]int16
	A    [2]bool
	M    map[string]int
	MI   map[int8]string
	MB   map[bool]uint
	MD   map[time.Duration]string
	Any  any
	Tree *tree
	Pair pairA
	Key  keyed
	Der  derived
	Omit string `cbor:"o,omitempty"`
	JSON int    `json:"json_name"`
	In   struct{ X, Y int }
	For  forest
	Hop  *hop
}

func drawTree(t *rapid.T, depth int) *tree {
	if depth > 2 || rapid.Bool().Draw(t, "nil") {
		return nil
	}
	out := &tree{Name: rapid.String().Draw(t, "name")}
	for range rapid.IntRange(0, 2).Draw(t, "kids") {
		out.Kids = append(out.Kids, drawTree(t, depth+1))
	}
	if k := drawTree(t, depth+1); k != nil {
		out.Meta = map[string]tree{rapid.String().Draw(t, "key"): *k}
	}
	return out
}

func drawTime(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "zero") {
		return time.Time{}
	}
	zone := rapid.SampledFrom([]*time.Location{time.UTC, time.FixedZone("", 3600), time.FixedZone("", -5400)}).Draw(t, "zone")
	return time.Unix(rapid.Int64Range(-1e9, 4e9).Draw(t, "sec"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).In(zone)
}

func drawEverything(t *rapid.T) everything {
	e := everything{
		I: rapid.Int().Draw(t, "I"), I8: rapid.Int8().Draw(t, "I8"), U: rapid.Uint().Draw(t, "U"), U8: rapid.Uint8().Draw(t, "U8"),
		F: rapid.Float64().Draw(t, "F"), F32: rapid.Float32().Draw(t, "F32"), B: rapid.Bool().Draw(t, "B"), S: rapid.String().Draw(t, "S"),
		By: rapid.SliceOf(rapid.Byte()).Draw(t, "By"), T: drawTime(t), D: time.Duration(rapid.Int64().Draw(t, "D")),
		L: rapid.SliceOf(rapid.String()).Draw(t, "L"), LL: rapid.SliceOf(rapid.SliceOf(rapid.Int16())).Draw(t, "LL"),
		M: rapid.MapOf(rapid.String(), rapid.Int()).Draw(t, "M"), MI: rapid.MapOf(rapid.Int8(), rapid.String()).Draw(t, "MI"),
		MB:   rapid.MapOf(rapid.Bool(), rapid.Uint()).Draw(t, "MB"),
		Tree: drawTree(t, 0), Omit: rapid.SampledFrom([]string{"", "x"}).Draw(t, "Omit"), JSON: rapid.Int().Draw(t, "JSON"),
		Any: rapid.SampledFrom([]any{nil, true, int64(-3), uint64(math.MaxUint64), 4.0, 1e300, -0.5, "7", "null", "a b", []any{int64(1), "x"},
			map[string]any{"1": "text key", "a": nil}, map[int64]any{7: []byte{1}}, math.Inf(-1)}).Draw(t, "Any"),
	}
	e.F = rapid.SampledFrom([]float64{e.F, 0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), 1e15, 1e-6, math.MaxFloat64, 5e-324}).Draw(t, "edge")
	copy(e.Arr[:], e.By)
	if rapid.Bool().Draw(t, "pointers") {
		n, s, at := 5, e.S, e.T
		ps := &s
		e.P, e.PP, e.PT = &n, &ps, &at
		e.Pair.Y = ps
		e.Hop = &hop{By: n, Tags: e.L}
		e.Der.Extra = &Extra{Weight: e.F32}
	}
	if rapid.Bool().Draw(t, "nil slices") {
		e.By, e.L, e.M = nil, nil, nil
	}
	e.MD = map[time.Duration]string{e.D: e.S}
	e.Key = keyed{A: e.I, B: e.S}
	e.Der.ID, e.Der.Name = e.S, int(e.I8)
	e.For = forest{nil, {}, {{nil}}}
	return e
}

// TestLiteralsReadBackToTheSameBytes holds INV-SAME.
func TestLiteralsReadBackToTheSameBytes(t *testing.T) {
	ts, s := describe(t, everything{})
	rapid.Check(t, func(t *rapid.T) {
		body, err := mode.Marshal(drawEverything(t))
		if err != nil {
			t.Fatal(err)
		}
		text := Literal(ts, s, body)
		back, err := ParseLiteral(ts, s, text, nil)
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		if string(back) != string(body) {
			t.Fatalf("%s\nreads back as\n%s\n%x\n%x", text, Literal(ts, s, back), body, back)
		}
		var v everything
		if err := quicnet.Dec().Unmarshal(back, &v); err != nil {
			t.Fatalf("the worker cannot decode %s: %v", text, err)
		}
		if line := Format(ts, s, body); strings.ContainsAny(line, "\n\x1b\x00") || len(line) > 40_000 {
			t.Fatalf("Format is no line: %q", line)
		}
		if _, err := Value(ts, s, body); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTheEncodingIsThatOfQuicnet(t *testing.T) {
	ts, s := describe(t, everything{})
	rapid.Check(t, func(t *rapid.T) {
		body, err := quicnet.Enc().Marshal(drawEverything(t))
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseLiteral(ts, s, Literal(ts, s, body), nil)
		if err != nil || string(back) != string(body) {
			t.Fatalf("%s: %v", Literal(ts, s, body), err)
		}
	})
}

func TestLiteralsOfSingleValues(t *testing.T) {
	for _, v := range []any{
		0, -1, int64(math.MinInt64), uint64(math.MaxUint64), "", " a ", "null", "it's \"so\"", "\x00\x1b[2J\u202e", "\xff\xfe a \x80", map[string]int{"\xff": 1}, []any{time.Unix(1, 5).UTC()}, "héllo 𝛑", true, 1.5, float32(0.1),
		time.Duration(math.MinInt64), time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 7200)), []byte(nil), []byte{}, []string(nil), []string{},
		map[string]int(nil), (*int)(nil), [2]int{1, 2}, struct{}{}, pairA{}, tree{}, []any{1.0, 1}, map[string]string{"a b": "", "x-1": "y"},
	} {
		ts, s := describe(t, v)
		body, err := mode.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		text := Literal(ts, s, body)
		back, err := ParseLiteral(ts, s, text, nil)
		if err != nil || string(back) != string(body) {
			t.Errorf("%T %v: literal %s reads back as %x, %v, want %x", v, v, text, back, err, body)
		}
	}
}

func TestWhatAPersonMayType(t *testing.T) {
	type arg struct {
		N    int
		Tag  string
		U8   uint8
		F    float64
		D    time.Duration
		T    time.Time
		B    []byte
		Tags []string
		M    map[int]string
		P    *int
		Ok   bool
		Any  any
		Hop  hop
	}
	n := 7
	for _, tc := range []struct {
		text string
		want any
	}{
		{`hey there, you: {all}`, "hey there, you: {all}"},
		{`  "quoted \u00e9\n"  `, "quoted é\n"},
		{`'it''`, nil},
		{`'it\'s'`, "it's"},
		{"`raw \\n`", `raw \n`},
		{`"\ud835\udec1"`, "\U0001D6C1"},
		{`4`, 4}, {`-4`, -4}, {`0x1f`, 31}, {`1_000`, 1000}, {`0b101`, 5}, {`0o17`, 15}, {`+3`, 3},
		{`1.5`, 1.5}, {`1e3`, 1000.0}, {`4`, 4.0}, {`1_000.5`, 1000.5},
		{`1.5s`, 1500 * time.Millisecond}, {`"2m"`, 2 * time.Minute},
		{`2026-01-02T03:04:05.000000006Z`, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)},
		{`h'00ff'`, []byte{0, 255}}, {`h'00 ff'`, []byte{0, 255}},
		{`[1, 2,]`, []int{1, 2}}, {`[]`, []int{}}, {`[1,2]`, [2]int{1, 2}},
		{`{1: a, -2: "b c", 0x10: d,}`, map[int]string{1: "a", -2: "b c", 16: "d"}},
		{`{true: 1}`, map[bool]int{true: 1}},
		{`{N: 4, tag: warm}`, map[string]any{"N": 4, "Tag": "warm"}},
		{`{"N": 4, "Tag": "warm", "U8": 255, "F": 1, "Tags": ["a"], "M": {"1": "x"}, "P": null, "Ok": true}`, map[string]any{"N": 4, "Tag": "warm", "U8": 255, "F": 1.0, "Tags": []string{"a"}, "M": map[int]string{1: "x"}, "P": nil, "Ok": true}},
		{`{d: 1.5s, t: 2026-01-02T03:04:05Z, b: h'00', tag: http://x/y?z=1, p: 7, hop: {by: 1}}`, map[string]any{"D": 1500 * time.Millisecond, "T": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "B": []byte{0}, "Tag": "http://x/y?z=1", "P": &n, "Hop": map[string]any{"By": 1}}},
		{`{any: {a: [1, 2.5, "x", null, true], 3: h'01'}}`, map[string]any{"Any": map[any]any{"a": []any{1, 2.5, "x", nil, true}, 3: []byte{1}}}},
		{`{tag: a@b.c}`, map[string]any{"Tag": "a@b.c"}},
		{`{tag: don't}`, map[string]any{"Tag": "don't"}},
	} {
		zero := tc.want
		if m, ok := tc.want.(map[string]any); ok && m != nil {
			zero = arg{}
		}
		if tc.want == nil {
			zero = ""
		}
		ts, s := describe(t, zero)
		got, err := ParseLiteral(ts, s, tc.text, nil)
		if tc.want == nil {
			if err == nil {
				t.Errorf("%s: must be refused", tc.text)
			}
			continue
		}
		want, encErr := mode.Marshal(tc.want)
		if err != nil || encErr != nil || string(got) != string(want) {
			t.Errorf("%s: got %x, %v, want %x", tc.text, got, err, want)
		}
		if err := cbor.Unmarshal(got, reflect.New(reflect.TypeOf(zero)).Interface()); err != nil {
			t.Errorf("%s: the worker cannot decode it: %v", tc.text, err)
		}
	}
}

// TestLiteralErrorsPointAtTheToken holds INV-COLUMN.
func TestLiteralErrorsPointAtTheToken(t *testing.T) {
	type arg struct {
		By    int
		Note  string
		U8    uint8
		I8    int8
		Tags  []string
		Steps []hop
		M     map[int]string
		D     time.Duration
		T     time.Time
		B     []byte
		Arr   [2]byte
		Pair  [2]int
		F     float32
		Ok    bool
		Mesh  meshLike
		Port  portLike
		Any   any
		Opt   *string
	}
	ts, s := describe(t, arg{})
	for _, tc := range []struct{ text, want string }{
		{`{By: 1, by: "ten"}`, `arg: field By is given twice (column 9)`},
		{`{     "by":  "ten"}`, `arg.By: want int, not "ten" (column 14)`},
		{`{by: ten}`, `arg.By: want int, not "ten" (column 6)`},
		{`{bye: 1}`, `arg: schema.arg has no field "bye" (did you mean By?) (column 2)`},
		{`{zzz: 1}`, `arg: schema.arg has no field "zzz" (have `},
		{`{note: héé, by: x}`, `arg.By: want int, not "x" (column 17)`},
		{`{u8: 300}`, `arg.U8: 300 is out of range for uint8 (0 to 255) (column 6)`},
		{`{u8: -1}`, `arg.U8: -1 is out of range for uint8 (0 to 255) (column 6)`},
		{`{i8: -129}`, `arg.I8: -129 is out of range for int8 (-128 to 127) (column 6)`},
		{`{by: 99999999999999999999}`, `out of range for int (-9223372036854775808 to 9223372036854775807)`},
		{`{by: 010}`, `arg.By: want int, not "010"; write 10, or 0o10 for octal (column 6)`},
		{`{by: 1.5}`, `arg.By: want int, not "1.5" (column 6)`},
		{`{by: 1__0}`, `arg.By: want int, not "1__0" (column 6)`},
		{`{by: null}`, `arg.By: want int; null is only for pointers, slices and maps (column 6)`},
		{`{note: null}`, `arg.Note: want string; null is only for pointers, and the word is written "null" (column 8)`},
		{`{note: {a: 1}}`, `arg.Note: want string, not "{a:"; put it in quotes if it is text (column 8)`},
		{`{note: @toy}`, `arg.Note: want string, not "@toy"; put it in quotes if it is text (column 8)`},
		{`{note: a"b}`, `arg.Note: put "a\"b" in quotes: a bare word cannot hold " (column 8)`},
		{`{note: two words}`, `arg: want a comma or }, not "words" (column 12)`},
		{`{note: "open}`, `arg.Note: this " is never closed (column 8)`},
		{`{note: "\q"}`, `arg.Note: unknown escape \q`},
		{`{note: "\ud800"}`, `want four hex digits after \u, and surrogates in pairs (column 9)`},
		{`{tags: [a, {b}]}`, `arg.Tags[1]: want string, not "{b"`},
		{`{tags: a}`, `arg.Tags: want a list […], not "a" (column 8)`},
		{`{tags: [a`, `arg.Tags: this [ is never closed (column 8)`},
		{`{by: 1`, `arg: this { is never closed (column 1)`},
		{`{steps: [{by: 1}, {by: x}]}`, `arg.Steps[1].By: want int, not "x" (column 24)`},
		{`{steps: [{tags: []}]}`, `arg.Steps[0]: field By of schema.hop is required (column 10)`},
		{`{m: {one: a}}`, `arg.M: key: want int, not "one" (column 6)`},
		{`{m: {1: a, 1: b}}`, `arg.M: key "1" is given twice (column 12)`},
		{`{m: {1 a}}`, `arg.M: want : after the key "1", not "a" (column 8)`},
		{`{m: {1: }}`, `arg.M[1]: want string, not "}" (column 9)`},
		{`{d: 5}`, `arg.D: want a duration such as 1.5s, not "5"; add a unit: 5s (column 5)`},
		{`{t: yesterday}`, `arg.T: want a time such as 2026-01-02T15:04:05Z, not "yesterday" (column 5)`},
		{`{b: "00ff"}`, `arg.B: want bytes such as h'00ff', not "00ff" (column 5)`},
		{`{b: h'0'}`, `arg.B: want pairs of hex digits between h' and ' (column 5)`},
		{`{b: h'00}`, `arg.B: this h' is never closed (column 5)`},
		{`{arr: h'00'}`, `arg.Arr: want 2 bytes for [2]uint8, not 1 (column 7)`},
		{`{arr: null}`, `arg.Arr: want bytes such as h'00ff'; null is only for pointers`},
		{`{pair: [1]}`, `arg.Pair: want 2 items for [2]int, not 1 (column 8)`},
		{`{f: 1e39}`, `arg.F: "1e39" is out of range for float32 (column 5)`},
		{`{f: x}`, `arg.F: want float32, not "x" (column 5)`},
		{`{ok: yes}`, `arg.Ok: want true or false, not "yes" (column 6)`},
		{`{mesh: toy}`, `arg.Mesh: want a mesh @name or @name[dim=0] of toy.ToyActor, not "toy" (column 8)`},
		{`{mesh: @tow}`, `arg.Mesh: no mesh @tow (did you mean toy?) (column 8)`},
		{`{mesh: @}`, `arg.Mesh: want the name of a mesh after @ (column 8)`},
		{`{mesh: @toy[bad]}`, `arg.Mesh: no dimension bad (column 8)`},
		{`{mesh: @toy[1}`, `arg.Mesh: this [ is never closed (column 12)`},
		{`{port: 1}`, `arg.Port: a port cannot be typed`},
		{`{any: word}`, `arg.Any: want a value, not "word"; text needs quotes here (column 7)`},
		{`{any: @toy}`, `arg.Any: in an any a mesh arrives as a list of its parts; give the argument or the field that type; put it in quotes if it is text (column 7)`},
		{`{any: {a: [1, @toy]}}`, `arg.Any["a"][1]: in an any a mesh arrives as a list`},
		{`{any: 18446744073709551616}`, `arg.Any: 18446744073709551616 is out of range for an integer (-9223372036854775808 to 18446744073709551615); with .0 at its end it is a float (column 7)`},
		{`{any: [-9_223_372_036_854_775_809]}`, `arg.Any[0]: -9_223_372_036_854_775_809 is out of range`},
		{`{any: 0x1_0000_0000_0000_0000}`, `arg.Any: 0x1_0000_0000_0000_0000 is out of range`},
		{`{by: }`, `arg.By: want int, not "}" (column 6)`},
		{`{by:`, `arg.By: want int, but the text ends (column 5)`},
		{`{, by: 1}`, `arg: want a key, not "," (column 2)`},
		{`{by: 1} x`, `arg: want nothing after the value, not "x" (column 9)`},
		{``, `arg: want schema.arg {…}, but the text ends (column 1)`},
		{`4`, `arg: want schema.arg {…}, not "4" (column 1)`},
		{"{by: \xff}", `arg: the text is not valid UTF-8 here (column 6)`},
		{"{by: \x1b[2J}", `arg.By: want int, not "\u001b[2J"`},
		{`{any: ` + strings.Repeat("[", 100), `nested deeper than 64`},
	} {
		_, err := ParseLiteral(ts, s, tc.text, meshes{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%.40s: got %v, want %s", tc.text, err, tc.want)
		}
		if _, ok := errors.AsType[*LiteralError](err); !ok {
			t.Errorf("%.40s: %T is no LiteralError", tc.text, err)
		}
	}
}

func TestLiteralOddities(t *testing.T) {
	if _, err := ParseLiteral(nil, nil, " x", nil); err == nil || err.Error() != "arg: this endpoint takes no argument (column 2)" {
		t.Errorf("an argument where none is taken: %v", err)
	}
	if b, err := ParseLiteral(nil, nil, "  ", nil); b != nil || err != nil {
		t.Errorf("no argument is nil: %x, %v", b, err)
	}
	_, n := describe(t, 1)
	if _, err := ParseArg("count", nil, n, "x", nil); err == nil || err.Error() != `count: want int, not "x" (column 1)` {
		t.Errorf("the path begins with the parameter: %v", err)
	}
	_, str := describe(t, "")
	if _, err := ParseLiteral(nil, str, "", nil); err == nil || !strings.Contains(err.Error(), "want string, but the text ends") {
		t.Errorf("an empty line is no string: %v", err)
	}
	if _, err := ParseLiteral(nil, str, `"a" b`, nil); err == nil {
		t.Error("a quoted string ends the line")
	}
	_, mesh := describe(t, meshLike{})
	b, err := ParseLiteral(nil, mesh, "@toy[gpus=0:2]", meshes{})
	if err != nil || !strings.Contains(string(b), "gpus=0:2") {
		t.Errorf("a mesh with a selection: %x, %v", b, err)
	}
	if _, err := ParseLiteral(nil, &Schema{Kind: KindMesh, Mesh: "main.Hop"}, "@toy", meshes{}); err == nil || !strings.Contains(err.Error(), "@toy holds toy.ToyActor, want Hop") {
		t.Errorf("a mesh of another type: %v", err)
	}
	if _, err := ParseLiteral(nil, mesh, "@toy", nil); err == nil || !strings.Contains(err.Error(), "meshes cannot be named here") {
		t.Errorf("without Refs: %v", err)
	}
}

func TestNestingEndsWhereTheWorkerEndsIt(t *testing.T) {
	_, s := describe(t, []any{})
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	b, err := ParseLiteral(nil, s, deep(64), nil)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := quicnet.Dec().Unmarshal(b, &v); err != nil {
		t.Errorf("64 levels are typed and not decoded: %v", err)
	}
	if _, err := ParseLiteral(nil, s, deep(65), nil); err == nil || !strings.Contains(err.Error(), "nested deeper than 64 (column 65)") {
		t.Errorf("65 levels: %v", err)
	}
}

func TestMeshesPrintAsTheyAreTyped(t *testing.T) {
	e := shape.Extent{{Name: "hosts", Size: 2}, {Name: "gpus", Size: 4}}
	_, s := describe(t, meshLike{})
	for sel, want := range map[string]string{"*": "@toy", "gpus=1": "@toy[gpus=1]", "hosts=1,gpus=0:2": "@toy[hosts=1,gpus=0:2]"} {
		parsed, err := shape.Parse(sel)
		if err != nil {
			t.Fatal(err)
		}
		view, err := shape.RegionOf(e).Slice(parsed)
		if err != nil {
			t.Fatal(err)
		}
		whole := []any{1, "toy", "x.Toy", 1, shape.RegionOf(e), view, nil, []any{[]string{"n1", "n2"}, 4}}
		for n := 6; n <= len(whole); n++ { // incarnations and hosts may be absent
			body, err := mode.Marshal(whole[:n])
			if err != nil {
				t.Fatal(err)
			}
			if got := Format(nil, s, body); got != want {
				t.Errorf("%s prints as %s", want, got)
			}
			if v, err := Value(nil, s, body); err != nil || v != want {
				t.Errorf("the value of %s is %v, %v", want, v, err)
			}
		}
	}
	junk, _ := hex.DecodeString("820102")
	if got := Format(nil, s, junk); got != "[1, 2]" {
		t.Errorf("what is no mesh prints as what it is: %s", got)
	}
}
