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

// admissionLimiter bounds the connections whose peer is not known yet: how many there are at once, and how many may come
// in a second before their addresses are verified.
type admissionLimiter struct {
	most    int32
	pending atomic.Int32 // connections that have not said hello

	perSec   float64
	mu       sync.Mutex // of the token bucket; no other lock is taken under it
	tokens   float64
	refilled time.Time
}

func (a *admissionLimiter) init(l Limits) {
	a.most, a.perSec = int32(l.Handshakes), float64(l.RetryAbove)
	a.tokens, a.refilled = a.perSec, time.Now()
}

// overRate reports whether connections come faster than RetryAbove per second: their addresses are
// then verified by a Retry before anything is kept for them.
func (a *admissionLimiter) overRate(net.Addr) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.tokens = min(a.perSec, a.tokens+now.Sub(a.refilled).Seconds()*a.perSec)
	a.refilled = now
	if a.tokens < 1 {
		return true
	}
	a.tokens--
	return false
}

// pendingKey is where a connection's context keeps the function that stops counting it.
type pendingKey struct{}

// enter counts a connection until it says hello or ends; over the limit it is refused.
func (a *admissionLimiter) enter(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
	if a.pending.Add(1) > a.most {
		a.pending.Add(-1)
		return nil, errors.New("too many connections that have not said hello")
	}
	leave := sync.OnceFunc(func() { a.pending.Add(-1) })
	context.AfterFunc(ctx, leave)
	return context.WithValue(ctx, pendingKey{}, leave), nil
}

// identified stops counting a connection: its peer is known.
func (a *admissionLimiter) identified(c *quic.Conn) {
	if leave, ok := c.Context().Value(pendingKey{}).(func()); ok {
		leave()
	}
}
