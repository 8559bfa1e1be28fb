package control

import "context"

// gate stands between one client and the backend. Both transports hold a gate and no Backend: whatever a client wants
// needs a permit, and permit is the one place that looks at the client's role (INV-VIEWER).
type gate struct {
	b   Backend
	who ClientInfo
}

// attach shows the client to the backend. The Info is the server as the backend's own snapshot describes it.
func attach(b Backend, who ClientInfo) (*gate, Info) {
	snap := snapshotOf(b)
	g := &gate{b, b.Attach(who)}
	info := infoOf(snap, who.Version)
	info.Client = g.who
	return g, info
}

func (g *gate) detach() { g.b.Detach(g.who) }

// permit refuses verbs that change the session to a viewer.
func (g *gate) permit(v *verb) (permit, error) {
	if v.access == acts && g.who.Role == RoleViewer {
		return permit{}, errorf(CodeViewer, "attached as a viewer, which may only look: %q changes the session (attach with control to act)", v.name)
	}
	return permit{g}, nil
}

// permit is the right to one use of a verb.
type permit struct{ g *gate }

// handle has the backend execute a verb of one request and one answer.
func (ok permit) handle(ctx context.Context, req any) (any, error) {
	return ok.g.b.Handle(ctx, ok.g.who, req)
}

// startCall has the backend send a call.
func (ok permit) startCall(ctx context.Context, req CallReq, reply func(Reply)) (wait func() (CallDone, error)) {
	return ok.g.b.StartCall(ctx, ok.g.who, req, reply)
}

// snapshot is the session as it is now.
func (ok permit) snapshot() *Snapshot { return snapshotOf(ok.g.b) }

// watch subscribes to the backend's events.
func (ok permit) watch(topics []string) *feed { return newFeed(ok.g.b, topics) }

func snapshotOf(b Backend) *Snapshot {
	snap, cancel := b.Subscribe(func(*Event) {})
	cancel()
	return snap
}
