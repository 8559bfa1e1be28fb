package body

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

type plainArg struct {
	Name  string
	Step  int
	Loss  float32
	Data  []byte
	Names []string `json:"names,omitempty"`
}

type coded struct{ Code int }

func (coded) Error() string { return "coded" }

// TestAPlainValueIsJudgedLikeAnyOther: the short way refuses what the long way refuses, in the same words.
func TestAPlainValueIsJudgedLikeAnyOther(t *testing.T) {
	c := NewCodec()
	for _, x := range []struct {
		v    any
		want string // of an any; "" where it passes
	}{
		{1, ""},
		{"\xff", ""}, // a Go string may hold any bytes
		{plainArg{Name: "a"}, ""},
		{&plainArg{Name: "a"}, ""},
		{coded{1}, "an error in an any arrives without its type"},
		{[0]int{}, "an array of length 0 holds nothing"},
	} {
		if !c.plain.Plain(reflect.TypeOf(x.v)) {
			t.Fatalf("%T is not plain: this test is about nothing", x.v)
		}
		_, err := c.AppendEncode(nil, x.v, anyType)
		if (x.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("in an any, %#v: %v, want %q", x.v, err, x.want)
		}
		odd, err := c.judge.Value(x.v, reflect.TypeOf(x.v)) // what the short way leaves out, because nothing can come of it
		if odd || err != nil {
			t.Errorf("%#v of its own type: %v, %v", x.v, odd, err)
		}
		got, err := c.AppendEncode([]byte("dst"), x.v, reflect.TypeOf(x.v))
		want, wantErr := quicnet.Enc().Marshal(x.v)
		if err != nil || wantErr != nil || string(got) != "dst"+string(want) {
			t.Errorf("%#v: %x, %v; want %x", x.v, got, err, want)
		}
	}
}

func TestAfterAnErrorTheBufferIsAsItWas(t *testing.T) {
	c := NewCodec()
	dst := []byte("kept")
	if out, err := c.AppendEncode(dst, coded{1}, anyType); err == nil || string(out) != "kept" {
		t.Errorf("%q, %v", out, err)
	}
	types := []reflect.Type{reflect.TypeFor[int](), anyType}
	out, err := c.AppendEncodeAll(dst, []any{1, errors.New("x")}, types)
	if err == nil || !strings.HasPrefix(err.Error(), "argument 2 (interface {}): ") || string(out) != "kept" {
		t.Errorf("%q, %v", out, err)
	}
	if b, err := c.EncodeAll([]any{1}, types); err == nil || b != nil {
		t.Errorf("one value for two types: %x, %v", b, err)
	}
	if b, err := c.Encode(coded{1}, anyType); err == nil || b != nil {
		t.Errorf("%x, %v", b, err)
	}
}

// TestWhatIsReturnedIsTheCallers: Encode keeps a buffer, and nobody sees it twice.
func TestWhatIsReturnedIsTheCallers(t *testing.T) {
	c := NewCodec()
	first, err := c.Encode("first", reflect.TypeFor[string]())
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := c.Encode("other, and longer", reflect.TypeFor[string]()); err != nil {
			t.Fatal(err)
		}
	}
	big, err := c.Encode(bytes.Repeat([]byte{1}, 2*scratchMost), reflect.TypeFor[[]byte]())
	if err != nil {
		t.Fatal(err)
	}
	if string(first) != "\x65first" || len(big) != 2*scratchMost+5 || big[len(big)-1] != 1 {
		t.Errorf("%q, and %d bytes", first, len(big))
	}
}

// TestDecodedValuesShareNothingWithTheFrame holds INV-OWN, on the short way and on the long one.
func TestDecodedValuesShareNothingWithTheFrame(t *testing.T) {
	c := NewCodec()
	for _, v := range []any{
		"a text", []byte("bytes"), plainArg{Name: "name", Data: []byte("data"), Names: []string{"x"}}, &plainArg{Data: []byte("data")},
		map[string][]byte{"k": []byte("data")}, []any{"text", []byte("data")},
	} {
		static := reflect.TypeOf(v)
		b, err := c.EncodeAll([]any{v, v}, []reflect.Type{static, static})
		if err != nil {
			t.Fatal(err)
		}
		one, two, alone := reflect.New(static).Elem(), reflect.New(static).Elem(), reflect.New(static)
		if err := c.DecodeAll(b, []reflect.Value{one, two}); err != nil {
			t.Fatal(err)
		}
		single := bytes.Clone(b[1 : 1+(len(b)-1)/2])
		if err := c.Decode(single, alone.Interface()); err != nil {
			t.Fatal(err)
		}
		for i := range b {
			b[i] = 0xaa
		}
		for i := range single {
			single[i] = 0xaa
		}
		for _, got := range []reflect.Value{one, two, alone.Elem()} {
			if !reflect.DeepEqual(got.Interface(), v) {
				t.Errorf("%#v became %#v when its frame was used again", v, got.Interface())
			}
		}
	}
}

// TestOneArgumentThatIsNotPlainTakesAllTheLongWay: and leaves nothing of what was decoded before it.
func TestOneArgumentThatIsNotPlainTakesAllTheLongWay(t *testing.T) {
	c := NewCodec()
	argOf := func() (a, b reflect.Value) {
		return reflect.New(reflect.TypeFor[plainArg]()).Elem(), reflect.New(reflect.TypeFor[int8]()).Elem()
	}
	for _, x := range []struct{ in, want string }{
		{"\x82\xa1\x64Name\x61n\x05", ""},
		{"\x82\xa1\x64Name\x61n\x18\x80", "argument 2 (int8): cbor: cannot unmarshal positive integer into Go value of type int8 (128 overflows int8)"},
		{"\x82\xa1\x64Name\x05\x05", "argument 1 (body.plainArg): cbor: cannot unmarshal positive integer into Go struct field body.plainArg.Name of type string"},
		{"\x82\xa1\x64name\x61n\x05", ""}, // of another case: the long way takes it
		{"\x81\xa0", "1 arguments, not 2"},
		{"\x82\xa1\x64Name\x61n\x05\x05", "cbor: 1 bytes of extraneous data starting at index 10"},
		{"\x82\xa1\x64Name\x61n", "unexpected EOF"},
		{"", "EOF"},
	} {
		a, b := argOf()
		err := c.DecodeAll([]byte(x.in), []reflect.Value{a, b})
		if x.want != "" && (err == nil || err.Error() != x.want) || x.want == "" && err != nil {
			t.Errorf("%x: %v, want %q", x.in, err, x.want)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "argument") && (!a.IsZero() || !b.IsZero()) {
			t.Errorf("%x: %v, and yet %v and %v were decoded", x.in, err, a, b)
		}
		if got := a.FieldByName("Name").String(); x.want == "" && (got != "n" || b.Int() != 5) {
			t.Errorf("%x: %q, %d", x.in, got, b.Int())
		}
	}
}

// FuzzDecodePlain: whichever way an input goes, the value and the words of a refusal are those of the long way.
func FuzzDecodePlain(f *testing.F) {
	c := NewCodec()
	b, err := c.Encode(plainArg{"n", -3, 1.5, []byte("data"), []string{"x", "y"}}, reflect.TypeFor[plainArg]())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	for i := range b {
		f.Add(b[:i])
		for bit := range 8 {
			spoilt := bytes.Clone(b)
			spoilt[i] ^= 1 << bit
			f.Add(spoilt)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var got, want plainArg
		err, wantErr := c.Decode(in, &got), quicnet.Dec().Unmarshal(in, &want)
		if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Fatalf("%x: %v, want %v", in, err, wantErr)
		}
		if err == nil && !math.IsNaN(float64(got.Loss)) && !reflect.DeepEqual(got, want) {
			t.Fatalf("%x: %#v, want %#v", in, got, want)
		}
	})
}
