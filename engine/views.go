package engine

import (
	"fmt"
	"sync"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// view is a region that messages carry, with what each of them needs of it.
type view struct {
	extent Extent
	size   int
}

// maxViews is how many views are remembered: a sender that never repeats itself must not fill our memory.
const maxViews = 4096

// viewCache remembers the decoded views of messages, because they repeat.
type viewCache struct {
	mu      sync.RWMutex
	byBytes map[string]view
}

// decode gives the view of a message.
func (c *viewCache) decode(b []byte) (view, error) {
	c.mu.RLock()
	v, ok := c.byBytes[string(b)]
	c.mu.RUnlock()
	if ok {
		return v, nil
	}
	v, err := decodeView(b)
	if err != nil {
		return view{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byBytes) > maxViews {
		clear(c.byBytes)
	}
	c.byBytes[string(b)] = v
	return v, nil
}

func decodeView(b []byte) (view, error) {
	var r shape.Region
	if err := quicnet.StrictDec().Unmarshal(b, &r); err != nil {
		return view{}, fmt.Errorf("the view of a message does not decode: %w", err)
	}
	if err := r.Validate(); err != nil {
		return view{}, fmt.Errorf("the view of a message: %w", err)
	}
	return view{r.Extent(), r.Len()}, nil
}

// viewOf is the slice that a front end named, the whole mesh when it named none.
func viewOf(ref control.MeshRef, region shape.Region) (shape.Region, error) {
	if region.IsZero() {
		return ref.View, nil
	}
	if err := region.Validate(); err != nil {
		return region, err
	}
	for r := range region.Ranks() {
		if r < 0 || r >= ref.Home.Len() {
			return region, fmt.Errorf("@%s has no rank %d: its ranks are 0 to %d", ref.Name, r, ref.Home.Len()-1)
		}
	}
	return region, nil
}
