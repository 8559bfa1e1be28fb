// Package invoke calls the methods that are endpoints: it decodes the arguments of a message, runs the method, and encodes its
// result. Methods of common forms are called directly, the others by reflection; nobody can tell the two apart but by their
// speed.
//
// Invariants; a test of this package names each:
//
//   - INV-ALIKE: a method called directly gets, does and gives what it would by reflection, with the same errors.
//   - INV-FRESH: nothing of one call is seen by another: arguments and results are zero when a Call is taken again.
//   - INV-LEAN: a direct call allocates what its values need, and nothing else.
package invoke
