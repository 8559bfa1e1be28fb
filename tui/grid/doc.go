// Package grid is the explorer's pane [2], the ranks of one mesh as a grid: what each is doing, and which are selected.
//
// Four densities show from 1 to 65,536 ranks. In the first three a cell is a rank: LABEL writes its number, DOT its
// state's sign, HALF puts two ranks into one cell and speaks by colour only. In HEAT a cell is a group of ranks with the
// counts of their states. Two dimensions are the axes, a third is tiled across and a fourth down where that fits, and
// the others are pages. The density is the largest at which all ranks are seen at once, unless a person picks one; so
// pages and scrolling come only with a picked one.
//
// What a rank does is one measure of several: the cells can as well tell how full, busy, warm or hungry its GPU is, or how much
// memory its process has, by a bar of eight heights. In HEAT that is the largest of the group.
//
// A selection is a set of ranks of the mesh. It is written as the command language writes it, in as few words as there
// are, and read from the same text. Each mesh has its own selection, cursor, axes and zoom, by its id, and finds them
// again when it is shown again.
//
// The pane reads the world and never changes it. It sends no calls: what is selected is for others to use.
//
// Invariants, named where tests hold them:
//
//   - INV-ROUNDTRIP: the text of a selection, also the one on the screen, selects the same ranks.
//   - INV-CURSOR: whatever is done, and at every size, the cursor is on a rank of the view, and visible where a cell is.
//   - INV-SEEN: without a picked density every rank of the view is on the screen, alone or in a group.
//   - INV-SHAPE: what is told by colour, but for HALF, is told by a sign, a bracket or an attribute too.
package grid
