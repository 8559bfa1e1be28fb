package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet"
	"github.com/monarch-tui/monarch-tui/quicnet/recent"
)

// The vocabulary of shapes, so that most programs import only this package.
type (
	// Extent is an ordered list of named dimensions.
	Extent = shape.Extent
	// Point is a position in an extent; it is a Sel too, so other.Slice(engine.Here(ctx)) is "my opposite number".
	Point = shape.Point
	// Sel narrows a mesh along named dimensions.
	Sel = shape.Sel
)

// At selects one index along dim and drops the dimension.
func At(dim string, i int) Sel { return shape.At(dim, i) }

// Span selects the half-open range lo:hi along dim; hi is clamped to the size.
func Span(dim string, lo, hi int) Sel { return shape.Span(dim, lo, hi) }

// Range selects lo:hi:step along dim.
func Range(dim string, lo, hi, step int) Sel { return shape.Range(dim, lo, hi, step) }

// OnHost selects along the dimension hosts what is on the hosts of these names, as the texts "hosts=n2" and "hosts=(n1,n3)" do: the
// names that Hosts was given, or that the launcher and the machines have. One name of one host drops the dimension, as At does.
func OnHost(names ...string) Sel { return shape.OnHosts(names...) }

// ParseSel reads a selection as scripts and screens write it between the brackets of @mesh[…]: "gpus=2, hosts=0:2",
// "gpus=(0,3)", "hosts=n2", flat ranks "0,2-5" or "1:4", "*" for all. A dash includes its end, a colon does not. The error names
// the column. Whether the selection fits a mesh shows when it is sliced by it; Mesh.Select does both.
func ParseSel(text string) (Sel, error) {
	s, err := shape.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("selection %q: %w", clip(text, 100), err)
	}
	return s, nil
}

// meshRef is the immutable inside of a Mesh.
type meshRef struct {
	control.MeshRef
	region []byte       // CBOR of View: goes into each message
	extent Extent       // of View
	size   int          // of View
	first  quicnet.Addr // of its index 0
	err    error        // a bad selector, kept until the mesh is used

	windows atomic.Pointer[refWindows] // a cache
	bound   atomic.Pointer[endpoint]   // that was bound last: the next is often the same
}

func newMeshRef(r control.MeshRef) *meshRef {
	b, err := quicnet.Enc().Marshal(r.View)
	out := &meshRef{MeshRef: r, region: b, extent: r.View.Extent(), size: r.View.Len(), err: err}
	if out.size > 0 {
		out.first = quicnet.Addr{Proc: out.procOf(0), Actor: r.ID}
	}
	return out
}

// checkRef judges a reference that came from outside the process.
func checkRef(r control.MeshRef) error {
	if err := r.Home.Validate(); err != nil {
		return fmt.Errorf("mesh reference @%s: where it lives: %w", r.Name, err)
	}
	if err := r.View.Validate(); err != nil {
		return fmt.Errorf("mesh reference @%s: its slice: %w", r.Name, err)
	}
	if rank := r.View.Max(); rank >= r.Home.Len() { // every rank of a mesh is sent the reference: a loop over them would be one too many
		return fmt.Errorf("mesh reference @%s: rank %d is outside its %d ranks", r.Name, rank, r.Home.Len())
	}
	if err := errors.Join(r.CheckLives(), r.Hosts.Check()); err != nil {
		return fmt.Errorf("mesh reference @%s: %w", r.Name, err)
	}
	return nil
}

func (r *meshRef) slice(s []Sel) *meshRef {
	return r.derive("slice of ", func(shape.Region) (shape.Region, error) { return r.Slice(s...) })
}

// derive is the mesh seen through another view. verb begins the text of an error; it may be empty.
func (r *meshRef) derive(verb string, f func(shape.Region) (shape.Region, error)) *meshRef {
	if r == nil {
		return &meshRef{err: fmt.Errorf("%san empty engine.Mesh: it was never assigned", verb)}
	}
	if r.err != nil {
		return r
	}
	view, err := f(r.View)
	if err != nil {
		return &meshRef{MeshRef: r.MeshRef, err: fmt.Errorf("%s@%s: %w", verb, r.Name, err)}
	}
	out := r.MeshRef
	out.View = view
	return newMeshRef(out)
}

// selectFrom is the view of a reference narrowed by a selection's text.
func selectFrom(r control.MeshRef, text string) (shape.Region, error) {
	s, err := ParseSel(text)
	if err != nil {
		return r.View, err
	}
	return r.Slice(s)
}

// pointAt is the position of index i in the slice.
func (r *meshRef) pointAt(i int) Point { return Point{Extent: r.extent, Rank: i} }

// procOf is the process of index i of the view.
func (r *meshRef) procOf(i int) uint64 {
	return r.First + uint64(r.Home.RankAt(r.View.RankAt(i)))
}

// lifeOf is the incarnation of index i of the view that the reference means.
func (r *meshRef) lifeOf(i int) uint32 {
	if len(r.Lives) == 0 {
		return 0
	}
	return r.Life(r.View.RankAt(i))
}

// rankError is the failure of index i of the view.
func (r *meshRef) rankError(endpoint string, i int, why *wireError) *RankError {
	rank := r.View.RankAt(i)
	return &RankError{Endpoint: endpoint, Mesh: r.Name, Rank: rank, Here: pointIn(r.MeshRef, rank), Point: r.pointAt(i), Outcome: why.Outcome, Err: why.remote()}
}

func (r *meshRef) usable() error {
	if r == nil {
		return fmt.Errorf("call on an empty engine.Mesh: it was never assigned (spawn it, or wait for the message that brings it)")
	}
	return r.err
}

// Mesh is a reference to the actors of type T on some ranks. It is a value: copy it, keep it in a struct, send it in an
// argument or a reply, slice it. The zero Mesh refers to nothing; calls on it are errors.
type Mesh[T any] struct{ r *meshRef }

// Slice narrows the mesh. A bad selector shows as an error when the mesh is used, and at once through Err.
func (m Mesh[T]) Slice(s ...Sel) Mesh[T] { return Mesh[T]{m.r.slice(s)} }

// Select is Slice by a selection's text, as ParseSel reads it: m.Select("hosts=0, gpus=1:4"). What is no regular slice, such
// as gpus=(0,1,3), is refused with the slices that it would take.
func (m Mesh[T]) Select(text string) Mesh[T] {
	return Mesh[T]{m.r.derive("select from ", func(shape.Region) (shape.Region, error) { return selectFrom(m.r.MeshRef, text) })}
}

// Split makes several dimensions of one, the outermost first; one size may be 0, it follows from the others:
// m.Split("gpus", engine.Extent{{Name: "dp", Size: 2}, {Name: "tp"}}). The ranks and their order stay. Sizes that do not
// multiply to that of dim are an error, which shows as that of Slice does.
func (m Mesh[T]) Split(dim string, into Extent) Mesh[T] {
	return Mesh[T]{m.r.derive("", func(v shape.Region) (shape.Region, error) { return v.Split(dim, into) })}
}

// Rename gives a dimension another name. An unknown dimension and a name that is taken are errors, which show as those of
// Slice do.
func (m Mesh[T]) Rename(dim, name string) Mesh[T] {
	return Mesh[T]{m.r.derive("", func(v shape.Region) (shape.Region, error) { return v.Rename(dim, name) })}
}

// Flatten makes one dimension of all. Only a mesh or slice whose ranks are contiguous can be flattened; the error of
// another shows as that of Slice does.
func (m Mesh[T]) Flatten(name string) Mesh[T] {
	return Mesh[T]{m.r.derive("", func(v shape.Region) (shape.Region, error) { return v.Flatten(name) })}
}

// Extent is the shape of the mesh, or of the slice.
func (m Mesh[T]) Extent() Extent {
	if m.usable() != nil {
		return nil
	}
	return m.r.View.Extent()
}

// Len is how many actors the mesh has; 0 for an unusable one.
func (m Mesh[T]) Len() int {
	if m.usable() != nil {
		return 0
	}
	return m.r.View.Len()
}

// Name is the name given to Spawn.
func (m Mesh[T]) Name() string {
	if m.r == nil {
		return ""
	}
	return m.r.Name
}

func (m Mesh[T]) faultOn() (procs, mesh string, id uint64, ranks []int, err error) {
	if err := m.Err(); err != nil {
		return "", "", 0, nil, err
	}
	return "", m.r.Name, m.r.ID, slices.Sorted(m.r.View.Ranks()), nil
}

// Err is the error of a bad Slice, or of a Mesh that was never assigned.
func (m Mesh[T]) Err() error { return m.usable() }

func (m Mesh[T]) usable() error { return m.r.usable() }

// String is the mesh as the command language writes it: @toys[gpus=0:2].
func (m Mesh[T]) String() string {
	if m.r == nil {
		return "no mesh"
	}
	return refString(m.r.MeshRef)
}

func refString(r control.MeshRef) string {
	if r.View.Len() == r.Home.Len() {
		return "@" + r.Name
	}
	return "@" + r.Name + "[" + shape.Describe(shape.RegionOf(r.Home.Extent()), r.View) + "]"
}

// Each yields every actor as a mesh of its own, with its point.
func (m Mesh[T]) Each() iter.Seq2[Point, Mesh[T]] {
	return func(yield func(Point, Mesh[T]) bool) {
		for i := range m.Len() {
			p := m.r.View.Point(i)
			one := m
			if len(p.Extent) > 0 {
				one = m.Slice(p)
			}
			if !yield(p, one) {
				return
			}
		}
	}
}

// Stop ends the actors in order: new calls are refused, what is queued is handled (10 s at most), contexts are cancelled,
// OnStop runs. Only the owner stops a mesh, and only a whole one. Of several ends at the same time each returns when the
// mesh has ended, with the result of the first; a mesh that has ended already is no error. ctx limits the wait: the end
// goes on without it.
func (m Mesh[T]) Stop(ctx context.Context) error { return stopMesh(ctx, m.r) }

// Kill ends the actors at once: calls get their outcome, a running handler is abandoned, the processes stay. A slice
// may be killed. It hurries a Stop that runs: what is queued is refused, and OnStop may not run. What has ended already is
// no error.
func (m Mesh[T]) Kill(ctx context.Context) error { return killMesh(ctx, m.r) }

// MarshalCBOR makes a mesh travel in arguments.
func (m Mesh[T]) MarshalCBOR() ([]byte, error) {
	if m.r == nil {
		return []byte{0xf6}, nil // null: a Mesh that was never assigned
	}
	if m.r.err != nil {
		return nil, m.r.err
	}
	return quicnet.Enc().Marshal(m.r.MeshRef)
}

// UnmarshalCBOR refuses a mesh of another actor type and a malformed reference.
func (m *Mesh[T]) UnmarshalCBOR(b []byte) error {
	if len(b) == 1 && b[0] == 0xf6 {
		m.r = nil
		return nil
	}
	var r control.MeshRef
	if err := quicnet.Dec().Unmarshal(b, &r); err != nil {
		return fmt.Errorf("mesh reference: %w", err)
	}
	if want := fullName(reflect.TypeFor[T]()); r.Type != want {
		return fmt.Errorf("mesh @%s holds %s, not %s", r.Name, r.Type, want)
	}
	if err := checkRef(r); err != nil {
		return err
	}
	m.r = newMeshRef(r)
	return nil
}

// SchemaKind tells engine/schema what a mesh is to a person who types one.
func (Mesh[T]) SchemaKind() (kind, mesh string) { return "mesh", fullName(reflect.TypeFor[T]()) }

// StateText is how a debugger shows the mesh.
func (m Mesh[T]) StateText() string { return m.String() }

// view is a region that messages carry, with what each of them needs of it.
type view struct {
	extent Extent
	size   int
}

// maxViews is how many views are remembered: a sender that never repeats itself must not fill our memory.
const maxViews = 4096

// target is what the messages to one endpoint through one view have in common at an actor of one type.
type target struct {
	name   string    // of the endpoint that is meant
	ep     *endpoint // nil: the type has none of that name
	region string    // as the messages carry it
	view   view
	err    error // of the view
}

// is reports whether a message is for this target.
func (t *target) is(env *quicnet.Envelope) bool {
	return t.name == env.Endpoint && t.region == string(env.Region)
}

// targetKey is what finds a target.
type targetKey struct {
	typ              *actorType
	endpoint, region string
}

// targetCache remembers the targets of messages, because they repeat. The ranks of one process share one.
type targetCache struct {
	mu    sync.RWMutex
	byKey *recent.Map[targetKey, *target]
}

func newTargetCache() *targetCache {
	return &targetCache{byKey: recent.New[targetKey, *target](maxViews)}
}

// of gives the target of a message.
func (c *targetCache) of(typ *actorType, env *quicnet.Envelope) *target {
	c.mu.RLock()
	t, ok := c.byKey.Get(targetKey{typ, env.Endpoint, string(env.Region)})
	c.mu.RUnlock()
	if ok {
		return t
	}
	t = &target{ep: typ.eps[env.Endpoint], region: string(env.Region)}
	if t.ep != nil {
		t.name = t.ep.name
	} else {
		t.name = strings.Clone(env.Endpoint) // the message's own goes with the message
	}
	if t.view, t.err = decodeView(env.Region); t.err != nil || t.ep == nil {
		return t // not worth a place
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byKey.Put(targetKey{typ, t.name, t.region}, t)
	return t
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
	if r := region.Max(); r >= ref.Home.Len() {
		return region, fmt.Errorf("@%s has no rank %d: its ranks are 0 to %d", ref.Name, r, ref.Home.Len()-1)
	}
	return region, nil
}
