package carrier

import (
	"encoding/binary"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// train is what one recvmsg has read: packets of one sender, all of them seg bytes long but the last, which may be shorter.
type train struct {
	rest  []byte // what has not been taken yet
	seg   int    // bytes
	empty bool   // one packet without a payload
	meta  []byte // the control messages that belong to every packet
	buf   [metaBytes]byte
}

const (
	// metaBytes is enough for all that quic-go asks the kernel for: traffic class and packet information of both families.
	metaBytes = 128
	// trainBytes is the longest train: UDP has lengths of 16 bits.
	trainBytes = 1 << 16
)

// load takes what a recvmsg has read: the payload, the control messages and the flags. It returns
// how many packets are lost at least, because it is not certain where they begin and end.
//
// The sizes come from the kernel, but what it makes trains of comes from anybody. Neither is believed further than the
// payload reaches.
func (t *train) load(payload, oob []byte, flags int) (lost uint64) {
	t.rest, t.empty = nil, false
	if flags&unix.MSG_CTRUNC != 0 { // the segment size may be what was cut
		return 1
	}
	seg, ok := t.parse(oob)
	if !ok {
		return 1
	}
	if flags&unix.MSG_TRUNC != 0 { // the buffer was too short: what it has cut is the end of the last packet
		lost = 1
		if seg == 0 || len(payload) < seg {
			return lost
		}
		payload = payload[:len(payload)/seg*seg]
	}
	if seg == 0 { // no train: one packet
		seg = len(payload)
	}
	t.rest, t.seg, t.empty = payload, seg, len(payload) == 0
	return lost
}

// parse reads control messages: it keeps those that belong to each packet, and returns the segment size, 0 without one.
// False means that they are not well formed, or that the segment size is none.
func (t *train) parse(oob []byte) (seg int, ok bool) {
	t.meta = t.buf[:0]
	for len(oob) > 0 {
		if len(oob) < unix.SizeofCmsghdr { // the parser below would read past the end
			return 0, false
		}
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return 0, false
		}
		switch {
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO:
			if seg, ok = segment(data); !ok {
				return 0, false
			}
		case h.Level == unix.IPPROTO_IP || h.Level == unix.IPPROTO_IPV6:
			t.keep(oob[:unix.CmsgLen(len(data))])
		}
		oob = rest
	}
	return seg, true
}

// keep adds a control message to those of each packet, if there is room.
func (t *train) keep(msg []byte) {
	at := len(t.meta)
	end := at + unix.CmsgSpace(len(msg)-unix.CmsgLen(0))
	if end > len(t.buf) {
		return
	}
	t.meta = t.buf[:end]
	clear(t.meta[at+copy(t.meta[at:], msg):])
}

// segment reads the data of UDP_GRO: an int of the kernel; older ones wrote 16 bits.
func segment(data []byte) (int, bool) {
	seg := 0
	switch {
	case len(data) >= 4:
		seg = int(int32(binary.NativeEndian.Uint32(data)))
	case len(data) >= 2:
		seg = int(binary.NativeEndian.Uint16(data))
	}
	return seg, seg > 0
}

// more reports whether there are packets left.
func (t *train) more() bool { return len(t.rest) > 0 || t.empty }

// take gives the next packet to m, whose Addr it leaves alone.
func (t *train) take(m *ipv4.Message) {
	k := min(t.seg, len(t.rest))
	m.N, m.NN, m.Flags = 0, 0, 0
	if len(m.Buffers) > 0 {
		m.N = copy(m.Buffers[0], t.rest[:k])
	}
	if m.N < k {
		m.Flags |= unix.MSG_TRUNC
	}
	if len(t.meta) <= len(m.OOB) {
		m.NN = copy(m.OOB, t.meta)
	} else {
		m.Flags |= unix.MSG_CTRUNC
	}
	t.rest, t.empty = t.rest[k:], false
}
