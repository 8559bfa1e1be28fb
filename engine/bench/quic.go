package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"sync"

	"github.com/quic-go/quic-go"

	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

// A frame of the raw peers is a length of four bytes, an id of eight, and the payload. The server sends it back.
const idBytes = 8

func serveQUIC(certs *measure.Certificates) (string, error) {
	conf, err := certs.Config("bench")
	if err != nil {
		return "", err
	}
	l, err := quic.ListenAddr("127.0.0.1:0", conf, nil)
	if err != nil {
		return "", err
	}
	go func() {
		for {
			c, err := l.Accept(context.Background())
			if err != nil {
				return
			}
			go func() {
				if s, err := c.AcceptStream(context.Background()); err == nil {
					_ = echoStream(s)
				}
			}()
		}
	}()
	return l.Addr().String(), nil
}

// echoStream answers frames; answers gather while more frames are at hand.
func echoStream(s io.ReadWriter) error {
	in := bufio.NewReaderSize(s, 64<<10)
	var out []byte
	for {
		b, err := readFrame(in)
		if err != nil {
			return err
		}
		out = append(out, b...)
		if in.Buffered() >= 4 && len(out) < 32<<10 {
			continue
		}
		if _, err := s.Write(out); err != nil {
			return err
		}
		out = out[:0]
	}
}

// readFrame is the next frame with its length, valid until the next read.
func readFrame(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(4)
	if err != nil {
		return nil, err
	}
	n := 4 + int(binary.BigEndian.Uint32(head))
	b, err := r.Peek(n)
	if err != nil {
		return nil, err
	}
	_, err = r.Discard(n)
	return b, err
}

func appendFrame(b []byte, id uint64, body []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(idBytes+len(body)))
	return append(binary.BigEndian.AppendUint64(b, id), body...)
}

func openStream(ctx context.Context, addr string, certs *measure.Certificates) (*quic.Stream, func(), error) {
	conf, err := certs.Config("bench")
	if err != nil {
		return nil, nil, err
	}
	// A transport of its own, as every process of ours has: DialAddr would connect the socket.
	u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, nil, err
	}
	to, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, nil, err
	}
	c, err := (&quic.Transport{Conn: u}).Dial(ctx, to, conf, nil)
	if err != nil {
		return nil, nil, err
	}
	s, err := c.OpenStreamSync(ctx)
	return s, func() { _ = c.CloseWithError(0, "") }, err
}

// rawCaller writes and reads on the caller's goroutine.
func rawCaller(ctx context.Context, c *caller, addr string, certs *measure.Certificates) error {
	s, end, err := openStream(ctx, addr, certs)
	if err != nil {
		return err
	}
	in := bufio.NewReader(s)
	var out []byte
	c.Call = func(int) error {
		out = appendFrame(out[:0], 0, payload)
		if _, err := s.Write(out); err != nil {
			return err
		}
		_, err := readFrame(in)
		return err
	}
	c.Close = end
	return nil
}

// mux lets many callers share a stream: a slot per caller, one reader, and whoever finds the stream idle yields once and
// then writes for everybody, as the engine's link does.
type mux struct {
	s       io.ReadWriter
	slots   []chan struct{}
	mu      sync.Mutex
	out     []byte
	spare   []byte
	writing bool
	err     error
}

func muxCaller(ctx context.Context, c *caller, addr string, certs *measure.Certificates, inFlight int) error {
	s, end, err := openStream(ctx, addr, certs)
	if err != nil {
		return err
	}
	m := &mux{s: s, slots: make([]chan struct{}, inFlight)}
	for i := range m.slots {
		m.slots[i] = make(chan struct{}, 1)
	}
	go m.read()
	c.Call, c.Close = m.call, end
	return nil
}

func (m *mux) read() {
	in := bufio.NewReaderSize(m.s, 64<<10)
	for {
		b, err := readFrame(in)
		if err != nil {
			return
		}
		m.slots[binary.BigEndian.Uint64(b[4:])] <- struct{}{}
	}
}

func (m *mux) call(w int) error {
	m.mu.Lock()
	m.out = appendFrame(m.out, uint64(w), payload)
	if !m.writing {
		m.writing = true
		m.mu.Unlock()
		runtime.Gosched()
		m.mu.Lock()
		for len(m.out) > 0 && m.err == nil {
			b := m.out
			m.out = m.spare[:0]
			m.mu.Unlock()
			_, err := m.s.Write(b)
			m.mu.Lock()
			m.spare, m.err = b, err
		}
		m.writing = false
	}
	err := m.err
	m.mu.Unlock()
	if err != nil {
		return err
	}
	<-m.slots[w]
	return nil
}
