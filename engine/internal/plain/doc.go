// Package plain is a short way through the codec of users' values for the shapes that most arguments and results have:
// booleans, numbers, texts, bytes, and slices, arrays, pointers and structs of those. What a type needs is worked out once,
// and a value is then appended to a buffer without an allocation beside the growth of the buffer.
//
// It is no codec of its own. It writes what fxamacker/cbor writes in the mode of quicnet.Enc (core deterministic CBOR, RFC
// 8949, section 4.2.1), and reads a part of what quicnet.Dec reads. Types that it does not know (those with a codec of their
// own, times, interfaces, maps, embedded fields, types that contain themselves) and inputs that are not as Append writes them
// are left to the caller, who gives them to fxamacker/cbor. So no error is made here: whoever decodes them judges them.
//
// Invariants; a test of this package names each:
//
//   - INV-SAME: what Append writes, quicnet.Enc writes too, byte for byte; what Decode accepts, quicnet.Dec accepts too, and
//     the value is the same, bit for bit.
//   - INV-OWN: nothing that was decoded shares memory with the input.
//   - INV-BOUND: no more elements are allocated than the input has bytes, and no input makes it panic.
//   - INV-LEAN: Append allocates nothing where dst has room; Decode allocates the slices, texts and pointers of the value.
package plain
