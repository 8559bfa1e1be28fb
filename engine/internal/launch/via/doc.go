// Package via starts the program on other machines, by what the site has for that: ssh, Slurm, Kubernetes, or any command that starts
// one process on each of some hosts, as mpirun does. What it starts is an agent, one per host: the engine's program again, which
// starts the workers there. It is no scheduler: each launcher is a thin layer over the site's own client, so that its
// configuration, its keys and its queues are used, and its own words are what a person reads.
//
// Nothing is carried over what a client prints: agents report over a connection of their own. A secret reaches an agent through its
// stdin or a file that only the user may read, never in arguments, the environment or a scheduler's records.
//
// On the hosts of ssh and Slurm a script of ours (agent.sh) runs before the program does: it says what the host is, finds the program
// in a folder of the user's or has it copied there, and verifies it by its checksum. It is read from stdin, like the secret.
//
// Invariants; a test of this package names each:
//
//   - INV-SECRET: the secret is in no arguments, no environment and no scheduler's records, and in no file that others may read.
//   - INV-GONE: when a client is gone, by whatever cause, agents whose stdin is their lifeline read its end; when this process is gone,
//     so are its clients, and what waits in a queue for them. Slurm has an exception: of a node that it has given up (no answer from its daemon) it ends
//     nothing and lets go of stdin, so that an agent there needs a lease as well. So do the pods of Kubernetes, which have no lifeline; and
//     of a node that does not answer it lists a pod until that is back or was removed: nothing runs any more, and who cancels is told.
//     A connection that a session keeps is a client too.
//   - INV-WHOLE: a program runs on a host only after its checksum was compared there, of this very file as it is: who has touched it
//     since, even without changing it, has it compared again.
package via
