// Package carrier opens the UDP socket under a quic.Transport and moves its packets with as few system calls and wake-ups
// as the system allows. It knows packets and addresses and nothing of what is in them.
//
// # Two carriers
//
// The plain carrier is *net.UDPConn, read in batches as quic-go reads it.
//
// The fast one, on Linux, is the same socket used in three other ways:
//
//   - UDP_GRO: the kernel hands over a train, which is a run of equally long packets of one sender, in one read. quic-go
//     sends trains already (GSO), so between two processes of one machine a train crosses the kernel as one.
//   - recvmsg and sendmsg by raw system calls, without telling Go's scheduler of each. A goroutine that polls keeps its P
//     busy; the monitor thread of the runtime takes the P of such a process away in every system call it sees, and the
//     process then fights with itself for its core.
//   - a bounded poll before a reader parks (poll.go): where cores sleep, to wake one costs more than the rest of a round trip.
//
// Both give quic-go what its fast path looks for (quic.OOBCapablePacketConn and ReadBatch), so GSO, ECN, the
// don't-fragment bit and the choice of the local address stay. [Conn.Info] says which one it is, and why not the other.
//
// Packets that are not QUIC's can be taken before quic-go sees them (SetTake), in the goroutine that reads, and sent from there (WriteBeside):
// nothing but the reader wakes for them.
//
// # Invariants, named by the tests
//
//   - INV-1 packets: what is read is a packet as its sender sent it: never two in one, never a part of one without MSG_TRUNC. A
//     train whose segment size is not known for certain is dropped and counted, as a network would drop it.
//   - INV-2 same: the fast carrier behaves as the plain one does: boundaries, addresses with zones, ECN and packet
//     information of every packet, errors, deadlines, Close.
//   - INV-3 always: where the fast carrier cannot be had, the plain one is opened, and says why. Only a socket that
//     cannot be opened at all, or a setting that nobody knows, is an error.
//   - INV-4 idle: a reader parks one budget after the last packet at the latest, and polls no more until something comes.
//   - INV-5 polite: where polling does not pay, it is given up: after a few misses nothing is spent on it but a rare try.
//
// # What polling costs others
//
// A poll runs other goroutines between two looks, but as long as its looks find something the scheduler has no idle moment
// in which it would ask for other descriptors: at GOMAXPROCS=1 they are seen by the runtime's monitor, every 10 ms at the
// latest, as in any process that is never idle.
//
// # What it is not
//
// No reliability, no encryption, no shared memory, no choice of peers: it is a net.PacketConn. It turns no error of a
// send into a lost packet; quicnet does that.
//
// # Locks and goroutines
//
// Conn has no goroutine. Readers take turns under one lock (quic-go has one reader); senders take none.
package carrier
