package quicnet

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Bodies of these sizes get memory that is used again. Smaller ones lie in the memory of their frames and envelopes.
const (
	leastLarge = 64 << 10
	mostLarge  = 16<<20 + largeSlack
	largeSlack = 8 << 10 // a body is a round number of bytes with a head: it must not miss its class for that
)

// Large is the memory of a large body. It counts its users: the last one gives it back, and nobody may use it any more. A nil
// *Large is that of a small body, or one that nobody gives back.
type Large struct {
	B     []byte // in this memory; whoever is its only user may change it
	class int
	users atomic.Int32
}

// larges has a pool for each class of sizes: a quarter of an octave each. What nobody takes again the garbage collector frees, so that a
// process which rests holds none.
var larges [33]sync.Pool

// largeClass is the smallest class that holds size bytes, and what each of its pieces can hold.
func largeClass(size int) (class, room int) {
	size = max(size-largeSlack, leastLarge)
	octave := bits.Len(uint(size-1)) - 1 // 2^octave < size ≤ 2^(octave+1)
	quarter := 1 << (octave - 2)
	steps := (size - 1<<octave + quarter - 1) / quarter // 1 to 4
	return 4*(octave-15) + steps - 4, 1<<octave + steps*quarter + largeSlack
}

// NewLarge gives memory for size bytes, with none of them used and one user; nil where that is too few or too many to be
// worth it.
func NewLarge(size int) *Large {
	if size < leastLarge || size > mostLarge {
		return nil
	}
	class, room := largeClass(size)
	l, _ := larges[class].Get().(*Large)
	if l == nil {
		l = &Large{B: make([]byte, 0, room), class: class}
	}
	l.users.Store(1)
	return l
}

// spareLarge is NewLarge where that costs no memory; else nil.
func spareLarge(size int) *Large {
	if size < leastLarge || size > mostLarge {
		return nil
	}
	class, _ := largeClass(size)
	l, _ := larges[class].Get().(*Large)
	if l != nil {
		l.users.Store(1)
	}
	return l
}

// Keep adds a user.
func (l *Large) Keep() *Large {
	if l != nil {
		l.users.Add(1)
	}
	return l
}

// Free takes a user away.
func (l *Large) Free() {
	if l == nil {
		return
	}
	left := l.users.Add(-1)
	if left > 0 {
		return
	}
	if left < 0 {
		panic("quicnet: the memory of a body was given back twice")
	}
	if Poison {
		l.B = l.B[:cap(l.B)]
		l.B[0] = poisoned
		for n := 1; n < len(l.B); n *= 2 { // the race detector looks at each byte that is set alone
			copy(l.B[n:], l.B[:n])
		}
	}
	l.B = l.B[:0]
	larges[l.class].Put(l)
}
