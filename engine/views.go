package engine

import (
	"fmt"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// view is a region that messages carry, with what each of them needs of it.
type view struct {
	extent Extent
	size   int
}

// viewIn decodes the view of a message; views repeat, so they are remembered.
func (n *node) viewIn(b []byte) (view, error) {
	n.rmu.RLock()
	v, ok := n.regions[string(b)]
	n.rmu.RUnlock()
	if ok {
		return v, nil
	}
	return n.newView(b)
}

func (n *node) newView(b []byte) (view, error) {
	var r shape.Region
	if err := quicnet.StrictDec().Unmarshal(b, &r); err != nil {
		return view{}, fmt.Errorf("the view of a message does not decode: %w", err)
	}
	if err := r.Validate(); err != nil {
		return view{}, fmt.Errorf("the view of a message: %w", err)
	}
	v := view{r.Extent(), r.Len()}
	n.rmu.Lock()
	defer n.rmu.Unlock()
	if len(n.regions) > 4096 { // a sender that never repeats itself must not fill our memory
		clear(n.regions)
	}
	n.regions[string(b)] = v
	return v, nil
}

// choose narrows a mesh to the rank with the fewest calls in flight, then the shortest mailbox, then the next in turn.
func (n *node) choose(ref *meshRef) *meshRef {
	size := ref.View.Len()
	first := int(n.turn.Add(1) % uint64(size))
	best, bestKey := -1, [2]int{}
	n.wmu.Lock()
	for k := range size {
		i := (first + k) % size
		addr := quicnet.Addr{Proc: ref.procOf(i), Actor: ref.ID}
		key := [2]int{0, int(n.loads[addr])}
		if w := n.windows[addr]; w != nil {
			key[0] = w.used
		}
		if best < 0 || slices.Compare(key[:], bestKey[:]) < 0 {
			best, bestKey = i, key
		}
	}
	n.wmu.Unlock()
	return ref.slice([]Sel{ref.View.Point(best)})
}
