package group

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"maps"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/eval"
)

// maxDepth is how deep a value is looked into. A deeper one counts as cut.
const maxDepth = 64

// print is the fingerprint of a value: equal for two values if and only if eval.Equal finds them equal, or would if NaN
// equalled itself. It takes one pass over each value, where comparing each with each would take a day for the wide meshes.
type print [sha256.Size]byte

// printOf is the fingerprint of what a rank said; whole is false where a part of the value was not read.
func printOf(v RankValue) (p print, whole bool) {
	w := printer{h: sha256.New(), whole: true}
	if v.Err != "" {
		w.text('!', v.Err)
	} else {
		w.value(v.Value, 0)
	}
	w.h.Sum(p[:0])
	return p, w.whole
}

// printer writes a value so that no two different ones are written alike: each begins with its kind, and with its length
// where it has one.
type printer struct {
	h     hash.Hash
	whole bool
}

func (w *printer) value(v any, depth int) {
	if depth > maxDepth {
		w.whole = false
		w.text('c', "")
		return
	}
	switch v := eval.Canonical(v).(type) {
	case nil:
		w.text('n', "")
	case bool:
		w.text('b', fmt.Sprint(v))
	case int:
		w.text('i', fmt.Sprint(v))
	case *big.Int:
		w.text('i', v.String())
	case float64:
		w.float(v)
	case string:
		w.text('s', v)
	case []byte:
		w.text('x', string(v))
	case time.Time:
		w.text('t', fmt.Sprint(v.Unix(), " ", v.Nanosecond()))
	case time.Duration:
		w.text('d', fmt.Sprint(int64(v)))
	case []any:
		w.head('l', len(v))
		for _, x := range v {
			w.value(x, depth+1)
		}
	case map[string]any:
		w.head('m', len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			w.text('k', k)
			w.value(v[k], depth+1)
		}
	default: // eval.Incomplete, and what eval has no rule for
		w.whole = false
		w.text('c', eval.Show(v))
	}
}

// float writes a float that is an integer as that integer, because 2.0 equals 2; all NaN are one.
func (w *printer) float(f float64) {
	switch {
	case math.IsNaN(f):
		w.text('f', "NaN")
	case math.IsInf(f, 0) || f != math.Trunc(f):
		w.head('f', 8)
		_ = binary.Write(w.h, binary.BigEndian, f) // a hash takes everything
	default:
		i, _ := big.NewFloat(f).Int(nil)
		w.text('i', i.String())
	}
}

func (w *printer) head(kind byte, n int) {
	var b [9]byte
	b[0] = kind
	binary.BigEndian.PutUint64(b[1:], uint64(n))
	_, _ = w.h.Write(b[:])
}

func (w *printer) text(kind byte, s string) {
	w.head(kind, len(s))
	_, _ = io.WriteString(w.h, s)
}
