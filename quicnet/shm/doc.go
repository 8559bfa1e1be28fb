// Package shm is a stream of bytes from one process to another of the same machine, in memory that both have mapped. It is what a
// pipe is, without the kernel on the way while both sides run: a byte is copied in and copied out.
//
// The side that writes makes the stream (New) and tells the other how to open it (Offer), by a way that both trust. The other finds
// the descriptors under /proc/PID/fd, which the kernel lets it open where it may look into that process (PTRACE_MODE_READ of ptrace(2)): the
// same user, in the same PID namespace. Any such process could, until Opened, also one that Yama keeps from reading its memory. A key of 16 random bytes in the memory shows that it is the one that was meant.
//
// # Invariants, named by the tests
//
//   - INV-STREAM: what Read gives is what was written, in order, each byte once.
//   - INV-WAKE: a reader that sleeps is woken by what is written, a writer that sleeps by room of a quarter of the ring or by an empty one.
//   - INV-HOSTILE: whatever the other process puts into the memory, this one reads and writes inside it, and ends the stream
//     (ErrCorrupt) where the counters cannot be. The memory is sealed against shrinking, so no access fails.
//   - INV-END: Close ends a Read and a Write that wait. A reader whose writer has ended gets what was written, then io.EOF.
//
// # What it is not
//
// It keeps nothing secret from processes of the same user, and authenticates nobody: both are the business of who hands the offer
// over. It has no deadline.
//
// # The memory
//
// One page with the key and four counters, each on a cache line of its own, then the ring, a power of two long:
//
//	  0  key
//	 64  tail: bytes written so far; the writer's
//	128  head: bytes read so far; the reader's
//	192  set to 1 by a reader before it sleeps, to 0 by who wakes it
//	256  the same for a writer
//
// A byte in a pipe wakes: one pipe for each side. (An eventfd cannot be opened under /proc.)
//
// # Locks and goroutines
//
// Writer.mu is held while something is written, Reader.mu while something is read, and by Close while the memory is unmapped.
// There are no goroutines.
package shm
