// Package schema describes the types that travel in calls, so that a front end needs none of the user's Go types: it
// can show a signature, build a form, judge what a person typed, encode it, and print what came back.
//
// A Builder derives schemas from Go types and refuses types whose values do not survive the trip. ParseLiteral turns text
// into the CBOR that the Go type decodes. Format turns CBOR into text for people, Literal into text that ParseLiteral
// reads, and Value into values for expressions. The encoding is fxamacker/cbor's deterministic mode, with time as tagged
// RFC 3339 text.
//
// It is pure: no I/O, no goroutines, no clock. It does not encode Go values. It does not know which mesh a name stands
// for: its callers pass a Refs that does.
//
// Invariants, named by the tests:
//   - INV-SAME: for every Go value v of a type that the Builder accepts and whose schema holds no any, ParseLiteral
//     of Literal of v's CBOR is that CBOR, byte for byte.
//   - INV-HOSTILE: schemas and bodies from another process may be anything: nothing here panics on them, recurses without
//     bound, or prints a control character.
//   - INV-COLUMN: a LiteralError points at the rune where the bad token begins.
//   - INV-HASH: Hash depends on what travels (names of fields, kinds, widths), not on docs or names of Go types.
package schema
