package carrier

import (
	"net"
	"slices"
	"testing"

	"golang.org/x/net/ipv4"
)

// What is taken the reader is not given, and what it is given is whole and in its place, by each way of reading.
func TestWhatIsTakenTheReaderIsNotGiven(t *testing.T) {
	for name, o := range map[string]Options{"fast": {}, "plain": {Plain: true}} {
		for _, batch := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				c, err := Listen("127.0.0.1:0", o)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				from, err := Listen("127.0.0.1:0", o)
				if err != nil {
					t.Fatal(err)
				}
				defer from.Close()
				var taken, got []byte
				c.SetTake(func(b []byte, at net.Addr) bool {
					if at.String() != from.LocalAddr().String() {
						t.Errorf("a packet of %v", at)
					}
					if b[0]%3 == 0 {
						return false
					}
					taken = append(taken, b[0])
					return true
				})
				to := c.LocalAddr().(*net.UDPAddr)
				var want, gone []byte
				for n := range byte(100) {
					from.WriteBeside([]byte{n, n, n}, to)
					if n%3 == 0 {
						want = append(want, n)
					} else {
						gone = append(gone, n)
					}
				}
				ms := make([]ipv4.Message, 8)
				for i := range ms {
					ms[i] = ipv4.Message{Buffers: [][]byte{make([]byte, 10)}, OOB: make([]byte, 128)}
				}
				for len(got) < len(want) {
					if batch {
						n, err := c.ReadBatch(ms, 0)
						if err != nil || n == 0 {
							t.Fatal(n, err)
						}
						for _, m := range ms[:n] {
							got = append(got, whole(t, m.Buffers[0][:m.N]))
						}
						continue
					}
					b := make([]byte, 10)
					n, _, err := c.ReadFrom(b)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, whole(t, b[:n]))
				}
				if !slices.Equal(got, want) || !slices.Equal(taken, gone[:len(taken)]) || len(taken) < len(gone)-1 {
					t.Errorf("read %v, taken %v", got, taken)
				}
			})
		}
	}
}

// whole checks that a packet is that of its number.
func whole(t *testing.T, b []byte) byte {
	t.Helper()
	if len(b) != 3 || b[0] != b[1] || b[0] != b[2] {
		t.Fatalf("read % x", b)
	}
	return b[0]
}
