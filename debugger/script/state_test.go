package script

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/eval"
)

func TestAStateReadsAsTheValuesThatACallWouldGive(t *testing.T) {
	node := control.StateNode{Kind: "struct", Len: 13, Nodes: []control.StateNode{
		{Name: "n", Kind: "int", Text: "-3"}, {Name: "u", Kind: "uint", Text: "18446744073709551615"}, {Name: "f", Kind: "float", Text: "1.5"},
		{Name: "s", Kind: "string", Text: `"a \"b\"\n"`}, {Name: "cut", Kind: "string", Text: `"abc"… (900 bytes)`}, {Name: "ok", Kind: "bool", Text: "true"},
		{Name: "m", Kind: "map", Len: 3, Nodes: []control.StateNode{{Name: `["x y"]`, Kind: "int", Text: "1"}, {Name: `[7]`, Kind: "nil"}, {Name: `[{A: 1, B: 2}]`, Kind: "int", Text: "2"}}},
		{Name: "l", Kind: "list", Len: 1, Nodes: []control.StateNode{{Name: "[0]", Kind: "mesh", Text: "@t[0]"}}},
		{Name: "deep", Kind: "struct", Len: 3, Text: "{…}"}, // deeper than what was read
		{Name: "none", Kind: "list"}, {Name: "d", Kind: "duration", Text: "2s"}, {Name: "raw", Kind: "bytes", Len: 2, Text: "h'6869'"},
		{Name: "t", Kind: "time", Text: "2026-01-02T03:04:05Z"},
	}}
	max64, _ := new(big.Int).SetString("18446744073709551615", 10)
	want := map[string]any{
		"n": -3, "u": max64, "f": 1.5, "s": "a \"b\"\n", "cut": eval.Cut(`"abc"… (900 bytes)`, "a text is read up to 65536 bytes"), "ok": true,
		"m": map[string]any{"x y": 1, "7": nil, "{A: 1, B: 2}": 2}, "l": []any{"@t[0]"}, "deep": eval.Cut("{…}", "0 of its 3 elements were read"), "none": []any{},
		"d": 2 * time.Second, "raw": []byte("hi"), "t": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	if got := plain(node, 0); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %#v\nwant %#v", got, want)
	}
}

// No entry of a map hides another: a text keeps its quotes where another kind of key is called so.
func TestEveryEntryOfAMapHasANameInAState(t *testing.T) {
	for keys, want := range map[string]string{
		`["1"] ["true"] [1] [1 #2] [true]`: `"1" "true" 1 1 #2 true`, `["\"1\""] ["1"] [1]`: `"1" "\"1\"" 1`, `["1 #2"] [1] [1 #2]`: `"1 #2" 1 1 #2`, `["a"] ["b"]`: `a b`,
	} {
		n := control.StateNode{Kind: "map"}
		for _, k := range strings.SplitAfter(keys, "]") {
			if k != "" {
				n.Nodes = append(n.Nodes, control.StateNode{Name: strings.TrimPrefix(k, " "), Kind: "nil"})
			}
		}
		n.Len = len(n.Nodes)
		m, _ := plain(n, 0).(map[string]any)
		if got := strings.Join(slices.Sorted(maps.Keys(m)), " "); got != want || len(m) != n.Len {
			t.Errorf("%s: %d entries %s, want %d %s", keys, len(m), got, n.Len, want)
		}
	}
}

// TestALongStateIsReadOnPageByPage: a verdict on a part of a list is none on the list.
func TestALongStateIsReadOnPageByPage(t *testing.T) {
	list := func(from, to, n int) control.StateNode {
		out := control.StateNode{Name: "many", Path: "many", Kind: "list", Len: n, Text: "[…]"}
		for i := from; i < to; i++ {
			out.Nodes = append(out.Nodes, control.StateNode{Name: fmt.Sprintf("[%d]", i), Kind: "int", Text: fmt.Sprint(i)})
		}
		return out
	}
	state := func() control.StateNode {
		return control.StateNode{Kind: "struct", Len: 1, Nodes: []control.StateNode{list(0, 10, 25)}}
	}
	asked := 0
	pages := func(n int) func(path string, start int) (control.StateNode, error) {
		return func(path string, start int) (control.StateNode, error) {
			if asked++; path != "many" {
				return control.StateNode{}, errors.New("no such path")
			}
			return list(start, min(start+10, n), n), nil
		}
	}
	for _, c := range []struct {
		name   string
		pages  func(string, int) (control.StateNode, error)
		bound  int
		fields []string
		asked  int
		want   string // of len(state.many)
	}{
		{"read to its end", pages(25), 1000, nil, 2, "25"},
		{"as a field that is named", pages(25), 1000, []string{"many"}, 2, "25"},
		{"not when nobody wants it", pages(25), 1000, []string{"other"}, 0, "was cut: 10 of its 25 elements were read"},
		{"changed meanwhile", pages(24), 1000, nil, 1, "was cut"},
		{"beyond the bound", pages(25), 5, nil, 1, "was cut: 20 of its 25"},
	} {
		asked = 0
		n := state()
		if err := (&stateReader{ask: c.pages, left: c.bound}).whole(&n, c.fields); err != nil {
			t.Fatal(err)
		}
		e, err := compile("len(state.many)", 0, anyNames)
		if err != nil {
			t.Fatal(err)
		}
		v, err := e.Eval(map[string]any{"state": plain(n, 0)})
		if got := fmt.Sprint(v, err); !strings.Contains(got, c.want) || asked != c.asked {
			t.Errorf("%s: got %s after %d pages, want %s after %d", c.name, got, asked, c.want, c.asked)
		}
	}
}

// TestAStateThatContainsItselfIsReadToABound: each read shows it anew, and much of it.
func TestAStateThatContainsItselfIsReadToABound(t *testing.T) {
	asked, seen := 0, 0
	var node func(path string, depth int) control.StateNode
	node = func(path string, depth int) control.StateNode {
		n := control.StateNode{Name: "next", Path: path, Kind: "struct", Len: 2, Text: "{…}"}
		for range 2 * min(depth, 1) {
			seen++
			n.Nodes = append(n.Nodes, node(path+".next", depth-1))
		}
		return n
	}
	for _, depth := range []int{1, 10} {
		asked, seen = 0, 0
		r := stateReader{left: maxElements, ask: func(path string, _ int) (control.StateNode, error) {
			if asked++; asked > 10*maxReads {
				return control.StateNode{}, errors.New("it reads for ever")
			}
			return node(path, depth), nil
		}}
		n := node("", depth)
		if err := r.whole(&n, nil); err != nil || asked > maxReads || seen > 2*maxElements {
			t.Errorf("depth %d: %d reads, %d elements, %v; want %d and %d at most", depth, asked, seen, err, maxReads, 2*maxElements)
		}
	}
}
