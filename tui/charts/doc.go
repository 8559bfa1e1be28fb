// Package charts is the tab of the figures that actors report (engine.Metric): of each, the mean over its ranks as a curve over
// what it was reported for, such as the steps of a training, with the ranks that are lowest and highest in the last of them.
//
// It draws what it is given and asks nobody: the root reads the figures while the tab is open. The curve itself is drawn by
// asciigraph.
//
// INV-ROW: the cursor stays on its figure, whichever others come.
package charts
