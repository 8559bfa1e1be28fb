package script

import (
	"reflect"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

func TestAStateReadsAsPlainValues(t *testing.T) {
	node := control.StateNode{Kind: "struct", Len: 9, Nodes: []control.StateNode{
		{Name: "n", Kind: "int", Text: "-3"}, {Name: "u", Kind: "uint", Text: "18446744073709551615"}, {Name: "f", Kind: "float", Text: "1.5"},
		{Name: "s", Kind: "string", Text: `"a \"b\"\n"`}, {Name: "cut", Kind: "string", Text: `"abc"… (900 bytes)`}, {Name: "ok", Kind: "bool", Text: "true"},
		{Name: "m", Kind: "map", Len: 2, Nodes: []control.StateNode{{Name: `["x y"]`, Kind: "int", Text: "1"}, {Name: `[7]`, Kind: "nil"}}},
		{Name: "l", Kind: "list", Len: 1, Nodes: []control.StateNode{{Name: "[0]", Kind: "mesh", Text: "@t[0]"}}},
		{Name: "deep", Kind: "struct", Len: 3, Text: "{…}"}, // deeper than what was read
		{Name: "none", Kind: "list"},
	}}
	want := map[string]any{"n": -3, "u": uint64(1<<64 - 1), "f": 1.5, "s": "a \"b\"\n", "cut": "abc… (900 bytes)", "ok": true,
		"m": map[string]any{"x y": 1, "7": nil}, "l": []any{"@t[0]"}, "deep": "{…}", "none": []any{}}
	if got := plain(node, 0); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %#v\nwant %#v", got, want)
	}
}
