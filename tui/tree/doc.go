// Package tree is the explorer's pane [1], all that a session has: its proc meshes with their hosts and processes, the
// actor meshes that live on them, and their actors.
//
// A proc mesh lists its actor meshes first: they are what a person looks for. An actor mesh opens into its states, the
// worst first, each with its ranks; a host into its processes; a process into its actors. Hosts are left out where there
// is only one, the controller's own; those that a launcher was asked for are there as soon as it was, with their state and why they
// wait. Long rows of processes that are all in one state are folded into one line.
//
// The pane knows nothing of selections on the grid, and opens nothing: it tells what is under its cursor.
//
// Invariants, named where tests hold them:
//
//   - INV-CURSOR: the cursor stays on its thing, not on its line, when lines come and go; it is always on a line.
//   - INV-WORST: a line that hides others shows the worst of their states.
//   - INV-LAZY: a frame in which the world did not change costs what is visible (BenchmarkScroll).
package tree
