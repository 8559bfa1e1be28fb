// Package group shows what one expression is on many ranks, so that a person sees at once which ranks are different: equal
// values make one row with their ranks folded, numbers get their spread, a line of bars by rank, and the ranks that stand out.
//
// It evaluates nothing and asks nobody: it is given a value or an error for each rank. What is equal is engine/eval's rule.
// A width counts characters, as everywhere below tui/paint.
//
// Which ranks stand out: those without a value, those whose number is NaN or infinite, those whose value is not a number
// where most are, and of the finite numbers x those with |M| > 3.5, where
//
//	M = 0.6745 · (x − median) / MAD,     MAD = median of |x − median|
//
// the modified z-score of B. Iglewicz and D. Hoaglin, How to Detect and Handle Outliers (ASQC, 1993), with their limit. It
// rests on medians, so that the ranks that are wrong do not hide themselves as they would in a standard deviation. Where
// more than half of the values are equal MAD is 0; then M = (x − median) / (1.2533 · mean of |x − median|), which is
// the same for normally distributed values. Of four ranks or fewer that rule calls none an outlier: the groups show it.
//
// Invariants, named by the tests:
//
//   - INV-ONCE: each rank is in exactly one group.
//   - INV-EQUAL: two ranks are in one group if and only if eval.Equal says that their values are equal, or would if NaN
//     equalled itself. What cannot be judged whole, because it was cut, is grouped by what was read of it and marked.
//   - INV-STEADY: the order in which the values come does not matter.
//   - INV-SEEN: a rank that stands out is seen in the line of bars, however many ranks share a cell.
//   - INV-SAFE: no line is longer than the width, and none holds what a terminal acts on.
package group
