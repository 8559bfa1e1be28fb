package main

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/monarch-tui/monarch-tui/engine/bench/echopb"
	"github.com/monarch-tui/monarch-tui/engine/internal/body"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// step is a flat struct of five fields, as arguments often are.
type step struct {
	Name  string
	Index int
	Loss  float64
	Done  bool
	Grad  []byte
}

// shape is a value that arguments often have, and the message of Protobuf that says the same.
type shape struct {
	name string
	v    any
	pb   proto.Message
}

func shapes() []shape {
	floats := make([]float64, 1000)
	for i := range floats {
		floats[i] = 1 / float64(i+3)
	}
	return []shape{
		{"16 bytes", payload, &echopb.Reply{Body: payload}},
		{"an int", 12_345, &echopb.Number{Value: 12_345}},
		{"a struct of 5 fields", step{"layer.17.weight", 12_345, 0.25, true, payload}, &echopb.Step{Name: "layer.17.weight", Index: 12_345, Loss: 0.25, Done: true, Grad: payload}},
		{"1,000 floats", floats, &echopb.Args{Values: floats}},
	}
}

// codecs are three: ours and Protobuf append to a buffer, fxamacker/cbor cannot.
func (sh shape) codecs() []codec {
	typ := reflect.TypeOf(sh.v)
	ours := body.NewCodec()
	var buf, pbBuf []byte
	return []codec{
		{"ours", func() (_ []byte, err error) {
			buf, err = ours.AppendEncode(buf[:0], sh.v, typ)
			return buf, err
		}, func(b []byte) error { return ours.Decode(b, reflect.New(typ).Interface()) }},
		{"fxamacker/cbor", func() ([]byte, error) { return quicnet.Enc().Marshal(sh.v) }, func(b []byte) error { return quicnet.Dec().Unmarshal(b, reflect.New(typ).Interface()) }},
		{"protobuf", func() (_ []byte, err error) {
			pbBuf, err = proto.MarshalOptions{}.MarshalAppend(pbBuf[:0], sh.pb)
			return pbBuf, err
		}, func(b []byte) error { return proto.Unmarshal(b, sh.pb.ProtoReflect().New().Interface()) }},
	}
}

// shapesTable measures common arguments alone, without an envelope.
func shapesTable(s settings) error {
	t := table{{"value", "codec", "bytes", "encode ns", "allocs", "decode ns", "allocs", "ours ÷ this, encode", "decode"}}
	for _, sh := range shapes() {
		rows, err := compare(s, sh.codecs())
		if err != nil {
			return fmt.Errorf("%s: %w", sh.name, err)
		}
		for _, row := range rows {
			t = append(t, append([]string{sh.name}, row...))
		}
	}
	fmt.Print("\n## Codec: an argument alone\n\n")
	t.print()
	return nil
}

// compare measures codecs by turns; the first is ours.
func compare(s settings, all []codec) ([][]string, error) {
	enc, dec := make([][]float64, len(all)), make([][]float64, len(all))
	wire := make([][]byte, len(all))
	for i, c := range all {
		b, err := c.encode()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		wire[i] = bytes.Clone(b)
		if err := c.decode(wire[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	for range s.reps {
		for i, c := range all {
			enc[i] = append(enc[i], perOp(s.dur/4, func() { _, _ = c.encode() }))
			dec[i] = append(dec[i], perOp(s.dur/4, func() { _ = c.decode(wire[i]) }))
		}
	}
	var rows [][]string
	for i, c := range all {
		rows = append(rows, []string{
			c.name, fmt.Sprint(len(wire[i])), spread(enc[i]), fmt.Sprint(testing.AllocsPerRun(100, func() { _, _ = c.encode() })),
			spread(dec[i]), fmt.Sprint(testing.AllocsPerRun(100, func() { _ = c.decode(wire[i]) })),
			spread(ratios(enc[0], enc[i])), spread(ratios(dec[0], dec[i])),
		})
	}
	return rows, nil
}
