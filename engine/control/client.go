package control

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Client is what a front end talks to. It is safe for concurrent use. Every verb returns an error that says what
// failed and why; *Error where it came from the server, the context's error where the context ended the wait, an error
// that is ErrClosed when the session or the connection has ended.
type Client struct {
	t transport

	mu     sync.Mutex
	nextID uint64
	calls  map[uint64]context.CancelCauseFunc // by CallReq.ID
}

// transport is how a client reaches the backend: directly, or through a connection.
type transport interface {
	// handle runs one verb other than call, watch and snapshot.
	handle(ctx context.Context, req any) (any, error)
	// call sends a call; wait is the rest of it, and must be called.
	call(ctx context.Context, req CallReq, reply func(Reply)) (wait func() (CallDone, error))
	watch(ctx context.Context, topics []string) (*Watch, error)
	info() Info
	done() <-chan struct{}
	err() error
	close() error
}

func newClient(t transport) *Client {
	return &Client{t: t, calls: make(map[uint64]context.CancelCauseFunc)}
}

// Info describes the server and this client.
func (c *Client) Info() Info { return c.t.info() }

// Done is closed when the connection to the session has ended; Err then says why.
func (c *Client) Done() <-chan struct{} { return c.t.done() }

// Err says why the connection ended, in words; nil while it stands and after Close.
func (c *Client) Err() error { return c.t.err() }

// Close leaves the session: calls of this client are cancelled, its watches end, and its goroutines have ended when it
// returns.
func (c *Client) Close() error { return c.t.close() }

// ask runs a verb and checks the type of its answer.
func ask[A any](ctx context.Context, c *Client, req any) (A, error) {
	var none A
	v, err := c.t.handle(ctx, req)
	if err != nil {
		return none, err
	}
	a, ok := v.(A)
	if !ok {
		return none, errorf(CodeFailed, "%T: the engine answered with a %T, want a %T", req, v, none)
	}
	return a, nil
}

// Procs creates a proc mesh and returns when every rank is ready.
func (c *Client) Procs(ctx context.Context, req ProcsReq) (ProcMesh, error) {
	return ask[ProcMesh](ctx, c, req)
}

// Spawn creates an actor mesh and returns when every rank is ready.
func (c *Client) Spawn(ctx context.Context, req SpawnReq) (Mesh, error) {
	return ask[Mesh](ctx, c, req)
}

// Stop ends a proc mesh or an actor mesh in order.
func (c *Client) Stop(ctx context.Context, req StopReq) error {
	_, err := c.t.handle(ctx, req)
	return err
}

// Kill kills procs, or abandons actors, at once.
func (c *Client) Kill(ctx context.Context, req KillReq) error {
	_, err := c.t.handle(ctx, req)
	return err
}

// Restart begins a new life of ranks that have ended.
func (c *Client) Restart(ctx context.Context, req RestartReq) error {
	_, err := c.t.handle(ctx, req)
	return err
}

// Sync brings files to the hosts of a proc mesh.
func (c *Client) Sync(ctx context.Context, req SyncReq) (Synced, error) {
	return ask[Synced](ctx, c, req)
}

// Reload moves ranks to another build of the program. A reload that failed is no error: Reload says so.
func (c *Client) Reload(ctx context.Context, req ReloadReq) (Reload, error) {
	return ask[Reload](ctx, c, req)
}

// State reads the state of actors between two messages: one node per rank, in the order of the ranks asked for.
func (c *Client) State(ctx context.Context, req StateReq) ([]StateNode, error) {
	return ask[[]StateNode](ctx, c, req)
}

// Logs reads back the last lines, oldest first.
func (c *Client) Logs(ctx context.Context, req LogsReq) ([]Log, error) {
	return ask[[]Log](ctx, c, req)
}

// Metrics reads back the figures that actors reported.
func (c *Client) Metrics(ctx context.Context, req MetricsReq) ([]Series, error) {
	return ask[[]Series](ctx, c, req)
}

// Messages reads back the last messages that were reported, oldest first.
func (c *Client) Messages(ctx context.Context, req MessagesReq) (MessageLog, error) {
	return ask[MessageLog](ctx, c, req)
}

// Flush waits until everything that ranks printed before has reached the event stream.
func (c *Client) Flush(ctx context.Context, req FlushReq) error {
	_, err := c.t.handle(ctx, req)
	return err
}

// Hold freezes the engine's deadlines for a while; 0 ends the hold.
func (c *Client) Hold(ctx context.Context, ttl time.Duration) error {
	_, err := c.t.handle(ctx, HoldReq{TTL: ttl})
	return err
}

// Probe asks engine/probe of each rank. A probe that the program was built without is an *Error with CodeUnsupported.
func (c *Client) Probe(ctx context.Context, req ProbeReq) ([]ProbeReply, error) {
	return ask[[]ProbeReply](ctx, c, req)
}

// probeOne asks one target and decodes its answer.
func probeOne[A any](ctx context.Context, c *Client, req ProbeReq, query any) (A, error) {
	var a A
	all, err := probeAll[A](ctx, c, req, query)
	switch {
	case err != nil:
		return a, err
	case len(all) != 1:
		return a, errorf(CodeFailed, "probe %s: %d answers, want one", req.Name, len(all))
	case all[0].Error != "":
		return a, errorf(CodeFailed, "%s", all[0].Error)
	}
	return all[0].Answer, nil
}

// Probed is one rank's answer to a probe.
type Probed[A any] struct {
	Proc   uint64
	Rank   int
	Answer A
	Error  string // "" with an answer
}

func probeAll[A any](ctx context.Context, c *Client, req ProbeReq, query any) ([]Probed[A], error) {
	var err error
	if query != nil {
		if req.Body, err = enc().Marshal(query); err != nil {
			return nil, err
		}
	}
	replies, err := c.Probe(ctx, req)
	if err != nil {
		return nil, err
	}
	out := make([]Probed[A], len(replies))
	for i, r := range replies {
		out[i] = Probed[A]{Proc: r.Proc, Rank: r.Rank, Error: r.Error}
		if r.Error == "" {
			if err := friendlyDec().Unmarshal(r.Body, &out[i].Answer); err != nil {
				out[i].Error = fmt.Sprintf("the answer to probe %s does not decode: %v", req.Name, err)
			}
		}
	}
	return out, nil
}

// Frame looks at a stopped frame.
func (c *Client) Frame(ctx context.Context, stop StopRef, q FrameQuery) (FrameView, error) {
	return probeOne[FrameView](ctx, c, ProbeReq{Stop: stop, Name: ProbeFrame}, q)
}

// EvalAt evaluates an expression at a stopped frame.
func (c *Client) EvalAt(ctx context.Context, stop StopRef, expr string) (Value, error) {
	return probeOne[Value](ctx, c, ProbeReq{Stop: stop, Name: ProbeEval}, EvalQuery{Expr: expr})
}

// EvalOver evaluates an expression about the state of actors: one answer per rank, in the order asked.
func (c *Client) EvalOver(ctx context.Context, mesh string, ranks []int, expr string) ([]Probed[Value], error) {
	return probeAll[Value](ctx, c, ProbeReq{Mesh: mesh, Ranks: ranks, Name: ProbeEval}, EvalQuery{Expr: expr})
}

// Mailboxes shows what waits for actors.
func (c *Client) Mailboxes(ctx context.Context, mesh string, ranks []int, q MailboxQuery) ([]Probed[Mailbox], error) {
	return probeAll[Mailbox](ctx, c, ProbeReq{Mesh: mesh, Ranks: ranks, Name: ProbeMailbox}, q)
}

// Stacks reads the goroutines of the processes of a proc mesh, or of all processes and the controller: profiles as
// runtime/pprof writes them.
func (c *Client) Stacks(ctx context.Context, procs string, ranks []int) ([]Probed[[]byte], error) {
	return probeAll[[]byte](ctx, c, ProbeReq{Procs: procs, Ranks: ranks, Name: ProbeStacks}, nil)
}

// Env is the environment of the process in which a frame is stopped.
func (c *Client) Env(ctx context.Context, stop StopRef) ([]string, error) {
	return probeOne[[]string](ctx, c, ProbeReq{Stop: stop, Name: ProbeEnv}, nil)
}

// Edit changes something of a stopped frame, or of an actor that stands still.
func (c *Client) Edit(ctx context.Context, req EditReq) (Edited, error) {
	return ask[Edited](ctx, c, req)
}

// Breaks sets, changes and removes breakpoints, and gives them as they are now.
func (c *Client) Breaks(ctx context.Context, req BreaksReq) ([]Breakpoint, error) {
	return ask[[]Breakpoint](ctx, c, req)
}

// Resume lets stopped frames go on. Of two clients that resume one stop exactly one does; the other is told by whom.
func (c *Client) Resume(ctx context.Context, req ResumeReq) ([]Resumed, error) {
	return ask[[]Resumed](ctx, c, req)
}

// Pause has actors stop at their next site.
func (c *Client) Pause(ctx context.Context, req PauseReq) error {
	_, err := c.t.handle(ctx, req)
	return err
}

// Policy sets what is done about stopped frames when the last front end has left, and gives the debugger's state.
func (c *Client) Policy(ctx context.Context, req PolicyReq) (DebugState, error) {
	return ask[DebugState](ctx, c, req)
}

// Fault injects a fault, and returns when it acts.
func (c *Client) Fault(ctx context.Context, req FaultReq) (Fault, error) {
	return ask[Fault](ctx, c, req)
}

// Heal ends faults. It says which, or which of their ranks.
func (c *Client) Heal(ctx context.Context, req HealReq) ([]Fault, error) {
	return ask[[]Fault](ctx, c, req)
}

// Snapshot returns the session as it is now. A front end that follows it wants Watch.
func (c *Client) Snapshot(ctx context.Context) (*Snapshot, error) {
	w, err := c.Watch(ctx, TopicState)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	for {
		u, err := w.Next(ctx)
		if err != nil || u.Snapshot != nil {
			return u.Snapshot, err
		}
	}
}

// Watch is the stream of updates of a session.
type Watch struct {
	next func(context.Context) (Update, error)
	mark func(token uint64)
	stop func()
}

// Watch begins a stream of updates: first a snapshot, then the events after it, in batches. No topics means all. A
// client that takes updates too slowly gets a Dropped event with the count, and a fresh snapshot where its replica
// would have become wrong. Whatever happens after Watch has returned is in the snapshot or in an event.
func (c *Client) Watch(ctx context.Context, topics ...string) (*Watch, error) {
	for _, t := range topics {
		if t != TopicState && t != TopicLogs && t != TopicMessages {
			return nil, fmt.Errorf("watch: no topic %q (have %s, %s, %s)", t, TopicState, TopicLogs, TopicMessages)
		}
	}
	return c.t.watch(ctx, topics)
}

// Next waits for the next update. An error is final: the context's, or one that is ErrClosed. Next is for one
// goroutine at a time.
func (w *Watch) Next(ctx context.Context) (Update, error) { return w.next(ctx) }

// Sync asks for a mark in the stream: an Update with this Sync comes after everything that happened before the call.
// Tokens grow, from 1; of two that are under way only the larger may be told. It does not wait.
func (w *Watch) Sync(token uint64) { w.mark(token) }

// Close ends the watch. Next then returns ErrClosed.
func (w *Watch) Close() { w.stop() }
