// Package stream is the view of what goes on coming: messages, lines of logs. It follows the newest, stays where a
// person looks, and holds the past when that would leave the ring.
//
// It keeps rows and a window on them; what a row is, and how it is made of the ring, is the pane's business. It draws
// nothing.
//
// INV-STAY: while the view does not follow, the rows in the window stay where they are, whatever comes.
package stream
