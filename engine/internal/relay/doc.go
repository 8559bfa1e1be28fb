// Package relay is what the engine needs where messages of one call go to the agent of a host once, for many ranks there, and what those
// say goes up together: how both are written, how long a frame waits for others (Fold), and which way a worker's next frame to the
// controller takes (Ways). Who sends and receives is the engine.
//
// Down, the body of a message is a list of the ranks, then their argument. Up, it is a list of whole envelopes. Numbers are
// unsigned varints (encoding/binary).
//
// Invariants; a test of this package names each:
//
//   - INV-ONEWAY: of two frames of a worker to the controller the first arrives first, whichever way each goes.
//   - INV-SAME: what is read is what was written, in its order.
//   - INV-HOSTILE: what nobody could have written is an error, and takes no more memory than it has bytes.
package relay
