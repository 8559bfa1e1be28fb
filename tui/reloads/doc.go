// Package reloads is the tab of the reloads: how far the one is that goes on, what it came to for each rank, what the compiler says,
// which fields did not fit, and those before it. Where the source is watched, it tells of that, too.
//
// It shows what the session tells. It reloads nothing, and opens no editor: that is the root's business.
//
// INV-ROW: the cursor stays on its row as long as that is there; a new reload begins at its first row.
package reloads
