// Package stream is the view of what goes on coming: messages, lines of logs. It follows the newest, stays where a
// person looks, and holds the past when that would leave the ring.
//
// It keeps rows and a window on them; what a row is, how it is made of the ring and how it is drawn is the pane's
// business. Of the drawing only what the panes have in common is here: their frame, and what is said where there are no
// rows.
//
// INV-STAY: while the view does not follow, the rows in the window stay where they are, whatever comes.
package stream
