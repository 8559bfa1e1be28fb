package control

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// spoil puts a text that is no UTF-8 into every string of a value, and makes what holds none exist.
func spoil(v reflect.Value, depth int) {
	if depth > 5 || !v.CanSet() || v.Type() == reflect.TypeFor[time.Time]() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.Repeat("a", 20) + "\xff\xfe é \xc3")
	case reflect.Struct:
		for _, f := range v.Fields() {
			spoil(f, depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		for i := range v.Len() {
			spoil(v.Index(i), depth+1)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		spoil(v.Elem(), depth+1)
	default:
	}
}

// TestNoTextMakesAFrameUnreadable puts bad bytes into every text of everything that a server sends.
func TestNoTextMakesAFrameUnreadable(t *testing.T) {
	for _, typ := range []reflect.Type{
		reflect.TypeFor[Event](), reflect.TypeFor[Snapshot](), reflect.TypeFor[Reply](), reflect.TypeFor[frame](),
		reflect.TypeFor[[]StateNode](), reflect.TypeFor[[]Log](), reflect.TypeFor[Info](), reflect.TypeFor[Mesh](), reflect.TypeFor[ProcMesh](),
	} {
		v := reflect.New(typ)
		spoil(v.Elem(), 0)
		b, err := enc().Marshal(v.Interface())
		if err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		if err := friendlyDec().Unmarshal(b, reflect.New(typ).Interface()); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

// FuzzValidText compares with a decoder: what was valid is not touched, what was not is U+FFFD, and nothing else changes.
func FuzzValidText(f *testing.F) {
	f.Add("bad \xff", []byte{0x63, 0xff}, 3)
	f.Add(strings.Repeat("\xff", 300), []byte("x"), -70000)
	f.Add(strings.Repeat("é\xc3", 40_000), []byte(nil), 24)
	f.Fuzz(func(t *testing.T, s string, raw []byte, n int) {
		type value struct {
			N    int
			Raw  []byte
			S    string
			F    float64
			List []string
			At   time.Time
			Map  map[string]int
		}
		in := value{N: n, Raw: raw, S: s, F: float64(n) / 3, List: []string{"ok", s, ""}, Map: map[string]int{s: n}}
		mode, err := cbor.CoreDetEncOptions().EncMode()
		if err != nil {
			t.Fatal(err)
		}
		plain, err := mode.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		got := validText(bytes.Clone(plain))
		if utf8.ValidString(s) {
			if !bytes.Equal(got, plain) {
				t.Fatal("valid text was changed")
			}
			return
		}
		good := strings.ToValidUTF8(s, "\uFFFD")
		in.S, in.List, in.Map = good, []string{"ok", good, ""}, map[string]int{good: n}
		want, err := mode.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("%x became %x, want %x", plain, got, want)
		}
	})
}
