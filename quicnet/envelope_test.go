package quicnet

import (
	"bytes"
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"
)

// wireEnvelope is the envelope as fxamacker/cbor sees it: the reference that the hand-written codec
// is held against.
type wireEnvelope struct {
	_         struct{} `cbor:",toarray"`
	Version   uint8
	Kind      uint8
	Epoch     uint32
	Seq, Ack  uint64
	ID        uint64
	Call      uint64
	Parent    uint64
	Trace     uint64
	Attempt   uint32
	Clock     uint64
	FromProc  uint64
	FromActor uint64
	ToProc    uint64
	ToActor   uint64
	Region    []byte
	Index     uint64
	Adverb    uint8
	Flags     uint8
	Endpoint  string
	Hash      uint64
	Budget    int64
	Token     uint8
	Load      uint64
	Chain     []wireChainEntry
	Body      []byte
}

type wireChainEntry struct {
	_           struct{} `cbor:",toarray"`
	Proc, Actor uint64
	Name        string
}

func toWire(e *Envelope) *wireEnvelope {
	w := &wireEnvelope{Version: Version, Kind: uint8(e.Kind), Epoch: e.Epoch, Seq: e.Seq, Ack: e.Ack, ID: e.ID, Call: e.Call, Parent: e.Parent,
		Trace: e.Trace, Attempt: e.Attempt, Clock: e.Clock, FromProc: e.From.Proc, FromActor: e.From.Actor, ToProc: e.To.Proc, ToActor: e.To.Actor,
		Region: notNil(e.Region), Index: e.Index, Adverb: e.Adverb, Flags: e.Flags, Endpoint: e.Endpoint, Hash: e.Hash, Budget: int64(e.Budget),
		Token: e.Token, Load: e.Load, Chain: []wireChainEntry{}, Body: notNil(e.Body)}
	for _, h := range e.Chain {
		w.Chain = append(w.Chain, wireChainEntry{Proc: h.Proc, Actor: h.Actor, Name: h.Name})
	}
	return w
}

func notNil(b []byte) []byte { return append([]byte{}, b...) }

func genEnvelope() *rapid.Generator[*Envelope] {
	return rapid.Custom(func(t *rapid.T) *Envelope {
		u := func(name string) uint64 {
			return rapid.OneOf(rapid.Uint64Max(300), rapid.Uint64(), rapid.SampledFrom([]uint64{23, 24, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, math.MaxUint64})).Draw(t, name)
		}
		bytesOrNil := func(name string) []byte {
			if b := rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, name); len(b) > 0 {
				return b
			}
			return nil
		}
		e := &Envelope{
			Kind: Kind(rapid.Uint8Range(1, uint8(kindEnd)-1).Draw(t, "kind")), Epoch: rapid.Uint32().Draw(t, "epoch"), Seq: u("seq"), Ack: u("ack"),
			ID: u("id"), Call: u("call"), Parent: u("parent"), Trace: u("trace"), Attempt: rapid.Uint32().Draw(t, "attempt"), Clock: u("clock"),
			From: Addr{u("from"), u("from")}, To: Addr{u("to"), u("to")}, Region: bytesOrNil("region"), Index: u("index"),
			Adverb: rapid.Uint8().Draw(t, "adverb"), Flags: rapid.Uint8().Draw(t, "flags"), Endpoint: rapid.String().Draw(t, "endpoint"), Hash: u("hash"),
			Budget: time.Duration(rapid.Int64().Draw(t, "budget")), Token: rapid.Uint8().Draw(t, "token"), Load: u("load"), Body: bytesOrNil("body"),
		}
		for range rapid.IntRange(0, 30).Draw(t, "chain") {
			e.Chain = append(e.Chain, ChainEntry{u("chain"), u("chain"), rapid.String().Draw(t, "name")})
		}
		return e
	})
}

func TestTheHandWrittenCodecAgreesWithTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := genEnvelope().Draw(t, "envelope")
		b := AppendEnvelope([]byte("before"), e)[len("before"):]
		ref, err := Enc().Marshal(toWire(e))
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
	e.Chain = []ChainEntry{{1, 2, "@A[0].Ask"}, {3, 4, "@B[0].Ask"}}
	if n := testing.AllocsPerRun(100, func() { dst = AppendEnvelope(dst[:0], e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	var back Envelope
	if n := testing.AllocsPerRun(100, func() { _ = DecodeEnvelope(dst, &back) }); n > 1 {
		t.Errorf("%v allocations to decode, want 1 for the chain", n)
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
		"kind 0":             {edit: func(b []byte) []byte { b[3] = 0; return b }, want: "unknown kind 0"},
		"a kind of the link": {edit: func(b []byte) []byte { return append(append(b[:3:3], 0x18, 33), b[4:]...) }, want: "unknown kind 33"},
		"bytes follow":       {edit: func(b []byte) []byte { return append(b, 0) }, want: "1 bytes follow"},
		"body apart":         {edit: func(b []byte) []byte { b[len(b)-1] = 5; return b }, want: "another stream"},
		"chain of 2^32":      {edit: func(b []byte) []byte { return append(b[:len(b)-2:len(b)-2], 0x9a, 0xff, 0xff, 0xff, 0xff) }, want: "entries"},
		"region of 2^40":     {edit: func(b []byte) []byte { return append(b[:17:17], 0x5b, 0, 0, 1, 0, 0, 0, 0, 0) }, want: "announced"},
		"budget of 65 bits":  {edit: func(b []byte) []byte { return append(b[:23:23], 0x3b, 255, 255, 255, 255, 255, 255, 255, 255) }, want: "64 bits"},
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
	f.Add(AppendEnvelope(nil, &Envelope{Kind: KindSystem, Chain: []ChainEntry{{1, 2, "x"}}, Budget: -1, Region: []byte{1}}))
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
		var w wireEnvelope
		if err := strict.Unmarshal(b, &w); err != nil {
			t.Fatalf("the library refuses it: %v", err)
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

func TestDecodersRefuseHostileBodies(t *testing.T) { // D3 18
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
