// Package dialog is what opens on top of the panes: a form, a list to choose from, a box of text, a question. A dialog
// draws itself on a paint.Surface and takes keys while it is the topmost one.
//
// It knows no pane, no session and no program: what a dialog does is a function that its maker hands in, and what it
// needs of the program that shows it is the Host.
//
// Invariants, named where tests hold them:
//
//   - INV-JUDGED: a form is submitted only when none of its fields has an error and nothing blocks it.
//   - INV-CHOICE: the cursor of a picker is on a row that can be chosen, never on a heading, where there is such a row.
//   - INV-WORD: a question that wants a word does nothing before that word was typed.
package dialog
