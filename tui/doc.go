// Package tui is the explorer: the Bubble Tea program in which a person makes meshes, picks ranks, fires calls and
// watches what happens.
//
// It is a client of engine/control like any other front end, and acts through the command language of debugger/script:
// whatever a key does is a command that the log shows and save writes. It knows nothing below those two.
//
// One Model is the only tea.Model. Panes are plain structs in packages of their own (grid, tree, inspect, messages, top,
// logs, breaks, calls) that draw on a paint.Surface; slots is the table of what the screen shows, a tab each; package dialog has what
// opens on top. World holds what is known of the session. Its updates come as one message per frame: the control watch
// between two frames is the bounded queue, and counts what it had to drop.
//
// Invariants, named where tests hold them:
//
//   - INV-SIZE: whatever the size of the terminal, nothing panics, every row is as wide as the screen, and no pane draws
//     beyond its box.
//   - INV-KEYS: one key has one meaning in one place, and the documents about keys are made of the table that runs them.
//   - INV-HINTS: a text that tells of a key names the action, and shows the key that is bound to it.
//   - INV-SAME: an action from a key, the palette, the help menu, the mouse or the ':' line is the same command.
//   - INV-ORDER: keys go to the topmost overlay, else to the open input, else to the focused pane, else to the program;
//     those that leave, suspend or redraw work anywhere.
//   - INV-LATE: the result of something that was asked for before the connection, the selection or the form changed is
//     thrown away.
//   - INV-BACK: a command that looks back (expect, let, save, ${…}) judges what the command gave that was typed before
//     it, wherever that ran, and waits until it has ended.
//   - INV-CALM: a stop that comes takes neither the focus nor a key from what a person is doing, and for a moment the keys
//     that would let it go on do nothing.
//   - INV-COUNT: what was dropped, folded, hidden or is old is told where it is missing.
package tui
