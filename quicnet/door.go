package quicnet

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
)

// door bounds connections that have not said who they are.
type door struct {
	most     int32
	perSec   float64
	inside   atomic.Int32
	mu       sync.Mutex
	tokens   float64
	refilled time.Time
}

func (d *door) init(l Limits) {
	d.most, d.perSec = int32(l.Handshakes), float64(l.RetryAbove)
	d.tokens, d.refilled = d.perSec, time.Now()
}

// crowded reports whether connections come faster than RetryAbove per second: their addresses are
// then verified by a Retry before anything is kept for them.
func (d *door) crowded(net.Addr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	d.tokens = min(d.perSec, d.tokens+now.Sub(d.refilled).Seconds()*d.perSec)
	d.refilled = now
	if d.tokens < 1 {
		return true
	}
	d.tokens--
	return false
}

type guestKey struct{}

// enter counts a connection until it says hello or ends; over the limit it is refused.
func (d *door) enter(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
	if d.inside.Add(1) > d.most {
		d.inside.Add(-1)
		return nil, errors.New("too many connections that have not said hello")
	}
	leave := sync.OnceFunc(func() { d.inside.Add(-1) })
	context.AfterFunc(ctx, leave)
	return context.WithValue(ctx, guestKey{}, leave), nil
}

// known stops counting a connection: its peer is known.
func (d *door) known(c *quic.Conn) {
	if leave, ok := c.Context().Value(guestKey{}).(func()); ok {
		leave()
	}
}
