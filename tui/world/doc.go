// Package world is what the explorer knows: the picture of the session, the last messages and lines, and counts of what
// was not kept. Panes read it; only the root model changes it, between two frames, so that drawing never locks.
//
// Invariants, named where tests hold them:
//
//   - INV-BOUND: memory does not grow with the number of events, only with the size of the mesh.
//   - INV-COUNT: what is thrown away is counted: Total minus First tells for each ring how many are gone, and
//     Replica.Dropped what never came.
package world
