// Command bench measures the engine beside what one would use instead, in one run: raw quic-go streams, gRPC (unary and
// a bidirectional stream) and Monarch itself, where Python has it; its debugger beside Delve. It prints Markdown tables of medians with least and
// most, and ratios.
//
// Absolute figures of a shared machine mean little, so competitors take turns within each repetition and a ratio is the
// median of the ratios of repetitions. A round trip depends on where the two processes run: on one CPU a wake-up is a
// context switch, on two it is an interrupt to the other. So both placements are measured, pinned with taskset, and
// every process, ours and others, has one CPU. All transports have TLS 1.3 both ways with P-256 certificates.
//
// The debugger's peer is Delve, on the same worker process and by turns who is first. Attaching with Delve includes the
// start of its program and the reading of the binary, which is how one uses it; ours is a front end's connection.
//
// It is a module of its own, so that what it compares with never enters the engine's go.mod.
package main
