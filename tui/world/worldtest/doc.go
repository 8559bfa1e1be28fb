// Package worldtest builds worlds for tests of panes, without an engine: what a test says becomes events that the world
// applies, as those of an engine would. Its clock stands still until a test moves it.
//
// It is for tests only, and knows no pane.
package worldtest
