package quicnet

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

func benchEnvelope() *Envelope {
	return &Envelope{Kind: KindCall, Epoch: 1, Seq: 12345, Ack: 12300, ID: 99999, Call: 5000, Parent: 4, Trace: 1 << 60, Clock: 1 << 60,
		From: Addr{0, 1}, To: Addr{3, 12}, Region: make([]byte, 24), Index: 3, Adverb: 2, Endpoint: "HelloWorld", Hash: 1 << 63,
		Budget: 30 * time.Second, Body: make([]byte, 16)}
}

func BenchmarkEncodeEnvelope(b *testing.B) {
	e, dst := benchEnvelope(), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendEnvelope(dst[:0], e)
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkDecodeEnvelope(b *testing.B) {
	buf := AppendEnvelope(nil, benchEnvelope())
	var e Envelope
	b.ReportAllocs()
	for b.Loop() {
		if err := DecodeEnvelope(buf, &e); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(buf)))
}

// echoNode answers every call from its Frame.
type echoNode struct{ n *Node }

func (h *echoNode) Frame(from ID, lane Lane, env *Envelope) {
	if env.Kind == KindCall {
		_ = h.n.Send(context.Background(), from.Proc, lane, &Envelope{Kind: KindReply, ID: env.ID, From: env.To, To: env.From, Endpoint: env.Endpoint, Body: env.Body})
	}
}
func (*echoNode) Link(LinkEvent) {}

// mailboxNode hands each call to an actor goroutine, as an engine does.
type mailboxNode struct {
	n   *Node
	box chan *Envelope
}

func (h *mailboxNode) Frame(_ ID, _ Lane, env *Envelope) { h.box <- env }
func (*mailboxNode) Link(LinkEvent)                      {}
func (h *mailboxNode) run() {
	for env := range h.box {
		_ = h.n.Send(context.Background(), env.From.Proc, LaneCalls, &Envelope{Kind: KindReply, ID: env.ID, From: env.To, To: env.From, Body: env.Body})
	}
}

// caller wakes who waits for a reply, by message id.
type caller struct{ slots []chan struct{} }

func (h *caller) Frame(_ ID, _ Lane, env *Envelope) { h.slots[env.ID] <- struct{}{} }
func (*caller) Link(LinkEvent)                      {}

func benchPair(b *testing.B, inFlight int, mailbox bool) (*Node, *caller) {
	c := &caller{slots: make([]chan struct{}, inFlight)}
	for i := range c.slots {
		c.slots[i] = make(chan struct{}, 1)
	}
	ctl := newSession(b, Config{Handler: c})
	if mailbox {
		h := &mailboxNode{box: make(chan *Envelope, 8192)}
		h.n = join(b, ctl, ID{1, 1}, Config{Handler: h})
		go h.run()
		b.Cleanup(func() { _ = h.n.Close(""); close(h.box) })
	} else {
		h := &echoNode{}
		ready := make(chan struct{})
		h.n = join(b, ctl, ID{1, 1}, Config{Handler: h})
		close(ready)
	}
	return ctl, c
}

func benchCalls(b *testing.B, inFlight int, mailbox bool) {
	ctl, c := benchPair(b, inFlight, mailbox)
	body := make([]byte, 16)
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for w := range inFlight {
		wg.Go(func() {
			env := &Envelope{Kind: KindCall, ID: uint64(w), From: Addr{0, 1}, To: Addr{1, 1}, Endpoint: "Echo", Body: body}
			for range b.N/inFlight + 1 {
				if err := ctl.Send(context.Background(), 1, LaneCalls, env); err != nil {
					b.Error(err)
					return
				}
				<-c.slots[w]
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func BenchmarkRoundTrip(b *testing.B)       { benchCalls(b, 1, false) }
func BenchmarkInFlight64(b *testing.B)      { benchCalls(b, 64, false) }
func BenchmarkInFlight1024(b *testing.B)    { benchCalls(b, 1024, false) }
func BenchmarkRoundTripActor(b *testing.B)  { benchCalls(b, 1, true) }
func BenchmarkInFlight64Actor(b *testing.B) { benchCalls(b, 64, true) }

func BenchmarkBulk1MiB(b *testing.B) {
	ctl, c := benchPair(b, 4, false)
	body := make([]byte, 1<<20)
	b.SetBytes(2 << 20) // there and back
	b.ResetTimer()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for range b.N/4 + 1 {
				_ = ctl.Send(context.Background(), 1, LaneCalls, &Envelope{Kind: KindCall, ID: uint64(w), From: Addr{0, uint64(w)}, To: Addr{1, uint64(w)}, Body: body})
				<-c.slots[w]
			}
		})
	}
	wg.Wait()
}

// rawPair is a quic-go connection with the same certificates and settings, and one stream that echoes.
func rawPair(b *testing.B) *quic.Stream {
	ctl := newSession(b, Config{Handler: &caller{}})
	w := join(b, ctl, ID{1, 1}, Config{Handler: &caller{}})
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	tr := &quic.Transport{Conn: pc}
	conf := ctl.quicConfig()
	conf.MaxIncomingStreams = 4
	ln, err := tr.Listen(ctl.serverTLS(), conf)
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		q, err := ln.Accept(context.Background())
		if err != nil {
			return
		}
		s, err := q.AcceptStream(context.Background())
		if err != nil {
			return
		}
		br := bufio.NewReaderSize(s, 64<<10)
		var out []byte
		for {
			h, err := br.Peek(4)
			if err != nil {
				return
			}
			n := int(binary.BigEndian.Uint32(h)) + 4
			f, err := br.Peek(n)
			if err != nil {
				return
			}
			out = append(out, f...)
			_, _ = br.Discard(n)
			if br.Buffered() < 4 || len(out) > 32<<10 {
				if _, err := s.Write(out); err != nil {
					return
				}
				out = out[:0]
			}
		}
	}()
	q, err := w.first.Load().tr.Dial(context.Background(), pc.LocalAddr(), w.clientTLS(0, 1), conf)
	if err != nil {
		b.Fatal(err)
	}
	s, err := q.OpenStream()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = q.CloseWithError(0, ""); _ = ln.Close(); _ = tr.Close(); _ = pc.Close() })
	return s
}

// BenchmarkRawRoundTrip is the floor: quic-go alone, frames of the same size.
func BenchmarkRawRoundTrip(b *testing.B) {
	s := rawPair(b)
	frame := binary.BigEndian.AppendUint32(nil, 60)
	frame = append(frame, make([]byte, 60)...)
	in := make([]byte, len(frame))
	b.ResetTimer()
	for b.Loop() {
		if _, err := s.Write(frame); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(s, in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// BenchmarkRawPump64 keeps 64 raw frames in flight from one goroutine: the ceiling of one stream.
func BenchmarkRawPump64(b *testing.B) {
	s := rawPair(b)
	frame := binary.BigEndian.AppendUint32(nil, 60)
	frame = append(frame, make([]byte, 60)...)
	var out []byte
	for range 64 {
		out = append(out, frame...)
	}
	br := bufio.NewReaderSize(s, 64<<10)
	b.ResetTimer()
	if _, err := s.Write(out); err != nil {
		b.Fatal(err)
	}
	for got := 0; got < b.N; {
		out = out[:0]
		for {
			if _, err := br.Discard(len(frame)); err != nil {
				b.Fatal(err)
			}
			got++
			out = append(out, frame...)
			if br.Buffered() < len(frame) {
				break
			}
		}
		if _, err := s.Write(out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
