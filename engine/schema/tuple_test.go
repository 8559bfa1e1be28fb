package schema

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

func tupleOf(t *testing.T, names []string, vs ...any) (Types, *Schema) {
	t.Helper()
	b := NewBuilder()
	var args []*Schema
	for _, v := range vs {
		s, err := b.Of(reflect.TypeOf(v))
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, s)
	}
	return b.Types, Tuple(args).Named(names)
}

type size struct{ W, H int }

func TestSeveralArgumentsAreTypedInTurnOrByName(t *testing.T) {
	ts, plain := tupleOf(t, []string{"n", "who"}, 0, "")
	_, three := tupleOf(t, []string{"to", "at", "tags"}, size{}, 0.5, []string{})
	b := NewBuilder()
	if _, err := b.Of(reflect.TypeFor[size]()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ts   Types
		s    *Schema
		text string
		want []any
	}{
		{ts, plain, "1 ada", []any{uint64(1), "ada"}},
		{ts, plain, ` 1 , "ada b" `, []any{uint64(1), "ada b"}},
		{ts, plain, "{n: 1, who: ada}", []any{uint64(1), "ada"}},
		{ts, plain, `{who: "x", n: -3,}`, []any{int64(-3), "x"}},
		{b.Types, three, "{W: 1} 2 [a, b]", []any{map[any]any{"W": uint64(1)}, 2.0, []any{"a", "b"}}},
		{b.Types, three, "{to: {W: 1}, at: 2, tags: []}", []any{map[any]any{"W": uint64(1)}, 2.0, []any{}}},
	} {
		body, err := ParseLiteral(c.ts, c.s, c.text, nil)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		var got []any
		if err := cbor.Unmarshal(body, &got); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s is %v (%s), %v; want %v", c.text, got, hex.EncodeToString(body), err, c.want)
		}
		if back, err := ParseLiteral(c.ts, c.s, Literal(c.ts, c.s, body), nil); err != nil || string(back) != string(body) {
			t.Errorf("%s reads back as %s: %v", c.text, Literal(c.ts, c.s, body), err)
		}
	}
	for _, c := range []struct {
		s    *Schema
		text string
		want string
		col  int
	}{
		{plain, "", "n: want int, but the text ends: 0 of 2 arguments are given", 1},
		{plain, "1", "who: want string, but the text ends: 1 of 2 arguments are given", 2},
		{plain, "x 1", `n: want int, not "x"`, 1},
		{plain, "1 a b", `who: want nothing after the value, not "b"`, 5},
		{plain, "{n: 1}", "who: this argument is missing: want string", 1},
		{plain, "{n: 1, who: x, z: 2}", "z: no argument has this name (have n, who)", 16},
		{plain, "{n: ten, who: x}", `n: want int, not "ten"`, 5},
		{three, "{W: x} 2 []", `to.W: want int, not "x"`, 5},
	} {
		_, err := ParseLiteral(b.Types, c.s, c.text, nil)
		le, ok := err.(*LiteralError) //nolint:errorlint // never wrapped
		if !ok || !strings.HasPrefix(le.Error(), c.want) || le.Column != c.col {
			t.Errorf("%q: %v, want %s in column %d", c.text, err, c.want, c.col)
		}
	}
}

func TestSeveralArgumentsHaveTheirNames(t *testing.T) {
	_, s := tupleOf(t, []string{"n", "who", "more"}, 0, "", 0.5)
	if got := Signature("Add", "", s, nil); got != "Add(n int, who string, more float64)" {
		t.Error(got)
	}
	for _, names := range [][]string{nil, {"", "_"}, {"arg2"}, {"a", "a"}} {
		_, s := tupleOf(t, names, 0, "")
		if got := Signature("Add", "", s, nil); got != "Add(arg1 int, arg2 string)" {
			t.Errorf("%q: %s", names, got)
		}
	}
	ts, a := tupleOf(t, []string{"a", "b"}, 0, "")
	_, b := tupleOf(t, nil, 0, "")
	_, other := tupleOf(t, nil, "", 0)
	if Hash(ts, other) == Hash(ts, b) {
		t.Error("the order of arguments does not count")
	}
	if got := Fields(ts, a); got != "{a int, b string}" {
		t.Error(got)
	}
}
