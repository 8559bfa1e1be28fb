// Package reloads holds tests only: worker processes of one build of a program whose places those of another build take.
//
// It is no library, and nothing imports it. What it holds of package engine:
//
//   - INV-RELOAD: a rank that moves to another build loses no message, handles none twice and none out of order, and keeps its
//     state; or it is where it was.
package reloads
