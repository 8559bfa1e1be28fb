package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/monarch-tui/monarch-tui/engine/bench/echopb"
	"github.com/monarch-tui/monarch-tui/engine/internal/body"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// args is the argument of the message that is encoded.
type args struct {
	Name   string    `json:"name"`
	Step   int64     `json:"step"`
	Values []float64 `json:"values"`
}

// plain is the whole message as one Go value: what a codec without our envelope would be given.
type plain struct {
	_        struct{} `cbor:",toarray"`
	Kind     uint8
	Epoch    uint32
	Seq, Ack uint64
	ID       uint64
	Call     uint64
	Trace    uint64
	From, To quicnet.Addr
	Region   []byte
	Index    uint64
	Adverb   uint8
	Endpoint string
	Hash     uint64
	Budget   time.Duration
	Args     args
}

// codec encodes and decodes the same message.
type codec struct {
	name   string
	encode func() ([]byte, error)
	decode func([]byte) error
}

func codecs() []codec {
	a := args{Name: "layer.17.weight", Step: 12_345, Values: []float64{0.25, 1.5, -3.75, 1e-9}}
	region := []byte{0x84, 0x81, 0x64, 'g', 'p', 'u', 's', 0, 0x81, 4, 0x81, 1}
	from, to := quicnet.Addr{Actor: 1}, quicnet.Addr{Proc: 3, Actor: 12}
	env := quicnet.Envelope{
		Kind: quicnet.KindCall, Epoch: 1, Seq: 12_345, Ack: 12_300, ID: 99_999, Call: 5_000, Trace: 5_000, From: from, To: to, Region: region,
		Index: 3, Adverb: 2, Endpoint: "HelloWorld", Hash: 1 << 63, Budget: 30 * time.Second,
	}
	p := plain{
		Kind: uint8(env.Kind), Epoch: 1, Seq: 12_345, Ack: 12_300, ID: 99_999, Call: 5_000, Trace: 5_000, From: from, To: to, Region: region,
		Index: 3, Adverb: 2, Endpoint: "HelloWorld", Hash: 1 << 63, Budget: 30 * time.Second, Args: a,
	}
	pb := &echopb.Envelope{
		Kind: uint32(env.Kind), Epoch: 1, Seq: 12_345, Ack: 12_300, Id: 99_999, Call: 5_000, Trace: 5_000,
		From: &echopb.Addr{Actor: 1}, To: &echopb.Addr{Proc: 3, Actor: 12}, Region: region, Index: 3, Adverb: 2, Endpoint: "HelloWorld",
		Hash: 1 << 63, Budget: int64(30 * time.Second), Args: &echopb.Args{Name: a.Name, Step: a.Step, Values: a.Values},
	}
	var buf, argBuf, pbuf []byte
	bodies := body.NewCodec()
	return []codec{
		{"envelope and arguments as a call has them (ours)", func() (_ []byte, err error) {
			if argBuf, err = bodies.AppendEncode(argBuf[:0], &a, reflect.TypeFor[*args]()); err != nil {
				return nil, err
			}
			env.Body = argBuf
			buf = quicnet.AppendEnvelope(buf[:0], &env)
			return buf, nil
		}, func(b []byte) error {
			var e quicnet.Envelope
			if err := quicnet.DecodeEnvelope(b, &e); err != nil {
				return err
			}
			var a args
			return bodies.Decode(e.Body, &a)
		}},
		{"fxamacker/cbor alone", func() ([]byte, error) { return quicnet.Enc().Marshal(&p) }, func(b []byte) error {
			var p plain
			return quicnet.Dec().Unmarshal(b, &p)
		}},
		{"protobuf", func() (_ []byte, err error) {
			pbuf, err = proto.MarshalOptions{}.MarshalAppend(pbuf[:0], pb)
			return pbuf, err
		}, func(b []byte) error {
			var e echopb.Envelope
			return proto.Unmarshal(b, &e)
		}},
		{"encoding/json", func() ([]byte, error) { return json.Marshal(&p) }, func(b []byte) error {
			var p plain
			return json.Unmarshal(b, &p)
		}},
	}
}

// codecTables measures in this process; the codecs take turns in each repetition.
func codecTables(s settings) error {
	rows, err := compare(s, codecs())
	if err != nil {
		return err
	}
	fmt.Print("\n## Codec: one call of ours with three arguments\n\n")
	append(table{{"codec", "bytes", "encode ns", "allocs", "decode ns", "allocs", "ours ÷ this, encode", "decode"}}, rows...).print()
	return shapesTable(s)
}

// perOp is the nanoseconds that f takes.
func perOp(d time.Duration, f func()) float64 {
	n, begin := 0, time.Now()
	for time.Since(begin) < d {
		for range 100 {
			f()
		}
		n += 100
	}
	return float64(time.Since(begin)) / float64(n)
}
