package plain

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

// BenchmarkAgainstTheLongWay measures this package beside fxamacker/cbor on the same values. The comparison with protobuf is in
// engine/bench.
func BenchmarkAgainstTheLongWay(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	floats := make([]float64, 1000)
	for i := range floats {
		floats[i] = r.NormFloat64()
	}
	c := NewCodec()
	dst := make([]byte, 0, 1<<14)
	for _, x := range []struct {
		name string
		v    any
	}{
		{"16 bytes", []byte("sixteen bytes ok")},
		{"int", 12345},
		{"struct of 5", step{"layer.17.weight", 12345, 0.25, true, []byte("sixteen bytes ok")}},
		{"1000 floats", floats},
		{"1000 named floats", vector(floats)},
	} {
		in, _ := c.Append(nil, x.v)
		p := reflect.New(reflect.TypeOf(x.v))
		run := func(name string, f func() bool) {
			b.Run(x.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(in)))
				for b.Loop() {
					if !f() {
						b.Fatal("it does not work")
					}
				}
			})
		}
		run("encode/plain", func() bool { _, ok := c.Append(dst, x.v); return ok })
		run("encode/cbor", func() bool { _, err := quicnet.Enc().Marshal(x.v); return err == nil })
		run("decode/plain", func() bool { p.Elem().SetZero(); return c.Decode(in, p.Interface()) })
		run("decode/cbor", func() bool { p.Elem().SetZero(); return quicnet.Dec().Unmarshal(in, p.Interface()) == nil })
	}
}
