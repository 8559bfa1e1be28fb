package probe

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// breakpoint is one of the controller's breakpoints in this process.
type breakpoint struct {
	spec     control.Breakpoint
	site     Site
	hit      Hits
	sel      *Selector           // guarded by the agent's lock
	programs map[string]*program // by type and endpoint; guarded by the agent's lock
	dead     atomic.Bool         // its condition failed too often

	hits, skipped, errors atomic.Uint64 // since the last takeCounts
	failed                atomic.Uint32 // errors in all
	lastError             atomic.Pointer[string]

	mu                sync.Mutex // of what follows
	printed, inSecond int
	second            time.Time
}

// binding is a breakpoint at one actor.
type binding struct {
	bp      *breakpoint
	reached atomic.Uint64 // with the condition true, here
}

// adopt makes breaks the table; a breakpoint that did not change keeps what it has counted. The caller holds a.mu.
func (a *Agent) adopt(breaks []control.Breakpoint) {
	old := map[uint64]*breakpoint{}
	for _, b := range a.breaks {
		old[b.spec.ID] = b
	}
	fresh := make([]*breakpoint, 0, len(breaks))
	for _, spec := range breaks {
		if b := old[spec.ID]; b != nil && b.spec == spec {
			fresh = append(fresh, b)
			continue
		}
		site, ok := SiteNamed(spec.Site)
		hit, err := ParseHits(spec.Hit)
		sel, wrong := NewSelector(&spec)
		if !ok || err != nil || wrong != nil { // the controller has checked it
			continue
		}
		fresh = append(fresh, &breakpoint{spec: spec, site: site, hit: hit, sel: sel})
	}
	a.breaks = fresh
}

// bind finds the breakpoints of an actor. The caller holds a.mu.
func (a *Agent) bind(x *Actor) {
	old := x.bound
	x.bound = nil
	for _, b := range a.breaks {
		if b.spec.Off || !b.sel.Fits(&x.who) {
			continue
		}
		var at *binding
		for _, was := range old[b.site] {
			if was.bp == b {
				at = was
			}
		}
		if at == nil {
			at = &binding{bp: b}
		}
		if x.bound == nil {
			x.bound = map[Site][]*binding{}
		}
		x.bound[b.site] = append(x.bound[b.site], at)
	}
	x.refresh()
}

// Match reports whether a name fits a pattern with * and ?; "" fits all.
func Match(pattern, name string) bool {
	if pattern == "" || pattern == "*" || pattern == name {
		return true
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// Selector finds the actors that a breakpoint is about. It is for one goroutine at a time.
type Selector struct {
	mesh, endpoint string
	sel            *shape.Selection // nil: all ranks
	ranks          map[meshShape]map[int]struct{}
}

// meshShape is what the ranks of a selection depend on.
type meshShape struct {
	extent string
	mesh   uint64 // id of the mesh; 0 where the selection does not ask for its hosts
}

// NewSelector reads the selector of a breakpoint; the error is about its ranks.
func NewSelector(b *control.Breakpoint) (*Selector, error) {
	s := &Selector{mesh: b.Mesh, endpoint: b.Endpoint}
	if b.Ranks != "" {
		sel, err := shape.Parse(b.Ranks)
		if err != nil {
			return nil, err
		}
		if !sel.IsAll() {
			s.sel, s.ranks = &sel, map[meshShape]map[int]struct{}{}
		}
	}
	return s, nil
}

// FitsMesh reports whether the breakpoint is about a mesh of actors with such endpoints, and about all of its ranks.
func (s *Selector) FitsMesh(mesh string, endpoints []string) (fits, all bool) {
	fits = Match(s.mesh, mesh) && (s.endpoint == "" || slices.ContainsFunc(endpoints, func(e string) bool { return Match(s.endpoint, e) }))
	return fits, s.sel == nil
}

// Fits reports whether the breakpoint is about an actor: its mesh, its place in it, the host there, and one of its endpoints.
func (s *Selector) Fits(w *Who) bool {
	if fits, all := s.FitsMesh(w.Mesh, w.Parts); !fits || all {
		return fits
	}
	key := meshShape{extent: w.Point.Extent.String()}
	if s.sel.Named() {
		key.mesh = w.MeshID
	}
	in, known := s.ranks[key]
	if !known {
		in = map[int]struct{}{}
		home := shape.RegionOf(w.Point.Extent)
		ranks, _ := s.sel.RanksOn(home, w.On) // an error: the mesh has no such ranks
		for _, r := range ranks {
			in[r] = struct{}{}
		}
		s.ranks[key] = in
	}
	_, fits := in[w.Point.Rank]
	return fits
}

// Hits says which of the times that a breakpoint is reached count.
type Hits struct {
	op string // "" all, =, >=, >, %
	n  uint64
}

// ParseHits reads 3, ==3, >=3, >3 and %10.
func ParseHits(text string) (Hits, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Hits{}, nil
	}
	op := "="
	for _, o := range []string{">=", "==", ">", "=", "%"} {
		if rest, ok := strings.CutPrefix(text, o); ok {
			op, text = strings.TrimPrefix(o, "="), strings.TrimSpace(rest)
			if op == "" {
				op = "="
			}
			break
		}
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 && op != ">" {
		return Hits{}, fmt.Errorf("hit %q: want a number from 1, or >=N, >N, %%N", text)
	}
	return Hits{op, n}, nil
}

// Wants reports whether the n-th time counts, from 1.
func (h Hits) Wants(n uint64) bool {
	switch h.op {
	case "=":
		return n == h.n
	case ">=":
		return n >= h.n
	case ">":
		return n > h.n
	case "%":
		return n%h.n == 0
	}
	return true
}

// TakeCounts is what was counted since it was called last.
func (a *Agent) TakeCounts() []Count {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Count
	for _, b := range a.breaks {
		c := Count{Break: b.spec.ID, Hits: b.hits.Swap(0), Skipped: b.skipped.Swap(0), Errors: b.errors.Swap(0)}
		if p := b.lastError.Load(); p != nil {
			c.LastError = *p
		}
		if c.Hits+c.Skipped+c.Errors > 0 {
			out = append(out, c)
		}
	}
	return out
}
