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
	gate   *gate
	server Info
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup // verbs, calls and watches in flight
}

// InProcess makes a client of a backend in the same process. who.Role "" means control. Close detaches it.
func InProcess(b Backend, who ClientInfo) *Client {
	if who.Role != RoleViewer && who.Role != RoleDebug {
		who.Role = RoleControl
	}
	who.Version = MaxVersion
	l := new(local)
	l.gate, l.server = attach(b, who)
	l.ctx, l.cancel = context.WithCancel(context.Background())
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

// begin gets a permit for a request and counts one thing in flight; end must be called when err is nil.
func (l *local) begin(ctx context.Context, req any) (_ context.Context, ok permit, end func(), err error) {
	v, err := verbOf(req)
	if err != nil {
		return nil, ok, nil, err
	}
	if ok, err = l.gate.permit(v); err != nil {
		return nil, ok, nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ok, nil, ErrClosed
	}
	l.wg.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.ctx, cancel)
	return ctx, ok, func() { stop(); cancel(); l.wg.Done() }, nil
}

func (l *local) handle(ctx context.Context, req any) (any, error) {
	ctx, ok, end, err := l.begin(ctx, req)
	if err != nil {
		return nil, err
	}
	defer end()
	return ok.handle(ctx, req)
}

func (l *local) call(ctx context.Context, req CallReq, reply func(Reply)) func() (CallDone, error) {
	ctx, ok, end, err := l.begin(ctx, req)
	if err != nil {
		return func() (CallDone, error) { return CallDone{}, err }
	}
	wait := ok.startCall(ctx, req, reply)
	return func() (CallDone, error) {
		defer end()
		return wait()
	}
}

func (l *local) watch(_ context.Context, topics []string) (*Watch, error) {
	wctx, ok, end, err := l.begin(context.Background(), WatchReq{Topics: topics})
	if err != nil {
		return nil, err
	}
	f := ok.watch(topics)
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
				if u, ok := f.take(); ok {
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
		l.gate.detach()
	}
	return nil
}
