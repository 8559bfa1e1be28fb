package stacks

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"slices"
	"testing"
)

// written is a profile as a test writes it: the least that one needs.
type written struct {
	strings []string
	index   map[string]uint64
	funcs   map[string]uint64
	body    []byte
}

func newWritten() *written {
	w := &written{index: map[string]uint64{}, funcs: map[string]uint64{}}
	w.text("")
	w.body = message(w.body, profileType, number(nil, typeName, w.text("goroutine")))
	return w
}

func number(b []byte, field int, v uint64) []byte {
	b = binary.AppendUvarint(b, uint64(field)<<3|varint)
	return binary.AppendUvarint(b, v)
}

func message(b []byte, field int, data []byte) []byte {
	b = binary.AppendUvarint(b, uint64(field)<<3|packed)
	b = binary.AppendUvarint(b, uint64(len(data)))
	return append(b, data...)
}

func (w *written) text(s string) uint64 {
	if i, ok := w.index[s]; ok {
		return i
	}
	w.index[s] = uint64(len(w.strings))
	w.strings = append(w.strings, s)
	return w.index[s]
}

// frame is the location of one frame, whose id is that of its function.
func (w *written) frame(f Frame) uint64 {
	key := f.String()
	if id, ok := w.funcs[key]; ok {
		return id
	}
	id := uint64(len(w.funcs) + 1)
	w.funcs[key] = id
	fn := number(number(number(nil, functionID, id), functionName, w.text(f.Func)), functionFile, w.text("/src/"+f.File))
	w.body = message(w.body, profileFunction, fn)
	line := number(number(nil, lineFunction, id), lineLine, uint64(f.Line))
	w.body = message(w.body, profileLocation, message(number(nil, locationID, id), locationLine, line))
	return id
}

// stack adds goroutines. Its frames are the outermost first, as in a Stack.
func (w *written) stack(count int, labels map[string]string, frames ...Frame) *written {
	var ids []byte
	for _, f := range slices.Backward(frames) {
		ids = binary.AppendUvarint(ids, w.frame(f))
	}
	s := message(nil, sampleLocation, ids)
	s = number(s, sampleValue, uint64(count))
	for k, v := range labels {
		s = message(s, sampleLabel, number(number(nil, labelKey, w.text(k)), labelStr, w.text(v)))
	}
	w.body = message(w.body, profileSample, s)
	return w
}

// raw is the profile before it is packed.
func (w *written) raw() []byte {
	b := bytes.Clone(w.body)
	for _, s := range w.strings {
		b = message(b, profileString, []byte(s))
	}
	return b
}

func (w *written) packed(t testing.TB) []byte { return zipped(t, w.raw()) }

func zipped(t testing.TB, raw []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
