// Package top is the tab that tells where the work is: of each actor, or of each mesh, how many messages it handles a
// second, which share of the time it is busy, how many messages wait for it, and how long its callers wait for an answer.
//
// What is counted comes from the session: how many messages an actor has handled, for how long, and how many wait. What is
// timed comes from the answers that were seen. A figure that nothing tells is "–", and is in no sum. Numbers and order change
// once a second, so that a row can be read.
//
// It judges nothing and sends nothing: what is done to the row under the cursor is the root's business.
//
// INV-ROW: the cursor stays on its actor, whatever the order becomes, as long as the actor is in the table.
package top
