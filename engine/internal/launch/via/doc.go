// Package via starts the program on other machines, by what the site has for that: ssh, Slurm, Kubernetes, or any command that starts
// one process on each of some hosts, as mpirun does. What it starts is an agent, one per host: the engine's program again, which
// starts the workers there. It is no scheduler: each launcher is a thin layer over the site's own client, so that its
// configuration, its keys and its queues are used, and its own words are what a person reads.
//
// Nothing is carried over what a client prints: agents report over a connection of their own. A secret reaches an agent through its
// stdin or a file that only the user may read, never in arguments, the environment or a scheduler's records.
package via
