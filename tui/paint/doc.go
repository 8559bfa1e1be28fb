// Package paint draws screens: a Surface of cells, frames with titles in their borders, and the themes.
//
// Panes draw text with roles, never with colours: a Theme says what a role looks like. Drawing is clipped to the
// surface, so that a pane cannot leave its rectangle whatever it does. A row is encoded in runs of equal style, which
// is what keeps a grid of 4,096 ranks cheap (BenchmarkEncode).
//
// The package knows nothing of meshes and holds no state of the program. It is not a widget library.
//
// Invariants, named where tests hold them:
//
//   - INV-BOX: drawing on a sub-surface changes no cell outside it, whatever the text, the place and the size.
//   - INV-WIDTH: an encoded row is exactly as wide as the surface.
//   - INV-CLEAN: no control byte that was in a text reaches the encoded screen.
//   - INV-ASCII: with Theme.ASCII set an encoded screen is pure ASCII, cell for cell the same layout.
package paint
