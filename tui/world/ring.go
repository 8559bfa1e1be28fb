package world

import "slices"

// Ring keeps the newest of a stream of values. Each value has a number, from 0 on, that stays its own while others go.
type Ring[T any] struct {
	buf  []T
	size int
	next int // number of the next value
	zero int // number of the value that was put first into buf
}

// NewRing keeps up to size values, one at least.
func NewRing[T any](size int) Ring[T] { return Ring[T]{size: max(1, size)} }

// Add appends a value; the oldest goes when the ring is full.
func (r *Ring[T]) Add(v T) {
	if len(r.buf) < r.size {
		r.buf = append(r.buf, v)
	} else {
		r.buf[(r.next-r.zero)%r.size] = v
	}
	r.next++
}

// First is the number of the oldest value kept; it equals Total when there is none.
func (r *Ring[T]) First() int { return r.next - len(r.buf) }

// Total is how many values there were: the number of the next one.
func (r *Ring[T]) Total() int { return r.next }

// Size is how many values the ring keeps.
func (r *Ring[T]) Size() int { return r.size }

// At is the value of a number between First and Total.
func (r *Ring[T]) At(number int) *T { return &r.buf[(number-r.zero)%r.size] }

// Clear forgets all values; numbers go on.
func (r *Ring[T]) Clear() { r.buf, r.zero = nil, r.next }

// Clone is a ring of its own with the same values and numbers: what is added to one is not in the other.
func (r *Ring[T]) Clone() *Ring[T] {
	return &Ring[T]{buf: slices.Clone(r.buf), size: r.size, next: r.next, zero: r.zero}
}
