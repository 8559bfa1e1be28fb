package carrier

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// segments reads the control messages of a send: how long the packets are that the kernel is to cut it into, 0 for one, and
// the other messages, which belong to each packet.
func segments(oob []byte) (seg int, rest []byte) {
	for len(oob) >= unix.SizeofCmsghdr {
		h, data, after, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			break
		}
		if h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_SEGMENT && len(data) >= 2 {
			seg = int(binary.NativeEndian.Uint16(data))
		} else {
			rest = append(rest, oob[:len(oob)-len(after)]...)
		}
		oob = after
	}
	return seg, rest
}
