// Package twin holds an actor type whose name another package's test has too.
package twin

import "context"

// Acc has nothing to do with the other Acc.
type Acc struct{}

// Who tells which one it is.
func (Acc) Who(context.Context) (string, error) { return "twin", nil }
