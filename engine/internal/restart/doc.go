// Package restart decides how often and how soon a rank that ended is started anew. It is pure: it has no clock, no goroutine
// and no I/O; the engine's hub asks it and does the rest.
//
// The rule is that of Erlang's supervisors (a number of restarts within a time, more are a failure of the whole), with waits
// between them that double, as Kubernetes has: a rank that cannot live does not keep a machine busy with starting it.
package restart
