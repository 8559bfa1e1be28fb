package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Limits bound what clients can cost. The zero value of a field means its default.
type Limits struct {
	Clients  int // connections at once; 64
	InFlight int // requests of one client at once; 256
	Queue    int // bytes that may wait for one client; 64 MiB
}

func (l Limits) withDefaults() Limits {
	if l.Clients <= 0 {
		l.Clients = 64
	}
	if l.InFlight <= 0 {
		l.InFlight = 256
	}
	if l.Queue <= 0 {
		l.Queue = 64 << 20
	}
	return l
}

// ServerConfig configures a Server. Only Backend is needed.
type ServerConfig struct {
	Backend      Backend
	Capabilities []string // told to clients
	Limits       Limits
	Logger       *slog.Logger // who came, went and was refused; nil: nowhere
}

// Server serves a backend to clients over connections. It owns each connection that it is given.
type Server struct {
	cfg    ServerConfig
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup // connections and accept loops

	mu     sync.Mutex
	slots  map[*slot]struct{}
	closed bool
}

// NewServer makes a server. Close ends it.
func NewServer(cfg ServerConfig) *Server {
	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, slots: map[*slot]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Serve accepts clients until the server or the listener is closed, and then returns nil. It owns the listener. A
// process of another user is refused and logged (INV-OWNER).
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	if !s.begin() {
		return ErrClosed
	}
	defer s.wg.Done()
	stop := context.AfterFunc(s.ctx, func() { l.Close() })
	defer stop()
	for pause := time.Duration(0); ; {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.accept(conn)
		case s.ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return nil
		default: // out of descriptors, most likely: existing clients go on, new ones wait
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.cfg.Logger.Warn("cannot accept a client", "error", err, "retry in", pause)
			select {
			case <-time.After(pause):
			case <-s.ctx.Done():
				return nil
			}
		}
	}
}

func (s *Server) accept(conn net.Conn) {
	if err := checkPeer(conn); err != nil {
		s.cfg.Logger.Warn("refused a client", "error", err)
		conn.Close()
		return
	}
	if !s.begin() {
		conn.Close()
		return
	}
	go func() {
		defer s.wg.Done()
		if err := s.serve(conn); err != nil {
			s.cfg.Logger.Info("a client's connection ended", "error", err)
		}
	}()
}

// begin counts a goroutine that Close waits for.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Add(1)
	return true
}

// ServeConn serves one client over a connection that needs no further check, such as an inherited socketpair. It
// returns when the client has left (nil), was closed for a reason (that error), or the server was closed.
func (s *Server) ServeConn(conn net.Conn) error {
	if !s.begin() {
		conn.Close()
		return ErrClosed
	}
	defer s.wg.Done()
	return s.serve(conn)
}

// Close tells the clients that the session has ended, and returns when all have gone and Serve has returned.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.wg.Wait()
	return nil
}

// serve runs one connection to its end.
func (s *Server) serve(conn net.Conn) error {
	defer conn.Close()
	place, err := s.enter(conn)
	if err != nil {
		s.refuse(conn, err)
		return err
	}
	defer s.leave(place)
	p, err := s.welcome(conn)
	if err != nil {
		s.refuse(conn, err)
		return fmt.Errorf("greeting: %w", err)
	}
	p.heard = func() { s.heard(place) }
	s.cfg.Logger.Info("a client came", "client", p.gate.who.Name, "role", p.gate.who.Role, "id", p.gate.who.ID)
	defer s.cfg.Logger.Info("a client left", "client", p.gate.who.Name, "id", p.gate.who.ID)
	return p.run()
}

// refuse says goodbye on a connection that has no peer yet. It does not wait for a client that does not read.
func (s *Server) refuse(conn net.Conn, reason error) {
	b, err := appendMessage(nil, frame{Kind: kindBye, Err: asError(reason)})
	if err != nil {
		return
	}
	_ = conn.SetDeadline(time.Now().Add(byeTime))
	conn.Write(b) //nolint:errcheck // best effort: the connection ends either way
}
