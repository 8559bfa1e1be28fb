// Package shape is the geometry of meshes: extents (named dimensions), points, regions (strided views of a base mesh),
// slices, and selections written as text. It follows Monarch's semantics: row-major order, views that never copy,
// rank = offset + Σ index·stride; slicing a dimension by an int drops it, by a range keeps it.
//
// It is pure: no I/O, no goroutines, no clock. It knows nothing of actors or processes; where a selection names hosts it is
// told which rank is on which (HostOf).
//
// There are two numberings. A base rank counts in the mesh that was spawned; an index counts in one region, from 0 to
// Len-1. Region.RankAt and Region.IndexOf translate between them.
//
// Invariants, named by the tests:
//   - INV-ORDER: in a valid region a larger index means a larger base rank. Every operation here keeps it.
//   - INV-UNIQUE: a valid region holds each base rank at most once (it follows from INV-ORDER).
//   - INV-NONEMPTY: there is no empty region; what would select nothing is an error. The zero Region means "not given".
//   - INV-PARTITION: the regions that Cover and Resolve return hold every chosen rank exactly once and no other.
//   - INV-MONARCH: ParseRanks accepts and refuses what Monarch's ranks(…) grammar does.
//   - INV-HOSTILE: a value decoded from the wire is safe to use once its Validate returned nil, and safe to print before
//     that.
package shape
