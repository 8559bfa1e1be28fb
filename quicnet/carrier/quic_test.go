package carrier

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

var _ quic.OOBCapablePacketConn = (*Conn)(nil)

// TestQUIC holds INV-2 for what the carriers are for: echoes up to 4 MiB both ways at once, and a transport that closes.
func TestQUIC(t *testing.T) {
	everyPair(t, func(t *testing.T, a, b *Conn, toB, _ *net.UDPAddr) {
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		cli, srv := &quic.Transport{Conn: a}, &quic.Transport{Conn: b}
		l, err := srv.Listen(testTLS(), testQUIC())
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { echo(ctx, l) })
		q, err := cli.Dial(ctx, toB, testTLS(), testQUIC())
		if err != nil {
			t.Fatal(err)
		}
		var asks sync.WaitGroup
		for _, n := range []int{0, 1, 100, 5000, 1 << 20, 4 << 20} {
			asks.Go(func() { ask(ctx, t, q, counted(n)) })
		}
		asks.Wait()
		if st := b.Stats(); b.fast != nil && (st.Packets == 0 || st.Trains > st.Packets || st.Dropped > 0) {
			t.Errorf("the server counts %+v", st)
		}
		_ = q.CloseWithError(0, "")
		_ = l.Close()
		done := make(chan error, 1)
		go func() {
			_, _ = cli.Close(), srv.Close()
			_, _ = a.Close(), b.Close()
			done <- nil
		}()
		_ = within(t, "closing the transports", done)
		wg.Wait()
	})
}

// echo sends back what the first connection's streams bring, until it closes.
func echo(ctx context.Context, l *quic.Listener) {
	q, err := l.Accept(ctx)
	if err != nil {
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		s, err := q.AcceptStream(ctx)
		if err != nil {
			return
		}
		wg.Go(func() {
			_, _ = io.Copy(s, s)
			_ = s.Close()
		})
	}
}

func ask(ctx context.Context, t *testing.T, q *quic.Conn, body []byte) {
	s, err := q.OpenStreamSync(ctx)
	if err != nil {
		t.Error(err)
		return
	}
	stop := context.AfterFunc(ctx, func() { s.CancelRead(1); s.CancelWrite(1) })
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = s.Write(body)
		_ = s.Close()
	})
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("of %d bytes %d came back: %v", len(body), len(got), err)
	}
	wg.Wait()
}
