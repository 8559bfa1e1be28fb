package control

import "context"

// mostCredit is how many updates may be under way to one watch.
const mostCredit = 16

// marks are the Syncs that a client asked of one watch. Guarded by peer.mu.
type marks struct {
	asked  uint64                // newest token
	behind func(context.Context) // waits for the calls that came before it; nil: it has been told
	due    uint64                // token to tell as soon as there is a feed
	busy   bool                  // a goroutine tells
}

// mark passes a client's Sync on to its watch, behind the calls that the client made before.
func (p *peer) mark(f *frame) {
	var token uint64
	if hostileDec().Unmarshal(f.Body, &token) != nil {
		return
	}
	behind := p.lane.behind()
	p.mu.Lock()
	req := p.requests[f.ID]
	if req == nil || req.credit == nil {
		p.mu.Unlock()
		return
	}
	m := &req.marks
	m.asked, m.behind = max(m.asked, token), behind
	start := !m.busy
	m.busy = true
	p.mu.Unlock()
	if start { // one goroutine for a watch, however many Syncs a client asks for
		p.wg.Go(func() { p.tellMarks(req) })
	}
}

func (p *peer) tellMarks(req *request) {
	for {
		p.mu.Lock()
		token, behind := req.marks.asked, req.marks.behind
		req.marks.behind = nil
		req.marks.busy = behind != nil
		p.mu.Unlock()
		if behind == nil {
			return
		}
		behind(p.ctx)
		p.mu.Lock()
		req.marks.due = token
		feed := req.feed
		p.mu.Unlock()
		if feed != nil {
			feed.mark(token)
		}
	}
}

// planWatch sends an update whenever the client has credit and there is something to tell.
func (p *peer) planWatch(ok permit, in incoming) func(context.Context) (any, error) {
	w := in.body.(WatchReq) //nolint:forcetypeassert // the row of the verb says so
	req := in.req
	credit := make(chan struct{}, mostCredit)
	for range min(max(w.Credit, 1), mostCredit) {
		credit <- struct{}{}
	}
	p.mu.Lock()
	req.credit = credit // set on the reader, so that a credit or a Sync that follows finds it
	p.mu.Unlock()
	behind := p.lane.behind()
	return func(ctx context.Context) (any, error) {
		behind(ctx)
		feed := ok.watch(w.Topics)
		defer feed.stop()
		p.mu.Lock()
		req.feed = feed
		due := req.marks.due
		p.mu.Unlock()
		if due != 0 {
			feed.mark(due)
		}
		for {
			select {
			case <-ctx.Done():
				return nil, nil
			case <-credit:
			}
			u, err := p.nextUpdate(ctx, feed)
			if err != nil {
				return nil, nil
			}
			body, err := encodeUpdate(u)
			if err != nil {
				return nil, err
			}
			p.send(frame{Kind: kindUpdate, ID: in.id, Body: body})
		}
	}
}

func (p *peer) nextUpdate(ctx context.Context, feed *feed) (Update, error) {
	for {
		select {
		case <-ctx.Done():
			return Update{}, ctx.Err()
		case <-feed.wake:
			if u, ok := feed.take(); ok {
				return u, nil
			}
		}
	}
}
