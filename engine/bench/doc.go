// Command bench measures the engine beside what one would use instead, in one run: raw quic-go streams, gRPC (unary and
// a bidirectional stream), NATS, ergo, hollywood, protoactor-go, goakt and net/rpc, and Monarch itself, where Python has it; its
// debugger beside Delve. It prints Markdown tables of medians with least and most, ratios, and at the end what the engine is to reach
// and what it reaches.
//
// Absolute figures of a shared machine mean little, so competitors take turns within each repetition and a ratio is the
// median of the ratios of repetitions. A round trip depends on where the two processes run: on one CPU a wake-up is a
// context switch, on two it is an interrupt to the other. So both placements are measured, pinned with taskset, and
// every process, ours and others, has one CPU; round trips also where nothing is pinned. All transports have TLS 1.3 both
// ways with P-256 certificates. Where many call at once each eighth call is timed: two readings of the clock a call would be a tenth
// of what is measured.
//
// The tables, by the names that -only takes:
//
//   - codec: what a call costs to encode and decode, in this process
//   - calls, peers: calls of 16 bytes, by 1, 64 and 1,024 callers; peers are the frameworks of which each is a program of its own
//   - bulk: bodies of 1 MiB, and small calls beside them on the same connection
//   - busy: calls while other processes compute on all CPUs, by the engine's carrier and by plain UDP
//   - inprocess: a call to an actor of the same process; -base names the program local, built on an older engine, to compare
//     with: copy local and measure into engine/bench of a checkout of the older commit, and build local there
//   - start, fanout, idle: many workers: their start, a call on all of them, their memory; beside processes that do nothing, a
//     gRPC stream to each of as many processes, and a process that has quic-go alone
//   - stop: a stop of the debugger
//
// A peer that links much would weigh in every process of the program that has it, so the frameworks (peers/...), the start-up
// (start), calls within a process (local) and the bare process (bare) are programs of their own, which `make bench` builds and
// this one finds beside itself. measure is what they share.
//
// ergo is measured in its version 2 and goakt in 3.0.0: where this was made, the modules of newer ones could not be fetched and
// verified, and what cannot be pinned and tried is not written. goakt is a module of its own, because what it needs would change
// the versions that others are measured with; where it cannot be built it takes no part.
//
// The debugger's peer is Delve, on the same worker process and by turns who is first. Attaching with Delve includes the
// start of its program and the reading of the binary, which is how one uses it; ours is a front end's connection.
//
// It is a module of its own, so that what it compares with never enters the engine's go.mod.
package main
