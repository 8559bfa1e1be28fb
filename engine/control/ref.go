package control

import (
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// MeshRef is a reference to (a slice of) an actor mesh; it is what travels in arguments. In CBOR it is an array of the fields
// in this order; the last two are left out where they are empty.
type MeshRef struct {
	ID    uint64 // unique in the session, never used again
	Name  string
	Type  string       // full type name, pkgpath.Type
	First uint64       // proc of proc-mesh rank 0
	Home  shape.Region // where the actors live, in ranks of the proc mesh; rank r of the mesh runs on proc First+Home.RankAt(r)
	View  shape.Region // the slice this reference stands for, in ranks of the mesh
	Lives []RankLife   // by rank: which incarnations are meant, where not the first ones
	Hosts *Hosts       // of the proc mesh, where they have names
}

// RankLife says which incarnation of a rank is meant.
type RankLife struct {
	_    struct{} `cbor:",toarray"`
	Rank int      // of the mesh
	Life uint32   // how often it had been started anew, 1 or more
}

// Extent is the shape of the slice the reference stands for.
func (r MeshRef) Extent() shape.Extent { return r.View.Extent() }

// Proc is the process that a rank of the mesh runs in.
func (r MeshRef) Proc(rank int) uint64 { return r.First + uint64(r.Home.RankAt(rank)) }

// Life is the incarnation of a rank of the mesh that the reference means: 0 is the first.
func (r MeshRef) Life(rank int) uint32 {
	if i, ok := r.life(rank); ok {
		return r.Lives[i].Life
	}
	return 0
}

func (r MeshRef) life(rank int) (int, bool) {
	return slices.BinarySearchFunc(r.Lives, rank, func(l RankLife, rank int) int { return l.Rank - rank })
}

// WithLife is the reference with another incarnation of one rank.
func (r MeshRef) WithLife(rank int, life uint32) MeshRef {
	i, known := r.life(rank)
	r.Lives = slices.Clone(r.Lives)
	if known {
		r.Lives[i].Life = life
	} else {
		r.Lives = slices.Insert(r.Lives, i, RankLife{Rank: rank, Life: life})
	}
	return r
}

// CheckLives says what is wrong with the incarnations of a reference that came from elsewhere.
func (r MeshRef) CheckLives() error {
	last := -1
	for _, l := range r.Lives {
		switch {
		case l.Rank <= last:
			return fmt.Errorf("the incarnation of rank %d comes after that of rank %d: want them in order, one for each", l.Rank, last)
		case l.Rank >= r.Home.Len():
			return fmt.Errorf("the incarnation of rank %d: it has %d ranks", l.Rank, r.Home.Len())
		case l.Life == 0:
			return fmt.Errorf("incarnation 0 of rank %d: the first is not named", l.Rank)
		}
		last = l.Rank
	}
	return nil
}

// How many fields of a reference travel.
const (
	minRef = 6
	maxRef = 8
)

// fields are where those of a reference are.
func (r *MeshRef) fields() [maxRef]any {
	return [maxRef]any{&r.ID, &r.Name, &r.Type, &r.First, &r.Home, &r.View, &r.Lives, &r.Hosts}
}

// MarshalCBOR is the array.
func (r MeshRef) MarshalCBOR() ([]byte, error) {
	n := minRef
	switch {
	case r.Hosts != nil:
		n = maxRef
	case len(r.Lives) > 0:
		n = minRef + 1
	}
	all := r.fields()
	return enc().Marshal(all[:n])
}

// UnmarshalCBOR takes the array, whichever of the last fields are there.
func (r *MeshRef) UnmarshalCBOR(b []byte) error {
	var all []cbor.RawMessage
	if err := friendlyDec().Unmarshal(b, &all); err != nil {
		return fmt.Errorf("a mesh reference: %w", err)
	}
	if len(all) < minRef || len(all) > maxRef {
		return fmt.Errorf("a mesh reference of %d fields, want %d to %d", len(all), minRef, maxRef)
	}
	*r = MeshRef{}
	fields := r.fields()
	for i, field := range all {
		if err := friendlyDec().Unmarshal(field, fields[i]); err != nil {
			return err
		}
	}
	return nil
}
