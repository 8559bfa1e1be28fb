package cond

import (
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/eval"
)

type base struct{ Epoch int }

type level uint8

type inner struct {
	loss float64
	name string
}

type actor struct {
	base
	*outer
	loss   float64
	count  level
	big    uint64
	name   string
	inner  inner
	next   *actor
	any    any
	tags   map[string]int
	byRank map[int]inner
	took   map[time.Duration]bool
	list   []int
	kids   []inner
	wait   time.Duration
	when   time.Time
	raw    []byte
	huge   *big.Int
	ch     chan int
	f      func()
	ratio  float32
	matrix [2][3]int
	on     bool
	mesh   ref
}

type outer struct{ Deep int }

type ref struct{ name string }

func (r ref) StateText() string { return "@" + r.name }

type step struct {
	G    int
	Tags []string
	when time.Time
}

func scope() Scope {
	return Scope{
		State: reflect.TypeFor[actor](), Args: []reflect.Type{reflect.TypeFor[step](), reflect.TypeFor[float64](), reflect.TypeFor[string]()},
		Params: []string{"s", "rate", "rank"}, Result: reflect.TypeFor[[]int](), Dims: []string{"hosts", "gpus"},
	}
}

func values() *Values {
	a := &actor{
		base: base{Epoch: 4}, loss: 0.25, count: 3, big: math.MaxUint64, name: "toy", inner: inner{loss: 7, name: "in"}, any: inner{name: "boxed"},
		tags: map[string]int{"a": 1, "b c": 2}, byRank: map[int]inner{3: {loss: 9}}, took: map[time.Duration]bool{time.Second: true},
		list: []int{1, 2, 3}, kids: []inner{{1, "x"}, {2, "y"}}, wait: 1500 * time.Millisecond, when: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		raw: []byte{0, 255}, huge: new(big.Int).Lsh(big.NewInt(1), 80), ch: make(chan int), f: func() {}, ratio: 0.5, matrix: [2][3]int{{1, 2, 3}, {4, 5, 6}}, on: true, mesh: ref{"workers"},
	}
	a.next = &actor{loss: 3, name: "second"}
	return &Values{
		State: reflect.ValueOf(a).Elem(), Args: []reflect.Value{reflect.ValueOf(step{G: 5, Tags: []string{"p"}, when: a.when}), reflect.ValueOf(0.1), reflect.ValueOf("third")},
		Result: reflect.ValueOf([]int{8, 9}), Rank: 6, Coords: []int{1, 2}, Mesh: "toys", Endpoint: "Step", Site: "recv", Sender: "client", Client: "c-1", Hits: 12,
	}
}

func TestAConditionIsJudgedByValue(t *testing.T) {
	v := values()
	for _, text := range []string{
		"state.loss < 1", "state.loss == 0.25", "state.count == 3 and state.count in [1, 3]", "state.big == 18446744073709551615", "state.big > 0",
		`state.name == "toy"`, "state.inner.loss == 7", `state.next.name == "second"`, "state.next.next == nil", "state.next != nil",
		"state.next.next?.loss == nil", "state?.next?.next?.next?.loss == nil", "state.next?.loss == 3", "(state.next?.next?.loss ?? 5) == 5",
		`state.any.name == "boxed"`, `state.tags["a"] == 1`, `state.tags["b c"] == 2`, "state.tags.a == 1", "state.tags.z == nil", "len(state.tags) == 2",
		"state.byRank[3].loss == 9", "state.byRank[4] == nil", `state.took["1s"]`, "state.list[0] == 1 and state.list[-1] == 3", "len(state.list) == 3",
		"state.kids[1].name == \"y\"", "any(state.kids, .loss == 2)", "all(state.list, # > 0)", "state.list == [1, 2, 3]", "sum(state.list) == 6", "max(state.list) == 3",
		`state.wait == duration("1.5s")`, "state.wait.Seconds() == 1.5", "state.when.Year() == 2026", "state.raw[1] == 255", "len(state.raw) == 2", "state.huge == 2 ** 80 or true",
		"state.huge > 1208925819614629174706175", "state.ch != nil", "state.ratio == 0.5", "state.matrix[1][2] == 6", "state.on", "not (not state.on)", "state.Epoch == 4", "state.base.Epoch == 4",
		"args.s.G == 5", "s.G == 5", "args[0].G == 5", "rate == 0.1", `args.rank == "third"`, "args[-1] == \"third\"", "len(args) == 3", "rank == 6", "rank in [2, 6]",
		"coords.gpus == 2 and coords[\"hosts\"] == 1", "coords == {hosts: 1, gpus: 2}", `sender == "client" and mesh == "toys" and endpoint == "Step" and site == "recv" and client == "c-1"`,
		"hits == 12 and hits % 3 == 0", `error == ""`, "result == [8, 9]", "result[1] == 9", "len(result) == 2", `state.name startsWith "t" and state.name matches "^t.y$"`,
		"let x = state.inner; x.loss == 7", `state.name[0] == "t"`, "s.when.Year() == 2026", `state.mesh == "@workers"`, `state.name in ["toy", "ball"]`, "len(error) == 0",
		"state.loss > 0 ? state.on : false", "state.list | filter(# > 1) | len() == 2", `string(state.count) == "3"`, "state.list[rank - 5] == 2", "keys(state.tags) | len() == 2",
		"state.kids[rank - 5].loss == 2", "state.tags[state.name[1:1] + \"a\"] == 1", "state.byRank[rank - 3].loss == 9", "args[rank - 5] == 0.1", "state.list[rank - 7] == 3", "state.took[duration(\"1s\")]", "coords[\"gp\" + \"us\"] == 2",
		"state[\"lo\" + \"ss\"] == 0.25", "any(state.kids, .name == \"y\")", "state.matrix[rank - 5][0] == 4",
	} {
		e, err := CompileCondition(text, scope())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for range 2 { // the second time with what the first has left behind
			if ok, err := e.Holds(v); !ok || err != nil {
				t.Errorf("%s: %t, %v", text, ok, err)
			}
		}
	}
}

// TestAMistakeIsToldWithItsPlace holds INV-CHECKED.
func TestAMistakeIsToldWithItsPlace(t *testing.T) {
	for _, tc := range []struct {
		text, at, want string // at: what begins where the caret stands
	}{
		{"state.los > 1", "los", `cond.actor has no field "los" (did you mean loss?)`},
		{"  rank > 1 and state.inner.nam == 3", "nam", `cond.inner has no field "nam" (did you mean name?)`},
		{"state.next.next.zzz == 1", "zzz", `no field "zzz" (have`},
		{"coords.gpu == 1", "gpu", `this mesh has no dimension "gpu" (did you mean gpus?)`},
		{`coords["x"] == 1`, `"x"`, `no dimension "x" (have gpus, hosts)`},
		{"coords[0] == 1", "0", "coords are told by dimension"},
		{"stat.loss > 1", "stat", `no name "stat" here (did you mean state?)`},
		{"rat == 1", "rat", `no name "rat" here (did you mean`},
		{"state.loss", "state", "it gives a number, and a condition is true or false"},
		{" state.loss + 1", "state", "it gives a number"},
		{"len(state.list)", "len", "it gives a number"},
		{`"yes"`, `"`, "it gives a text"},
		{"state", "state", "it gives a map"},
		{"state.name > 3", ">", "> compares a text and a number"},
		{"state.wait > 3", ">", "> compares a duration and a number"},
		{"state.loss and rank > 1", "and", "and wants two truth values"},
		{"state.count == nil", "==", "a number is never nil"},
		{"state.list == nil", "==", "a list is never nil: an empty one has len(…) == 0"},
		{"error != nil", "!=", `an empty one is ""`},
		{"arg.G == 1", "arg", "this endpoint takes 3 arguments"},
		{"args[3] == 1", "3", "there is no args[3]: this endpoint takes 3 arguments"},
		{"args.g == 1", "g", `no argument is called "g" (have`},
		{"s.g == 1", "g", `cond.step has no field "g" (did you mean G?)`},
		{"state.list.x == 1", "x", "state.list is a list: want an index, such as state.list[0]"},
		{"state.loss.x == 1", "x", "state.loss is a float64, and has no parts"},
		{"state.when.wall == 1", "wall", "state.when is a time.Time, and has no parts"},
		{"rank.x == 1", "x", "rank has no x: it is one value"},
		{"coords.gpus.x == 1", "x", "coords.gpus is a number, and has no parts"},
		{"state[3] == 1", "3", "state is a cond.actor: its parts are base, Epoch"},
		{"state.matrix[2][0] == 1", "2", "there is no [2]: state.matrix has 2"},
		{`state.byRank["x"].loss == 1`, `"x"`, `the keys are of type int, and "x" is none`},
		{"len(state.loss) == 1", "state", "len wants a list, a map or a text, not a number"},
		{"repeat(state.name, 1000000) == \"\"", "repeat", "repeat(…) may take long, and an actor would wait for it"},
		{"state.name matches sender", "matches", "must be written out"},
		{`state.name matches "(((a{30}){30}))"`, "matches", "a condition may have 500"},
		{"any(state.list, any(state.list, # > 1))", "# > 1", "a predicate within a predicate"},
		{"any(state.kids, .los == 2)", "los", `cond.inner has no field "los" (did you mean loss?)`},
		{"state.kids | filter(#.name.x == 2) | len() == 3", "x", "has no parts"},
		{"let rank = 3; rank == 3", "", "let rank hides the rank"},
		{"state.loss >", "", "the expression ends too early"},
		{"state.loss > > 1", "> 1", "unexpected"},
		{"", "", "want an expression"},
		{"state.name() == 1 and zz == 1", "zz", `no name "zz"`},
	} {
		_, err := CompileCondition(tc.text, scope())
		m, ok := errors.AsType[*eval.Error](err)
		if !ok {
			t.Errorf("%s: %v, want an *eval.Error", tc.text, err)
			continue
		}
		if m.Offset < 0 || m.Offset > len(tc.text) || !strings.HasPrefix(tc.text[m.Offset:], tc.at) || !strings.Contains(m.Msg, tc.want) {
			t.Errorf("%s: at %d %q, want it at %q with %q", tc.text, m.Offset, m.Msg, tc.at, tc.want)
		}
	}
	for text, want := range map[string]string{"arg == 1": "this endpoint takes no argument", "state.x == 1": "there is no state here", "result == 1": "this endpoint gives no result", "coords.x == 1": "this mesh has no dimensions", "args[0] == 1": "takes 0 arguments"} {
		if _, err := CompileCondition(text, Scope{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s without a scope: %v, want %s", text, err, want)
		}
	}
}

func TestTheOnlyArgumentIsArg(t *testing.T) {
	s := Scope{Args: []reflect.Type{reflect.TypeFor[*step]()}}
	v := &Values{Args: []reflect.Value{reflect.ValueOf(&step{G: 5})}}
	for _, text := range []string{"arg.G == 5", "args.G == 5", "args[0].G == 5"} {
		e, err := CompileCondition(text, s)
		if err != nil {
			t.Fatal(text, err)
		}
		if ok, err := e.Holds(v); !ok || err != nil {
			t.Errorf("%s: %t, %v", text, ok, err)
		}
	}
}

func TestWhatCannotBeJudgedIsAnErrorThatNamesThePath(t *testing.T) {
	for text, want := range map[string]string{
		"state.next.next.loss > 1":    "state.next.next is nil, and has no .loss",
		"state.any.nope == 1":         `state.any: cond.inner has no field "nope"`,
		"state.list[9] == 1":          "state.list: there is no [9]: the list has 3",
		"state.tags.zz > 1":           "no order",
		"state.Deep == 1":             "the embedded struct that has .Deep is nil",
		"state.ch == 1":               "a chan has no value that can be judged",
		"state.f == state.f":          "a func has no value that can be judged",
		"state.any":                   "want true or false",
		"len(state.next.next) == 1":   "state.next.next is nil, and has no length",
		"state.list[state.loss] == 1": "an index is a whole number",
		"state.any.loss.x == 1":       "is a float64, and has no parts",
		`state.byRank[7].loss == 1`:   "state.byRank[7] is nil",
	} {
		e, err := CompileCondition(text, scope())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if ok, err := e.Holds(values()); ok || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %t, %v, want %s", text, ok, err, want)
		}
	}
	e, err := CompileCondition("result[0] == 8", scope())
	if err != nil {
		t.Fatal(err)
	}
	v := values()
	v.Result = reflect.Value{}
	if _, err := e.Holds(v); err == nil || err.Error() != "there is no result here" {
		t.Errorf("without a result: %v", err)
	}
	v.Result = reflect.ValueOf("text")
	if _, err := e.Holds(v); err == nil || !strings.Contains(err.Error(), "the result is a string, and the expression was made for a []int") {
		t.Errorf("with a result of another type: %v", err)
	}
	if _, err := e.Holds(nil); err == nil {
		t.Error("without values it is judged")
	}
}

// What is not reached is not read: the nil behind an and is no error.
func TestAnAndStopsBeforeWhatItGuards(t *testing.T) {
	e, err := CompileCondition("state.next.next != nil and state.next.next.loss > 1", scope())
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := e.Holds(values()); ok || err != nil {
		t.Errorf("%t, %v", ok, err)
	}
}

// TestAValueSharesNothingWithTheActor_INV_APART changes the actor afterwards.
func TestAValueSharesNothingWithTheActor_INV_APART(t *testing.T) {
	v := values()
	a := v.State.Addr().Interface().(*actor) //nolint:forcetypeassert // values makes it
	a.next, a.ch, a.f = nil, nil, nil
	e, err := CompileValue("{list: state.list, tags: state.tags, raw: state.raw, huge: state.huge, kids: state.kids}", scope())
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Value(v)
	if err != nil {
		t.Fatal(err)
	}
	before := eval.Show(got)
	a.list[0], a.tags["a"], a.raw[0], a.kids[0].loss = 99, 99, 99, 99
	a.huge.SetInt64(99)
	if now := eval.Show(got); now != before || !strings.Contains(before, "kids: [{loss: 1") {
		t.Errorf("%s became %s", before, now)
	}
}
