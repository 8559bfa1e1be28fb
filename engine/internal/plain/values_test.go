package plain

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

type (
	name     string
	celsius  float64
	grey     uint8
	greys    []grey
	vector   []float64
	level    int8
	duration = time.Duration
)

// step is an ordinary argument: a flat struct of five fields.
type step struct {
	Name  string
	Index int
	Loss  float64
	Done  bool
	Grad  []byte
}

type tagged struct {
	LongestNameOfAll int           `cbor:"z"`
	Aa               uint16        `json:"aa,omitempty"`
	B                string        `cbor:"b,omitempty" json:"never"`
	Skipped          int           `cbor:"-"`
	SkippedToo       chan int      `json:"-"`
	Dash             int8          `cbor:"-,"`
	Zero             float32       `json:"zero,omitzero"`
	List             []uint32      `json:",omitempty"`
	Ptr              *step         `json:"ptr,omitempty"`
	Array            [3]int16      `json:"array,omitempty"`
	Bytes            [5]grey       `json:"bytes"`
	Wait             time.Duration `json:"wait,omitempty"`
	Flag             bool          `json:"flag,omitempty,string"`
	Ratio            float64       `json:"ratio,omitempty"`
	hidden           any           //nolint:unused // what is not exported does not travel, whatever it is
}

type numbered struct {
	A int      `cbor:"1,keyasint"`
	B string   `cbor:"-1,keyasint,omitempty"`
	C []string `cbor:"1000,keyasint"`
	D float32  `cbor:"1"`
	E bool     `cbor:"007,keyasint"`
}

type row struct {
	_ struct{} `cbor:",toarray"`
	X float32
	Y []level `cbor:",omitempty"`
	Z *string
	U uint
}

// wide has more fields than a head of one byte tells, and may omit so many that one byte tells it.
type wide struct {
	A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W uint8
	X, Y, Z                                                             int8 `json:",omitempty"`
}

type nested struct {
	Rows  []row
	Steps [2]step
	Table [][]float32
	Words [][]string `json:"words"`
	In    struct{ Deep struct{ Deeper []tagged } }
	Maybe *[]int64
	N     numbered
}

// Part is embedded below; its fields are promoted.
type Part struct{ A, B int }

type nothing struct{}

type hiddenOnly struct{ x int } //nolint:unused // the same

type ring struct {
	Next *ring
	N    int
}

type list []list

type hasText struct{ A int }

func (hasText) MarshalText() ([]byte, error) { return []byte("text"), nil }

type readsJSON int

func (*readsJSON) UnmarshalJSON([]byte) error { return nil }

type odd int

func (o odd) IsZero() bool { return o%2 == 1 }

// plainTypes take the short way.
var plainTypes = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](),
	reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](),
	reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](),
	reflect.TypeFor[name](), reflect.TypeFor[celsius](), reflect.TypeFor[greys](), reflect.TypeFor[vector](), reflect.TypeFor[[4]grey](), reflect.TypeFor[duration](),
	reflect.TypeFor[[]bool](), reflect.TypeFor[[]int](), reflect.TypeFor[[]int8](), reflect.TypeFor[[]int16](), reflect.TypeFor[[]int32](), reflect.TypeFor[[]int64](),
	reflect.TypeFor[[]uint](), reflect.TypeFor[[]uint16](), reflect.TypeFor[[]uint32](), reflect.TypeFor[[]uint64](),
	reflect.TypeFor[[]float32](), reflect.TypeFor[[]float64](), reflect.TypeFor[[]celsius](), reflect.TypeFor[[]string](), reflect.TypeFor[[][]byte](), reflect.TypeFor[[]*int](),
	reflect.TypeFor[[0]int](), reflect.TypeFor[[0]byte](), reflect.TypeFor[[3]float64](), reflect.TypeFor[[2][2]bool](), reflect.TypeFor[[16]byte](),
	reflect.TypeFor[*int](), reflect.TypeFor[*step](), reflect.TypeFor[step](), reflect.TypeFor[tagged](), reflect.TypeFor[numbered](), reflect.TypeFor[row](),
	reflect.TypeFor[wide](), reflect.TypeFor[nested](), reflect.TypeFor[[]step](), reflect.TypeFor[[]nested](), reflect.TypeFor[json.Number](),
}

// otherTypes are left to fxamacker/cbor.
var otherTypes = []reflect.Type{
	reflect.TypeFor[any](), reflect.TypeFor[error](), reflect.TypeFor[[]any](), reflect.TypeFor[map[string]int](), reflect.TypeFor[chan int](), reflect.TypeFor[func()](),
	reflect.TypeFor[complex128](), reflect.TypeFor[uintptr](), reflect.TypeFor[time.Time](), reflect.TypeFor[*time.Time](), reflect.TypeFor[[]time.Time](),
	reflect.TypeFor[big.Int](), reflect.TypeFor[*big.Int](), reflect.TypeFor[netip.Addr](), reflect.TypeFor[json.RawMessage](),
	reflect.TypeFor[cbor.RawMessage](), reflect.TypeFor[cbor.ByteString](), reflect.TypeFor[cbor.SimpleValue](), reflect.TypeFor[cbor.Tag](), reflect.TypeFor[cbor.RawTag](),
	reflect.TypeFor[hasText](), reflect.TypeFor[struct{ T hasText }](), reflect.TypeFor[readsJSON](), reflect.TypeFor[[2]readsJSON](), reflect.TypeFor[**int](),
	reflect.TypeFor[nothing](), reflect.TypeFor[hiddenOnly](), reflect.TypeFor[ring](), reflect.TypeFor[list](), reflect.TypeFor[struct{ step }](), reflect.TypeFor[struct{ Part }](), reflect.TypeFor[struct{ *Part }](), reflect.TypeFor[struct{ *step }](),
	reflect.TypeFor[struct {
		A, B int `cbor:"same"`
	}](),
	reflect.TypeFor[struct {
		A int `cbor:"1,keyasint"`
		B int `cbor:"+1,keyasint"`
	}](),
	reflect.TypeFor[struct {
		A int `cbor:"one,keyasint"`
	}](),
	reflect.TypeFor[struct {
		_ int `cbor:",toindefarray"`
		A int
	}](),
	reflect.TypeFor[struct {
		_ int `cbor:",toarrays,toarray"`
		A int
	}](),
	reflect.TypeFor[struct {
		A step `cbor:",omitempty"`
	}](),
	reflect.TypeFor[struct {
		A odd `cbor:",omitzero"`
	}](),
	reflect.TypeFor[struct {
		A [2]int `cbor:",omitzero"`
	}](),
	reflect.TypeFor[[][][][][][][][][][]int](),
}

var wholes = []int64{0, 1, 23, 24, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt64, math.MinInt64, -1, -24, -25, -256, -257, 127, -128, 128, 1 << 53}

// fill makes a value of v's type; edges of the encoding are as likely as anything.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	n := func() int { return []int{0, 1, 2, 23, 24, 40}[r.IntN(6)] }
	if depth > 1 {
		n = func() int { return r.IntN(3) }
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(whole(r))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(whole(r)))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float(r))
	case reflect.String:
		v.SetString(strings.Repeat(string([]byte{byte(r.Uint32())}), n()) + []string{"", "é", "\xff"}[r.IntN(3)])
	case reflect.Slice:
		if r.IntN(4) == 0 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n(), 50))
		for i := range v.Len() {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.Pointer:
		if r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && f.Tag.Get("cbor") != "-" && f.Tag.Get("json") != "-" && r.IntN(4) > 0 {
				fill(r, v.Field(i), depth+1)
			}
		}
	default:
		panic("no values of " + v.Type().String())
	}
}

func whole(r *rand.Rand) int64 {
	if r.IntN(2) == 0 {
		return wholes[r.IntN(len(wholes))]
	}
	return int64(r.Uint64()) >> r.IntN(64)
}

func float(r *rand.Rand) float64 {
	switch r.IntN(8) {
	case 0:
		return float64(r.IntN(5000) - 2500)
	case 1:
		return math.Ldexp(float64(r.IntN(4096)-2048), -r.IntN(40)) // about the least of binary16
	case 2:
		return float64(math.Float32frombits(r.Uint32()))
	case 3:
		return math.Float64frombits(r.Uint64())
	case 4:
		return []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 65504, 65505, 65520, 0x1p-24, 0x1p-25, 0x1p-14, math.MaxFloat32, math.MaxFloat64, math.SmallestNonzeroFloat32, math.SmallestNonzeroFloat64}[r.IntN(15)]
	case 5:
		return float64(math.Float32frombits(r.Uint32() &^ (1<<13 - 1)))
	default:
		return r.NormFloat64()
	}
}

// random is a pointer to a value of the type.
func random(r *rand.Rand, t reflect.Type) reflect.Value {
	p := reflect.New(t)
	fill(r, p.Elem(), 0)
	return p
}

// same reports whether two values of one type are the same, bit for bit, and nil where the other is nil.
func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Float32, reflect.Float64:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	case reflect.Slice:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Array:
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Pointer:
		return a.IsNil() == b.IsNil() && (a.IsNil() || same(a.Elem(), b.Elem()))
	case reflect.Struct:
		for i := range a.NumField() {
			if a.Type().Field(i).IsExported() && !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Chan:
		return a.Pointer() == b.Pointer()
	default:
		return a.Equal(b)
	}
}
