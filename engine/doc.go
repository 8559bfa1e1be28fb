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
// A mesh is a value: it can be sliced, given other dimensions, and sent in arguments, struct fields and results. There is a
// binder for each form of method (Method, Action, Query, Signal; Method2, Action2, Method3 and Action3 for two and three
// arguments), and six adverbs on each: Start, Call, CallOne, Choose, Stream and Broadcast.
//
// # Endpoints
//
// The endpoints of an actor type are the exported methods of *T, promoted ones among them, with one of these forms:
//
//	func (t *T) M(ctx context.Context, a A) (R, error)             // Method
//	func (t *T) M(ctx context.Context, a A) error                  // Action
//	func (t *T) M(ctx context.Context) (R, error)                  // Query
//	func (t *T) M(ctx context.Context) error                       // Signal
//	func (t *T) M(ctx context.Context, a A, b B) (R, error)        // Method2
//	func (t *T) M(ctx context.Context, a A, b B) error             // Action2
//	func (t *T) M(ctx context.Context, a A, b B, c C) (R, error)   // Method3
//	func (t *T) M(ctx context.Context, a A, b B, c C) error        // Action3
//
// Scripts and forms know arguments by their names, where the source or debug information of the program is there to tell
// them. More than three arguments are a struct, and so are better two that belong together: its fields keep their names
// everywhere, can have docs, and one that is added later breaks no caller. A method that looks like an endpoint and is none
// is told of when the engine starts: see Register. Hooks, such as OnStart, are no endpoints.
//
// # Values that travel
//
// Arguments, results, exported fields and values of ports are copied. Exported fields travel, unexported ones do not; what
// cannot travel (funcs, channels, interfaces with methods, structs that have only unexported fields) is refused by Register,
// and in an any when it is sent. In an any arrive: bool, uint64 and, of negative numbers, int64, float64, string, []byte,
// time.Time, []any, map[string]any (map[any]any where a key is no text) and nil; a struct arrives as a map, a
// type with a MarshalBinary as []byte, a zero time.Time as nil. Errors, meshes and ports in an any are refused: they would
// not arrive as such.
//
// A time.Time keeps its instant to the nanosecond, and its offset from UTC in whole minutes: where the offset has seconds
// they are cut off, and the wall clock moves with them. Its monotonic reading and the name of its zone stay behind. Years
// before 0 and after 9999 are refused.
//
// # Deadlines
//
// The context of a handler ends when its caller's does, and as that did: with context.DeadlineExceeded where the time was
// over, in calls within calls too, else with context.Canceled.
//
// WithTimeout gives a deadline by the engine's clock, which stands still while the debugger keeps an actor stopped; those of
// package context run on.
//
// # The debugger
//
// Every program that runs under Main can be debugged as it is: front ends set breakpoints from outside, and only the actor that
// hits one stops. Break stops an endpoint from inside, for as long as a front end wants, and no longer than the session's grace
// time where there is none. Acquire takes a lock that all processes know by its name, and whose waits the wait-for graph shows.
//
// # Other machines
//
// Hosts and Via put a mesh on machines that the site has a way to. There the program runs once more as an agent, before main gets
// beyond Main, and the agent starts the ranks: what stands before Main runs in agents too (InWorker). Ranks elsewhere have the
// environment and the folder of their machine; Sync brings files there. A message to many ranks goes to each agent once (Wide).
//
// # Processes
//
// Controller and workers are the same binary: main registers the actor types and calls Main, which runs the program's
// function in the controller and the worker loop in the processes that SpawnProcs started.
//
// The heap of a worker that handles very many small messages may grow to 16 MiB before it is collected, as long as that is so. GOGC,
// GOMEMLIMIT and debug.SetGCPercent count as everywhere: where one of them is set the engine leaves the heap alone.
//
// While a program runs its ranks can move to another build of it, with their state and without losing a message: ProcMesh.Reload
// says how; what it promises is in engine/internal/reloads.
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
//   - INV-ENDED: an end by order is told as such: a call or a spawn on what was stopped or killed is ErrStopped, and another
//     stop or kill of it is no error. An order means the mesh of the reference, never a successor that has its name.
//   - INV-ORPHAN: no worker outlives the controller; on another machine by no more than its lease.
//   - INV-BOUND: every queue has a limit. At the limit a sender waits or gets an error, or the oldest entry is dropped and
//     counted.
//
// Lock order: call.telling and fleet.noting, then hub.mu, then any of the others; actor.mu before activation.mu, before that of probe.Agent, and
// before that of clock.Context, which comes before that of clock.Clock. Otherwise no lock is held while another is taken (the
// mutexes of actorTable, callTable, requestTable, portTable, peers, windows, targetCache, lockTable, outbox, call, endWatch, clock.Clock
// and clock.Context, telemetry, memLink, memEnd, readers, output, pipes and channelState; reporter.mu may be taken under
// windows.mu, and so may activation.mu; and that of chaos.Messages under actor.mu), and none while user code runs or a frame is sent: within a process a sender may
// hand its frame over itself. That of chaos.Agent is held while the rules of the socket are set, which takes those of package
// carrier and of package fault, and sends what was held up; reporter.mu may be taken under it. That of
// relay.Ways is held while the link says whether all was received, that of relay.Fold while a batch is put into the outbox, and that of
// relayer too. Who looks at a parked frame holds that frame's own lock meanwhile: the frame waits for it, nobody else does.
package engine
