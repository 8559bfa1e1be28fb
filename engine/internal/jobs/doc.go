// Package jobs keeps on disk what a session has launched on other machines, so that whoever comes after a controller that was killed
// can end what its schedulers still have: a job that is queued, a record that stays. What runs there ends itself.
//
// A note is a file in the user's state folder. It is locked as long as the process lives that wrote it, and the kernel lets go of the
// lock however that ends: no number of a process is compared, and a note on a machine that was switched off is left over too.
//
// Invariants; a test of this package names each:
//
//   - INV-LIVES: what a process that lives has noted is not left over.
//   - INV-LEFT: what a process has noted that has ended without taking it back is.
package jobs
