// Package breaks is the tab of the breakpoints: where actors are stopped, on which ranks, how often that was, and of the one
// under the cursor all that is known.
//
// It shows what the session tells of its breakpoints. It sets none and lets nobody go on: that is the root's business.
//
// INV-ROW: the cursor stays on its breakpoint, whichever come and go, as long as it is there.
package breaks
