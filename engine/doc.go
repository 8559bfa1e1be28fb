// Package engine runs actors on meshes of worker processes.
//
// An actor is a Go struct. Its endpoints are methods that can be called from any process of the session. SpawnProcs
// starts a grid of worker processes with named dimensions, Spawn puts one actor on each, and a call names an endpoint by
// its method expression:
//
//	procs, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 4))
//	toys, err := engine.Spawn(ctx, procs, "toys", Toy{Greeting: "hey"})
//	err = engine.Action(toys, (*Toy).HelloWorld).Call(ctx, "there")
//
// A mesh is a value: it can be sliced, and sent in arguments, struct fields and results. There are four binders, one for
// each form of method (Method, Action, Query, Signal), and six adverbs on each: Start, Call, CallOne, Choose, Stream and
// Broadcast.
//
// Controller and workers are the same binary: main registers the actor types and calls Main, which runs the program's
// function in the controller and the worker loop in the processes that SpawnProcs started.
//
// The engine is no scheduler, no database and no cluster manager. The controller is one process; when it ends, everything
// that it started ends.
//
// Invariants; a test of this package names each:
//
//   - INV-ORDER: messages of one sender to one receiver are handled in the order they were sent, each at most once.
//   - INV-ONE: an actor handles one message at a time, except for endpoints that were registered with Concurrent.
//   - INV-OUTCOME: every rank of a call has exactly one outcome: a value, or a *RankError that says why there is none.
//   - INV-CYCLE: a call that could only wait for itself fails when the wait begins; the error names the cycle.
//   - INV-ORPHAN: no worker outlives the controller.
//   - INV-BOUND: every queue has a limit. At the limit a sender waits or gets an error, or the oldest entry is dropped and
//     counted.
//
// Lock order: call.telling, then hub.mu, then any of the others; actor.mu before activation.mu. Otherwise no lock is held
// while another is taken (the mutexes of actorTable, callTable, requestTable, portTable, peers, windows, viewCache, outbox,
// call, msgContext, telemetry, memLink, memEnd, output, pipes and channelState), and none while user code runs or a frame is sent.
package engine
