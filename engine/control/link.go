package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"sync"
	"syscall"
	"time"

	"github.com/fxamacker/cbor/v2"
)

const (
	helloTime   = 5 * time.Second // both sides: the greeting takes no longer, unless the client's context says so
	cancelGrace = 2 * time.Second // a server answers a cancelled call by then, or is given up on
	linkQueue   = 64 << 20        // bytes that may wait for the other side
	watchCredit = 2               // updates under way to a client
)

// link is the transport of a client over a connection.
type link struct {
	conn   net.Conn
	server Info
	out    *outbox
	ctx    context.Context // ends with the connection; its cause says why
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup // reader and writer

	mu      sync.Mutex
	nextID  uint64
	pending map[uint64]*pending
	closing bool
}

// pending is a request that has no last answer yet. Its functions run on the link's reader and do not block.
type pending struct {
	reply  func(Reply)
	update func(wireUpdate) error
	answer chan *frame // one slot
}

// Dial connects to a session: its name, the pid of its controller, or the path of its socket.
func Dial(ctx context.Context, addr string, who ClientInfo) (*Client, error) {
	path, err := Resolve(addr)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("attach %s: %w (has the program ended? \"monarch-tui attach\" lists the sessions)", addr, err)
	}
	if err := checkPeer(conn); err != nil {
		conn.Close()
		return nil, fmt.Errorf("attach %s: %w", addr, err)
	}
	c, err := NewClient(ctx, conn, who)
	if e, ok := errors.AsType[*strangerError](err); ok {
		return nil, fmt.Errorf("attach %s: %s; \"monarch-tui attach\" lists the sessions (%w)", addr, e.what(), e.cause)
	}
	if err != nil {
		return nil, fmt.Errorf("attach %s: %w", addr, err)
	}
	return c, nil
}

// NewClient greets the server on a connection (an inherited socketpair, a dialled socket, any stream) and owns the
// connection from then on, also when it fails. ctx bounds the greeting only, which may take 5 s where ctx has no deadline. who.Role ""
// means control.
func NewClient(ctx context.Context, conn net.Conn, who ClientInfo) (*Client, error) {
	r := bufio.NewReader(conn)
	info, err := greet(ctx, conn, r, who)
	if err != nil {
		conn.Close()
		return nil, err
	}
	l := &link{conn: conn, server: info, out: newOutbox(linkQueue), pending: make(map[uint64]*pending)}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	l.wg.Go(func() { l.fail(l.read(r)) })
	l.wg.Go(func() { l.fail(l.out.write(conn)) })
	return newClient(l), nil
}

// read hands the frames of the server to those who wait for them, until the connection ends.
func (l *link) read(r io.Reader) error {
	g := gatherer{limit: maxAnswer}
	for {
		f, err := readFrame(r, friendlyDec())
		if err != nil {
			return err
		}
		if f.Kind == kindBye {
			return byeError(f)
		}
		if done, err := g.add(f); err != nil {
			return err
		} else if !done {
			continue
		}
		if err := l.deliver(f); err != nil {
			return err
		}
	}
}

func (l *link) deliver(f *frame) error {
	l.mu.Lock()
	p := l.pending[f.ID]
	if f.Kind == kindAnswer {
		delete(l.pending, f.ID)
	}
	l.mu.Unlock()
	if p == nil { // given up on
		return nil
	}
	switch f.Kind {
	case kindAnswer:
		p.answer <- f
	case kindReply:
		var r Reply
		if err := friendlyDec().Unmarshal(f.Body, &r); err != nil {
			return fmt.Errorf("%w: reply: %w", errFrame, err)
		}
		if p.reply != nil {
			p.reply(r)
		}
	case kindUpdate:
		var u wireUpdate
		if err := friendlyDec().Unmarshal(f.Body, &u); err != nil {
			return fmt.Errorf("%w: update: %w", errFrame, err)
		}
		if p.update != nil {
			return p.update(u)
		}
	default: // from a newer server (INV-SKEW)
	}
	return nil
}

// fail ends the link once; later reasons are ignored.
func (l *link) fail(err error) {
	l.mu.Lock()
	closing := l.closing
	l.mu.Unlock()
	switch {
	case closing || err == nil || errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		err = ErrClosed // however its process went: which of these is seen is chance
	case !errors.Is(err, ErrClosed):
		err = fmt.Errorf("%w: %w", ErrClosed, err)
	}
	l.cancel(err)
	l.out.close()
	l.conn.Close()
}

// open registers a request and sends it.
func (l *link) open(name string, req any, p *pending) (uint64, error) {
	var body []byte
	if req != nil {
		var err error
		if body, err = enc().Marshal(req); err != nil {
			return 0, fmt.Errorf("%s: encode the request: %w", name, err)
		}
	}
	if len(body) > maxRequest {
		return 0, errorf(CodeBadRequest, "%s: the request has %d bytes, the limit is %d", name, len(body), maxRequest)
	}
	p.answer = make(chan *frame, 1)
	l.mu.Lock()
	l.nextID++
	id := l.nextID
	l.pending[id] = p
	l.mu.Unlock()
	if err := l.out.put(frame{Kind: kindRequest, ID: id, Verb: name, Body: body}); err != nil {
		l.forget(id)
		return 0, l.ended(err)
	}
	return id, nil
}

func (l *link) forget(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pending, id)
}

// ended gives the reason why the link ended in place of an error that this end caused.
func (l *link) ended(err error) error {
	if cause := context.Cause(l.ctx); cause != nil {
		return cause
	}
	return err
}

// wait waits for the last frame of a request. When ctx ends the server is told, and has grace to answer.
func (l *link) wait(ctx context.Context, id uint64, p *pending, grace time.Duration) (*frame, error) {
	select {
	case f := <-p.answer:
		return f, nil
	case <-l.ctx.Done():
		return l.late(p)
	case <-ctx.Done():
	}
	l.out.put(frame{Kind: kindCancel, ID: id, Err: whyEnded(ctx)}) //nolint:errcheck // a link that has ended needs no cancel
	if grace > 0 {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case f := <-p.answer:
			return f, nil
		case <-l.ctx.Done():
			return l.late(p)
		case <-timer.C:
		}
	}
	l.forget(id)
	return nil, ctx.Err()
}

// whyEnded is what a server is told of a context that has ended: that it was for its deadline, or nothing.
func whyEnded(ctx context.Context) *Error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return &Error{Code: CodeDeadline}
	}
	return nil
}

// late looks for an answer that arrived just before the link ended.
func (l *link) late(p *pending) (*frame, error) {
	select {
	case f := <-p.answer:
		return f, nil
	default:
		return nil, context.Cause(l.ctx)
	}
}

func (l *link) handle(ctx context.Context, req any) (any, error) {
	v, err := verbOf(req)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := &pending{}
	id, err := l.open(v.name, req, p)
	if err != nil {
		return nil, err
	}
	f, err := l.wait(ctx, id, p, 0)
	if err != nil {
		return nil, err
	}
	if f.Err != nil {
		return nil, f.Err
	}
	return v.answer(f.Body)
}

func (l *link) call(ctx context.Context, req CallReq, reply func(Reply)) func() (CallDone, error) {
	p := &pending{reply: reply}
	id, err := l.open(verbCall, req, p)
	return func() (CallDone, error) {
		if err != nil {
			return CallDone{}, err
		}
		f, err := l.wait(ctx, id, p, cancelGrace)
		if err != nil {
			return CallDone{}, err
		}
		var done CallDone
		if len(f.Body) > 0 {
			if err := friendlyDec().Unmarshal(f.Body, &done); err != nil {
				return done, errorf(CodeFailed, "the end of the call does not decode: %v", err)
			}
		}
		if f.Err != nil {
			return done, f.Err
		}
		return done, nil
	}
}

func (l *link) info() Info            { return l.server }
func (l *link) done() <-chan struct{} { return l.ctx.Done() }

func (l *link) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return nil
	}
	return context.Cause(l.ctx)
}

func (l *link) close() error {
	l.mu.Lock()
	l.closing = l.closing || l.ctx.Err() == nil
	l.mu.Unlock()
	l.fail(ErrClosed)
	l.wg.Wait()
	return nil
}

// wireUpdate is an Update as it travels: events one by one, so that one from a newer engine that does not decode is
// skipped alone (INV-SKEW).
type wireUpdate struct {
	Snapshot *Snapshot         `cbor:",omitempty"`
	Events   []cbor.RawMessage `cbor:",omitempty"`
	Sync     uint64            `cbor:",omitempty"`
}

func (u wireUpdate) decode() Update {
	out := Update{Snapshot: u.Snapshot, Sync: u.Sync}
	for _, raw := range u.Events {
		var ev Event
		if err := friendlyDec().Unmarshal(raw, &ev); err == nil && ev.known() {
			out.Events = append(out.Events, &ev)
		}
	}
	return out
}

func encodeUpdate(u Update) ([]byte, error) {
	w := wireUpdate{Snapshot: u.Snapshot, Sync: u.Sync, Events: make([]cbor.RawMessage, 0, len(u.Events))}
	for _, ev := range u.Events {
		raw, err := enc().Marshal(ev)
		if err != nil {
			return nil, fmt.Errorf("encode event %d: %w", ev.Seq, err)
		}
		w.Events = append(w.Events, raw)
	}
	return enc().Marshal(w)
}

// known reports whether the event carries anything that this version knows: one of its pointers is set.
func (e *Event) known() bool {
	for _, f := range reflect.ValueOf(e).Elem().Fields() {
		if f.Kind() == reflect.Pointer && !f.IsNil() {
			return true
		}
	}
	return false
}

func (l *link) watch(ctx context.Context, topics []string) (*Watch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	updates := make(chan wireUpdate, watchCredit)
	p := &pending{update: func(u wireUpdate) error {
		select {
		case updates <- u:
			return nil
		default:
			return fmt.Errorf("%w: an update that was not asked for", errFrame)
		}
	}}
	id, err := l.open(verbWatch, WatchReq{Topics: topics, Credit: watchCredit}, p)
	if err != nil {
		return nil, err
	}
	stopped := make(chan struct{})
	stop := sync.OnceFunc(func() {
		close(stopped)
		l.forget(id)
		l.out.put(frame{Kind: kindCancel, ID: id}) //nolint:errcheck // a link that has ended needs no cancel
	})
	next := func(ctx context.Context) (Update, error) {
		for {
			select {
			case u := <-updates:
				l.out.put(frame{Kind: kindCredit, ID: id}) //nolint:errcheck // the next wait tells that the link has ended
				if up := u.decode(); !up.empty() {
					return up, nil
				}
			case f := <-p.answer:
				if f.Err != nil {
					return Update{}, f.Err
				}
				return Update{}, ErrClosed
			case <-stopped:
				return Update{}, ErrClosed
			case <-ctx.Done():
				return Update{}, ctx.Err()
			case <-l.ctx.Done():
				return Update{}, context.Cause(l.ctx)
			}
		}
	}
	first, err := next(ctx)
	if err != nil {
		stop()
		return nil, err
	}
	rest := next
	next = func(ctx context.Context) (Update, error) {
		if u := first; !u.empty() {
			first = Update{}
			return u, nil
		}
		return rest(ctx)
	}
	mark := func(token uint64) {
		body, err := enc().Marshal(token)
		if err == nil {
			l.out.put(frame{Kind: kindSync, ID: id, Body: body}) //nolint:errcheck // Next tells that the link has ended
		}
	}
	return &Watch{next: next, mark: mark, stop: stop}, nil
}
