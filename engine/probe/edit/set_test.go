package edit

import (
	"errors"
	"io"
	"maps"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/probe/walk"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

type point struct{ X, Y int }

type named uint8

type base struct{ Epoch int }

type Deep struct{ Level int }

type inner struct {
	Name string
	next *inner
}

type actor struct {
	base
	*Deep
	mu     sync.Mutex
	loss   float64
	count  named
	name   string
	on     bool
	at     point
	in     inner
	ptr    *point
	none   *point
	num    *int
	any    any
	empty  any
	err    error
	reader io.Reader
	tags   map[string]int
	byRank map[int]point
	ptrs   map[string]*point
	keys   map[point]int
	nans   map[float64]int
	nilmap map[string]int
	list   []int
	kids   []inner
	arr    [2]point
	wait   time.Duration
	when   time.Time
	raw    []byte
	huge   *big.Int
	ch     chan int
	f      func()
	self   *actor
	loop   ring
	picky  picky
}

type ring *ring

type picky struct{}

func (*picky) UnmarshalCBOR([]byte) error { panic("never") }

type problem struct{ Code int }

func (problem) Error() string { return "problem" }

func sample() *actor {
	a := &actor{
		in: inner{Name: "a", next: &inner{Name: "b"}}, ptr: &point{1, 2}, num: new(int), any: 3, err: problem{4}, tags: map[string]int{"a": 1, `b]"`: 2}, byRank: map[int]point{3: {1, 1}},
		ptrs: map[string]*point{"p": {5, 6}}, keys: map[point]int{{1, 2}: 7}, nans: map[float64]int{math.NaN(): 1}, list: []int{1, 2, 3}, kids: []inner{{Name: "x"}}, huge: big.NewInt(1), ch: make(chan int), f: func() {},
	}
	// What stands for nothing yet is named too, so that it is used.
	a.loss, a.count, a.name, a.on, a.at, a.none, a.empty, a.reader, a.nilmap = 0, named(0), "", false, point{}, nil, nil, nil, nil
	a.arr, a.wait, a.when, a.raw, a.picky = [2]point{}, 0, time.Time{}, nil, picky{}
	a.mu.Lock()
	a.self = a
	a.loop = ring(&a.loop)
	return a
}

// TestSetReachesEverything reads what was set back as the walker does.
func TestSetReachesEverything(t *testing.T) {
	for _, tc := range []struct{ path, literal, want string }{
		{"loss", "1.5", "1.5"}, {"loss", "NaN", "NaN"}, {"loss", "2", "2"}, {"count", "255", "255"}, {"name", "hello world", `"hello world"`}, {"name", `"quoted"`, `"quoted"`}, {"on", "true", "true"},
		{"at", "{X: 3}", "{X: 3, Y: 0}"}, {"at.Y", "7", "7"}, {"in.Name", "z", `"z"`}, {"in.next.Name", "zz", `"zz"`}, {"in.next", "null", "nil"}, {"ptr", "{Y: 9}", "{X: 0, Y: 9}"}, {"ptr.X", "8", "8"}, {"ptr", "null", "nil"},
		{"none", "{X: 1}", "{X: 1, Y: 0}"}, {"num", "5", "5"}, {"any", "4", "4"}, {"any", "null", "nil"}, {"empty", `{a: [1, "x"]}`, `{"a": [1, "x"]}`}, {"err.Code", "5", "5"}, {"err", "{Code: 6}", "{Code: 6}"}, {"err", "null", "nil"},
		{`tags["a"]`, "9", "9"}, {`tags["b]\""]`, "9", "9"}, {`tags["new"]`, "3", "3"}, {"byRank[3].X", "5", "5"}, {"byRank[4]", "{X: 1}", "{X: 1, Y: 0}"}, {`ptrs["p"].Y`, "1", "1"}, {"keys[{X: 1, Y: 2}]", "8", "8"}, {"tags", "{q: 1}", `{"q": 1}`}, {"nilmap", "{q: 1}", `{"q": 1}`},
		{"list[1]", "20", "20"}, {"list", "[7, 8]", "[7, 8]"}, {"list", "null", "[]"}, {"kids[0].Name", "y", `"y"`}, {"arr[1].X", "4", "4"}, {"arr", "[{X: 1}, {Y: 2}]", "[{X: 1, Y: 0}, {X: 0, Y: 2}]"}, {"wait", "1.5s", "1.5s"}, {"when", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"},
		{"raw", "h'00ff'", "h'00ff'"}, {"huge", "18446744073709551615", "18446744073709551615"}, {"self.self.loss", "3", "3"}, {"self.self.self.at.X", "3", "3"}, {"Epoch", "3", "3"}, {"base.Epoch", "3", "3"},
	} {
		a := sample()
		if err := Set(reflect.ValueOf(a), tc.path, tc.literal); err != nil {
			t.Errorf("%s = %s: %v", tc.path, tc.literal, err)
			continue
		}
		if got := walk.Tree(a, walk.Query{Path: tc.path}); got.Text != tc.want || got.Error != "" {
			t.Errorf("%s = %s: it is %s %s, want %s", tc.path, tc.literal, got.Text, got.Error, tc.want)
		}
	}
}

// Whoever holds the pointer sees what was set.
func TestSetGoesThroughPointers(t *testing.T) {
	a := sample()
	held := a.ptr
	if err := Set(reflect.ValueOf(a), "ptr", "{X: 5, Y: 6}"); err != nil || *held != (point{5, 6}) {
		t.Errorf("the pointer was replaced: %v, %v", *held, err)
	}
}

// TestWhatALiteralCannotSayIsKept holds INV-KEEP.
func TestWhatALiteralCannotSayIsKept(t *testing.T) {
	a := sample()
	if err := Set(reflect.ValueOf(a), "any", "4"); err != nil || a.any != any(4) {
		t.Errorf("any holds %T %v, %v", a.any, a.any, err)
	}
	for path, want := range map[string]string{
		"in": "a literal of edit.inner cannot say next, which would be lost", "": "cannot say mu", "kids[0]": "cannot say next", "self": "cannot say mu",
	} {
		if err := Set(reflect.ValueOf(a), path, "{}"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", path, err, want)
		}
	}
	if a.in.next == nil {
		t.Error("next is lost")
	}
}

func TestAWrongLiteralIsToldWithPathColumnAndWhatIsRight(t *testing.T) {
	a := sample()
	for _, tc := range []struct {
		path, literal, want string
		column              int
	}{
		{"loss", "ten", `loss: want float64, not "ten"`, 1},
		{"at", "{X: 1, Y: up}", `at.Y: want int, not "up"`, 11},
		{"at", "{Z: 1}", `at: edit.point has no field "Z" (have X, Y)`, 2},
		{"list[1]", "[1]", "list[1]: want int", 1},
		{"list", "[1, 2.5]", "list[1]: want int", 5},
		{"count", "256", "count: ", 1},
		{"arr", "[{}]", "arr: want 2 items", 1},
		{"on", "1", "on: want true or false", 1},
		{"name", "null", "name: want string", 1},
		{"any", "x", "any: want int, not \"x\" (column 1); the interface holds int, and null empties it", 1},
		{`tags["a"]`, "1 2", `tags["a"]: `, 3},
		{"loss", "", "loss: want float64, but the text ends", 1},
	} {
		err := Set(reflect.ValueOf(a), tc.path, tc.literal)
		le, ok := errors.AsType[*schema.LiteralError](err)
		if !ok || le.Column != tc.column || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s = %s: %v, want column %d, %s", tc.path, tc.literal, err, tc.column, tc.want)
		}
	}
}

func TestWhatCannotBeSetSaysWhy(t *testing.T) {
	a := sample()
	for path, want := range map[string]string{
		"ch": "ch: no literal makes chan int: chan int: ", "f": "f: no literal makes func(): ", "los": `edit.actor has no field "los" (did you mean loss?)`, "in.next.next.Name": "set in.next.next.Name: in.next.next: it is nil, and has no .Name",
		"list[9]": "list: there is no element [9]: there are 3", "list[-1]": "no element", "list[x]": "no element", "list.x": "[]int has no x", "loss.x": "float64 has no x", "loss[0]": "float64 has no [0]", "list[": "[ without ]",
		`tags["zz"].x`: `there is no key "zz"`, "tags[5x": "[ without ]", "byRank[x]": "there is no key x", `nilmap["a"]`: "the map is nil: it can be set as a whole", "nans[NaN]": "not equal to itself", "Level": "the embedded *edit.Deep that has Level is nil",
		"reader": "the interface io.Reader holds nothing", "empty.x": "it is nil", "loop.x": "more than 16 times", "loop": "more than 16 times", "mu.state\x1b[2J": `\u001b[2J`, strings.Repeat("x", maxPath+1): "a path may have 4096 bytes",
		"picky": "setting picky panicked: never", "none.X": "it is nil",
	} {
		err := Set(reflect.ValueOf(a), path, "1")
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("%.40q: %v, want %s", path, err, want)
		}
	}
	if err := Set(reflect.ValueOf(point{}), "X", "1"); err == nil || !strings.Contains(err.Error(), "no address") {
		t.Errorf("a copy was set: %v", err)
	}
	if err := Set(reflect.Value{}, "X", "1"); err == nil {
		t.Error("nothing was set")
	}
	if err := Set(reflect.ValueOf((*actor)(nil)), "loss", "1"); err == nil {
		t.Error("nil was set")
	}
	if err := Set(reflect.ValueOf(a), "name", strings.Repeat("x", maxLiteral+1)); err == nil || !strings.Contains(err.Error(), "1048576 bytes") {
		t.Errorf("a huge literal: %v", err)
	}
}

func TestLiteralMakesAResult(t *testing.T) {
	v, err := Literal(reflect.TypeFor[[]point](), "[{X: 1}, {y: 2}]")
	if got, ok := reflect.TypeAssert[[]point](v); err != nil || !ok || !slices.Equal(got, []point{{1, 0}, {0, 2}}) {
		t.Errorf("%v, %v", v, err)
	}
	if v, err := Literal(reflect.TypeFor[any](), "{a: 1}"); err != nil || !maps.Equal(v.Interface().(map[string]any), map[string]any{"a": uint64(1)}) { //nolint:forcetypeassert // what a message's any holds
		t.Errorf("%v, %v", v, err)
	}
	for _, tc := range []struct {
		t    reflect.Type
		want string
	}{
		{reflect.TypeFor[chan int](), "value: no literal makes chan int"}, {nil, "has no type"}, {reflect.TypeFor[int](), `value: want int, not "x" (column 1)`}, {reflect.TypeFor[ring](), "lead to nothing but pointers"}, {reflect.TypeFor[struct{ R []ring }](), "lead to nothing but pointers"}, {reflect.TypeFor[error](), "no literal makes error"},
	} {
		if _, err := Literal(tc.t, "x"); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v: %v, want %s", tc.t, err, tc.want)
		}
	}
	if _, err := Literal(reflect.TypeFor[picky](), "1"); err == nil || !strings.Contains(err.Error(), "panicked: never") {
		t.Errorf("a decoder that panics: %v", err)
	}
}

// FuzzSetLeavesEverythingOrSetsIt holds INV-WHOLE and INV-CALM: after an error the state is as before.
func FuzzSetLeavesEverythingOrSetsIt(f *testing.F) {
	for _, s := range [][2]string{{"list[1]", "3"}, {`tags["a"]`, "x"}, {"in.next.Name", "y"}, {"any", "null"}, {"byRank[3].X", "{"}, {"arr[0]", "{X: 1}"}, {"keys[{X: 1, Y: 2}]", "1"}, {"err", "{Code: 1, Code: 2}"}, {"loop", "null"}, {"ptrs[\"q\"]", "{}"}} {
		f.Add(s[0], s[1])
	}
	show := func(a *actor) string { return text(walk.Tree(a, walk.Query{Depth: 4})) }
	f.Fuzz(func(t *testing.T, path, literal string) {
		a := sample()
		before := show(a)
		if err := Set(reflect.ValueOf(a), path, literal); err != nil {
			if after := show(a); after != before {
				t.Fatalf("%q = %q: %v, and\n%s\nbecame\n%s", path, literal, err, before, after)
			}
		}
	})
}

func text(n control.StateNode) string {
	var b strings.Builder
	b.WriteString(n.Name + "=" + n.Text)
	for _, c := range n.Nodes {
		b.WriteString(" " + text(c))
	}
	return b.String()
}
