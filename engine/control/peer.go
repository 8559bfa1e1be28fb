package control

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// byeTime is how long a goodbye may take to be written.
const byeTime = time.Second

// peer is one client as the server sees it.
type peer struct {
	s    *Server
	gate *gate
	conn net.Conn
	r    *bufio.Reader
	info Info
	out  *outbox

	heard func() // told of the first message

	ctx    context.Context // ends when the client is to go; its cause says why
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup // requests in flight, and the lane
	lane   *lane          // sends the client's calls one after the other: their order is the client's (promise P1, ARCHITECTURE.md)

	mu       sync.Mutex
	requests map[uint64]*request
}

// request is one request in flight.
type request struct {
	cancel context.CancelCauseFunc
	call   uint64        // CallReq.ID of a call
	credit chan struct{} // of a watch
	feed   *feed         // of a watch, once it has begun
	marks  marks         // of a watch
}

// welcome reads hello and answers it.
func (s *Server) welcome(conn net.Conn) (*peer, error) {
	ctx, cancel := context.WithTimeout(s.ctx, helloTime)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	r := bufio.NewReader(conn)
	h, err := readHello(r)
	if !stop() {
		return nil, errorf(CodeBadRequest, "no hello within %s", helloTime)
	}
	if err != nil {
		return nil, err
	}
	version, err := negotiate(h.Min, h.Max)
	if err != nil {
		return nil, err
	}
	role, err := cleanRole(h.Role)
	if err != nil {
		return nil, err
	}
	p := &peer{s: s, conn: conn, r: r, out: newOutbox(s.cfg.Limits.Queue), requests: make(map[uint64]*request), lane: newLane(s.cfg.Limits.InFlight)}
	p.gate, p.info = attach(s.cfg.Backend, ClientInfo{Name: cleanName(h.Name), Role: role, Version: version, Since: time.Now()})
	p.info.Capabilities = s.cfg.Capabilities
	p.ctx, p.cancel = context.WithCancelCause(s.ctx)
	return p, nil
}

func readHello(r io.Reader) (hello, error) {
	f, err := readFrame(r, hostileDec())
	if err != nil {
		return hello{}, err
	}
	if f.Kind != kindHello {
		return hello{}, errorf(CodeBadRequest, "the first frame must be hello (kind %d), not kind %d", kindHello, f.Kind)
	}
	var h hello
	if err := hostileDec().Unmarshal(f.Body, &h); err != nil {
		return hello{}, errorf(CodeBadRequest, "hello does not decode: %v", err)
	}
	return h, nil
}

// cleanName removes from a client's name what could change a screen: control and bidirectional characters.
func cleanName(name string) string {
	const most = 80 // runes
	if name == "" {
		return "unnamed"
	}
	return clean.Name(name, most)
}

// run serves the client until it leaves, and returns when everything it started has ended (INV-GONE).
func (p *peer) run() error {
	defer p.gate.detach()
	body, err := enc().Marshal(p.info)
	if err == nil {
		err = p.out.put(frame{Kind: kindWelcome, Body: body})
	}
	if err != nil {
		return err
	}
	// A reader that waits for the next frame and a writer that waits for the client end with the connection's deadline.
	stop := context.AfterFunc(p.ctx, func() {
		_ = p.conn.SetReadDeadline(time.Unix(1, 0))
		_ = p.conn.SetWriteDeadline(time.Now().Add(byeTime))
	})
	defer stop()
	var writer sync.WaitGroup
	writer.Go(func() {
		if err := p.out.write(p.conn); err != nil {
			p.cancel(err)
		}
	})
	p.wg.Go(p.lane.run)
	err = p.read()
	p.lane.close()
	left := errors.Is(err, io.EOF)
	if cause := context.Cause(p.ctx); cause != nil {
		err = cause
	}
	if errors.Is(err, context.Canceled) { // the server was closed
		err = ErrClosed
	}
	p.cancel(err)
	p.wg.Wait()
	if !left {
		p.out.put(frame{Kind: kindBye, Err: p.bye(err)}) //nolint:errcheck // best effort
	}
	p.out.close()
	writer.Wait()
	if left || errors.Is(err, ErrClosed) && p.s.ctx.Err() != nil {
		return nil
	}
	return err
}

func (p *peer) bye(err error) *Error {
	if errors.Is(err, ErrClosed) && p.s.ctx.Err() != nil {
		return &Error{Code: CodeClosed, Text: ErrClosed.Error()}
	}
	return &Error{Code: CodeClosed, Text: "the program closed this connection: " + err.Error()}
}

// read starts a goroutine for each request and never waits for one.
func (p *peer) read() error {
	g := gatherer{limit: 2 * maxRequest}
	for first := true; ; first = false {
		f, err := p.next()
		if err != nil {
			return err
		}
		if first {
			p.heard()
		}
		if done, err := g.add(f); err != nil {
			return err
		} else if !done {
			continue
		}
		switch f.Kind {
		case kindBye:
			return io.EOF
		case kindRequest:
			p.start(f)
		case kindCancel:
			p.end(f)
		case kindCredit:
			p.grant(f.ID)
		case kindSync:
			p.mark(f)
		default: // from a newer client (INV-SKEW)
		}
	}
}

// A frame that has begun must end: its length within frameTime, its body at frameRate bytes a second besides.
const (
	frameTime = 10 * time.Second
	frameRate = 64 << 10
)

// next reads a frame. A client may be silent for as long as it likes, but not in the middle of one.
func (p *peer) next() (*frame, error) {
	p.readBy(time.Time{})
	if _, err := p.r.Peek(1); err != nil {
		return nil, err
	}
	limit := frameTime
	p.readBy(time.Now().Add(limit))
	if head, err := p.r.Peek(4); err == nil {
		limit += time.Duration(min(binary.BigEndian.Uint32(head), maxFrame)) * time.Second / frameRate
		p.readBy(time.Now().Add(limit))
	}
	f, err := readFrame(p.r, hostileDec())
	if errors.Is(err, os.ErrDeadlineExceeded) && p.ctx.Err() == nil {
		return nil, fmt.Errorf("%w: it did not end within %s", errFrame, limit.Round(time.Second))
	}
	return f, err
}

// readBy limits what is read next, unless the connection is to end.
func (p *peer) readBy(at time.Time) {
	_ = p.conn.SetReadDeadline(at)
	if p.ctx.Err() != nil { // what ends it may have set its deadline before
		_ = p.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// send queues a frame; a client that does not read for too long is closed.
func (p *peer) send(f frame) {
	if err := p.out.put(f); err != nil {
		p.cancel(err)
	}
}

func (p *peer) answer(id uint64, body any, err error) {
	f := frame{Kind: kindAnswer, ID: id}
	if body != nil {
		var encErr error
		if f.Body, encErr = enc().Marshal(body); encErr != nil {
			err = fmt.Errorf("the answer does not encode: %w", encErr)
		}
	}
	if err != nil {
		f.Err = asError(err)
	}
	p.send(f)
}

// start runs one request beside the others.
func (p *peer) start(f *frame) {
	if f.ID == 0 {
		p.answer(0, nil, errorf(CodeBadRequest, "%s: a request needs an id", f.Verb))
		return
	}
	ctx, cancel := context.WithCancelCause(p.ctx)
	req := &request{cancel: cancel}
	if err := p.track(f.ID, req); err != nil {
		cancel(nil)
		p.answer(f.ID, nil, err)
		return
	}
	finish := func(run func() (any, error)) {
		p.wg.Go(func() {
			body, err := run()
			p.forget(f.ID)
			cancel(nil)
			p.answer(f.ID, body, err)
		})
	}
	run := p.plan(f, req)
	if f.Verb != verbCall {
		finish(func() (any, error) { return run(ctx) })
		return
	}
	p.lane.send(func() { // has room for every request that track lets in
		wait, err := run(ctx)
		finish(func() (any, error) {
			if err != nil {
				return nil, err
			}
			return wait.(func() (CallDone, error))()
		})
	})
}

// track notes a request in flight, if there is room and its id is free; forget takes it off.
func (p *peer) track(id uint64, req *request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.requests[id] != nil {
		return errorf(CodeBadRequest, "request id %d is in use", id)
	}
	if most := p.s.cfg.Limits.InFlight; len(p.requests) >= most {
		return errorf(CodeBusy, "%d requests of this client are in flight, which is the limit: wait for one", most)
	}
	p.requests[id] = req
	return nil
}

func (p *peer) forget(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.requests, id)
}

// end cancels the request that a cancel frame names, for the reason that it gives.
func (p *peer) end(f *frame) {
	var why error
	if f.Err != nil && f.Err.Code == CodeDeadline {
		why = context.DeadlineExceeded
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if req := p.requests[f.ID]; req != nil {
		req.cancel(why)
	}
}

func (p *peer) grant(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if req := p.requests[id]; req != nil && req.credit != nil {
		select {
		case req.credit <- struct{}{}:
		default: // more than the client may have at once
		}
	}
}

// plan decodes a request and says what to run for it. It asks for the permit before it looks at the body.
func (p *peer) plan(f *frame, req *request) func(context.Context) (any, error) {
	fail := func(err error) func(context.Context) (any, error) {
		return func(context.Context) (any, error) { return nil, err }
	}
	v, known := verbNamed(f.Verb)
	if !known {
		return fail(Unsupported(clipped(f.Verb), p.info.Engine, ""))
	}
	ok, err := p.gate.permit(v)
	if err != nil {
		return fail(err)
	}
	body, err := v.request(f.Body)
	if err != nil {
		return fail(errorf(CodeBadRequest, "%s: the request does not decode: %v", f.Verb, err))
	}
	if v.plan != nil {
		return v.plan(p, ok, incoming{f.ID, req, body})
	}
	return func(ctx context.Context) (any, error) { return ok.handle(ctx, body) }
}

func clipped(s string) string {
	if len(s) > 64 {
		return cleanName(s[:64]) + "…"
	}
	return cleanName(s)
}

// planCall returns what sends the call; that returns what waits for its end.
func (p *peer) planCall(ok permit, in incoming) func(context.Context) (any, error) {
	c := in.body.(CallReq) //nolint:forcetypeassert // the row of the verb says so
	p.mu.Lock()
	in.req.call = c.ID
	p.mu.Unlock()
	return func(ctx context.Context) (any, error) {
		return ok.startCall(ctx, c, func(r Reply) {
			body, err := enc().Marshal(r)
			if err != nil {
				p.cancel(fmt.Errorf("a reply does not encode: %w", err))
				return
			}
			p.send(frame{Kind: kindReply, ID: in.id, Body: body})
		}), nil
	}
}

// planCancel cancels at once: a request of the client that comes later finds the call cancelled.
func (p *peer) planCancel(_ permit, in incoming) func(context.Context) (any, error) {
	p.endCall(in.body.(CancelReq).ID) //nolint:forcetypeassert // the row of the verb says so
	return func(context.Context) (any, error) { return nil, nil }
}

// planSnapshot looks at the session behind the calls that the client made before.
func (p *peer) planSnapshot(ok permit, _ incoming) func(context.Context) (any, error) {
	behind := p.lane.behind()
	return func(ctx context.Context) (any, error) {
		behind(ctx)
		return ok.snapshot(), nil
	}
}

// endCall cancels the call that the client gave this CallReq.ID.
func (p *peer) endCall(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, req := range p.requests {
		if id != 0 && req.call == id {
			req.cancel(nil)
		}
	}
}
