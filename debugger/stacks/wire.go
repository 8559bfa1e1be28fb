package stacks

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The wire types of protocol buffers that a profile uses.
const (
	varint = 0
	fixed8 = 1
	packed = 2
	fixed4 = 5
)

var errShort = errors.New("it ends within a field")

// field is one field of a message.
type field struct {
	num  int
	wire int
	v    uint64 // of a varint
	data []byte // of bytes and messages
}

// fields calls each for the fields of a message, in order.
func fields(b []byte, each func(field) error) error {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
			return errors.New("it has a field without a number")
		}
		b = b[n:]
		f := field{num: int(tag >> 3), wire: int(tag & 7)}
		var skip int
		switch f.wire {
		case varint:
			if f.v, skip = binary.Uvarint(b); skip <= 0 {
				return errShort
			}
		case packed:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return errShort
			}
			skip = n + int(size)
			f.data = b[n:skip]
		case fixed8:
			skip = 8
		case fixed4:
			skip = 4
		default:
			return fmt.Errorf("its field %d has the unknown wire type %d", f.num, f.wire)
		}
		if skip > len(b) {
			return errShort
		}
		b = b[skip:]
		if err := each(f); err != nil {
			return err
		}
	}
	return nil
}

// numbers calls each for the numbers of a repeated field, which may be packed.
func (f field) numbers(each func(uint64) error) error {
	if f.wire != packed {
		return each(f.v)
	}
	for b := f.data; len(b) > 0; {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return errShort
		}
		b = b[n:]
		if err := each(v); err != nil {
			return err
		}
	}
	return nil
}
