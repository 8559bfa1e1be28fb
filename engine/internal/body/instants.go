package body

import (
	"errors"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet"
)

var errTimes = errors.New("a time with an offset that has seconds: the value encodes differently each time")

// keepInstants gives each time of zoned, which the encoder has written with the offset cut to minutes, the instant that it has
// in exact: the same value, encoded with all times in UTC.
func keepInstants(zoned, exact []byte) ([]byte, error) {
	out := make([]byte, 0, len(zoned))
	for len(zoned) > 0 {
		a, b := headOf(zoned), headOf(exact)
		if a.size == 0 || a.major != b.major || a.major != majorText && a.n != b.n {
			return nil, errTimes
		}
		if a.major != majorText && a.major != majorBytes {
			out, zoned, exact = append(out, zoned[:a.size]...), zoned[a.size:], exact[b.size:]
			continue
		}
		enda, endb := a.size+int(a.n), b.size+int(b.n)
		if a.n > uint64(len(zoned)) || b.n > uint64(len(exact)) || enda > len(zoned) || endb > len(exact) {
			return nil, errTimes
		}
		out = append(out, textOf(zoned[:enda], a, exact[b.size:endb])...)
		zoned, exact = zoned[enda:], exact[endb:]
	}
	return out, nil
}

// textOf is a text item, with the instant of exact where both are times and differ.
func textOf(item []byte, h head, exact []byte) []byte {
	text := string(item[h.size:])
	if h.major != majorText || text == string(exact) {
		return item
	}
	zoned, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return item
	}
	instant, err := time.Parse(time.RFC3339Nano, string(exact))
	if err != nil || instant.Equal(zoned) {
		return item
	}
	b, err := quicnet.Enc().Marshal(instant.In(zoned.Location()).Format(time.RFC3339Nano))
	if err != nil {
		return item
	}
	return b
}

// head is the first bytes of a CBOR item.
type head struct {
	major byte
	n     uint64
	size  int // 0: there is none
}

const (
	majorBytes = 2
	majorText  = 3
	majorArray = 4
)

func headOf(b []byte) head {
	if len(b) == 0 {
		return head{}
	}
	h := head{major: b[0] >> 5, n: uint64(b[0] & 31), size: 1}
	if h.n < 24 || h.n > 27 {
		return h
	}
	h.size += 1 << (h.n - 24)
	if len(b) < h.size {
		return head{}
	}
	h.n = 0
	for _, x := range b[1:h.size] {
		h.n = h.n<<8 | uint64(x)
	}
	return h
}
