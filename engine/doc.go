// Package engine runs actors on meshes of worker processes.
//
// An actor is a Go struct; its endpoints are methods that can be called from anywhere. SpawnProcs starts a grid of
// worker processes with named dimensions, Spawn puts one actor on each, and a call binds a method expression to the
// mesh it got back:
//
//	procs, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 4))
//	toys, err := engine.Spawn(ctx, procs, "toys", Toy{Greeting: "hey"})
//	err = engine.Action(toys, (*Toy).HelloWorld).Call(ctx, "there")
//
// A mesh is a value: it slices, is compared by nobody, travels in arguments, struct fields and replies. There are four
// binders, one per form of method (Method, Action, Query, Signal), and six adverbs on each: Start, Call, CallOne,
// Choose, Stream and Broadcast.
//
// The same binary is the worker: main registers the actor types and calls Main, which runs the program's function in
// the controller and the worker loop in the processes that SpawnProcs started.
//
// The engine is not a scheduler, not a database and not a cluster manager: the controller is one process, and when it
// ends everything it started ends.
//
// Invariants, named where tests hold them:
//
//   - INV-ORDER: messages of one sender to one receiver are handled in the order they were sent, each at most once.
//   - INV-ONE: an actor handles one message at a time, but for endpoints registered with Concurrent.
//   - INV-OUTCOME: every rank of a call ends in exactly one outcome: a value or a *RankError that says why.
//   - INV-CYCLE: a call that could only wait for itself fails when the wait begins, with the path.
//   - INV-ORPHAN: no worker outlives the controller.
//   - INV-BOUND: no queue grows without limit; a sender waits, or gets an error, before it does.
//
// Lock order: call.telling, then hub.mu, then any of the others; actor.mu before activation.mu. Apart from that none is
// held while another is taken (node.mu, node.wmu, node.rmu, node.amu, call.mu, telemetry.mu, memLink.mu, memEnd.mu,
// output.mu, pipes.mu, channelState.mu), and none while user code runs or a frame is sent.
package engine
