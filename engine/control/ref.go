package control

import (
	"errors"
	"fmt"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// MeshRef is a reference to (a slice of) an actor mesh; it is what travels in arguments. In CBOR it is an array of the fields
// in this order, without the last where that is empty.
type MeshRef struct {
	ID    uint64 // unique in the session, never used again
	Name  string
	Type  string       // full type name, pkgpath.Type
	First uint64       // proc of proc-mesh rank 0
	Home  shape.Region // where the actors live, in ranks of the proc mesh; rank r of the mesh runs on proc First+Home.RankAt(r)
	View  shape.Region // the slice this reference stands for, in ranks of the mesh
	Lives []RankLife   // by rank: which incarnations are meant, where not the first ones
}

// RankLife says which incarnation of a rank is meant.
type RankLife struct {
	_    struct{} `cbor:",toarray"`
	Rank int      // of the mesh
	Life uint32   // how often it had been started anew, 1 or more
}

// Extent is the shape of the slice the reference stands for.
func (r MeshRef) Extent() shape.Extent { return r.View.Extent() }

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

// refArray is how a reference travels while all its ranks are in their first life, so that it is what it was before there were
// others; refLives is how it travels later.
type (
	refArray struct {
		_          struct{} `cbor:",toarray"`
		ID         uint64
		Name, Type string
		First      uint64
		Home, View shape.Region
	}
	refLives struct {
		_          struct{} `cbor:",toarray"`
		ID         uint64
		Name, Type string
		First      uint64
		Home, View shape.Region
		Lives      []RankLife
	}
)

// The first byte of the two forms: an array of 6 or of 7.
const (
	headRef   = 0x86
	headLives = 0x87
)

// MarshalCBOR is the array.
func (r MeshRef) MarshalCBOR() ([]byte, error) {
	if len(r.Lives) == 0 {
		return enc().Marshal(refArray{ID: r.ID, Name: r.Name, Type: r.Type, First: r.First, Home: r.Home, View: r.View})
	}
	return enc().Marshal(refLives{ID: r.ID, Name: r.Name, Type: r.Type, First: r.First, Home: r.Home, View: r.View, Lives: r.Lives})
}

// UnmarshalCBOR takes both forms.
func (r *MeshRef) UnmarshalCBOR(b []byte) error {
	if len(b) == 0 {
		return errors.New("a mesh reference of no bytes")
	}
	switch b[0] {
	case headRef:
		var w refArray
		if err := friendlyDec().Unmarshal(b, &w); err != nil {
			return err
		}
		*r = MeshRef{ID: w.ID, Name: w.Name, Type: w.Type, First: w.First, Home: w.Home, View: w.View}
	case headLives:
		var w refLives
		if err := friendlyDec().Unmarshal(b, &w); err != nil {
			return err
		}
		*r = MeshRef{ID: w.ID, Name: w.Name, Type: w.Type, First: w.First, Home: w.Home, View: w.View, Lives: w.Lives}
	default:
		return fmt.Errorf("a mesh reference begins with byte %#x, want an array of 6 or 7", b[0])
	}
	return nil
}
