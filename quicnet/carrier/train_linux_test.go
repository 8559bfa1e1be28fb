package carrier

import (
	"bytes"
	"encoding/binary"
	"testing"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// cmsg makes a control message.
func cmsg(level, typ int, data []byte) []byte {
	b := make([]byte, unix.CmsgSpace(len(data)))
	h := unix.Cmsghdr{Level: int32(level), Type: int32(typ)}
	h.SetLen(unix.CmsgLen(len(data)))
	if _, err := binary.Encode(b, binary.NativeEndian, h); err != nil {
		panic(err)
	}
	copy(b[unix.CmsgLen(0):], data)
	return b
}

func i32(n int) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(n)) }

func gro(seg int) []byte { return cmsg(unix.IPPROTO_UDP, unix.UDP_GRO, i32(seg)) }

// TestATrainIsCutWhereItsPacketsEnd holds INV-1.
func TestATrainIsCutWhereItsPacketsEnd(t *testing.T) {
	tos := cmsg(unix.IPPROTO_IP, unix.IP_TOS, []byte{2})
	lying := gro(100)
	binary.NativeEndian.PutUint32(lying, 4000) // longer than there is
	short := gro(100)
	binary.NativeEndian.PutUint32(short, 3)
	for _, c := range []struct {
		name    string
		payload int
		oob     []byte
		flags   int
		want    []int // lengths
		lost    uint64
	}{
		{"one packet", 1200, nil, 0, []int{1200}, 0},
		{"an empty packet", 0, nil, 0, []int{0}, 0},
		{"an empty packet with a segment size", 0, gro(100), 0, []int{0}, 0},
		{"equal packets", 300, gro(100), 0, []int{100, 100, 100}, 0},
		{"a short last one", 250, gro(100), 0, []int{100, 100, 50}, 0},
		{"one that is shorter than the segment size", 60, gro(100), 0, []int{60}, 0},
		{"segments of one byte", 3, gro(1), 0, []int{1, 1, 1}, 0},
		{"a segment size of 16 bits", 200, cmsg(unix.IPPROTO_UDP, unix.UDP_GRO, []byte{binary.NativeEndian.AppendUint16(nil, 100)[0], binary.NativeEndian.AppendUint16(nil, 100)[1]}), 0, []int{100, 100}, 0},
		{"other control messages around", 200, append(append(bytes.Clone(tos), gro(100)...), tos...), 0, []int{100, 100}, 0},
		{"a segment size of zero", 200, gro(0), 0, nil, 1},
		{"a negative segment size", 200, gro(-100), 0, nil, 1},
		{"a segment size of no bytes", 200, cmsg(unix.IPPROTO_UDP, unix.UDP_GRO, nil), 0, nil, 1},
		{"control messages that were cut", 200, gro(100), unix.MSG_CTRUNC, nil, 1},
		{"control messages that were cut away", 200, nil, unix.MSG_CTRUNC, nil, 1},
		{"a control message that claims more than there is", 200, lying, 0, nil, 1},
		{"a control message shorter than its head", 200, short, 0, nil, 1},
		{"half a head", 200, gro(100)[:unix.SizeofCmsghdr-1], 0, nil, 1},
		{"a train that was cut within a packet", 250, gro(100), unix.MSG_TRUNC, []int{100, 100}, 1},
		{"a train that was cut between packets", 200, gro(100), unix.MSG_TRUNC, []int{100, 100}, 1},
		{"a train that was cut within its first packet", 60, gro(100), unix.MSG_TRUNC, nil, 1},
		{"a packet that was cut", 200, nil, unix.MSG_TRUNC, nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tr train
			payload := counted(c.payload)
			if lost := tr.load(payload, c.oob, c.flags); lost != c.lost {
				t.Errorf("%d lost, want %d", lost, c.lost)
			}
			at := 0
			var have []int
			for tr.more() {
				m := ipv4.Message{Buffers: [][]byte{make([]byte, 2000)}, OOB: make([]byte, 128)}
				tr.take(&m)
				have = append(have, m.N)
				if !bytes.Equal(m.Buffers[0][:m.N], payload[at:at+m.N]) {
					t.Fatalf("packet %d has bytes of another place", len(have))
				}
				at += m.N
			}
			if len(have) != len(c.want) {
				t.Fatalf("packets of %v bytes, want %v", have, c.want)
			}
			for i := range have {
				if have[i] != c.want[i] {
					t.Fatalf("packets of %v bytes, want %v", have, c.want)
				}
			}
		})
	}
}

// TestEveryPacketOfATrainHasItsControlMessages holds INV-2: ECN and packet information are those of each packet.
func TestEveryPacketOfATrainHasItsControlMessages(t *testing.T) {
	var tr train
	tos, info := cmsg(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, i32(1)), cmsg(unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, counted(20))
	want := append(bytes.Clone(tos), info...)
	tr.load(counted(250), append(append(bytes.Clone(tos), gro(100)...), info...), 0)
	for range 3 {
		m := ipv4.Message{Buffers: [][]byte{make([]byte, 2000)}, OOB: make([]byte, 128)}
		tr.take(&m)
		if !bytes.Equal(m.OOB[:m.NN], want) || m.Flags != 0 {
			t.Fatalf("flags %d, control messages\n%x, want\n%x", m.Flags, m.OOB[:m.NN], want)
		}
	}
	tr.load(counted(250), append(bytes.Clone(want), gro(100)...), 0)
	m := ipv4.Message{Buffers: [][]byte{make([]byte, 50)}, OOB: make([]byte, 8)}
	tr.take(&m)
	if m.N != 50 || m.NN != 0 || m.Flags != unix.MSG_TRUNC|unix.MSG_CTRUNC {
		t.Errorf("into buffers that are too short: %d bytes, %d of control, flags %#x; want 50, 0 and both flags of truncation", m.N, m.NN, m.Flags)
	}
	if tr.take(&ipv4.Message{Buffers: [][]byte{make([]byte, 100)}}); len(tr.rest) != 50 {
		t.Errorf("%d bytes are left after two packets of 100 of 250: the second was not taken whole", len(tr.rest))
	}
}

// FuzzTrain holds INV-1 against whatever a kernel could say: no panic, no bytes out of order, no packet longer than the
// segment size, and every byte given out once.
func FuzzTrain(f *testing.F) {
	f.Add(300, gro(100), 0)
	f.Add(250, append(gro(100), cmsg(unix.IPPROTO_IP, unix.IP_TOS, []byte{1})...), 0)
	f.Add(250, gro(0), unix.MSG_TRUNC)
	f.Add(0, gro(-1), 0)
	f.Add(65536, gro(1<<30), 0)
	f.Add(10, []byte{16, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 104, 0, 0, 0}, unix.MSG_CTRUNC)
	f.Fuzz(func(t *testing.T, n int, oob []byte, flags int) {
		if n < 0 || n > trainBytes || len(oob) > 4096 {
			return
		}
		payload := counted(n)
		oob = bytes.Clone(oob)[:len(oob):len(oob)]
		var tr train
		lost := tr.load(payload, oob, flags)
		at, count := 0, 0
		for tr.more() {
			m := ipv4.Message{Buffers: [][]byte{make([]byte, n+1)}, OOB: make([]byte, metaBytes)}
			tr.take(&m)
			if m.Flags != 0 || m.N > tr.seg || !bytes.Equal(m.Buffers[0][:m.N], payload[at:at+m.N]) {
				t.Fatalf("packet %d: flags %#x, %d bytes of segments of %d", count, m.Flags, m.N, tr.seg)
			}
			for d := m.OOB[:m.NN]; len(d) > 0; { // quic-go ends the connection over one that it cannot read
				_, _, rest, err := unix.ParseOneSocketControlMessage(d)
				if err != nil {
					t.Fatalf("control messages %x of %x: %v", m.OOB[:m.NN], oob, err)
				}
				d = rest
			}
			at += m.N
			if count++; count > max(n, 1) {
				t.Fatal("more packets than bytes")
			}
		}
		if at != n && lost == 0 {
			t.Fatalf("%d bytes of %d were given out, and nothing counts as lost", at, n)
		}
	})
}
