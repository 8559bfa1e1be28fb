// Package stream is the view of a stream: messages, lines of logs. It follows the newest row, stays where a person looks,
// and holds a copy of the past when that would be evicted from the ring.
//
// It keeps rows and a window on them; what a row is, how it is made of the ring and how it is drawn is the pane's
// business. An Index keeps up with the ring for it. Of the drawing only what the panes have in common is here: their
// frame, and what is said where there are no rows.
//
// INV-STAY: while the view does not follow, the rows in the window stay where they are, whatever comes.
package stream
