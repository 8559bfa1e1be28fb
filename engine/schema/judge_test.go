package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

type node struct {
	Name string
	Next *node
	Kids []*node
}

type withAny struct {
	Tag  string
	Rest any
	By   map[string]any
	Keys map[any]any
	when time.Time
}

type codedError struct{ Code int }

func (codedError) Error() string { return "coded" }

// staticOf is the type of a variable that holds v, which is v's own type.
func staticOf(v any) reflect.Type { return reflect.TypeOf(v) }

func TestAValueThatWouldNotArriveIsRefusedWithWhatToDo(t *testing.T) {
	loop := &node{Name: "a"}
	loop.Next = loop
	self := map[string]any{}
	self["me"] = self
	deep := any(1)
	for range maxDepth {
		deep = []any{deep}
	}
	j := NewJudge()
	for _, c := range []struct {
		name string
		v    any
		in   reflect.Type // of the variable; nil: v's own
		want string
	}{
		{"an error", errors.New("x"), anyType, "an error in an any arrives without its type, and often without its text; send err.Error(), or return the error from the endpoint: errors.Is then works across processes"},
		{"an error with fields", codedError{3}, anyType, "an error in an any"},
		{"an error that wraps another", &fs.PathError{Op: "open", Err: fs.ErrNotExist}, anyType, "an error in an any"},
		{"big.Rat", big.NewRat(1, 3), anyType, "big.Rat has only unexported fields, and those do not travel; send its text"},
		{"big.Float", *big.NewFloat(1), anyType, "big.Float has only unexported fields, and those do not travel; send its text"},
		{"a mutex", &sync.Mutex{}, anyType, "sync.Mutex has only unexported fields, and those do not travel; export what"},
		{"a func", func() {}, anyType, "a func cannot travel to another process; send data"},
		{"a channel", make(chan int), anyType, "use engine.Channel and send its Port"},
		{"a complex number", 1i, anyType, "CBOR has no complex numbers"},
		{"in a list in a map", map[string]any{"a": []any{1, errors.New("x")}}, anyType, `["a"][1]: *errors.errorString: an error in an any`},
		{"in a field of a struct", withAny{Rest: big.NewRat(1, 2)}, nil, ".Rest: *big.Rat: big.Rat has only unexported fields"},
		{"in a map of a struct behind a pointer", &withAny{By: map[string]any{"x": make(chan int)}}, nil, `.By["x"]: chan int: a channel`},
		{"a struct with a func in it", struct{ F func() }{}, anyType, "struct { F func() }.F: a func cannot travel"},
		{"a struct with an interface in it", struct{ E error }{}, anyType, "struct { E error }.E: a bare error loses its type"},
		{"a key that is a float", map[any]any{1.5: 1}, anyType, "it is a map with a key of type float64; use string, integer or bool keys"},
		{"a key that is nil", map[any]any{nil: 1}, anyType, "it is a map with the key nil"},
		{"keys that are floats", map[float64]int{}, anyType, "its keys are float64; use string"},
		{"a mesh", meshLike{}, anyType, "in an any a mesh arrives as a list of its parts; give the argument or the field that type"},
		{"a proc mesh", procsLike{}, anyType, "in an any a value of this type arrives as a list of its parts; give the argument or the field that type"},
		{"a proc mesh in a list", []any{&procsLike{}}, anyType, "[0]: *schema.procsLike: in an any a value of this type arrives as a list"},
		{"a port in a field", struct{ P *portLike }{}, anyType, "struct { P *schema.portLike }.P: in an any a port arrives as a list"},
		{"a pointer to itself", loop, nil, "it is nested deeper than 64; does it contain itself?"},
		{"a map that holds itself", self, anyType, `["me"]: it is nested deeper than 64`},
		{"deeper than a receiver reads", []any{deep}, anyType, "nested deeper than 64"},
		{"a strange key in the path", map[string]any{"a\x1b[31m\"": 1i}, anyType, `["a\u001b[31m\""]`},
	} {
		if c.in == nil {
			c.in = staticOf(c.v)
		}
		for range 2 { // the second time from what was kept of the first
			if _, err := j.Value(c.v, c.in); err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsRune(err.Error(), 0x1b) {
				t.Errorf("%s: %v, want %s", c.name, err, c.want)
			}
		}
	}
}

func TestAValueThatArrivesIsLetThrough(t *testing.T) {
	deep := any(1)
	for range maxDepth {
		deep = []any{deep}
	}
	u, err := url.Parse("https://example.com/x")
	if err != nil {
		t.Fatal(err)
	}
	j := NewJudge()
	for _, c := range []struct {
		v  any
		in reflect.Type
	}{
		{nil, anyType}, {1, anyType}, {"x", anyType}, {[]byte{1}, anyType}, {2 * time.Second, anyType}, {time.Now(), anyType},
		{big.NewInt(7), anyType}, {u, anyType}, {*u, anyType}, {[4]byte{}, anyType}, {(*node)(nil), anyType}, {struct{}{}, anyType},
		{map[any]any{1: "a", "b": true, false: nil, uint8(3): 1}, anyType}, {[]any{nil, map[string]any{"a": []int{1}}}, anyType},
		{deep, anyType}, {node{Next: &node{Kids: []*node{nil, {}}}}, anyType}, {withAny{when: time.Now()}, anyType},
		{meshLike{}, staticOf(meshLike{})}, {struct{ P portLike }{}, staticOf(struct{ P portLike }{})},
		{codedError{3}, staticOf(codedError{})}, // its type tells the receiver what it is
		{withAny{Rest: []any{1}}, staticOf(withAny{})},
	} {
		if odd, err := j.Value(c.v, c.in); err != nil || odd {
			t.Errorf("%T in %v: %v, %v", c.v, c.in, odd, err)
		}
	}
}

func TestTimesWithSecondsInTheirOffsetAreFound(t *testing.T) {
	odd, even := time.Now().In(time.FixedZone("odd", 3630)), time.Now().In(time.FixedZone("", 3600))
	type stamped struct {
		At  *time.Time
		All []time.Time
		By  map[string]time.Time
	}
	j := NewJudge()
	for _, c := range []struct {
		v    any
		want bool
	}{
		{odd, true}, {&odd, true}, {even, false}, {stamped{}, false}, {stamped{At: &even, All: []time.Time{even}}, false}, {stamped{At: &odd}, true},
		{stamped{All: []time.Time{even, odd}}, true}, {stamped{By: map[string]time.Time{"x": odd}}, true}, {[]any{map[string]any{"t": odd}}, true}, {(*time.Time)(nil), false},
	} {
		if got, err := j.Value(c.v, staticOf(c.v)); got != c.want || err != nil {
			t.Errorf("%T %v: %v, %v", c.v, c.v, got, err)
		}
		if got, err := j.Value(c.v, anyType); got != c.want || err != nil {
			t.Errorf("%T %v in an any: %v, %v", c.v, c.v, got, err)
		}
	}
}

var anyType = reflect.TypeFor[any]()

func TestValuesAreJudgedByManyAtOnce(t *testing.T) {
	j := NewJudge()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for _, v := range []any{1, big.NewRat(1, 2), []any{withAny{}}, node{}, map[string]any{"x": fmt.Sprint(i)}} {
				_, err := j.Value(v, anyType)
				if _, rat := v.(*big.Rat); (err != nil) != rat {
					t.Errorf("%T: %v", v, err)
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkJudge(b *testing.B) {
	j := NewJudge()
	list := make([]any, 1000)
	for i := range list {
		list[i] = map[string]any{"id": i, "name": "x"}
	}
	type plain struct {
		A int
		B []float64
		C map[string]string
	}
	for _, c := range []struct {
		name string
		v    any
	}{{"no any", plain{B: make([]float64, 1000)}}, {"1000 maps of any", list}, {"1000 times", make([]time.Time, 1000)}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			static := staticOf(c.v)
			for b.Loop() {
				if _, err := j.Value(c.v, static); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
