package control

import (
	"context"
	"os"
	"path/filepath"
	"sync"
)

// local is the transport of a client in the program itself: the same semantics, no bytes. What it hands out is shared
// with the backend and is only to be read.
type local struct {
	b      Backend
	who    ClientInfo
	server Info
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup // verbs, calls and watches in flight
}

// InProcess makes a client of a backend in the same process. who.Role "" means control. Close detaches it.
func InProcess(b Backend, who ClientInfo) *Client {
	if who.Role != RoleViewer {
		who.Role = RoleControl
	}
	who.Version = MaxVersion
	snap, cancel := b.Subscribe(func(*Event) {})
	cancel()
	l := &local{b: b, who: b.Attach(who)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.server = infoOf(snap, MaxVersion)
	l.server.Client = l.who
	return newClient(l)
}

// infoOf describes the server from its own snapshot.
func infoOf(snap *Snapshot, version int) Info {
	info := Info{Version: version, Engine: snap.Session.Engine, Program: snap.Session.Program, Session: snap.Session.Name, PID: snap.Session.PID}
	if info.Program == "" {
		info.Program = filepath.Base(os.Args[0])
	}
	if info.PID == 0 {
		info.PID = os.Getpid()
	}
	return info
}

// begin counts one thing in flight; end must be called when ok.
func (l *local) begin(ctx context.Context) (_ context.Context, end func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, nil, ErrClosed
	}
	l.wg.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.ctx, cancel)
	return ctx, func() { stop(); cancel(); l.wg.Done() }, nil
}

func (l *local) handle(ctx context.Context, req any) (any, error) {
	name, acts := verbOf(req)
	if err := mayAct(l.who, name, acts); err != nil {
		return nil, err
	}
	ctx, end, err := l.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	return l.b.Handle(ctx, l.who, req)
}

func (l *local) call(ctx context.Context, req CallReq, reply func(Reply)) func() (CallDone, error) {
	fail := func(err error) func() (CallDone, error) {
		return func() (CallDone, error) { return CallDone{}, err }
	}
	if err := mayAct(l.who, verbCall, true); err != nil {
		return fail(err)
	}
	ctx, end, err := l.begin(ctx)
	if err != nil {
		return fail(err)
	}
	wait := l.b.StartCall(ctx, l.who, req, reply)
	return func() (CallDone, error) {
		defer end()
		return wait()
	}
}

func (l *local) watch(_ context.Context, topics []string) (*Watch, error) {
	wctx, end, err := l.begin(context.Background())
	if err != nil {
		return nil, err
	}
	f := newFeed(l.b, topics)
	stop := sync.OnceFunc(func() { f.stop(); end() })
	context.AfterFunc(wctx, stop)
	next := func(ctx context.Context) (Update, error) {
		for {
			select {
			case <-wctx.Done():
				return Update{}, ErrClosed
			case <-ctx.Done():
				return Update{}, ctx.Err()
			case <-f.wake:
				if u, ok := f.take(l.b); ok {
					return u, nil
				}
			}
		}
	}
	return &Watch{next: next, mark: f.mark, stop: stop}, nil
}

func (l *local) info() Info            { return l.server }
func (l *local) done() <-chan struct{} { return l.ctx.Done() }
func (l *local) err() error            { return nil }

func (l *local) close() error {
	l.mu.Lock()
	was := l.closed
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	l.wg.Wait()
	if !was {
		l.b.Detach(l.who)
	}
	return nil
}
