package schema

import (
	"context"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

type (
	hop struct {
		By   int      `doc:"how far" monarch:"required"`
		Tags []string `json:"tags,omitempty"`
		_    string
	}
	tree struct {
		Name string
		Kids []*tree
		Meta map[string]tree
	}
	forest  []forest
	twig    []leaf
	leaf    map[string]twig
	selfPtr *selfPtr
	base    struct{ ID, Name string }
	derived struct {
		base
		*Extra
		Name int // hides base.Name
	}
	Extra struct{ Weight float32 }
	pairA struct {
		_ struct{} `cbor:",toarray"`
		X int
		Y *string
	}
	keyed struct {
		A int    `cbor:"1,keyasint"`
		B string `cbor:"-2,keyasint"`
	}
	meshLike   struct{ N int }
	portLike   struct{ N int }
	procsLike  struct{ N int }
	rawCBOR    struct{ _ int }
	level      int8
	gen[T any] struct{ V T }
)

func (meshLike) SchemaKind() (string, string)  { return KindMesh, "demos/toy.ToyActor" }
func (*portLike) SchemaKind() (string, string) { return KindPort, "" }
func (procsLike) SchemaKind() (string, string) { return KindAny, "" }
func (rawCBOR) MarshalCBOR() ([]byte, error)   { return []byte{1}, nil }

func describe(t testing.TB, v any) (Types, *Schema) {
	t.Helper()
	b := NewBuilder()
	s, err := b.Of(reflect.TypeOf(v))
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	return b.Types, s
}

func TestTypesThatCannotTravelAreRefusedWithWhatToDo(t *testing.T) {
	type inner struct {
		Steps []struct{ Run func() }
	}
	type withErr struct{ Err error }
	type withCtx struct{ Ctx context.Context }
	type withMutex struct{ Mu sync.Mutex }
	type badTag struct {
		A int `cbor:"a,keyasint"`
	}
	type hidden struct{ Extra *hop }
	type embedsHidden struct{ *hop }
	_ = hidden{}
	for _, tc := range []struct {
		name string
		v    any
		want string
	}{
		{"a func deep inside", inner{}, "schema.inner.Steps[].Run: a func cannot travel to another process; send data"},
		{"a channel", make(chan int), "a channel cannot travel to another process; use engine.Channel and send its Port"},
		{"a bare error", withErr{}, "schema.withErr.Err: a bare error loses its type on the way; use a string here, or return the error from the endpoint"},
		{"an interface with methods", withCtx{}, "withCtx.Ctx: the other side cannot know which type is in the interface context.Context; use a concrete type"},
		{"unexported fields only", withMutex{}, "withMutex.Mu: sync.Mutex has only unexported fields"},
		{"a complex number", 1i, "CBOR has no complex numbers; send the real and the imaginary part"},
		{"a uintptr", uintptr(1), "a uintptr means nothing in another process"},
		{"struct keys", map[meshLike]int{}, "its keys are schema.meshLike; use string, integer or bool keys"},
		{"float keys", map[float64]int{}, "its keys are float64"},
		{"a pointer to itself", selfPtr(nil), "points only to itself"},
		{"a key that is no integer", badTag{}, `field A is keyasint, and its key "a" is no integer; fix the struct tag`},
		{"an embedded pointer to an unexported struct", embedsHidden{}, "cannot be filled in"},
		{"an empty array", [0]int{}, "an array of length 0 holds nothing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := NewBuilder().Of(reflect.TypeOf(tc.v))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	if _, err := NewBuilder().Of(nil); err == nil {
		t.Error("nil has no schema")
	}
}

func TestKindsOfTypes(t *testing.T) {
	for _, tc := range []struct {
		v    any
		kind string
		name string
	}{
		{true, KindBool, "bool"}, {int8(1), KindInt, "int8"}, {level(1), KindInt, "schema.level"}, {uint16(1), KindUint, "uint16"},
		{float32(1), KindFloat, "float32"}, {"", KindString, "string"}, {[]byte{}, KindBytes, "[]uint8"}, {[4]byte{}, KindBytes, "[4]uint8"},
		{time.Time{}, KindTime, "time.Time"}, {time.Second, KindDuration, "time.Duration"}, {&time.Time{}, KindTime, "*time.Time"},
		{[]int{}, KindList, "[]int"}, {map[int]string{}, KindMap, "map[int]string"}, {meshLike{}, KindMesh, "schema.meshLike"},
		{&portLike{}, KindPort, "*schema.portLike"}, {portLike{}, KindPort, "schema.portLike"}, {rawCBOR{}, KindAny, "schema.rawCBOR"},
		{cbor.RawMessage{}, KindAny, "cbor.RawMessage"}, {netip.Addr{}, KindBytes, "netip.Addr"}, {big.Int{}, KindAny, "big.Int"},
		{struct{ N int }{}, KindStruct, "struct { N int }"}, {struct{}{}, KindStruct, "struct {}"},
	} {
		_, s := describe(t, tc.v)
		if s.Kind != tc.kind || s.Name != tc.name {
			t.Errorf("%T is %s %s, want %s %s", tc.v, s.Kind, s.Name, tc.kind, tc.name)
		}
	}
	_, s := describe(t, struct{ V any }{})
	if s.Fields[0].Type.Kind != KindAny {
		t.Errorf("an empty interface is any, got %+v", s.Fields[0].Type)
	}
}

func TestFieldsAreThoseTheCodecSees(t *testing.T) {
	ts, s := describe(t, derived{})
	var got []string
	for _, f := range ts.Deref(s).Fields {
		got = append(got, f.Name+" "+f.Type.Kind)
	}
	if want := "ID string,Weight float,Name int"; strings.Join(got, ",") != want {
		t.Errorf("fields are %v, want %s", got, want)
	}
	ts, s = describe(t, hop{})
	f := ts.Deref(s).Fields
	if len(f) != 2 || f[0].Doc != "how far" || !f[0].Required || f[1].Name != "tags" || f[1].Required {
		t.Errorf("fields are %+v", f)
	}
}

func TestRecursiveTypesEnd(t *testing.T) {
	for _, v := range []any{tree{}, forest{}, twig{}, []*tree{}, map[string]forest{}} {
		ts, s := describe(t, v)
		if Hash(ts, s) == 0 {
			t.Errorf("%T has no hash", v)
		}
	}
	ts, s := describe(t, tree{})
	if s.Kind != KindRef || ts.Deref(s).Kind != KindStruct || len(ts) != 1 {
		t.Errorf("tree is %+v in %v", s, ts)
	}
	kids := ts.Deref(s).Fields[1].Type
	if kids.Kind != KindList || !kids.Elem.Optional || ts.Deref(kids.Elem).Kind != KindStruct {
		t.Errorf("kids are %+v", kids)
	}
}

func TestTypesOfOneNameAreKeptApart(t *testing.T) {
	b := NewBuilder()
	first := func() reflect.Type { type local struct{ A int }; return reflect.TypeFor[local]() }()
	second := func() reflect.Type { type local struct{ B string }; return reflect.TypeFor[local]() }()
	one, err1 := b.Of(first)
	two, err2 := b.Of(second)
	if err1 != nil || err2 != nil || one.Name == two.Name || b.Types.Deref(two).Fields[0].Name != "B" {
		t.Errorf("%v and %v, %v, %v", one, two, err1, err2)
	}
}

// TestHashIsStructural holds INV-HASH.
func TestHashIsStructural(t *testing.T) {
	type a struct{ X, Y int }
	type sameAsA struct {
		X int `doc:"other docs"`
		Y int
	}
	type wider struct {
		X int32
		Y int
	}
	type swapped struct{ Y, X int }
	type renamed struct{ X, Z int }
	type optional struct {
		X *int
		Y int
	}
	hash := func(v any) uint64 { ts, s := describe(t, v); return Hash(ts, s) }
	if hash(a{}) != hash(sameAsA{}) {
		t.Error("docs and names of types must not matter")
	}
	for _, other := range []any{wider{}, swapped{}, renamed{}, optional{}, &a{}, []a{}, 1, meshLike{}} {
		if hash(a{}) == hash(other) {
			t.Errorf("%T has the hash of another type", other)
		}
	}
	const stable = 0xd3867d202efba7bc
	if got := hash(tree{}); got != stable {
		t.Errorf("the hash of tree was %#x and is %#x: peers of another build would refuse it", uint64(stable), got)
	}
	if Hash(nil, nil) == Hash(nil, &Schema{Kind: KindInt, Bits: 64}) {
		t.Error("no argument differs from int")
	}
}

func TestSignature(t *testing.T) {
	_, msg := describe(t, "")
	_, n := describe(t, 1)
	ts, h := describe(t, hop{})
	_, g := describe(t, gen[tree]{})
	_, opt := describe(t, &hop{})
	for _, tc := range []struct{ got, want string }{
		{Signature("HelloWorld", "msg", msg, n), "HelloWorld(msg string) → int"},
		{Signature("Get", "", nil, n), "Get() → int"},
		{Signature("Stop", "", nil, nil), "Stop()"},
		{Signature("Move", "by", h, nil), "Move(by schema.hop)"},
		{Signature("Move", "_", opt, nil), "Move(*schema.hop)"},
		{Signature("Put", "v", g, nil), "Put(v schema.gen[schema.tree])"},
		{Fields(ts, h), "{By int, tags []string}"},
		{ShortType("map[string][]github.com/x/y.Hop"), "map[string][]y.Hop"},
		{ShortType("main.Pair[main.A,*github.com/x/y.B]"), "Pair[A,*y.B]"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %s, want %s", tc.got, tc.want)
		}
	}
}

type (
	refusedList   []refusedList2
	refusedList2  map[string]refusedStruct
	refusedStruct struct {
		Back refusedList
		Fine fineStruct
		Bad  func()
	}
	fineStruct struct{ Up *refusedStruct }
)

func TestARefusedTypeIsRefusedAgain(t *testing.T) {
	b := NewBuilder()
	for range 3 {
		for _, typ := range []reflect.Type{reflect.TypeFor[refusedStruct](), reflect.TypeFor[refusedList](), reflect.TypeFor[refusedList2](), reflect.TypeFor[fineStruct](), reflect.TypeFor[*refusedStruct]()} {
			if s, err := b.Of(typ); err == nil || !strings.Contains(err.Error(), "Bad: a func cannot travel") {
				t.Errorf("%s: %+v, %v", typ, s, err)
			}
		}
	}
	for range 2 {
		if _, err := b.Constructor(reflect.TypeFor[fineStruct]()); err == nil {
			t.Error("a constructor with a refused field was accepted")
		}
	}
	if len(b.Types) != 0 {
		t.Errorf("refused types left %v", b.Types)
	}
	if _, err := b.Of(reflect.TypeFor[hop]()); err != nil || len(b.Types) != 1 {
		t.Errorf("another type: %v, %v", b.Types, err)
	}
}
