// Package kept keeps the breakpoints of a program from one session to the next: in one file per program, which front ends
// bring up to date while they look on, and from which they set the breakpoints of a session that has none.
//
// What a file says is text of a person's own disk, and judged all the same: it is bounded, and one that cannot be read, or that
// another version has written, is told once and set aside, never overwritten.
//
// Several front ends may look on, at one session or at several of one program: INV-OTHERS: each adds and takes away what it has
// seen come and go, and leaves the rest of the file as it is.
package kept
