package quicnet

import (
	"bytes"
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"
)

// reference is an envelope as the CBOR library takes it: the version, then the fields of the type in their order.
func reference(e *Envelope) []any {
	out := []any{uint8(Version)}
	for name, field := range reflect.ValueOf(*e).Fields() {
		if name.Name == "Local" {
			continue
		}
		switch v := field.Interface().(type) {
		case Addr:
			out = append(out, v.Proc, v.Actor)
		case []byte:
			out = append(out, notNull(v))
		case []ChainEntry:
			chain := []any{}
			for _, c := range v {
				chain = append(chain, []any{c.Proc, c.Actor, c.Name, c.Msg})
			}
			out = append(out, chain)
		default:
			out = append(out, v)
		}
	}
	return out
}

// offsetOf is where a field begins in an encoding whose fields before it are a byte each.
func offsetOf(name string) int {
	at := 2 + 1 // the head of the array, the version
	for field := range reflect.TypeFor[Envelope]().Fields() {
		if field.Name == name {
			return at
		}
		at++
		if field.Type == reflect.TypeFor[Addr]() {
			at++
		}
	}
	panic("an envelope has no field " + name)
}

// genEnvelope makes envelopes with anything in any field of the type.
func genEnvelope() *rapid.Generator[*Envelope] {
	numbers := rapid.OneOf(rapid.Uint64Max(300), rapid.Uint64(), rapid.SampledFrom([]uint64{23, 24, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, math.MaxUint64}))
	return rapid.Custom(func(t *rapid.T) *Envelope {
		e := new(Envelope)
		for field, v := range reflect.ValueOf(e).Elem().Fields() {
			name := field.Name
			if name == "Local" {
				continue
			}
			switch p := v.Addr().Interface().(type) {
			case *Kind:
				*p = Kind(rapid.Uint8Range(1, uint8(kindEnd)-1).Draw(t, name))
			case *uint8:
				*p = rapid.Uint8().Draw(t, name)
			case *uint32:
				*p = rapid.Uint32().Draw(t, name)
			case *uint64:
				*p = numbers.Draw(t, name)
			case *time.Duration:
				*p = time.Duration(rapid.Int64().Draw(t, name))
			case *string:
				*p = rapid.String().Draw(t, name)
			case *[]byte:
				if b := rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, name); len(b) > 0 {
					*p = b
				}
			case *Addr:
				*p = Addr{numbers.Draw(t, name), numbers.Draw(t, name)}
			case *[]ChainEntry:
				for range rapid.IntRange(0, 30).Draw(t, name) {
					*p = append(*p, ChainEntry{numbers.Draw(t, name), numbers.Draw(t, name), rapid.String().Draw(t, name), numbers.Draw(t, name)})
				}
			default:
				t.Fatalf("nothing makes a %T for %s", p, name)
			}
		}
		return e
	})
}

func TestTheHandWrittenCodecAgreesWithTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := genEnvelope().Draw(t, "envelope")
		b := AppendEnvelope([]byte("before"), e)[len("before"):]
		ref, err := Enc().Marshal(reference(e))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, ref) {
			t.Fatalf("ours    %x\nlibrary %x", b, ref)
		}
		var back Envelope
		if err := DecodeEnvelope(ref, &back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(&back, e) {
			t.Fatalf("%+v\n%+v", back, *e)
		}
		for cut := range b {
			if err := DecodeEnvelope(b[:cut], &back); err == nil {
				t.Fatalf("%d of %d bytes are an envelope too", cut, len(b))
			}
		}
	})
}

func TestEncodingAllocatesNothing(t *testing.T) {
	e, dst := benchEnvelope(), make([]byte, 0, 1024)
	e.Chain = []ChainEntry{{1, 2, "@A[0].Ask", 1<<40 | 5}, {3, 4, "@B[0].Ask", 3<<40 | 6}}
	if n := testing.AllocsPerRun(100, func() { dst = AppendEnvelope(dst[:0], e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	var back Envelope
	if n := testing.AllocsPerRun(100, func() { _ = DecodeEnvelope(dst, &back) }); n > 2 {
		t.Errorf("%v allocations to decode, want 2 for the chain and its names", n)
	}
}

func TestAnEnvelopeFillsASizeOfTheAllocator(t *testing.T) {
	if n := unsafe.Sizeof(Envelope{}); n > 352 {
		t.Errorf("an envelope is %d bytes; the next size that the allocator has after 352 is 384", n)
	}
}

func TestAbsentFieldsCostAByteEach(t *testing.T) {
	b := AppendEnvelope(nil, &Envelope{Kind: KindReply})
	if len(b) != 2+envelopeFields {
		t.Errorf("an empty envelope is %d bytes: %x", len(b), b)
	}
}

func TestHostileEnvelopesAreRefusedBeforeMemoryIsUsed(t *testing.T) {
	good := AppendEnvelope(nil, &Envelope{Kind: KindCall, Budget: -5})
	for name, c := range map[string]struct {
		hex  string // "" with edit
		edit func([]byte) []byte
		want string
	}{
		"array of 2^63":      {hex: "9b8000000000000000", want: "fields"},
		"huge array":         {hex: "9bffffffffffffffff", want: "fields"},
		"not shortest":       {hex: "9800", want: "shortest"},
		"indefinite":         {hex: "9fff", want: "indefinite"},
		"empty":              {hex: "", edit: func([]byte) []byte { return nil }, want: "ends here"},
		"another version":    {edit: func(b []byte) []byte { b[2] = 9; return b }, want: "version 9"},
		"version 1":          {edit: func(b []byte) []byte { return append([]byte{0x98, 26, 1}, b[3:2+26]...) }, want: "version 1, this program speaks 6; both sides must be of the same release"},
		"version 2":          {edit: func(b []byte) []byte { return append([]byte{0x98, 30, 2}, append(b[3:], 0)...) }, want: "version 2, this program speaks 6; both sides must be of the same release"},
		"no fields":          {hex: "80", want: "0 fields, want 29"},
		"a field too many":   {edit: func(b []byte) []byte { b[1]++; return append(b, 0) }, want: "30 fields, want 29"},
		"kind 0":             {edit: func(b []byte) []byte { b[3] = 0; return b }, want: "unknown kind 0"},
		"a kind of the link": {edit: func(b []byte) []byte { return append(append(b[:3:3], 0x18, 33), b[4:]...) }, want: "unknown kind 33"},
		"bytes follow":       {edit: func(b []byte) []byte { return append(b, 0) }, want: "1 bytes follow"},
		"body apart":         {edit: func(b []byte) []byte { b[len(b)-1] = 5; return b }, want: "another stream"},
		"chain of 2^32":      {edit: func(b []byte) []byte { return append(b[:len(b)-2:len(b)-2], 0x9a, 0xff, 0xff, 0xff, 0xff) }, want: "entries"},
		"an entry of the chain as in version 1": {edit: func(b []byte) []byte {
			return append(b[:len(b)-2:len(b)-2], 0x81, 0x83, 1, 2, 0x60, 0x40)
		}, want: "3 fields, want 4"},
		"region of 2^40": {edit: func(b []byte) []byte {
			return append(b[:offsetOf("Region"):offsetOf("Region")], 0x5b, 0, 0, 1, 0, 0, 0, 0, 0)
		}, want: "announced"},
		"budget of 65 bits": {edit: func(b []byte) []byte {
			return append(b[:offsetOf("Budget"):offsetOf("Budget")], 0x3b, 255, 255, 255, 255, 255, 255, 255, 255)
		}, want: "64 bits"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := hex.DecodeString(c.hex)
			if err != nil {
				t.Fatal(err)
			}
			if c.edit != nil {
				b = c.edit(bytes.Clone(good))
			}
			var e Envelope
			if err := DecodeEnvelope(b, &e); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if n := testing.AllocsPerRun(10, func() { _ = DecodeEnvelope(b, &e) }); n > 12 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add(AppendEnvelope(nil, benchEnvelope()))
	f.Add(AppendEnvelope(nil, &Envelope{Kind: KindSystem, Chain: []ChainEntry{{1, 2, "x", 3}}, Budget: -1, Region: []byte{1}}))
	strict, err := cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden}.DecMode()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e Envelope
		bulk, err := decodeEnvelope(b, &e)
		if err != nil || bulk >= 0 {
			return
		}
		if again := AppendEnvelope(nil, &e); !bytes.Equal(again, b) {
			t.Fatalf("two encodings of one envelope: %x and %x", b, again)
		}
		var items []any
		if err := strict.Unmarshal(b, &items); err != nil {
			t.Fatalf("the library refuses it: %v", err)
		}
		if ref, err := Enc().Marshal(reference(&e)); err != nil || !bytes.Equal(ref, b) {
			t.Fatalf("the library encodes it as %x, not %x: %v", ref, b, err)
		}
	})
}

func TestUserBodiesKeepWhatTheyHold(t *testing.T) {
	type body struct {
		When time.Time
		Big  []int
		Text string
	}
	in := body{time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.FixedZone("", 3600)), make([]int, 100000), "not UTF-8: \xff"}
	b, err := Enc().Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out body
	if err := Dec().Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	if !out.When.Equal(in.When) || out.When.Nanosecond() != 123456789 || len(out.Big) != 100000 || out.Text != in.Text {
		t.Errorf("%v %d %q", out.When, len(out.Big), out.Text)
	}
}

func TestDecodersRefuseHostileBodies(t *testing.T) { // cases 18
	nested := func(n int) []byte { return append(bytes.Repeat([]byte{0x81}, n), 0x01) }
	for name, c := range map[string]struct {
		b      []byte
		user   bool // refused by Dec too
		strict bool
	}{
		"array of 2^63":    {[]byte{0x9b, 0x80, 0, 0, 0, 0, 0, 0, 0}, true, true},
		"nested a million": {nested(1 << 20), true, true},
		"nested 65":        {nested(65), true, true},
		"nested 60":        {nested(60), false, true},
		"double key":       {[]byte{0xa2, 0x01, 0x01, 0x01, 0x02}, true, true},
		"indefinite":       {[]byte{0x9f, 0x01, 0xff}, true, true},
		"tag chain":        {append(bytes.Repeat([]byte{0xd8, 0x40}, 100), 0x01), true, true},
		"tag":              {[]byte{0xc0, 0x61, 0x61}, true, true},
		"bad UTF-8":        {[]byte{0x61, 0xff}, false, true},
		"bytes follow":     {[]byte{0x01, 0x01}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			var v any
			if err := Dec().Unmarshal(c.b, &v); (err != nil) != c.user {
				t.Errorf("user body: %v", err)
			}
			if err := StrictDec().Unmarshal(c.b, &v); (err != nil) != c.strict {
				t.Errorf("control body: %v", err)
			}
		})
	}
}
