package stream

// Index is which values of a ring an index has taken in. An index embeds it: each value is looked at once when it comes,
// and once when it leaves the ring.
type Index struct {
	First, Next int    // numbers of the values in it: from First up to, but not, Next
	Version     uint64 // changes with what is in it
}

// Follow takes in what has come to a ring that holds the values from first up to, but not, total, and evicts what has
// left it. Where the ring is another one, or all that was taken in has left it, it begins anew with reset, which empties
// the index. It is false where nothing has changed; fresh is the first of the values that were added.
func (ix *Index) Follow(first, total int, reset func(), evict, add func(number int)) (fresh int, changed bool) {
	if total < ix.Next || first > ix.Next {
		reset()
		ix.First, ix.Next = first, first
	}
	if first == ix.First && total == ix.Next {
		return total, false
	}
	for ; ix.First < first; ix.First++ {
		evict(ix.First)
	}
	fresh = ix.Next
	for ; ix.Next < total; ix.Next++ {
		add(ix.Next)
	}
	ix.Version++
	return fresh, true
}
