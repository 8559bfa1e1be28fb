// Package kin ends what workers have started, together with the worker: also what has left its process group (setsid, a
// daemon), which a kill of the group does not reach.
//
// On Linux it does so in one of two ways, and How says which is in force:
//
//   - by cgroup: each worker is forked into a cgroup v2 of its own, below one of its session. The kernel counts whatever the
//     worker starts into it, and cgroup.kill ends all of it at once. It needs a cgroup in which this process may make others:
//     as root, or where systemd has delegated one (user@.service, Delegate=yes).
//   - by /proc, elsewhere: every worker has a mark in its environment, which whatever it starts inherits. What bears the mark
//     of a worker that has ended is killed, and the children of that. What has cleared its environment and left its process
//     group gets away.
//
// A subreaper would keep the orphans of the second way in reach whatever their environment is. But the orphans of everything
// that the program starts would become its children, and stay zombies that nobody waits for.
//
// Elsewhere, and where neither /proc nor a cgroup can be had, process groups are all there is.
//
// # The guard
//
// A controller that is killed ends nothing. Its workers see that and end themselves with what is in their cgroup, but one that
// is killed in the same moment (killall), or that stands in a debugger, cannot. So a session with workers has a guard, one
// more process of the same executable, which never gets as far as main: it waits for the end of the controller, at the other
// end of a pipe, and then ends whatever is left.
//
// Invariants; a test of this package names each:
//
//   - INV-KIN: what a worker has started ends with it, whatever sessions and process groups it has made.
//   - INV-GUARD: it ends with a controller that is killed, too, when its worker cannot see to that.
//   - INV-OTHERS: a process is killed through a pidfd, or by its number directly after a look at its start time, which with
//     the number names a process: nobody else who has got the number meanwhile is hit. What belongs to other workers stays.
package kin
